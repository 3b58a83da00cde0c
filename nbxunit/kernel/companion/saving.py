"""The notebooks that a companion has executed, as files.

Imports the standard library.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from nbxunit.kernel.companion.execution import Execution


class Saving:
    """Writes each executed notebook into `folder`; one that is executed again gets a number."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: set[Path] = set()

    def __call__(self, execution: Execution) -> None:
        """Write the notebook as `execution` leaves it. OSError if that fails."""
        name = execution.document.path.stem
        path, number = self._folder / f"{name}.ipynb", 1
        while path in self._written:
            number += 1
            path = self._folder / f"{name}-{number}.ipynb"
        self._written.add(path)
        self._folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(execution.executed(), indent=1, ensure_ascii=False, default=_encoded)
        path.write_text(f"{text}\n", encoding="utf-8", errors="backslashreplace")


def _encoded(value: Any) -> str:
    """An image as notebooks hold it, and anything else as its text."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)
