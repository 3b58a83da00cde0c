"""Notebook files: read, looked at without executing them, bounded, saved.

Imports no other room. A path comes in; cells go out, and come back with their outputs to be saved.
"""
