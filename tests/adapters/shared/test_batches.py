"""Batches on their way to a device, and towers laid out and compiled for it."""

import numpy as np
import pytest

from mmbench.adapters.open_clip.adapter import OpenClip, from_spec
from mmbench.adapters.shared.batches import first_filter, lay_out, stacked
from mmbench.harness.errors import UsageError
from mmbench.harness.models.abilities import ImageVectors

torch = pytest.importorskip("torch")

TINY = "mmbench/micro-coca"


def tower(*layers: "torch.nn.Module") -> "torch.nn.Module":
    torch.manual_seed(0)
    return torch.nn.Sequential(*layers).eval()


def convolutional() -> "torch.nn.Module":
    return tower(torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU(), torch.nn.Conv2d(8, 4, 3), torch.nn.Flatten())


def test_a_convolutional_tower_is_laid_out_by_pixels_and_answers_the_same() -> None:
    pictures = [torch.randn(3, 16, 16) for _ in range(5)]
    made = convolutional()
    with torch.inference_mode():
        before = made(stacked(pictures, first_filter(made)))
        lay_out(made)
        batch = stacked(pictures, first_filter(made))
        assert batch.is_contiguous(memory_format=torch.channels_last)
        assert batch.shape == (5, 3, 16, 16)
        np.testing.assert_allclose(made(batch), before, atol=1e-5)


def test_a_tower_of_patches_stays_as_it_is() -> None:
    made = tower(torch.nn.Conv2d(3, 8, 4, 4), torch.nn.Flatten(), torch.nn.Linear(8 * 16, 2))
    lay_out(made)
    assert made[0].weight.is_contiguous()
    assert stacked([torch.zeros(3, 16, 16)] * 2, first_filter(made)).is_contiguous()


def test_what_is_no_picture_keeps_its_dtype() -> None:
    made = convolutional()
    lay_out(made)
    mask = stacked([torch.ones(4, dtype=torch.int64)] * 2, first_filter(made))
    assert mask.dtype == torch.int64
    assert mask.shape == (2, 4)


def vectors(adapter: OpenClip) -> np.ndarray:
    side = adapter.source.preprocess.transforms[0].size  # type: ignore[attr-defined]
    size = side if isinstance(side, int) else side[0]
    random = torch.Generator().manual_seed(0)
    made = adapter.embed_images([torch.rand(3, size, size, generator=random) for _ in range(3)])
    return made.embedding if isinstance(made, ImageVectors) else made


def load(spec: str) -> OpenClip:
    return from_spec(spec, device="cpu", dtype="fp32", offline=True)


def test_a_compiled_tower_is_the_same_model(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[dict[str, object]] = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self, **given: compiled.append(given))
    plain, made = load(TINY), load(f"{TINY},compile=true")
    assert made.fingerprint == plain.fingerprint
    np.testing.assert_array_equal(vectors(made), vectors(plain))
    assert compiled == [{"dynamic": True}]
    assert load(f"{TINY},compile=false").fingerprint == plain.fingerprint
    with pytest.raises(UsageError, match=r"compile is true or false, as in ,compile=true"):
        load(f"{TINY},compile=yes")


def test_a_machine_without_a_compiler_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: object, **given: object) -> None:
        self._compiled_call_impl = fails  # type: ignore[attr-defined]

    def fails(*given: object) -> None:
        raise RuntimeError("no C++ compiler")

    monkeypatch.setattr(torch.nn.Module, "compile", broken)
    with pytest.raises(UsageError, match=r"torch.compile fails .*no C\+\+ compiler.*leave out ,compile=true"):
        load(f"{TINY},compile=true").load_weights()


def test_texts_that_were_embedded_whole_are_not_read_again_to_tell_whether_they_are_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    adapter = load(TINY)
    long = "a very long sentence about little of note " * 12
    short = ["a photo of a dog that sits on a red sofa beside a window and waits for somebody", "a dog"]
    tokenizer = adapter.source.tokenizer
    most = tokenizer.context_length - 2
    edge = " ".join(["dog"] * most)
    texts = [*short, long, edge, f"{edge} dog"]
    expected = [len(tokenizer.encode(text)) > most for text in texts]
    assert expected[2:] == [True, False, True]
    assert adapter.truncates(texts) == expected
    adapter.embed_texts(texts)
    read: list[str] = []
    encode = type(tokenizer).encode
    monkeypatch.setattr(type(tokenizer), "encode", lambda self, text: read.append(text) or encode(self, text))
    assert adapter.truncates(texts) == expected
    assert not set(read) & {text for text in short if len(encode(tokenizer, text)) < most}
