"""What the cells of a notebook declare: the notebook, its registry, its cells' source.

May import `compat`. In come the cells that the shell is about to run; out go declarations (hooks, tests,
definitions), which `run` makes pytest's items of.
"""
