"""The images that a test displays, as pytest-html's extras of its report: its page shows them.

May import pytest. What reports carry is bounded, and half an image is none.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any

import pytest

from nbxunit.kernel.results.displays import Displays

IMAGE_LIMIT = 500_000
"""Characters of base64 of an image that a report carries."""
IMAGES_LIMIT = 10_000_000
"""Characters of all images of a run."""
_TYPES = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/svg+xml": "svg"}


class ReportImages:
    """The plugin that takes from `displays` what the running test has displayed."""

    def __init__(self, displays: Displays) -> None:
        self._displays = displays
        self._left = IMAGES_LIMIT

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> Any:
        """Add them to the report of the test's call."""
        report = yield
        if call.when == "call" and (images := list(self._images())):
            report.extras = [*getattr(report, "extras", ()), *images]
        return report

    def _images(self) -> Iterator[dict[str, Any]]:
        for display in self._displays.of_running_test:
            form = next((each for each in _TYPES if each in display.data), None)
            if form is None:
                continue
            content = _base64(form, display.data[form])
            if len(content) > min(IMAGE_LIMIT, self._left):
                yield _extra(f"{form} of {len(content)} characters left out by nbxunit")
                continue
            self._left -= len(content)
            yield _extra(content, form)


def _base64(form: str, data: Any) -> str:
    """The image in base64; SVG is displayed as text, others as bytes or in base64 with line ends."""
    if isinstance(data, str) and form == "image/svg+xml":
        data = data.encode("utf-8", "replace")
    return (
        base64.b64encode(data).decode()
        if isinstance(data, bytes)
        else re.sub(r"\s+", "", str(data))
    )


def _extra(content: str, form: str | None = None) -> dict[str, Any]:
    """What pytest-html's functions `extras.image` and `extras.text` make."""
    return {"name": "Image", "format_type": "image" if form else "text", "content": content,
            "mime_type": form or "text/plain", "extension": _TYPES[form] if form else "txt"}  # fmt: skip
