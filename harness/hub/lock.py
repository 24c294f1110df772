"""Locks: the commit and the digests by which data goes that a task names without a `revision`, kept between runs.

One small JSON file for each data set, `$MMBENCH_HOME/hub/ORG--NAME/lock.json`, beside what is known of its commits:
branch to `commit` and `files`, path to digest. A person may read it, copy it to another machine, and remove it.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mmbench.harness.errors import DataError
from mmbench.harness.hub.listing import COMMIT, Listing, folder_of
from mmbench.harness.regular import read_regular
from mmbench.harness.strict_json import parse_json

_MOST = 1 << 28
"""Bytes of a file that is read."""
UPDATE = "`mmbench lock --update-lock` takes what the hub has now"

_renewing = False
_renewed: set[tuple[str, str]] = set()


@dataclass(frozen=True, slots=True)
class Lock:
    """What a branch of a data set stood for when it was first asked."""

    commit: str
    files: Mapping[str, str]
    """Digests of the files that were read, by path."""


@contextmanager
def renewing() -> Iterator[None]:
    """While this lasts locks are not read but written anew, each once."""
    global _renewing  # noqa: PLW0603 - threads that open data must see it
    _renewing, before = True, _renewing
    _renewed.clear()
    try:
        yield
    finally:
        _renewing = before


def due_anew(name: str, branch: str) -> bool:
    """Tell whether the lock of a branch is to be written anew now."""
    return _renewing and (name, branch) not in _renewed


def read(name: str, branch: str) -> Lock | None:
    """Return the lock of a branch, or None. Raises DataError where the file cannot be read: it is not passed over."""
    return None if due_anew(name, branch) else _all(name).get(branch)


def keep(name: str, branch: str, listing: Listing, paths: Iterator[str]) -> bool:
    """Lock files of a branch to a commit; tell whether they are locked, which takes a home that can be written.

    Raises DataError where another process locked another commit in the meantime.
    """
    held = _all(name)
    before = None if due_anew(name, branch) else held.get(branch)
    if before is not None and before.commit != listing.commit:
        raise DataError(
            f"{name}: another run locked '{branch}' to the commit {before.commit[:12]} just now; run this one again"
        )
    files = {**(before.files if before else {}), **{path: listing.files[path].digest for path in paths}}
    if before is not None and before.files == files:
        return True
    try:
        _write(name, {**held, branch: Lock(listing.commit, files)}, fresh=not held)
    except FileExistsError:  # another process was first: what it wrote holds
        return keep(name, branch, listing, iter(files))
    except OSError:
        return False
    _renewed.add((name, branch))
    return True


def check(name: str, branch: str, lock: Lock, listing: Listing) -> None:
    """Raise DataError where the hub tells other digests of locked files than it did."""
    for path, digest in lock.files.items():
        found = listing.files.get(path)
        if found is None or found.digest != digest:
            said = "is gone" if found is None else "is another file now"
            raise DataError(
                f"{path} of {name} {said}, by the lock of '{branch}' ({lock.commit[:12]}), though the commit is the "
                f"same; {UPDATE}"
            )


def file_of(name: str) -> Path:
    """Return where the locks of a data set are kept."""
    return folder_of(name) / "lock.json"


def _all(name: str) -> dict[str, Lock]:
    file = file_of(name)
    if not os.path.lexists(file):
        return {}
    try:
        held = parse_json(read_regular(file, _MOST).decode())
        if not isinstance(held, dict):
            raise ValueError("no object")
        return {branch: _lock(each) for branch, each in held.items()}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(
            f"the lock file {file} cannot be read ({str(error) or type(error).__name__}); restore it, or remove it to "
            "lock the data set to what the hub has now"
        ) from error


def _lock(held: object) -> Lock:
    commit, files = (held["commit"], held["files"]) if isinstance(held, dict) else (None, None)
    if not isinstance(commit, str) or COMMIT.fullmatch(commit) is None or not isinstance(files, dict):
        raise ValueError("an entry has no commit and files")
    return Lock(commit, {str(path): str(digest) for path, digest in files.items()})


def _write(name: str, locks: Mapping[str, Lock], *, fresh: bool) -> None:
    file = file_of(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    made = file.with_name(f"{file.name}.{os.getpid()}")
    content = {
        branch: {"commit": lock.commit, "files": dict(sorted(lock.files.items()))} for branch, lock in locks.items()
    }
    try:
        made.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        if fresh:
            os.link(made, file)  # unlike a renaming it fails where another process was first
        else:
            made.replace(file)
    finally:
        made.unlink(missing_ok=True)
