"""Output folder: tried before anything is asked, and rid of what killed runs left half-written."""

import tempfile
from pathlib import Path

from mmbench.harness.errors import UsageError
from mmbench.harness.records.files import sweep


def try_writing(output: Path, label: str) -> None:
    """Write where a model's records will stand, or where their folder will be made. Raises UsageError."""
    folder = output / "runs" / label
    try:
        there = next(each for each in (folder, *folder.parents) if each.exists() or each.is_symlink())
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"0")
        for held in (output, output / "runs", *(output / "runs").glob("*/")):
            if held.is_dir():
                sweep(held)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UsageError(f"{folder} cannot be written ({reason}); choose another folder with --output") from error
