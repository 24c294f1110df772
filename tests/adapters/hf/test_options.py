"""Options by likelihood: the prompt read once and the options in one batch, equal to one plain pass an option."""

import copy
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from mmbench.adapters.hf import options as scoring
from mmbench.adapters.hf.adapter import from_spec
from mmbench.adapters.hf.kinds import WRITERS
from mmbench.adapters.hf.options import Option, behind, likelihoods
from mmbench.adapters.hf.reading import Read, decoder_start, read
from mmbench.adapters.hf.spec import parse
from mmbench.adapters.shared.asking import ask
from mmbench.harness.errors import AdapterError, OutOfMemory, TooLong, Unsupported, UsageError
from mmbench.harness.models.places import places_of
from mmbench.harness.replies.boxes import CONVENTIONS
from tests.adapters.hf.generative import CLASSES
from tests.adapters.hf.tiny import tokenizers, transformers
from tests.lazy import torch

ENCODED = ("blip_2_t5", "florence2")
FEW = ("llava", "qwen2_vl", "idefics3", "paligemma", "gemma3", "blip_2", "blip_captioning", "florence2")
EACH = [each if each in FEW else pytest.param(each, marks=pytest.mark.long) for each in CLASSES]
"""One of each way to put an answer behind a prompt, and all the others."""
CHATTING = [
    each if each in FEW else pytest.param(each, marks=pytest.mark.long) for each in CLASSES if CLASSES[each].template
]
QUESTION = "what sits on the old wooden fence beside some books " * 2
PICTURE = PIL.Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 90, 3), dtype=np.uint8))


@dataclass(frozen=True)
class Loaded:
    """A tiny model, its processor and what that makes of a picture and a question."""

    kind: str
    model: Any
    processor: Any

    def inputs(self, question: str = QUESTION, pictures: int = 1, behind: str = "") -> Mapping[str, Any]:
        """Return the tensors of one prompt, with a text behind it."""
        shown = [PICTURE] * pictures
        if CLASSES[self.kind].template:
            content = [{"type": "image"}] * pictures + [{"type": "text", "text": question}]
            turns = [{"role": "user", "content": content}]
            question = self.processor.apply_chat_template(turns, add_generation_prompt=True)
        elif self.kind == "paligemma":
            question = "<image>" * pictures + question
        begun = {"add_special_tokens": False} if question.startswith("<s>") else {}
        made = self.processor(images=shown or None, text=question + behind, return_tensors="pt", **begun)
        made.pop("labels", None)
        return made

    def plain(self, inputs: Mapping[str, Any], ids: tuple[int, ...]) -> float:
        """Return the log-probability of an option by one forward pass over the whole, without keys and values kept."""
        row, given = torch.tensor([ids]), dict(inputs)
        with torch.inference_mode():
            if self.kind in ENCODED:
                begun = torch.tensor([decoder_start(self.model)])
                logits = self.model(**given, decoder_input_ids=torch.cat([begun, row], 1)).logits
            elif self.kind == "blip_captioning":
                begun = given["input_ids"][:, :-1].clone()
                begun[:, 0] = 1
                logits = self.model(given["pixel_values"], torch.cat([begun, row], 1)).logits
            else:
                begun = given["input_ids"]
                given["input_ids"] = torch.cat([begun, row], 1)
                given["attention_mask"] = torch.ones_like(given["input_ids"])
                for name in {"mm_token_type_ids", "token_type_ids"} & {*given}:
                    # An option is text; of PaliGemma it is the suffix, which looks back alone.
                    given[name] = torch.cat([given[name], torch.full_like(row, int(self.kind == "paligemma"))], 1)
                logits = self.model(**given, use_cache=False).logits
        told = logits[0, begun.shape[1] - 1 : -1].log_softmax(-1)
        return float(told.gather(-1, row.T).sum())


@pytest.fixture
def load(saved):
    return lambda kind, seed=0: _load(kind, saved(kind, seed))


@lru_cache(maxsize=2)
def _load(kind: str, folder: Path) -> Loaded:
    model = transformers.AutoModelForImageTextToText.from_pretrained(folder).eval()
    processor = transformers.AutoProcessor.from_pretrained(folder)
    processor.image_processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    return Loaded(kind, model, processor)


def scored(model: Any, inputs: Mapping[str, Any], options: list[Option]) -> list[float]:
    with torch.inference_mode():
        return likelihoods(model, inputs, options)


def some(*lengths: int, seed: int = 0) -> list[Option]:
    random = np.random.default_rng(seed)
    return [Option(tuple(random.integers(60, 320, length).tolist())) for length in lengths]


@pytest.mark.parametrize("kind", EACH)
def test_shared_prompt_is_that_of_a_plain_pass(kind, load):
    loaded = load(kind)
    inputs = loaded.inputs()
    options = some(1, 4, 40, 9, 2)
    options.append(Option(options[2].ids[:12]))  # begins as another one does
    options.append(options[1])  # twice
    found = scored(loaded.model, inputs, options)
    assert found == pytest.approx([loaded.plain(inputs, option.ids) for option in options], abs=1e-4)
    assert found[1] == found[-1]
    assert [scored(loaded.model, inputs, [option])[0] for option in options] == pytest.approx(found, abs=1e-4)


@pytest.mark.parametrize("kind", CHATTING)
def test_text_alone_after_a_picture_and_several_pictures(kind, load):
    # Qwen's model keeps the positions of the prompt before, and would give them to this one.
    loaded = load(kind)
    options = some(3, 7, 1)
    for pictures in (1, 0, 2, 0):
        inputs = loaded.inputs(pictures=pictures)
        expected = [copy.deepcopy(loaded).plain(inputs, option.ids) for option in options]
        assert scored(loaded.model, inputs, options) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("kind", ["qwen2_vl", "gemma3", "florence2", "blip_captioning"])
def test_in_passes_that_fit_the_memory(kind, load, monkeypatch):
    loaded = load(kind)
    inputs, options = loaded.inputs(), some(*range(1, 14))
    whole = scored(loaded.model, inputs, options)
    rows, go_on = [], Read.go_on

    def narrow(prompt, ids):
        rows.append(len(ids))
        if len(ids) > 3:
            raise torch.OutOfMemoryError("too many at a time")
        return go_on(prompt, ids)

    monkeypatch.setattr(scoring, "_LOGITS", 40 * 1600)
    monkeypatch.setattr(scoring, "_STATES", {"cpu": 7 * read(loaded.model, inputs).size()})
    monkeypatch.setattr(Read, "go_on", narrow)
    assert scored(loaded.model, inputs, options) == pytest.approx(whole, abs=1e-5)
    assert sum(each for each in rows if each <= 3) == 12  # an option of one token needs no pass
    assert 3 < max(rows) <= 7
    monkeypatch.setattr(Read, "go_on", lambda prompt, ids: narrow(prompt, ids.repeat(4, 1)))
    with pytest.raises(OutOfMemory):
        ask(loaded.model, lambda: scored(loaded.model, inputs, options))


def test_a_thousand_options(load):
    loaded = load("llava")
    inputs, options = loaded.inputs("what"), some(*[1, 2, 3, 5] * 250)
    found = scored(loaded.model, inputs, options)
    checked = range(0, 1000, 97)
    assert [found[at] for at in checked] == pytest.approx(
        [loaded.plain(inputs, options[at].ids) for at in checked], abs=1e-4
    )


def test_in_half_precision_probabilities_are_summed_in_full(load):
    loaded = load("qwen2_5_vl")
    model = copy.deepcopy(loaded.model).to(torch.bfloat16)
    inputs = loaded.inputs().to("cpu", torch.bfloat16)
    (found,) = scored(model, inputs, some(60))
    with torch.inference_mode():
        prompt = read(model, inputs)
        ids = some(60)[0].ids
        logits = torch.cat([prompt.next_logits[None], prompt.go_on(torch.tensor([ids[:-1]]))[0]])
    rows = logits.double().log_softmax(-1)
    assert found == pytest.approx(float(rows.gather(-1, torch.tensor(ids)[:, None]).sum()), abs=1e-3)


def test_what_is_no_probability_is_an_error(load):
    loaded = load("llava")
    model = copy.deepcopy(loaded.model)
    model.lm_head.weight.data[7] = torch.nan
    with pytest.raises(ValueError, match="logits are NaN or infinite; try --dtype"):
        scored(model, loaded.inputs(), some(3))
    with pytest.raises(AdapterError, match="tokens that the model does not know"):
        scored(loaded.model, loaded.inputs(), [Option((5, 1600))])


def merging() -> Any:
    """Return a tokenizer that reads a colon, a space and a letter as one token, as some of large vocabularies do."""
    model = tokenizers.Tokenizer(tokenizers.models.BPE())
    model.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    model.decoder = tokenizers.decoders.ByteLevel()
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    model.train_from_iterator(["x a"] * 20 + [": a"] * 9, tokenizers.trainers.BpeTrainer(initial_alphabet=alphabet))
    return transformers.PreTrainedTokenizerFast(tokenizer_object=model)


def test_a_token_over_the_end_of_the_prompt(load):
    # The prompt's own token for ':' is not there where ' a' follows: it is read anew, and what reaches on is scored.
    pytest.importorskip("transformers")
    tokens = merging()
    prompt, texts = "which is it:", ["a cat", "the cat", "a"]
    ids = tokens(prompt)["input_ids"]
    anew, options = behind(tokens, prompt, " ", texts, ids)
    assert anew == 1
    for option, text in zip(options, texts, strict=True):
        assert [*ids[:-anew], *option.ids] == tokens(f"{prompt} {text}")["input_ids"]
    assert [option.given for option in options] == [0, 1, 0]
    loaded = load("llava")
    inputs = {"input_ids": torch.tensor([ids[:-anew]]), "attention_mask": torch.ones(1, len(ids) - 1).long()}
    wholes = [loaded.plain(inputs, option.ids) for option in options]
    colon = loaded.plain(inputs, options[1].ids[:1])
    assert scored(loaded.model, inputs, options) == pytest.approx([wholes[0], wholes[1] - colon, wholes[2]], abs=1e-4)


def test_tokens_of_options(saved):
    tokens = transformers.AutoTokenizer.from_pretrained(saved("llava"))
    prompt = "user: <image> what is it assistant:"
    ids = tokens("user: <image><image><image> what is it assistant:")["input_ids"]
    texts = ["a cat", "cat", "東京", "naïve café 🐦", "a", "-1.5"]
    anew, options = behind(tokens, prompt, " ", texts, ids)
    assert anew == 0
    for option, text in zip(options, texts, strict=True):
        assert tokens.decode(option.ids) == f" {text}"
        assert option.given == 0
    for empty in ("", " ", "\n\t"):
        with pytest.raises(ValueError, match="has no words"):
            behind(tokens, prompt, " ", ["a cat", empty], ids)
    with pytest.raises(AdapterError, match="other tokens of the prompt"):
        behind(tokens, prompt, " ", texts, [*ids, 4])


def test_words_of_sentencepiece_keep_their_blank(saved):
    # A blank of its own before a word, which the word's own token has, is what such models never see in training.
    vocabulary = {"<unk>": 0, "▁": 1, "▁a": 2, "▁cat": 3, "cat": 4, ":": 5, "it": 6, "\n": 7, "a": 8, "▁it": 9}
    model = tokenizers.Tokenizer(tokenizers.models.Unigram([(word, -1.0) for word in vocabulary], unk_id=0))
    model.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace(prepend_scheme="first")
    tokens = transformers.PreTrainedTokenizerFast(tokenizer_object=model, unk_token="<unk>")
    for prompt, gap, expected in (("it:", " ", (2, 3)), ("it:\n", "", (8, 3))):
        anew, options = behind(tokens, prompt, gap, ["a cat"], tokens(prompt)["input_ids"])
        assert (anew, options) == (0, [Option(expected)])


def test_an_end_token_behind_the_prompt_is_not_read(saved):
    tokens = transformers.AutoTokenizer.from_pretrained(saved("blip_2_t5"))
    ids = tokens("what is it")["input_ids"]
    anew, options = behind(tokens, "what is it", " ", ["a cat"], ids)
    assert (anew, ids[-1]) == (1, tokens.eos_token_id)
    assert tokens.decode(options[0].ids) == " a cat"


def test_unknown_characters_are_an_error(saved):
    model = tokenizers.Tokenizer(tokenizers.models.WordLevel({"<unk>": 0, "a": 1, "cat": 2}, unk_token="<unk>"))
    model.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokens = transformers.PreTrainedTokenizerFast(tokenizer_object=model, unk_token="<unk>")
    assert scoring.alone(tokens, "a cat") == Option((1, 2))
    for read_as in (lambda text: scoring.alone(tokens, text), lambda text: behind(tokens, "a", " ", [text], [1])):
        with pytest.raises(ValueError, match="characters that the model's tokenizer does not know"):
            read_as("a 🐦")


def adapter(place: Path, dtype: str = "fp32") -> Any:
    return from_spec(str(place), device="cpu", dtype=dtype, offline=True)


ANSWERS = ["a cat", "the old wooden fence", "no", "東京 🐦", "a cat"]
SPACED = ("llava", "llava_next", "llava_next_video", "llava_onevision", "video_llava", "blip_2")
"""Those whose template, or whose words, put a space before an answer."""


@pytest.mark.parametrize("kind", EACH)
def test_scores_are_those_of_the_whole_through_the_processor(kind, load, saved):
    loaded = load(kind)
    tokens = loaded.processor.tokenizer
    prompts = ["what sits on the fence", "" if kind != "blip_2" else "what"]
    for prompt in prompts:
        inputs, expected = loaded.inputs(prompt), []
        for answer in ANSWERS:
            if CLASSES[kind].template or kind == "blip_2":
                whole = loaded.inputs(prompt, behind=f"{' ' * (kind in SPACED)}{answer}")["input_ids"][0]
                ids = whole[inputs["input_ids"].shape[1] :].tolist()
            else:
                ids = tokens(answer, add_special_tokens=False)["input_ids"]
            expected.append(loaded.plain(inputs, tuple(ids)))
        ((first, second)) = adapter(saved(kind)).score_texts([([PICTURE], prompt, ANSWERS), ([PICTURE], prompt, [])])
        assert first == pytest.approx(expected, abs=1e-4)
        assert second == []
        assert inputs["input_ids"].eq(tokens.bos_token_id).sum() == CLASSES[kind].begins


def with_template(saved: Any, folder: Path, template: str) -> Any:
    shutil.copytree(saved("qwen2_vl"), folder)
    (folder / "chat_template.jinja").write_text(template)
    return adapter(folder)


TURN = (
    "{% for m in messages %}<|im_start|>BEGIN{% for c in m.content %}"
    "{% if c.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ c.text }}{% endif %}"
    "{% endfor %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>OPENING{% endif %}"
)
NAMED = "{{ 'model' if m.role == 'assistant' else m.role }}\n"
THOUGHT = "{{ m.role }}\n{% if m.role == 'assistant' %}<think>\n\n</think>\n\n{% endif %}"


@pytest.mark.parametrize(
    ("begin", "opening", "end", "gap"),
    [
        ("{{ m.role }}\n", "assistant\n", "assistant\n", ""),
        ("{{ m.role|capitalize }}: ", "Assistant:", "Assistant:", " "),
        ("{{ m.role|capitalize }}: ", "Assistant: ", "Assistant:", " "),
        (NAMED, "model\n", "model\n", ""),
        ("{{ m.role }} ", "assistant\n", "assistant\n", ""),  # the turns of the past are written otherwise
        ("{{ m.role }}|", "assistant", "assistant", " "),
        ("{{ m.role }}|", "assistant:", "assistant:", " "),
        ("{{ m.role }}|", "assistant>", "assistant>", ""),
        (THOUGHT, "assistant\n", "<think>\n\n</think>\n\n", ""),
        (THOUGHT, "assistant\n<think>\n", "<think>\n\n</think>\n\n", ""),
        ("{{ m.role }}\n", "assistant\n<think>\n", "assistant\n", ""),
    ],
)
def test_an_answer_stands_where_the_template_puts_it(begin, opening, end, gap, saved, tmp_path):
    made = with_template(saved, tmp_path / "m", TURN.replace("BEGIN", begin).replace("OPENING", opening))
    given, found = made._prompts.answered("what is it", ["image"])
    assert (given[given.rindex("<|im_start|>") :].endswith(end), found) == (True, gap)
    ((value,),) = made.score_texts([([PICTURE], "what is it", ["a cat"])])
    assert value < 0


@pytest.mark.parametrize("content", ["m.content", "raise_exception('no answers')", "''"])
def test_where_a_template_shows_no_answer(content, saved, tmp_path):
    # A template for texts alone would print a list of parts as Python writes it, some refuse an answer, some drop it.
    part = "{% if m.role == 'assistant' %}{{ CONTENT }}{% else %}".replace("CONTENT", content)
    template = TURN.replace("{% for c", part + "{% for c").replace(
        "{% endfor %}<|im_end|>", "{% endfor %}{% endif %}<|im_end|>"
    )
    begin = "{{ m.role }}: "
    made = with_template(saved, tmp_path / "m", template.replace("BEGIN", begin).replace("OPENING", "assistant:"))
    assert made._prompts.answered("what is it", ["image"])[0].endswith("<|im_start|>assistant:")
    assert made._prompts.answered("what is it", ["image"])[1] == " "
    thinking = template.replace("BEGIN", begin).replace("OPENING", "assistant: <think>")
    made = with_template(saved, tmp_path / "thinking", thinking)
    if content == "m.content":
        assert made._prompts.answered("what is it", ["image"])[0].endswith("<|im_start|>assistant:")
    else:
        with pytest.raises(Unsupported, match="begins with thoughts"):
            made.score_texts([([PICTURE], "what is it", ["a cat"])])


@pytest.mark.parametrize("kind", ["qwen3_vl", "gemma3", "blip_2", "blip_captioning", "florence2"])
def test_what_does_not_fit_is_an_error_of_its_item(kind, saved):
    made = adapter(saved(kind))
    for text, message in (
        ("a cat " * 400, "tokens, and .* fit behind pictures and prompt"),
        ("", "has no words"),
        ("a <s> cat", "the option holds <s>"),
    ):
        with pytest.raises(ValueError, match=message) as caught:
            made.score_texts([([PICTURE], "what is it", ["a cat", text])])
        assert not isinstance(caught.value, TooLong)
    with pytest.raises(TooLong, match="pictures and prompt take"):
        made.score_texts([([PICTURE], "what is it " * 300, ["a cat"])])


@pytest.mark.parametrize(("kind", "control"), [("qwen2_vl", "blind:none"), ("paligemma", "blind")])
def test_blind_is_without_a_picture_or_beside_a_grey_one(kind, control, saved, tmp_path, command):
    options = ["a bird on a fence", "a cat", "no", "some books"]
    rows = [{"image": f"{i}.png", "question": f"what is {i} ?", "options": options, "target": i % 4} for i in range(8)]
    for i, row in enumerate(rows):
        pixels = np.random.default_rng(i).integers(0, 256, (40, 48, 3), dtype=np.uint8)
        PIL.Image.fromarray(pixels).save(tmp_path / row["image"])
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "asked.yaml").write_text(
        "name: asked\nfamily: multiple-choice\nsource: {kind: jsonl, path: rows.jsonl}\nlikelihood: mean\n"
    )
    given = ["--model", f"hf:{saved(kind)}", "--task", str(tmp_path / "asked.yaml"), "--controls", "blind"]
    given += ["--output", str(tmp_path / "results"), "--store", str(tmp_path / "store.sqlite"), "--format", "json"]
    status, out, err = command("run", "--route", "likelihood", *given)
    assert status == 0, err
    found = {row["control"]: row["value"] for row in json.loads(out) if row["metric"] == "accuracy"}
    made, lengths = adapter(saved(kind)), [len(option) for option in options]
    for name in (None, control):
        right = 0
        for row in rows:
            shown = [PIL.Image.open(tmp_path / row["image"]).convert("RGB")]
            if name == "blind":
                shown = [PIL.Image.new("RGB", shown[0].size, (128, 128, 128))]
            shown = [] if name == "blind:none" else shown
            (scores,) = made.score_texts([(shown, row["question"], options)])
            right += int(np.argmax(np.divide(scores, lengths))) == row["target"]
        assert found[name] == right / len(rows)


# Places in pictures


def placed(folder: Path, options: str = "") -> object:
    return from_spec(f"{folder}{options}", device="cpu", dtype="fp32", offline=True)


def test_known_kinds_bring_their_convention_and_options_are_part_of_the_identity(
    saved: Callable[..., Path],
) -> None:
    plain, told = placed(saved("qwen2_vl")), placed(saved("qwen2_vl"), ",boxes=unit,points=percent")
    assert (places_of("m", plain).boxes, places_of("m", plain).points) == ("thousand", "thousand")
    assert (places_of("m", told).boxes, places_of("m", told).points) == ("unit", "percent")
    assert plain.fingerprint != told.fingerprint  # type: ignore[attr-defined]
    assert {each.boxes for each in WRITERS.values()} <= {None, *CONVENTIONS}


def test_pixels_are_those_of_the_resized_picture(saved: Callable[..., Path]) -> None:
    model = placed(saved("qwen2_5_vl"))
    assert places_of("m", model).boxes == "qwen2.5-vl"
    picture = PIL.Image.new("RGB", (190, 61))
    processor = model.source.processor.image_processor  # type: ignore[attr-defined]
    _, high, wide = processor(images=[picture], return_tensors="pt")["image_grid_thw"][0].tolist()
    size = model.picture_size(*picture.size)  # type: ignore[attr-defined]
    assert size == (wide * processor.patch_size, high * processor.patch_size)


def test_what_is_no_convention_is_refused() -> None:
    with pytest.raises(UsageError, match=r"did you mean 'thousand'"):
        parse("org/name,boxes=thousands")
    with pytest.raises(UsageError, match="no convention of points"):
        parse("org/name,points=florence-2")
    assert parse("org/name,boxes=qwen2.5-vl,max_pixels=200704")[1].boxes == "qwen2.5-vl"
