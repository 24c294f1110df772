"""Files of a data set at one commit, remembered between runs: what is known of a commit stays true."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError
from mmbench.harness.store.location import store_path
from mmbench.harness.store.memory import keep, recall

COMMIT = re.compile(r"[0-9a-f]{40}")
_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_LONGEST = 500
"""Characters of a path."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One file of a commit."""

    size: int
    """Bytes."""
    digest: str
    """SHA-256 of its content (64 digits), or SHA-1 as git counts it (40)."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What is known of one commit."""

    commit: str
    files: Mapping[str, Listed]
    """By their path in the repository."""
    rows: Mapping[str, int] = field(default_factory=dict)
    """Rows of those files whose number was asked for."""
    licence: str = ""
    """As the page's metadata states it; empty: not stated."""
    gate: str = ""
    """What the hub asks before files may be had: `auto` (accept the terms) or `manual` (wait for its owners)."""

    def with_rows(self, rows: Mapping[str, int]) -> "Listing":
        """Return the same with more that is known."""
        return replace(self, rows={**self.rows, **rows})

    def with_terms(self, licence: object, gate: object) -> "Listing":
        """Return the same with the terms, where they are told as texts."""
        told = [each if isinstance(each, str) and each.isprintable() else "" for each in (licence, gate)]
        return replace(self, licence=told[0][:_LONGEST], gate=told[1][:_LONGEST])


def checked(name: str, commit: str, files: Mapping[str, tuple[object, object]]) -> Listing:
    """Return what the hub says of a commit: path to size and digest. Raises DataError where it cannot be so."""
    if COMMIT.fullmatch(commit) is None:
        raise DataError(f"the hub names no commit of {name}, expected 40 hexadecimal digits")
    made = {}
    for path, (size, digest) in files.items():
        parts = PurePosixPath(path).parts
        within = parts and ".." not in parts and not path.startswith("/") and "\\" not in path and path.isprintable()
        if not within or len(path) > _LONGEST:
            raise DataError(f"{name} lists the file {path[:_LONGEST]!r}, which is no path within it")
        if not isinstance(size, int) or not isinstance(digest, str) or _DIGEST.fullmatch(digest) is None:
            raise DataError(f"the hub tells neither size nor digest of {path} in {name}, by which it could be checked")
        made[path] = Listed(size, digest)
    return Listing(commit, made)


def remembered(name: str, commit: str) -> Listing | None:
    """Return what an earlier run learnt of a commit, or None."""
    held = recall(folder_of(name) / f"{commit}.json")
    files, rows = held.get("files"), held.get("rows")
    if not isinstance(files, dict) or not isinstance(rows, dict):
        return None
    try:
        made = checked(name, commit, {path: (each[0], each[1]) for path, each in files.items()})
    except (DataError, LookupError, TypeError):
        return None
    made = made.with_terms(held.get("licence"), held.get("gate"))
    return made.with_rows({path: count for path, count in rows.items() if isinstance(count, int)})


def remember(name: str, listing: Listing) -> None:
    """Keep what is known of a commit for later runs."""
    files: dict[str, Json] = {path: [each.size, each.digest] for path, each in listing.files.items()}
    terms = {"licence": listing.licence, "gate": listing.gate}
    keep(folder_of(name) / f"{listing.commit}.json", {"files": files, "rows": dict(listing.rows), **terms})


def last_commit(name: str, revision: str) -> str | None:
    """Return the commit for which a branch or tag last stood, or None."""
    found = recall(folder_of(name) / "revisions.json").get(revision)
    return found if isinstance(found, str) and COMMIT.fullmatch(found) else None


def remember_commit(name: str, revision: str, commit: str) -> None:
    """Keep for which commit a branch or tag stands now."""
    file = folder_of(name) / "revisions.json"
    keep(file, {**recall(file), revision: commit})


def folder_of(name: str) -> Path:
    """Return where what is known of a data set is kept."""
    return store_path().parent / "hub" / name.replace("/", "--")
