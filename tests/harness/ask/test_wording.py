"""What a question is filled into comes out as the task wrote it, whatever the question holds."""

import pytest

from mmbench.harness.ask.wording import ASK_WITH_OPTIONS, DEFAULT, Wording
from mmbench.harness.digest import digest_json
from mmbench.harness.models.abilities import Generation


def test_the_options_stand_between_question_and_instruction() -> None:
    got = Wording().written("Which is round?", ["a ball", "a box"])
    assert got == "Which is round?\nA. a ball\nB. a box\nAnswer with the letter of the right option only."
    assert Wording().prompt == ASK_WITH_OPTIONS


@pytest.mark.parametrize(
    ("prompt", "question", "labels", "expected"),
    [
        # What is filled in is never read again: a question or an option may look like a placeholder.
        ("{question}|{options}", "{options}", ["{question}"], "{options}|A. {question}"),
        ("{question}|{options}", "{question} {0} {} {x!r}", ["{answer}"], "{question} {0} {} {x!r}|A. {answer}"),
        ("{{question}} {x} {", "why", [], "{why} {x} {"),
        ("{question} {question}", "why", [], "why why"),
        ("{options}\n{question}", "why", ["a", "b"], "A. a\nB. b\nwhy"),
        ("{question}", r"a\1b\g<0>\\", [], r"a\1b\g<0>\\"),
        ("{question}: {answer}!", "why", [], "why: !"),
        ("Describe it.", "why", ["a"], "Describe it."),
    ],
)
def test_placeholders_are_filled_in_one_pass(prompt: str, question: str, labels: list[str], expected: str) -> None:
    assert Wording(prompt).written(question, labels) == expected


def test_an_empty_question_asks_which_option_the_picture_shows() -> None:
    assert Wording("{question}\n{options}").written("", ["cat"]) == "Which of these does the picture show?\nA. cat"
    assert Wording("{question}").written("") == "", "where there are no options nothing is asked between them"


@pytest.mark.parametrize(
    ("phrasing", "question", "answer", "embedded", "continued"),
    [
        ("{question} {answer}", "What colour?", "red", "What colour? red", ("What colour?", "red")),
        ("{question} {answer}", "", "red", "red", ("", "red")),
        ("{answer}", "What colour?", "a red ball", "a red ball", ("", "a red ball")),
        ("Q: {question} A: {answer}.", "Why?", "red", "Q: Why? A: red.", ("Q: Why? A:", "red.")),
        (
            "{answer} is the answer to {question}",
            "Why?",
            "red",
            "red is the answer to Why?",
            ("", "red is the answer to Why?"),
        ),
        ("{question} {answer}", "{answer}", "{question}", "{answer} {question}", ("{answer}", "{question}")),
        ("{question} {answer} or {answer}", "Why?", "a", "Why? a or a", ("Why?", "a or a")),
        ("{question} {answer}", "Why?\n", " a ", "Why?\n  a", ("Why?", "a")),
        ("no place for it", "Why?", "a", "no place for it", ("no place for it", "a")),
    ],
)
def test_an_answer_in_its_phrasing(
    phrasing: str, question: str, answer: str, embedded: str, continued: tuple[str, str]
) -> None:
    wording = Wording(phrasing=phrasing)
    assert wording.embedded(question, answer) == embedded
    prompt, text = continued
    assert wording.continued(question, [answer, answer]) == (prompt, (text, text))


def test_the_prompt_of_a_likelihood_is_the_same_for_every_answer() -> None:
    wording = Wording(phrasing="{question} It is {answer}, I say.")
    texts = ("red, I say.", ", I say.", "{question}, I say.")
    assert wording.continued("What?", ("red", "", "{question}")) == ("What? It is", texts)


def test_what_the_routes_must_know() -> None:
    assert Wording().lists_options
    assert not Wording("{question}").lists_options
    assert Wording().mentions_question
    assert not DEFAULT.mentions_question
    assert DEFAULT.continued("", ["a photo of a cat"]) == ("", ("a photo of a cat",))


def test_every_part_of_it_is_part_of_the_protocol() -> None:
    made = [
        Wording(),
        Wording(prompt="{question}"),
        Wording(generation=Generation(max_tokens=17)),
        Wording(generation=Generation(max_tokens=16, temperature=0.5)),
        Wording(generation=Generation(max_tokens=16, stop=("\n",))),
        Wording(phrasing="{answer}"),
        Wording(likelihood="mean"),
        Wording(likelihood="pmi"),
    ]
    assert len({digest_json(each.as_json()) for each in made}) == len(made)
