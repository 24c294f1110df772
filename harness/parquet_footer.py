"""Footer of a Parquet file, read for what it declares: pyarrow ends the process over some that are damaged."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmbench.harness.errors import DataError
from mmbench.harness.regular import open_regular

_MOST = 64 << 20
_DEEPEST = 24
_BYTE_ARRAY = 6
_ROW_GROUPS, _COLUMNS, _META = 4, 1, 3
_TYPE, _VALUES, _UNPACKED = 1, 5, 6
"""Numbers of fields in `parquet.thrift` of apache/parquet-format."""


def declared(path: Path) -> tuple[int, int]:
    """Return how many values a file declares, and the bytes of texts of its largest row group. Raises DataError."""
    try:
        with open_regular(path) as file:
            end = file.seek(0, 2)
            file.seek(max(end - 8, 0))
            tail = file.read(8)
            size = int.from_bytes(tail[:4], "little")
            if tail[4:] != b"PAR1" or not 0 < size <= min(end - 8, _MOST):
                raise DataError(f"{path.name} cannot be read as Parquet: it does not end as one that is whole")
            file.seek(end - 8 - size)
            groups = _Compact(file.read(size)).struct().get(_ROW_GROUPS, [])
        held = [[column[_META] for column in group.get(_COLUMNS, [])] for group in groups]
        values = sum(meta[_VALUES] for group in held for meta in group)
        texts = [sum(m[_UNPACKED] for m in group if m[_TYPE] == _BYTE_ARRAY) for group in held]
    except (IndexError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path.name} cannot be read as Parquet: its footer is damaged") from error
    return values, max(texts, default=0)


class _Compact:
    """Reader of Thrift's compact protocol. Raises IndexError where the bytes end too early."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._depth = 0

    def struct(self) -> Mapping[int, Any]:
        """Return the fields of a struct by number."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise IndexError
        fields: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            kind = head & 15
            number = number + (head >> 4) if head >> 4 else self._signed()
            fields[number] = kind == 1 if kind in (1, 2) else self._value(kind)
        self._depth -= 1
        return fields

    def _value(self, kind: int) -> Any:
        if kind in (1, 2, 3):
            return self._byte()
        if kind in (4, 5, 6):
            return self._signed()
        if kind in (7, 8):
            return self._take(8 if kind == 7 else self._whole())
        if kind in (9, 10):
            head = self._byte()
            size = head >> 4 if head >> 4 < 15 else self._whole()
            return [self._value(head & 15) for _ in range(size)]
        if kind == 11:
            size = self._whole()
            kinds = self._byte() if size else 0
            return [(self._value(kinds >> 4), self._value(kinds & 15)) for _ in range(size)]
        if kind == 12:
            return self.struct()
        raise IndexError

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _take(self, size: int) -> bytes:
        if size > len(self._data) - self._at:
            raise IndexError
        self._at += size
        return self._data[self._at - size : self._at]

    def _whole(self) -> int:
        value = shift = 0
        while (byte := self._byte()) & 128 and shift < 63:
            value |= (byte & 127) << shift
            shift += 7
        return value | byte << shift

    def _signed(self) -> int:
        value = self._whole()
        return (value >> 1) ^ -(value & 1)
