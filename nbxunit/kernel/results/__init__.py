"""One model of a run, and its forms: text and HTML.

May import `cells`, `compat`. Reports come in, in the form in which they are serialised; outputs go out.
"""
