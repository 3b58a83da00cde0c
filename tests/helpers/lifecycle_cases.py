"""The text form of a lifecycle case, and how to read it.

A case is a file `cases/GROUP/NAME.txt`: a header, then parts that each begin with a line `#----`.

    sentence: a quote of the rule that the case is about
    exit: 1                   of `nbxunit run` (0); inline, the notebook ends in an error if not 0
    #----                     a cell of the notebook; more words are its tags
    %%xunit_test test_a
    ev("test_a")
    #---- events              what `ev` was called with, in order, separated by white space
    test_a
    #---- output              lines that the output contains; `! text` is one that it must not
    1 passed

More of the header: `modes` (headless inline), `error` (how an inline notebook ends: TestsFailed
where `exit` is not 0, else ok), `args` (of `nbxunit run`, instead of the notebook), `inline-args`
(of `%xunit_run`), `run-cells: yes` (test cells run at once, and there is no `%xunit_run`),
`notebook` (its path, nb.ipynb). More parts: `#---- file PATH`, `#---- events MODE`, `#---- output
MODE`. The first cell of each notebook is the lifecycle_harness's, so that the case's own begin at [2].
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

HERE = Path(__file__).parents[1] / "lifecycle/cases"
HEADLESS = ("headless", "alone")
"""Modes of `nbxunit run`: `alone` is a process for a case that can also share one."""
_KEYS = frozenset(
    {"sentence", "exit", "modes", "error", "args", "inline-args", "run-cells", "notebook"}
)


@dataclasses.dataclass(frozen=True)
class Cell:
    """A code cell of a notebook."""

    source: str
    tags: tuple[str, ...] = ()


@dataclasses.dataclass
class Case:
    """`events` and `output` are by mode; what holds for `inline` holds for `again`."""

    name: str
    header: dict[str, str]
    cells: list[Cell] = dataclasses.field(default_factory=list)
    files: dict[str, str] = dataclasses.field(default_factory=dict)
    events: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    output: dict[str, list[str]] = dataclasses.field(default_factory=dict)

    @property
    def modes(self) -> list[str]:
        """`again` is a second run in the kernel of `inline`."""
        named = self.header.get("modes", "headless inline").split()
        runs = self.error in ("ok", "TestsFailed", "KeyboardInterrupt")
        has_second = "inline" in named and runs and not self.runs_cells
        return [*named, *(["again"] if has_second else [])]

    @property
    def exit(self) -> int:
        """The exit status of `nbxunit run`."""
        return int(self.header.get("exit", "0"))

    @property
    def shares(self) -> bool:
        """Whether it can be one notebook among others in one process of `nbxunit run`."""
        return (
            not self.files and not {"args", "notebook"} & set(self.header) and self.exit in (0, 1)
        )

    @property
    def runs_cells(self) -> bool:
        """Whether test cells run at once, inline."""
        return self.header.get("run-cells") == "yes"

    @property
    def error(self) -> str:
        """The name of the exception that ends an inline notebook, or ok."""
        return self.header.get("error", "TestsFailed" if self.exit else "ok")

    def expected_events(self, mode: str) -> list[str]:
        """The events in this mode."""
        kind = "headless" if mode in HEADLESS else "inline"
        return self.events.get(kind, self.events.get("", []))

    def expected_output(self, mode: str) -> list[str]:
        """The lines that the output in this mode contains, or must not."""
        kind = "headless" if mode in HEADLESS else "inline"
        return [*self.output.get("", []), *self.output.get(kind, [])]


def read(path: Path) -> Case:
    """The case that `path` holds. ValueError if it is not in the form above."""
    head, *parts = f"\n{path.read_text(encoding='utf-8')}".split("\n#----")
    header = dict(line.split(": ", 1) for line in head.strip().splitlines())
    if unknown := set(header) - _KEYS:
        raise ValueError(f"{path.name}: unknown in the header: {unknown}")
    case = Case(path.relative_to(HERE).with_suffix("").as_posix(), header)
    for part in parts:
        title, _, text = part.partition("\n")
        _take(case, title.split(), text)
    return case


def _take(case: Case, title: list[str], text: str) -> None:
    match title:
        case ["events", *mode]:
            case.events["".join(mode)] = text.split()
        case ["output", *mode]:
            case.output["".join(mode)] = [line for line in text.splitlines() if line.strip()]
        case ["file", name]:
            case.files[name] = text
        case tags:
            case.cells.append(Cell(text.strip("\n"), tuple(tags)))


def read_all() -> list[Case]:
    """All cases, by name."""
    return [read(path) for path in sorted(HERE.rglob("*.txt"))]
