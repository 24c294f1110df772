"""A data set's repository of the hub at one commit: its files fetched one by one into the hub's cache and checked."""

import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from mmbench.harness.errors import DataError, DataUnavailable
from mmbench.harness.hub import listing as listings
from mmbench.harness.hub import lock as locks
from mmbench.harness.hub.access import endpoint, failures, no_answer, offline
from mmbench.harness.hub.digests import has_digest, remove
from mmbench.harness.hub.failures import explained
from mmbench.harness.hub.listing import COMMIT, Listing

MAIN = "main"
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_REVISION = re.compile(r"[A-Za-z0-9_][\w./+-]{0,199}", re.ASCII)
_ANSWER_SECONDS = 30.0
"""Time limit of one answer about a data set, which may list many thousand files."""
_NAMED = 20
"""Missing files that a message names."""
_AT_ONCE = 8
"""Ends of files that are asked for at a time."""

_NAME_IT = "name it as `revision`, so that later runs ask the same data"

_stand_for: dict[tuple[str, str, str], str] = {}
"""Address, data set and branch to the commit that a run of this process goes by: one and the same throughout."""


class Repository:
    """Files of a data set at one commit.

    Raises DataError, within seconds, where the names cannot be meant, and DataUnavailable where the hub has no such
    data set or revision, may not be asked, or does not answer. Without a revision it is of the commit to which `branch`
    is locked (`hub/lock.py`), or where there is no lock yet of that for which it stands.
    """

    def __init__(self, name: str, revision: str | None, branch: str = MAIN) -> None:
        if _NAME.fullmatch(name) is None or ".." in name or "--" in name or name.endswith((".git", ".", "-")):
            raise DataError(f"the id {name!r} is none of the hub's; write `id: ORG/NAME` as in the page's address")
        asked = revision or branch
        if _REVISION.fullmatch(asked) is None or ".." in asked:
            raise DataError(f"the revision {asked!r} is none; write a commit of 40 digits, a branch or a tag")
        self.name = name
        self.branch = branch if revision is None else None
        """The branch that is locked; None where the revision is named."""
        self._listing = _listing(name, asked) if revision is not None else _locked(name, branch)
        self.commit = self._listing.commit
        self.gives_ends = True
        """False once the server sent a whole file where its end was asked for."""
        self._answers = False
        self.notes: list[str] = []
        """What a reader of the scores should know of the data."""
        if revision is not None and COMMIT.fullmatch(revision) is None:
            self.notes.append(self._stood(revision, f"; {_NAME_IT}"))

    def _stood(self, branch: str, then: str) -> str:
        return f"{self.name}: '{branch}' stood for the commit {self.commit}{then}"

    def lock(self, paths: Iterable[str]) -> None:
        """Note the commit, and lock these files to it, where the task names no revision. Raises DataError."""
        if self.branch is not None:
            kept = locks.keep(self.name, self.branch, self._listing, iter(paths))
            then = ", to which it is locked on this machine" if kept else f", and cannot be locked here; {_NAME_IT}"
            self.notes[:] = [self._stood(self.branch, then)]

    def stands_for(self) -> str:
        """Return the commit for which the branch stands now. Raises DataUnavailable."""
        assert self.branch is not None  # noqa: S101 - for the type checker
        _require(f"the commit of '{self.branch}' of {self.name}")
        return _asked(self.name, self.branch).commit

    @property
    def licence(self) -> str:
        """As the page's metadata states it; empty: not stated."""
        return self._listing.licence

    @property
    def gate(self) -> str:
        """What the hub asks before files may be had, `auto` or `manual`; empty: nothing that it tells."""
        return self._listing.gate

    @property
    def files(self) -> Iterable[str]:
        """Paths of the files in the repository."""
        return self._listing.files.keys()

    def bytes_of(self, paths: Iterable[str]) -> int:
        """Return the bytes of these files, here or not."""
        return sum(self._listing.files[path].size for path in paths)

    def missing_bytes(self, paths: Iterable[str]) -> int:
        """Return the bytes of these files that are not in the cache."""
        return sum(self._listing.files[path].size for path in paths if self.here(path) is None)

    @property
    def snapshot(self) -> Path:
        """Folder of the cache in which the files of the commit stand."""
        from huggingface_hub import constants

        folder = f"datasets--{self.name.replace('/', '--')}"
        return Path(constants.HF_HUB_CACHE) / folder / "snapshots" / self.commit

    def here(self, path: str) -> Path | None:
        """Return where the cache has a file, or None; no traffic."""
        from huggingface_hub import constants, try_to_load_from_cache

        found = try_to_load_from_cache(
            self.name, path, revision=self.commit, repo_type="dataset", cache_dir=constants.HF_HUB_CACHE
        )
        return Path(found) if isinstance(found, str) else None

    def fetch(self, path: str, among: Sequence[str] = ()) -> Path:
        """Return a file of the cache, fetched if need be, whose content is what the hub says of it.

        Raises DataUnavailable where it cannot be had, which names what else of `among` is missing, and DataError where
        its content is another.
        """
        file = self.here(path)
        if file is None:
            self._require(path, among)
            file = self._fetched(path)
            try:
                self._check(path, file)
            except DataError:
                remove(file)  # it came just now, as a page of a proxy does, and would be taken for the file later
                raise
            return file
        self._check(path, file)
        return file

    def rows(self, paths: Iterable[str], count: Callable[[str], int]) -> dict[str, int]:
        """Return the number of rows of each file, which `count` finds out once for each commit."""
        unknown = [path for path in paths if path not in self._listing.rows]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = dict(zip(unknown, pool.map(count, unknown), strict=True))
        if found:
            self._listing = self._listing.with_rows(found)
            listings.remember(self.name, self._listing)
        return {path: self._listing.rows[path] for path in paths}

    def end(self, path: str, most: int, among: Sequence[str] = ()) -> bytes:
        """Return the last bytes of a file without fetching it. Raises as `fetch`."""
        size = self._listing.files[path].size
        return self.part(path, max(size - most, 0), size, among)

    def part(self, path: str, start: int, stop: int, among: Sequence[str] = ()) -> bytes:
        """Return the bytes from `start` to `stop` of a file without fetching it. Raises as `fetch`."""
        self._require(path, among)
        answer = self._answer("GET", path, {"Range": f"bytes={start}-{stop - 1}", "Accept-Encoding": "identity"})
        content = bytes(answer.content)
        if answer.status_code == 200:
            self.gives_ends = not start
            content = content[start:stop]
        if len(content) != stop - start:
            raise DataError(f"{self._another(path)} its size; name another `revision`, or run again later")
        return content

    def _require(self, path: str, among: Sequence[str]) -> None:
        if not self._answers or offline():  # one short look is enough: the client has time limits of its own
            others = [each for each in among if each != path and self.here(each) is None]
            more = f" and {len(others)} more files" if len(others) > _NAMED else "".join(f", {each}" for each in others)
            _require(f"{path}{more} of {self.name} at {self.commit[:12]}")
            self._answers = True

    def _answer(self, method: str, path: str, headers: dict[str, str]) -> Any:
        """Ask for a file once. Raises DataUnavailable."""
        from huggingface_hub import hf_hub_url
        from huggingface_hub.utils import (  # type: ignore[attr-defined]  # public, but re-exported without a word
            build_hf_headers,
            get_session,
            hf_raise_for_status,
        )

        url = hf_hub_url(self.name, path, repo_type="dataset", revision=self.commit, endpoint=endpoint())
        try:
            answer = get_session().request(
                method, url, headers={**build_hf_headers(), **headers}, timeout=_ANSWER_SECONDS
            )
            hf_raise_for_status(answer)
        except failures() as error:
            raise explained(error, self.name, f"{path} of {self.name}") from error
        return answer

    def _fetched(self, path: str) -> Path:
        from huggingface_hub import constants, hf_hub_download

        self._answer("HEAD", path, {})  # the client asks again and again, for as long as a busy hub tells it to wait
        try:
            return Path(
                hf_hub_download(
                    self.name,
                    path,
                    repo_type="dataset",
                    revision=self.commit,
                    cache_dir=constants.HF_HUB_CACHE,
                    endpoint=endpoint(),
                    etag_timeout=_ANSWER_SECONDS,
                )
            )
        except failures() as error:
            raise explained(error, self.name, f"{path} of {self.name}") from error

    def _check(self, path: str, file: Path) -> None:
        expected = self._listing.files[path]
        try:
            same = file.stat().st_size == expected.size and has_digest(file, expected.digest)
        except OSError as error:
            raise DataError(f"{file} cannot be read: {error.strerror or error}") from error
        if not same:
            raise DataError(
                f"{self._another(path)} its digest; it was changed on its way (by a proxy with a page of its own?), "
                f"here or at the hub: remove {file.resolve()} if it is there, and run again"
            )

    def _another(self, path: str) -> str:
        return f"{path} of {self.name} is not the file of commit {self.commit[:12]}, by"


def _locked(name: str, branch: str) -> Listing:
    lock = locks.read(name, branch)
    if lock is None:
        return _listing(name, branch, anew=locks.due_anew(name, branch))
    try:
        found = _listing(name, lock.commit)
    except DataUnavailable as error:
        if offline():
            raise
        raise DataUnavailable(f"{error} ('{branch}' is locked to {lock.commit[:12]}; {locks.UPDATE})") from error
    locks.check(name, branch, lock, found)
    return found


def _listing(name: str, revision: str, *, anew: bool = False) -> Listing:
    pinned = COMMIT.fullmatch(revision) is not None
    key = (endpoint(), name, revision)
    commit = revision if pinned else None if anew else _stand_for.get(key)
    if commit is None and offline():
        commit = listings.last_commit(name, revision)
    known = None if commit is None else listings.remembered(name, commit)
    if known is None:
        _require(f"the list of files of {name} at {revision if commit is None else commit[:12]}")
        known = _asked(name, commit or revision)
        if pinned and known.commit != revision:
            raise DataError(f"the hub answers with the commit {known.commit} of {name}, expected {revision}")
        listings.remember(name, known)
    if not pinned:
        _stand_for[key] = known.commit
        listings.remember_commit(name, revision, known.commit)
    return known


def _asked(name: str, revision: str) -> Listing:
    from huggingface_hub import HfApi

    try:
        told = HfApi(endpoint=endpoint()).dataset_info(
            name, revision=revision, files_metadata=True, timeout=_ANSWER_SECONDS
        )
        files = {}
        for each in told.siblings or []:
            files[each.rfilename] = (each.size, each.lfs["sha256"] if each.lfs else each.blob_id)
        stated = getattr(told.card_data, "license", None)
        licence = ", ".join(map(str, stated)) if isinstance(stated, list) else stated
        return listings.checked(name, str(told.sha), files).with_terms(licence, told.gated or "")
    except failures() as error:
        raise explained(error, name, f"the list of files of {name} at {revision[:12]}") from error
    except (AttributeError, KeyError, TypeError) as error:
        raise DataUnavailable(f"the hub's answer about {name} cannot be read; is HF_ENDPOINT right?") from error


def _require(what: str) -> None:
    if offline():
        raise DataUnavailable(
            f"{what}: not in the hub's cache (HF_HOME), and offline nothing is fetched; run once with a network"
        )
    reason = no_answer()
    if reason is not None:
        raise DataUnavailable(f"{what}: not in the hub's cache (HF_HOME), and {reason}; run where the hub answers")
