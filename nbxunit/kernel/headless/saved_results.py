"""What the cells of a saved notebook show of a headless run: what they would show in a live one.

May import pytest. A host reads it from a file, since a notebook has room for more than its messages.
"""

from __future__ import annotations

import collections
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbxunit import originals
from nbxunit.kernel.inline.recording import Recording
from nbxunit.kernel.results import markup, outline, outline_markup, output, text
from nbxunit.kernel.results.displays import Displays, embeds
from nbxunit.kernel.results.model import Results, TestResult
from nbxunit.kernel.results.outline import LastRun

if TYPE_CHECKING:
    from nbxunit.kernel.run.engine import Prepared

_RUN = re.compile(r"^[ \t]*%xunit_run\b", re.MULTILINE)
_LIST = re.compile(r"^[ \t]*%xunit_list\b", re.MULTILINE)


class SavedResults:
    """The results of one run; `plugins` are to be pytest's."""

    def __init__(self, prepared: Prepared) -> None:
        self._notebook = prepared.notebook
        self._results = Results(cells=self._notebook.cells_by_label())
        shown = output.Live(self._notebook, self._results)
        self.displays = Displays(self._notebook.shell, self._results)
        self.plugins: list[object] = [Recording(self._results, prepared, shown), self.displays]
        self._begin = originals.perf_counter()

    def write(self, file: Path, status: int) -> None:
        """Write the outputs of cells by their labels, as JSON. OSError if that fails."""
        self._results.end(status, originals.perf_counter() - self._begin)
        found: dict[str, list[dict[str, Any]]] = collections.defaultdict(list)
        for label, outputs in (*self._of_tests(), *self._of_magics()):
            found[label] += outputs
        file.write_text(originals.dumps(found), encoding="utf-8")

    def _of_tests(self) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """For each cell with tests: their results, as where the cell has run them alone."""
        tests: dict[str, list[TestResult]] = collections.defaultdict(list)
        for test in self._results.tests.values():
            if test.cell is not None:
                tests[test.cell.label].append(test)
        for label, own in tests.items():
            part = Results(
                {test.nodeid: test for test in own}, cells=self._results.cells,
                counts=collections.Counter(word for test in own for word in test.counted),
                seconds=sum(test.seconds for test in own),
            )  # fmt: skip
            displays = [display for test in own for display in test.displays]
            others = [
                _output(display.data, display.metadata)
                for display in displays
                if not embeds(display)
            ]
            yield label, [_shown(text.render(part), markup.render(part)), *others]

    def _of_magics(self) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """For each cell that runs or lists the tests: what it would show."""
        for label, cell in self._results.cells.items():
            if _RUN.search(cell.source):
                yield label, [_shown(text.render(self._results), markup.render(self._results))]
            if _LIST.search(cell.source):
                runs: dict[str, LastRun] = {}
                outline.remember(runs, self._results)
                tree = outline.of(self._notebook, runs)
                yield label, [_shown(text.outline(tree), outline_markup.outline(tree))]


def _shown(plain: str, html: str) -> dict[str, Any]:
    return _output({"text/plain": plain, "text/html": html}, {})


def _output(data: Any, metadata: Any) -> dict[str, Any]:
    return {"output_type": "display_data", "data": dict(data), "metadata": dict(metadata)}
