"""In the kernel, beside the user's cells: registry, engine, magics. Never imports `nbxunit.host`."""
