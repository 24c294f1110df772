"""Data files with bytes changed: rows, or one line within two seconds, and no null or base64 that becomes a text."""

import base64
import io
import json
import math
import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mmbench.harness.errors import MmbenchError, Unreadable
from mmbench.harness.tasks.task_file import load_task
from tests.effort import within

CASES = {"csv": 1000, "jsonl": 1000, "parquet": 400}
SLOWEST = 2.0
"""Of one case, in seconds of CPU time."""
WORDS = (
    "a",
    "red bus",
    "caf\u00e9",
    "yes",
    "2",
    "2.0",
    "None",
    "nan",
    "['a', 'b']",
    '["a", "b"]',
    "",
    " ",
    "[",
    "{",
    "x;y",
    '"',
)
ODD: tuple[Any, ...] = (
    None, True, 0, 1, 2.0, -1, 2**70, 1e300, "", [], [None], ["a", None], [["a"]], {},
    {"answer": "a"}, [{"answer": "b"}],
    {"bytes": None, "path": None}, {"answer": ["a"]}, "https://x.y/a.jpg", "data:image/png;base64,AAAA", "n" * 300,
    "a\0b",
    "photos\\0.png", "/dev/zero", "\x1b[2J", "[" * 200, "\ud800",
)  # fmt: skip
BYTES = (
    b"\0",
    b"\xff",
    b"\r",
    b"\n",
    b"\r\n",
    b'"',
    b"'",
    b",",
    b";",
    b"\t",
    b"\xef\xbb\xbf",
    b"\x1f\x8b",
    b"{",
    b"}",
    b"[",
    b"]",
    b"null",
    b"NaN",
)
KEYS = {
    "vqa": ("image", "question", "answers"),
    "zero-shot-classification": ("image", "label"),
    "multiple-choice": ("image", "question", "options", "target"),
    "yes-no": ("image", "question", "target"),
    "pairs": ("images", "captions"),
    "captioning": ("image", "references"),
    "retrieval": ("image", "captions"),
}


def png() -> bytes:
    out = io.BytesIO()
    PIL.Image.frombytes("RGB", (20, 20), random.Random(0).randbytes(1200)).save(out, "PNG")  # noqa: S311
    return out.getvalue()


PNG = png()
"""So large that its base64 is longer than any path, however it is damaged."""
BASE64 = base64.b64encode(PNG).decode()


def value(key: str, chance: random.Random) -> Any:
    """Return a cell that a field may have, now and then an odd one."""
    if chance.random() < 0.12:
        return chance.choice(ODD)
    if key.startswith("image"):
        found = chance.choice(
            ["photos/0.png", BASE64, f"data:image/png;base64,{BASE64}", BASE64[: chance.randrange(99)]]
        )
        return [found, "photos/0.png"] if key == "images" and chance.random() < 0.5 else found
    if key in ("answers", "options", "captions", "references"):
        return chance.sample(WORDS, 2)
    return "yes" if key == "target" and chance.random() < 0.5 else chance.choice(WORDS)


def rows(family: str, chance: random.Random) -> list[dict[str, Any]]:
    return [{key: value(key, chance) for key in KEYS[family]} for _ in range(chance.randint(1, 3))]


def damaged(data: bytes, chance: random.Random) -> bytes:
    made = bytearray(data)
    for _ in range(chance.choice((0, 0, 1, 2))):
        at = chance.randrange(len(made) + 1)
        made[at : at + chance.choice((0, 1, 5))] = chance.choice(BYTES)
    return bytes(made)


def as_csv(found: list[dict[str, Any]], chance: random.Random) -> bytes:
    def cell(held: Any) -> str:
        text = "" if held is None else held if isinstance(held, str) else chance.choice((json.dumps, repr))(held)
        return '"' + text.replace('"', '""') + '"' if chance.random() < 0.9 else text

    lines = [",".join(found[0]), *(",".join(map(cell, row.values())) for row in found)]
    return damaged("\n".join(lines).encode("utf-8", "surrogatepass"), chance)


def as_jsonl(found: list[dict[str, Any]], chance: random.Random) -> bytes:
    return damaged("\n".join(map(json.dumps, found)).encode(), chance)


def as_parquet(found: list[dict[str, Any]], chance: random.Random) -> bytes:
    columns = {}
    for key in found[0]:
        cells = [row[key] or None for row in found]
        kinds = (None, pa.large_string(), pa.list_(pa.string()), pa.float64(), pa.binary(), pa.decimal128(9, 2))
        for kind in (chance.choice(kinds), None, pa.string()):
            try:
                columns[key] = pa.array(cells, kind)
                break
            except (pa.ArrowException, ValueError, TypeError, OverflowError):
                continue
        else:
            columns[key] = pa.array([chance.choice([None, Decimal("1.5"), 2])] * len(cells))
        if chance.random() < 0.2 and pa.types.is_string(columns[key].type):
            columns[key] = columns[key].dictionary_encode()
    table = pa.table(columns)
    if chance.random() < 0.3:
        table = table.replace_schema_metadata({b"huggingface": damaged(b'{"info": {"features": {}}}', chance)})
    out = io.BytesIO()
    pq.write_table(table, out)
    return damaged(out.getvalue(), chance) if chance.random() < 0.3 else out.getvalue()


@pytest.mark.parametrize("write", [as_csv, as_jsonl, as_parquet])
@pytest.mark.filterwarnings("ignore")
def test_changed_data_files(tmp_path: Path, write: Callable[[list[dict[str, Any]], random.Random], bytes]) -> None:
    chance = random.Random(1)  # noqa: S311
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "0.png").write_bytes(PNG)
    kind = write.__name__.removeprefix("as_")
    whole = 0
    for i in range(CASES[kind]):
        family = chance.choice(sorted(KEYS))
        (tmp_path / f"d.{kind}").write_bytes(write(rows(family, chance), chance))
        nested = "fields: {answers: answers.answer}\n" if family == "vqa" and chance.random() < 0.3 else ""
        head = f"name: t\nfamily: {family}\nsource: {{kind: {kind}, path: d.{kind}}}\n{nested}"
        (tmp_path / "t.yaml").write_text(head)
        case = f"case {i}, {family} {nested}: {(tmp_path / f'd.{kind}').read_bytes()[:1500]!r}"
        try:
            with within(SLOWEST if i >= 3 else math.inf, case):  # what is imported once costs no case its time
                found = list(load_task(tmp_path / "t.yaml").family.samples())
                whole += 1
                for sample in found:
                    assert BASE64[:60] not in sample.locator, case
                    for text in (*sample.references, *(option.label for option in sample.options)):
                        assert isinstance(text, str), case
                        text.encode()
                    for image in sample.media:
                        try:
                            image.pil()
                        except Unreadable as error:
                            assert BASE64[:60] not in str(error), case
        except MmbenchError as error:
            assert len(str(error)) < 1200, f"{error}\n{case}"
            assert BASE64[:60] not in str(error), f"{error}\n{case}"
        except Exception as error:
            raise AssertionError(f"{type(error).__name__}: {error}\n{case}") from error
    assert whole > 5, "some files are whole"
