"""HTML report of a results folder: one file, no network, opened from disk, made from the records alone."""

from mmbench.harness.report.write import Written, write_report

__all__ = ["Written", "write_report"]
