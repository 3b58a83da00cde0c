"""Private names of IPython and ipykernel that the kernel side uses; nothing else uses any.

May import IPython and ipykernel. Each function says why no public name will do; each has a test in
`tests/kernel/compat/test_compat.py`, which runs on the oldest and newest supported versions.
"""

from __future__ import annotations

import contextlib
import linecache
import re
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def number_cell(shell: InteractiveShell, filename: str, number: int) -> None:
    """Let IPython's tracebacks call the code of `filename` `Cell In[number]`, as those of IPython 7 call none."""
    getattr(shell.compile, "_filename_map", {})[filename] = number


def cell_filename(shell: InteractiveShell, raw_cell: str, transformed: str, number: int) -> str:
    """The name that IPython's compiler gives to the code of a cell."""
    return str(shell.compile.get_code_name(raw_cell, transformed, number))


def cache_lines(filename: str, lines: list[str]) -> None:
    """Let tracebacks read these lines for the code of `filename`.

    IPython 7 keeps the lines of cells a second time, and puts them back before each traceback.
    """
    for cache in (linecache.cache, getattr(linecache, "_ipython_cache", {})):
        cache[filename] = (sum(map(len, lines)), None, lines, filename)


def cached_text(filename: str) -> str:
    """The text that the shell has parsed for the code of `filename`, as it keeps it for tracebacks."""
    return "".join(linecache.getlines(filename))


def store_input(shell: InteractiveShell, number: int, source: str) -> None:
    """Note in the history that the cell with this number ran, as the shell does behind a cell."""
    history: Any = shell.history_manager
    if history is not None:
        history.store_inputs(number, source)


def execute_metadata(shell: InteractiveShell) -> Mapping[str, Any]:
    """The metadata of the execute request that is running (`cellId`, `deletedCells`)."""
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return {}
    try:
        parent = kernel.get_parent("shell") or {}
    except TypeError:  # JupyterLite's kernel has one channel only
        parent = kernel.get_parent() or {}
    return cast("Mapping[str, Any]", parent.get("metadata") or {})


def is_in_cell(namespace: Mapping[str, object]) -> bool:
    """Whether code of the notebook is running, and has come to this call."""
    frame: types.FrameType | None = sys._getframe()  # noqa: SLF001
    while frame is not None and frame.f_globals is not namespace:
        frame = frame.f_back
    return frame is not None


def caller_of_magic() -> types.FrameType | None:
    """The code that has called the cell magic which runs."""
    frame: types.FrameType | None = sys._getframe()  # noqa: SLF001
    while frame is not None and frame.f_code.co_name != "run_cell_magic":
        frame = frame.f_back
    return frame.f_back if frame is not None else None


def cell_id(metadata: Mapping[str, Any], filename: str) -> str:
    """What tells a cell of any front end from the others; empty where nothing does.

    JupyterLab, Notebook 7 and VS Code send `cellId`, Colab metadata of its own, and Databricks
    writes it into the name of the code's file.
    """
    in_databricks = re.search(r"(?:^|[/\\])command-(\d+)-\w+$", filename)
    return told_cell_id(metadata) or (in_databricks[1] if in_databricks else "")


def told_cell_id(metadata: Mapping[str, Any]) -> str:
    """The cell's id that a person's front end sends; nbclient, papermill and Databricks send none."""
    colab = metadata.get("colab")
    in_colab = colab.get("cell_id") if isinstance(colab, Mapping) else None
    return str(metadata.get("cellId") or in_colab or "")


def main_module(shell: InteractiveShell) -> types.ModuleType:
    """The notebook's module.

    For a namespace that it was given, as in JupyterLite, IPython before 9 has a stand-in that is no
    module, in which pytest would find no fixture.
    """
    module: Any = shell.user_module
    return module if isinstance(module, types.ModuleType) else _Main(module)


class _Main(types.ModuleType):
    """A module whose names are those of another object."""

    def __init__(self, names: object) -> None:
        super().__init__("__main__")
        object.__setattr__(self, "_names", names)

    def __getattribute__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "_names"), name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(object.__getattribute__(self, "_names"), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(object.__getattribute__(self, "_names"), name)


def when_idle(shell: InteractiveShell, function: Callable[[], None], seconds: float) -> None:
    """Call `function` in the main thread so long after the cell that runs, where a kernel waits there.

    A loop runs it between two requests; a cell that awaits may have come first.
    """
    loop = getattr(getattr(shell, "kernel", None), "io_loop", None)
    if loop is not None:
        loop.add_callback(loop.call_later, seconds, function)


@contextlib.contextmanager
def counting_as_cell(shell: InteractiveShell) -> Iterator[None]:
    """Within, extensions such as autoreload take what runs for a cell, although a host has asked for it.

    IPython's own events for it; `silent`, which those of its own cells never are, tells ours.
    """
    from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult

    info = ExecutionInfo("%xunit_run", False, True, False, None)  # noqa: FBT003 - 8 has no keywords
    shell.events.trigger("pre_execute")
    shell.events.trigger("pre_run_cell", info)
    try:
        yield
    finally:
        shell.events.trigger("post_execute")
        shell.events.trigger("post_run_cell", ExecutionResult(info))


def refuse_input(shell: InteractiveShell, *, refuse: bool) -> None:
    """Let `input()` raise, whatever the request said: a run's stdin channel is the wire."""
    kernel = getattr(shell, "kernel", None)
    if kernel is not None:
        kernel._allow_stdin = not refuse  # noqa: SLF001


def debug_next(shell: InteractiveShell, exc: BaseException) -> None:
    """Let `%debug` land where `exc` was raised, and not where the cell ended because of it."""
    sys.last_type, sys.last_value, sys.last_traceback = type(exc), exc, exc.__traceback__
    sys.last_exc = exc  # type: ignore[attr-defined,unused-ignore]  # new in Python 3.12
    cast("Any", shell).InteractiveTB.tb = exc.__traceback__


class StdinChannel:
    """The kernel's stdin channel: requests of ours that `_allow_stdin` does not concern."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._kernel: Any = getattr(shell, "kernel", None)
        if self._kernel is None:
            raise RuntimeError("a headless run needs a Jupyter kernel")
        self._parent = self._kernel.get_parent("shell")
        self._ident = self._kernel._parent_ident["shell"]  # noqa: SLF001

    def request(self, prompt: str) -> None:
        """Send an input request."""
        content = {"prompt": prompt, "password": False}
        session = self._kernel.session
        # It looks for a fork by `os.getpid`, which a test may replace; who asks has looked itself.
        session.check_pid, checks = False, session.check_pid
        try:
            session.send(
                self._kernel.stdin_socket, "input_request", content, self._parent, ident=self._ident
            )
        finally:
            session.check_pid = checks

    def replies(self) -> Iterator[str]:
        """The values of the replies, as they come; waits for each."""
        import zmq

        socket = self._kernel.stdin_socket
        while True:
            # zmq.select cannot be interrupted, so a short timeout lets KeyboardInterrupt through.
            readable, _, broken = zmq.select([socket], [], [socket], 0.05)
            if readable or broken:
                _, message = self._kernel.session.recv(socket)
                if message is not None:
                    yield str(message["content"].get("value", ""))

    def mark_output(self, text: str) -> None:
        """Publish `text` on IOPub behind all output so far, for a host that wants to wait for it."""
        content = {
            "data": {"application/vnd.nbxunit.marker": text},
            "metadata": {},
            "transient": {},
        }
        self._kernel.session.send(
            self._kernel.iopub_socket, "display_data", content, self._parent,
            ident=self._kernel._topic("display_data"),  # noqa: SLF001
        )  # fmt: skip


@contextlib.contextmanager
def displaying_by(shell: InteractiveShell, hook: Any) -> Iterator[None]:
    """Within, `hook` shows the values of last expressions.

    A nested run of a cell uses what stands in `sys`, another one what the shell's trap puts there, and
    each tells `shell.displayhook` where the value is to go.
    """
    trap: Any = shell.display_trap
    before = shell.displayhook, trap.hook, sys.displayhook
    shell.displayhook, trap.hook, sys.displayhook = hook, hook, hook
    try:
        yield
    finally:
        shell.displayhook, trap.hook, sys.displayhook = before


def notebook_path(shell: InteractiveShell) -> Path | None:
    """Where the front end says the notebook is: VS Code's variable, else Jupyter's session name."""
    import os

    named = shell.user_ns.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME")
    path = Path(str(named)) if named else None
    return path.absolute() if path and path.suffix == ".ipynb" and path.is_file() else None
