"""Questions that a model does not read to their end: the next route that fits, or an error that tells of each."""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import mmbench
from mmbench.harness import TooLong
from mmbench.harness.run.result import Run

WORDS = {"generate": 6, "score_texts": 6, "embed_texts": 8}


class Short:
    """Reads so many words by each ability, and says so; it finds 'red' the likeliest of all answers."""

    def __init__(self, fingerprint: str = "short", **words: int) -> None:
        self.fingerprint = fingerprint
        self.words = {**WORDS, **words}
        self.written = 0

    def _check(self, ability: str, text: str) -> None:
        if len(text.split()) > self.words[ability]:
            raise TooLong(f"{len(text.split())} words, and the model reads {self.words[ability]} to {ability}")

    def generate(self, prompts: list[Any], settings: object) -> list[str]:
        for _, prompt in prompts:
            self._check("generate", prompt)
            self.written += 1
        return ["red" for _ in prompts]

    def score_texts(self, items: list[Any]) -> list[list[float]]:
        for _, prompt, _ in items:
            self._check("score_texts", prompt)
        return [[-1.0 if text == "red" else -2.0 for text in texts] for _, _, texts in items]

    def embed_images(self, images: list[Any]) -> np.ndarray:
        return np.ones((len(images), 3))

    def embed_texts(self, texts: list[str]) -> np.ndarray:
        return np.array([[1.0, 1.0, 1.0 if text.endswith("red") else 0.0] for text in texts])

    def cuts_answer(self, prompt: str, text: str) -> bool:
        return len(f"{prompt} {text}".split()) > self.words["score_texts"]

    def truncates(self, texts: list[str]) -> list[bool]:
        return [len(text.split()) > self.words["embed_texts"] for text in texts]


def ask(folder: Path, questions: list[str], model: object, *keys: str, **more: Any) -> Run:
    """Ask open questions about one red picture each; the default prompt has nine words more."""
    rows = []
    for i, question in enumerate(questions):
        PIL.Image.new("RGB", (4, 4), (200, i, 0)).save(folder / f"{i}.png")
        rows.append({"image": f"{i}.png", "question": question, "answers": ["red"]})
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    text = "name: open\nfamily: vqa\nsource: {kind: jsonl, path: data.jsonl}\nmetrics: [exact_match]\n"
    (folder / "open.yaml").write_text("\n".join([text, "prompt: '{question}'", *keys]))
    return mmbench.run(
        model, task=str(folder / "open.yaml"), output=folder / "results", store=folder / "s.sqlite", **more
    )


CANDIDATES = "candidates: [red, green]"
WRITTEN_FIRST = "routes: [generate, likelihood, embed]"
FITS, LONG = "which colour is it", "which colour does the thing in the picture have"


def test_candidates_are_ranked_unless_routes_say_otherwise(tmp_path: Path) -> None:
    assert ask(tmp_path, [FITS], Short(), CANDIDATES).records[0].route == "likelihood"
    assert ask(tmp_path, [FITS], Short(), CANDIDATES, WRITTEN_FIRST).records[0].route == "generate"
    assert ask(tmp_path, [FITS], Short()).records[0].route == "generate"


def test_the_next_route_that_fits_is_asked_and_said(tmp_path: Path) -> None:
    made = ask(tmp_path, [FITS, LONG], Short(score_texts=20), CANDIDATES, WRITTEN_FIRST)
    (record,) = made.records
    assert (record.route, record.errors, record.primary.value, made.exit_code) == ("likelihood", 0, 1.0, 0)
    assert record.notes == ("does not fit by generate: 9 words, and the model reads 6 to generate",)


@pytest.mark.parametrize("items", [1, 2, 40])
def test_of_three_routes_the_last_may_fit(tmp_path: Path, items: int) -> None:
    questions = [f"{LONG} number {i}" for i in range(items)]
    (record,) = ask(tmp_path, questions, Short(embed_texts=20), CANDIDATES, WRITTEN_FIRST).records
    assert (record.route, record.primary.value) == ("embed", 1.0)
    assert len(record.notes) == 1 and "by generate" in record.notes[0] and "by likelihood" in record.notes[0]


def test_a_route_that_would_cut_the_answers_off_does_not_fit(tmp_path: Path) -> None:
    made = ask(tmp_path, [LONG] * 20, Short(), CANDIDATES, WRITTEN_FIRST)
    assert (made.records, made.exit_code) == ([], 1)
    (end,) = made.endings()
    for part in (
        "by generate: 9 words",
        "by likelihood: a text of 51 char",
        "by embed: a text of 51 characters would be cut",
    ):
        assert part in end.reason
    assert end.step.startswith("shorten the question")


def test_without_candidates_the_message_says_what_ranking_needs(tmp_path: Path) -> None:
    made = ask(tmp_path, [LONG] * 20, Short())
    (problem,) = made.problems
    assert "by likelihood or embed: answer by ranking needs 'candidates'; the task has none" in str(problem.error)


def test_where_no_route_fits_all_questions_those_that_do_not_are_errors(tmp_path: Path) -> None:
    made = ask(tmp_path, [*[FITS] * 9, LONG], Short(), CANDIDATES, WRITTEN_FIRST)
    (record,) = made.records
    assert (record.route, record.errors, record.primary.value, record.primary.n) == ("generate", 1, 1.0, 9)
    assert record.first_error == "9 words, and the model reads 6 to generate"
    assert record.notes[0].startswith("does not fit by generate: ")


def test_a_pinned_route_is_kept(tmp_path: Path) -> None:
    made = ask(tmp_path, [FITS, LONG], Short(score_texts=20), CANDIDATES, WRITTEN_FIRST, route="generate")
    assert (made.records[0].route, made.records[0].errors) == ("generate", 1)
    made = ask(tmp_path, [LONG] * 20, Short(fingerprint="other", score_texts=20), CANDIDATES, route="generate")
    assert str(made.problems[0].error) == "9 words, and the model reads 6 to generate"


def test_the_control_falls_to_the_same_route(tmp_path: Path) -> None:
    made = ask(tmp_path, [FITS, LONG], Short(score_texts=20), CANDIDATES, WRITTEN_FIRST, controls=["blind"])
    assert [(record.route, record.control) for record in made.records] == [
        ("likelihood", None),
        ("likelihood", "blind"),
    ]
    assert made.records[0].protocol == made.records[1].protocol


def test_captions_longer_than_the_context_are_cut_as_ever_where_embeddings_come_first(tmp_path: Path) -> None:
    rows = [{"image": f"{i}.png", "captions": [f"{LONG} {i}"]} for i in range(3)]
    for i in range(3):
        PIL.Image.new("RGB", (4, 4), (200, i, 0)).save(tmp_path / f"{i}.png")
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "t.yaml").write_text("name: t\nfamily: retrieval\nsource: {kind: jsonl, path: data.jsonl}\n")
    made = mmbench.run(Short(), task=str(tmp_path / "t.yaml"), output=tmp_path / "results", store=tmp_path / "s.sqlite")
    assert (made.records[0].route, made.records[0].truncated_texts) == ("embed", 3)


def test_what_a_task_took_counts_no_time_of_loading_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = time.perf_counter

    class Loads(Short):
        def load_weights(self) -> None:
            monkeypatch.setattr(time, "perf_counter", lambda: clock() + 1e6)

    (record,) = ask(tmp_path, [LONG], Loads(score_texts=20), CANDIDATES, WRITTEN_FIRST).records
    assert 0 < record.seconds < 1e6


def test_long_questions_of_one_task_leave_the_next_its_chance(tmp_path: Path) -> None:
    ask(tmp_path, [LONG] * 20, Short("first"))  # writes the pictures
    for name, questions in (("long", [LONG] * 20), ("mixed", [LONG, *[FITS] * 3])):
        rows = [{"image": f"{i}.png", "question": each, "answers": ["red"]} for i, each in enumerate(questions)]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        text = (tmp_path / "open.yaml").read_text().replace("data.jsonl", f"{name}.jsonl")
        (tmp_path / f"{name}.yaml").write_text(text.replace("name: open", f"name: {name}"))
    tasks = [str(tmp_path / f"{name}.yaml") for name in ("long", "mixed")]
    made = mmbench.run(Short(), task=tasks, output=tmp_path / "results", store=tmp_path / "s.sqlite", route="generate")
    (record,) = made.records
    assert (record.task, record.errors, record.primary.n) == ("mixed", 1, 3)
    assert [problem.task for problem in made.problems] == ["long@1"]
