"""One HTML file that shows a results folder to a person: no network, opens from disk, made from the records alone."""

from mmbench.harness.report.write import Written, write_report

__all__ = ["Written", "write_report"]
