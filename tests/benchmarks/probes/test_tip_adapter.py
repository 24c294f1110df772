"""Tip-Adapter against loops in NumPy, its training against AdamW written out by hand."""

import inspect
import math

import numpy as np
import pytest

from mmbench.benchmarks.probes import cosines
from mmbench.benchmarks.probes.labelled import Labelled
from mmbench.benchmarks.probes.quality import quality
from mmbench.benchmarks.probes.tip_adapter import ALPHAS, BETAS, TipAdapter, TipAdapterF
from mmbench.harness.errors import DataError
from mmbench.harness.numerics.tip_training import KeyTraining, trained_keys


def world(classes=3, d=6, seed=0, noise=1.2, text_noise=1.5):
    """Class vectors of a poor text tower, and a way to draw pictures around the true centres."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(classes, d))
    texts = centres + text_noise * random.normal(size=(classes, d))

    def draw(n, multi=False):
        labels = np.concatenate([np.arange(classes), random.integers(classes, size=n - classes)])
        features = (centres[labels] + noise * random.normal(size=(n, d))).astype(np.float32)
        if multi:
            labels = (labels[:, None] == np.arange(classes)) | (random.random((n, classes)) < 0.2)
        return Labelled(features, labels, classes)

    return texts, draw


def length_one(vector):
    return vector.astype(float) / math.sqrt(sum(vector.astype(float) ** 2))


def plain_logits(texts, train, query, alpha, beta, keys=None):
    """One picture, one class, one key at a time."""
    f = length_one(query)
    logits = []
    for c, text in enumerate(texts):
        logit = 100 * sum(f * length_one(text))
        for number, feature in enumerate(train.features):
            key = length_one(feature) if keys is None else keys[number]
            if train.labels[number, c] if train.multi_label else train.labels[number] == c:
                logit += alpha * math.exp(-beta * (1 - sum(f * key)))
        logits.append(logit)
    return logits


@pytest.mark.parametrize("multi", [False, True])
def test_logits_are_those_of_plain_loops(multi):
    texts, draw = world()
    train, test = draw(12, multi), draw(9)
    probe = TipAdapter(texts).fit(train, None)
    assert (probe.alpha, probe.beta, probe.chosen) == (1.0, 5.5, {})
    expected = [plain_logits(texts, train, query, 1.0, 5.5) for query in test.features]
    assert probe.scores(test.features) == pytest.approx(np.array(expected), rel=1e-9)


@pytest.mark.parametrize("multi", [False, True])
def test_search_is_that_of_plain_loops(multi, monkeypatch):
    for name in ("ALPHAS", "BETAS"):  # few enough for loops
        monkeypatch.setattr(f"mmbench.benchmarks.probes.tip_adapter.{name}", (0.1, 1.0, 4.0, 9.0))
    found = set()
    for seed in range(4):
        texts, draw = world(seed=seed)
        train, validation = draw(9, multi), draw(12, multi)
        tried = {}
        for beta in (0.1, 1.0, 4.0, 9.0):
            for alpha in (0.1, 1.0, 4.0, 9.0):
                logits = [plain_logits(texts, train, query, alpha, beta) for query in validation.features]
                tried[beta, alpha] = quality(np.array(logits), validation)
        best = min(tried, key=lambda pair: (-tried[pair], pair))
        probe = TipAdapter(texts).fit(train, validation)
        assert probe.chosen == {"beta": best[0], "alpha": best[1]} and (probe.beta, probe.alpha) == best
        found.add(best)
    assert len(found) > 1


def test_grids_are_those_of_the_official_search():
    # Its lists are i * (scale - 0.1) / step + 0.1, and its scales for SUN397 are 12 and 10.
    assert [i * (12 - 0.1) / 200 + 0.1 for i in range(200)] == list(BETAS)
    assert [i * (10 - 0.1) / 20 + 0.1 for i in range(20)] == list(ALPHAS)


def test_blocks_do_not_matter(monkeypatch):
    texts, draw = world()
    train, validation = draw(40), draw(30)
    whole = TipAdapter(texts).fit(train, validation)
    monkeypatch.setattr(cosines, "_NUMBERS", 100)
    parts = TipAdapter(texts).fit(train, validation)
    assert parts.chosen == whole.chosen
    assert parts.scores(validation.features) == pytest.approx(whole.scores(validation.features), rel=1e-12)


def plain_training(features, labels, texts, training, seed):
    """Tip-Adapter-F's loop in float64, its gradient and AdamW written out."""
    keys, values = features.copy(), np.eye(len(texts))[labels]
    first, second = np.zeros_like(keys), np.zeros_like(keys)
    random, step = np.random.default_rng(seed), 0
    total = training.epochs * math.ceil(len(features) / training.batch)
    for _ in range(training.epochs):
        order = random.permutation(len(features))
        for start in range(0, len(features), training.batch):
            rows = order[start : start + training.batch]
            near = np.exp(-training.beta * (1 - features[rows] @ keys.T))
            logits = 100 * features[rows] @ texts.T + training.alpha * near @ values
            p = np.exp(logits - logits.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            wrong = (p - values[rows]) / len(rows)
            gradient = (training.alpha * training.beta * near * (wrong @ values.T)).T @ features[rows]
            lr = training.lr * (1 + math.cos(math.pi * step / total)) / 2
            step += 1
            keys *= 1 - lr * 0.01
            first = 0.9 * first + 0.1 * gradient
            second = 0.999 * second + 0.001 * gradient**2
            scale = np.sqrt(second / (1 - 0.999**step)) + 1e-4
            keys -= lr * first / (1 - 0.9**step) / scale
    return keys


def unit_rows(array):
    return np.stack([length_one(row) for row in array])


@pytest.mark.parametrize("training", [KeyTraining(epochs=5, batch=4, lr=0.01), KeyTraining()])
def test_training_is_adamw_written_out(training):
    texts, draw = world(classes=4, d=8)
    train = draw(18)
    features, prototypes = unit_rows(train.features), unit_rows(texts)
    ours = trained_keys(features, train.labels, prototypes, training, 3, "cpu")
    theirs = plain_training(features, train.labels, prototypes, training, 3)
    assert np.abs(ours - theirs).max() < 1e-5 < np.abs(ours - features).max()
    assert np.array_equal(ours, trained_keys(features, train.labels, prototypes, training, 3, "cpu"))
    assert (training.batch > 18) or not np.array_equal(
        ours, trained_keys(features, train.labels, prototypes, training, 4, "cpu")
    )


def test_trained_keys_are_what_it_answers_by():
    texts, draw = world()
    train, test = draw(12), draw(9)
    probe = TipAdapterF(texts, seed=1).fit(train, None)
    assert (probe.alpha, probe.beta, probe.chosen) == (1.17, 1.0, {})
    expected = [plain_logits(texts, train, query, 1.17, 1.0, probe.keys) for query in test.features]
    assert probe.scores(test.features) == pytest.approx(np.array(expected), rel=1e-9)
    searched = TipAdapterF(texts, seed=1).fit(train, test)
    assert np.array_equal(searched.keys, probe.keys) and set(searched.chosen) == {"alpha", "beta"}


def test_both_help_a_poor_text_tower_and_training_lowers_the_loss():
    texts, draw = world(classes=5, d=16, seed=5)
    train, validation, test = draw(80), draw(40), draw(400)
    zero_shot = unit_rows(test.features) @ unit_rows(texts).T
    base = quality(zero_shot, test)
    cached = TipAdapter(texts).fit(train, validation)
    trained = TipAdapterF(texts).fit(train, validation)
    assert quality(cached.scores(test.features), test) > base + 0.05
    assert quality(trained.scores(test.features), test) > base + 0.05

    def loss(probe):
        logits = probe.scores(train.features)
        return -np.mean((logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)))[np.arange(80), train.labels])

    assert loss(TipAdapterF(texts).fit(train, None)) < loss(
        TipAdapterF(texts, training=KeyTraining(0)).fit(train, None)
    )


def test_small_and_degenerate_sets():
    one = Labelled(np.ones((1, 3), np.float32), np.array([0]), 1)
    for method in (TipAdapter(np.ones((1, 3))), TipAdapterF(np.ones((1, 3)))):
        probe = method.fit(one, one)
        # Everything is equally good, so that the smallest values are taken.
        assert probe.chosen == {"alpha": pytest.approx(0.1), "beta": pytest.approx(0.1)}
        assert np.isfinite(probe.scores(np.zeros((2, 3)))).all()
    zero = Labelled(np.zeros((2, 3), np.float32), np.array([0, 1]), 2)
    for method in (TipAdapter(np.zeros((2, 3))), TipAdapterF(np.zeros((2, 3)))):
        assert np.isfinite(method.fit(zero, zero).scores(np.ones((2, 3)))).all()


@pytest.mark.parametrize("method", [TipAdapter, TipAdapterF])
def test_errors_say_what_is_wrong(method):
    texts, draw = world()
    empty = Labelled(np.zeros((0, 6)), np.zeros(0, np.int64), 3)
    with pytest.raises(DataError, match=f"{method.name} has no training item"):
        method(texts).fit(empty, None)
    with pytest.raises(DataError, match="set `sweep: false`"):
        method(texts).fit(draw(6), empty)
    with pytest.raises(DataError, match="features: post"):
        method(texts[:, :4]).fit(draw(6), None)
    assert list(inspect.signature(method(texts).fit).parameters) == ["train", "validation"]


def test_training_needs_one_label_a_picture():
    texts, draw = world()
    with pytest.raises(DataError, match="method: tip-adapter"):
        TipAdapterF(texts).fit(draw(6, multi=True), None)
