"""VQAv2 accuracy is that of the official script: its recorded output, and the rule read by hand."""

import json
import random
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from mmbench.benchmarks.metrics import vqa
from mmbench.benchmarks.metrics.vqa import vqa_accuracy, vqa_accuracy_lenient
from mmbench.harness.errors import DataError

MATERIAL = [
    *[
        "yes",
        "Yes",
        "YES!",
        "no",
        "none",
        "zero",
        "Ten",
        "eleven",
        "a",
        "The",
        "an",
        "plan a",
        "the the dog",
        "none of it",
    ],
    *["t-shirt", "t - shirt", "1,000", "$1,000", "1,000-2,000", "1, 000", "10,000,000", "a,5", "5,a", ",", "1,b-2"],
    *["U.S.A.", ".5", "5.", "..5", "a.1", "1. 2", "...", "a." * 40, "a. " * 40, "x.5" * 40, "x.y-z " + "." * 33],
    *["dont", "DONT", "Im", "Id've", "somebody'd", "ow's'at", "couldn'tve", "yall", "rock 'n' roll", "12:30", "50 %"],
    *[
        "stop\nsign",
        "\nstop",
        "-\tstop-sign",
        "stop\r\nsign",
        "\r-5",
        "\x0bdog\x1c",
        "\u00a0dog",
        "dog\u3000-cat",
        " -5-6",
        "",
    ],
    *[
        "café",
        "“stop”",
        "don’t",
        "1½",
        "２,３-４",
        "a.２",
        "٣,٤/٥",
        "İstanbul",
        "ǅ",
        "Straße",
        "a\u2009-b",
        "\u200bdog",
        "🐶",
    ],
    *[
        "foo@bar.com",
        "x+y=z",
        "back\\slash",
        "`tick`",
        "{left} [right]",
        '"stop" sign',
        "wow !wow!",
        "snake_case _word",
    ],
]


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    """What the official script gave."""
    path = Path(__file__).parents[4] / "shared" / "reference" / "vqa_reference.json"
    if not path.is_file():
        pytest.skip("the reference results are not here")
    return json.loads(path.read_text(encoding="utf-8"))


def stripped(text: str) -> str:
    return "".join(" " if character in "\n\t" else character for character in text).strip()


def normalised(text: str) -> str:
    """The official processing, one character at a time and without regular expressions."""
    text = stripped(text)
    number = any(
        a.isdecimal() and b == "," and c.isdecimal() for a, b, c in zip(text, text[1:], text[2:], strict=False)
    )
    beside_space = {a for a, b in zip(text, text[1:], strict=False) if b == " "}
    beside_space |= {b for a, b in zip(text, text[1:], strict=False) if a == " "}
    spaced = ""
    for character in text:
        if character in ';/[]"{}()=+\\_-><@`,?!':
            spaced += "" if number or character in beside_space else " "
        else:
            spaced += character
    kept, deleted = "", 0
    for character, after in zip(spaced, [*spaced[1:], " "], strict=False):
        if character == "." and not after.isdecimal() and deleted < 32:
            deleted += 1
        else:
            kept += character
    numbers = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    words = [str(numbers.index(word)) if word in numbers else word for word in kept.lower().split()]
    words = ["0" if word == "none" else word for word in words]
    words = [word for word in words if word not in ("a", "an", "the")]
    return " ".join(vqa.CONTRACTIONS.get(word, word) for word in words)


def leave_one_out(prediction: str, answers: list[str]) -> float:
    """The mean over annotators of min(1, matches among the others / 3), in exact arithmetic."""
    credits = []
    for left_out in range(len(answers)):
        others = [answer for i, answer in enumerate(answers) if i != left_out]
        credits.append(min(Fraction(1), Fraction(sum(other == prediction for other in others), 3)))
    return float(sum(credits, Fraction(0)) / len(credits))


def by_hand(prediction: str, answers: list[str], always: bool) -> float:
    same = all(stripped(answer) == stripped(answers[0]) for answer in answers)
    change = normalised if always or not same else stripped
    return leave_one_out(change(prediction), [change(answer) for answer in answers])


def test_tables_are_those_of_the_script(reference: dict[str, Any]) -> None:
    assert reference["contractions"] == vqa.CONTRACTIONS
    assert reference["manual_map_initial"] == vqa.NUMBER_WORDS
    assert sorted(reference["punct"]) == sorted(vqa.MARKS)
    assert sorted(reference["articles"]) == sorted(vqa.ARTICLES)


def test_every_recorded_string(reference: dict[str, Any]) -> None:
    assert len(reference["normalisation"]) == 141
    for row in reference["normalisation"]:
        assert vqa.process_punctuation(row["text"]) == row["after_punctuation"]
        assert vqa.process_digits_and_articles(row["text"]) == row["after_digit_article_only"]
        assert vqa.normalise(row["text"]) == row["after_strip_punct_digit_article"]
        assert normalised(row["text"]) == row["after_strip_punct_digit_article"]  # the reading by hand, too


def test_every_recorded_question(reference: dict[str, Any]) -> None:
    assert len(reference["cases"]) == 296
    for case in reference["cases"]:
        prediction, answers = case["prediction"], case["answers"]
        assert vqa.process(prediction, answers) == (case["processed_prediction"], case["processed_answers"])
        assert vqa_accuracy(prediction, answers) == case["accuracy"]
        assert by_hand(prediction, answers, always=False) == case["accuracy"]


def test_any_answers() -> None:
    dice = random.Random(0)
    for _ in range(4000):
        pool = dice.sample(MATERIAL, dice.choice([1, 1, 2, 4, 20]))
        pool += [change(dice.choice(pool)) for change in (str.upper, "a {}".format, "{}.".format, " {}\n".format)]
        pool = pool[: dice.choice([1, 2, len(pool)])]
        answers = [dice.choice(pool) for _ in range(dice.choice([1, 2, 3, 5, 10, 10, 13]))]
        prediction = dice.choice([*pool, *pool, dice.choice(MATERIAL)])
        assert vqa_accuracy(prediction, answers) == by_hand(prediction, answers, always=False), (prediction, answers)
        assert vqa_accuracy_lenient(prediction, answers) == by_hand(prediction, answers, always=True), (
            prediction,
            answers,
        )


def test_any_characters() -> None:
    dice = random.Random(1)
    alphabet = [*" \n\t\r.,-'!?:;a1２½½", "\u00a0", "\x1f", "the", "ten", " a "]
    for _ in range(20_000):
        text = "".join(dice.choices(alphabet, k=dice.randrange(12)))
        assert vqa.normalise(text) == normalised(text), repr(text)


@pytest.mark.parametrize("annotators", [1, 2, 3, 4, 10, 13])
def test_any_number_of_annotators(annotators: int) -> None:
    for matches in range(annotators + 1):
        answers = ["dog"] * matches + ["cat"] * (annotators - matches)
        assert vqa_accuracy("dog", answers) == leave_one_out("dog", answers)


def test_a_single_annotator_has_no_others() -> None:
    assert vqa_accuracy("dog", ["dog"]) == 0.0


def test_answers_all_the_same_are_only_stripped() -> None:
    assert vqa_accuracy(" dog\n", ["dog", "dog\t"] * 5) == 1.0
    assert vqa_accuracy("dog", ["Dog"] * 10) == vqa_accuracy("dog", ["a dog"] * 10) == 0.0
    assert vqa_accuracy("dog", ["Dog"] * 9 + ["dog"]) == 1.0


@pytest.mark.parametrize("metric", [vqa_accuracy, vqa_accuracy_lenient])
def test_no_answers(metric: Any) -> None:
    with pytest.raises(DataError, match="no answers"):
        metric("dog", [])
