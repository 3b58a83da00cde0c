"""Tests that the host makes: the execution of a notebook, the outputs of a cell. Their reports are pytest's.

May import pytest.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import pytest

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
        place: tuple[str, int] | None = None,
    ) -> Iterator[pytest.TestReport]:
        """The reports of its phases, as pytest would make them; `place` is where it was skipped."""
        place = place or (location[0], 1)
        if self.outcome not in ("passed", "failed"):
            yield self._report(nodeid, location, "setup", place)
        else:
            yield pytest.TestReport(nodeid, location, {}, "passed", None, "setup")
            yield self._report(nodeid, location, "call", place)
        yield pytest.TestReport(nodeid, location, {}, "passed", None, "teardown")

    def _report(
        self,
        nodeid: str,
        location: tuple[str, int | None, str],
        when: str,
        place: tuple[str, int],
    ) -> pytest.TestReport:
        """The report that decides."""
        is_skip, passed = self.outcome == "skipped", self.outcome == "passed"
        report = pytest.TestReport(
            nodeid, location, {}, "skipped" if is_skip else "passed" if passed else "failed",
            (*place, self.text) if is_skip else None if passed else self.text,
            "setup" if when == "setup" else "call", () if passed else self.sections,
            self.seconds, user_properties=self.properties,
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
