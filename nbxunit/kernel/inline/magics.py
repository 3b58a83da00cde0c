"""The magics: lines of cells to calls of registry and runs. No logic of its own.

May import IPython. The docstrings and arguments are the help that `%%xunit_setup?` shows.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments

from nbxunit import directives
from nbxunit.directives import Kind
from nbxunit.kernel.inline import declaring, helping
from nbxunit.kernel.inline.live import LiveNotebook
from nbxunit.kernel.results import outline, outline_markup, output, text

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from nbxunit.kernel.inline.actions import Action

_TARGET = "module | class NAME | method NAME | function (the default), with fixtures in parentheses"


@magics_class
class XunitMagics(Magics):
    """The magics of one notebook."""

    def __init__(self, shell: InteractiveShell, live: LiveNotebook) -> None:
        super().__init__(shell)
        self._live = live
        self._notebook = live.notebook

    @no_var_expand
    @magic_arguments()
    @argument("scope", nargs="*", help=_TARGET)
    @cell_magic
    def xunit_setup(self, line: str, cell: str) -> None:
        """Register the cell as a setup hook; it runs when its scope opens.

        Names that the cell binds are names of the notebook, and go away or get their old value
        back when the scope closes. The cell may ask for fixtures, `await`, and call
        `nbxunit.add_cleanup` and `nbxunit.enter_context`.

        Examples::

            %%xunit_setup module
            db = sqlite3.connect(":memory:")

            %%xunit_setup class TestDb(tmp_path_factory)
            folder = tmp_path_factory.mktemp("db")

            %%xunit_setup method TestDb
            db.execute("create table t (n)")
        """
        self._declare_hook("setup", line, cell)

    @no_var_expand
    @magic_arguments()
    @argument("scope", nargs="*", help=_TARGET)
    @cell_magic
    def xunit_teardown(self, line: str, cell: str) -> None:
        """Register the cell as a teardown hook; it runs when its scope closes.

        Teardown cells run in reverse order, unless a setup cell of their scope failed. For what
        must happen even then, use `nbxunit.add_cleanup` in the setup cell.

        Examples::

            %%xunit_teardown module
            db.close()

            %%xunit_teardown method TestDb
            db.rollback()
        """
        self._declare_hook("teardown", line, cell)

    @no_var_expand
    @magic_arguments()
    @argument("test", nargs="*", help="NAME, NAME(fixture, ...) or Class::NAME")
    @argument(
        "--mark", action="append", metavar="EXPR", help="a pytest mark, e.g. slow; repeatable"
    )
    @cell_magic
    def xunit_test(self, line: str, cell: str) -> Any:
        """Register the cell as a test and run it, with its whole lifecycle.

        The cell is the body of a function: its names are its own, fixtures are its parameters,
        `return` ends it, `global x` writes to the notebook. In a class, `self` is given.

        Examples::

            %%xunit_test test_insert
            db.execute("insert into t values (1)")
            assert count(db) == 1

            %%xunit_test TestDb::test_write(tmp_path)
            assert write(db, tmp_path) == 1

            %%xunit_test test_square --mark "parametrize('n, sq', [(1, 1), (2, 4)])"
            assert n**2 == sq
        """
        directive = declaring.declare(self._live, "test", line, cell)
        if directive is None:
            return self._nothing()
        notebook = self._notebook
        if self._live.settings.run_cells and not notebook.headless:
            return self._run([directive.target], of_cell=True)
        if not notebook.headless:
            rest = f"registered; run it with %xunit_run {directive.target}"
            output.say(directive.label, rest, "test", self._live.take_notes())
        return self._nothing()

    @no_var_expand
    @line_magic
    def xunit_run(self, line: str) -> Any:
        """Run the tests of the notebook; takes tests and any of pytest's options.

        Examples::

            %xunit_run                           all tests
            %xunit_run TestDb test_insert        some of them
            %xunit_run -k insert -x --tb=short
            %xunit_run --lf                      those that failed last time
            %xunit_run --collect-only -q
            %xunit_run --state-guard             which names of the notebook each test changes
            %xunit_run --twice                   a second time, and what differs then
            %xunit_run --shuffle                 in another order; --shuffle=SEED for the same one
        """
        from nbxunit.kernel.inline import actions

        words = actions.words_of(line)
        if {"-h", "--help"}.intersection(words):
            output.show_text(
                f"{inspect.cleandoc(str(XunitMagics.xunit_run.__doc__))}{helping.OF_RUN}"
            )
            return self._nothing()
        return self._nothing() if self._notebook.headless else self._run(words)

    @no_var_expand
    @line_magic
    def xunit_list(self, line: str) -> None:
        """Show the scopes of the notebook with their hooks and tests, and what became of them last.

        A test whose cell has changed since is "edited since its last run".
        """
        _no_words("xunit_list", line)
        opened = self._live.opened
        tree = outline.of(
            self._notebook, self._live.last_runs, opened.scopes if opened is not None else ()
        )
        if not any(tree.walk()) and not self._notebook.registry.hooks():
            output.say("nothing is registered", "begin with %%xunit_test test_something", "note")
        else:
            output.show(text.outline(tree), outline_markup.outline(tree))
            output.say_notes(outline.stale(self._notebook))

    @no_var_expand
    @line_magic
    def xunit_open(self, line: str) -> Any:
        """Set up the module, or a class and the module around it, and leave them open.

        Tests run inside then, without setting up again, and the names of the hooks can be looked
        at, until `%xunit_close`.

        Examples::

            %xunit_open
            %xunit_open class TestDb
        """
        from nbxunit.kernel.inline import actions

        try:
            directive = directives.parse("setup", line or "module")
        except directives.DirectiveError as exc:
            raise UsageError(f"%xunit_open: {exc}") from None
        if directive.scope not in ("module", "class") or directive.fixtures:
            raise UsageError("%xunit_open: only module and class NAME can be kept open")
        if self._notebook.headless:
            return self._nothing()
        if self._live.opened is not None:
            label = self._live.opened.label
            raise UsageError(f"%xunit_open: {label} is open; close it first, with %xunit_close")
        return self._act(actions.opening(self._live, directive.path))

    @no_var_expand
    @line_magic
    def xunit_close(self, line: str) -> Any:
        """Tear down what `%xunit_open` has left open."""
        from nbxunit.kernel.inline import actions

        _no_words("xunit_close", line)
        if self._notebook.headless:
            return self._nothing()
        if self._live.opened is None:
            raise UsageError("%xunit_close: nothing is open; %xunit_open opens the module")
        return self._act(actions.closing(self._live))

    @no_var_expand
    @line_magic
    def xunit_reset(self, line: str) -> Any:
        """Forget all registered hooks and tests, and the names that a failed run has left.

        What is open is torn down first. Headless it does nothing: there each cell runs once, and
        what the notebook declares counts.
        """
        _no_words("xunit_reset", line)
        if self._notebook.headless:
            return self._nothing()
        if self._live.opened is not None:
            from nbxunit.kernel.inline import actions

            return self._act(actions.closing(self._live, self._forget))
        self._forget()
        return self._nothing()

    def _forget(self) -> None:
        count = len(self._notebook.registry.hooks()) + len(self._notebook.registry.tests())
        self._live.reset()
        output.say(f"forgot {count} hooks and tests", "run their cells to register them again")

    @no_var_expand
    @line_magic
    def xunit_config(self, line: str) -> None:
        """Show or set how cells behave.

        `raise_on_failure` is `run` where a front end tells which cell runs, so that "Run All" goes on
        past a test cell that fails; else, as under nbclient and papermill, it is `cells`.

        Examples::

            %xunit_config                            show
            %xunit_config run_cells=False            test cells register only
            %xunit_config raise_on_failure=cells     each test cell that fails raises
            %xunit_config raise_on_failure=run       only %xunit_run raises
            %xunit_config raise_on_failure=off       a failed run does not fail its cell
        """
        settings = self._live.settings
        for word in line.split():
            name, _, value = word.partition("=")
            try:
                settings.set(name, value)
            except ValueError as exc:
                raise UsageError(f"%xunit_config: {exc}") from None
        if not line.strip():
            raises = f"raise_on_failure={self._live.raises}"
            output.show_text(f"run_cells={settings.run_cells}\n{raises}")

    def _declare_hook(self, kind: Kind, line: str, cell: str) -> None:
        directive = declaring.declare(self._live, kind, line, cell)
        if directive is not None and not self._notebook.headless:
            rest = f"registered, {declaring.when(directive)}"
            output.say(directive.label, rest, notes=self._live.take_notes())

    # --- runs ---

    def _run(self, words: list[str], *, of_cell: bool = False) -> Coroutine[Any, Any, None] | None:
        from nbxunit.kernel.inline import actions

        return self._act(actions.running(self._live, words, of_cell=of_cell))

    def _act(self, action: Action) -> Coroutine[Any, Any, None] | None:
        if self._is_awaited():
            return action.awaited()
        action.now()
        return None

    def _nothing(self) -> Coroutine[Any, Any, None] | None:
        """What a magic returns that runs nothing."""

        async def nothing() -> None:
            pass

        return nothing() if self._is_awaited() else None

    def _is_awaited(self) -> bool:
        """Whether the cell awaits what the magic returns (`transforming.await_runs` has seen to it).

        It has where the code that calls the magic can await, which its flags tell.
        """
        frame = sys._getframe()  # noqa: SLF001
        while frame.f_back is not None and frame.f_globals is not self._notebook.namespace:
            frame = frame.f_back
        return bool(frame.f_code.co_flags & inspect.CO_COROUTINE)


def _no_words(magic: str, line: str) -> None:
    if line.strip():
        raise UsageError(f"%{magic} takes no arguments, got {line.strip()!r}")
