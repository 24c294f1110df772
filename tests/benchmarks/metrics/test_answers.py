"""Metrics of short answers agree with plain readings of their official rules."""

import random
import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import groupby

import pytest

from mmbench.benchmarks.metrics.answers import (
    anls,
    contains,
    contains_symbols,
    exact_match,
    levenshtein,
    relaxed_accuracy,
    squad_normalise,
    token_f1,
)
from mmbench.harness.errors import DataError

PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
WORDS = [
    *["a", "the", "An", "theme", "cat", "Cat", "cat's", "a.", "the-cat", "“the", "a”", "don’t", "café", "10", "1,000"],
    *["", " ", "...", "_a_", "THE", "\n", "a_b", "e\u0301a", "—a—"],
]


def squad_words(text: str) -> list[str]:
    """SQuAD's normalisation, one character at a time: an article is a whole run of word characters."""
    kept = "".join(character for character in text.lower() if character not in PUNCTUATION)
    runs = ["".join(run) for _, run in groupby(kept, lambda character: character.isalnum() or character == "_")]
    return "".join(" " if run in ("a", "an", "the") else run for run in runs).split()


def squad_f1(prediction: list[str], answer: list[str]) -> float:
    """Harmonic mean of precision and recall, as SQuAD 2.0 takes it."""
    if not prediction or not answer:
        return float(prediction == answer)
    left, shared = list(answer), 0
    for word in prediction:
        if word in left:
            left.remove(word)
            shared += 1
    precision, recall = shared / len(prediction), shared / len(answer)
    return 2 * precision * recall / (precision + recall) if shared else 0.0


def edits(left: str, right: str) -> int:
    """Levenshtein's distance by the table of all prefixes."""
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        previous, row = row, [i]
        for j, b in enumerate(right, 1):
            row.append(min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (a != b)))
    return row[-1]


def anls_by_table(prediction: str, answers: list[str]) -> float:
    distances = []
    for answer in answers:
        length = max(len(answer.upper()), len(prediction.upper()))
        apart = edits(" ".join(answer.lower().split()), " ".join(prediction.lower().split()))
        distances.append(apart / length if length else 0.0)
    similarity = 1 - min(distances)
    return 0.0 if similarity < 0.5 else similarity


@pytest.mark.parametrize("seed", range(3))
def test_squad(seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(1500):
        prediction, *answers = (" ".join(dice.choices(WORDS, k=dice.randrange(6))) for _ in range(dice.randrange(2, 5)))
        words = squad_words(prediction)
        assert squad_normalise(prediction) == " ".join(words)
        assert exact_match(prediction, answers) == any(words == squad_words(answer) for answer in answers)
        best = max(squad_f1(words, squad_words(answer)) for answer in answers)
        assert token_f1(prediction, answers) == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("alphabet", ["ab", "abcdefgh ", "日本é🐶"])
@pytest.mark.parametrize("longest", [6, 30, 150])
def test_levenshtein(alphabet: str, longest: int) -> None:
    dice = random.Random(longest)
    for _ in range(60):
        left, right = ("".join(dice.choices(alphabet, k=dice.randrange(longest))) for _ in range(2))
        assert levenshtein(left, right) == levenshtein(right, left) == edits(left, right)


def test_anls() -> None:
    dice = random.Random(0)
    for _ in range(3000):
        truth = "".join(dice.choices("abcD eéß  \n1", k=dice.randrange(9)))
        texts = ["".join(c for c in truth if dice.random() < 0.8) + dice.choice(["", "", " ", "x"]) for _ in range(3)]
        prediction, *answers = dice.sample([truth, *texts, truth.upper()], k=dice.randrange(2, 5))
        assert anls(prediction, answers) == anls_by_table(prediction, answers), (prediction, answers)


def test_anls_at_its_edges() -> None:
    assert anls("", [""]) == anls(" ", [""]) == anls("YES\n", ["yes"]) == 1.0
    assert anls("", ["yes"]) == anls("yes", [""]) == 0.0
    assert anls("abcd", ["abxy"]) == 0.5  # just the threshold
    assert anls("abcde", ["abxyz"]) == 0.0


def test_relaxed_numbers() -> None:
    dice = random.Random(0)
    for _ in range(5000):
        target = Fraction(dice.randrange(-2000, 2000), dice.choice([1, 10, 100]))
        guess = target * Fraction(dice.randrange(930, 1071), 1000)
        if not target or abs(guess - target) == abs(target) / 20:  # zero is a text; on the edge rounding decides
            continue
        right = Fraction(95, 100) <= guess / target <= Fraction(105, 100)
        texts = [(f"{float(guess)!r}", f"{float(target)!r}"), (f"{float(guess * 100)!r}%", f"{float(target)!r}")]
        assert [relaxed_accuracy(a, [b]) for a, b in texts] == [right, right]


@pytest.mark.parametrize(
    ("prediction", "answer", "score"),
    [
        *[("100%", "96%", 1), ("100%", "94%", 0), ("100%", "0.96", 1), ("100%", "0.94", 0), ("5", "5%", 0)],
        *[("105", "100", 1), ("95", "100", 1), ("106", "100", 0), ("-20", "20", 0), ("-21", "-20", 1)],
        *[("0", "0", 1), ("0.0", "0", 0), ("0.001", "0", 0), ("0", "5", 0), ("0%", "0%", 1), ("nan", "nan", 0)],
        *[("1,000", "1000", 0), ("1,000", "1,000", 1), ("$5", "5", 0), ("5 million", "5 Million", 1), (" 5 ", "5", 1)],
        *[("Yes", "yes", 1), ("yes ", "yes", 0), ("Don't", "Won't", 0), ("", "", 1), ("%", "%", 1), ("inf", "5", 0)],
    ],
)
def test_relaxed_rule(prediction: str, answer: str, score: float) -> None:
    assert relaxed_accuracy(prediction, [answer]) == score


def test_the_figures_of_pix2struct() -> None:
    """The expected values of pix2struct's own `metrics_test.py`."""
    predictions = ["abc", "abc", "Abc", "100%", "100%", "100%", "100%", "Don't"]
    targets = ["abc", "Abc", "abc", "96%", "94%", "0.96", "0.94", "Won't"]
    pairs = list(zip(predictions, targets, strict=True))
    assert sum(anls(a, [b]) for a, b in pairs) / 8 == pytest.approx(0.475)
    assert sum(relaxed_accuracy(a, [b]) for a, b in pairs) / 8 == pytest.approx(0.625)


METRICS = [exact_match, token_f1, anls, relaxed_accuracy]


@pytest.mark.parametrize("metric", METRICS)
def test_the_best_answer_counts(metric: Callable[[str, Sequence[str]], float]) -> None:
    answers = ["nothing of the kind", "12 dogs", "13"]
    assert metric("12 dogs", answers) == metric("12 dogs", answers[::-1]) == 1.0
    assert metric("zebra", answers) == 0.0


@pytest.mark.parametrize("metric", METRICS)
def test_no_answers(metric: Callable[[str, Sequence[str]], float]) -> None:
    with pytest.raises(DataError, match="no answers"):
        metric("dog", [])


def test_a_reply_of_megabytes_costs_nothing() -> None:
    assert anls("cat and dog " * 170_000, ["cat"]) == 0.0
    assert anls("cat" * 2, ["cat"]) == 0.5


@pytest.mark.parametrize("seed", range(4))
def test_an_answer_is_found_anywhere_in_a_reply(seed: int) -> None:
    """Against a search by regular expressions."""
    draw = random.Random(seed)
    for _ in range(50):
        answers = ["".join(draw.choices("aB 1\n", k=draw.randint(0, 3))) for _ in range(2)]
        said = "".join(draw.choices("abAB 1\n", k=draw.randint(0, 8)))
        words = [re.escape(re.sub("\n", " ", answer.strip())) for answer in answers if answer.strip()]
        found = any(re.search(word, re.sub("\n", " ", said.strip()), re.IGNORECASE) for word in words)
        assert contains(said, answers) == found, (said, answers)
        symbols = [re.escape(re.sub("[ \n]", "", answer)) for answer in answers if answer.strip()]
        found = any(re.search(word, re.sub("[ \n]", "", said)) for word in symbols)
        assert contains_symbols(said, answers) == found, (said, answers)


def test_a_blank_answer_is_in_nothing() -> None:
    assert contains("anything", ["", " "]) == contains_symbols("anything", ["\n"]) == 0.0
