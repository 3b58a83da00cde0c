"""One pytest run of the notebook: prepared, collected, selected, finished.

May import `lifecycle`, `cells`, `compat`. Declarations and the notebook's names come in; pytest's reports go
out, to `headless.wire` or to `results`.
"""
