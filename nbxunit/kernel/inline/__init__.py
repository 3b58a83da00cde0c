"""What a person does in a live notebook: the magics, their actions, a scope kept open, completion.

May import `run`, `results`, `lifecycle`, `cells`, `compat`. Lines of cells come in; results go out, as
outputs of the cell.
"""
