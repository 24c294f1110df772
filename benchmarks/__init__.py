"""Benchmarks: families, metrics, data sources, the task catalogue and the suites."""

from pathlib import Path

TASKS = Path(__file__).parent / "catalogue"
"""Folder of the task files that ship with mmbench."""

SUITES = Path(__file__).parent / "suites"
"""Folder of the suite files that ship with mmbench."""

ANCHORS = Path(__file__).parent / "published" / "anchors.tsv"
"""File of published figures that `mmbench verify` measures models against."""

DEFAULT_SUITE = "perception"
"""Suite that is run where none is named."""
