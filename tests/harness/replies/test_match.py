"""A reply is read as its words say, a table of replies of real kinds shows how, and no reply can break the matcher."""

import random
import time
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import yaml

from mmbench.harness.replies.marks import lettered as listed
from mmbench.harness.replies.marks import letters
from mmbench.harness.replies.match import Match, match_option

TABLE: list[dict[str, Any]] = yaml.load(  # noqa: S506 - of the repository
    Path(__file__).with_name("replies.yaml").read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader)
)
CASES = [
    (reply, group["options"], group["lettered"], expected)
    for group in TABLE
    for expected, replies in group["replies"].items()
    for reply in replies
]
ANIMALS = ["cat", "dog", "bird", "horse"]
READ = [case for case in CASES if isinstance(case[3], int)]
BY_MARK = [
    "{}",
    "({})",
    "**{}**",
    "{}.",
    "Answer: {}",
    "The answer is {}.",
    "I would choose {}",
    "{} is correct.",
    "{}) {t}",
]
BY_TEXT = ["{t}", "The {t}.", "It is a {t}.", "The answer is {t}.", "Answer: {t}", "**{t}**", "So it's a {t}.", "a {t}"]


def outcome(match: Match) -> int | str:
    return match.status if match.index is None else match.index


def test_the_table_is_large_and_every_status_is_in_it() -> None:
    assert len(CASES) >= 350
    assert {"unparsed", "refused"} < {case[3] for case in CASES}


@pytest.mark.parametrize("group", TABLE, ids=lambda group: f"{'-'.join(group['options'])[:40]}-{group['lettered']}")
def test_table(group: dict[str, Any]) -> None:
    wrong = []
    for expected, replies in group["replies"].items():
        for reply in replies:
            match = match_option(reply, group["options"], lettered=group["lettered"])
            if outcome(match) != expected:
                wrong.append((reply, expected, match))
    assert wrong == []


def test_every_match_says_why() -> None:
    for reply, options, lettered, _ in CASES:
        match = match_option(reply, options, lettered=lettered)
        assert (match.status == "ok") == (match.index is not None)
        assert match.reason and "\n" not in match.reason and len(match.reason) <= 200, reply


def test_reasons_quote_what_was_read() -> None:
    assert match_option("A dog", ANIMALS).reason == "the whole reply names it"
    assert match_option("It barks. So the answer is B.", ANIMALS).reason == (
        "the answer is given: 'So the answer is B.'"
    )
    assert match_option("I see fur.\nI would choose B", ANIMALS).reason == "concluded: 'I would choose B'"
    assert match_option("An animal. It shows a dog there.", ANIMALS).reason == "the one option asserted"
    assert match_option("There is no dog.", ["yes", "no"], lettered=False).reason == "it says what is or is not there"


def test_reasons_name_what_is_wrong() -> None:
    assert match_option(" ", ANIMALS).reason == "the reply is empty"
    assert match_option("A or C", ANIMALS).reason == "the reply names several options: A and C"
    assert match_option("cat or dog", ["cat", "dog"], lettered=False).reason == (
        'the reply names several options: "cat" and "dog"'
    )
    assert match_option("A fish", ANIMALS).reason == "the reply names no option"
    assert match_option("I cannot help with that.", ANIMALS).reason == "the model declined to answer"


@pytest.mark.parametrize(
    "frame", ["{}\n", "  {}  ", "\n\n{}\n\n", "{}</s>", "<think>Is it A or B?</think>{}", "\ufeff{}"]
)
def test_what_surrounds_a_reply_changes_nothing(frame: str) -> None:
    for reply, options, lettered, expected in READ:
        if "think>" not in reply and "ASSISTANT" not in reply:
            assert outcome(match_option(frame.format(reply), options, lettered=lettered)) == expected, reply


@pytest.mark.parametrize(
    "frame", ["**{}**", "`{}`", "*{}*", "# {}", "- {}", "> {}", '"{}"', "<answer>{}</answer>", "\\boxed{{{}}}"]
)
def test_markup_around_a_mark_or_a_text_changes_nothing(frame: str) -> None:
    for i, (mark, text) in enumerate(zip(letters(4), ANIMALS, strict=True)):
        for core in (mark, text, f"{mark}. {text}"):
            assert outcome(match_option(frame.format(core), ANIMALS)) == i, frame.format(core)


def test_permuting_the_options_permutes_the_answer() -> None:
    for order in permutations(ANIMALS):
        for i, text in enumerate(order):
            for template in [*BY_MARK, *BY_TEXT]:
                reply = template.format(letters(4)[i], t=text)
                assert outcome(match_option(reply, order)) == i, reply


def test_texts_alone_do_not_depend_on_the_marks() -> None:
    for template in BY_TEXT:
        assert outcome(match_option(template.format(t="dog"), ANIMALS, lettered=False)) == 1
    for template in BY_MARK[:-1]:
        assert match_option(template.format("B"), ANIMALS, lettered=False).status == "unparsed"


@pytest.mark.parametrize(
    "joint", ["{} or {}", "{} and {}", "{}, {}", "{}/{}", "either {} or {}", "Both {} and {}.", "{}\n{}"]
)
@pytest.mark.parametrize("lead", ["", "The answer is ", "I think it is "])
def test_two_readings_are_none(joint: str, lead: str) -> None:
    for names in (letters(4), ANIMALS, [f"({mark})" for mark in letters(4)]):
        for first, second in permutations(names, 2):
            reply = lead + joint.format(first, second)
            assert match_option(reply, ANIMALS).status == "unparsed", reply


def test_a_mark_and_a_text_that_disagree_are_none() -> None:
    for mark, text in zip(letters(4), ANIMALS[1:] + ANIMALS[:1], strict=True):
        for template in ("{}. {}", "({}) {}", "The answer is {}. {}", "**{}: {}**", "Answer: {} ({})", "{} - a {}"):
            assert match_option(template.format(mark, text), ANIMALS).status == "unparsed", (mark, text)


def test_the_list_of_options_alone_is_no_answer() -> None:
    assert match_option(listed(ANIMALS), ANIMALS).status == "unparsed"
    for i, mark in enumerate(letters(4)):
        assert match_option(f"What is it?\n{listed(ANIMALS)}\nAnswer: {mark}", ANIMALS).index == i
        assert match_option(f"{listed(ANIMALS)}\n{mark}", ANIMALS).index == i


def test_every_mark_past_the_alphabet_is_read() -> None:
    many = [f"thing {mark}{other}" for mark in "abcdef" for other in "uvwxyz"]
    for i, mark in enumerate(letters(len(many))):
        assert match_option(f"The answer is {mark}.", many).index == i
        assert match_option(f"{mark}. {many[i]}", many).index == i


def test_garbage_breaks_nothing() -> None:
    rng = random.Random(0)
    pool = [chr(rng.randrange(1, 0xD800)) for _ in range(400)] + list("AB.,()[]{}*\\$`'\"?\n ") * 8
    pool += ["cat", "dog", "yes", "no", "the answer is ", "not ", "\\boxed{", "<think>", "\ud800", "\U0001f431"]
    for _ in range(500):
        reply = "".join(rng.choices(pool, k=rng.randrange(40)))
        for options in (ANIMALS, ["yes", "no"], ["", "A", reply[:5]], ["3", "1/2"], []):
            assert match_option(reply, options, lettered=rng.random() < 0.5).status in {"ok", "unparsed", "refused"}


LONG = [
    "A",
    "A, ",
    "so, ",
    "answer: ",
    "the answer is A. ",
    "not ",
    " ",
    "\n",
    "(",
    "**",
    "\\boxed{",
    "<think>",
    "<answer>",
]
LONG += [
    "答案",
    "1,000,",
    "I would ",
    "wait, ",
    "- A. cat\n",
    "is the ",
    '"answer": ',
    "\ufdfa",
    "It is a dog or a cat. ",
]


PLAIN = "Two people walk along the street, and one of them carries a red umbrella. Behind them a bus has stopped. "


@pytest.mark.parametrize("piece", LONG)
def test_long_replies_are_read_in_little_time(piece: str) -> None:
    """None of them takes six times what plain text does.

    Both are timed side by side, as CPU time, until it holds: what disturbs a measurement makes it longer alone.
    """
    reply, plain = (text * (100_000 // len(text)) for text in (piece, PLAIN))
    for options in (ANIMALS, ["yes", "no"], ["3", "5"]):
        took, ordinary = [], []
        for _ in range(20):
            ordinary.append(taken(plain, options))
            took.append(taken(reply, options))
            if min(took) < 6 * min(ordinary):
                break
        assert min(took) < 6 * min(ordinary)


def taken(reply: str, options: list[str]) -> float:
    """CPU seconds, which another process on the machine does not lengthen."""
    start = time.process_time()
    match_option(reply, options)
    return time.process_time() - start
