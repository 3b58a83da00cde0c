"""What the options and ini keys of a run say: for kernels, for the scheduler, for the fork server.

May import pytest.
"""

from __future__ import annotations

import io
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nbxunit.carried import is_plain, look
from nbxunit.host import compat
from nbxunit.host.kernels import plugins_ahead
from nbxunit.host.notebooks import parameters
from nbxunit.host.notebooks.files import is_text
from nbxunit.host.notebooks.parameters import Variant
from nbxunit.host.records import Checking
from nbxunit.host.session import measuring, planning

if TYPE_CHECKING:
    from nbxunit.host.kernels.forking import Forking


def options(config: pytest.Config, path: Path) -> dict[str, object]:
    """The host's resolved option values for the notebook at `path`, as far as they can be sent."""
    values = {name: value for name, value in vars(config.option).items() if is_plain(value)}
    values["rootdir"] = str(config.rootpath)
    values["inifilename"] = str(config.inipath) if config.inipath else None
    del values["file_or_dir"]
    values["basetemp"] = compat.temporary_folder(config, path.stem)
    return values


def made(config: pytest.Config) -> dict[str, str]:
    """The options whose values a kernel is to make again of the command line, and how they look here."""
    return {
        name: look(value)
        for name, value in vars(config.option).items()
        if not (is_plain(value) or name == "basetemp" or _is_file(value))
    }


def opened(config: pytest.Config) -> dict[str, tuple[str, str]]:
    """The options whose values are files that are open for writing: their paths and modes."""
    return {
        name: (str(Path(value.name).absolute()), value.mode)
        for name, value in vars(config.option).items()
        if _is_file(value)
    }


def _is_file(value: object) -> bool:
    is_file = isinstance(value, io.IOBase) and isinstance(getattr(value, "name", None), str)
    return is_file and value.writable()  # type: ignore[attr-defined]


def words(config: pytest.Config) -> tuple[str, ...]:
    """The words of the command line, behind those that PYTEST_ADDOPTS and the ini put before them."""
    environment = shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))
    given = map(str, config.invocation_params.args)
    return (*config.getini("addopts"), *environment, *given)


EDITORS = ("vscode_pytest",)
"""Plugins of editors, which show what reports say: a host's only, also where `-p` names them."""


def plugins(config: pytest.Config) -> tuple[str, ...]:
    """The options `-p` for a kernel."""
    names = [name for name in config.option.plugins or () if name not in EDITORS]
    return tuple(word for name in names for word in ("-p", name))


def has_editor(config: pytest.Config) -> bool:
    """Whether an editor has started the run."""
    return any(map(config.pluginmanager.hasplugin, EDITORS))


def python_path(config: pytest.Config) -> tuple[str, ...]:
    """The folder in which the host stands, if it imports from there, as `python -m pytest` does."""
    here = str(config.invocation_params.dir)
    return (here,) if {here, ""} & set(sys.path) else ()


def forking(config: pytest.Config) -> Forking | None:
    """The fork server, started now so that it is there when the first kernel is."""
    from nbxunit.host.kernels import forking, launching

    if config.getoption("nbxunit_no_fork") or not launching.is_possible():
        return None
    return forking.Forking(forking.ForkServer.take(), *warm(config))


def warm(config: pytest.Config) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a fork server is warmed with: words for pytest, and modules."""
    option = config.getoption("nbxunit_preload")
    preload = option.split(",") if option else config.getini("nbxunit_preload")
    return plugins_ahead.words(config.option), measuring.preloaded(config, preload)


def seconds(config: pytest.Config, what: str) -> float | None:
    """The timeout for a cell, a test or a notebook; 0 is none. UsageError for what is not a duration."""
    option = config.getoption(f"nbxunit_{what}_timeout")
    ini = config.getini(f"nbxunit_{what}_timeout")
    if option is None and ini:
        try:
            option = float(ini)
        except ValueError as exc:
            raise pytest.UsageError(
                f"nbxunit_{what}_timeout: {ini!r} is not a number of seconds"
            ) from exc
    if option is not None and not option >= 0:  # nor nan
        raise pytest.UsageError(f"the timeout of a {what}: {option:g} is not a number of seconds")
    return option or None


def variants(config: pytest.Config) -> list[Variant]:
    """The runs of each notebook that the options and the ini ask for. UsageError."""
    given = config.getoption("nbxunit_param") or []
    paths = config.getoption("nbxunit_params") or []
    folder = config.invocation_params.dir
    try:
        return parameters.variants(
            [*config.getini("nbxunit_params"), *given], [Path(folder, path) for path in paths]
        )
    except parameters.ParameterFileError as exc:
        raise pytest.UsageError(str(exc)) from exc


def checking(config: pytest.Config) -> Checking | None:
    """How stored outputs are compared, if they are. UsageError for rules that cannot be read."""
    update = bool(config.getoption("nbxunit_update_outputs"))
    if not update and not config.getoption("nbxunit_check_outputs"):
        return None
    from nbxunit.host.comparing import sanitise

    folder = config.invocation_params.dir
    try:
        rules = sanitise.rules_of_lines(config.getini("nbxunit_sanitize"))
        for name in config.getoption("nbxunit_sanitize_with") or ():
            rules += sanitise.rules_of_file(Path(folder, name))
    except sanitise.RuleError as exc:
        raise pytest.UsageError(str(exc)) from exc
    found = tuple((rule.pattern.pattern, rule.replacement) for rule in rules)
    return Checking(found, update, keyword=config.option.keyword, marks=config.option.markexpr)


def saved(config: pytest.Config, path: Path, variant: str = "") -> Path | None:
    """Where the executed notebook goes: below `--save`, at its place relative to the rootdir.

    One that lies elsewhere keeps its whole path there, since others may have its name.
    """
    folder = config.getoption("nbxunit_save")
    if not folder:
        return None
    inside = path.is_relative_to(config.rootpath)
    relative = path.relative_to(config.rootpath if inside else path.anchor)
    if is_text(path):
        has_neighbour = path.with_suffix(".ipynb").exists()
        relative = relative.with_name(f"{path.name if has_neighbour else path.stem}.ipynb")
    if variant:
        relative = relative.with_name(f"{relative.stem}[{variant}]{relative.suffix}")
    return Path(config.invocation_params.dir, folder, relative)


def jobs(config: pytest.Config, count: int) -> int:
    """How many of `count` notebooks run at once. UsageError for what is neither a number nor auto."""
    option = str(config.getoption("nbxunit_jobs") or 1)
    if option in ("auto", "logical"):
        usable = (
            len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        )
        return max(1, min(usable or 1, count))
    if not option.isdecimal() or int(option) < 1:
        raise pytest.UsageError(f"--nbxunit-jobs: {option!r} is neither a number above 0 nor auto")
    return int(option)


def shows_output(config: pytest.Config) -> bool:
    """Whether output goes to the terminal as it comes: with `-s`, and without pytest's capture."""
    return bool(config.getoption("capture", "no") == "no")


def shard(config: pytest.Config) -> tuple[int, int] | None:
    """The number of the part that is to run, and how many there are. UsageError."""
    option = config.getoption("nbxunit_shard")
    try:
        return planning.shard_of(option) if option else None
    except planning.ShardError as exc:
        raise pytest.UsageError(str(exc)) from exc


def check(config: pytest.Config) -> None:
    """UsageError, now, for settings that make no sense."""
    shard(config)
    jobs(config, 1)
    for what in ("cell", "test", "notebook"):
        seconds(config, what)
