"""Whole files are read whole, whatever the system says of their size, and larger ones are refused."""

from pathlib import Path

import pytest

from mmbench.harness.regular import NotRegular, read_regular


@pytest.mark.parametrize("size", [0, 1, 10])
def test_a_file_of_at_most_so_many_bytes_is_read_whole(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * size)
    assert read_regular(path) == read_regular(path, 10) == read_regular(path, max(size, 1)) == b"x" * size


def test_a_larger_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 11)
    with pytest.raises(NotRegular, match="larger than"):
        read_regular(path, 10)


@pytest.mark.skipif(not Path("/proc/self/limits").is_file(), reason="there is no such system")
def test_a_file_that_says_it_is_empty_is_read_whole() -> None:
    path = Path("/proc/self/limits")
    assert path.stat().st_size == 0
    assert read_regular(path, 1_000_000) == path.read_bytes() != b""
    with pytest.raises(NotRegular, match="larger than"):
        read_regular(path, 10)
