"""Recorded answers score as the model itself does; what is not recorded is an error, and a hostile file is refused."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mmbench.adapters.baselines.chance import Chance
from mmbench.adapters.contract import violations
from mmbench.adapters.replay.adapter import Replay, from_spec
from mmbench.harness.errors import Unanswered
from mmbench.harness.media.pixels import digest_of
from mmbench.harness.models.abilities import Generation, abilities
from mmbench.harness.parquet_footer import declared
from mmbench.harness.run.run import run
from tests.builders import fails, put_text

Command = Callable[..., tuple[int, str, str]]
GREEDY = Generation()
A, B = "a" * 32, "b" * 32


def picture(n: int) -> PIL.Image.Image:
    return PIL.Image.new("RGB", (5, 4), (n, 2 * n, 200))


def lines(path: Path, *rows: dict[str, Any]) -> Path:
    return put_text(path, "".join(json.dumps(row) + "\n" for row in rows))


def reply(text: object, **more: object) -> dict[str, object]:
    return {"images": [f"{A}.png"], "prompt": "What is it?", "reply": text, **more}


def another_program(file: Path) -> Path:
    """Answer every line as a program would that knows nothing of mmbench but this file; here it draws lots."""
    model, rows = Chance(3), []
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        seen = [model.prepare_image(PIL.Image.open(file.parent / name)) for name in row.get("images", [])]
        if row["ask"] == "vector":
            vectors = model.embed_texts([row["text"]]) if "text" in row else model.embed_images(seen)
            row["vector"] = vectors[0].tolist()
        elif row["ask"] == "scores":
            (row["scores"],) = model.score_texts([(seen, row["prompt"], row["texts"])])
        else:
            (row["reply"],) = model.generate([(seen, row["prompt"])], GREEDY)
        rows.append(row)
    return lines(file.with_name("answers.jsonl"), *rows)


@pytest.mark.parametrize("route", ["embed", "likelihood", "generate"])
def test_a_recorded_model_scores_as_the_model_itself(route: str, tmp_path: Path, command: Command) -> None:
    tasks = ["scenes-colour", "scenes-binding", "scenes-retrieval", "scenes-existence"]
    tasks += [] if route == "embed" else ["scenes-vqa"]  # whose candidates would be many texts
    named = [part for task in tasks for part in ("--task", task)]
    at = ["--limit", "24", "--route", route, "--controls", "blind,shuffled", "--store", str(tmp_path / "store.sqlite")]
    folder = tmp_path / "asked"
    code, _, said = command("run", "--model", "chance:3", *named, *at, "--dry-run", "--questions", str(folder))
    assert code == 0, said
    assert f"are in {folder / 'questions.jsonl'}" in said
    answers = another_program(folder / "questions.jsonl")

    def rows(model: str) -> list[dict[str, Any]]:
        _, out, _ = command("run", "--model", model, *named, *at, "--output", str(tmp_path / "out"), "--format", "json")
        return [{key: row[key] for key in row if key not in ("model", "seconds")} for row in json.loads(out)]

    own, replayed = rows("chance:3"), rows(f"replay:{answers}")
    assert own == replayed
    assert len(own) > 4
    assert {row["model"] for row in _all(tmp_path / "out")} == {"chance-3", "answers"}


def _all(output: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in output.rglob("*.json")]


def test_what_is_not_recorded_is_an_error_and_never_a_wrong_answer(tmp_path: Path, command: Command) -> None:
    folder = tmp_path / "asked"
    at = [
        "--task",
        "scenes-existence",
        "--limit",
        "100",
        "--route",
        "generate",
        "--store",
        str(tmp_path / "store.sqlite"),
    ]
    command("run", "--model", "chance", *at, "--dry-run", "--questions", str(folder))
    rows = [json.loads(line) for line in (folder / "questions.jsonl").read_text().splitlines()]
    answered = [{**row, "reply": "yes"} for row in rows[60:]]  # none of the first, at which a broken model would end
    some = lines(folder / "some.jsonl", *answered)
    made = run(f"replay:{some}", task="scenes-existence", limit=100, output=tmp_path / "out")
    (record,) = made.records
    assert (record.errors, record.primary.n, made.exit_code) == (60, len(rows) - 60, 1)
    assert "is not recorded in some.jsonl" in str(record.first_error)
    assert record.primary.value == pytest.approx(0.5, abs=0.2)
    assert answered[0]["items"] == [{"task": "scenes-existence@1", "id": "60"}]


def test_a_task_of_which_nothing_is_recorded_has_errors_alone(tmp_path: Path) -> None:
    made = run(
        f"replay:{lines(tmp_path / 'a.jsonl', reply('no'))}", task="scenes-existence", limit=100, output=tmp_path / "o"
    )
    (record,) = made.records
    assert (record.errors, record.primary.value, made.exit_code) == (100, None, 1)


def test_a_reply_is_found_by_pictures_prompt_and_settings(tmp_path: Path) -> None:
    short, long = Generation(max_tokens=16), Generation(max_tokens=64)
    settings = {"max_tokens": 16, "temperature": 0.0, "stop": []}
    held = Replay(
        lines(
            tmp_path / "r.jsonl",
            reply("short", generation=settings),
            reply("any", prompt="Who?"),
            reply("two", images=[f"{A}.png", f"{B}.png"]),
            {"images": [f"{A}.png"], "prompt": "unanswered"},
        )
    )
    assert abilities(held) == {"generate"}
    assert held.generate is not None
    assert held.generate([([A], "What is it?"), ([A, B], "What is it?"), ([A], "Who?")], short) == [
        "short",
        "two",
        "any",
    ]
    for asked, with_ in (
        (([A], "What is it?"), long),
        (([B], "What is it?"), short),
        (([B, A], "What is it?"), short),
        (([A], "unanswered"), short),
        (([], "Who?"), short),
    ):
        with pytest.raises(Unanswered, match="is not recorded in r.jsonl"):
            held.generate([asked], with_)


def test_of_two_answers_that_differ_neither_is_taken(tmp_path: Path) -> None:
    near = {"images": [B], "vector": [1.0, 2.0001]}
    rows = [
        reply("a cat"),
        reply("a dog"),
        {"images": [A], "vector": [1.0, 2.0]},
        {"images": [A], "vector": [2.0, 1.0]},
    ]
    held = Replay(lines(tmp_path / "r.jsonl", *rows, {"images": [B], "vector": [1.0, 2.0]}, near))
    assert held.generate is not None and held.embed_images is not None
    with pytest.raises(Unanswered, match="recorded twice"):
        held.generate([([A], "What is it?")], GREEDY)
    with pytest.raises(Unanswered, match="recorded twice"):
        held.embed_images([A])
    assert held.embed_images([B]).tolist() == [[1.0, 2.0]]  # batches of half precision differ by as much
    same = Replay(lines(tmp_path / "s.jsonl", reply("a cat"), reply("a cat")))
    assert same.generate is not None and same.generate([([A], "What is it?")], GREEDY) == ["a cat"]


def npz(path: Path, **arrays: Any) -> Path:
    np.savez_compressed(path, **arrays)
    return path


def test_features_by_file_name_are_those_of_the_picture(tmp_path: Path) -> None:
    for n in range(3):
        picture(n).save(tmp_path / f"{n}.png")
    vectors = np.random.default_rng(0).standard_normal((3, 8)).astype(np.float16)
    names = np.array(["0.png", "1.png", "2.png"])
    file = npz(tmp_path / "f.npz", image_features=vectors, paths=names, text_features=vectors[:2], texts=["a", "ä"])
    held = from_spec(str(file), device="cpu", dtype="auto", offline=True)
    assert abilities(held) == {"embed_images", "embed_texts"}
    assert held.embed_images is not None and held.embed_texts is not None
    asked = [held.prepare_image(picture(n)) for n in (2, 0)]
    assert np.array_equal(held.embed_images(asked), vectors[[2, 0]].astype(np.float32))
    assert np.array_equal(held.embed_texts(["ä"]), vectors[1:2].astype(np.float32))
    before = held.fingerprint
    picture(9).save(tmp_path / "1.png")  # another picture under a name: its vector is not that of the file
    assert Replay(file).fingerprint != before


def test_files_whose_names_are_digests_of_another_kind_are_opened(tmp_path: Path) -> None:
    for name in (f"{A}.jpg.png", f"photos/{A}.png", f"{B}.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        picture(7).save(tmp_path / name)
        held = Replay(lines(tmp_path / "r.jsonl", {"images": [name], "vector": [1.0]}))
        assert held.embed_images is not None and held.embed_images([digest_of(picture(7))]).tolist() == [[1.0]]
    for name in (A, f"{A}.png", f"pictures/{A}.png", f"/elsewhere/asked/pictures/{A}.png"):
        held = Replay(lines(tmp_path / "r.jsonl", {"images": [name], "vector": [1.0]}))
        assert held.embed_images is not None and held.embed_images([A]).tolist() == [[1.0]]


@pytest.mark.parametrize("dtype", [pa.float16(), pa.float32(), pa.float64(), pa.int64()])
def test_parquet_holds_vectors_of_any_precision(dtype: pa.DataType, tmp_path: Path) -> None:
    kinds = (
        pa.array(np.array([1, 2]), pa.int64()).cast(dtype) if dtype != pa.float16() else pa.array(np.float16([1, 2]))
    )
    made = pa.ListArray.from_arrays(pa.array([0, 2], pa.int32()), kinds)
    pq.write_table(pa.table({"text": ["a"], "vector": made}), tmp_path / "r.parquet")
    held = Replay(tmp_path / "r.parquet")
    assert held.embed_texts is not None and held.embed_texts(["a"]).tolist() == [[1.0, 2.0]]


def test_parquet_holds_the_same_as_json_lines(tmp_path: Path) -> None:
    rows = [
        {
            "images": [A],
            "vector": [1.0, 2.0],
            "text": None,
            "prompt": None,
            "reply": None,
            "texts": None,
            "scores": None,
        },
        {
            "images": None,
            "vector": [2.0, 2.0],
            "text": "a",
            "prompt": None,
            "reply": None,
            "texts": None,
            "scores": None,
        },
        {"images": [A], "vector": None, "text": None, "prompt": "?", "reply": "x", "texts": None, "scores": None},
        {"images": [A], "vector": None, "text": None, "prompt": "", "reply": None, "texts": ["p"], "scores": [-1.0]},
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "r.parquet")
    held = Replay(tmp_path / "r.parquet")
    assert abilities(held) == {"embed_images", "embed_texts", "score_texts", "generate"}
    assert held.score_texts is not None and held.score_texts([([A], "", ["p"])]) == [[-1.0]]
    assert held.fingerprint != Replay(lines(tmp_path / "r.jsonl", *rows)).fingerprint


def test_the_fingerprint_is_the_content_and_not_the_place(tmp_path: Path) -> None:
    one, two = (lines(tmp_path / folder / "r.jsonl", reply("x")) for folder in ("p", "q"))
    other = lines(tmp_path / "other.jsonl", reply("y"))
    assert Replay(one).fingerprint == Replay(two).fingerprint != Replay(other).fingerprint


def test_the_contract_holds_where_it_can_be_asked(tmp_path: Path, command: Command) -> None:
    file = lines(tmp_path / "r.jsonl", reply("x"), {"images": [A], "vector": [1.0]}, {"text": "a", "vector": [1.0]})
    unasked: list[str] = []
    assert violations(lambda: Replay(file), unasked=unasked.append) == []
    assert [line.partition(":")[0] for line in unasked] == ["embed_images", "embed_texts", "generate"]
    code, out, _ = command("contract", f"replay:{file}")
    assert (code, out.count("not checked")) == (0, 3)
    assert "keeps the contract as far as it could be asked" in out
    code, out, _ = command("contract", f"replay:{file}", "--format", "json")
    assert (code, len(json.loads(out)["not_checked"])) == (0, 3)


def deep(kind: str) -> str:
    return kind * 100_000


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("[1]", "is no JSON object"),
        ("{", "is not JSON"),
        (f'{{"reply": {deep("[")}', "nested too deeply"),
        ('{"images": [], "text": "a", "vector": [NaN]}', "NaN is no JSON number"),
        ('{"text": "a", "vector": [1e39]}', "NaN or infinity"),
        (f'{{"text": "a", "vector": [{"9" * 400}]}}', "too large"),
        (f'{{"text": "a", "vector": [{"9" * 5000}]}}', "is not JSON"),
        ('{"text": "a", "vector": [[1.0]]}', "a list of numbers"),
        ('{"text": "a", "vector": []}', "shape (0,)"),
        ('{"text": "a", "vector": [true]}', "a list of numbers"),
        ('{"text": "a", "vector": "1"}', "a list of numbers"),
        ('{"vector": [1.0]}', "that of one picture"),
        (f'{{"images": ["{A}", "{B}"], "vector": [1.0]}}', "that of one picture"),
        ('{"images": ["gone.png"], "vector": [1.0]}', "gone.png"),
        ('{"images": ["a\\u0000b"], "vector": [1.0]}', "from the folder of the recording"),
        ('{"images": 7, "vector": [1.0]}', "a list of names"),
        ('{"images": [], "reply": "x"}', "no 'prompt'"),
        ('{"images": [], "prompt": "?", "reply": 3}', "reply is text"),
        ('{"images": [], "prompt": "?", "reply": "\\ud800"}', "half a character"),
        ('{"images": [], "prompt": "?", "reply": "x", "vector": [1.0]}', "in one way"),
        ('{"ask": "scores", "images": [], "prompt": "?", "reply": "x"}', "it asks for 'scores'"),
        ('{"images": [], "prompt": "?", "reply": "x", "generation": {"top_p": 1}}', "max_tokens, temperature, stop"),
        ('{"images": [], "prompt": "?", "texts": ["a"], "scores": [0.5]}', "at most 0"),
        ('{"images": [], "prompt": "?", "texts": ["a"], "scores": [-1, -2]}', "2 scores for 1 texts"),
        ('{"images": [], "prompt": "?", "scores": [-1]}', "the list of their texts"),
        ('{"images": [], "prompt": "?", "repy": "x"}', "did you mean 'reply'?"),
        ('{"images": [], "prompt": "?", "response": "x"}', "is 'response' the 'reply'?"),
        ('{"images": [], "prompt": "?", "reply": "x", "reply": "y"}', "'reply' stands twice"),
        ("", "has no answers"),
    ],
)
def test_lines_that_cannot_be_read_surely_are_refused(row: str, said: str, tmp_path: Path) -> None:
    file = put_text(tmp_path / "r.jsonl", row + "\n")
    fails(lambda: Replay(file), "r.jsonl", said)


def test_vectors_of_two_lengths_are_refused(tmp_path: Path) -> None:
    file = lines(tmp_path / "r.jsonl", {"text": "a", "vector": [1.0]}, {"text": "b", "vector": [1.0, 2.0]})
    fails(lambda: Replay(file), "r.jsonl line 2", "2 numbers after vectors of 1")


def member(path: Path, name: str, data: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
        archive.writestr("paths.npy", b"")
    return path


def header(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


class Bomb:
    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (Path("unpickled"),)


def test_arrays_of_objects_are_never_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    vectors = np.ones((1, 2), np.float32)
    for held in (
        {"image_features": vectors, "paths": np.array([Bomb()], object)},
        {"image_features": np.array(Bomb())},
    ):
        file = npz(tmp_path / "f.npz", **{"paths": np.array([A]), **held})
        fails(lambda file=file: Replay(file), "holds objects", "dtype=str")
    assert not (tmp_path / "unpickled").exists()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (header("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 1000)}\n") + b"0" * 64, "declares"),
        (header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 4)}\n") + b"0" * 64, "declares"),
        (header("(" * 5000), "is no array"),
        (b"not an array", "is no array"),
        (header("{'descr': '|V8', 'fortran_order': False, 'shape': (1, 1)}\n") + b"0" * 8, "is no array of NumPy"),
    ],
)
def test_arrays_that_lie_are_refused(data: bytes, said: str, tmp_path: Path) -> None:
    fails(lambda: Replay(member(tmp_path / "f.npz", "image_features.npy", data)), "f.npz", said)


def test_archives_that_unpack_to_too_much_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmbench.adapters.replay.files.MOST_BYTES", 1 << 20)
    zeros = npz(tmp_path / "f.npz", image_features=np.zeros((1, 1 << 20), np.float32), paths=[A])
    assert zeros.stat().st_size < 1 << 20
    fails(lambda: Replay(zeros), "f.npz", "unpacks to more")
    flat = pa.table({"text": ["a"], "vector": [[0.0] * (1 << 20)]})
    pq.write_table(flat, tmp_path / "f.parquet")
    assert (tmp_path / "f.parquet").stat().st_size < 1 << 20
    fails(lambda: Replay(tmp_path / "f.parquet"), "f.parquet", "more than a recording may have")
    long = put_text(tmp_path / "f.jsonl", " " * (2 << 20))
    fails(lambda: Replay(long), "f.jsonl", "larger than a recording may be")


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"image_features": np.ones((2, 2), np.float32), "paths": np.array([A])}, "2 rows"),
        ({"image_features": np.ones((1, 2), np.int64), "paths": np.array([A])}, "expected floats"),
        ({"image_features": np.ones(2, np.float32), "paths": np.array([A, B])}, "expected floats"),
        ({"image_features": np.full((1, 2), np.nan, np.float32), "paths": np.array([A])}, "row 0: the vector has NaN"),
        ({"image_features": np.ones((1, 2), np.float32)}, "no 'paths'"),
        ({"features": np.ones((1, 2), np.float32)}, "keys: features"),
        ({"text_features": np.ones((1, 2), np.float32), "texts": np.array([7])}, "their names are int64"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(arrays: dict[str, Any], said: str, tmp_path: Path) -> None:
    fails(lambda: Replay(npz(tmp_path / "f.npz", **arrays)), "f.npz", said)


@pytest.mark.parametrize(
    ("name", "data"), [("f.npz", b"PK\x03\x04"), ("f.parquet", b"PAR1"), ("f.pt", b"x"), ("f.jsonl", b"\xff")]
)
def test_files_of_another_kind_are_refused(name: str, data: bytes, tmp_path: Path) -> None:
    fails(lambda: Replay(put_text(tmp_path / name, data)), name)


def test_a_damaged_footer_ends_nothing(tmp_path: Path) -> None:
    table = pa.Table.from_pylist([{"images": [A], "prompt": "?", "reply": "x"}] * 4)
    pq.write_table(table, tmp_path / "whole.parquet")
    whole = (tmp_path / "whole.parquet").read_bytes()
    found = set()
    for place in range(len(whole) - 600, len(whole)):
        data = bytearray(whole)
        data[place] ^= 0x0F
        try:
            Replay(put_text(tmp_path / "f.parquet", bytes(data)))
        except Exception as error:
            found.add(type(error).__name__)
    assert found == {"DataError"}


def test_the_footer_tells_what_pyarrow_tells(tmp_path: Path) -> None:
    table = pa.table({"text": ["a", "b", "c"], "vector": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]})
    pq.write_table(table, tmp_path / "f.parquet", row_group_size=2)
    told = pq.ParquetFile(tmp_path / "f.parquet").metadata
    columns = [told.row_group(g).column(c) for g in range(told.num_row_groups) for c in range(told.num_columns)]
    texts = max(c.total_uncompressed_size for c in columns if c.physical_type == "BYTE_ARRAY")
    assert declared(tmp_path / "f.parquet") == (sum(c.num_values for c in columns), texts) == (9, texts)


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    whole = io.BytesIO()
    np.savez_compressed(whole, image_features=np.random.default_rng(0).random((50, 8), np.float32), paths=[A] * 50)
    for place in range(40, len(whole.getvalue()), 131):
        data = bytearray(whole.getvalue())
        data[place] ^= 0xFF
        try:
            Replay(put_text(tmp_path / "f.npz", bytes(data)))
        except Exception as error:
            assert type(error).__name__ == "DataError", (place, error)


def test_a_folder_that_has_something_is_not_written_over(tmp_path: Path, command: Command) -> None:
    put_text(tmp_path / "asked" / "questions.jsonl", "my answers")
    at = ["run", "--model", "chance", "--task", "scenes-colour", "--questions", str(tmp_path / "asked")]
    assert "is not empty" in command(*at, "--dry-run")[2]
    assert "needs --dry-run" in command(*at)[2]
    assert (tmp_path / "asked" / "questions.jsonl").read_text() == "my answers"


def test_the_digest_of_a_picture_is_that_of_its_png(tmp_path: Path) -> None:
    shown = picture(3)
    shown.save(tmp_path / "3.png")
    assert digest_of(PIL.Image.open(tmp_path / "3.png")) == digest_of(shown)


def test_a_recorded_model_is_asked_about_clips(tmp_path: Path, command: Command) -> None:
    rows = []
    for number in range(2):
        for at in range(4):
            file = tmp_path / str(number) / f"{at}.png"
            file.parent.mkdir(exist_ok=True)
            PIL.Image.new("RGB", (8, 8), (60 * number, 60 * at, 0)).save(file)
        rows.append({"video": str(number), "question": "Does it move?", "target": ["yes", "no"][number]})
    put_text(tmp_path / "t.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))
    frames = "frames: {sampler: uniform, count: 3, folder_fps: 2}"
    task = put_text(tmp_path / "t.yaml", f"name: t\nfamily: yes-no\nsource: {{kind: jsonl, path: t.jsonl}}\n{frames}\n")
    given = [
        "--task",
        str(task),
        "--route",
        "generate",
        "--store",
        str(tmp_path / "s"),
        "--output",
        str(tmp_path / "r"),
    ]
    asked = tmp_path / "asked"
    status, _, err = command("run", "--model", "chance", *given, "--dry-run", "--questions", str(asked))
    assert status == 0, err
    lines = [json.loads(line) for line in (asked / "questions.jsonl").read_text().splitlines()]
    assert [len(line["images"]) for line in lines] == [3, 3]
    assert [line["clips"] for line in lines] == [[{"first": 0, "frames": 3, "timestamps": [0.0, 0.5, 1.5]}]] * 2
    put_text(asked / "a.jsonl", "".join(f"{json.dumps({**line, 'reply': 'yes'})}\n" for line in lines))
    status, out, err = command("run", "--model", f"replay:{asked / 'a.jsonl'}", *given, "--format", "json")
    assert status == 0, err
    (row,) = [row for row in json.loads(out) if row["metric"] == "accuracy"]
    assert (row["value"], row["n"]) == (0.5, 2)
