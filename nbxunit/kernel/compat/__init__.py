"""Every private name of pytest, IPython and ipykernel that the kernel side uses, and nothing else.

Imports nothing of ours but what both sides share. Each name says why no public one will do, and has a
test that runs on the oldest and the newest supported versions.
"""
