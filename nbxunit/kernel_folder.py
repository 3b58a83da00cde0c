"""The files in a kernel's folder by which kernel and host tell each other what no message could.

Shared by both; imports nothing. A kernel that hangs or has died answers nothing.
"""

TIMED_OUT = "timed-out"
"""The file that names the test for which the host's next interrupt is."""
REACTED = "reacted"
"""The file that is touched when a test failed by its time: what is left has it again."""
CURRENT_CELL = "cell"
"""The file that says which cell runs."""
COMPANION_CELL = "companion-cell"
"""The file that says which cell a companion's fixture executes; else it is empty."""
LOG_FILE = "log"
"""The file to which pytest writes there what `--log-file` asks for."""
WIDGETS = "widgets"
"""The file with the state of its widgets, as a notebook's metadata have it."""
RESULTS = "results"
"""The file with what the cells of a saved notebook show of the run: outputs by the labels of cells."""
LAST_OUTPUT = "output"
"""The file with the last messages of output of its cells, a line of JSON each."""
