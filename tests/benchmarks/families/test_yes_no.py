"""Precision, recall, F1 and the share of yes are those of all items together, whoever answers and however."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mmbench
from mmbench.benchmarks.metrics.yes_no import official_yes
from tests import fakes
from tests.builders import SHARED
from tests.lazy import sk_metrics

SETTINGS = ("random", "popular", "adversarial")


def rows(bench: Any, count: int = 12) -> list[dict[str, Any]]:
    return [
        {
            "image": bench.picture(n),
            "question": f"Is there a thing {n % 3}?",
            "target": ["yes", "no", True, False, "True", "NO"][n % 6],
            "setting": SETTINGS[n // (count // 3)],
        }
        for n in range(count)
    ]


TRUTH = np.array([True, False] * 6)


@pytest.mark.parametrize("route", ["generate", "likelihood", "embed"])
@pytest.mark.parametrize("seed", range(4))
def test_figures_are_those_of_scikit_learn(bench: Any, route: str, seed: int) -> None:
    said = np.random.default_rng(seed).random(12) < 0.6
    model = {
        "generate": fakes.Speaker(lambda n, prompt: "Yes, there is." if said[n] else "no"),
        "likelihood": fakes.Likely(lambda n, prompt, text: -1.0 if (text == "yes") == said[n] else -2.0),
        "embed": fakes.Towers(
            lambda n: [said[n], 1 - said[n]], lambda text: [text.endswith("yes"), text.endswith("no")]
        ),
    }[route]
    made = bench.ask(model, bench.task("yes-no", rows(bench), "facts: [setting]\n"))
    precision, recall, f1, _ = sk_metrics.precision_recall_fscore_support(TRUTH, said, average="binary")
    assert made.values == {
        "accuracy": pytest.approx(sk_metrics.accuracy_score(TRUTH, said)),
        "precision": pytest.approx(precision),
        "recall": pytest.approx(recall),
        "f1": pytest.approx(f1),
        "yes_rate": pytest.approx(said.mean()),
    }
    assert made.record.route == route
    assert {score.chance for score in made.scores.values()} == {0.5}
    parts = [level.score.value for level in made.record.breakdown if level.score.metric == "f1"]
    assert len(parts) == 3
    for setting, part in zip(SETTINGS, parts, strict=True):
        mine = [row["setting"] == setting for row in rows(bench)]
        expected = sk_metrics.precision_recall_fscore_support(
            TRUTH[mine], said[mine], average="binary", zero_division=0
        )[2]
        assert part == pytest.approx(expected)


def test_the_f1_of_all_is_not_the_mean_of_parts(bench: Any) -> None:
    """POPE's three settings are scored apart by many, and their mean taken."""
    replies = ["yes", "no", "yes", "no", "yes", "yes", "yes", "yes", "no", "yes", "no", "yes"]
    made = bench.ask(
        fakes.Speaker(lambda n, prompt: replies[n]),
        bench.task("yes-no", rows(bench), "metrics: [f1]\nfacts: [setting]\n"),
        route="generate",
    )
    parts = [level.score.value for level in made.record.breakdown]
    assert parts == [1.0, pytest.approx(2 / 3), 0.0]
    assert made.values["f1"] == pytest.approx(2 * 4 / (2 * 4 + 4 + 2))
    assert made.values["f1"] != pytest.approx(sum(part or 0.0 for part in parts) / 3)


def test_replies_that_say_neither(bench: Any) -> None:
    replies = ["Yes.", "No.", "I'm sorry, I cannot answer that.", "Who knows?"]
    made = bench.ask(
        fakes.Speaker(lambda n, prompt: replies[n]), bench.task("yes-no", rows(bench)[:4]), route="generate"
    )
    assert [outcome.status for outcome in made.outcomes] == ["ok", "ok", "refused", "unparsed"]
    score = made.scores["accuracy"]
    assert (score.value, score.n, score.coverage, score.bounds) == (0.5, 4, 0.5, (0.5, 1.0))
    assert made.values["recall"] == 0.5, "what is there and was not answered was missed"
    assert made.values["precision"] == 1.0, "no yes was said wrongly"
    assert made.values["yes_rate"] == 0.25
    assert made.scores["f1"].bounds is None, "they are of per-item values only"
    assert made.run.exit_code == 0


def test_a_tie_is_half_a_yes(bench: Any) -> None:
    made = bench.ask(fakes.Likely(lambda n, prompt, text: -1.0), bench.task("yes-no", rows(bench)))
    assert set(made.values.values()) == {0.5}


def test_nothing_said_yes_has_no_precision(bench: Any) -> None:
    made = bench.ask(fakes.Speaker(lambda n, prompt: "no"), bench.task("yes-no", rows(bench)), route="generate")
    assert made.values == {"accuracy": 0.5, "precision": None, "recall": 0.0, "f1": 0.0, "yes_rate": 0.0}


def test_a_picture_that_cannot_be_read(bench: Any) -> None:
    given = rows(bench)
    given[0]["image"] = bench.broken()
    made = bench.ask(fakes.Speaker(lambda n, prompt: "yes"), bench.task("yes-no", given), route="generate")
    assert made.run.exit_code == 1
    assert {score.n for score in made.scores.values()} == {11}
    assert made.values["accuracy"] == pytest.approx(5 / 11)
    assert made.values["yes_rate"] == 1.0


@pytest.mark.parametrize("target", [1, 0, "1", "maybe", None, ""])
def test_a_target_that_is_neither_is_named(bench: Any, target: object) -> None:
    given = rows(bench)
    given[1]["target"] = target
    message, code = bench.failure(fakes.Speaker(lambda n, prompt: "yes"), bench.task("yes-no", given))
    found = "nothing" if target is None else repr(target)
    assert message.startswith(f"items.jsonl line 2: expected yes, no, true or false, found {found}; where the data")
    assert code == 2


def test_the_words_of_each_route(bench: Any) -> None:
    task = bench.task("yes-no", rows(bench)[:1])
    writer = fakes.Speaker(lambda n, prompt: "yes")
    bench.ask(writer, task)
    assert writer.asked == [(0, "Is there a thing 0?\nAnswer with yes or no only.")]
    likely = fakes.Likely(lambda n, prompt, text: -1.0)
    bench.ask(likely, task)
    assert likely.asked == [(0, "Is there a thing 0?", ("yes", "no"))]
    dual = fakes.Towers(lambda n: [1.0], lambda text: [1.0])
    bench.ask(dual, task)
    assert dual.asked == ["Is there a thing 0? yes", "Is there a thing 0? no"]


def test_no_as_the_positive_class_is_as_in_the_script_of_amber(tmp_path: Path) -> None:
    file = SHARED / "reference" / "hallucination.json"
    if not file.is_file():
        pytest.skip("the official figures are not here")
    held = json.loads(file.read_text(encoding="utf-8"))
    labels, expected = held["pope"]["labels"], held["amber_discriminative_of_the_same"]["expected"]
    said = ["Yes" if official_yes(reply) else "No" for reply in held["pope"]["replies"]]
    rows = [{"question": "Is it there?", "target": label} for label in labels]
    names = ["accuracy", "no_precision", "no_recall", "no_f1", "amber_accuracy", "amber_f1"]
    made = mmbench.task("yes-no", rows, metrics=names)

    def scores(replies: list[str]) -> dict[str, float]:
        lines = [json.dumps({"id": str(n), "prediction": each}) for n, each in enumerate(replies)]
        (tmp_path / "p.jsonl").write_text("\n".join(lines))
        return {score.metric: score.value for score in mmbench.score(made, tmp_path / "p.jsonl").record.scores}

    found = scores(said)
    assert found["accuracy"] == found["amber_accuracy"] == pytest.approx(expected["accuracy"])
    assert [round(100 * found[name], 1) for name in ("no_precision", "no_recall")] == [35.3, 19.4]
    # The script adds 0.0001 to a denominator.
    assert (
        found["no_f1"]
        == found["amber_f1"]
        == pytest.approx(expected["f1_all_and_attribute_with_0_0001"] / 100, abs=1e-3)
    )
    longer = scores([f"{each}." for each in said])
    assert longer["no_f1"] == found["no_f1"]
    assert (longer["amber_accuracy"], longer["amber_f1"]) == (0, 0), "to the letter"
