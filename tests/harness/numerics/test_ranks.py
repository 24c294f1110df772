"""Ranks are those of a plain float64 sort, whatever the blocks, and ties score what a random order would."""

import subprocess
import sys
from itertools import permutations
from math import comb

import numpy as np
import pytest
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from mmbench.harness.numerics.rank_stream import count_ranks
from mmbench.harness.numerics.ranks import Ranks, hit_probability, rank_matrix

Relation = list[list[int]]


def unit(rng: np.random.Generator, n: int, d: int) -> NDArray[np.float32]:
    vectors = rng.standard_normal((n, d), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def relation(rng: np.random.Generator, n: int, m: int, extra: int) -> Relation:
    """A ragged many-to-many relation in which every item of both sides has a partner."""
    own: list[set[int]] = [{int(rng.integers(m))} for _ in range(n)]
    for j in range(m):
        own[int(rng.integers(n))].add(j)
    for _ in range(extra):
        own[int(rng.integers(n))].add(int(rng.integers(m)))
    return [sorted(part) for part in own]


def transposed(positives: Relation, m: int) -> Relation:
    result: Relation = [[] for _ in range(m)]
    for i, own in enumerate(positives):
        for j in own:
            result[j].append(i)
    return result


def brute_force(scores: NDArray[np.float64], positives: Relation, tolerance: float) -> list[tuple[int, int, int, int]]:
    result = []
    for row, own in zip(scores, positives, strict=True):
        best = max(row[j] for j in own)
        others = np.delete(row, own)
        result.append(
            (
                int((others > best + tolerance).sum()),
                int((abs(others - best) <= tolerance).sum()),
                sum(row[j] >= best - tolerance for j in own),
                len(own),
            )
        )
    return result


def as_rows(result: Ranks) -> list[tuple[int, ...]]:
    parts = (result.greater, result.tied, result.tied_positives, result.positives)
    return [tuple(int(value) for value in row) for row in zip(*parts, strict=True)]


def check(left: NDArray[np.floating], right: NDArray[np.floating], positives: Relation) -> tuple[Ranks, Ranks]:
    forward, backward = count_ranks(left, right, positives)
    scores = left.astype(np.float64) @ right.astype(np.float64).T
    norms = np.linalg.norm(left.astype(np.float64), axis=1).max() * np.linalg.norm(right, axis=1).max()
    assert as_rows(forward) == brute_force(scores, positives, 1e-12 * norms)
    assert as_rows(backward) == brute_force(scores.T, transposed(positives, len(right)), 1e-12 * norms)
    assert (forward.gallery, backward.gallery) == (len(right), len(left))
    return forward, backward


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "m", "d"), [(1, 1, 3), (2, 9, 1), (37, 181, 16), (513, 1025, 64), (1100, 2100, 33)])
def test_random_vectors_rank_as_in_float64(n: int, m: int, d: int, dtype: type[np.floating]) -> None:
    rng = np.random.default_rng(n)
    check(unit(rng, n, d).astype(dtype), unit(rng, m, d).astype(dtype), relation(rng, n, m, n // 2))


def test_correlated_pairs_with_five_captions() -> None:
    rng = np.random.default_rng(1)
    images = unit(rng, 600, 128)
    captions = np.repeat(images, 5, axis=0) + 5 * unit(rng, 3000, 128)
    forward, _ = check(images, captions, [list(range(5 * i, 5 * i + 5)) for i in range(600)])
    assert 0.2 < forward.hit(1).mean() < 1.0


def test_norms_do_not_matter() -> None:
    """Bounds follow the norms: tiny vectors underflow in float32, huge ones overflow."""
    rng = np.random.default_rng(2)
    left, right, positives = unit(rng, 60, 20), unit(rng, 90, 20), relation(rng, 60, 90, 30)
    expected = as_rows(count_ranks(left, right, positives)[0])
    for power in (-60, -70, 50, 63):
        scale = np.float32(2.0**power)
        assert as_rows(count_ranks(left * scale, right * scale, positives)[0]) == expected


@pytest.mark.parametrize("levels", [1, 2, 5])
def test_quantised_vectors_tie(levels: int) -> None:
    rng = np.random.default_rng(levels)
    left = rng.integers(-levels, levels + 1, (530, 12)).astype(np.float32)
    right = rng.integers(-levels, levels + 1, (1040, 12)).astype(np.float32)
    forward, _ = check(left, right, relation(rng, 530, 1040, 400))
    assert forward.tied.mean() > 5


def test_duplicated_rows_tie_wherever_they_stand() -> None:
    rng = np.random.default_rng(3)
    left, base = unit(rng, 700, 257), unit(rng, 701, 257)
    right = np.concatenate([base, base])[rng.permutation(1402)]
    forward, _ = check(left, right, relation(rng, 700, 1402, 0))
    assert (forward.tied + forward.tied_positives >= 2).all()


def test_some_collapsed_some_not() -> None:
    rng = np.random.default_rng(4)
    left, right = unit(rng, 800, 96), unit(rng, 1700, 96)
    left[300:], right[:900] = left[0], right[0]
    check(left, right, relation(rng, 800, 1700, 100))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_constant_vectors_score_chance(dtype: type[np.floating]) -> None:
    n, m = 1003, 5017
    vector = unit(np.random.default_rng(5), 1, 512).astype(dtype)
    positives = [list(range(5 * i, min(5 * i + 5, m))) for i in range(n)]
    positives[-1].extend(range(5 * n, m))
    forward, backward = count_ranks(np.repeat(vector, n, axis=0), np.repeat(vector, m, axis=0), positives)
    for result, gallery in ((forward, m), (backward, n)):
        assert not result.greater.any()
        np.testing.assert_array_equal(result.tied, gallery - result.positives)
        np.testing.assert_array_equal(result.tied_positives, result.positives)
        np.testing.assert_allclose(result.expected(), (gallery + 1) / (result.positives + 1), rtol=1e-14)
        for k in (1, 5, 10, 1000):
            chance = [1 - comb(gallery - p, k) / comb(gallery, k) for p in result.positives.tolist()]
            np.testing.assert_allclose(result.hit(k), chance, rtol=1e-9)


def test_hits_are_those_of_all_orders_of_the_ties() -> None:
    for greater, tied, own in ((0, 3, 1), (2, 2, 2), (1, 0, 3), (1, 4, 2)):
        orders = ["-" * greater + "".join(order) for order in permutations("-" * tied + "+" * own)]
        firsts = np.array([order.index("+") + 1 for order in orders])
        result = Ranks(np.array([greater]), np.array([tied]), np.array([own]), np.array([own]), gallery=12)
        assert result.expected()[0] == pytest.approx(firsts.mean(), abs=1e-12)
        for k in range(1, 9):
            assert result.hit(k)[0] == pytest.approx((firsts <= k).mean(), abs=1e-12)


def test_hit_probability_equals_binomials_over_a_grid() -> None:
    greater, tied, own = (part.ravel() for part in np.meshgrid([0, 1, 7], [0, 1, 9, 300], [1, 2, 40]))
    for k in (1, 5, 10, 200, 400):
        rest = np.maximum(k - greater, 0).tolist()
        cases = zip(tied.tolist(), own.tolist(), rest, strict=True)
        expected = [1 - comb(t, r) / comb(t + p, r) if r <= t else 1.0 for t, p, r in cases]
        np.testing.assert_allclose(hit_probability(greater, tied, own, k), expected, atol=1e-13)


def test_expected_median_of_chance() -> None:
    """A model that cannot tell anything has the median rank of the middle of the gallery."""
    same = np.ones((101, 4), np.float32)
    forward, _ = count_ranks(same, same, [[i] for i in range(101)])
    assert np.median(forward.expected()) == 51


def test_given_scores_rank_like_vectors() -> None:
    rng = np.random.default_rng(6)
    left, right = rng.integers(-2, 3, (70, 6)).astype(float), rng.integers(-2, 3, (150, 6)).astype(float)
    positives = relation(rng, 70, 150, 50)
    for given, counted in zip(rank_matrix(left @ right.T, positives), check(left, right, positives), strict=True):
        assert as_rows(given) == as_rows(counted)
        assert given.gallery == counted.gallery


def test_given_scores_may_be_infinite() -> None:
    low = -np.inf
    forward, backward = rank_matrix(np.array([[low, low, 0.0], [1.0, 2.0, low]]), [[0], [1, 2]])
    assert as_rows(forward) == [(1, 1, 1, 1), (0, 0, 1, 2)]
    assert as_rows(backward) == [(1, 0, 1, 1), (0, 0, 1, 1), (1, 0, 1, 1)]


def test_a_pair_named_twice_counts_once() -> None:
    eye = np.eye(2, dtype=np.float32)
    assert as_rows(count_ranks(eye, eye, [[0, 0], [1]])[0]) == [(0, 0, 1, 1), (0, 0, 1, 1)]


def test_the_same_every_time_and_for_every_number_of_threads() -> None:
    rng = np.random.default_rng(7)
    left, right, positives = unit(rng, 900, 48), unit(rng, 2100, 48), relation(rng, 900, 2100, 0)
    first = [as_rows(part) for part in count_ranks(left, right, positives)]
    with ThreadpoolController().limit(limits=1, user_api="blas"):
        assert [as_rows(part) for part in count_ranks(left, right, positives)] == first
    assert [as_rows(part) for part in count_ranks(left, right, positives)] == first


def test_settings_of_numpy_and_blas_are_left_alone() -> None:
    before = np.getbufsize(), ThreadpoolController().info()
    same = np.ones((3, 2), np.float32)
    count_ranks(same, same, [[0], [1], [2]])
    assert (np.getbufsize(), ThreadpoolController().info()) == before


EYE = np.eye(2, dtype=np.float32)


@pytest.mark.parametrize(
    ("left", "right", "positives", "message"),
    [
        (EYE * np.nan, EYE, [[0], [1]], "left vector 0 holds NaN"),
        (EYE, np.where(EYE == 1, np.float32(np.inf), EYE), [[0], [1]], "right vector 0"),
        (EYE, np.ones((2, 3), np.float32), [[0], [1]], "no dot products"),
        (EYE, EYE, [[0]], "1 lists of positives"),
        (EYE, EYE, [[0, 1], []], "left item 1 has no positive"),
        (EYE, EYE, [[0], [0]], "right item 1 has no positive"),
        (EYE, EYE, [[0], [2]], "outside 0..1"),
        (EYE, EYE, [[0], [-1]], "outside 0..1"),
        (EYE[:0], EYE[:0], [], "0 left and 0 right"),
    ],
)
def test_what_cannot_be_ranked(
    left: NDArray[np.float32], right: NDArray[np.float32], positives: Relation, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        count_ranks(left, right, positives)


def test_given_scores_with_nan_cannot_be_ranked() -> None:
    with pytest.raises(ValueError, match="NaN"):
        rank_matrix(np.array([[np.nan, 1.0]]), [[0, 1]])


MEMORY = """
import re, sys
from pathlib import Path
import numpy as np
from mmbench.harness.numerics.rank_stream import count_ranks
assert "torch" not in sys.modules
rng = np.random.default_rng(0)
left, right = rng.standard_normal((6000, 64), np.float32), rng.standard_normal((24000, 64), np.float32)
positives = np.arange(24000).reshape(6000, 4)
if len(sys.argv) > 1:
    left[:], right[:] = 1, 1
def peak():  # of this program: `ru_maxrss` begins with that of the process that started it
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
before = peak()
count_ranks(left, right, positives)
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
@pytest.mark.parametrize("arguments", [[], ["collapsed"]])
def test_memory_is_that_of_some_blocks(arguments: list[str]) -> None:
    """The score matrix alone would take 549 MiB."""
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"},
    )
    assert int(done.stdout) < 150 * 1024
