"""When hooks, tests and cleanups run, and what they await: scopes, hook cells as fixtures, unittest's rules.

May import `cells`, `compat`. Declarations come in; fixtures that pytest sets up and tears down go out.
"""
