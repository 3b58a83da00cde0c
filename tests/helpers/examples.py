"""The example notebooks whose tests are known one by one, wherever they stand among the guides."""

from __future__ import annotations

import shutil
from pathlib import Path

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
GUIDE = NOTEBOOKS / "guide"
FILES = {
    "quickstart": NOTEBOOKS / "quickstart.ipynb",
    "scopes": GUIDE / "02-hooks-and-scopes.ipynb",
    "cleanups": GUIDE / "03-cleanups.ipynb",
    "fixtures": GUIDE / "04-fixtures-and-marks.ipynb",
    "async": GUIDE / "05-async.ipynb",
    "unittest": GUIDE / "06-unittest.ipynb",
    "failures": GUIDE / "07-failures.ipynb",
}


def copy(folder: Path) -> Path:
    """The examples in one folder, each as NAME.ipynb, with their conftest, away from this checkout's settings."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in FILES.items():
        shutil.copy(path, folder / f"{name}.ipynb")
    shutil.copy(NOTEBOOKS / "conftest.py", folder)
    (folder / "pytest.ini").write_text("[pytest]\n")
    return folder
