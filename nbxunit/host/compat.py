"""Private names of pytest and Jupyter that the host side uses, and one import that is kept out.

May import pytest. Each function says why no public name will do; each has a test in
`tests/host/test_compat.py`, which runs on the oldest and newest supported versions.
Over 300 lines: the private names are to be in one place.
"""

from __future__ import annotations

import collections
import contextlib
import copy
import dataclasses
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

import pytest
from _pytest._code.code import (
    ExceptionChainRepr,
    ReprEntry,
    ReprEntryNative,
    ReprFileLocation,
    ReprTraceback,
)
from _pytest._io import TerminalWriter
from _pytest.mark.expression import Expression

_FORMATS = ("rfc3987_syntax", "isoduration")
_CELL = re.compile(r"\.ipynb cell \d+$")
_NOTEBOOK = re.compile(r"\.ipynb(?:\[[^\]]*\])?$")
"""How the node id of a notebook as a whole ends, with the name of a variant."""


@contextlib.contextmanager
def without_grammar() -> Iterator[None]:
    """Keep out a grammar that takes a second to build, and a parser of dates; nbformat uses neither.

    jsonschema's optional formats import them, where JupyterLab is installed.
    """
    absent = [name for name in _FORMATS if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


class CellLocation(ReprFileLocation):
    """A place in a cell: `notebook.ipynb cell 3, line 2: AssertionError`."""

    def toterminal(self, tw: TerminalWriter) -> None:
        """Write the place as a person says it; pytest writes `path:line`."""
        message = self.message.partition("\n")[0]
        tw.write(self.path, bold=True, red=True)
        tw.line(f", line {self.lineno}: {message}")


class NotebookLocation(ReprFileLocation):
    """A notebook, with the place in the message: `notebook.ipynb cell 3, line 2: KeyError: 'x'`."""

    def toterminal(self, tw: TerminalWriter) -> None:
        """Write it as it stands; there is no line of the file to tell."""
        tw.write(self.path, bold=True, red=True)
        tw.line(f"{' ' if self.message.startswith('cell ') else ': '}{self.message}")


def as_raised(text: str, notebook: str) -> ExceptionChainRepr:
    """A text about `notebook` (a file's name) in the form in which pytest keeps what was raised.

    Reporters show the message of that in their summaries; of a mere text in CI all lines, and before
    pytest 9.1 none. It is the first line, without the name, which the node id has; of a text about a file
    the line that says what is wrong.
    """
    first = text.partition("\n")[0]
    place = re.match(rf"{re.escape(notebook)}(?:\[[^\]]*\])?(?: |:(?=\d))", first)
    error = re.search(r"^(?:E +(?=\S)|\S.*:\d+: (?=\w+\s*\Z))(.*)$", text, re.MULTILINE)
    if place is not None:
        message = re.sub(r"^(\d+:)", r"line \1", first[place.end() :])
    else:
        message = error[1] if error is not None else first
    traceback = ReprTraceback([ReprEntryNative([text.rstrip() + "\n"])], None, "native")
    return ExceptionChainRepr([(traceback, NotebookLocation(notebook, 0, message), None)])


class ColouredEntry(ReprEntry):
    """An entry of a traceback whose differences are in colour: a kernel sends text without any."""

    def _write_entry_lines(self, tw: TerminalWriter) -> None:
        lines = self.lines
        if tw.hasmarkup:
            lines = [
                _DIFFERENCE.sub(lambda match: match[1] + _coloured(tw, match[2]), line)
                for line in lines
            ]
        plain = ReprEntry(lines, self.reprfuncargs, self.reprlocals, self.reprfileloc, self.style)
        plain._write_entry_lines(tw)  # noqa: SLF001


ColouredEntry.__name__ = ReprEntry.__name__  # by which xdist's worker and controller know it
_DIFFERENCE = re.compile(r"^(E[ ]{2,})([-+] .*)$")


def _coloured(tw: TerminalWriter, line: str) -> str:
    return tw._highlight(line, lexer="diff").rstrip("\n")  # noqa: SLF001


def name_cells(report: Any) -> None:
    """Let the places in `report` that are cells be written as places in cells, and differences in colour."""
    longrepr = report.longrepr
    for traceback, crash, _ in getattr(longrepr, "chain", None) or ():
        for entry in traceback.reprentries:
            if type(entry) is ReprEntry:
                entry.__class__ = ColouredEntry
            _as_cell(getattr(entry, "reprfileloc", None))
        _as_cell(crash)
    _as_cell(getattr(longrepr, "reprcrash", None))


def _as_cell(location: Any) -> None:
    if type(location) is ReprFileLocation:
        if _CELL.search(location.path):
            location.__class__ = CellLocation
        elif not location.lineno:
            location.__class__ = NotebookLocation


def name_notebook(report: Any) -> None:
    """Let a report of a notebook as a whole, or of a test that did not run, be headed by its node id."""
    if type(report) is pytest.TestReport and (
        _NOTEBOOK.search(report.nodeid) or report.location[2:] == ("",)
    ):
        report.__class__ = NotebookReport


def as_test_report(data: Any) -> Any:
    """The serialised form of a report, without our class, which pytest does not know."""
    if data is not None and data.get("$report_type") == NotebookReport.__name__:
        data["$report_type"] = pytest.TestReport.__name__
    return data


def can_repeat(config: pytest.Config, report: Any) -> bool:
    """Whether `repeated` makes what the hook for serialised reports would make."""
    made = config.hook.pytest_report_from_serializable.get_hookimpls()
    others = [each for each in made if not _is_own(each.plugin)]
    return (type(report) is pytest.TestReport or hasattr(report, "context")) and not others


def _is_own(plugin: object) -> bool:
    module = getattr(plugin, "__name__", type(plugin).__module__)
    return module.startswith(("_pytest.", "nbxunit."))


def repeated(report: Any, changes: Mapping[str, Any]) -> Any:
    """The report like `report` but for these fields; both share what does not change.

    pytest makes a report of all of its fields, which takes more time and memory.
    """
    made = report.__class__.__new__(report.__class__)
    own = {"sections": report.sections[:], "user_properties": report.user_properties[:]}
    made.__dict__.update(report.__dict__ | own | changes)
    if "_subtest.context" in changes:
        made.context = report.context._from_json(changes["_subtest.context"])  # noqa: SLF001
    return made


_FOLDERS = pytest.StashKey[collections.Counter[str]]()


def temporary_folder(config: pytest.Config, name: str) -> str | None:
    """A `--basetemp` for one kernel inside the host's own base: pytest keeps those of three runs.

    None where the plugin is kept out, or there is no room; then a kernel has a base of its own.
    """
    factory = getattr(config, "_tmp_path_factory", None)
    if factory is None:
        return None
    try:
        factory.getbasetemp().mkdir(0o700, parents=True, exist_ok=True)  # a notebook can remove it
        base = re.sub(r"\W+", "_", name)[:30] or "notebook"
        numbers = config.stash.setdefault(_FOLDERS, collections.Counter())
        try:  # numbered by pytest, each has a link beside it, and before pytest 9.2 all are listed for it
            folder = factory.mktemp(f"{base}{numbers[base]}", numbered=False)
            numbers[base] += 1
        except FileExistsError:
            folder = factory.mktemp(base)
    except OSError:
        return None
    return str(folder / "kernel")


def drop_unused_folders(config: pytest.Config) -> None:
    """Remove the folders of kernels in which no test has put anything, and a base with no others."""
    factory: Any = getattr(config, "_tmp_path_factory", None)
    base = getattr(factory, "_basetemp", None)
    if base is None or config.option.basetemp:
        return
    with contextlib.suppress(OSError):
        for each in sorted(base.iterdir(), key=lambda each: each.is_symlink()):
            with contextlib.suppress(OSError):  # it is used
                if each.is_symlink() and not each.exists():
                    each.unlink()
                elif each.is_dir():
                    each.rmdir()
        if [each.name for each in base.iterdir()] not in ([], [".lock"]):
            return
        (base / ".lock").unlink(missing_ok=True)
        base.rmdir()
        current = base.parent / "pytest-current"
        if current.is_symlink() and not current.exists():
            current.unlink()
        base.parent.rmdir()


def is_terminal(reporter: Any) -> bool:
    """Whether the terminal reporter writes to a terminal; `isatty` was a value before pytest 8.4."""
    return bool(reporter.isatty() if callable(reporter.isatty) else reporter.isatty)


def write_in_line(reporter: Any, text: str) -> None:
    """Write `text` where the reporter's line ends; its public methods begin a line of their own."""
    reporter._tw.write(text, flush=True)  # noqa: SLF001


def wrap_output(config: pytest.Config, wrap: Callable[[TextIO], Any]) -> None:
    """Put `wrap` around the file that the terminal reporter writes to; pytest lets none be given."""
    writer = getattr(config.pluginmanager.get_plugin("terminalreporter"), "_tw", None)
    if isinstance(writer, TerminalWriter):
        writer._file = wrap(writer._file)  # noqa: SLF001


def no_fixtures(node: pytest.Collector) -> Any:
    """The fixtures of a test below `node` that asks for none; pytest has no public name for it."""
    manager: Any = node.session._fixturemanager  # noqa: SLF001
    return manager.getfixtureinfo(node, lambda: None, None)


class Shield:
    """A hook that calls `ours` in place of all plugins for the items that are `ours`.

    A reporter would take one for a test. pytest and xdist call the hook by its name in `config.hook`, and
    there is no other place to stand before all wrappers.
    """

    def __init__(
        self,
        config: pytest.Config,
        name: str,
        is_ours: Callable[[Any], bool],
        ours: Callable[..., Any],
    ) -> None:
        self._hook = getattr(config.hook, name)
        self._is_ours = is_ours
        self._ours = ours
        setattr(config.hook, name, self)

    def __call__(self, **arguments: Any) -> Any:
        """Call the hook."""
        if self._is_ours(arguments["item"]):
            return self._ours(**arguments)
        return self._hook(**arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._hook, name)


def say(config: pytest.Config, text: str) -> None:
    """Write `text` as it is to the terminal, if there is one."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        with uncaptured(config):
            reporter.write(text, flush=True)


@contextlib.contextmanager
def heard(reporter: Any) -> Iterator[list[str]]:
    """Within, the list that is given takes what plugins write by the terminal reporter."""
    texts: list[str] = []
    writer = getattr(reporter, "_tw", None)
    if not isinstance(writer, TerminalWriter):
        yield texts
        return
    write = writer.write

    def write_and_keep(msg: str, **markup: Any) -> None:
        texts.append(msg)
        write(msg, **markup)

    writer.write = write_and_keep  # type: ignore[method-assign]
    try:
        yield texts
    finally:
        del writer.write


def has_log_file(config: pytest.Config) -> bool:
    """Whether `--log-file`, or the ini, asks for one; pytest alone knows what was asked."""
    handler = _log_handler(config)
    return handler is not None and handler.baseFilename != os.devnull


def write_log(config: pytest.Config, text: str) -> None:
    """Write `text` to the file that `--log-file` asks for."""
    stream = _log_handler(config).stream
    stream.write(text)
    stream.flush()


def _log_handler(config: pytest.Config) -> Any:
    plugin: Any = config.pluginmanager.get_plugin("logging-plugin")
    return getattr(plugin, "log_file_handler", None)


@contextlib.contextmanager
def uncaptured(config: pytest.Config) -> Iterator[None]:
    """Within, what is printed is seen, and the keyboard can be read; no fixture is at hand for it."""
    capture: Any = config.pluginmanager.getplugin("capturemanager")
    if capture is None:
        yield
        return
    capture.suspend(in_=True)
    try:
        yield
    finally:
        capture.resume()


@contextlib.contextmanager
def literal_arguments() -> Iterator[None]:
    """Within, the path of a notebook is just that: pytest takes its `::` or `[` for a test's name."""
    from _pytest import main

    module: Any = main
    resolve = module.resolve_collection_argument

    def literal(folder: Path, argument: str, *args: Any, **more: Any) -> Any:
        path = folder / argument
        if not path.is_file():
            return resolve(folder, argument, *args, **more)
        path = Path(os.path.abspath(path))  # noqa: PTH100 - symlinks stay
        return dataclasses.replace(resolve(folder, path.anchor, *args, **more), path=path)

    module.resolve_collection_argument = literal
    try:
        yield
    finally:
        module.resolve_collection_argument = resolve


def is_selected(names: Iterable[str], keyword: str, marks: str) -> bool:
    """Whether `-k` and `-m` select what has these names, and no marks. UsageError for what is no expression.

    pytest evaluates them for its items only.
    """
    known = [name.lower() for name in names]

    def matches(word: str, /, **_: object) -> bool:
        return any(word.lower() in name for name in known)

    def is_marked(_: str, /, **__: object) -> bool:
        return False

    try:
        return (not keyword or Expression.compile(keyword).evaluate(matches)) and (
            not marks or Expression.compile(marks).evaluate(is_marked)
        )
    except SyntaxError as exc:
        raise pytest.UsageError(f"-k or -m: {exc}") from exc


def count_files(config: pytest.Config, words: Callable[[str], str]) -> None:
    """Let the terminal say `words` of the line that tells how many items were collected.

    Its reporter has no hook for that, and would call a notebook an item.
    """
    terminal: Any = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is None:
        return
    report, write_line, rewrite = terminal.report_collect, terminal.write_line, terminal.rewrite

    def report_collect(final: bool = False) -> None:  # noqa: FBT001, FBT002 - pytest's
        terminal.write_line = lambda line, **markup: write_line(words(line), **markup)
        terminal.rewrite = lambda line, **markup: rewrite(words(line), **markup)
        try:
            report(final)
        finally:
            terminal.write_line, terminal.rewrite = write_line, rewrite

    terminal.report_collect = report_collect


def show_sections(config: pytest.Config, shown: Callable[[Any, str], str]) -> None:
    """Let the terminal show of each captured section of a report what `shown` gives.

    Its reporter has no hook for that, and reporters that write files are to have all of it.
    """
    terminal: Any = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is None:
        return

    def view(report: Any) -> Any:
        seen = copy.copy(report)
        seen.sections = [(name, shown(report, text)) for name, text in report.sections]
        return seen

    def viewing(show: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
        return lambda own, report: show(own, view(report))

    kind = type(terminal)
    names = ("_outrep_summary", "print_teardown_sections")
    methods = {name: viewing(getattr(kind, name)) for name in names}
    terminal.__class__ = type(kind.__name__, (kind,), methods)  # a copy of it shows the same


def grow(session: pytest.Session, count: int) -> None:
    """`count` more tests are known than were collected; reporters measure progress by that."""
    session.testscollected += count


def leave_garbage(config: pytest.Config) -> None:
    """Let a run end without collecting garbage ten times, which finds what tests left of errors.

    In the host that takes longer than all else where no test has run in it. pytest before 8.4 does
    not collect.
    """
    try:
        from _pytest.unraisableexception import gc_collect_iterations_key
    except ImportError:
        return
    config.stash[gc_collect_iterations_key] = 0


def forget_failure(config: pytest.Config, nodeid: str) -> None:
    """Let `--lf` forget that a notebook could not be collected last time, for now it could."""
    plugin = config.pluginmanager.get_plugin("lfplugin")
    for key in (nodeid, *_keys([nodeid])):
        getattr(plugin, "lastfailed", {}).pop(key, None)


class NotebookReport(pytest.TestReport):
    """A report of a notebook as a whole; its headline is its node id."""

    @property
    def head_line(self) -> str:
        """What stands above the report."""
        return self.nodeid


class NotebookCollectReport(pytest.CollectReport):  # type: ignore[misc] # final in name
    """A report of a notebook that could not be collected; its headline is its node id."""

    @property
    def head_line(self) -> str:
        """What stands above the report."""
        return self.nodeid


def remember_nodeids(config: pytest.Config, nodeids: Iterable[str]) -> None:
    """Let `--nf` know these tests next time; its plugin sees only what the host collects."""
    plugin = config.pluginmanager.get_plugin("nfplugin")
    known = getattr(plugin, "cached_nodeids", None)
    if known is None:
        return
    known.update(_keys(nodeids))


def _keys(nodeids: Iterable[str]) -> Iterator[Any]:
    """Node ids as plugins of pytest keep them: since pytest 9.2 no texts."""
    try:
        from _pytest.nodeid import NodeId
    except ImportError:
        yield from nodeids
    else:
        yield from map(NodeId.parse, nodeids)


def warning_category(name: str) -> type[Warning]:
    """The warning class of Python or pytest that is called `name`, else UserWarning.

    The name comes from a kernel, so nothing is imported for it.
    """
    import builtins

    for module in (builtins, pytest):
        found = getattr(module, name, None)
        if isinstance(found, type) and issubclass(found, Warning):
            return found
    return UserWarning


def warning_message(message: str, category: str, filename: str, lineno: int) -> Any:
    """A recorded warning, as pytest's hook for warnings takes it."""
    kind = warning_category(category)
    text = message if kind.__name__ == category else f"{category}: {message}"
    return warnings.WarningMessage(kind(text), kind, filename, lineno)
