"""What real data sets need said: how the right option is written, where options stand, pictures, groups."""

from typing import Any

import pytest

from mmbench.harness.tasks.task_file import load_task
from tests import fakes
from tests.builders import fails


def rows(bench: Any, count: int = 4, **cells: Any) -> list[dict[str, Any]]:
    """Rows of a choice between 2, 1 and 0, of which each is right in turn."""
    made = []
    for n in range(count):
        own = {
            "image": bench.picture(n),
            "question": f"How many, {n}?",
            "options": ["2", "1", "0"],
            "answer": "ABC"[n % 3],
        }
        made.append(own | {name: cell(n) if callable(cell) else cell for name, cell in cells.items()})
    return made


def refused(bench: Any, family: str, given: list[dict[str, Any]], keys: str, said: str) -> None:
    task = load_task(bench.folder / bench.task(family, given, keys + "\n"))
    fails(lambda: list(task.family.samples()), said)


def chosen(bench: Any, given: list[dict[str, Any]], keys: str, **settings: Any) -> list[float]:
    task = bench.task("multiple-choice", given, f"fields: {{target: answer}}\n{keys}\n")
    made = bench.ask(fakes.Speaker(lambda n, prompt: "A"), task, route="generate", **settings)
    return [outcome.values["accuracy"] for outcome in made.outcomes]


@pytest.mark.parametrize(
    ("written", "keys"),
    [
        (lambda n: "ABC"[n % 3], "target_as: letter"),
        (lambda n: f"({'abc'[n % 3]})", "target_as: letter"),
        (lambda n: f"{'ABC'[n % 3]}.", "target_as: letter"),
        (lambda n: str(n % 3), "target_as: index"),
        (lambda n: n % 3, "target_as: index"),
        (lambda n: n % 3 + 1, "target_as: number"),
        (lambda n: str(2 - n % 3), "target_as: text"),
    ],
)
def test_the_right_option_is_read_as_declared(bench: Any, written: Any, keys: str) -> None:
    # The options are the texts 2, 1, 0: read in another way each of these would be another option.
    assert chosen(bench, rows(bench, answer=written), keys) == [1, 0, 0, 1]


@pytest.mark.parametrize(
    ("cell", "keys", "said"),
    [
        ("D", "target_as: letter", "'D' is the letter of no option, of which there are 3"),
        ("1", "target_as: letter", "expected a letter as `target_as` says, found '1'"),
        ("AB", "target_as: letter", "expected a letter"),
        (3, "target_as: index", "3 is the index of no option"),
        (0, "target_as: number", "0 is the number of no option"),
        ("A", "target_as: index", "expected a whole number"),
        ("4", "target_as: text", "'4' is none of the 3 options"),
        ("A", "target_as: mark", "'target_as'"),
        ("1", "", "is the name of class 1 and the index of"),
    ],
)
def test_another_notation_is_refused(bench: Any, cell: Any, keys: str, said: str) -> None:
    # The last row, undeclared, is fine for both readings: `1` is at place 1. Other options make it two.
    options = {"options": ["1", "2", "0"]} if not keys else {}
    given = rows(bench, answer=cell, **options)
    if not keys:
        said = "is the name of option 0 and the index of '2'"
    refused(bench, "multiple-choice", given, f"fields: {{target: answer}}\n{keys}", said)


def test_a_question_that_lists_its_options(bench: Any) -> None:
    given = rows(bench, question=lambda n: f"How many, {n}?\n(A) two (B) one (C) none")
    for row in given:
        del row["options"]
    replies = ["(A) two", "The answer is B.", "A dog stands there.", "a"]
    task = bench.task("multiple-choice", given, "fields: {target: answer}\ntarget_as: letter\nletters: 3\n")
    speaker = fakes.Speaker(lambda n, prompt: replies[n])
    made = bench.ask(speaker, task)
    assert [outcome.status for outcome in made.outcomes] == ["ok", "ok", "unparsed", "ok"]
    assert made.values == {"accuracy": 0.75}
    assert made.scores["accuracy"].chance == pytest.approx(1 / 3)
    assert speaker.asked[0][1] == f"{given[0]['question']}\nAnswer with the letter of the right option only."


def test_options_of_a_column_that_the_question_lists_too(bench: Any) -> None:
    given = rows(bench, options=["two", "one", "none"])
    keys = "fields: {target: answer}\ntarget_as: letter\nin_question: true\nprompt: '{question}'\n"
    made = bench.ask(
        fakes.Speaker(lambda n, prompt: ["A", "One.", "C", "two"][n]), bench.task("multiple-choice", given, keys)
    )
    assert made.values == {"accuracy": 1.0}


def test_what_a_task_declares_is_part_of_its_protocol(bench: Any) -> None:
    given = rows(bench, options=["two", "one", "none"], set=1)
    keys = ["", "in_question: true\n", "group: 2\n", "group: [set]\nfacts: [set]\n", "prompt: '{question} {options}'\n"]
    made = [
        load_task(
            bench.folder / bench.task("multiple-choice", given, f"fields: {{target: answer}}\ntarget_as: letter\n{key}")
        )
        for key in keys
    ]
    assert len({task.protocol_id("the same data") for task in made}) == len(keys)
    samples = [[(each.question, each.options, each.target) for each in task.family.samples()] for task in made]
    assert all(each == samples[0] for each in samples)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("letters: 3", "`letters` is for data without a column of options"),
        ("in_question: true\ncircular: true", "`circular` turns the options that the prompt lists"),
        ("metrics: [group_accuracy]", "the metric 'group_accuracy' needs the key 'group'"),
        ("group: [set]", "`group` is made of facts; write 'set' into 'facts'"),
        ("group: 1", "'group'"),
        ("group: []", "'group'"),
        ("group: {column: set}", "'group'"),
        ("group: 2\nfacts: [group]", "the data has no column 'group'"),
    ],
)
def test_keys_that_do_not_go_together(bench: Any, keys: str, said: str) -> None:
    refused(
        bench, "multiple-choice", rows(bench, set=1), f"fields: {{target: answer}}\ntarget_as: letter\n{keys}", said
    )


def test_several_pictures_of_an_item(bench: Any) -> None:
    given = rows(bench, image_1=lambda n: bench.picture(n), image_2=lambda n: bench.picture(n + 4) if n % 2 else None)
    seen: list[int] = []

    class Speaker(fakes.Speaker):
        def generate(self, prompts: Any, settings: Any) -> list[str]:
            seen.extend(len(pictures) for pictures, _ in prompts)
            return ["A"] * len(prompts)

    keys = "fields: {target: answer, image: [image_1, image_2]}\ntarget_as: letter\n"
    bench.ask(Speaker(lambda n, prompt: "A"), bench.task("multiple-choice", given, keys))
    assert sorted(seen) == [1, 1, 2, 2]
    listed = [row | {"image": [row["image"]] * 3} for row in rows(bench)]
    seen.clear()
    bench.ask(
        Speaker(lambda n, prompt: "A"),
        bench.task("multiple-choice", listed, "fields: {target: answer}\ntarget_as: letter\n", name="listed"),
    )
    assert seen == [3] * 4
    nothing = [row | {"image": []} for row in rows(bench)]
    refused(bench, "multiple-choice", nothing, "fields: {target: answer}\ntarget_as: letter", "has no picture")


def test_a_group_is_right_where_all_of_it_is(bench: Any) -> None:
    given = [
        {"image": bench.picture(n // 2), "question": f"Is it {n}?", "target": int(n % 2 == 0), "figure": n // 2}
        for n in range(6)
    ]
    replies = ["yes", "no", "yes", "yes", "", "no"]
    keys = "facts: [figure]\ngroup: [figure]\ntarget_as: [1, 0]\nmetrics: [accuracy, group_accuracy]\n"
    made = bench.ask(
        fakes.Speaker(lambda n, prompt: replies[int(prompt[6])]), bench.task("yes-no", given, keys), route="generate"
    )
    assert made.values == {"accuracy": pytest.approx(4 / 6), "group_accuracy": pytest.approx(1 / 3)}
    assert made.scores["group_accuracy"].chance == pytest.approx(0.25)
    assert made.scores["group_accuracy"].clusters == 3
    in_turn = bench.ask(
        fakes.Speaker(lambda n, prompt: replies[int(prompt[6])]),
        bench.task("yes-no", given, keys.replace("[figure]\ntarget", "2\ntarget"), name="in-turn"),
        route="generate",
    )
    assert in_turn.values == made.values
    assert in_turn.record.protocol != made.record.protocol


@pytest.mark.parametrize("by", ["[figure]", "2"])
def test_a_group_of_which_a_part_is_asked_counts_nothing(bench: Any, by: str) -> None:
    given = [
        {"image": bench.picture(n), "question": f"Is it {n}?", "target": "yes", "figure": n // 2} for n in range(5)
    ]
    task = bench.task("yes-no", given, f"facts: [figure]\ngroup: {by}\nmetrics: [group_accuracy]\n")
    answer = fakes.Speaker(lambda n, prompt: "yes" if n != 2 else "no")
    part = bench.ask(answer, task, route="generate", limit=3)
    assert part.values == {"group_accuracy": 1.0}, "of the second group one item was asked, wrongly"
    assert "groups that count nothing since not all of their items were asked: 1 of 2" in part.record.notes
    whole = bench.ask(answer, task, route="generate")
    assert whole.values == {"group_accuracy": pytest.approx(2 / 3 if by != "2" else 1 / 2)}


def test_an_item_that_fails_makes_its_group_void(bench: Any) -> None:
    given = [{"image": bench.picture(n), "question": f"Is it {n}?", "target": "yes"} for n in range(4)]
    given[3]["image"] = bench.broken()
    task = bench.task("yes-no", given, "group: 2\nmetrics: [group_accuracy, accuracy]\n")
    made = bench.ask(fakes.Speaker(lambda n, prompt: "yes"), task, route="generate")
    assert made.values == {"group_accuracy": 1.0, "accuracy": 1.0}
    assert made.record.errors == 1


def test_copies_of_an_item_are_told_by_the_rest_of_their_number(bench: Any) -> None:
    # MMBench writes rotations of its options as rows of their own, a million apart.
    given = rows(bench, index=lambda n: n % 2 + 1_000_000 * (n // 2), answer=lambda n: "AAAB"[n])
    keys = "fields: {target: answer, id: index}\ntarget_as: letter\ngroup: {column: index, modulo: 1000000}\n"
    made = bench.ask(fakes.Speaker(lambda n, prompt: "A"), bench.task("multiple-choice", given, keys), route="generate")
    assert made.values == {"accuracy": 0.75, "group_accuracy": 0.5}
    assert made.scores["group_accuracy"].chance == pytest.approx(1 / 9)
    given[0]["index"] = "none"
    refused(bench, "multiple-choice", given, keys, "'index' holds 'none', expected a number for `group`")


def test_yes_and_no_are_read_as_declared(bench: Any) -> None:
    given = [{"image": bench.picture(0), "question": "Is it?", "target": "0"}]
    refused(bench, "yes-no", given, "", "expected yes, no, true or false, found '0'")
    refused(bench, "yes-no", given, "target_as: [1, 2]", "expected 1 or 2, found '0'")
    refused(bench, "yes-no", given, "target_as: [1, 1]", "two different texts")
