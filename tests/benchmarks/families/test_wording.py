"""What a task file says of the wording reaches the model, and all of it is part of the protocol id."""

from typing import Any

import pytest

from mmbench.harness.models.abilities import Generation
from mmbench.harness.tasks.task_file import load_task
from tests import fakes

FAMILIES = {
    "vqa": ({"question": "What is it?", "answers": ["cat"] * 4}, "candidates: [cat, dog]\n"),
    "multiple-choice": ({"question": "What is it?", "options": ["cat", "dog"], "target": 0}, ""),
    "yes-no": ({"question": "Is it a cat?", "target": "yes"}, ""),
    "captioning": ({"references": ["a cat is here"]}, "candidates: [cat, dog]\nmetrics: [rouge_l]\n"),
    "pairs": ({"captions": ["a cat", "a dog"]}, ""),
}
WORDED = [family for family in FAMILIES if family != "pairs"]
PROMPTS = {
    "vqa": ("{question} Say it.", "What is it? Say it."),
    "multiple-choice": ("{question} {options} Say it.", "What is it? A. cat\nB. dog Say it."),
    "yes-no": ("{question} {options}", "Is it a cat? A. yes\nB. no"),
    "captioning": ("Say it.", "Say it."),
}


def task(bench: Any, family: str, keys: str = "") -> str:
    cells, more = FAMILIES[family]
    pictures = {"images" if family == "pairs" else "image": bench.picture(0)}
    changed = keys.partition(":")[0]
    kept = [line for line in more.splitlines(keepends=True) if line.partition(":")[0] != changed]
    return bench.task(family, [{**pictures, **cells}], "".join(kept) + keys)


def protocol(bench: Any, family: str, keys: str = "") -> str:
    return load_task(bench.folder / task(bench, family, keys)).protocol_id("data")


@pytest.mark.parametrize("family", WORDED)
def test_prompt_and_generation_reach_the_model(bench: Any, family: str) -> None:
    writer = fakes.Speaker(lambda n, prompt: "a cat")
    given, expected = PROMPTS[family]
    keys = f"prompt: '{given}'\ngeneration: {{max_tokens: 3, temperature: 0.5, stop: ['.', END]}}\n"
    bench.ask(writer, task(bench, family, keys), route="generate")
    assert writer.asked == [(0, expected)]
    assert writer.settings == {Generation(3, 0.5, (".", "END"))}


@pytest.mark.parametrize("family", WORDED)
def test_what_is_left_out_of_generation_is_the_familys(bench: Any, family: str) -> None:
    writer = fakes.Speaker(lambda n, prompt: "a cat")
    bench.ask(writer, task(bench, family), route="generate")
    bench.ask(writer, task(bench, family, "generation: {stop: [END]}\n"), route="generate")
    most = {"vqa": 32, "captioning": 64}.get(family, 16)
    assert writer.settings == {Generation(most), Generation(most, stop=("END",))}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    "keys",
    ["likelihood: mean\n", "likelihood: pmi\n", "phrasing: 'so {answer}'\n"],
)
def test_each_key_of_the_ranking_routes_changes_the_protocol(bench: Any, family: str, keys: str) -> None:
    assert protocol(bench, family, keys) != protocol(bench, family)
    assert protocol(bench, family, "likelihood: sum\n") == protocol(bench, family), "the default said aloud"


@pytest.mark.parametrize("family", WORDED)
def test_each_key_of_writing_changes_the_protocol(bench: Any, family: str) -> None:
    made = [
        protocol(bench, family, keys)
        for keys in (
            "",
            f"prompt: '{PROMPTS[family][0]}'\n",
            "generation: {max_tokens: 7}\n",
            "generation: {temperature: 1}\n",
            "generation: {stop: [END]}\n",
        )
    ]
    assert len(set(made)) == len(made)


@pytest.mark.parametrize("family", ["vqa", "captioning"])
def test_candidates_are_what_they_hold_not_where_they_stand(bench: Any, family: str) -> None:
    (bench.folder / "pool.txt").write_text("cat\ndog\n")
    assert protocol(bench, family, "candidates: pool.txt\n") == protocol(bench, family)
    assert protocol(bench, family, "candidates: [cat, cow]\n") != protocol(bench, family)
    assert protocol(bench, family, "candidates: [dog, cat]\n") != protocol(bench, family)


def test_rotations_change_the_protocol(bench: Any) -> None:
    assert protocol(bench, "multiple-choice", "circular: true\n") != protocol(bench, "multiple-choice")


@pytest.mark.parametrize(
    ("family", "metric"),
    [
        ("vqa", "anls"),
        ("multiple-choice", "accuracy"),
        ("yes-no", "f1"),
        ("captioning", "bleu@2"),
        ("pairs", "text_score"),
    ],
)
def test_the_list_of_metrics_changes_nothing(bench: Any, family: str, metric: str) -> None:
    likely = fakes.Likely(lambda n, prompt, text: -float(len(text)))
    first = bench.ask(likely, task(bench, family, "metrics: [rouge_l]\n" if family == "captioning" else ""))
    second = bench.ask(likely, task(bench, family, f"metrics: [{metric}]\n"))
    assert first.record.protocol == second.record.protocol
    assert list(second.scores) == [metric]
    # The data is part of it, and so is the version.
    changed = load_task(bench.folder / task(bench, family, "version: 2\n"))
    assert changed.protocol_id("data") != protocol(bench, family)


@pytest.mark.parametrize("family", ["vqa", "yes-no", "captioning"])
def test_pmi_asks_each_question_beside_the_blind_picture_too(bench: Any, family: str) -> None:
    """What the blind find as likely as the seeing gains nothing; the rest wins."""
    seen = {"cat": -5.0, "dog": -1.0, "yes": -5.0, "no": -1.0}
    likely = fakes.Likely(lambda n, prompt, text: seen[text] if n == 0 else {"cat": -9.0, "yes": -9.0}.get(text, -1.0))
    by_sum = bench.ask(likely, task(bench, family), route="likelihood")
    assert [n for n, _, _ in likely.asked] == [0]
    by_pmi = bench.ask(likely, task(bench, family, "likelihood: pmi\n"), route="likelihood")
    assert [n for n, _, _ in likely.asked] == [0, 0, None]
    assert by_sum.outcomes[0].prediction in ("dog", "no")
    assert by_pmi.outcomes[0].prediction in ("cat", "yes")
