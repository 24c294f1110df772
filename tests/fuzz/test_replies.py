"""Replies and predictions of every shape: each item has a status, and its reply is kept."""

import json
import math
import random
import sys
from pathlib import Path
from typing import Any

import pytest

from mmbench.harness.cli.app import main
from mmbench.harness.replies.match import match_option
from mmbench.harness.replies.thoughts import spoken
from tests.effort import within

CASES = 40
SLOWEST = 2.0
"""Of a command, in seconds of CPU time."""
OPENS = (
    "<think>", "<thinking>", "[THINK]", "◁think▷", "<|begin_of_thought|>", "<|channel|>analysis<|message|>",
    "analysisWe ", "&lt;think&gt;", "\\u003cthink\\u003e", "<seed:think>", "<|START_THINKING|>",
    "Here is my thought process:", "",
)  # fmt: skip
CLOSES = (
    "</think>", "</thinking>", "[/THINK]", "◁/think▷", "<|end_of_thought|>", "assistantfinal", "&lt;/think&gt;",
    "<|end|><|start|>assistant<|channel|>final<|message|>", "\\u003c/think\\u003e", "\nHere is my response:", "\n", "",
)  # fmt: skip
WORDS = (
    "cat", "dog", "(1)", "(2)", "2.", "B", "yes", "no", "It is a cat.", "Output (2)", "Caption 1", "\x1b[2J", "\x00",
    "é", "<answer>", "</answer>", "`<think>`", "two", "not", "?", "\\boxed{B}", "<|im_end|>", "1e999", "|", "\u202e",
    "😺",
)  # fmt: skip
ODD: tuple[Any, ...] = (
    None, True, 0, 1, -1, 2.0, 0.5, 10**400, [], [None], ["cat", None], [0.1, 0.9], [[1, 2], [3, 4]], {"a": 1}, "", " ",
)  # fmt: skip
TASKS = {
    "vqa": ({"question": "q?", "answers": ["cat"]}, "family: vqa\nmetrics: [exact_match, token_f1]"),
    "captioning": ({"references": ["a cat"]}, "family: captioning\nmetrics: [bleu@1, rouge_l]"),
    "choice": ({"question": "q?", "options": ["a dog", "two cats"], "target": 1}, "family: multiple-choice"),
    "numbered": ({"question": "q?", "options": ["a dog", "cat"], "target": 1}, "family: multiple-choice\nmarks: (1)"),
    "circular": ({"question": "q?", "options": ["dog", "cat"], "target": 1}, "family: multiple-choice\ncircular: true"),
    "yes-no": ({"question": "q?", "target": "yes"}, "family: yes-no"),
    "classes": ({"label": "cat"}, "family: zero-shot-classification\nclasses: [dog, cat]"),
    "pairs": ({"captions": ["a", "b"]}, "family: pairs"),
}
ITEMS = 24


def written(chance: random.Random) -> str:
    """Return a reply of up to three thoughts and some words."""
    said = [chance.choice(OPENS + CLOSES + WORDS) + chance.choice(("", " ", "\n")) for _ in range(chance.randint(1, 9))]
    return "".join(said)


def test_any_reply_is_read_in_time() -> None:
    chance = random.Random(0)  # noqa: S311
    for _ in range(1500):
        reply = written(chance)
        said = spoken(reply)
        match = match_option(reply, ["a dog", "two cats"], marks=chance.choice(("A.", "(A)", "(1)", "1.", "none")))
        assert (match.status == "ok") == (match.index is not None), reply
        if said.only_thoughts:
            assert match.status == "unparsed", reply


def test_any_prediction_is_scored_or_an_error_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(1)  # noqa: S311
    monkeypatch.chdir(tmp_path)
    for i in range(CASES):
        name = list(TASKS)[i % len(TASKS)]
        row, keys = TASKS[name]
        rows = [json.dumps({"id": str(n), **row}) for n in range(ITEMS)]
        if name == "captioning":
            rows[0] = json.dumps({"id": "0", "references": ["two dogs on grass"]})
        Path("rows.jsonl").write_text("\n".join(rows), encoding="utf-8")
        Path("t.yaml").write_text(f"name: t\n{keys}\nsource: {{kind: jsonl, path: rows.jsonl}}\n", encoding="utf-8")
        held: list[Any] = [written(chance) if chance.random() < 0.6 else chance.choice(ODD) for _ in range(ITEMS)]
        if name == "circular":
            held = [[each, written(chance)] for each in held]
        lines = [json.dumps({"id": str(n), "prediction": each}) for n, each in enumerate(held)]
        Path("p.jsonl").write_text("\n".join(lines), encoding="utf-8")
        monkeypatch.setattr(sys, "argv", ["mmbench", "score", "t.yaml", "p.jsonl", "--items", "items.jsonl"])
        bound = SLOWEST if i >= len(TASKS) else math.inf
        with within(bound, f"case {i}, {name}: {held}"), pytest.raises(SystemExit) as done:
            main()
        err = capsys.readouterr().err
        case = f"case {i}, {name}: {done.value.code}\n{err[:1500]}\n{held}"
        assert done.value.code in (0, 1), case
        assert "Traceback" not in err and "internal error" not in err and "\x1b" not in err, case
        items = [json.loads(line) for line in Path("items.jsonl").read_text(encoding="utf-8").splitlines()]
        assert len(items) == ITEMS, case
        for each, item in zip(held, items, strict=True):
            assert (item["status"] == "error") <= (item["values"] == {}), case
            if isinstance(each, str) and name != "pairs":
                assert item["reply"] == each, case
                assert item["status"] != "error" or name == "yes-no", case
            if each is None:
                assert item["status"] == "error", case
