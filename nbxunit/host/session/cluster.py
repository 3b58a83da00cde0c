"""What the options and ini keys say of a cluster: which one, how it is used, what a notebook wants of a worker.

May import pytest; distributed comes with the first connection.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from nbxunit.host.notebooks import static_look
from nbxunit.host.session import settings

if TYPE_CHECKING:
    from nbxunit.host.records import Job
    from nbxunit.host.running.dask import DaskPool


def asked_for(config: pytest.Config) -> str:
    """The cluster that is asked for, as the option or the ini names it; empty if none is."""
    return str(config.getoption("nbxunit_dask") or config.getini("nbxunit_dask"))


def check(config: pytest.Config) -> None:
    """UsageError, now, for options that make no sense with or for a cluster."""
    _number(config, "again", int, 0)
    _number(config, "silence", float, 1)
    for line in config.getini("nbxunit_dask_resources"):
        _resources(line)
    if not asked_for(config):
        return
    if config.getoption("usepdb", default=False) or config.getoption("trace", default=False):
        raise pytest.UsageError("--dask: no debugger reaches a worker; leave out --pdb and --trace")
    if config.getoption("tx", default=None) or hasattr(config, "workerinput"):
        raise pytest.UsageError(
            "--dask: the cluster has workers of its own; leave out -n of pytest-xdist "
            "(nbxunit run -n N, or --nbxunit-jobs, bounds the notebooks at once)"
        )


def pool(config: pytest.Config, remark: Callable[[Job, str], None]) -> DaskPool:
    """A pool on the cluster, which is connected now. UsageError."""
    where = asked_for(config)
    from nbxunit.host.running import connecting, dask

    jobs = config.getoption("nbxunit_jobs")
    rules = dask.Rules(
        None if jobs in (None, "auto", "logical") else settings.jobs(config, 1),
        _number(config, "again", int, 0) or 0,
        _number(config, "silence", float, 1) or dask.Rules.silence,
        None
        if config.getoption("nbxunit_no_fork")
        else dict(zip(("words", "preload"), settings.warm(config), strict=True)),
    )
    try:
        made = dask.DaskPool(connecting.connect(where, config.invocation_params.dir), rules, remark)
        made.check()
    except connecting.ClusterError as exc:
        raise pytest.UsageError(f"--dask {where}: {exc}") from exc
    return made


def adapted(config: pytest.Config, job: Job) -> Job:
    """A job for a machine that is not this one: what it is sent of the environment, what it wants there."""
    sent = config.getoption("nbxunit_dask_env")
    names = sent.split(",") if sent else config.getini("nbxunit_dask_env")
    options = dict(job.options)
    if not config.option.basetemp:  # that of this machine, else
        options["basetemp"] = None
    return dataclasses.replace(
        job,
        environment={name: os.environ[name] for name in names if name in os.environ},
        options=options,
        told_ahead=not job.live_output,  # reports would overtake what is printed before them
        resources=_wanted(config, job.path, is_companion=job.companion),
    )


def check_resources(
    config: pytest.Config, pool: DaskPool, files: Iterable[tuple[Path, bool]]
) -> None:
    """UsageError if no worker has what one of the files wants, which are companions or notebooks."""
    from nbxunit.host.running.connecting import ClusterError

    for path, is_companion in files:
        try:
            pool.check_resources(_wanted(config, path, is_companion=is_companion))
        except ClusterError as exc:
            raise pytest.UsageError(f"--dask: {path.name}: {exc}") from exc


def _wanted(config: pytest.Config, path: Path, *, is_companion: bool) -> dict[str, float]:
    """What a worker must have: the notebook's own word, else the last line of the ini that fits its path."""
    own = {} if is_companion else static_look.resources(path)
    if own:
        return own
    found: dict[str, float] = {}
    for line in config.getini("nbxunit_dask_resources"):
        glob, wanted = _resources(line)
        relative = os.path.relpath(path, config.rootpath)
        if fnmatch.fnmatch(relative, glob) or fnmatch.fnmatch(path.name, glob):
            found = wanted
    return found


def _resources(line: str) -> tuple[str, dict[str, float]]:
    glob, *words = line.split()
    try:
        pairs = [
            (name, float(number)) for name, _, number in (word.partition("=") for word in words)
        ]
    except ValueError as exc:
        raise pytest.UsageError(
            f"nbxunit_dask_resources: {line!r} is not GLOB NAME=NUMBER ..., as in train_*.ipynb GPU=1"
        ) from exc
    return glob, dict(pairs)


def _number(config: pytest.Config, name: str, kind: Any, least: float) -> Any:
    """The value of an option or its ini key; None if neither is given. UsageError."""
    option = config.getoption(f"nbxunit_dask_{name}")
    given = config.getini(f"nbxunit_dask_{name}") if option is None else option
    if given in ("", None):
        return None
    try:
        if (value := kind(given)) >= least:
            return value
    except ValueError:
        pass
    raise pytest.UsageError(f"--dask-{name}: {given!r} is not a number from {least} on")
