"""What a host asks of a kernel: `prepare` before the cells, which `cells` executes, `run` behind them.

May import pytest. The host sends these calls as code; it never imports this module.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import platform
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest
from IPython import get_ipython

import nbxunit
from nbxunit import carried, kernel_folder, originals, protocol
from nbxunit.kernel import extension
from nbxunit.kernel.cells.notebook import Notebook
from nbxunit.kernel.companion.plugin import Companion, Surroundings
from nbxunit.kernel.companion.saving import Saving
from nbxunit.kernel.compat import config as pytest_config
from nbxunit.kernel.compat import installed, ipython, sessions
from nbxunit.kernel.compat.importing import Importing
from nbxunit.kernel.headless import crash_output, output_limits, stacks
from nbxunit.kernel.headless.execution import Cells
from nbxunit.kernel.headless.report_images import ReportImages
from nbxunit.kernel.headless.saved_results import SavedResults
from nbxunit.kernel.headless.timeouts import CellWatch, Timeouts
from nbxunit.kernel.headless.wire import Reporting, Wire
from nbxunit.kernel.lifecycle import bridge
from nbxunit.kernel.results.displays import Displays
from nbxunit.kernel.run import engine, exits  # fmt: skip
from nbxunit.kernel.run.resolved import Resolved
from nbxunit.kernel.run.selection import Selection
from nbxunit.kernel.run.state import RunState

LAST_FRAMES = 6
"""Entries of a traceback that are told of an error that is no test's."""
_begun: dict[str, tuple[engine.Prepared, Importing, Timeouts]] = {}


class NoWorkerError(RuntimeError):
    """A plugin wants of a worker of xdist what only xdist's controller gives it."""


class WorkerInput(dict[str, object]):
    """`config.workerinput` of a kernel; `missing` are the keys that were looked for in vain."""

    def __init__(self, given: dict[str, object]) -> None:
        super().__init__(given)
        self.missing: list[str] = []

    def __missing__(self, key: str) -> object:
        self.missing.append(key)
        raise KeyError(key)


class OtherVersionError(RuntimeError):
    """The host speaks another major version of the protocol."""


def prepare(order: str) -> None:
    """Prepare the run that `order` (JSON) describes; the shell's next cell is the notebook's first.

    OtherVersionError if the host speaks another major version of the protocol. pytest.UsageError,
    and what a conftest raises, as from pytest.
    """
    told = json.loads(order)
    ours, theirs = protocol.VERSION, str(told["protocol"])
    if ours.partition(".")[0] != theirs.partition(".")[0]:
        raise OtherVersionError(
            f"the host speaks version {theirs} of nbxunit's protocol, the kernel version {ours}; "
            f"install one version of nbxunit in both (the kernel's Python is {sys.executable}, "
            f"with nbxunit {nbxunit.__version__})"
        )
    os.environ["NBXUNIT_KERNEL"] = "1"
    shell: Any = get_ipython()
    notebook = extension.load(shell).notebook
    notebook.headless = True
    _end_forks(shell)
    shell.events.register("post_run_cell", lambda _: exits.tell(shell))
    folder = Path(told["folder"])
    output_limits.escape_surrogates(shell.kernel.session)
    output = crash_output.LastOutput(shell.kernel.session, folder / kernel_folder.LAST_OUTPUT)
    # Else all output goes to the terminal, as it is.
    if told["options"].get("capture", "no") != "no":
        output_limits.bound_cells(shell)
    cells = Cells(notebook, folder, output)
    cells.serve()
    (folder / "captured").mkdir()
    (folder / kernel_folder.REACTED).touch(mode=0o600)  # a cell may set a umask of its own
    stacks.tell_on_signal(folder, lambda file: _place(notebook, file), bridge.awaited)
    notebook.path, notebook.variant = Path(told["path"]), told["variant"]
    notebook.first_lines = told["first_lines"]
    here = os.getcwd()  # noqa: PTH109
    os.chdir(told["cwd"])  # pytest resolves options and names places relative to the host's folder
    # As for `python -m pytest`, behind the folder of the notebook, as for a module.
    sys.path[1:1] = [each for each in told["python_path"] if each not in sys.path]
    timeouts = Timeouts(told["test_timeout"], told["cell_timeout"], folder)
    selection = Selection(**{name: _tuple(value) for name, value in told["selection"].items()})
    resolved = Resolved(told["options"], told["words"], told["made"], told["opened"])
    try:
        measuring = _measuring(told["measured"], notebook, Path(told["options"]["rootdir"]))
        with pytest_config.capture_into(folder / "captured"):
            prepared = engine.prepare(
                notebook,
                RunState(notebook.namespace),
                told["args"],
                selection,
                resolved,
                _companion(notebook, told, CellWatch(folder, timeouts)),
            )
        if measuring is not None:
            prepared.config.pluginmanager.register(measuring, "_cov")  # pytest-cov's name
        resolved.name_files(prepared.config, notebook.path.stem)
        if told["log_file"]:
            prepared.config.option.log_file = str(folder / kernel_folder.LOG_FILE)
        importing = cells.importing = _began(prepared, told["workerinput"])
        _begun["run"] = prepared, importing, timeouts
        resolved.check(prepared.config)
    finally:
        os.chdir(here)
    gc.freeze()  # pytest collects garbage ten times: all that is here before the first cell is none
    if hasattr(sys.stderr, "echo"):  # ipykernel's
        watcher = getattr(sys.stderr, "watch_fd_thread", None)
        sys.stderr.echo = crash_output.LastWords(folder / "last-words", watcher)


def _began(prepared: engine.Prepared, given: dict[str, object] | None) -> Importing:
    """Begin the session, in a worker of xdist's as far as plugins see. NoWorkerError if they see more."""
    if given is None:
        return Importing(prepared.config, prepared.begin)
    config: Any = prepared.config
    config.workerinput, config.workeroutput = worker, _ = WorkerInput(given), {}
    try:
        return Importing(prepared.config, prepared.begin)
    except Exception as exc:
        if not worker.missing:
            raise
        raise NoWorkerError(f"config.workerinput lacks {worker.missing[-1]!r}") from exc


def _measuring(told: dict[str, Any] | None, notebook: Notebook, root: Path) -> object | None:
    """The plugin that measures the coverage that a host asks for. UsageError without coverage."""
    if told is None:
        return None
    try:
        from nbxunit.kernel.headless.measuring import Measuring
    except ModuleNotFoundError as exc:
        raise pytest.UsageError(
            f"--cov: the kernel's Python ({sys.executable}) lacks {exc.name}; "
            f"install it there with: {sys.executable} -m pip install 'nbxunit[cov]'"
        ) from exc
    return Measuring(told, notebook, root)


def _companion(notebook: Notebook, told: dict[str, Any], watch: CellWatch) -> Companion | None:
    """The plugin that collects a companion module, if it is one; its notebooks go to a folder of its name."""
    if not told["companion"]:
        return None
    save = Saving(Path(told["save"]).with_suffix("")) if told["save"] else lambda _: None
    return Companion(notebook.path, Surroundings(notebook, watch, save))


def _place(notebook: Notebook, file: str) -> str:
    cell = notebook.cell_of_file(file)
    return cell.label if cell is not None else file


def _open_standard_streams() -> None:
    """Where a cell closed one, the next file would get its number, and output would go there.

    pytest asks ipykernel's streams for their files, closed or not.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        if getattr(getattr(sys, name), "closed", False):
            setattr(sys, name, getattr(sys, f"__{name}__"))


def _end_forks(shell: Any) -> None:
    """Let a process that a cell forked end with the cell: it would answer for the kernel."""
    kernel = originals.getpid()

    def end_fork(result: Any) -> None:
        if originals.getpid() != kernel:
            originals.exit_now(0 if result is None or result.success else 1)

    shell.events.register("post_run_cell", end_fork)


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


async def run(order: str) -> None:
    """Run the tests; events go out over the stdin channel, the last one is `Ended`."""
    told = json.loads(order)
    prepared, importing, timeouts = _begun.pop("run")
    importing.set_variables()
    shell = prepared.notebook.shell
    _open_standard_streams()
    wire = Wire(ipython.StdinChannel(shell), told["nonce"], told["journal"])
    wire.send(_hello(prepared.config))
    ipython.refuse_input(shell, refuse=not prepared.config.getoption("usepdb", default=False))
    reporting = Reporting(wire, prepared)
    saved = SavedResults(prepared) if told["saves"] else None
    plugins = [
        reporting,
        *([timeouts] if timeouts.any else ()),
        *_showing(saved, told["images"], shell),
    ]
    message = ""
    streams = sys.stdout, sys.stderr
    try:
        with ipython.counting_as_cell(shell):
            status = await bridge.run(engine.finish, prepared, plugins)
    except pytest.UsageError as exc:
        status, message = int(pytest.ExitCode.USAGE_ERROR), "\n".join(map(str, exc.args))
    except Exception as exc:  # noqa: BLE001 - a test may have broken anything, and the host waits
        status = int(pytest.ExitCode.INTERNAL_ERROR)
        message = "".join(traceback.format_exception(exc)[-LAST_FRAMES:])
    finally:
        sys.stdout, sys.stderr = (
            streams  # ipykernel flushes them, and does not answer if that fails
        )
        _save_coverage()
    if saved is not None:
        with contextlib.suppress(Exception):  # what is shown can never fail a run
            saved.write(Path(told["journal"]).with_name(kernel_folder.RESULTS), status)
    if status == pytest.ExitCode.INTERNAL_ERROR:
        text = message or reporting.internal_error
        message = f"pytest failed in the kernel by an internal error\n{text}".rstrip()
    try:
        said = reporting.stopped, reporting.summary
        output = getattr(prepared.config, "workeroutput", None)
        if output is not None:
            output = {name: value for name, value in output.items() if carried.is_plain(value)}
        wire.send(protocol.Ended(status, message, reporting.reason, *said, output))
        reporting.flush()
    except Exception as exc:  # noqa: BLE001 - a test has broken what the kernel speaks with
        crash_output.die(exc)
    wire.close()


def _showing(saved: SavedResults | None, has_images: bool, shell: Any) -> list[object]:  # noqa: FBT001
    """The plugins that keep what tests display: for the saved notebook, for an HTML page."""
    if saved is None and not has_images:
        return []
    displays = saved.displays if saved is not None else Displays(shell)
    own: list[object] = saved.plugins if saved is not None else [displays]
    return [*own, ReportImages(displays)] if has_images else own


def _save_coverage() -> None:
    """Save what coverage measures of this process, if it does: the process may be killed at its end."""
    module: Any = sys.modules.get("coverage")
    with contextlib.suppress(Exception):  # it may be a module of the user's
        current = module.Coverage.current()
        current.save()


def widgets(order: str) -> None:
    """Write the state of the widgets, as a front end saves it in the notebook, into the file `order`."""
    module = sys.modules.get("ipywidgets")
    if (
        module is not None
        and (state := module.Widget.get_manager_state(drop_defaults=True))["state"]
    ):
        Path(json.loads(order)).write_text(originals.dumps(state), encoding="utf-8")


def end(order: str) -> None:
    """End the session of a notebook whose tests do not run, as pytest does where it cannot collect."""
    prepared, importing, _ = _begun.pop("run")
    importing.set_variables()
    os.chdir(json.loads(order)["cwd"])
    assert prepared.session is not None
    sessions.end_session(prepared.session, pytest.ExitCode.INTERRUPTED)


def _hello(config: pytest.Config) -> protocol.Hello:
    return protocol.Hello(
        protocol.VERSION, nbxunit.__version__, pytest.__version__, platform.python_version(),
        sys.executable, tuple(installed.plugins_of(config)),
    )  # fmt: skip
