"""A choice counts where it is right, in every rotation where that is asked, and is never guessed from a reply."""

import json
from math import log
from typing import Any

import pytest

from mmbench.harness.tasks.task_file import load_task
from tests import fakes

OPTIONS = ["cat", "dog", "cow", "owl"]


def rows(bench: Any, count: int = 4) -> list[dict[str, Any]]:
    return [
        {"image": bench.picture(n), "question": "What is it?", "options": OPTIONS, "target": n % 4, "level": n % 2}
        for n in range(count)
    ]


def listed(options: list[str]) -> str:
    return "\n".join(f"{mark}. {option}" for mark, option in zip("ABCD", options, strict=False))


def right_in_every_order(n: int, prompt: str) -> str:
    lines = dict(line.split(". ")[::-1] for line in prompt.splitlines() if ". " in line)
    return lines[OPTIONS[n % 4]]


def test_replies_by_mark_by_text_and_none(bench: Any) -> None:
    replies = [
        "(A)",
        "It is a dog.",
        "The answer is B.",
        "A cow or an owl",
        "I'm sorry, but I can't see it.",
        "C",
        "",
        "c",
    ]
    made = bench.ask(
        fakes.Speaker(lambda n, prompt: replies[n]),
        bench.task("multiple-choice", rows(bench, 8), "facts: [level]\n"),
        route="generate",
    )
    assert [outcome.status for outcome in made.outcomes] == [
        *("ok", "ok", "ok", "unparsed"),
        *("refused", "ok", "unparsed", "ok"),
    ]
    assert [outcome.values["accuracy"] for outcome in made.outcomes] == [1, 1, 0, 0, 0, 0, 0, 0]
    assert [outcome.prediction for outcome in made.outcomes][1:4] == ["dog", "dog", replies[3]]
    assert made.outcomes[3].target == "owl"
    assert "names several options" in str(made.outcomes[3].message)
    score = made.scores["accuracy"]
    assert (score.value, score.n, score.coverage) == (0.25, 8, 5 / 8)
    assert score.bounds == (0.25, 5 / 8)
    assert score.chance == 0.25
    assert made.run.exit_code == 0, "that a reply cannot be read is the model's failure, not the run's"
    assert {(level.level, level.score.value) for level in made.record.breakdown} == {(0, 0.25), (1, 0.25)}


def test_every_rotation_is_asked(bench: Any) -> None:
    writer = fakes.Speaker(right_in_every_order)
    made = bench.ask(writer, bench.task("multiple-choice", rows(bench), "circular: true\n"))
    asked = {prompt for n, prompt in writer.asked if n == 0}
    end = "Answer with the letter of the right option only."
    assert asked == {f"What is it?\n{listed(OPTIONS[t:] + OPTIONS[:t])}\n{end}" for t in range(4)}
    assert len(writer.asked) == 16
    assert made.values == {"accuracy": 1.0, "circular_accuracy": 1.0}
    assert made.scores["circular_accuracy"].chance == pytest.approx(0.25**4)
    assert round(made.scores["circular_accuracy"].chance or 0, 4) == 0.0039
    assert [outcome.id for outcome in made.outcomes] == ["0", "1", "2", "3"], "one outcome for each item"


def test_always_the_first_mark_is_right_once_and_never_circular(bench: Any) -> None:
    made = bench.ask(
        fakes.Speaker(lambda n, prompt: "A"), bench.task("multiple-choice", rows(bench), "circular: true\n")
    )
    assert made.values == {"accuracy": 0.25, "circular_accuracy": 0.0}


def test_a_rotation_that_fails_and_one_that_is_unclear(bench: Any) -> None:
    def reply(n: int, prompt: str) -> str:
        turned = "A. owl" in prompt
        if n == 1 and turned:
            raise RuntimeError("no more")
        return "Hm." if n == 2 and turned else right_in_every_order(n, prompt)

    made = bench.ask(fakes.Speaker(reply), bench.task("multiple-choice", rows(bench), "circular: true\n"))
    assert made.run.exit_code == 1
    assert [outcome.status for outcome in made.outcomes] == ["ok", "error", "unparsed", "ok"]
    assert made.outcomes[1].values == {}
    assert "no more" in str(made.outcomes[1].message)
    assert made.outcomes[2].values["circular_accuracy"] == 0.0
    score = made.scores["circular_accuracy"]
    assert (score.value, score.n, score.coverage) == (pytest.approx(2 / 3), 3, 0.5)
    assert score.bounds == (0.5, 1.0), "it and the one that failed may have been right"
    assert made.scores["accuracy"].n == 3


def test_circular_items_whose_picture_cannot_be_read(bench: Any) -> None:
    given = rows(bench)
    given[0]["image"] = bench.broken()
    made = bench.ask(fakes.Speaker(right_in_every_order), bench.task("multiple-choice", given, "circular: true\n"))
    assert [outcome.status for outcome in made.outcomes] == ["error", "ok", "ok", "ok"]
    assert [(score.value, score.n) for score in made.scores.values()] == [(1.0, 3), (1.0, 3)]


@pytest.mark.parametrize(("rule", "expected"), [("sum", "dog"), ("mean", "a big cat"), ("pmi", "owl")])
def test_likelihoods_are_compared_as_the_task_says(bench: Any, rule: str, expected: str) -> None:
    """The words alone favour the short; beside the picture the owl gains the most."""
    seen = {"dog": -3.0, "a big cat": -4.5, "owl": -5.0}
    blind = {"dog": -3.5, "a big cat": -4.0, "owl": -9.0}
    likely = fakes.Likely(lambda n, prompt, text: (blind if n is None else seen)[text])
    given = [{**rows(bench)[0], "options": list(seen), "target": expected}]
    made = bench.ask(likely, bench.task("multiple-choice", given, f"likelihood: {rule}\n"))
    assert made.values == {"accuracy": 1.0}
    assert made.outcomes[0].prediction == expected
    asked = [(0, "What is it?", tuple(seen))] + [(None, "What is it?", tuple(seen))] * (rule == "pmi")
    assert likely.asked == asked
    by_hand = {
        "sum": seen,
        "mean": {text: value / len(text) for text, value in seen.items()},
        "pmi": {text: value - blind[text] for text, value in seen.items()},
    }
    assert max(by_hand[rule], key=by_hand[rule].__getitem__) == expected


def test_the_phrasing_on_both_ranking_routes(bench: Any) -> None:
    task = bench.task("multiple-choice", rows(bench), "phrasing: 'Q: {question} A: {answer}!'\n")
    likely = fakes.Likely(lambda n, prompt, text: -1.0 if text == f"{OPTIONS[n % 4]}!" else -2.0)
    assert bench.ask(likely, task).values == {"accuracy": 1.0}
    assert likely.asked[0] == (0, "Q: What is it? A:", tuple(f"{option}!" for option in OPTIONS))
    dual = fakes.Towers(lambda n: [n % 4 == i for i in range(4)], lambda text: [option in text for option in OPTIONS])
    assert bench.ask(dual, task).values == {"accuracy": 1.0}
    assert sorted(dual.asked) == sorted(f"Q: What is it? A: {option}!" for option in OPTIONS)


def test_ties_get_their_expected_credit(bench: Any) -> None:
    made = bench.ask(fakes.Likely(lambda n, prompt, text: log(0.5)), bench.task("multiple-choice", rows(bench)))
    assert made.values == {"accuracy": 0.25}


def test_a_ranking_has_no_rotations(bench: Any) -> None:
    task = bench.task("multiple-choice", rows(bench), "circular: true\n")
    likely = fakes.Likely(lambda n, prompt, text: -float(text != OPTIONS[n % 4]))
    assert bench.run(likely, task).records == [], "circular is asked in writing"
    assert bench.ask(likely, task, route="likelihood").values == {"accuracy": 1.0, "circular_accuracy": None}
    assert len(likely.asked) == 4


@pytest.mark.parametrize(("target", "index"), [(2, 2), ("cow", 2), ("2", 2), (3, 3), ("owl", 3)])
def test_a_target_is_an_index_or_a_text(bench: Any, target: object, index: int) -> None:
    task = load_task(bench.folder / bench.task("multiple-choice", [{**rows(bench)[0], "target": target}]))
    assert [sample.target for sample in task.family.samples()] == [(index,)]


def test_options_in_columns(bench: Any) -> None:
    """As MMBench has them: those at the end may be empty, and what looks like a list is one option."""
    given = [
        {"image": bench.picture(0), "question": "Which?", "A": "[0, 1]", "B": "[1, 2]", "C": "x", "D": "", "target": 1},
        {"image": bench.picture(1), "question": "Which?", "A": "yes", "B": "no", "C": None, "D": None, "target": "no"},
    ]
    task = bench.task("multiple-choice", given, "fields: {options: [A, B, C, D]}\n")
    samples = list(load_task(bench.folder / task).family.samples())
    assert [[option.label for option in sample.options] for sample in samples] == [
        ["[0, 1]", "[1, 2]", "x"],
        ["yes", "no"],
    ]
    made = bench.ask(fakes.Speaker(lambda n, prompt: "B"), task)
    assert made.values == {"accuracy": 1.0}
    assert made.scores["accuracy"].chance == pytest.approx((1 / 3 + 1 / 2) / 2)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"options": ["cat"]}, "a choice needs at least two options, found 1"),
        ({"options": []}, "a choice needs at least two options, found 0"),
        ({"options": ["cat", "dog", "cat"]}, "two options are the same"),
        ({"options": ["cat", "", "dog"], "target": 2}, "an option is empty and others follow"),
        ({"target": 4}, "4 is no option index, expected 0 to 3; where they count from 1, say so: `target_as: number`"),
        (
            {"target": "B"},
            "'B' is neither one of the 4 option names nor an index below 4; where the data writes letters",
        ),
        ({"target": [1]}, "expected an option name or a 0-based option index, found [1]"),
        ({"options": ["1", "2", "3"], "target": "1"}, "'1' is the name of option 0 and the index of '2'; say which"),
        ({"question": None}, "expected text, found nothing"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(bench: Any, changed: dict[str, Any], expected: str) -> None:
    given = [row | (changed if n == 2 else {}) for n, row in enumerate(rows(bench))]
    message, code = bench.failure(fakes.Speaker(lambda n, prompt: "A"), bench.task("multiple-choice", given))
    assert message.startswith(f"items.jsonl line 3: {expected}")
    assert code == 2


def test_more_options_than_letters_have_numbers(bench: Any) -> None:
    options = [f"thing {json.dumps(n)}" for n in range(30)]
    given = [{"image": bench.picture(0), "question": "Which?", "options": options, "target": 27}]
    writer = fakes.Speaker(lambda n, prompt: "28")
    assert bench.ask(writer, bench.task("multiple-choice", given)).values == {"accuracy": 1.0}
    assert "\n28. thing 27\n" in writer.asked[0][1]


def test_numbers_that_never_mean_the_first_option_are_told(bench: Any) -> None:
    def notes(targets: list[int | str]) -> tuple[str, ...]:
        options = ["one", "two", "three"]
        given = [
            {"image": bench.picture(n), "question": "?", "options": options, "target": t} for n, t in enumerate(targets)
        ]
        held: tuple[str, ...] = bench.ask("chance", bench.task("multiple-choice", given)).record.notes
        return held

    (note,) = notes([1, 2] * 10)
    assert "the first option is right in none of 20 items" in note and "`target_as: number`" in note
    assert notes([1, 2] * 4) == notes([0, *[1, 2] * 10]) == notes(["two", "three"] * 10) == ()
