"""Private names of pytest that a scope which is kept open needs: a part of `compat`.

May import pytest. `tests/kernel/inline/test_open_scope.py` runs each on the oldest and newest versions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from nbxunit.kernel.compat import config as pytest_config

if TYPE_CHECKING:
    import pytest


def begin_session(config: pytest.Config) -> pytest.Session:
    """The first part of `finish`: configure, and begin a session, which `end_session` must end."""
    import pytest

    config._do_configure()  # noqa: SLF001
    session = pytest.Session.from_config(config)
    session.exitstatus = pytest.ExitCode.OK  # as pytest does; plugins read it at the end
    config.hook.pytest_sessionstart(session=session)
    return session


def end_session(session: pytest.Session, status: int = 0) -> None:
    """The last part of `finish`."""
    session.exitstatus = status
    try:
        session.config.hook.pytest_sessionfinish(session=session, exitstatus=status)
    finally:
        pytest_config.unconfigure(session.config)


def collect_afresh(node: pytest.Collector) -> None:
    """Undo what `collect_children` did to `node`."""
    node.__dict__.pop("collect", None)


def bodiless_item(node: pytest.Collector, name: str) -> pytest.Item:
    """An item below `node` without a body, which asks for no fixture that belongs to tests."""
    import pytest

    item: Any = pytest.Function.from_parent(node, name=name, callobj=lambda: None)
    fixtures = item._fixtureinfo.name2fixturedefs  # noqa: SLF001
    item.fixturenames[:] = [
        each
        for each in item.fixturenames
        if each in fixtures and fixtures[each][-1].scope != "function"
    ]
    item.location = (str(node.path), 0, name)
    return cast("pytest.Item", item)


def active_fixtures(item: pytest.Item) -> dict[tuple[str, str], Any]:
    """The fixtures of `item` that stay set up behind it, by name and where they are from."""
    fixtures = cast("Any", item)._fixtureinfo.name2fixturedefs  # noqa: SLF001
    return {
        (name, each.baseid): each
        for name, found in fixtures.items()
        for each in found
        if each.scope != "function" and each.cached_result is not None
    }


def reuse_fixtures(item: pytest.Item, active: Mapping[tuple[str, str], Any]) -> None:
    """Let `item` use those of `active` that are still set up in place of what was found again."""
    function = cast("Any", item)
    fixtures = function._fixtureinfo.name2fixturedefs  # noqa: SLF001
    for name, found in fixtures.items():
        known = [active.get((name, each.baseid), each) for each in found]
        fixtures[name] = [
            old if old.cached_result is not None else new
            for old, new in zip(known, found, strict=True)
        ]
    function._request._arg2fixturedefs.update(fixtures)  # noqa: SLF001 - in pytest 8 a copy


def tear_down_to(item: pytest.Item) -> None:
    """Tear down what `item` does not need, where an interrupt has left it."""
    item.session._setupstate.teardown_exact(item)  # noqa: SLF001
