"""Language models as blind baselines: likelihoods as written out by hand, and a run without a look at a picture."""

import json
import shutil
from functools import partial
from pathlib import Path

import pytest

from mmbench.adapters.contract.check import check_adapter
from mmbench.adapters.hf.adapter import from_spec
from mmbench.harness.errors import UsageError
from mmbench.harness.models.abilities import abilities
from tests.adapters.hf.tiny import LANGUAGE, transformers
from tests.lazy import torch

PROMPT, ANSWERS = (
    "a small red bird sits on",
    ["the old wooden fence", "a chair", "the", "books beside some new metal gate"],
)


def load(place, dtype="fp32"):
    return from_spec(str(place), device="cpu", dtype=dtype, offline=True)


@pytest.mark.parametrize("kind", LANGUAGE)
def test_contract(kind, saved, tmp_path):
    check_adapter(
        partial(load, saved(kind)),
        changed={"weights": partial(load, saved(kind, 1))},
        unchanged={"place": partial(load, shutil.copytree(saved(kind), tmp_path / "elsewhere"))},
    )
    assert abilities(load(saved(kind))) == {"score_texts"}


def plain(folder, built_by):
    model = getattr(transformers, built_by).from_pretrained(folder).eval()
    return model, transformers.AutoTokenizer.from_pretrained(folder)


def test_causal_scores_are_those_written_out(saved):
    model, tokens = plain(saved("gpt2"), "AutoModelForCausalLM")
    expected = []
    for prompt, text in [(PROMPT, each) for each in ANSWERS] + [("", ANSWERS[0])]:
        before = tokens(prompt)["input_ids"] if prompt else [tokens.bos_token_id]
        behind = tokens(f" {text}" if prompt else text)["input_ids"]
        with torch.inference_mode():
            logits = model(torch.tensor([before + behind])).logits[0].log_softmax(-1)
        expected.append(sum(float(logits[len(before) + i - 1, token]) for i, token in enumerate(behind)))
    found = load(saved("gpt2")).score_texts([([], PROMPT, ANSWERS), ([], "", ANSWERS[:1])])
    assert [*found[0], *found[1]] == pytest.approx(expected, abs=1e-4)


def test_masked_scores_are_pseudo_log_likelihoods(saved):
    model, tokens = plain(saved("bert"), "AutoModelForMaskedLM")
    expected = []
    for text in ANSWERS:
        ids = tokens(f"{PROMPT} {text}")["input_ids"]
        count = len(tokens(f" {text}", add_special_tokens=False)["input_ids"])
        total = 0.0
        for at in range(len(ids) - 1 - count, len(ids) - 1):  # the end token is not of the text
            masked = [*ids[:at], tokens.mask_token_id, *ids[at + 1 :]]
            with torch.inference_mode():
                total += float(model(torch.tensor([masked])).logits[0, at].log_softmax(-1)[ids[at]])
        expected.append(total)
    assert load(saved("bert")).score_texts([([], PROMPT, ANSWERS)])[0] == pytest.approx(expected, abs=1e-4)


def test_too_long_is_an_error_and_not_cut(saved):
    with pytest.raises(ValueError, match=r"tokens and the model reads 128"):
        load(saved("gpt2")).score_texts([([], PROMPT, ["cat " * 200])])


def test_what_is_no_language_model_is_refused(saved, tmp_path):
    folder = shutil.copytree(saved("bert"), tmp_path / "bare")
    config = json.loads((folder / "config.json").read_text())
    for changed in ({"architectures": ["BertModel"]}, {"architectures": None}, {"vision_config": {}}):
        (folder / "config.json").write_text(json.dumps({**config, **changed}))
        with pytest.raises(UsageError, match="language models whose class ends in ForMaskedLM"):
            load(folder)


@pytest.mark.parametrize("kind", LANGUAGE)
def test_a_run_looks_at_no_picture(kind, saved, tmp_path: Path, command):
    rows = [
        {"image": f"{i}.png", "question": "what sits on the fence", "options": ["a bird", "a cat"], "target": i % 2}
        for i in range(6)
    ]
    for row in rows:
        (tmp_path / row["image"]).write_bytes(b"no picture at all")
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    task = tmp_path / "asked.yaml"
    task.write_text(
        "name: asked\nfamily: multiple-choice\nsource: {kind: jsonl, path: rows.jsonl}\n"
        "fields: {image: image, question: question, options: options, target: target}\n"
    )
    given = ["run", "--model", f"hf:{saved(kind)}", "--task", str(task), "--output", str(tmp_path / "results")]
    given += ["--store", str(tmp_path / "store.sqlite"), "--format", "json"]
    status, out, err = command(*given)
    assert status == 0, err
    (row,) = [row for row in json.loads(out) if row["metric"] == "accuracy"]
    assert (row["value"], row["coverage"], row["route"]) == (0.5, 1.0, "likelihood")
    (record,) = (tmp_path / "results" / "runs").rglob("*.json")
    assert json.loads(record.read_text())["asked"] <= 2  # one question, however many pictures
