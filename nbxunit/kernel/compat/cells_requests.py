"""Requests of a type that ipykernel does not know, with many cells to execute.

Private names of IPython and ipykernel. See `ipython`.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


class CellsRequest:
    """A request of a type that ipykernel does not know, with many cells to execute."""

    def __init__(self, kernel: Any, stream: Any, ident: Any, message: Mapping[str, Any]) -> None:
        self._kernel = kernel
        self._stream = stream
        self._ident = ident
        self._message = message
        self.content: Mapping[str, Any] = message["content"]
        self.id = str(message["header"]["msg_id"])

    async def execute(
        self, position: int, key: str, source: str, *, counts: bool = True
    ) -> dict[str, Any]:
        """Execute one cell as a request with the id `<id>/<position>`: the content of its reply.

        One that does not count has no number and is not in the history.
        """
        kernel = self._kernel
        header = {**self._message["header"], "msg_id": f"{self.id}/{position}"}
        parent = {**self._message, "header": header, "metadata": {"cellId": key}}
        kernel.set_parent(self._ident, parent, channel="shell")
        # What ipykernel does before each request; a cell may have set its own.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        kernel.shell._last_traceback = None  # noqa: SLF001
        with asked_once(kernel.shell, source):
            reply = await kernel.do_execute(
                source, silent=False, store_history=counts, allow_stdin=False, cell_id=key
            )
        for stream in (sys.stdout, sys.stderr):
            # A flush waits for a thread, so only where there is something: ipykernel's streams say.
            if stream is not None and getattr(stream, "_flush_pending", True):
                stream.flush()
        return cast("dict[str, Any]", reply)

    def reply(self, kind: str, content: Mapping[str, Any]) -> None:
        """Send the reply to the whole request, a message of the type `kind`."""
        kernel = self._kernel
        kernel.set_parent(self._ident, self._message, channel="shell")
        kernel.session.send(self._stream, kind, content, self._message, ident=self._ident)


@contextlib.contextmanager
def asked_once(shell: Any, source: str) -> Iterator[None]:
    """Within, what the shell makes of the text of a cell before it runs is made once.

    ipykernel asks for it to know whether the cell awaits; if not, the shell asks again.
    """
    names = "transform_cell", "should_run_async"

    def remembering(ask: Callable[..., Any]) -> Callable[..., Any]:
        answers: dict[str | None, Any] = {}

        def asked(text: str, **more: Any) -> Any:
            if text != source or more.get("preprocessing_exc_tuple") is not None:
                return ask(text, **more)
            question = more.get("transformed_cell")
            if question in answers:
                return answers.pop(question)
            answers[question] = answer = ask(text, **more)
            return answer

        return asked

    own = {name: remembering(getattr(shell, name)) for name in names if name not in vars(shell)}
    vars(shell).update(own)
    try:
        yield
    finally:
        for name, ours in own.items():
            if vars(shell).get(name) is ours:
                del vars(shell)[name]


def serve_requests(
    shell: InteractiveShell, name: str, execute: Callable[[CellsRequest], Awaitable[None]]
) -> None:
    """Let `execute` take the requests of a type that is not Jupyter's. RuntimeError without a kernel.

    ipykernel keeps the handlers of its types in a dict, and has no function to add one.
    """
    kernel: Any = getattr(shell, "kernel", None)
    if kernel is None:
        raise RuntimeError("a headless run needs a Jupyter kernel")

    async def handle(stream: Any, ident: Any, message: Mapping[str, Any]) -> None:
        await execute(CellsRequest(kernel, stream, ident, message))

    kernel.shell_handlers[name] = handle
