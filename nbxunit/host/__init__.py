"""In the shell or CI: pytest plugin, command line, notebook files, kernels. Never imports `nbxunit.kernel`."""
