"""The example notebooks on the version sets that platforms preinstall: the outcomes of the newest versions.

    python tests/platforms.py [--venvs FOLDER] [--wheel FILE] [LIST ...]

LIST is the name of a file in `tests/platform_lists`, a list of pins; without one, all are tried. For
each, a virtual environment is made of the pins, to which nbxunit is added without dependencies, and a
pytest that is new enough. Each example runs headless, and inline as each front end executes it; the
environment that runs this script says what should come of that. It also asks pip what an
installation of nbxunit would change there. What was found is printed as a table; the exit status is 1
where something differs.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

TESTS = Path(__file__).parent
LISTS = TESTS / "platform_lists"
sys.path.insert(0, str(TESTS / "helpers"))

import examples  # noqa: E402
import front_ends  # noqa: E402

PYTEST = "pytest>=8.2"
MAY_CHANGE = {"pytest", "pluggy", "nbxunit"}
"""What an installation of nbxunit may replace."""
OUTCOME = re.compile(r"(?m)^\S (\S.*?)  (passed|failed|error|skipped|xfailed|xpassed)\b")
COUNTS = re.compile(r"(?m)^(\d+ .*) in [\d.]+ s$")
VERBOSE = re.compile(r"(?m)^(\S+\.ipynb::.+?) ((?:SUB)?(?:PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS))\b")  # fmt: skip
TIMEOUT = 600


@dataclasses.dataclass(frozen=True)
class Platform:
    """A list of pins: the `python` that it is for, its `title`, and the `pins`."""

    name: str
    python: str
    title: str
    pins: dict[str, str]

    @classmethod
    def read(cls, name: str) -> Platform:
        """The list `name`, which begins with a comment `# python 3.12: Title`."""
        first, *lines = (LISTS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        python, _, title = first.removeprefix("# python ").partition(": ")
        return cls(name, python, title, dict(line.split("==") for line in lines if line))

    def version(self, package: str) -> str:
        """The version of `package` in the list, or a dash."""
        return self.pins.get(package, "-")


def find_python(version: str) -> str | None:
    """A Python of this version: this one, one of pyenv's, or one on PATH."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    pyenv = sorted(Path("~/.pyenv/versions").expanduser().glob(f"{version}.*/bin/python"))
    return str(pyenv[-1]) if pyenv else shutil.which(f"python{version}")


def run(*words: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command as a person would, outside of any run of pytest."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment = {**kept, "COLUMNS": "200", "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"}
    return subprocess.run(
        list(map(str, words)), cwd=cwd, env=environment, timeout=TIMEOUT, check=False,
        capture_output=True, encoding="utf-8",
    )  # fmt: skip


def must(*words: object) -> str:
    """What a command prints. SystemExit if it fails."""
    done = run(*words)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))}\n{done.stdout}{done.stderr}")
    return done.stdout


def build_wheel(folder: Path) -> Path:
    """The wheel of this checkout."""
    must(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, TESTS.parent)
    return next(folder.glob("nbxunit-*.whl"))


def make_venv(platform: Platform, folder: Path) -> Path:
    """The interpreter of an environment that has the pins; one that is there is used again."""
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not (folder / "complete").exists():
        base = find_python(platform.python)
        assert base is not None
        must(base, "-m", "venv", "--clear", folder)
        must(
            python, "-m", "pip", "install", "-q", "--no-deps", "-r", LISTS / f"{platform.name}.txt"
        )
        (folder / "complete").touch()
    return python


def changes(python: Path, wheel: Path, pins: dict[str, str]) -> dict[str, str]:
    """What `pip install nbxunit` would replace of the pins, besides what it may."""
    report = must(python, "-m", "pip", "install", "-q", "--dry-run", "--report", "-", wheel)
    wanted = [each["metadata"] for each in json.loads(report)["install"]]
    names = {re.sub(r"[-_.]+", "-", each["name"]).lower(): each["version"] for each in wanted}
    pinned = {re.sub(r"[-_.]+", "-", name).lower() for name in pins}
    return {name: version for name, version in names.items() if name in pinned - MAY_CHANGE}


def install(python: Path, wheel: Path) -> None:
    """Add nbxunit, and a pytest that is new enough where the list has none."""
    must(python, "-m", "pip", "install", "-q", "--no-deps", "--force-reinstall", wheel)
    must(python, "-m", "pip", "install", "-q", PYTEST)


def headless(python: object, folder: Path) -> list[tuple[str, str]]:
    """What `nbxunit run -v` says of each test; of one whose subtest fails, how old pytest is tells more."""
    done = run(python, "-m", "nbxunit", "run", "-v", "-p", "no:cacheprovider", ".", cwd=folder)
    found = VERBOSE.findall(done.stdout)
    failed = {test for test, outcome in found if outcome in ("FAILED", "SUBFAILED")}
    return [(test, "FAILED") for test in failed] + [
        (test, outcome)
        for test, outcome in found
        if not outcome.startswith("SUB") and not (test in failed and outcome == "PASSED")
    ] or [("no test ran", done.stdout[-2000:] + done.stderr[-2000:])]


def inline(python: object, name: str, notebook: Path) -> dict[str, list[str]]:
    """The outcomes that stand below each code cell of `notebook`, executed as the front end `name` does."""
    done = run(python, front_ends.__file__, name, notebook)
    try:
        shown = json.loads(done.stdout)
    except json.JSONDecodeError:
        return {"no cell ran": [done.stdout[-2000:] + done.stderr[-2000:]]}
    return {cell: list(_outcomes("\n".join(texts), texts[-1])) for cell, texts in shown.items()}


def _outcomes(text: str, error: str) -> Iterator[str]:
    yield error
    yield from sorted(" ".join(found) for found in OUTCOME.findall(text))
    yield from COUNTS.findall(text)


class Expected:
    """What the examples come to in the environment that runs this script."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notebooks = sorted(folder.glob("*.ipynb"))
        self.headless = headless(sys.executable, folder)
        self.inline = {path: inline(sys.executable, "cellId", path) for path in self.notebooks}

    def differences(self, python: object) -> dict[str, list[str]]:
        """For each way to run the examples, what differs."""
        found = {"headless": [str(pair) for pair in self._headless(python)]}
        for name in front_ends.METADATA:
            found[name] = [
                f"{path.name} {cell}: {got.get(cell)} instead of {wanted.get(cell)}"
                for path, wanted in self.inline.items()
                for got in [inline(python, name, path)]
                for cell in {**wanted, **got}
                if got.get(cell) != wanted.get(cell)
            ]
        return found

    def _headless(self, python: object) -> set[tuple[str, str]]:
        return set(headless(python, self.folder)) ^ set(self.headless)


def main(argv: Sequence[str]) -> int:
    """Try the lists, and print the table."""
    parser = argparse.ArgumentParser(
        description="Run the example notebooks on the version sets of platforms."
    )
    parser.add_argument("lists", nargs="*", default=sorted(path.stem for path in LISTS.glob("*.txt")))  # fmt: skip
    parser.add_argument("--venvs", type=Path, help="where environments are kept from run to run")
    parser.add_argument(
        "--wheel", type=Path, help="the wheel of nbxunit (default: of this checkout)"
    )
    told = parser.parse_args(argv)
    is_good = True
    with tempfile.TemporaryDirectory() as temporary:
        expected = Expected(examples.copy(Path(temporary, "notebooks")))
        wheel = (told.wheel or build_wheel(Path(temporary, "wheel"))).absolute()
        print("| platform | Python | IPython | ipykernel | nbclient | headless | no ids | cellId | Colab's ids | Databricks | pip changes |")  # fmt: skip  # noqa: E501
        print("|---|---|---|---|---|---|---|---|---|---|---|")
        for platform in map(Platform.read, told.lists):
            versions = [platform.version(name) for name in ("ipython", "ipykernel", "nbclient")]
            row = [f"{platform.title} ({platform.name})", platform.python, *versions]
            if find_python(platform.python) is None:
                print("|", " | ".join([*row, "not tried: no such Python here"]), "|", flush=True)
                continue
            folder = (told.venvs or Path(temporary)).absolute() / platform.name
            python = make_venv(platform, folder)
            changed = changes(python, wheel, platform.pins)
            install(python, wheel)
            found = expected.differences(python)
            row += ["as newest" if not differs else f"{len(differs)} differ" for differs in found.values()]  # fmt: skip
            print("|", " | ".join([*row, ", ".join(changed) or "nothing"]), "|", flush=True)
            for way, differs in found.items():
                for text in differs:
                    print(f"{platform.name}, {way}: {text}", file=sys.stderr)
            is_good &= not changed and not any(found.values())
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
