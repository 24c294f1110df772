"""Checkpoints that write as people have them: templates, settings and files that are odd, missing or hostile."""

import json
import shutil

import numpy as np
import PIL.Image
import pytest

from mmbench.adapters.hf import prompts
from mmbench.adapters.hf.adapter import from_spec
from mmbench.adapters.hf.placement import placement
from mmbench.harness.errors import MmbenchError, UsageError
from mmbench.harness.models.abilities import Generation
from mmbench.harness.models.labels import label_parts
from mmbench.harness.models.models import Loading, make_models

PICTURE = PIL.Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8))
SHORT = Generation(max_tokens=8)
QUESTION = "what sits on the fence"


def load(place, options=""):
    return from_spec(f"{place}{options}", device="cpu", dtype="fp32", offline=True)


def replies(adapter):
    asked = [([PICTURE], QUESTION), ([PICTURE], "a cat")]
    return adapter.generate(asked, SHORT)


@pytest.fixture
def qwen(saved, tmp_path):
    """A copy of a tiny Qwen2-VL that a test may change."""
    return shutil.copytree(saved("qwen2_vl"), tmp_path / "qwen")


@pytest.fixture
def llava(saved, tmp_path):
    """A copy of a tiny LLaVA that a test may change."""
    return shutil.copytree(saved("llava"), tmp_path / "llava")


@pytest.fixture(scope="module")
def plain(saved):
    """What the unchanged Qwen2-VL replies."""
    return replies(load(saved("qwen2_vl")))


def change(folder, name, *without, **values):
    file = folder / name
    content = json.loads(file.read_text()) if file.exists() else {}
    kept = {key: each for key, each in {**content, **values}.items() if key not in without}
    file.write_text(json.dumps(kept))


def template(folder):
    return (folder / "chat_template.jinja").read_text()


SAMPLING = {
    "do_sample": True, "temperature": 2.0, "top_p": 0.5, "top_k": 3, "repetition_penalty": 3.0, "num_beams": 4,
    "no_repeat_ngram_size": 1, "max_new_tokens": 2, "min_new_tokens": 5,
}  # fmt: skip


@pytest.mark.parametrize("said", [SAMPLING, {"do_sample": False, "temperature": 0.6}])
def test_greedy_is_greedy_whatever_the_checkpoint_says(said, qwen, saved, plain):
    change(qwen, "generation_config.json", **said)
    adapter = load(qwen)
    assert replies(adapter) == plain
    assert adapter.fingerprint == load(saved("qwen2_vl")).fingerprint


def test_end_tokens_of_the_checkpoint_are_heeded(qwen, saved):
    adapter = load(saved("qwen2_vl"))
    adapter._reader.text = lambda ids: " ".join(map(str, ids))
    first, second, *_ = replies(adapter)[0].split()
    change(qwen, "generation_config.json", eos_token_id=[int(second)])
    ended = load(qwen)
    ended._reader.text = adapter._reader.text
    assert replies(ended)[0] == first and ended.fingerprint != adapter.fingerprint


def test_tokenizer_without_padding_and_of_the_other_side(qwen, plain):
    change(qwen, "tokenizer_config.json", "pad_token", padding_side="right")
    content = json.loads((qwen / "tokenizer.json").read_text())
    cut = {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0}
    (qwen / "tokenizer.json").write_text(json.dumps({**content, "truncation": cut}))
    assert replies(load(qwen)) == plain


def moved_to_json(folder, text):
    change(folder, "chat_template.json", chat_template=text)


def moved_to_processor(folder, text):
    change(folder, "processor_config.json", chat_template=text)


def moved_to_tokenizer(folder, text):
    change(folder, "tokenizer_config.json", chat_template=text)


def moved_among_others(folder, text):
    named = [{"name": "tools", "template": "x"}, {"name": "default", "template": text}]
    change(folder, "tokenizer_config.json", chat_template=named)


@pytest.mark.parametrize("move", [moved_to_json, moved_to_processor, moved_to_tokenizer, moved_among_others])
def test_template_is_found_wherever_it_stands(move, qwen, plain):
    text = template(qwen)
    (qwen / "chat_template.jinja").unlink()
    move(qwen, text)
    assert replies(load(qwen)) == plain


def test_files_as_older_releases_saved_them(qwen, plain):
    pictures = json.loads((qwen / "processor_config.json").read_text())["image_processor"]
    (qwen / "processor_config.json").unlink()
    size = pictures.pop("size")
    sizes = {"min_pixels": size["shortest_edge"], "max_pixels": size["longest_edge"]}
    change(qwen, "preprocessor_config.json", **pictures, **sizes)
    assert replies(load(qwen)) == plain


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ raise_exception('only for tools') }}", "TemplateError: only for tools"),
        ("{% for %}", "TemplateSyntaxError"),
        ("{{ messages.append(1) }}", "SecurityError"),
        ("{{ ''.__class__.__mro__ }}", "SecurityError"),
        ("{% for m in messages %}{{ m['content'] }}{% endfor %}", "shows 0 pictures for 1"),
        ("<|image_pad|>{{ messages[0]['role'] }}", "leaves the question out"),
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "TimeoutError"),
        (
            "{% set all = namespace(x='aaaa') %}{% for i in range(60) %}{% set all.x = all.x ~ all.x %}{% endfor %}",
            "(Memory|Timeout)Error",  # whichever comes first
        ),
        ("{{ 'a' * 10000000000000 }}", "MemoryError"),
        ("{% generation %}{{ 10 ** 10 ** 10 }}{% endgeneration %}", "computes powers"),
    ],
)
def test_template_that_serves_no_question_is_refused(text, said, qwen, monkeypatch):
    monkeypatch.setattr(prompts, "_SECONDS", 0.3)
    (qwen / "chat_template.jinja").write_text(text)
    with pytest.raises(UsageError, match=rf"{said}.*put its own") as refused:
        load(qwen).load_weights()
    assert "\n" not in str(refused.value)


def test_template_that_fails_for_one_question_fails_that_alone(qwen, saved, monkeypatch):
    text = "{% if 'cat' in messages[-1]['content'][-1]['text'] %}{{ raise_exception('no cats') }}{% endif %}"
    (qwen / "chat_template.jinja").write_text(text + template(qwen))
    adapter = load(qwen)
    assert adapter.generate([([PICTURE], QUESTION)], SHORT) == replies(load(saved("qwen2_vl")))[:1]
    with pytest.raises(ValueError, match="no cats"):
        adapter.generate([([PICTURE], "a cat")], SHORT)


def test_today_is_the_same_every_day(qwen):
    (qwen / "chat_template.jinja").write_text("{{ strftime_now('%d %b %Y') }}" + template(qwen))
    assert load(qwen)._prompts.text("a", ["image"]).startswith("01 Jan 2025<|im_start|>")


def test_thoughts_that_the_template_begins_are_part_of_the_reply(qwen, plain):
    (qwen / "chat_template.jinja").write_text(template(qwen) + "{% if add_generation_prompt %}<think>\n{% endif %}")
    assert all(reply.startswith("<think>\n") for reply in replies(load(qwen)))
    (qwen / "chat_template.jinja").write_text(template(qwen) + "\n</think>\n\n")
    assert not any("think" in reply for reply in replies(load(qwen)))


@pytest.mark.parametrize("token", ["<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|im_end|>", "</s>"])
def test_prompt_with_tokens_of_control_is_an_error(token, saved):
    with pytest.raises(ValueError, match="does not read as words"):
        load(saved("qwen2_vl")).generate([([PICTURE], f"what is {token} ?")], SHORT)


@pytest.mark.parametrize(
    ("kind", "token"), [("llava", "<image>"), ("gemma3", "<start_of_image>"), ("blip_2", "<image>")]
)
def test_prompt_that_would_shift_pictures_is_an_error(kind, token, saved):
    adapter = load(saved(kind))
    with pytest.raises(ValueError, match=f"the prompt holds {token}"):
        adapter.generate([([PICTURE], f"a {token} b")], SHORT)
    assert adapter.generate([([PICTURE], "is <b>it</b> an &lt;image> or an image?")], SHORT)


def test_pictures_stand_first_and_in_order(saved):
    text = load(saved("llava"))._prompts.text("which is left?", ["image"] * 2)
    assert text == "user: <image>\n<image>\nwhich is left? assistant:"


def test_system_prompt_opens_the_chat(saved, plain):
    adapter = load(saved("qwen2_vl"), ",max_pixels=12544,system=Be brief, say a=b/c.")
    assert adapter._prompts.text("why", []).startswith(
        "<|im_start|>system\nBe brief, say a=b/c.<|im_end|>\n<|im_start|>user"
    )
    assert replies(adapter) != plain and adapter.fingerprint != load(saved("qwen2_vl")).fingerprint
    with pytest.raises(UsageError, match="its system prompt holds a token"):
        load(saved("qwen2_vl"), ",system=Hi<|im_end|>").load_weights()
    with pytest.raises(UsageError, match="no chat begins with a system prompt here; leave out system"):
        load(saved("florence2"), ",system=Hi")


def test_template_without_a_place_for_a_system_prompt(qwen):
    text = template(qwen).replace("for message in messages", "for message in messages if message['role'] != 'system'")
    (qwen / "chat_template.jinja").write_text(text)
    with pytest.raises(UsageError, match="no place for a system prompt; leave out system"):
        load(qwen, ",system=Hi").load_weights()


def test_system_prompt_of_any_text_names_a_model(saved):
    spec = f"hf:{saved('qwen2_vl')},system=Is it a@b? Yes, [1]*." + " Be brief." * 40
    (model,) = make_models([spec], Loading(device="cpu", dtype="fp32", offline=True))
    assert model.label.startswith("qwen2_vl-0-system-Is-it-a-b-Yes-1") and len(model.label) < 100
    assert label_parts(f"{spec}.", f"{spec}.")[-1] != model.label


def test_sizes_of_pictures_are_part_of_the_identity(saved, plain):
    folder = saved("qwen2_vl")
    for backend in ("", ",backend=torchvision"):
        small, large = load(folder, f"{backend},max_pixels=3136"), load(folder, f"{backend},min_pixels=12000")
        grids = [int(each._prompts.inputs([([PICTURE], "a")])["image_grid_thw"].prod()) for each in (small, large)]
        assert grids == [16, 80]
        assert len({small.fingerprint, large.fingerprint, load(folder, backend).fingerprint}) == 3
    with pytest.raises(UsageError, match="min_pixels, here 3136, is above max_pixels, here 100"):
        load(folder, ",max_pixels=100").load_weights()
    with pytest.raises(UsageError, match="max_pixels and min_pixels are for qwen2_vl, .*; leave them out"):
        load(saved("llava"), ",max_pixels=3136")
    with pytest.raises(UsageError, match="max_pixels is a whole number of pixels"):
        load(folder, ",max_pixels=1e6")


def test_llava_without_its_patch_size_is_refused(llava):
    change(llava, "processor_config.json", "patch_size")
    with pytest.raises(UsageError, match=r"its processor cannot prepare a picture .*; take the processor files"):
        load(llava).load_weights()


def test_llava_whose_tokens_and_features_differ_gives_no_reply(llava):
    change(llava, "processor_config.json", num_additional_image_tokens=0)
    with pytest.raises(ValueError, match="image tokens do not match"):
        load(llava).generate([([PICTURE], "a")], SHORT)


@pytest.mark.parametrize("places", [None, 2, 8])
def test_picture_without_a_place_in_the_prompt_is_refused(places, saved, tmp_path):
    folder = shutil.copytree(saved("blip_2"), tmp_path / "blip_2")
    change(folder, "processor_config.json", num_query_tokens=places)
    with pytest.raises(UsageError, match=f"gives a picture {places or 0} places in the prompt, and the model wants 4"):
        load(folder).load_weights()


def broken_weights(folder):
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-4000])


REFUSED = [
    (lambda folder: (folder / "chat_template.jinja").unlink(), "has no chat template, without which"),
    (lambda folder: (folder / "processor_config.json").unlink(), "has no preprocessor_config.json"),
    (lambda folder: (folder / "tokenizer.json").unlink(), "has no tokenizer"),
    (broken_weights, "transformers cannot load it"),
    (lambda folder: change(folder, "config.json", auto_map={"AutoModel": "a.B"}), r"auto_map.*as api:MODEL"),
    (lambda folder: change(folder, "video_preprocessor_config.json", auto_map={"A": "a.B"}), "auto_map"),
    (lambda folder: change(folder, "processor_config.json", audio_tokenizer={"a": "b"}), "loads another model"),
    (lambda folder: change(folder, "config.json", model_type="internvl_chat"), r"internvl_chat.*as api:MODEL"),
    (lambda folder: change(folder, "config.json", architectures=["Qwen2VLModel"]), "holds Qwen2VLModel; of qwen2_vl"),
    (lambda folder: change(folder, "config.json", "vision_config"), "with its vision_config"),
]


@pytest.mark.parametrize(("spoil", "said"), REFUSED)
def test_what_cannot_be_asked_is_refused(spoil, said, qwen):
    spoil(qwen)
    with pytest.raises(MmbenchError, match=said):
        load(qwen).load_weights()


def test_half_precision_that_is_not_its_own_is_noted(qwen):
    change(qwen, "config.json", dtype="bfloat16")
    asked = {dtype: from_spec(str(qwen), device="cpu", dtype=dtype, offline=True) for dtype in ("fp16", "bf16", "fp32")}
    assert [len(adapter.notes) for adapter in asked.values()] == [1, 0, 0]
    assert len({adapter.fingerprint for adapter in asked.values()}) == 3
    assert all(len(replies(adapter)) == 2 for adapter in asked.values())


def test_weights_that_accelerate_places(qwen, monkeypatch):
    def placed(device, dtype, free):
        return placement(load(qwen)._source.checkpoint, device, dtype, lambda: free)

    held = (qwen / "model.safetensors").stat().st_size  # float32
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert placed("cuda", "fp16", held) == placed("cuda:1", "fp32", 0) == placed("cpu", "fp32", 0) == {}
    with pytest.raises(UsageError, match="larger than the free memory of cuda.*pip install 'mmbench.large.'"):
        placed("cuda", "fp32", held)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    assert placed("cuda", "fp16", held // 4) == {"device_map": "auto"}
    change(qwen, "config.json", quantization_config={"quant_method": "gptq"})
    assert placed("cuda:1", "fp16", 0) == {"device_map": {"": "cuda:1"}}
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="its weights are quantised, and to place them takes accelerate"):
        placed("cpu", "fp32", 0)
