"""The exceptions that nbxunit raises in a notebook. Imports nothing."""

from __future__ import annotations


class TestsFailed(Exception):
    """Raised at the end of an inline run in which not every test passed.

    Its message is one line and its traceback none of ours, so that "Run all", papermill and nbclient
    see a failed cell and a person sees the results above it.
    """

    __test__ = False
    __module__ = "nbxunit"

    def _render_traceback_(self) -> list[str]:
        """The lines that IPython shows in place of a traceback (IPython's protocol)."""
        return [f"{type(self).__name__}: {self}"]
