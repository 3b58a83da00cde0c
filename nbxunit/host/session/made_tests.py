"""Tests that the host makes: the execution of a notebook, the outputs of a cell. Their reports are pytest's.

May import pytest.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import pytest

from nbxunit.host import compat
from nbxunit.host.records import Sections


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What such a test comes to: passed, failed, skipped, or an error, which is told as one of its setup.

    `images` are those that differ: type, stored and new, in base64; HTML reports show them.
    """

    outcome: str = "passed"
    text: str = ""
    sections: Sections = ()
    seconds: float = 0.0
    properties: Sequence[tuple[str, object]] = ()
    images: Sequence[tuple[str, str, str]] = ()

    def reports(
        self,
        nodeid: str,
        location: tuple[str, int | None, str],
        file: str,
        place: tuple[str, int] | None = None,
    ) -> Iterator[pytest.TestReport]:
        """The reports of its phases, as pytest would make them.

        `file` is the notebook's name, `place` where it was skipped.
        """
        longrepr: Any = None
        if self.outcome == "skipped":
            longrepr = *(place or (location[0], 1)), self.text
        elif self.outcome != "passed":
            longrepr = compat.as_raised(self.text, file)
        if self.outcome not in ("passed", "failed"):
            yield self._report(nodeid, location, "setup", longrepr)
        else:
            yield pytest.TestReport(nodeid, location, {}, "passed", None, "setup")
            yield self._report(nodeid, location, "call", longrepr)
        yield pytest.TestReport(nodeid, location, {}, "passed", None, "teardown")

    def _report(
        self,
        nodeid: str,
        location: tuple[str, int | None, str],
        when: Literal["setup", "call"],
        longrepr: Any,
    ) -> pytest.TestReport:
        """The report that decides."""
        outcome: Any = self.outcome if self.outcome in ("passed", "skipped") else "failed"
        sections = () if outcome == "passed" else self.sections
        report = pytest.TestReport(
            nodeid, location, {}, outcome, longrepr, when, sections, self.seconds,
            user_properties=self.properties,
        )  # fmt: skip
        if self.images:
            pairs = "".join(_side_by_side(*image) for image in self.images)
            # As pytest-html's `extras.html` makes it.
            html = {"format_type": "html", "content": pairs, "name": None, "mime_type": None,
                    "extension": None}  # fmt: skip
            report.extras = [html]  # type: ignore[attr-defined]
        return report


def _side_by_side(form: str, stored: str, new: str) -> str:
    """HTML of two images in base64, each below its name."""
    figures = "".join(
        f'<figure style="display: inline-block; margin: 8px"><figcaption>{name}</figcaption>'
        f'<img alt="{name}" src="data:{form};base64,{content}" style="max-width: 100%"></figure>'
        for name, content in (("stored", stored), ("new", new))
    )
    return f'<div style="background: white">{figures}</div>'
