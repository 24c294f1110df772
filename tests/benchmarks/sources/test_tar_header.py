"""Headers of tar members are read as `tarfile` reads them, in every format that it writes."""

import io
import tarfile
from pathlib import Path

import pytest

from mmbench.benchmarks.sources.tar_header import PlainHeader

NAMES = ["a.jpg", "folder/b.cls", "x" * 99 + ".txt", "deep/" * 30 + "c.jpg", "ü/é.json", "d" * 300 + ".npy", "e.jpg"]


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_names_sizes_and_contents_are_those_of_tarfile(kind: int, tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", format=kind) as archive:
        folder = tarfile.TarInfo("folder")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for number, name in enumerate(NAMES):
            if kind == tarfile.USTAR_FORMAT and len(name.rpartition("/")[2]) > 100:
                continue
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.uid = 500 * number, 1e9 + 0.5, 10 * number
            archive.addfile(member, io.BytesIO(bytes([number]) * member.size))
        link = tarfile.TarInfo("link.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "a.jpg"
        archive.addfile(link)

    def told(tarinfo: type[tarfile.TarInfo]) -> list[tuple[str, int, bool, bytes | None]]:
        with tarfile.open(path, tarinfo=tarinfo) as archive:
            return [
                (each.name, each.size, each.isreg(), file.read() if (file := archive.extractfile(each)) else None)
                for each in archive
                if not each.issym()
            ]

    assert told(PlainHeader) == told(tarfile.TarInfo)


@pytest.mark.parametrize("place", [0, 124, 150])
def test_a_damaged_header_is_refused(place: int, tmp_path: Path) -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.jpg"))
    data = bytearray(made.getvalue())
    data[place] ^= 1
    with pytest.raises(tarfile.ReadError), tarfile.open(fileobj=io.BytesIO(data), tarinfo=PlainHeader):
        pass
