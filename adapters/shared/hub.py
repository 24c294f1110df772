"""Model hub files: read from the cache without network traffic, else downloaded if the hub answers a short probe."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from mmbench.harness.errors import WeightsUnavailable
from mmbench.harness.hub.access import SECONDS, failures, first_line, no_answer, offline
from mmbench.harness.store.remembered import remembered_digest

_WAYS_OUT = (
    "fill the cache (HF_HOME) where there is a network and pass --offline, give a local checkpoint as "
    "open_clip:ARCH@FILE or hf:FOLDER, or take a model that needs no download, tiny-coca"
)
_TOKENIZER = ("*.json", "*.model", "*.txt")
_VOCABULARIES = ("tokenizer.json", "*.model", "vocab.*")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Files of a repository that make a model."""

    repo: str
    """`owner/name`."""
    revision: str | None
    """Branch, tag or commit; None for the main branch."""
    beside: tuple[str, ...]
    """Patterns of the files beside the weights."""
    weights: tuple[tuple[str, ...], ...]
    """Patterns of the weights, in order of preference: the first that the repository has are fetched."""


def cached(repo: str, filenames: Sequence[str]) -> Path | None:
    """Return the first of `filenames` that the hub's cache on this machine holds, or None; no traffic."""
    from huggingface_hub import try_to_load_from_cache

    for filename in filenames:
        found = try_to_load_from_cache(repo, filename)
        if isinstance(found, str):
            return Path(found)
    return None


def fetch(repo: str, filenames: Sequence[str], *, offline: bool, what: str) -> Path:
    """Return the first of `filenames` that `repo` has, from the cache or downloaded into it.

    Raises WeightsUnavailable, within seconds, when the file is not here and cannot be had; `what` names it to a person.
    """
    found = cached(repo, filenames)
    if found is not None:
        return found
    _require(offline, what)
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    for filename in filenames:
        try:
            return Path(hf_hub_download(repo, filename, etag_timeout=SECONDS))
        except failures() as error:
            # Absent from the repository: the next name may be there. The local kind means that nothing answered.
            if not isinstance(error, EntryNotFoundError) or isinstance(error, LocalEntryNotFoundError):
                raise WeightsUnavailable(f"{what} could not be downloaded: {first_line(error)}; {_WAYS_OUT}") from error
    raise WeightsUnavailable(f"{what}: the hub's repository {repo} has none of {', '.join(filenames)}")


def fetch_folder(repo: str, *, offline: bool, what: str, vocabulary: bool) -> Path:
    """Return the cached folder with a repository's configuration and, if asked, its tokenizer, fetched if need be.

    Raises WeightsUnavailable.
    """
    found = cached(repo, ("config.json", "tokenizer_config.json", "tokenizer.json"))
    if found is not None and (not vocabulary or has_vocabulary(found.parent)):
        return found.parent
    _require(offline, what)
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(repo, allow_patterns=list(_TOKENIZER), etag_timeout=SECONDS))
    except failures() as error:
        raise WeightsUnavailable(f"{what} could not be downloaded: {first_line(error)}; {_WAYS_OUT}") from error


def fetch_checkpoint(
    wanted: Wanted, whole: Callable[[Path], bool], check: Callable[[Path], None], *, offline: bool, what: str
) -> Path:
    """Return the cached folder of a repository, fetched unless it is whole; weights last, once the rest is checked.

    Raises WeightsUnavailable, and what `check` raises of the files beside the weights.
    """
    found = snapshot(wanted.repo, wanted.revision)
    if found is not None and whole(found):
        return found
    _require(offline, what)
    folder = _fetched(wanted, wanted.beside, what)
    check(folder)
    for patterns in wanted.weights:
        folder = _fetched(wanted, patterns, what)
        if whole(folder):
            break
    return folder


def fetch_described(wanted: Wanted, *, offline: bool, what: str) -> Path:
    """Return the cached folder with a repository's configuration, fetched if need be. Raises WeightsUnavailable."""
    found = snapshot(wanted.repo, wanted.revision)
    if found is not None:
        return found
    _require(offline, what)
    return _fetched(wanted, ("config.json",), what)


def _fetched(wanted: Wanted, patterns: Sequence[str], what: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(
            snapshot_download(
                wanted.repo,
                revision=wanted.revision,
                allow_patterns=list(patterns),
                ignore_patterns=["*/*"],  # files in folders are other formats of the same weights
                etag_timeout=SECONDS,
            )
        )
    except failures() as error:
        raise WeightsUnavailable(f"{what} could not be downloaded: {first_line(error)}; {_WAYS_OUT}") from error


def checkpoint_missing_bytes(wanted: Wanted, whole: Callable[[Path], bool], *, offline: bool) -> int | None:
    """Return the bytes that `fetch_checkpoint` would fetch: 0 when all is here, None when the hub cannot be asked."""
    found = snapshot(wanted.repo, wanted.revision)
    if found is not None and whole(found):
        return 0
    if _unasked(offline):
        return None
    from huggingface_hub import HfApi

    try:
        there = HfApi().model_info(wanted.repo, revision=wanted.revision, files_metadata=True, timeout=SECONDS)
    except failures():
        return None
    sizes = {each.rfilename: each.size or 0 for each in there.siblings or [] if "/" not in each.rfilename}
    for patterns in wanted.weights:
        if any(fnmatch(name, pattern) for name in sizes for pattern in patterns):
            asked = (*patterns, *wanted.beside)
            return sum(size for name, size in sizes.items() if any(fnmatch(name, pattern) for pattern in asked))
    return None


def snapshot(repo: str, revision: str | None) -> Path | None:
    """Return the folder in which the hub's cache has a repository's configuration at a revision; no traffic."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repo, "config.json", revision=revision)
    return Path(found).parent if isinstance(found, str) else None


def has_vocabulary(folder: Path) -> bool:
    """Return whether a folder holds the vocabulary of a tokenizer."""
    return any(True for pattern in _VOCABULARIES for _ in folder.glob(pattern))


def tokenizer_files(folder: Path) -> list[Path]:
    """Return the files of a folder that decide how texts become tokens."""
    found = {file for pattern in _TOKENIZER for file in folder.glob(pattern)}
    return sorted(file for file in found if file.name != "open_clip_config.json")


def content_digest(file: Path) -> str:
    """Return the digest of a file that the hub's cache holds, the same as that of a copy elsewhere. Raises OSError.

    The cache names large files by their SHA-256, so that these need not be read: `models--OWNER--NAME` has the file in
    `blobs`, and a link to it in `snapshots`. A file that was written after its link is no more what its name says.
    """
    blob = file.resolve()
    repository, links = blob.parent.parent, file.absolute().parents
    cached_here = repository.name.startswith("models--") and repository / "snapshots" in (
        folder.resolve() for folder in links
    )
    named = blob.parent.name == "blobs" and re.fullmatch(r"[0-9a-f]{64}", blob.name) is not None
    if file.is_symlink() and cached_here and named and blob.stat().st_mtime <= file.lstat().st_mtime:
        return blob.name[:32]
    return remembered_digest(file)


def missing_bytes(repo: str, filenames: Sequence[str], *, offline: bool) -> int | None:
    """Return the bytes still to be fetched: 0 when a file is cached, None when the hub cannot be asked."""
    if cached(repo, filenames) is not None:
        return 0
    if _unasked(offline):
        return None
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError

    for filename in filenames:
        try:
            size: int | None = get_hf_file_metadata(hf_hub_url(repo, filename), timeout=SECONDS).size
        except failures() as error:
            if not isinstance(error, EntryNotFoundError):
                return None
        else:
            return size
    return None


def _unasked(forbidden: bool) -> bool:
    return offline(forbidden) or no_answer() is not None


def _require(forbidden: bool, what: str) -> None:
    if offline(forbidden):
        raise WeightsUnavailable(f"{what}: not in the hub's cache, and offline nothing is fetched; {_WAYS_OUT}")
    reason = no_answer()
    if reason is not None:
        raise WeightsUnavailable(f"{what}: not in the hub's cache, and {reason}; {_WAYS_OUT}")
