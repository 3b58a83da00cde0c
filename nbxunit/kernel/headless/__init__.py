"""What a host asks of a kernel: to prepare, to execute cells, to run the tests, to fork.

May import all other rooms of the kernel. Orders come in as requests; events go out over `wire`.
"""
