"""Recorded predictions sit the exam: what is unusable is an error that says why, never a wrong answer."""

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmbench.harness.ask.examinee import Examinee
from mmbench.harness.ask.predictions import Predictions, read_predictions
from mmbench.harness.ask.recorded import Recorded
from mmbench.harness.ask.subject import Subject
from mmbench.harness.ask.wording import Wording
from mmbench.harness.errors import DataError, Unsupported
from mmbench.harness.media.image import Image
from mmbench.harness.types import Failure, Option, Sample
from tests import fakes


def predictions(tmp_path: Path, content: str | bytes) -> Predictions:
    path = tmp_path / "p.jsonl"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_predictions(path)


def recorded(**by_id: Any) -> Recorded:
    return Recorded("theirs", Predictions(by_id, frozenset(), frozenset()))


# Reading


def test_one_object_a_line(tmp_path: Path) -> None:
    got = predictions(tmp_path, '{"id": "a", "prediction": "Katze 猫", "more": 1}\n{"id": 7, "prediction": [0.5, 1]}')
    assert got.by_id == {"a": "Katze 猫", "7": [0.5, 1]}
    assert (got.conflicting, got.repeated) == (frozenset(), frozenset())


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n  \n"])
def test_byte_order_mark_blank_lines_and_line_ends(tmp_path: Path, end: str) -> None:
    lines = ['{"id": "a", "prediction": "x\u2028y"}', '{"id": "b", "prediction": null}', ""]
    got = predictions(tmp_path, b"\xef\xbb\xbf" + end.join(lines).encode())
    assert got.by_id == {"a": "x\u2028y", "b": None}


def test_an_empty_file_has_no_predictions(tmp_path: Path) -> None:
    assert predictions(tmp_path, "").by_id == {}


def test_repetitions_are_told_and_only_those_that_differ_conflict(tmp_path: Path) -> None:
    lines = [("a", "x"), ("b", "x"), ("a", "x"), ("b", "y"), ("c", {"k": 1, "l": 2}), ("c", {"l": 2, "k": 1})]
    got = predictions(tmp_path, "".join(json.dumps({"id": name, "prediction": held}) + "\n" for name, held in lines))
    assert got.by_id == {"a": "x", "b": "x", "c": {"k": 1, "l": 2}}
    assert (got.repeated, got.conflicting) == ({"a", "b", "c"}, {"b"})
    third = predictions(
        tmp_path, '{"id": "b", "prediction": 1}\n{"id": "b", "prediction": 2}\n{"id": "b", "prediction": 1}'
    )
    assert third.conflicting == {"b"}
    number = predictions(tmp_path, '{"id": "7", "prediction": "x"}\n{"id": 7, "prediction": "y"}')
    assert number.conflicting == {"7"}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{", "p.jsonl line 2 is not JSON (Expecting"),
        ("[" * 100_000, "p.jsonl line 2 is not JSON ("),
        ('{"id": "b", "prediction": NaN}', "p.jsonl line 2 is not JSON (NaN is no JSON number; write null"),
        ('{"id": "b", "prediction": [-Infinity]}', "line 2 is not JSON (-Infinity is no JSON number; write null"),
        ('{"id": "b", "prediction": [1e999]}', "line 2 is not JSON (1e999 is too large a number)"),
        ('{"id": "b", "prediction": "\\ud83d"}', "line 2 is not JSON ("),
        ('{"id": "\\udc00", "prediction": "x"}', "line 2 is not JSON ("),
        ("[]", 'p.jsonl line 2: expected an object such as {"id": "7", "prediction": "a cat"}'),
        ('"b"', "line 2: expected an object such as"),
        ('{"id": "b"}', "line 2: expected an object such as"),
        ('{"prediction": "b"}', "line 2: expected an object such as"),
        ('{"id": true, "prediction": "b"}', "line 2: the id is text or a whole number, not True"),
        ('{"id": 1.5, "prediction": "b"}', "line 2: the id is text or a whole number, not 1.5"),
        ('{"id": null, "prediction": "b"}', "line 2: the id is text or a whole number, not None"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path: Path, line: str, expected: str) -> None:
    with pytest.raises(DataError) as caught:
        predictions(tmp_path, '{"id": "a", "prediction": "x"}\n' + line + "\n")
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_whole_pair_of_escapes_is_one_character(tmp_path: Path) -> None:
    assert predictions(tmp_path, '{"id": "a", "prediction": "\\ud83d\\ude3a"}').by_id == {"a": "😺"}


def test_what_is_no_text_cannot_be_read(tmp_path: Path) -> None:
    for make in (lambda: predictions(tmp_path, b"\xff\xfe{}"), lambda: read_predictions(tmp_path)):
        with pytest.raises(DataError, match="cannot be read .*; predictions are UTF-8 text, one JSON object a line"):
            make()


def test_the_fingerprint_is_that_of_the_predictions(tmp_path: Path) -> None:
    a, b = '{"id": "a", "prediction": "x"}\n', '{"id": "b", "prediction": 1}\n'
    first = predictions(tmp_path, a + b)
    assert predictions(tmp_path, b + "\n" + a + a).digest == first.digest, "order and repetition do not matter"
    others = [predictions(tmp_path, text).digest for text in (a, a + b.replace("1", "2"), a + b.replace("1", '"1"'))]
    assert len({first.digest, *others, predictions(tmp_path, a + b + a.replace("x", "y")).digest}) == 5
    assert Recorded("m", first).fingerprint == f"recorded {first.digest}"


# choose


ANIMALS = tuple(Option(label, (f"a {label}",)) for label in ("cat", "dog", "bird"))
YES_NO = (Option("yes", ("yes",)), Option("no", ("no",)))


@pytest.mark.parametrize(
    ("held", "scores", "reply"),
    [
        ("dog", [0, 1, 0], "dog"),
        (" dog\n", [0, 1, 0], "dog"),
        (2, [0, 0, 1], "bird"),
        (0, [1, 0, 0], "cat"),
        ("2", [0, 1, 0], "2"),
        ("(3)", [0, 0, 1], "(3)"),
        ("3.", [0, 0, 1], "3."),
        ([0.1, 0.7, 0.2], [0.1, 0.7, 0.2], None),
        ([1, 0, 3], [1, 0, 3], None),
        ("It is a dog.", [0, 1, 0], "It is a dog."),
        ("(b)", [0, 1, 0], "(b)"),
    ],
)
def test_a_choice_is_a_text_an_index_a_score_each_or_a_reply(held: object, scores: list[float], reply: str) -> None:
    for own, shared in ((ANIMALS, None), ((), ANIMALS)):
        (got,) = recorded(a=held).choose([Sample("a", options=own)], shared, Wording())
        assert (got.status, got.scores.tolist(), got.reply) == ("ok", scores, reply)


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (3, "item a: 3 is no index of 3 options"),
        (-1, "item a: -1 is no index of 3 options"),
        (10**400, "is no index of 3 options"),
        ([0.5, 0.5], "item a: expected an option or a score for each, found [0.5, 0.5]"),
        ([0.5, 0.5, 10**400], "item a: expected an option or a score for each, found [0.5, 0.5, 1000"),
        ([], "expected an option or a score for each, found []"),
        ([True, False, False], "expected an option or a score for each, found [true, false, false]"),
        (1.0, "expected an option or a score for each, found 1.0"),
        (True, "expected an option or a score for each, found true"),
        ({"answer": "dog"}, 'expected an option or a score for each, found {"answer": "dog"}'),
        (None, "the prediction of item a is null"),
    ],
)
def test_what_is_no_choice_is_an_error(held: object, expected: str) -> None:
    (got,) = recorded(a=held).choose([Sample("a", options=ANIMALS)])
    assert (got.status, got.scores) == ("error", None)
    assert expected in got.message


def test_a_reply_that_names_none_is_the_models_own_failure() -> None:
    (got,) = recorded(a="I see a fish.").choose([Sample("a", options=ANIMALS)])
    assert (got.status, got.scores, got.reply) == ("unparsed", None, "I see a fish.")


def test_a_text_is_no_index() -> None:
    numbers = tuple(Option(label, (label,)) for label in ("2", "0", "1"))
    (text, index) = (next(recorded(a=held).choose([Sample("a", options=numbers)])) for held in ("2", 2))
    assert (text.scores.tolist(), text.raw) == ([1, 0, 0], "2")
    assert (index.scores.tolist(), index.raw) == ([0, 0, 1], "2")
    digits = tuple(Option(str(n), (str(n),)) for n in range(3))
    assert next(recorded(a="2").choose([Sample("a", options=digits)])).scores.tolist() == [0, 0, 1], "both say the same"
    years = tuple(Option(label, (label,)) for label in ("1998", "2004"))
    assert next(recorded(a="2004").choose([Sample("a", options=years)])).scores.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("held", "scores"), [("yes", [1, 0]), (True, [1, 0]), (False, [0, 1]), ("No.", [0, 1]), ([0.2, 0.8], [0.2, 0.8])]
)
def test_yes_and_no(held: object, scores: list[float]) -> None:
    (got,) = recorded(a=held).choose([Sample("a", options=YES_NO)])
    assert (got.status, got.scores.tolist()) == ("ok", scores)


@pytest.mark.parametrize("held", [1, 0, "1", "0 "])
def test_a_number_says_neither_yes_nor_no(held: object) -> None:
    (got,) = recorded(a=held).choose([Sample("a", options=YES_NO)])
    assert got.status == "error"
    assert "may mean yes or no; write the word" in got.message


# answer


@pytest.mark.parametrize(
    ("held", "text"),
    [("a cat", "a cat"), ("", ""), (" x ", " x "), (7, "7"), (0.5, "0.5"), (2.0, "2"), (1e20, "1e+20")],
)
def test_an_answer_is_taken_as_it_is(held: object, text: str) -> None:
    (got,) = recorded(a=held).answer([Sample("a")], ["ignored"], Wording())
    assert (got.status, got.text) == ("ok", text)


@pytest.mark.parametrize("held", [True, ["a"], {"a": 1}, None])
def test_what_is_no_answer_is_an_error(held: object) -> None:
    (got,) = recorded(a=held).answer([Sample("a")], [], Wording())
    assert (got.status, got.text) == ("error", None)
    assert "item a" in got.message


def test_what_is_shown_of_a_prediction_is_short() -> None:
    (got,) = recorded(a=["x" * 999]).answer([Sample("a")], [], Wording())
    assert len(got.message) < 100


# within


def pair(pictures: int, captions: int, picture: Callable[..., Image]) -> Sample:
    return Sample("a", tuple(map(picture, range(pictures))), references=tuple(f"c{n}" for n in range(captions)))


@pytest.mark.parametrize(
    ("pictures", "held", "expected"),
    [
        (2, [[1, 2], [3, 4.5]], [[1, 2], [3, 4.5]]),
        (1, [[1, 2]], [[1, 2]]),
        (1, [1, 2], [[1, 2]]),
        (0, [[1, 2], [3, 4]], [[1, 2], [3, 4]]),
        (0, [1, 2], [[1, 2]]),
    ],
)
def test_scores_of_a_pair(
    picture: Callable[..., Image], pictures: int, held: object, expected: list[list[float]]
) -> None:
    (got,) = recorded(a=held).within([pair(pictures, 2, picture)], Wording())
    assert got.dtype == np.float64
    assert got.tolist() == expected


@pytest.mark.parametrize(
    ("pictures", "held"),
    [
        (2, [1, 2]),
        (2, [[1, 2]]),
        (1, [[1, 2], [3, 4]]),
        (2, [[1, 2], [3]]),
        (2, [[1, 2], 3]),
        (2, [[1, 2], [3, "4"]]),
        (2, [[1, 2], [3, True]]),
        (2, [[1, 2], [3, 10**400]]),
        (0, [[1, 2], [3, 4], [5, 6]]),
        (0, []),
        (2, []),
        (1, "c0"),
        (1, 0),
        (1, {}),
    ],
)
def test_scores_of_the_wrong_shape_fail(picture: Callable[..., Image], pictures: int, held: object) -> None:
    (got,) = recorded(a=held).within([pair(pictures, 2, picture)], Wording())
    assert isinstance(got, Failure)
    assert got.message.startswith("item a: expected a list of 2 scores for each picture, one a caption, found ")


# What is missing, left over, or in the list of another


def test_missing_null_and_conflicting_are_told_apart() -> None:
    made = Recorded("theirs", Predictions({"b": None, "c": "x", "d": "y", "e": "z"}, frozenset("c"), frozenset("c")))
    got = list(made.answer([Sample(name) for name in "abcd"], [], Wording()))
    assert [(each.status, each.message) for each in got] == [
        ("error", "item a has no prediction"),
        ("error", "the prediction of item b is null"),
        ("error", "item c has two predictions that differ"),
        ("ok", None),
    ]
    assert (made.missing, made.extra) == (["a"], ["e"])


def test_turns_of_an_item_may_stand_in_one_list() -> None:
    turns = [Sample(f"q#{n}", options=ANIMALS) for n in range(4)]
    made = recorded(q=["cat", 2, "bird"])
    got = list(made.choose(turns))
    assert [each.reply for each in got] == ["cat", "bird", "bird", None]
    assert got[3].message == "item q#3 has no prediction"
    assert made.extra == []
    one_by_one = recorded(**{"q#0": "dog", "q": ["cat"], "q#x": "bird"})
    assert next(one_by_one.choose(turns)).reply == "dog", "an id of its own comes first"
    assert [each.status for each in one_by_one.choose([Sample("q#x", options=ANIMALS)])] == ["ok"]
    assert [each.status for each in recorded(q=["cat"]).choose([Sample("q#-1", options=ANIMALS)])] == ["error"]


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (lambda made: made.similarity([]), "retrieval, which ranks whole galleries"),
        (lambda made: made.features([]), "no features"),
        (lambda made: made.prototypes([]), "no vectors"),
        (lambda made: made.tuned([]), "cannot learn a prompt"),
    ],
)
def test_what_was_not_recorded_is_unsupported(ask: Callable[[Recorded], object], expected: str) -> None:
    with pytest.raises(Unsupported, match=expected):
        ask(recorded())


# The protocol


def test_model_and_predictions_sit_the_same_exam(subject: Callable[..., Subject]) -> None:
    verbs = [name for name, value in vars(Examinee).items() if inspect.isfunction(value) and name[0] != "_"]
    known = "answer choose control_by features locate prototypes scale similarity tuned within"
    assert sorted(verbs) == known.split()
    for made in (subject(fakes.Dual()), recorded()):
        for verb in verbs:
            wanted = list(inspect.signature(getattr(Examinee, verb)).parameters.values())[1:]
            got = list(inspect.signature(getattr(made, verb)).parameters.values())
            assert [(p.name, p.kind, p.default) for p in got] == [(p.name, p.kind, p.default) for p in wanted]
        assert isinstance(made.fingerprint, str)
        assert (made.control_by("embed"), made.scorer, made.dry) == (None, None, False)
    assert (recorded().looks, subject(fakes.Dual()).looks) == (False, True)


@pytest.mark.parametrize(("written", "expected"), [("2.0", "2"), ("2", "2"), ('"2.0"', "2.0")])
def test_whole_numbers_as_ids(written: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "said.jsonl").write_text(f'{{"id": {written}, "prediction": "a"}}\n')
    assert read_predictions(tmp_path / "said.jsonl").by_id == {expected: "a"}
