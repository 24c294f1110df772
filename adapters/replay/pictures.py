"""Pictures as a recording names them: by the digest of what they show, or by a file beside the recording."""

import re
from pathlib import Path

from mmbench.harness.digest import digest_json
from mmbench.harness.errors import DataError, Unreadable
from mmbench.harness.media.image import Image
from mmbench.harness.media.pixels import digest_of

_DIGEST = re.compile(r"(?:(?:.*/)?pictures/)?([0-9a-f]{32})(?:\.png)?")
"""A picture of `mmbench run --questions`, wherever its folder was, or its name alone."""


class Pictures:
    """Turns names into digests of what the pictures show; a file is read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._beside = {file.name for file in folder.iterdir()}
        """Files beside the recording, some of which may be named by a digest of another kind."""
        self._known: dict[str, str] = {}
        self._contents: dict[str, str] = {}

    def digest(self, name: str, where: str) -> str:
        """Return the digest of a picture, which its name tells or the file of this name. Raises DataError."""
        named = _DIGEST.fullmatch(name)
        if named and ("/" in name or name not in self._beside):
            return named[1]
        if name not in self._known:
            try:
                content = Image.from_path(self._folder / name, name).read()
                self._known[name] = digest_of(content.decode())
            except (Unreadable, ValueError) as error:  # the latter of a name with a null character
                raise DataError(
                    f"{where}: {error}; a picture is named as --questions names it, or by its path from the folder of "
                    "the recording"
                ) from error
            self._contents[name] = content.digest
        return self._known[name]

    @property
    def identity(self) -> str:
        """Identity of the files that were read: another picture under a name is another recording."""
        return digest_json(self._contents)
