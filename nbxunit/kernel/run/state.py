"""What is known of the run of a notebook's tests that is under way.

Imports the standard library. Inline, the names that hooks made stay after a failed run, so that a person
can look at them, until the next run begins.
"""

from __future__ import annotations

from collections.abc import MutableMapping

from nbxunit.kernel.cells.registry import Declaration, HookRun


class RunState:
    """The run that is under way, else the last one.

    `hook_runs` are the hooks that ran since somebody has taken them. `failure` is what the first
    failed test has raised. `kept_names` takes the names that hooks made, while the run has failed and
    is one that `keeps_names`; else it is None. With `partial`, some tests of a live notebook run: then
    not all cells need to have run, and the test cells `left_out` are not even collected. `cache` is
    pytest's, and outlives runs.
    """

    def __init__(
        self, namespace: MutableMapping[str, object], *, keeps_names: bool = False
    ) -> None:
        self.namespace = namespace
        self.cache: dict[str, object] = {}
        self.hook_runs: list[HookRun] = []
        self.failure: BaseException | None = None
        self.kept_names: dict[str, object] | None = None
        self.partial = False
        self.left_out: frozenset[str] = frozenset()
        self._keeps_names = keeps_names
        self._left_names: set[str] = set()

    def begin(self) -> None:
        """A run begins."""
        self.hook_runs.clear()
        self.failure = None
        self.kept_names = None
        self.forget_left_names()

    def hook_ran(self, hook: Declaration, seconds: float, *, passed: bool) -> None:
        """Note that a hook ran, for the results."""
        self.hook_runs.append(HookRun(hook, seconds, passed))

    def test_failed(self) -> None:
        """A test has failed: the names that its hooks made stay, where the run keeps them."""
        if self._keeps_names and self.kept_names is None:
            self.kept_names = {}

    def end(self) -> None:
        """The run has ended: what was kept is put back for a person to look at."""
        for name, value in (self.kept_names or {}).items():
            if name not in self.namespace:
                self.namespace[name] = value
                self._left_names.add(name)
        self.kept_names = None

    def forget_left_names(self) -> None:
        """Drop the names that hooks of a failed run had made."""
        for name in self._left_names:
            self.namespace.pop(name, None)
        self._left_names.clear()
