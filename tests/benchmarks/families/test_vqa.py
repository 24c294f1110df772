"""Open answers are asked, ranked and compared as the task file says, and what cannot be is said by name."""

import json
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

import mmbench
from mmbench import metrics
from mmbench.benchmarks.families.common import guessing
from mmbench.benchmarks.families.common.guessing import guesses_for
from mmbench.benchmarks.metrics.answers import anls, token_f1
from mmbench.benchmarks.metrics.vqa import vqa_accuracy
from tests import fakes

COLOURS = ["red", "dark blue", "green"]
POOL = f"candidates: {json.dumps(COLOURS)}\n"


def rows(bench: Any, count: int = 6) -> list[dict[str, Any]]:
    return [
        {
            "image": bench.picture(n),
            "question": f"Which colour has {n % 2}?",
            "answers": [COLOURS[n % 3]] * 3 + ["grey"] * 7,
            "question_type": ["which", "what"][n % 2],
            "answer_type": ["other", "number", "yes/no"][n % 3],
        }
        for n in range(count)
    ]


def test_written_answers(bench: Any) -> None:
    replies = ["red", "Dark blue.", "The green one", "grey", "blue", ""]
    writer = fakes.Speaker(lambda n, prompt: replies[n])
    made = bench.ask(writer, bench.task("vqa", rows(bench)))
    assert [outcome.prediction for outcome in made.outcomes] == replies
    assert [round(outcome.values["vqa_accuracy"], 6) for outcome in made.outcomes] == [0.9, 0.9, 0, 1, 0, 0]
    assert [outcome.values["exact_match"] for outcome in made.outcomes] == [1, 1, 0, 1, 0, 0]
    assert made.outcomes[2].values["token_f1"] == pytest.approx(2 / 3), "of three words the article counts for nothing"
    assert made.outcomes[4].values["token_f1"] == pytest.approx(2 / 3)
    assert made.outcomes[1].target == "dark blue | grey"
    assert list(made.scores)[0] == "vqa_accuracy"
    assert made.values["vqa_accuracy"] == pytest.approx(2.8 / 6)
    assert {score.chance for score in made.scores.values()} == {0.0}, "a model that writes is shown no candidates"
    assert {outcome.status for outcome in made.outcomes} == {"ok"}
    prompts = {prompt for _, prompt in writer.asked}
    assert "Which colour has 1?\nAnswer the question using a single word or phrase." in prompts


def test_break_down_by_question_and_answer_type(bench: Any) -> None:
    task = bench.task("vqa", rows(bench), "facts: [question_type, answer_type]\nmetrics: [exact_match]\n")
    made = bench.ask(fakes.Speaker(lambda n, prompt: "red"), task)
    levels = {(level.fact, level.level): (level.score.value, level.score.n) for level in made.record.breakdown}
    assert levels == {
        ("question_type", "which"): (pytest.approx(1 / 3), 3),
        ("question_type", "what"): (pytest.approx(1 / 3), 3),
        ("answer_type", "other"): (1.0, 2),
        ("answer_type", "number"): (0.0, 2),
        ("answer_type", "yes/no"): (0.0, 2),
    }


@pytest.mark.parametrize(("annotators", "primary"), [(1, "exact_match"), (3, "exact_match"), (4, "vqa_accuracy")])
def test_the_primary_metric_can_reach_one(bench: Any, annotators: int, primary: str) -> None:
    """By the rule of VQAv2 a question of fewer than four annotators cannot be answered rightly."""
    given = [{**row, "answers": ["red"] * annotators} for row in rows(bench)]
    made = bench.ask(fakes.Speaker(lambda n, prompt: "red"), bench.task("vqa", given))
    assert next(iter(made.scores)) == primary
    assert set(made.values.values()) == {1.0}


@pytest.mark.parametrize("given", [POOL, "candidates: pool.txt\n"])
def test_the_likeliest_candidate(bench: Any, given: str) -> None:
    (bench.folder / "pool.txt").write_text("# from the train split\n" + "\n".join([*COLOURS, "red"]) + "\n")
    likely = fakes.Likely(lambda n, prompt, text: -1.0 if text == COLOURS[n % 3] else -2.0)
    made = bench.ask(likely, bench.task("vqa", rows(bench), given), route="likelihood")
    assert [outcome.prediction for outcome in made.outcomes] == [COLOURS[n % 3] for n in range(6)]
    assert made.values["vqa_accuracy"] == pytest.approx(0.9)
    assert sorted(likely.asked) == [(n, f"Which colour has {n % 2}?", tuple(COLOURS)) for n in range(6)]


def test_the_nearest_candidate(bench: Any) -> None:
    dual = fakes.Towers(lambda n: [n % 3 == i for i in range(3)], lambda text: [c in text for c in COLOURS])
    made = bench.ask(dual, bench.task("vqa", rows(bench), POOL), route="embed")
    assert [outcome.prediction for outcome in made.outcomes] == [COLOURS[n % 3] for n in range(6)]
    assert sorted(dual.asked) == sorted(f"Which colour has {q}? {c}" for q in range(2) for c in COLOURS)
    dual.asked.clear()
    bench.ask(dual, bench.task("vqa", rows(bench), POOL + "phrasing: 'a {answer} thing'\n"), route="embed")
    assert dual.asked == [f"a {c} thing" for c in COLOURS]


def test_the_chance_of_a_pool_is_its_mean(bench: Any) -> None:
    pool = [*COLOURS, "grey", "green grey"]
    made = bench.ask(
        fakes.Likely(lambda n, prompt, text: 0.0),
        bench.task("vqa", rows(bench), f"candidates: {json.dumps(pool)}\n"),
        route="likelihood",
    )
    answers = [row["answers"] for row in rows(bench)]
    for metric in (vqa_accuracy, anls, token_f1):
        expected = fmean(fmean(metric(guess, given) for guess in pool) for given in answers)
        assert made.scores[metric.__name__].chance == pytest.approx(expected)


def test_a_large_pool_is_sampled_without_favour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guessing, "MOST_GUESSES", 4000)
    pool = [str(i) for i in range(20)]
    drawn = [guesses_for(item, 1000, pool) for item in range(1000)]
    assert {len(set(each)) for each in drawn} == {4}
    assert drawn == [guesses_for(item, 1000, pool) for item in range(1000)]
    counts = [sum(guess in each for each in drawn) for guess in pool]
    assert all(abs(count - 200) < 4 * (1000 * 0.2 * 0.8) ** 0.5 for count in counts)


def test_ranking_without_candidates_is_not_asked(bench: Any) -> None:
    made = bench.run(fakes.Likely(lambda n, prompt, text: 0.0), bench.task("vqa", rows(bench)))
    assert made.exit_code == 1, "nothing at all was scored"
    assert {(row["value"], row["n"], row["route"]) for row in made.rows()} == {(None, 0, None)}
    assert "needs 'candidates'" in str(made.problems[0].error)


def test_a_picture_that_cannot_be_read_and_a_call_that_fails(bench: Any) -> None:
    def reply(n: int, prompt: str) -> str:
        if n == 5:
            raise RuntimeError("no more")
        return "grey"

    given = rows(bench)
    given[2]["image"] = bench.broken()
    made = bench.ask(fakes.Speaker(reply), bench.task("vqa", given))
    assert made.run.exit_code == 1
    assert [outcome.status for outcome in made.outcomes] == ["ok", "ok", "error", "ok", "ok", "error"]
    score = made.scores["vqa_accuracy"]
    assert (score.value, score.n, round(score.coverage, 4)) == (1.0, 4, 0.6667)
    assert score.bounds == (pytest.approx(4 / 6), 1.0)
    assert "broken.png" in str(made.outcomes[2].message)
    assert "no more" in str(made.outcomes[5].message)
    assert made.outcomes[2].values == {}


def test_without_pictures(bench: Any) -> None:
    """Not asked of a model that needs a picture; of one that takes text alone it is."""
    given = [{name: cell for name, cell in row.items() if name != "image"} for row in rows(bench)]
    writer = fakes.Speaker(lambda n, prompt: "grey")
    made = bench.run(writer, bench.task("vqa", given))
    assert (made.exit_code, made.records) == (1, [])
    assert "item 0 has no picture" in str(made.problems[0].error)
    writer.takes_text_alone = True
    assert bench.ask(writer, bench.task("vqa", given)).values["vqa_accuracy"] == 1.0
    assert {n for n, _ in writer.asked} == {None}


@pytest.mark.parametrize("answers", [[], "", [" "]])
def test_a_row_without_answers_is_named(bench: Any, answers: object) -> None:
    given = rows(bench)
    given[3]["answers"] = answers
    message, code = bench.failure(fakes.Speaker(lambda n, prompt: ""), bench.task("vqa", given))
    assert message == "items.jsonl line 4: no answer to compare with; every row needs at least one"
    assert code == 2


def test_braces_in_questions_are_left_alone(bench: Any) -> None:
    given = [{**rows(bench)[0], "question": "What is {answer} in {options}?"}]
    writer = fakes.Speaker(lambda n, prompt: "grey")
    bench.ask(writer, bench.task("vqa", given, "prompt: 'Q: {question} A:'\n"))
    assert writer.asked == [(0, "Q: What is {answer} in {options}? A:")]


READ = [("Invoice 12", "Invoce 12"), ("red bus", "a red bus"), ("stop", "stop"), ("exit", "")]


def test_text_that_is_read_has_error_rates(bench: Any) -> None:
    given = [
        {"image": bench.picture(n), "question": "Read.", "answers": [right, f"{right} or not at all"]}
        for n, (right, _) in enumerate(READ)
    ]
    writer = fakes.Speaker(lambda n, prompt: READ[n][1])
    made = bench.ask(writer, bench.task("vqa", given, "metrics: [cer, wer, ned, exact_match]\n"))
    right, said = ([pair[side] for pair in READ] for side in (0, 1))
    assert made.values["cer"] == pytest.approx(metrics.cer(right, said)) == pytest.approx(7 / 25)
    assert made.values["wer"] == pytest.approx(metrics.wer(right, said)) == pytest.approx(3 / 6)
    assert made.values["ned"] == pytest.approx(metrics.ned(right, said))
    assert made.outcomes[0].values["cer"] == pytest.approx(0.1)
    assert [made.scores[name].chance for name in ("cer", "wer", "ned", "exact_match")] == [1, 1, 1, 0]
    assert made.scores["cer"].low <= made.values["cer"] <= made.scores["cer"].high
    assert "cer" not in bench.ask(writer, bench.task("vqa", given)).values, "they are computed where they are named"


def test_a_refusal_misses_all_there_was_to_read(bench: Any, tmp_path: Path) -> None:
    given = [{"question": "Read.", "answers": ["stop"]}, {"question": "Read it.", "answers": ["bus"]}]
    file = tmp_path / "said.jsonl"
    file.write_text('{"id": "0", "prediction": "stop"}\n{"id": "1", "prediction": "<think>hm"}\n')
    scored = mmbench.score(mmbench.task("vqa", given, metrics=["cer", "wer", "ned"]), file)
    held = {row["metric"]: row for row in scored.rows()}
    assert (held["cer"]["value"], held["wer"]["value"], held["ned"]["value"]) == pytest.approx((3 / 7, 1 / 2, 1 / 2))
    assert held["ned"]["bounds"] == [0.0, 0.5]
    assert held["ned"]["coverage"] == 0.5


def test_candidates_have_the_error_of_their_mean(bench: Any) -> None:
    given = [{"image": bench.picture(n), "question": "Read.", "answers": [("ab", "abcd")[n]]} for n in range(2)]
    pool = 'candidates: ["ab", "abcd"]\nmetrics: [cer, ned]\n'
    made = bench.ask(fakes.Likely(lambda n, prompt, text: 0.0), bench.task("vqa", given, pool), route="likelihood")
    assert made.scores["cer"].chance == pytest.approx((0 + 2 + 2 + 0) / 2 / 6)
    assert made.scores["ned"].chance == pytest.approx((0 + 0.5 + 0.5 + 0) / 4)
