"""The contract lets honest adapters pass and rejects each broken one for what is wrong with it and nothing else."""

import importlib.util
import json
import os
import re
import signal
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mmbench.adapters.baselines.chance import Chance
from mmbench.adapters.contract import check as contract
from mmbench.adapters.contract.check import ContractViolation, check_adapter, violations
from mmbench.harness.errors import MmbenchError

spec = importlib.util.spec_from_file_location("broken", Path(__file__).with_name("broken.py"))
broken = importlib.util.module_from_spec(spec)
spec.loader.exec_module(broken)

DOCUMENT = Path(__file__).parents[3] / "docs" / "adapters.md"


def clauses(make, **options):
    return {line.partition(":")[0] for line in violations(make, **options)}


def test_honest_adapters_pass():
    check_adapter(
        broken.Honest,
        changed={"other weights": lambda: broken.Honest(1)},
        unchanged={"another path": lambda: broken.Honest(path="copy.npz")},
        lazy_spec=f"{broken.__file__}:Honest",
    )
    check_adapter(Chance, changed={"another seed": lambda: Chance(1)})
    check_adapter(broken.Scores)
    check_adapter(broken.Replies)
    check_adapter(broken.TextAlone)


def with_flag(adapter):
    adapter.takes_text_alone = True
    return adapter


@pytest.mark.parametrize(
    ("make", "clause", "sentence"),
    [
        (broken.OrderLost, "order", "embed_texts gives the answers in another order"),
        (broken.PaddedBatch, "batch", "embed_texts answers .* differently in a batch than alone"),
        (
            broken.FixedPosition,
            "distinct",
            "embed_texts answers .* alike, among them 'a small red bird .*' and 'a small red bird",
        ),
        (broken.FirstRegion, "distinct", "embed_images answers .* pairs of different inputs alike"),
        (broken.WanderingFingerprint, "fingerprint", "after use"),
        (broken.NotImplementedMethod, "abilities", "embed_videos raises NotImplementedError"),
        (broken.NotAMethod, "abilities", "has generate, but as a bool"),
        (broken.ReturnsNothing, "abilities", "score_texts returned None"),
        (broken.Nothing, "abilities", "at least one of embed_images"),
        (broken.Dropout, "deterministic", "embed_images gives other answers when asked again"),
        (broken.SharedBuffer, "threads", "embed_images gives other answers when prepare_image runs"),
        (broken.InPlace, "prepared once", "embed_images gives other answers for a prepared picture that it was given"),
        (broken.TwoSpaces, "dimension", "embed_images 16, embed_texts 8"),
        (broken.NotFinite, "abilities", "embed_texts returned numbers that are not finite"),
        (broken.OneRow, "abilities", r"embed_images returned the shape \(1, 16\) for 9 inputs"),
        (broken.Crashing, "abilities", "embed_images raises RuntimeError: no kernel image"),
        (lambda: broken.Scores(better=1e3), "abilities", "log-probability is finite and at most 0"),
        (lambda: broken.Scores(blind=True), "distinct", "input 0 and input 1"),
        (lambda: broken.Replies(shared=True), "batch", "generate answers 3 of 4 inputs differently"),
        (lambda: broken.TextAlone(honest=False), "text alone", "when items with and without a picture are asked"),
        (lambda: with_flag(broken.Scores()), "text alone", "score_texts raises IndexError"),
        (lambda: 1 / 0, "construction", "ZeroDivisionError"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_each_broken_adapter_breaks_one_clause(make, clause, sentence):
    found = violations(make)
    assert {line.partition(":")[0] for line in found} == {clause}
    assert re.search(sentence, "\n".join(found)), found


def test_second_adapter_with_other_weights():
    found = violations(broken.NewWeights)
    assert {line.partition(":")[0] for line in found} == {"deterministic"}
    assert "from a second adapter built alike" in found[0]


def test_stale_fingerprint():
    other_weights = {"other weights": lambda: broken.NamedFingerprint(1)}
    found = violations(broken.NamedFingerprint, changed=other_weights)
    assert any(line.startswith("fingerprint: the adapter keeps its fingerprint for 'other weights'") for line in found)
    assert any(line.startswith("stale fingerprint: embed_images gives other answers for") for line in found)
    assert {line.partition(":")[0] for line in found} == {"fingerprint", "stale fingerprint"}
    # An author who thinks that the change is none is told all the same.
    assert clauses(broken.NamedFingerprint, unchanged=other_weights) == {"stale fingerprint"}


def test_fingerprint_taken_before_the_weights_changed():
    class Cached(broken.Honest):
        def __init__(self):
            super().__init__()
            self.taken = super().fingerprint

        @property
        def fingerprint(self):
            return self.taken

    def trained():
        adapter = Cached()
        adapter.projection *= 1 + np.arange(broken.DIMENSION)
        return adapter

    assert "stale fingerprint" in clauses(Cached, changed={"a training step": trained})


def test_fingerprint_of_a_path():
    found = violations(broken.PathFingerprint, unchanged={"a copy": lambda: broken.PathFingerprint(path="copy.npz")})
    assert found == ["fingerprint: the adapter changes its fingerprint for 'a copy', which does not change the model"]


@pytest.mark.parametrize("fingerprint", [None, "", 7])
def test_fingerprint_is_a_text(fingerprint):
    adapter = type("Adapter", (broken.Honest,), {"fingerprint": fingerprint})
    assert clauses(adapter) == {"fingerprint"}


def test_lazy(tmp_path):
    # A stand-in beside the adapter's file, as a script's neighbours are found first.
    (tmp_path / "timm.py").write_text("")
    (tmp_path / "eager.py").write_text(
        "import timm\nimport runpy\n"
        f"Honest = runpy.run_path({broken.__file__!r})['Honest']\n"
        "class Salted(Honest):\n    fingerprint = str(id(object()))\n"
    )
    found = violations(broken.Honest, lazy_spec=f"{tmp_path}/eager.py:Honest")
    assert found == ["lazy: the adapter imports timm to be built and to tell its fingerprint"]
    found = violations(broken.Honest, lazy_spec=f"{tmp_path}/eager.py:Salted")
    assert "lazy: the adapter has another fingerprint in a fresh process" in found
    assert "ZeroDivisionError" not in str(found)
    (found,) = violations(broken.Honest, lazy_spec="mmbench.adapters.baselines.chance:Missing")
    assert found.startswith("lazy: the adapter could not be built as mmbench.adapters.baselines.chance:Missing")


def test_half_precision_is_compared_more_loosely():
    class Half(broken.Honest):
        rounding = 1e-3
        kind = np.float16

        def embed_images(self, images):
            noise = 1 + self.rounding * (len(images) > 1)
            return (super().embed_images(images) * noise).astype(self.kind)

    check_adapter(Half)
    single = type("Single", (Half,), {"kind": np.float32})
    assert clauses(single) == {"batch"}
    check_adapter(single, tolerance=1e-2)
    assert clauses(type("Coarse", (Half,), {"rounding": 0.1})) == {"batch"}


def test_all_broken_clauses_are_listed():
    class Both(broken.OrderLost, broken.FirstRegion):
        pass

    with pytest.raises(ContractViolation) as caught:
        check_adapter(Both)
    assert isinstance(caught.value, MmbenchError)
    lines = str(caught.value).splitlines()[1:]
    assert [line.partition(":")[0] for line in lines] == ["- distinct", "- order"]


def test_an_interrupt_is_no_violation():
    with pytest.raises(KeyboardInterrupt):
        violations(lambda: signal.raise_signal(signal.SIGINT))


@pytest.mark.parametrize(
    ("end", "said"),
    [(lambda images: sys.exit("gone"), "SystemExit: gone"), (lambda images: os.fork() and 1 / 0, "ZeroDivision")],
)
def test_what_would_end_or_double_the_process_is_a_violation(end, said):
    found = violations(lambda: SimpleNamespace(fingerprint="ending", embed_images=end))
    assert [line for line in found if line.startswith("abilities: embed_images raises") and said in line]


# The same mistakes made with a real text tower: two layers of CLIP with random weights.

TINY = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "head_width": 32, "patch_size": 8},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
}


class Clip:
    """A text tower of which `pool` takes the last layer, (n, length, width), to (n, width)."""

    fingerprint = "tiny"

    def __init__(self, model, tokenizer, pool, padded_to_longest=False):
        self.model, self.tokenizer, self.pool, self.padded_to_longest = model, tokenizer, pool, padded_to_longest

    def embed_texts(self, texts):
        import torch

        tokens = self.tokenizer(texts)
        ends = tokens.argmax(dim=1)
        if self.padded_to_longest:
            tokens = tokens[:, : int(ends.max()) + 1]
        length = tokens.shape[1]
        with torch.inference_mode():
            x = self.model.token_embedding(tokens) + self.model.positional_embedding[:length]
            x = self.model.ln_final(self.model.transformer(x, attn_mask=self.model.attn_mask[:length, :length]))
            return (self.pool(x, ends) @ self.model.text_projection).numpy()


def at_end(x, ends):
    return x[range(len(x)), ends]


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    open_clip = pytest.importorskip("open_clip")
    import torch

    config = tmp_path_factory.mktemp("clip") / "contract-tiny-clip.json"
    config.write_text(json.dumps(TINY))
    open_clip.add_model_config(config)
    torch.manual_seed(0)
    model = open_clip.create_model("contract-tiny-clip").eval()
    return partial(Clip, model, open_clip.get_tokenizer("contract-tiny-clip"))


@pytest.mark.slow
def test_real_tower_passes_and_is_the_real_one(clip):
    check_adapter(lambda: clip(at_end))
    check_adapter(lambda: clip(at_end, padded_to_longest=True))  # causal: what comes after the end is not seen
    adapter = clip(at_end)
    expected = adapter.model.encode_text(adapter.tokenizer(["a bird"])).detach().numpy()
    assert np.allclose(adapter.embed_texts(["a bird"]), expected, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pool", "padded_to_longest", "clause"),
    [
        (lambda x, ends: x.mean(dim=1), True, "batch"),
        (lambda x, ends: x[:, -1], True, "batch"),
        (lambda x, ends: x[:, 0], False, "distinct"),
        (lambda x, ends: x[:, 4], False, "distinct"),
    ],
    ids=["mean over padding", "last of the batch", "first position", "fixed position"],
)
def test_wrong_pooling_of_a_real_tower(clip, pool, padded_to_longest, clause):
    assert clauses(lambda: clip(pool, padded_to_longest)) == {clause}


@pytest.mark.slow
def test_training_mode_of_a_real_tower(clip):
    import torch

    assert clauses(lambda: clip(lambda x, ends: torch.dropout(at_end(x, ends), 0.1, True))) == {"deterministic"}


def test_document_runs(tmp_path, monkeypatch):
    blocks = re.findall(r"```python\n(# (?:test_)?my_file\.py\n.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert [block.splitlines()[0] for block in blocks] == ["# my_file.py", "# test_my_file.py"]
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    for block in blocks:
        path = tmp_path / block.splitlines()[0].removeprefix("# ")
        path.write_text(block)
    namespace = {}
    exec(compile(blocks[1], "test_my_file.py", "exec"), namespace)
    ran = [run() for name, run in namespace.items() if name.startswith("test_")]
    assert ran


def test_the_document_names_every_clause():
    text = DOCUMENT.read_text()
    names = [name for name, _ in (*contract.clauses.BEFORE, *contract.clauses.EACH)]
    assert all(f"`{name}`" in text for name in [*names, "deterministic", "dimension", "construction"])


def test_an_adapter_that_takes_clips_is_shown_some():
    class Clips(broken.Replies):
        takes_clips = True

        def generate(self, prompts, settings):
            still = [
                ([each for item in shown for each in getattr(item, "pictures", [item])], p) for shown, p in prompts
            ]
            return super().generate(still, settings)

    class Surprised(broken.Replies):
        takes_clips = True

        def generate(self, prompts, settings):
            return super().generate([([each.convert("RGB") for each in shown], p) for shown, p in prompts], settings)

    check_adapter(Clips)
    assert any("generate" in line and "'Frames' object has no attribute" in line for line in violations(Surprised))
