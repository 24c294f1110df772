"""`mmbench contract`: any adapter from the command line, kept, broken, or not there to be asked."""

import json
from pathlib import Path

import numpy as np
import pytest

from mmbench.adapters.contract.difference import differences

GOOD = """
import numpy as np

class Good:
    fingerprint = "good"
    def embed_texts(self, texts):
        return np.stack([self.word(text) for text in texts])
    def word(self, text):
        return np.random.default_rng(list(text.encode())).standard_normal(8)

class Reversed(Good):
    def embed_texts(self, texts):
        return super().embed_texts(texts)[::-1]

class Noisy(Good):
    def embed_texts(self, texts):
        print("noise")
        return super().embed_texts(texts)

class Quits(Good):
    def embed_texts(self, texts):
        raise SystemExit(0)
"""


def test_kept(command, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(GOOD)
    status, out, _ = command("contract", f"{file}:Good")
    assert (status, out) == (0, "Good keeps the contract: embed_texts\n")
    status, out, err = command("contract", f"{file}:Noisy", "--format", "json")
    made = json.loads(out)
    assert (status, made["abilities"], made["violations"]) == (0, ["embed_texts"], [])
    assert "noise" in err


def test_half_precision_is_held_against_full(command):
    status, out, _ = command("contract", "micro-coca", "--dtype", "fp16", "--format", "json")
    apart = {each.pop("ability"): each for each in json.loads(out)["difference"]}
    assert status == 0 and [*apart] == ["embed_images", "embed_texts", "score_texts", "generate"]
    for name in ("embed_images", "embed_texts"):
        assert 0 < apart[name]["relative"] < 5e-3 and 0.9999 < apart[name]["cosine"] < 1
    assert 0 < apart["score_texts"]["nats"] < 0.2 and 0 < apart["generate"]["equal"] <= 1


def test_differences_are_those_of_plain_arrays():
    class One:
        fingerprint = "1"
        far = np.zeros(2)

        def embed_texts(self, texts):
            return np.array([[3.0, 4.0]] * len(texts)) + self.far

        def score_texts(self, items):
            return [[-1.0 - self.far[0]] * len(texts) for _, _, texts in items]

        def generate(self, prompts, settings):
            return ["a", *["b"] * (len(prompts) - 1)] if self.far[0] else ["b"] * len(prompts)

    class Other(One):
        far = np.array([0.3, -0.4])

    vectors, scores, replies = differences(Other(), One())
    assert (vectors.ability, scores.ability, replies.ability) == ("embed_texts", "score_texts", "generate")
    assert vectors.relative == pytest.approx(0.5 / 5) and vectors.cosine == pytest.approx(0.995158, abs=1e-5)
    assert scores.nats == pytest.approx(0.3)
    assert replies.equal == 0.75
    assert [each.relative for each in differences(One(), One())[:1]] == [0.0]


def test_broken(command, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(GOOD)
    status, out, _ = command("contract", f"{file}:Reversed", "--format", "json")
    found = json.loads(out)["violations"]
    assert status == 1 and [each["clause"] for each in found] == ["order"]
    status, out, _ = command("contract", f"{file}:Reversed")
    assert status == 1 and out == found[0]["sentence"] + "\n"
    assert command("contract", f"{file}:Quits")[0] != 0  # whatever it raises, it does not keep the contract


def test_not_there(command, tmp_path: Path):
    for spec, said in (
        ("nobody", "there is no model 'nobody'"),
        (f"{tmp_path / 'none.py'}:None", "none.py"),
        ("chance", "unknown dtype"),
    ):
        status, out, err = command("contract", spec, "--offline", *(["--dtype", "fp8"] if spec == "chance" else []))
        assert status == 2 and not out and said in err and err.count("\n") == 1


def test_weights_that_are_not_here_break_no_clause(command):
    pytest.importorskip("transformers")
    status, out, err = command("contract", "hf:nobody/nothing", "--offline")
    assert status == 2 and not out and "not in the hub's cache" in err


def test_one_model_at_a_time(command, tmp_path):
    for name in ("a.pt", "b.pt"):
        (tmp_path / name).write_bytes(b"x")
    status, _, err = command("contract", f"open_clip:ViT-B-32@{tmp_path}/*.pt")
    assert status == 2
    assert "one at a time" in err or "checkpoint" in err
