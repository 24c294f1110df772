"""Shards of WebDataset behind an address that fsspec reads (s3, gs, https), each fetched when its rows are due."""

import contextlib
import json
import re
from pathlib import Path
from typing import Any

from mmbench.benchmarks.sources.fetched import Fetched
from mmbench.benchmarks.sources.webdataset import BESIDE, WebDataset, expanded, in_order
from mmbench.harness.digest import digest_bytes
from mmbench.harness.errors import DataError, DataUnavailable
from mmbench.harness.foreign import described
from mmbench.harness.hub.access import offline
from mmbench.harness.records.files import replaced, write_whole
from mmbench.harness.store.location import store_path
from mmbench.harness.strict_json import parse_json

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.:-]+://\S+")
_PLAIN = re.compile(r"(?!\.)[^/\\\0]{1,200}")
_HELD = "shards.json"
"""In the folder of an address: the shards that were found, and what tells each from a later file of its name."""


def is_address(path: str) -> bool:
    """Tell whether a path is an address of another machine.

    >>> is_address("s3://bucket/birds-{000..003}.tar"), is_address("birds/*.tar")
    (True, False)
    """
    return bool(_ADDRESS.fullmatch(path))


def remote_webdataset(address: str, split: str | None) -> WebDataset:
    """Return the rows of the shards at an address: one, a folder, or a pattern. Raises DataError, DataUnavailable.

    They are kept in mmbench's home, and read there without a network. A shard that changed under its name since it was
    first listed is refused.
    """
    if "::" in address:
        raise DataError(f"{address} chains addresses; name the one where the shards lie")
    held = _Remote(address if split is None else f"{address.rstrip('/')}/{split}")
    made = WebDataset.of(held.shards, held.beside())
    made.root = held.folder  # a row of a stranger names no file of this machine
    return made


class _Remote:
    """Shards at an address, and the folder in which they are kept."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.folder = store_path().parent / "shards" / digest_bytes(address.encode())
        self._files = self._known() or self._listed()
        names = in_order(name for name in self._files if name not in BESIDE)
        if not names:
            raise DataError(f"there is no tar file at {address}, nor a folder or pattern of them")
        self.shards = Fetched(names, self._fetched)

    def beside(self) -> dict[str, Path]:
        """Return the files that CLIP_benchmark keeps beside shards."""
        return {name: self._fetched(name) for name in BESIDE if name in self._files}

    def _known(self) -> dict[str, list[str]]:
        """Return what was listed before; nothing where that cannot be told."""
        try:
            found = parse_json((self.folder / _HELD).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _listed(self) -> dict[str, list[str]]:
        """Ask for the shards and for what stands beside them: name to path and mark. Raises DataError."""
        with self._told():
            system, root = self._system()
            found = [path for each in expanded(root) for path in _matching(system, each)]
            folder = (found[0] if found else root).rpartition("/")[0]
            beside = [f"{folder}/{name}" for name in BESIDE if system.isfile(f"{folder}/{name}")]
            files: dict[str, list[str]] = {}
            for path in (*found, *beside):
                name = path.rpartition("/")[2]
                if name in files or not _PLAIN.fullmatch(name):
                    raise DataError(f"{path} has the name of another shard, or one that no file can have here")
                files[name] = [path, str(system.ukey(path))]
            self.folder.mkdir(parents=True, exist_ok=True)
            if files:
                write_whole(self.folder / _HELD, json.dumps(files))
        return files

    def _fetched(self, name: str) -> Path:
        """Return a file of ours. Raises DataError where the one at the address is another now."""
        place = self.folder / name
        if place.is_file():
            return place
        path, mark = self._files[name]
        with self._told():
            system, _ = self._system()
            if str(system.ukey(path)) != mark:
                raise DataError(
                    f"{name} at {self._address} changed since its shards were listed; to take them anew, all of them, "
                    f"remove {self.folder}"
                )
            with replaced(place) as partial:
                system.get_file(path, str(partial))
        return place

    def _system(self) -> tuple[Any, str]:
        if offline():
            raise DataUnavailable(f"shards of {self._address} are not here, and offline nothing is fetched")
        import fsspec

        made: tuple[Any, str] = fsspec.core.url_to_fs(self._address)
        return made

    @contextlib.contextmanager
    def _told(self) -> Any:
        """Turn whatever a file system raises into a sentence."""
        try:
            yield
        except DataError:
            raise
        except ImportError as error:
            raise DataError(f"{self._address}: fsspec needs a package that is not installed ({error})") from error
        except Exception as error:  # each file system has errors of its own
            raise DataUnavailable(f"{self._address} cannot be read ({described(error)})") from error


def _matching(system: Any, path: str) -> list[str]:
    """Return the tar files that a path means: itself, those in it, or those of its pattern."""
    if "*" in path or "?" in path:
        found = system.glob(path)
    elif system.isdir(path):
        found = [each for each in system.ls(path, detail=False) if ".tar" in each.rpartition("/")[2]]
    elif system.isfile(path):
        found = [path]
    else:
        raise DataError(f"there is no {path}")
    return [str(each) for each in found]
