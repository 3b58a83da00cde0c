"""What `%xunit_run --help` says below the magic's own words. Imports nothing."""

from __future__ import annotations

OF_RUN = """

Options that people use most:
    -k EXPR          tests whose names fit: -k "insert and not slow"
    -m EXPR          tests with these marks
    -x, --maxfail=N  stop at the first failure, or the Nth
    --lf, --ff       only what failed last time, or that first
    -s               prints and displays go straight to the cell
    -v, -vv          longer explanations
    --tb=short, -l   shorter tracebacks; the variables in them
    --durations=N    the slowest
    --pdb            the debugger at a failure
    --fixtures       the fixtures that there are

All of pytest's options: `!pytest --help`. What reports or distributes (--junitxml, -n) is for `nbxunit run`.
"""
