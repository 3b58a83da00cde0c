"""`nbxunit watch`: runs what a save touches, at once.

May import all other rooms. Saves and keys come in (`watch`), go to a process that was forked ahead (`runner`),
and what it prints goes to the terminal (`screen`).
"""
