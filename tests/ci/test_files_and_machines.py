"""What a run leaves in files, and what it takes of the machine."""

from __future__ import annotations

import shutil
import subprocess
import sys

import nbformat
import pytest

PASSING = "def test_a(): pass"


def code(path) -> list[nbformat.NotebookNode]:
    return [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]


def printed(cell: nbformat.NotebookNode) -> str:
    return "".join(output.text for output in cell.outputs)


def test_what_was_saved_does_not_run(shell):
    """A notebook that --save has written in the tested folder is no notebook of the next run."""
    shell.write("a.ipynb", PASSING)
    shell.run(".", "--save", "executed")
    assert shell.run(".", "--save", "executed", "-v").counts == {"passed": 1}
    assert shell.run("executed/a.ipynb").counts == {"passed": 1}
    shutil.move(shell.folder / "executed/a.ipynb", shell.folder / "a.ipynb")
    assert shell.run(".").counts == {"passed": 1}


def test_frames(shell):
    """Of outputs that the cell clears, the last one is kept, and what follows it; others' stay."""
    shell.write(
        "a.ipynb",
        "from IPython.display import clear_output",
        "for n in range(60):\n    clear_output(wait=True)\n    print(n, 'x' * 1_000_000)\nprint('after')",
        "print('x')\nclear_output(wait=True)",
        "print('y')\nclear_output()\nprint('z')",
        PASSING,
    )
    assert shell.run("a.ipynb", "--save", "out").exit == 0
    _, frames, pending, cleared, _ = code(shell.folder / "out/a.ipynb")
    assert printed(frames) == f"59 {'x' * 1_000_000}\nafter\n"
    assert printed(pending) == "x\n"
    assert printed(cleared) == "z\n"


def test_widgets(shell):
    """The state of widgets is saved, and what goes into an output widget stands in it."""
    shell.write(
        "a.ipynb",
        "import ipywidgets\nslider, out = ipywidgets.IntSlider(3), ipywidgets.Output()",
        "with out:\n    for n in range(3):\n        print(n)\nprint('beside')\nslider",
        "def test_a():\n    assert out.outputs[0]['text'] == '0\\n1\\n2\\n'",
    )
    result = shell.run("a.ipynb", "--save", "out")
    assert result.exit == 0, result.output
    saved = nbformat.read(shell.folder / "out/a.ipynb", 4)
    beside, slider = saved.cells[1].outputs
    assert beside.text == "beside\n"
    state = saved.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    model = slider.data["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert state[model]["state"]["value"] == 3
    outputs = [
        each["state"]["outputs"] for each in state.values() if each["model_name"] == "OutputModel"
    ]
    assert outputs == [[{"output_type": "stream", "name": "stdout", "text": "0\n1\n2\n"}]]


def test_saved_results(shell):
    """Test cells of a saved notebook show what they would show inline, and so do magics that run and list."""
    shell.write(
        "a.ipynb",
        "%load_ext nbxunit\nimport matplotlib.pyplot as plt",
        "%%xunit_setup module\nrows = [1]",
        "%%xunit_test test_rows\nprint('printed')\nassert rows == [2]",
        "%%xunit_test test_known --mark xfail\nassert 0",
        "def test_plot():\n    plt.plot([1, 2])",
        "%xunit_run",
        "%xunit_list",
    )
    shell.run("a.ipynb", "--save", "out")
    _, hook, rows, known, plot, run, tree = code(shell.folder / "out/a.ipynb")
    assert hook.outputs == []
    plain, html = (rows.outputs[0].data[kind] for kind in ("text/plain", "text/html"))
    for words in (
        "a.ipynb cell 3, line 3",
        "assert rows == [2]",
        "stdout call: printed",
        "module setup [2] ok",
    ):
        assert words in plain
    assert "test_rows" in html
    assert "test_known  xfailed" in known.outputs[0].data["text/plain"]
    assert "data:image/png" in plot.outputs[0].data["text/html"]
    assert "1 failed, 1 xfailed, 1 passed in" in run.outputs[0].data["text/plain"]
    assert "test test_known  x xfailed" in tree.outputs[0].data["text/plain"]
    assert [len(cell.outputs) for cell in (rows, known, plot, run, tree)] == [1, 1, 1, 1, 1]


def test_preloaded_modules(shell):
    """Modules that the fork server has imported see the kernel's folder and backend as if imported there."""
    (shell.folder / "beside.py").write_text("def double(n):\n    return 2 * n\n")
    shell.write(
        "a.ipynb",
        "import beside, joblib, multiprocessing, matplotlib.pyplot as plt, tempfile, time",
        "plt.plot([1, 2]);",
        "def test_loky():\n    work = (joblib.delayed(beside.double)(n) for n in (1, 2))\n"
        "    assert joblib.Parallel(2)(work) == [2, 4]",
        "def test_spawned():\n    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        assert pool.map(beside.double, [1]) == [2]",
    )
    shell.env["TMPDIR"] = str(shell.folder)
    names = "joblib,multiprocessing.pool,matplotlib.pyplot"
    result = shell.run("a.ipynb", "--preload", names, "--save", "out")
    assert result.counts == {"passed": 2}, result.output
    (figure,) = code(shell.folder / "out/a.ipynb")[1].outputs
    assert "image/png" in figure.data


@pytest.mark.parametrize(("limit", "at_once"), [("-n 256", 4), ("-S -n 256", 8)])
def test_few_open_files(shell, limit, at_once):
    """Where the system lets a process have few open files, fewer notebooks run at once, and all run."""
    for number in range(10):
        shell.write(f"{number}.ipynb", "import time; time.sleep(0.5)", PASSING)
    shell.launcher = ["bash", "-c", f'ulimit {limit}; exec "$@"', "bash"]
    result = shell.run(".", "-n", "8")
    assert result.counts == {"passed": 10}, result.output
    said = f"-n 8: only {at_once} at once, since the system lets a process have 256 open files"
    assert (said in result.output) == (at_once < 8)


NO_SOCKETS = """
import socket
class Socket(socket.socket):
    def bind(self, address):
        if self.family == socket.AF_UNIX:
            raise OSError(95, "Operation not supported")
        super().bind(address)
socket.socket = Socket
"""


def test_a_file_system_without_sockets(shell):
    """Where the temporary folder can hold no sockets, kernels speak TCP."""
    (shell.folder / "sitecustomize.py").write_text(NO_SOCKETS)
    shell.env["PYTHONPATH"] = str(shell.folder)
    shell.write("a.ipynb", PASSING)
    result = shell.run("a.ipynb")
    assert result.counts == {"passed": 1}, result.output


def test_inside_a_running_loop(shell):
    """`pytest.main` can be called where an event loop runs, as in a notebook."""
    shell.write("a.ipynb", PASSING)
    (shell.folder / "main.py").write_text(
        "import asyncio, pytest, sys\n"
        "async def main():\n    return pytest.main(['--nbxunit', 'a.ipynb', *sys.argv[1:]])\n"
        "sys.exit(asyncio.run(main()))\n"
    )
    words = [each.replace("--no-fork", "--nbxunit-no-fork") for each in shell.options]
    result = subprocess.run(
        [sys.executable, "main.py", *words], cwd=shell.folder, env=shell.env,
        capture_output=True, text=True, check=False, timeout=90,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 passed" in result.stdout
