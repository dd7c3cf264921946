"""A real Tryton server for tests and the demo: installed from pinned requirements, built once, cloned for each run."""
