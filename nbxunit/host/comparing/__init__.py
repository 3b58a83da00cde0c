"""Stored outputs beside new ones: normalised, compared, shown, and written into the notebook.

May import `notebooks`. Cells come in; differences go out. All but writing is a function of its arguments.
"""
