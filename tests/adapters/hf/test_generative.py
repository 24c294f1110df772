"""Models of transformers that write about pictures: each class tiny, held against the library and the contract."""

import json
import shutil
import subprocess
import sys
from functools import partial
from types import SimpleNamespace

import numpy as np
import PIL.Image
import pytest

from mmbench.adapters.contract.check import check_adapter
from mmbench.adapters.hf.adapter import from_spec
from mmbench.adapters.hf.writing import Reader
from mmbench.harness.engine.kinds.reply import REPLY
from mmbench.harness.engine.local import LocalEngine
from mmbench.harness.engine.question import Question
from mmbench.harness.errors import OutOfMemory, TooLong, Unsupported
from mmbench.harness.media.image import Image
from mmbench.harness.models.abilities import Generation
from tests.adapters.hf.generative import CLASSES, transformers
from tests.adapters.hf.test_dual_encoders import UNIMPORTABLE
from tests.lazy import torch

WITHOUT_TEMPLATE = ("paligemma", "blip_2", "blip_2_t5", "blip_captioning", "florence2")
SHORT = Generation(max_tokens=12)
DRAWN = Generation(max_tokens=12, temperature=1.0)
END = 4
"""The end token of every tiny model."""


def load(place, dtype="fp32"):
    return from_spec(str(place), device="cpu", dtype=dtype, offline=True)


def pictures():
    noise = np.random.default_rng(0)
    sizes = [(40, 30), (64, 64), (90, 50), (33, 64), (120, 60)]
    return [PIL.Image.fromarray(noise.integers(0, 256, (h, w, 3), dtype=np.uint8)) for w, h in sizes]


def in_numbers(adapter):
    """The adapter with replies in numbers of tokens: random weights write much that is no text."""
    adapter._reader = SimpleNamespace(text=lambda ids: " ".join(map(str, ids)))
    return adapter


def questions(kind):
    a, b, c, d, e = pictures()
    asked = [([a], "a cat"), ([b], "is there a small red bird on the fence ?"), ([c], "what sits there"), ([d], "")]
    if kind in ("blip_2", "blip_2_t5", "blip_captioning", "florence2"):
        return asked
    asked += [([b, e], "two"), ([c, a, d], "three of them")]
    return asked if kind == "paligemma" else [*asked, ([], "no picture at all"), ([], "none")]


class Library:
    """What the library itself writes, one question at a time."""

    def __init__(self, kind, folder):
        self.kind = kind
        self.processor = transformers.AutoProcessor.from_pretrained(folder)
        self.processor.image_processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
        self.model = transformers.AutoModelForImageTextToText.from_pretrained(folder).eval()

    def inputs(self, shown, prompt):
        if self.kind not in WITHOUT_TEMPLATE:
            content = [*({"type": "image", "image": each} for each in shown), {"type": "text", "text": prompt}]
            turns, made = [{"role": "user", "content": content}], {"tokenize": True, "return_dict": True}
            return self.processor.apply_chat_template(turns, add_generation_prompt=True, return_tensors="pt", **made)
        marked = self.kind == "paligemma"
        text = "<image>" * len(shown) + prompt if marked else prompt
        inputs = self.processor(images=[shown] if marked else shown, text=text, return_tensors="pt")
        inputs.pop("labels", None)
        return inputs

    def reply(self, shown, prompt):
        inputs = self.inputs(shown, prompt)
        with torch.inference_mode():
            made = self.model.generate(**inputs, max_new_tokens=SHORT.max_tokens, do_sample=False)[0].tolist()
        encoded = self.model.config.get_text_config().is_encoder_decoder
        reply = made[1 if encoded else inputs["input_ids"].shape[1] - (self.kind == "blip_captioning") :]
        return " ".join(map(str, reply[: reply.index(END)] if END in reply else reply))


FEW = ("qwen2_vl", "llava_onevision", "idefics3", "paligemma", "blip_captioning", "florence2")
EACH = [each if each in FEW else pytest.param(each, marks=pytest.mark.long) for each in CLASSES]
"""One of each way to be asked, and all the others."""


@pytest.mark.parametrize("kind", EACH)
def test_a_batch_is_its_items_one_by_one_and_as_the_library_writes(kind, saved):
    adapter, asked = in_numbers(load(saved(kind))), questions(kind)
    alone = [adapter.generate([one], SHORT)[0] for one in asked]
    assert adapter.generate(asked, SHORT) == alone
    library = Library(kind, saved(kind))
    assert [library.reply(*one) for one in asked] == alone
    drawn = [adapter.generate([one], DRAWN)[0] for one in asked[2:]]
    assert adapter.generate(asked, DRAWN)[2:] == drawn
    assert len({*drawn}) > 1


FEWER = ("qwen2_vl", "paligemma", "florence2")
"""One of those that chat, that are prompted, and that encode the prompt."""


@pytest.mark.parametrize(
    "kind", [each if each in FEWER else pytest.param(each, marks=pytest.mark.long) for each in FEW]
)
def test_contract(kind, saved, tmp_path):
    check_adapter(
        partial(load, saved(kind)),
        changed={"weights": partial(load, saved(kind, 1))},
        unchanged={"place": partial(load, shutil.copytree(saved(kind), tmp_path / "elsewhere"))},
    )


def test_drawn_replies_go_by_the_question(saved):
    adapter = in_numbers(load(saved("llava")))
    (a, b, *_), warm = pictures(), Generation(max_tokens=12, temperature=0.7)
    asked = [([a], "a cat"), ([b], "a cat"), ([a], "a bird"), ([a], "a cat")]
    replies = adapter.generate(asked, warm)
    assert replies[0] == replies[3] and len({*replies}) == 3
    assert in_numbers(load(saved("llava"))).generate(asked[:1], warm) == replies[:1]
    assert adapter.generate(asked, DRAWN) != replies


def test_the_smallest_temperature_is_greedy(saved):
    adapter, asked = in_numbers(load(saved("llava"))), questions("llava")[:3]
    assert adapter.generate(asked, Generation(max_tokens=12, temperature=1e-320)) == adapter.generate(asked, SHORT)


def test_reply_ends_before_the_first_stop_text(saved):
    adapter = load(saved("llava"))
    adapter._reader.text = lambda ids: " ".join(map(str, ids))
    (whole,) = adapter.generate(questions("llava")[1:2], SHORT)
    tokens = whole.split()
    stop = next(token for token in tokens[2:] if token not in tokens[:2])
    read = []
    adapter._reader.text = lambda ids: read.append(len(ids)) or " ".join(map(str, ids))
    settings = Generation(max_tokens=12, stop=("no such", f" {stop}"))
    other, cut = adapter.generate([questions("llava")[0], questions("llava")[1]], settings)
    assert cut == whole[: whole.index(f" {stop}")]
    assert other == adapter.generate(questions("llava")[:1], settings)[0]
    assert adapter.generate(questions("llava")[1:2], Generation(max_tokens=12, stop=(tokens[0],))) == [""]


def test_reply_is_as_long_as_the_context_allows(saved):
    adapter = in_numbers(load(saved("qwen2_vl")))
    used = adapter._prompts.inputs([([], "")])["input_ids"].shape[1]
    (full,) = adapter.generate([([], "!" * (508 - used))], Generation(max_tokens=64, temperature=3.0))
    both = adapter.generate([([], "!" * (508 - used)), ([], "a")], Generation(max_tokens=64, temperature=3.0))
    assert len(full.split()) <= 4 and both[0] == full and len(both[1].split()) > 4
    with pytest.raises(TooLong, match="and the model reads 512"):
        adapter.generate([([], "!" * 520)], SHORT)


def test_special_tokens_are_dropped_but_for_places_and_thoughts():
    pytest.importorskip("transformers")
    names = ["<s>", "</s>", "<loc_17>", "<seg003>", "[THINK]", "cat"]
    known = {at: transformers.AddedToken(name, special=at < 5) for at, name in enumerate(names)}
    tokenizer = SimpleNamespace(
        added_tokens_decoder=known, all_special_ids=[0, 1], decode=lambda ids, **_: "".join(names[at] for at in ids)
    )
    assert Reader(tokenizer).text(range(6)) == "<loc_17><seg003>[THINK]cat"


def test_weights_of_nan_make_an_error_and_no_text(saved):
    adapter = load(saved("qwen2_vl"))
    next(adapter._model.parameters()).data.fill_(torch.nan)
    with pytest.raises(ValueError, match="logits are NaN or infinite; try --dtype"):
        adapter.generate(questions("qwen2_vl")[:2], SHORT)


def test_memory_that_runs_out_is_told_as_such(saved, monkeypatch):
    adapter, asked = load(saved("qwen2_vl")), questions("qwen2_vl")[:4]
    whole = type(adapter._model).generate

    def small(model, **given):
        if len(given["input_ids"]) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole(model, **given)

    monkeypatch.setattr(type(adapter._model), "generate", small)
    with pytest.raises(OutOfMemory):
        adapter.generate(asked, SHORT)
    engine = LocalEngine(adapter, batch_size=4)
    images = [Image.from_array(np.asarray(shown), str(at)) for at, ((shown,), _) in enumerate(asked)]
    put = [Question(REPLY, (image,), "a", generation=SHORT).read() for image in images]
    values = [each.value for batch in engine.map(put) for each in batch]
    engine.close()
    assert values == [adapter.generate([(shown, "a")], SHORT)[0] for shown, _ in asked]


def test_captioners_look_at_one_picture(saved):
    a, b, *_ = pictures()
    adapter = load(saved("blip_captioning"))
    assert not adapter.takes_text_alone and load(saved("qwen2_vl")).takes_text_alone
    with pytest.raises(Unsupported, match="writes about one picture; an item has 2"):
        adapter.generate([([a, b], "a photo of")], SHORT)
    with pytest.raises(Unsupported, match="writes about pictures; an item has none"):
        load(saved("paligemma")).generate([([], "what is it")], SHORT)


TASKS = {
    "asked": "family: vqa\nfields: {image: image, question: question, answers: answers}",
    "chosen": "family: multiple-choice\nroutes: [generate]\n"
    "fields: {image: image, question: question, options: options, target: target}",
    "agreed": "family: yes-no\nroutes: [generate]\nfields: {image: image, question: question, target: agreed}",
    "told": "family: captioning\nroutes: [generate]\nmetrics: [rouge_l]\nfields: {image: image, references: told}",
    "named": "family: zero-shot-classification\nroutes: [generate]\nfields: {image: image, label: named}\n"
    "classes: [fish, bird]",
}


@pytest.mark.parametrize(
    "kind", [each if each == "qwen2_vl" else pytest.param(each, marks=pytest.mark.long) for each in CLASSES]
)
def test_a_run_of_every_family_and_again_without_the_library(kind, saved, photos, tmp_path, command):
    shown = sorted(photos.glob("*.jpg"))[:3]
    rows = [
        {
            "image": str(each),
            "question": "Is it a fish?",
            "answers": ["yes"] * 10,
            "options": ["a fish", "a bird"],
            "target": at % 2,
            "agreed": ["yes", "no"][at % 2],
            "told": ["a fish in the hand of a man"],
            "named": ["fish", "bird"][at % 2],
        }
        for at, each in enumerate(shown)
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    given = ["run", "--model", f"hf:{saved(kind)}"]
    for name, keys in TASKS.items():
        task = tmp_path / f"{name}.yaml"
        task.write_text(f"name: {name}\nsource: {{kind: jsonl, path: rows.jsonl}}\n{keys}\n")
        given += ["--task", str(task)]
    given += ["--output", str(tmp_path / "results"), "--store", str(tmp_path / "store.sqlite"), "--format", "json"]
    status, cold, err = command(*given)
    assert status == 0, err
    found = json.loads(cold)
    assert {row["task"] for row in found} == {*TASKS} and {row["route"] for row in found} == {"generate"}
    assert {row["n"] for row in found} == {3}
    warm = subprocess.run([sys.executable, "-c", UNIMPORTABLE, *given], capture_output=True, text=True)
    assert warm.returncode == 0, warm.stderr
    assert json.loads(warm.stdout) == found
