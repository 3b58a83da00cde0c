"""Many notebooks on kernels: which run when, the execution of cells, the request in which tests run.

May import `kernels`, `notebooks`. A job comes in; its records go out, in order.
"""
