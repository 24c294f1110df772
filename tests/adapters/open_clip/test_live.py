"""What a person changes of a model in memory gives another fingerprint, and nothing else does."""

import functools
import os
import subprocess
import sys
import textwrap
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mmbench.adapters.open_clip.adapter import OpenClip
from mmbench.adapters.open_clip.catalogue import OWN_CONFIGS
from tests.lazy import open_clip, torch

TINY = "mmbench-untrained-tiny"
SCALE = 1.0

Parts = list[Any]
"""Model, transform and tokenizer."""


@pytest.fixture
def parts() -> Parts:
    open_clip.add_model_config(OWN_CONFIGS / f"{TINY}.json")
    torch.manual_seed(2)
    model, _, transform = open_clip.create_model_and_transforms(TINY)
    return [model, transform, open_clip.get_tokenizer(TINY)]


def fingerprint(parts: Parts) -> str:
    return OpenClip(*parts).fingerprint


def scaled(by: float) -> Callable[[Any], Any]:
    return lambda picture: picture * by


def in_place(parts: Parts) -> None:
    with torch.no_grad():
        parts[0].visual.proj.mul_(-1)


def lora(parts: Parts) -> None:
    layer = parts[0].visual.transformer.resblocks[0].mlp.c_fc
    layer.a, layer.b = torch.nn.Parameter(torch.ones(2, 2)), torch.nn.Parameter(torch.zeros(2, 2))
    before = layer.forward
    layer.forward = lambda x: before(x) + 0 * layer.a.sum()


def head(parts: Parts) -> None:
    parts[0].visual.head = torch.nn.Linear(4, 4)


def hidden_buffer(parts: Parts) -> None:
    parts[0].visual.register_buffer("mask", torch.ones(3), persistent=False)


def encode_image(parts: Parts) -> None:
    before = parts[0].encode_image
    parts[0].encode_image = lambda *args, **kwargs: -before(*args, **kwargs)


def encode_image_as_method(parts: Parts) -> None:
    def encode(self: Any, image: Any, normalize: bool = False) -> Any:
        return self.visual(image) * 2

    parts[0].encode_image = types.MethodType(encode, parts[0])


def activation(parts: Parts) -> None:
    parts[0].visual.transformer.resblocks[1].mlp.gelu = torch.nn.GELU(approximate="tanh")


def norm_eps(parts: Parts) -> None:
    parts[0].visual.ln_post.eps = 1e-3


def size(parts: Parts) -> None:
    parts[1].transforms[0].size = 40


def interpolation(parts: Parts) -> None:
    parts[1].transforms[0].interpolation = parts[1].transforms[0].interpolation.__class__.NEAREST


def std(parts: Parts) -> None:
    parts[1].transforms[-1].std = (0.5, 0.5, 0.5)


def crop_is_left_out(parts: Parts) -> None:
    del parts[1].transforms[1]


class Wrapper:
    """A tokenizer of a person."""

    def __init__(self, inner: Any, prefix: str) -> None:
        self.inner, self.prefix = inner, prefix

    def __call__(self, texts: list[str]) -> Any:
        return self.inner([self.prefix + text for text in texts])


CHANGES: list[Callable[[Parts], object]] = [
    in_place,
    lora,
    head,
    hidden_buffer,
    encode_image,
    encode_image_as_method,
    activation,
    norm_eps,
    size,
    interpolation,
    std,
    crop_is_left_out,
    lambda parts: parts[0].logit_scale.data.add_(1),
    lambda parts: setattr(parts[0], "attn_mask", parts[0].attn_mask + 1),
    lambda parts: setattr(parts[0].visual, "output_tokens", True),
    lambda parts: setattr(parts[0].visual, "pool_type", "avg"),
    lambda parts: setattr(parts[0], "text_pool_type", "last"),
    lambda parts: parts[0].bfloat16(),
    lambda parts: parts[0].visual.register_forward_hook(lambda layer, given, made: made * 2),
    lambda parts: parts[0].visual.register_forward_pre_hook(lambda layer, given: given),
    lambda parts: setattr(parts[2], "context_length", 16),
    lambda parts: setattr(parts[2], "clean_fn", str.strip),
    lambda parts: parts[2].encoder.update(cat=3),
    lambda parts: parts.__setitem__(1, scaled(1.0)),
    lambda parts: parts.__setitem__(1, scaled(2.0)),
    lambda parts: parts.__setitem__(1, functools.partial(pow, 2)),
    lambda parts: parts.__setitem__(1, functools.partial(pow, 3)),
    lambda parts: parts.__setitem__(1, lambda picture, by=2: picture * by),
    lambda parts: parts.__setitem__(1, lambda picture, by=3: picture * by),
    lambda parts: parts.__setitem__(1, lambda picture: picture * 5),
    lambda parts: parts.__setitem__(1, lambda picture: picture * 6),
    lambda parts: parts.__setitem__(2, Wrapper(parts[2], "a photo of ")),
    lambda parts: parts.__setitem__(2, Wrapper(parts[2], "a sketch of ")),
    lambda parts: parts.__setitem__(2, open_clip.get_tokenizer(TINY, context_length=30)),
    lambda parts: parts.__setitem__(2, open_clip.tokenizer.tokenize),
]


@pytest.mark.slow
@pytest.mark.parametrize("step", [3, pytest.param(1, marks=pytest.mark.long)], ids=["every third", "each"])
def test_every_change_is_another_model(parts: Parts, step: int) -> None:
    known = {fingerprint(parts): "unchanged"}
    for i, change in enumerate(CHANGES[::step]):
        torch.manual_seed(2)
        model, _, transform = open_clip.create_model_and_transforms(TINY)
        made = [model, transform, open_clip.get_tokenizer(TINY)]
        assert i % 8 or known.get(fingerprint(made)) == "unchanged"
        change(made)
        adapter = OpenClip(*made)
        name = f"{i} {getattr(change, '__name__', change)}"
        assert known.setdefault(adapter.fingerprint, name) == name
        assert adapter.notes == ()


@pytest.mark.slow
def test_what_changes_no_answer_changes_nothing(parts: Parts) -> None:
    before = fingerprint(parts)
    model = parts[0]
    model.encode_text(parts[2](["a cat that nobody has seen"])).sum().backward()
    assert fingerprint(parts) == before  # gradients, and the words that the tokenizer remembers
    model.eval()
    assert fingerprint(parts) == before
    for parameter in model.parameters():
        parameter.requires_grad = False
    model.visual.register_forward_hook(lambda layer, given, made: None).remove()
    assert fingerprint(parts) == before
    assert fingerprint([torch.nn.DataParallel(model).module, *parts[1:]]) == before


@pytest.mark.long
def test_a_compiled_model_is_the_same_model(parts: Parts) -> None:
    before = fingerprint(parts)
    assert fingerprint([torch.compile(parts[0]), *parts[1:]]) == before


def test_statistics_of_batches_count() -> None:
    layers = {"embed_dim": 48, "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8}}
    text = {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2}
    open_clip.factory._MODEL_CONFIGS["live-resnet"] = {**layers, "text_cfg": text}
    model, _, transform = open_clip.create_model_and_transforms("live-resnet")
    parts = [model, transform, open_clip.get_tokenizer(TINY)]
    before = fingerprint(parts)
    model.train()
    model.visual(torch.ones(2, 3, 64, 64))
    assert fingerprint(parts) != before


@pytest.fixture
def patched() -> Iterator[Any]:
    from open_clip.model import CLIP

    before = CLIP.encode_image
    yield CLIP
    CLIP.encode_image = before


def test_code_that_is_put_into_a_package_counts(parts: Parts, patched: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint(parts)
    inner = patched.encode_image
    patched.encode_image = lambda self, image, normalize=False: -inner(self, image, normalize)
    changed = fingerprint(parts)
    patched.encode_image = inner
    from open_clip import transformer

    monkeypatch.setattr(transformer, "text_global_pool", lambda x, *args, **kwargs: x)
    assert len({before, changed, fingerprint(parts)}) == 2 + (type(parts[0]).__module__ != "open_clip.model")
    monkeypatch.undo()
    assert fingerprint(parts) == before


def test_globals_that_a_persons_function_reads_count(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    parts[1] = lambda picture: helper(picture) * SCALE
    seen = {fingerprint(parts)}
    monkeypatch.setitem(globals(), "SCALE", 2.0)
    seen.add(fingerprint(parts))
    monkeypatch.setitem(globals(), "helper", lambda picture: -picture)
    seen.add(fingerprint(parts))
    assert len(seen) == 3


def helper(picture: Any) -> Any:
    return picture


def test_what_cannot_be_identified_is_not_remembered(parts: Parts) -> None:
    sparse = torch.ones(2).to_sparse()
    parts[1] = functools.partial(lambda picture, by: picture, by=(number for number in range(3)))
    first, second = OpenClip(*parts), OpenClip(*parts)
    assert len({first.fingerprint, first.fingerprint, second.fingerprint}) == 3
    (note,) = first.notes
    assert "not remembered" in note and "preprocess.keywords.by (builtins.generator)" in note
    parts[1] = lambda picture: sparse
    adapter = OpenClip(*parts)
    assert adapter.fingerprint != adapter.fingerprint
    assert "closure.sparse (torch.Tensor)" in adapter.notes[0]


SCRIPT = """
    import torch, open_clip
    from mmbench.adapters.open_clip.adapter import OpenClip
    from mmbench.adapters.open_clip.catalogue import OWN_CONFIGS

    open_clip.add_model_config(OWN_CONFIGS / "mmbench-untrained-tiny.json")
    torch.manual_seed(2)
    model, _, transform = open_clip.create_model_and_transforms("mmbench-untrained-tiny")
    model.visual.register_forward_hook(lambda layer, given, made: made)
    words = {"a", "b", "c", "d"}
    tokenizer = open_clip.get_tokenizer("mmbench-untrained-tiny")
    print(OpenClip(model, lambda picture: (transform(picture), words), tokenizer).fingerprint)
"""


@pytest.mark.long
def test_it_is_the_same_in_every_process(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(textwrap.dedent(SCRIPT))
    (tmp_path / "b.py").write_text("\n\n# further down\n" + textwrap.dedent(SCRIPT))
    found = set()
    for name, seed in (("a.py", "1"), ("b.py", "2")):
        env = {**os.environ, "PYTHONHASHSEED": seed}
        run = subprocess.run([sys.executable, tmp_path / name], env=env, capture_output=True, text=True, check=True)
        found.add(run.stdout)
    assert len(found) == 1
