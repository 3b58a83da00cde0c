"""Companion tests: an ordinary test module whose fixture `notebook` executes a notebook's cells.

May import `run`, `results`, `lifecycle`, `cells`, `compat`. The marks of a test module come in; the notebook's
very objects go out, to its tests, and the executed notebook, to be saved.
"""
