"""Widgets of a headless run: those that take a cell's output, and the state of all, which is saved.

nbclient, which has such an output widget, is imported when the first cells run.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import json
from typing import TYPE_CHECKING, Any

from nbxunit import kernel_folder
from nbxunit.host.kernels.client import call, request
from nbxunit.host.kernels.kernel import Kernel

if TYPE_CHECKING:
    from nbformat import NotebookNode

PATIENCE = 10
"""Seconds that a kernel may take to tell the state of its widgets."""
STATE = "application/vnd.jupyter.widget-state+json"


class OutputWidgets:
    """The output widgets of one notebook; `sync` tells the kernel what has come into them."""

    def __init__(self) -> None:
        self.changed: dict[str, Any] = {}

    def sync(self) -> None:
        """Tell it now. nbclient would send all of a widget's outputs again for each that comes."""
        while self.changed:
            self.changed.popitem()[1]()


def of(client: Any) -> OutputWidgets:
    """Let the output widgets of an nbclient be ours."""
    from nbclient.output_widget import OutputWidget

    widgets = OutputWidgets()

    class LateOutputWidget(OutputWidget):
        """An output widget that tells the kernel later."""

        def sync_state(self) -> None:
            """Note that there is something to tell."""
            widgets.changed[self.comm_id] = super().sync_state

    client.widget_state = collections.defaultdict(
        dict
    )  # which is not stored: the kernel has the whole
    client.widget_registry = {"@jupyter-widgets/output": {"OutputModel": LateOutputWidget}}
    return widgets


async def take_state(kernel: Kernel, notebook: NotebookNode) -> None:
    """Put the state of the kernel's widgets into the notebook, from where a front end shows them again."""
    file = kernel.folder / kernel_folder.WIDGETS
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            await request(kernel.client, call("widgets", str(file)))
    with contextlib.suppress(OSError, ValueError):  # there are none, or a cell has removed it
        notebook.metadata["widgets"] = {STATE: json.loads(file.read_bytes())}
