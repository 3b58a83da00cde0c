"""What a cell prints, displays and gives back, kept in the form of a notebook's outputs.

May import IPython. What is printed also goes where it would have gone, so that pytest captures it.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher

from nbxunit.kernel.compat import ipython
from nbxunit.kernel.results.model import Display


class Outputs:
    """The outputs of one cell, as they come. `items` are as in nbformat 4."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self._handles: dict[int, object] = {}
        self._clears = False

    def _add(self, item: dict[str, Any]) -> None:
        if self._clears:
            self._clears = False
            self.items.clear()
            self._handles.clear()
        self.items.append(item)

    def stream(self, name: str, text: str) -> None:
        """Something was printed."""
        last = self.items[-1] if self.items and not self._clears else {}
        if last.get("output_type") == "stream" and last["name"] == name:
            last["text"] += text
        else:
            self._add({"output_type": "stream", "name": name, "text": text})

    def display(
        self, data: Mapping[str, Any], metadata: Mapping[str, Any], handle: object, *, update: bool
    ) -> None:
        """Something was displayed; with `update`, it takes the place of what has the same `handle`."""
        if update:
            for index, item in enumerate(self.items):
                if handle is not None and self._handles.get(index) == handle:
                    item.update(data=dict(data), metadata=dict(metadata))
            return
        self._add({"output_type": "display_data", "data": dict(data), "metadata": dict(metadata)})
        self._handles[len(self.items) - 1] = handle

    def result(self, data: Mapping[str, Any], metadata: Mapping[str, Any], number: int) -> None:
        """The value of the cell's last expression."""
        self._add(
            {"output_type": "execute_result", "execution_count": number, "data": dict(data),
             "metadata": dict(metadata)}
        )  # fmt: skip

    def error(self, exc: BaseException, traceback: list[str]) -> None:
        """The cell has raised."""
        self._add(
            {"output_type": "error", "ename": type(exc).__name__, "evalue": str(exc),
             "traceback": traceback}
        )  # fmt: skip

    def clear(self, *, wait: bool) -> None:
        """All goes away; with `wait`, when the next output comes."""
        self._clears = True
        if not wait:
            self._clears = False
            self.items.clear()
            self._handles.clear()

    # --- as tests read them ---

    @property
    def text(self) -> str:
        """What was printed, and the result as text, in order."""
        parts = [
            item["text"] if item["output_type"] == "stream" else item["data"].get("text/plain", "")
            for item in self.items
            if item["output_type"] == "execute_result" or item.get("name") == "stdout"
        ]
        return "".join(parts)

    @property
    def displays(self) -> list[Display]:
        """What was displayed."""
        return [
            Display(item["data"], item["metadata"])
            for item in self.items
            if item["output_type"] == "display_data"
        ]

    @contextlib.contextmanager
    def taking(self, shell: Any, number: int) -> Iterator[None]:
        """Within, all that `shell` shows is kept here."""
        publisher = _Publisher(self)
        hook = _Hook(self, shell, number)
        with (
            _in_place_of(shell, "display_pub", publisher),
            ipython.displaying_by(shell, hook),
            _in_place_of(sys, "stdout", _Tee(self, "stdout", sys.stdout)),
            _in_place_of(sys, "stderr", _Tee(self, "stderr", sys.stderr)),
        ):
            yield


@contextlib.contextmanager
def _in_place_of(owner: Any, name: str, value: object) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if getattr(owner, name) is value:  # else the cell has put its own there
            setattr(owner, name, before)


class _Tee:
    """A stream that notes what is written, and writes it on."""

    def __init__(self, outputs: Outputs, name: str, stream: Any) -> None:
        self._outputs = outputs
        self._name = name
        self._stream = stream

    def write(self, text: str) -> int:
        self._outputs.stream(self._name, str(text))
        return int(self._stream.write(text) or len(text))

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Publisher(DisplayPublisher):
    def __init__(self, outputs: Outputs) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._outputs = outputs

    def publish(
        self,
        data: Any,
        metadata: Any = None,
        source: Any = None,  # noqa: ARG002 - IPython's signature
        *,
        transient: Any = None,
        update: bool = False,
        **_: Any,
    ) -> None:
        handle = (transient or {}).get("display_id")
        self._outputs.display(data, metadata or {}, handle, update=update)

    def clear_output(self, wait: bool = False) -> None:  # noqa: FBT001, FBT002 - as above
        self._outputs.clear(wait=wait)


class _Hook(DisplayHook):
    """The display hook of one cell: the value goes into `Out` and `_`, and its forms to the outputs."""

    def __init__(self, outputs: Outputs, shell: Any, number: int) -> None:
        super().__init__(shell=shell)  # type: ignore[no-untyped-call]
        self._outputs = outputs
        self._number = number

    def write_output_prompt(self) -> None:
        """Write none: the number stands beside the result."""

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        self._outputs.result(format_dict, md_dict or {}, self._number)

    def finish_displayhook(self) -> None:
        """Write no line end."""
