"""Coverage with pytest-cov: what kernels are told to measure, and how notebooks stand in the reports.

May import pytest. Kernels leave their data where pytest-cov finds those of xdist's workers.
"""

from __future__ import annotations

import importlib.util
import itertools
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

PLUGIN = "nbxunit.coverage"
"""The module in which coverage finds what it must know of notebooks."""

_MEASURES = "nbxunit.kernel.headless.measuring"


def _controller(config: pytest.Config) -> Any:
    """pytest-cov's controller, where coverage is measured."""
    return getattr(config.pluginmanager.get_plugin("_cov"), "cov_controller", None)


def told(config: pytest.Config, path: Path) -> dict[str, object] | None:
    """What the kernel of the notebook at `path` is to measure, and how; None where it is not to.

    Cells are measured as modules there would be: where a measured folder has the notebook, and where
    all is measured. The ini can say otherwise.
    """
    controller = _controller(config)
    if controller is None:
        return None
    # That this process measures nothing is no news, where kernels do.
    _add(controller.cov, "run:disable_warnings", "module-not-imported", "no-data-collected")
    sources = [
        *(controller.cov.get_option("run:source") or ()),
        *(controller.cov.get_option("run:source_dirs") or ()),
    ]
    folders = [Path(controller.topdir, each) for each in sources]
    is_inside = any(path.resolve().is_relative_to(each.resolve()) for each in folders)
    has_bounds = bool(sources or controller.cov.get_option("run:source_pkgs"))
    cells = config.getini("nbxunit_cov_cells")
    return {
        "source": controller.cov_source,
        "config": controller.cov_config,
        "branch": controller.cov_branch,
        "contexts": config.getoption("cov_context") == "test",
        "cells": (is_inside or not has_bounds) if cells is None else cells,
        "is_outside": has_bounds and not is_inside,
    }


class Measuring:
    """The plugin that lets coverage read notebooks, and tells which lines of which cells did not run."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_sessionstart(self) -> None:
        """Let the coverage that reports know our plugin: pytest-cov's has not begun yet."""
        cov = getattr(_controller(self._config), "combining_cov", None)
        if cov is not None:
            _add(cov, "run:plugins", PLUGIN)

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Behind what `term-missing` says in lines of files, the same in lines of cells."""
        plugin: Any = self._config.pluginmanager.get_plugin("_cov")
        if getattr(plugin, "cov_total", None) is None or (
            "term-missing" not in plugin.options.cov_report
        ):
            return
        cov = plugin.cov_controller.cov
        missing = dict(_missing(cov))
        if missing:
            terminalreporter.section("cells that did not run", sep="-")
        for name, words in missing.items():
            terminalreporter.write_line(f"{name}: {words}")


def _add(cov: Any, option: str, *values: str) -> None:
    given = cov.get_option(option)
    cov.set_option(option, [*given, *(each for each in values if each not in given)])


def preloaded(config: pytest.Config, modules: Sequence[str]) -> tuple[str, ...]:
    """What the fork server imports of `modules`: nothing that is to be measured, which kernels import."""
    controller = _controller(config)
    if controller is None:
        return tuple(modules)
    paths = sysconfig.get_paths()
    installed = (
        "built-in", "frozen", *(paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    )  # fmt: skip
    measured = {str(each).partition(".")[0] for each in controller.cov_source or ()}

    def is_measured(module: str) -> bool:
        name = module.partition(".")[0]
        spec = importlib.util.find_spec(name)
        if spec is None:  # the server says so
            return False
        return name in measured or not (spec.origin or "").startswith(installed)

    return (_MEASURES, *(module for module in modules if not is_measured(module)))


def _missing(cov: Any) -> Iterator[tuple[str, str]]:
    """The names of notebooks with what did not run in their cells."""
    from nbxunit.coverage.reporting import NotebookReporter

    data = cov.get_data()
    for file in sorted(data.measured_files()):
        if data.file_tracer(file) != f"{PLUGIN}.Notebooks":
            continue
        notebook = NotebookReporter(file)
        places = notebook.module.places
        lines = [places[line] for line in cov.analysis2(file)[3] if line in places]
        if lines:
            cells = itertools.groupby(lines, lambda place: place[0])
            words = (f"cell {cell}, {_lines([line for _, line in each])}" for cell, each in cells)
            yield notebook.relative_filename(), "; ".join(words)


def _lines(numbers: Sequence[int]) -> str:
    """Numbers of lines in words: `lines 2-4, 7`."""
    runs = [
        [number for _, number in each]
        for _, each in itertools.groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])
    ]
    words = ", ".join(f"{run[0]}-{run[-1]}" if run[1:] else str(run[0]) for run in runs)
    return f"line{'s' * (len(numbers) > 1)} {words}"
