"""Notebooks among what pytest collects: which files, what of the host's selection is not for them.

May import pytest. Under `--collect-only` a notebook is executed to know its tests.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from nbxunit import protocol
from nbxunit.host import compat
from nbxunit.host.notebooks import companions, files, saving, static_look, twins
from nbxunit.host.notebooks.parameters import Variant
from nbxunit.host.records import Broken, Died, Skipped
from nbxunit.host.session import planning, settings
from nbxunit.host.session.items import CompanionFile, Notebook, NotebookItem, StandIn, Tree
from nbxunit.host.session.runs import Runs
from nbxunit.host.session.selection import give_back
from nbxunit.host.session.state import NotebookSession


class Collecting:
    """The plugin that collects notebooks."""

    def __init__(self, state: NotebookSession, runs: Runs) -> None:
        self._state = state
        self._config = state.config
        self._runs = runs
        self._deselected: set[str] = set()
        self._told: list[str] = []
        self._notebooks: set[str] = set()
        self._expected: dict[str, NotebookItem] = {}
        self._listed: dict[Notebook, list[NotebookItem]] = {}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> Any:
        """Keep what stands behind `::` for the kernels: a notebook has no nodes on the host."""
        self._state.signals.begin()
        self._state.split_arguments()
        compat.count_files(self._config, self._counted)
        self._runs.connect()
        with compat.literal_arguments():
            outcome = yield
        self._state.notebooks = max(
            1, sum(isinstance(each, NotebookItem) for each in session.items)
        )
        self._runs.check_resources(session)
        return outcome

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Do not follow a link into a folder that it lies in: there is no end of it."""
        return True if files.is_loop(collection_path) else None

    @pytest.hookimpl(wrapper=True)
    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> Generator[None, list[Any], list[Any]]:
        """A notebook, if it is one to run; a text notebook is not also a module."""
        found = yield
        named = parent.session.isinitpath(file_path)
        if not self._is_notebook(file_path, parent.session):
            return found  # pytest also looks at what lies beside a file that was named
        found = [node for node in found if not isinstance(node, pytest.Module)]
        if not named and saving.is_saved(file_path):
            return found  # it would run again what the notebook that it was saved from runs
        check = self._config.getoption("nbxunit_check_execution") or self._state.checking
        if not named and not check and not static_look.may_have_tests(self._config, file_path):
            self._state.without_tests += 1
            return found
        notebook: Notebook = Notebook.from_parent(parent, path=file_path)
        notebook.named, notebook.children = named, []
        if not (files.is_text(file_path) and self._runs_as_twin(file_path, parent.session)):
            self._fill(notebook)
        return [*found, notebook]

    def _is_notebook(self, path: Path, session: pytest.Session) -> bool:
        """Whether a file is a notebook to run: one that was named, or lies in a folder that was."""
        named = session.isinitpath(path)
        in_folder = any(map(session.isinitpath, path.parents))
        return (named or in_folder) and files.is_notebook(self._config, path, named=named)

    def _runs_as_twin(self, path: Path, session: pytest.Session) -> bool:
        """Whether a text notebook is paired with an .ipynb file that runs, and has the same code."""
        for twin in twins.of(path):
            asked = self._state.selected(path, "") == self._state.selected(twin, "")
            if self._is_notebook(twin, session) and asked and twins.are_same(path, twin):
                self._told.append(f"nbxunit: {path.name} is paired with {twin.name}, which runs")
                return True
        return False

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makemodule(
        self, module_path: Path, parent: pytest.Collector
    ) -> CompanionFile | None:
        """A test module whose mark names a notebook, in place of pytest's own module."""
        if not companions.is_companion(module_path):
            return None
        companion: CompanionFile = CompanionFile.from_parent(parent, path=module_path)
        self._fill(companion)
        return companion

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Fail a test that runs here although a mark, which no static look finds, names a notebook."""
        if item.get_closest_marker(companions.MARK) is not None:
            pytest.fail(
                "the mark `notebook` must stand in the test module itself, with a literal path: "
                'pytestmark = pytest.mark.notebook("../sales.ipynb"); which kernel runs the module is '
                "looked up without importing it",
                pytrace=False,
            )

    def _fill(self, notebook: Notebook) -> None:
        """Give a notebook what it collects: its item, or its tests where they are to be listed."""
        self._state.start_server()
        notebook.children = []
        for variant in self._variants(notebook):
            selected = self._state.selected(notebook.path, variant.name)
            if selected is None:
                continue
            item = NotebookItem.of(notebook, variant)
            item.selected = selected
            if self._config.option.collectonly:
                # pytest makes nodes of a file for each argument beside it, and collects one of them.
                first = self._expected.setdefault(item.notebook_id, item)
                if first is item:
                    self._runs.expect(item)
                self._listed.setdefault(notebook, []).append(first)
            else:
                notebook.children.append(item)
                if not isinstance(notebook, CompanionFile):
                    # By its id: pytest looks at it for each argument beside it.
                    self._notebooks.add(item.notebook_id)

    def _variants(self, notebook: Notebook) -> list[Variant]:
        """The runs of a notebook; a companion's notebooks have the parameters of its marks."""
        return [Variant()] if isinstance(notebook, CompanionFile) else self._state.variants

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Any:
        """Execute a notebook whose tests are listed; by now others are known, which can run meanwhile.

        Give a notebook its item back: `--lf` looks for node ids that only a kernel knows.
        """
        if isinstance(collector, Notebook):
            for item in self._listed.pop(collector, ()):
                self._collect_now(collector, item)
        report = yield
        if isinstance(collector, Notebook) and report.passed and collector.error is None:
            report.result = list(collector.children)
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Any:
        """Keep notebooks out of the host's selection; it would drop tests that it does not see."""
        ours = [item for item in items if isinstance(item, NotebookItem | StandIn)]
        order = list(items)
        items[:] = [item for item in items if not isinstance(item, NotebookItem | StandIn)]
        outcome = yield
        gone = [item for item in ours if item.nodeid in self._deselected]
        if gone:
            self._config.hook.pytest_deselected(items=gone)
        give_back(items, order, [item for item in ours if item.nodeid not in self._deselected])
        if not self._config.option.collectonly:
            self._state.cache.apply(items, order)
        self._keep_changed(items)
        self._keep_shard(items)
        return outcome

    def _counted(self, line: str) -> str:
        """Pytest's line of how many items there are, with notebooks called so."""
        count = len(self._notebooks)
        match = re.match(r"(collect\w+ )(\d+) items?", line)
        if match is None or not count:
            return line
        others = int(match[2]) - count
        told = [f"{count} notebook{'s' * (count > 1)}"]
        told += [f"{others} item{'s' * (others > 1)}"] if others else []
        return f"{match[1]}{', '.join(told)}{line[match.end() :]}"

    def _keep_changed(self, items: list[pytest.Item]) -> None:
        """Leave out the files that have not changed."""
        changed = self._state.changed
        if changed is None:
            return
        paths = list(dict.fromkeys(item.path for item in items))
        chosen = {path for path in paths if changed.concerns(path)}
        self._told.append(f"nbxunit: {len(chosen)} of {len(paths)} files have changed")
        items[:] = [item for item in items if item.path in chosen]

    def _keep_shard(self, items: list[pytest.Item]) -> None:
        """Leave out the files that other machines run."""
        shard = settings.shard(self._config)
        if shard is None:
            return
        number, count = shard
        files = list(dict.fromkeys(map(_file_of, items)))
        chosen = set(planning.shards(files, self._state.durations.known, count)[number - 1])
        self._told.append(
            f"nbxunit: shard {number} of {count}: {len(chosen)} of {len(files)} files"
        )
        items[:] = [item for item in items if _file_of(item) in chosen]

    def pytest_report_collectionfinish(self) -> list[str]:
        """Say which part of the files runs."""
        return list(dict.fromkeys(self._told))

    def _collect_now(self, notebook: Notebook, item: NotebookItem) -> None:
        """Execute a notebook to know its tests."""
        reason = self._state.why_skipped(notebook)
        if reason is not None:
            return
        run = self._runs.listing(item)
        is_collected = False
        for record in self._runs.records(run, item):
            if isinstance(record, protocol.Collected):
                is_collected = True
                ids = (*record.nodeids, *record.deselected)
                notebook.children += Tree(notebook, item.notebook_id).of(ids, record.places)
                self._deselected.update(record.deselected)
            elif isinstance(record, protocol.Reported):
                notebook.error = str(record.report.get("longrepr"))
                longrepr = record.report.get("longrepr")
                if isinstance(longrepr, dict) and "longrepr" in longrepr:
                    notebook.error = str(longrepr["longrepr"])
            elif isinstance(record, Skipped):
                notebook.skipped, is_collected = record.reason, True
            elif isinstance(record, Broken):
                notebook.error = str(record)
            elif isinstance(record, Died):
                notebook.error = record.text
            elif isinstance(record, protocol.Ended) and record.message:
                notebook.error = record.message
                if record.message.startswith("not found"):
                    self._state.not_found.append(record.message)
        self._runs.forget(item)
        if not is_collected and notebook.error is None:
            notebook.error = "its run ended, and never said which tests it has"
        if notebook.error is not None:
            notebook.error = protocol.clean(notebook.error)


def _file_of(item: pytest.Item) -> str:
    """The node id of the file that a test is in, with the name of a variant."""
    return item.notebook_id if isinstance(item, NotebookItem) else item.nodeid.partition("::")[0]
