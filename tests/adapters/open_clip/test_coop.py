"""Prompt learning against a plain forward pass of whole prompts, a plain SGD loop, and a schedule written out."""

import json
import math
import os
import subprocess
import sys
from functools import cache

import numpy as np
import pytest

from mmbench.adapters.contract.check import check_adapter
from mmbench.adapters.open_clip.adapter import OpenClip, from_spec
from mmbench.adapters.open_clip.catalogue import architectures
from mmbench.adapters.open_clip.coop.learner import PromptLearner, Settings
from mmbench.adapters.open_clip.coop.rows import Prompts, seats
from mmbench.adapters.open_clip.recipe import parse
from mmbench.adapters.open_clip.text_tower import CausalTower
from mmbench.harness.errors import AdapterError, DataError, Unsupported, UsageError
from mmbench.harness.models.abilities import abilities
from tests.lazy import functional, open_clip, torch

VISION = {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16}
TEXT = {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2}
CONFIGS = {
    "clip": {"embed_dim": 24, "vision_cfg": VISION, "text_cfg": TEXT},
    "quickgelu": {"embed_dim": 24, "quick_gelu": True, "vision_cfg": VISION, "text_cfg": TEXT},
    "custom": {"embed_dim": 24, "custom_text": True, "vision_cfg": VISION, "text_cfg": {**TEXT, "proj_bias": True}},
    "eos": {"embed_dim": 24, "vision_cfg": VISION, "text_cfg": {**TEXT, "pool_type": "eos", "eos_id": 49407}},
    "no projection": {
        "embed_dim": 32,
        "custom_text": True,
        "vision_cfg": VISION,
        "text_cfg": {**TEXT, "proj_type": "none"},
    },
}
BIDIRECTIONAL = {
    "embed_dim": 24,
    "custom_text": True,
    "vision_cfg": VISION,
    "text_cfg": {**TEXT, "no_causal_mask": True, "pool_type": "last"},
}
NAMES = ["cat", "golden_retriever", "a bird that sits on the old wooden fence", "dog", "x", "7", "Sealyham terrier"]


@cache
def english():
    """The tokenizer of English words."""
    return open_clip.SimpleTokenizer(context_length=77)


def saved(folder, config):
    folder.mkdir(exist_ok=True)
    preprocess = {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4]}
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": preprocess}))
    torch.manual_seed(7)
    torch.save(enlivened(open_clip.create_model(f"local-dir:{folder}")).state_dict(), folder / "open_clip_model.pth")
    (folder / "open_clip_model.pth").rename(folder / "open_clip_pytorch_model.bin")
    return folder


def enlivened(model):
    """Random weights of a size at which each token changes the vector."""
    text = getattr(model, "text", model)
    with torch.no_grad():
        text.token_embedding.weight.normal_(std=0.5)
        text.positional_embedding.normal_(std=0.3)
    return model


def load(rest, dtype="fp32"):
    return from_spec(str(rest), device="cpu", dtype=dtype, offline=True)


@pytest.fixture(scope="module", params=list(CONFIGS))
def adapter(request, tmp_path_factory):
    return load(saved(tmp_path_factory.mktemp("prompts") / "model", CONFIGS[request.param]))


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("clip") / "model", CONFIGS["clip"])


def pictures(n=40, classes=7, d=24, seed=0):
    """Image vectors around one direction for each class."""
    random = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    centres = np.random.default_rng(1).normal(size=(classes, d))
    return (centres[labels] + 0.5 * random.normal(size=(n, d))).astype(np.float32), labels


def plain_vectors(model, names, context):
    """Each prompt alone and whole, as the official script lays it out: placeholders, whose embeddings are replaced."""
    text, end = getattr(model, "text", model), 49407
    count, found = len(context), []
    for name in names:
        tokens = english()([" ".join(["X"] * count) + " " + name.replace("_", " ") + "."])[0]
        embedded = text.token_embedding(tokens)
        x = torch.cat([embedded[:1], context, embedded[1 + count :]]) + text.positional_embedding
        x = text.ln_final(text.transformer(x[None], attn_mask=text.attn_mask))[0, tokens.tolist().index(end)]
        projection = text.text_projection
        if projection is not None:
            x = projection(x) if isinstance(projection, torch.nn.Linear) else x @ projection
        found.append(x)
    return torch.stack(found)


def plain_rates(lr, epochs):
    """Dassl's composition: one epoch at 1e-5, then torch's cosine over all epochs, from its beginning."""
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=lr)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    rates = [1e-5]
    for _ in range(epochs - 1):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        cosine.step()
    return rates


def plain_learning(model, names, vectors, labels, settings, seed):
    """CoOp in a straight line: whole prompts, momentum and decay written out, gradients of everything."""
    random = torch.Generator().manual_seed(seed)
    context = torch.empty(settings.context, 32).normal_(std=0.02, generator=random).requires_grad_()
    velocity, scale = torch.zeros_like(context), model.logit_scale.detach().exp()
    images = functional.normalize(torch.from_numpy(vectors), dim=-1)
    losses = []
    for lr in plain_rates(settings.lr, settings.epochs):
        order = torch.randperm(len(images), generator=random)
        for start in range(0, len(order), settings.batch):
            rows = order[start : start + settings.batch]
            if len(rows) < min(settings.batch, len(order)):
                continue
            texts = functional.normalize(plain_vectors(model, names, context), dim=-1)
            loss = functional.cross_entropy(scale * images[rows] @ texts.T, torch.from_numpy(labels)[rows])
            (gradient,) = torch.autograd.grad(loss, context)
            velocity = 0.9 * velocity + gradient + 5e-4 * context.detach()
            context = (context.detach() - lr * velocity).requires_grad_()
            losses.append(loss.item())
    return plain_vectors(model, names, context).detach().numpy(), losses


@pytest.mark.parametrize("count", [1, 4, 16])
def test_packed_prompts_are_read_as_whole_ones(adapter, count):
    model = adapter._source.model
    context = torch.randn(count, 32, generator=torch.Generator().manual_seed(count))
    for names in (NAMES, NAMES[:1], NAMES * 8):
        prompts = Prompts(CausalTower.of(model), adapter._source.tokenizer, names, count)
        with torch.no_grad():
            assert (prompts.vectors(context) - plain_vectors(model, names, context)).abs().max() < 1e-5


def test_gradients_are_those_of_whole_prompts(adapter):
    model = adapter._source.model
    context = torch.randn(4, 32, generator=torch.Generator().manual_seed(0)).requires_grad_()
    prompts = Prompts(CausalTower.of(model), adapter._source.tokenizer, NAMES, 4)
    weights = torch.randn(len(NAMES), prompts.vectors(context).shape[1], generator=torch.Generator().manual_seed(1))
    ours, theirs = (
        torch.autograd.grad((vectors * weights).sum(), context)[0]
        for vectors in (prompts.vectors(context), plain_vectors(model, NAMES, context))
    )
    assert (ours - theirs).abs().max() < 1e-4 * theirs.abs().max()


@pytest.mark.parametrize("settings", [Settings(6, 2e-3, 4, 8), Settings(4, 0.02, 16, 32), Settings(3, 2e-3, 2, 100)])
def test_learnt_vectors_are_those_of_a_plain_loop(adapter, settings):
    dimension = adapter.embed_texts(["x"]).shape[1]
    vectors, labels = pictures(d=dimension)
    table = {"epochs": settings.epochs, "lr": settings.lr, "context": settings.context, "batch": settings.batch}
    ours = adapter.tune_prompts(NAMES, vectors, labels, table, 5)
    theirs, losses = plain_learning(adapter._source.model, NAMES, vectors, labels, settings, 5)
    assert len(losses) == settings.epochs * settings.steps(40)
    assert ours.dtype == np.float32 and ours.shape == (len(NAMES), dimension)
    assert np.abs(ours - theirs).max() < 1e-5 * max(1, np.abs(theirs).max())


@pytest.mark.parametrize("epochs", [1, 2, 50, 200])
def test_rates_are_those_of_warm_up_and_cosine(epochs):
    settings = Settings(epochs=epochs)
    ours = [settings.rate(epoch) for epoch in range(epochs)]
    assert ours == pytest.approx(plain_rates(2e-3, epochs), rel=1e-9)
    assert ours[0] == 1e-5 and (epochs == 1 or ours[1] == 2e-3)


def test_learning_beats_the_first_prompt(clip):
    adapter = load(clip)
    vectors, labels = pictures(70)
    test_vectors, test_labels = pictures(210, seed=1)
    first, last = (
        adapter.tune_prompts(NAMES, vectors, labels, {"epochs": epochs, "lr": 0.02}, 0) for epochs in (1, 60)
    )

    def logits(classes, images):
        units = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (images, classes)]
        return adapter.logit_scale * units[0] @ units[1].T

    def loss(classes):
        found = logits(classes, vectors)
        return np.mean(np.log(np.exp(found).sum(axis=1)) - found[np.arange(70), labels])

    def accuracy(classes):
        return np.mean(logits(classes, test_vectors).argmax(axis=1) == test_labels)

    # Sixteen shared tokens before random weights cannot turn each class where it should be, but they get nearer.
    assert loss(last) < 0.6 * loss(first)
    assert accuracy(last) > accuracy(first) + 0.15


def test_equal_questions_get_equal_answers(clip):
    adapter, settings = load(clip), {"epochs": 3, "batch": 16}
    vectors, labels = pictures()
    first = adapter.tune_prompts(NAMES, vectors, labels, settings, 0)
    torch.manual_seed(123)
    state = torch.get_rng_state()
    assert np.array_equal(first, adapter.tune_prompts(NAMES, vectors, labels, settings, 0))
    assert np.array_equal(first, load(clip).tune_prompts(NAMES, vectors.astype(np.float64), labels, settings, 0))
    assert torch.equal(torch.get_rng_state(), state)
    assert not np.array_equal(first, adapter.tune_prompts(NAMES, vectors, labels, settings, 1))


def test_the_model_is_left_as_it_was(clip):
    model = open_clip.create_model(f"local-dir:{clip}").train()
    model.visual.eval()
    model.visual.proj.requires_grad_(False)
    model.logit_scale.grad = torch.ones(())
    before = {name: value.clone() for name, value in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    learning = [parameter.requires_grad for parameter in model.parameters()]
    adapter = OpenClip(model, open_clip.image_transform(32, is_train=False), english())
    fingerprint = adapter.fingerprint
    adapter.tune_prompts(NAMES, *pictures(), {"epochs": 2, "lr": 1.0}, 0)
    with pytest.raises(UsageError):
        adapter.tune_prompts(["word " * 70], *pictures(classes=1), {}, 0)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert [module.training for module in model.modules()] == modes
    assert [parameter.requires_grad for parameter in model.parameters()] == learning
    assert [name for name, parameter in model.named_parameters() if parameter.grad is not None] == ["logit_scale"]
    assert adapter.fingerprint == fingerprint


def test_adapter_keeps_the_contract(clip):
    check_adapter(lambda: load(clip), tune_settings={"epochs": 3})


@pytest.mark.parametrize("dtype", ["fp16", "bf16"])
def test_low_precision_learns_nearly_the_same(clip, dtype):
    settings = {"epochs": 3, "context": 4}
    half, full = (load(clip, kind).tune_prompts(NAMES, *pictures(), settings, 0) for kind in (dtype, "fp32"))
    assert half.dtype == np.float32 and np.abs(half - full).max() < 0.1 * np.abs(full).max()


def test_one_class_one_picture_and_zero_vectors(clip):
    adapter = load(clip)
    assert adapter.tune_prompts(["cat"], np.ones((1, 24)), np.array([0]), {"epochs": 2}, 0).shape == (1, 24)
    assert np.isfinite(adapter.tune_prompts(NAMES, np.zeros((3, 24)), np.array([0, 1, 6]), {"epochs": 2}, 0)).all()


# ---- who can learn prompts, and what is refused


def test_ability_is_known_before_loading_and_after(tmp_path):
    towers = {"embed_images", "embed_texts"}
    for kind, config in {**CONFIGS, "bidirectional": BIDIRECTIONAL}.items():
        adapter = load(saved(tmp_path / kind, config))
        expected = towers if kind == "bidirectional" else towers | {"tune_prompts"}
        assert abilities(adapter) == expected
        assert (CausalTower.of(adapter._source.model) is not None) == (kind != "bidirectional")
        assert (adapter.estimate_tuning is None) == (kind == "bidirectional")
        live = OpenClip(adapter._source.model, adapter._source.preprocess, english())
        assert abilities(live) == expected


def test_published_architectures():
    able = {name for name in architectures() if parse(f"{name}/untrained").tunes}
    assert {"ViT-B-32", "ViT-L-14-quickgelu", "RN50", "EVA02-B-16", "convnext_base_w", "PE-Core-B-16"} <= able
    others = {"coca_ViT-B-32", "ViT-B-16-SigLIP", "roberta-ViT-B-32", "ViT-H-14-CLIPA", "MobileCLIP-S1"}
    assert not others & able and others <= set(architectures())


def test_abilities_import_nothing_heavy(clip):
    code = """
import sys
from mmbench.adapters.open_clip.adapter import from_spec
from mmbench.harness.models.abilities import abilities
adapter = from_spec(sys.argv[1], device="cpu", dtype="auto", offline=True)
print(sorted(abilities(adapter)), sorted({"torch", "open_clip"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(clip)], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == "['embed_images', 'embed_texts', 'tune_prompts'] []"


def test_a_model_without_a_causal_tower_says_so(tmp_path):
    source = load(saved(tmp_path / "model", BIDIRECTIONAL))._source
    with pytest.raises(Unsupported, match="causal text tower"):
        PromptLearner(source).tune_prompts(NAMES, *pictures(), {}, 0)


def test_a_name_that_does_not_fit_is_named(clip):
    adapter = load(clip)
    fits = " ".join(["cat"] * 58)  # a start, 16 of context, 58, a full stop and an end are 77
    vectors, labels = np.ones((1, 24), np.float32), np.array([0])
    assert adapter.tune_prompts([fits], vectors, labels, {"epochs": 1}, 0).shape == (1, 24)
    with pytest.raises(UsageError, match="takes 61 tokens .* and 60 fit behind a context of 16"):
        adapter.tune_prompts([fits + " cat"], vectors, labels, {"epochs": 1}, 0)
    with pytest.raises(UsageError, match="takes 76 tokens"):  # more than the tokenizer gives
        adapter.tune_prompts(["cat " * 200], vectors, labels, {"epochs": 1}, 0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epoch": 3}, "did you mean 'epochs'"),
        ({"epochs": 0}, "epochs is 0; it must be a whole number above 0"),
        ({"context": 2.5}, "context is 2.5; it must be a whole number"),
        ({"lr": -1.0}, "lr is -1.0; it must be a number above 0"),
        ({"batch": math.inf}, "batch is inf"),
        ({"lr": math.nan}, "lr is nan"),
    ],
)
def test_bad_settings_are_named(given, message):
    with pytest.raises(UsageError, match=message):
        Settings.of(given)


def test_settings_are_coops_by_default():
    assert Settings.of({}) == Settings(epochs=200, lr=2e-3, context=16, batch=32)
    assert Settings.of({"epochs": 50.0, "lr": 1}) == Settings(epochs=50, lr=1.0)


def test_data_that_do_not_fit_are_refused(clip):
    adapter = load(clip)
    vectors, labels = pictures(4)
    for names, some, theirs in (([], vectors, labels), (NAMES, vectors[:0], labels[:0]), (NAMES, vectors, labels[:2])):
        with pytest.raises(DataError, match="a label each"):
            adapter.tune_prompts(names, some, theirs, {}, 0)
    with pytest.raises(DataError, match=r"lie in 0..3, not 0..1"):
        adapter.tune_prompts(NAMES[:2], vectors, labels, {}, 0)


def test_divergence_is_an_error(clip):
    with pytest.raises(AdapterError, match="diverged at lr 1e"):
        load(clip).tune_prompts(NAMES, *pictures(), {"epochs": 40, "lr": 1e36, "context": 1}, 0)


def test_estimate_grows_with_the_steps(clip):
    adapter = load(clip)
    adapter.estimate_tuning(NAMES, 32, {})
    one, many = (adapter.estimate_tuning(NAMES, 160, {"epochs": epochs}) for epochs in (1, 1000))
    assert 0 < one < many and 100 < many / one < 10_000


def test_seats_make_the_whole_cheapest():
    def cost(classes, longest, begin, width, count):
        tokens = math.ceil(classes / count) * (begin + count * longest)
        return tokens * (24 * width**2 + 4 * width * (begin + count * longest))

    for classes, longest, begin, width in ((1, 3, 17, 512), (10, 4, 17, 512), (100, 7, 5, 768), (397, 9, 17, 512)):
        best = min(cost(classes, longest, begin, width, count) for count in range(1, classes + 1))
        chosen = seats(classes, longest, begin, width)
        assert cost(classes, longest, begin, width, chosen) == pytest.approx(best)
