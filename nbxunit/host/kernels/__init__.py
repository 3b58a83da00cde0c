"""Kernels: started or forked, watched, asked what they do, stopped.

May import `notebooks`. A kernelspec's name and a folder come in; a running kernel goes out.
"""
