"""The pytest session on the host: collection, items, replay of reports, selection, signals.

May import all other rooms of the host. Paths and options come in; pytest's reports go out, to its reporters.
"""
