"""Findings in notebooks without a kernel: what a run would refuse, or would pass untested.

One file a kind of finding. A notebook comes in (`reading`), goes through each kind (`kinds`), and findings
come out (`output`). Imports the modules that both sides share and the standard library, so that an editor
can call it and a hundred notebooks take a moment.
"""
