"""Two runs on the same items: the right test for each kind of value, and as many false alarms as it promises."""

import math

import numpy as np
import pytest

from mmbench.benchmarks.metrics.classification import mean_per_class_recall, per_class_shares
from mmbench.benchmarks.metrics.yes_no import precision_shares
from mmbench.harness.statistics.holm import holm
from mmbench.harness.statistics.mcnemar import mcnemar_mid, tango_interval
from mmbench.harness.statistics.paired import paired, paired_changes, paired_corpus
from mmbench.harness.statistics.shares import share_changes, share_reaches
from tests.lazy import stats


def runs(gains: int, losses: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    a, b = np.ones(n), np.ones(n)
    b[:losses] = 0
    a[losses : losses + gains] = 0
    return a, b


def ratio(statistics: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return (weights @ statistics[:, 0]) / (weights @ statistics[:, 1])


def test_right_and_wrong_are_a_matter_of_discordant_items() -> None:
    made = paired(*runs(3, 12, 100), np.arange(100))
    assert made.value == pytest.approx(-0.09)
    assert made.p == mcnemar_mid(3, 12) < stats.binomtest(3, 15).pvalue
    assert made.p_lower == pytest.approx(made.p / 2)
    assert (made.low, made.high) == tango_interval(3, 12, 100)
    assert (made.n, made.clusters, made.few_clusters) == (100, 100, False)


def test_the_second_run_is_lower_or_higher() -> None:
    a, b = runs(3, 12, 100)
    assert paired(b, a, np.arange(100)).p_lower == pytest.approx(1 - paired(a, b, np.arange(100)).p_lower)
    a, b = np.random.default_rng(0).normal(size=(2, 30))
    worse, better = paired(a, b - 2, np.arange(30)), paired(a, b + 2, np.arange(30))
    assert worse.p_lower < 0.01 and better.p_lower > 0.99
    assert worse.p == pytest.approx(2 * worse.p_lower)


def test_runs_that_agree_do_not_differ() -> None:
    values = np.random.default_rng(0).integers(2, size=500).astype(float)
    made = paired(values, values, np.arange(500))
    assert (made.value, made.p, made.p_lower) == (0.0, 1.0, 0.5)
    assert made.low is not None and -0.01 < made.low < 0
    general = paired(values / 3, values / 3, np.arange(500))
    assert (general.low, general.high, general.p) == (None, None, 1.0)
    bounded = paired(values / 3, values / 3, np.arange(500), bounded=True)
    assert bounded.low is not None and bounded.high == pytest.approx(-bounded.low)
    assert (bounded.low, bounded.p) == (pytest.approx(made.low, rel=0.02), 1.0)


def test_items_of_one_picture_are_not_independent() -> None:
    a, b = runs(3, 12, 60)
    alone = paired(a, b, np.arange(60))
    shared = paired(np.repeat(a, 4), np.repeat(b, 4), np.repeat(np.arange(60), 4))
    believed = paired(np.repeat(a, 4), np.repeat(b, 4), np.arange(240))
    assert shared.p == pytest.approx(stats.binomtest(3, 15).pvalue, abs=0.02)  # the exact test, by random signs
    assert (shared.low, shared.high) == pytest.approx((alone.low, alone.high), abs=0.01)
    assert believed.p < 0.001
    assert (shared.n, shared.clusters) == (240, 60)


def test_few_clusters_are_flagged_and_one_tells_nothing() -> None:
    a, b = np.random.default_rng(0).random((2, 40))
    assert paired(a, b, np.arange(40) % 19).few_clusters
    one = paired(a, b, np.zeros(40, dtype=int))
    assert (one.low, one.high, one.p, one.few_clusters) == (None, None, 1.0, True)


def test_the_order_of_items_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    a, b, clusters = rng.random(80), rng.random(80), [str(i // 2) for i in range(80)]
    order = rng.permutation(80)
    shuffled = paired(a[order], b[order], [clusters[i] for i in order])
    made = paired(a, b, clusters)
    assert shuffled.p == made.p
    assert (shuffled.low, shuffled.high) == pytest.approx((made.low, made.high))


def test_nothing_or_unlike_numbers_of_items_do_not_compare() -> None:
    with pytest.raises(ValueError, match="same items"):
        paired(np.zeros(0), np.zeros(0), [])
    with pytest.raises(ValueError, match="same items"):
        paired(np.zeros(3), np.zeros(2), ["a", "b", "c"])
    with pytest.raises(ValueError, match="not scored"):
        paired(np.zeros(2), np.array([0.0, np.nan]), ["a", "b"])


def test_a_corpus_metric_that_is_a_mean_agrees_with_the_mean() -> None:
    rng = np.random.default_rng(0)
    a = rng.random(60)
    b = a + rng.normal(0.05, 0.2, 60)
    corpus = paired_corpus(ratio, *(np.stack([v, np.ones(60)], axis=1) for v in (a, b)), np.arange(60))
    mean = paired(a, b, np.arange(60))
    assert corpus is not None
    assert corpus.value == pytest.approx(mean.value)
    assert corpus.p == pytest.approx(mean.p, abs=0.03)
    assert (corpus.low, corpus.high) == pytest.approx((mean.low, mean.high), abs=0.01)


def test_a_corpus_metric_of_swapped_clusters_agrees_with_all_swaps() -> None:
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1, 0, 1, 0, 1, 0, 1], 3)
    a, b = (np.stack([labels, rng.random(24) < share], axis=1).astype(float) for share in (0.8, 0.4))
    codes = np.repeat(np.arange(8), 3)
    null = []
    for swap in np.ndindex(*[2] * 8):
        second = np.array(swap)[codes][:, None].astype(bool)
        one, other = np.where(second, b, a), np.where(second, a, b)
        ones = np.ones((1, 24))
        null.append(float(mean_per_class_recall(other, ones)[0] - mean_per_class_recall(one, ones)[0]))
    observed = null[0]
    made = paired_corpus(mean_per_class_recall, a, b, codes)
    assert made is not None and made.value == pytest.approx(observed)
    assert made.p == pytest.approx(np.mean(np.abs(null) >= abs(observed) - 1e-9), abs=0.04)
    assert made.p_lower == pytest.approx(np.mean(np.array(null) <= observed + 1e-9), abs=0.04)
    assert made.few_clusters


def test_an_undefined_metric_does_not_compare() -> None:
    def undefined(_: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return np.full(len(weights), np.nan)

    assert paired_corpus(undefined, np.zeros((3, 2)), np.ones((3, 2)), np.arange(3)) is None


def test_a_check_without_a_change_seldom_fails() -> None:
    """20 tasks, one-sided, Holm: at most alpha of the checks."""
    rng = np.random.default_rng(0)
    failed = 0
    for _ in range(150):
        ps = []
        for n in [60, 200, 500, 1000] * 5:
            changed = rng.random(n) < 0.05
            gained = rng.random(n) < 0.5
            a = np.where(changed, ~gained, True).astype(float)
            ps.append(paired(a, np.where(changed, gained, a).astype(float), np.arange(n)).p_lower)
        failed += bool((holm(ps) < 0.05).any())
    assert failed / 150 <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / 150)


def test_a_planted_drop_is_named() -> None:
    """3 points on one of 20 tasks of 1,000 items, 5 % of them discordant: in at least 80 % of the checks."""
    rng = np.random.default_rng(0)
    named = 0
    for _ in range(100):
        ps = []
        for task in range(20):
            gains, losses = rng.multinomial(1000, [0.01, 0.04, 0.95] if task == 7 else [0.025, 0.025, 0.95])[:2]
            ps.append(paired(*runs(gains, losses, 1000), np.arange(1000)).p_lower)
        named += holm(ps)[7] < 0.05
    assert named >= 80


@pytest.mark.parametrize("binary", [True, False])
def test_forty_clusters_cover_the_difference(binary: bool) -> None:
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(40), 5)
    covered = 0
    for _ in range(300):
        picture = np.repeat(rng.normal(size=40), 5)
        a, b = rng.normal(size=(2, 200)) + picture
        b += np.repeat(rng.normal(size=40), 5)
        made = paired(*((v > 0).astype(float) if binary else v for v in (a, b)), codes)
        assert made.low is not None and made.high is not None
        covered += made.low <= 0 <= made.high
    assert 0.92 <= covered / 300 <= 0.98  # 93 to 97 %, and a standard error


def yes_answers(n: int, right: int, wrong: int = 0) -> np.ndarray:
    """Return statistics of precision of n items, of which so many are answered yes."""
    return np.repeat([[1.0, 0, 0, 1], [0.0, 1, 0, 1], [0.0, 0, 0, 1]], [right, wrong, n - right - wrong], axis=0)


@pytest.mark.parametrize(("right", "reach"), [(1, 1.0), (5, 0.7), (100, 0.03)])
def test_precision_that_did_not_change_is_as_sure_as_its_yes_are_many(right: int, reach: float) -> None:
    shares = precision_shares(yes_answers(100, right))
    made = paired_changes(share_changes(shares, shares), np.arange(100), reach=share_reaches(shares, shares))
    assert made.low is not None and made.high is not None
    assert reach <= made.high <= min(1.0, 1.3 * reach)
    assert made.low == pytest.approx(-made.high)


def test_a_difference_of_proportions_is_at_most_one() -> None:
    for before, after in (((1, 0), (1, 1)), ((2, 0), (0, 1)), ((1, 0), (1, 0))):
        one, other = (precision_shares(yes_answers(30, *each)) for each in (before, after))
        made = paired_changes(share_changes(one, other), np.arange(30), reach=share_reaches(one, other))
        for confidence in (0.95, 0.999):
            low, high = made.ends(confidence) or (-2.0, 2.0)
            assert -1 <= low <= made.value <= high <= 1


def test_unchanged_small_classes_may_have_changed() -> None:
    """Of 198 items 180 are of one class; changes of these alone say little of a mean over ten classes."""
    rng = np.random.default_rng(0)
    classes = np.repeat(np.arange(10), [180, *[2] * 9])
    covered = 0
    for _ in range(300):
        level = rng.random(198)
        other = np.where(rng.random(198) < 0.9, level, rng.random(198))
        one, two = (
            per_class_shares(np.column_stack([classes, each]).astype(float)) for each in (level < 0.95, other < 0.9)
        )
        made = paired_changes(share_changes(one, two), np.arange(198), reach=share_reaches(one, two))
        assert made.low is not None and made.high is not None
        covered += made.low <= -0.05 <= made.high
    assert covered / 300 >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / 300)


def test_clusters_of_unlike_size_are_worth_fewer() -> None:
    values = np.tile([0.0, 1.0], 100)
    one = paired(values, values[::-1], np.repeat(np.arange(101), [100, *[1] * 100]))
    assert one.clusters == 3 and one.few_clusters
    assert not paired(values, values[::-1], np.arange(200) // 5).few_clusters
