"""Benchmarks: families, metrics, data sources, the task catalogue and the suites."""

from pathlib import Path

TASKS = Path(__file__).parent / "catalogue"
"""Folder of the task files that ship with mmbench."""

SUITES = Path(__file__).parent / "suites"
"""Folder of the suite files that ship with mmbench."""

DEFAULT_SUITE = "perception"
"""Suite that is run where none is named."""
