"""What of the hub is on this machine: repositories in its cache, their commits, sizes and locks; no traffic."""

from dataclasses import asdict, dataclass
from pathlib import Path

from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError
from mmbench.harness.hub import lock


@dataclass(frozen=True, slots=True)
class Here:
    """One repository of the cache."""

    what: str
    """`data set` or `model`."""
    name: str
    commits: tuple[str, ...]
    bytes: int
    """On the disk."""
    files: int
    locked: str
    """The commit to which its main branch is locked; empty: to none."""
    begun: int
    """Files of which a part is here, to go on with."""

    def as_json(self) -> dict[str, Json]:
        """Return it as JSON holds it."""
        return {**asdict(self), "commits": list(self.commits)}


def here() -> list[Here]:
    """Return what the hub's cache holds, data sets first."""
    from huggingface_hub import constants

    root = Path(constants.HF_HUB_CACHE)
    kinds = (("datasets", "data set"), ("models", "model"))
    return [
        _of(folder, what, folder.name.removeprefix(f"{start}--").replace("--", "/", 1))
        for start, what in kinds
        for folder in sorted(root.glob(f"{start}--*"))
        if folder.is_dir()
    ]


def _of(folder: Path, what: str, name: str) -> Here:
    blobs = [file for file in (folder / "blobs").glob("*") if file.is_file()]
    whole = [file for file in blobs if file.suffix != ".incomplete"]
    snapshots = folder / "snapshots"
    commits = sorted(each.name for each in snapshots.glob("*") if any(each.iterdir())) if snapshots.is_dir() else []
    loose = [file for file in snapshots.rglob("*") if file.is_file() and not file.is_symlink()]  # where links are none
    size = sum(file.stat().st_size for file in [*blobs, *loose])
    return Here(what, name, tuple(commits), size, len(whole) + len(loose), _locked(what, name), len(blobs) - len(whole))


def _locked(what: str, name: str) -> str:
    try:
        held = lock.read(name, "main") if what == "data set" else None
    except DataError:
        return "the lock file cannot be read"
    return held.commit if held is not None else ""
