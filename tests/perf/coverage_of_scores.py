"""Intervals of scores must cover what they say, and be no wider than they need; exits 1 when one does not.

Run as `python tests/perf/coverage_of_scores.py [--draws N] [--only KIND]`. Prints, for each kind of metric, number of
items and rate, the coverage of the 95 % interval and its width by that of the ideal one: the distance between the 2.5 %
and 97.5 % quantiles of the errors over all draws, near an edge Wilson's of as many coins. Coverage has two standard
errors' leave.

Right and wrong answers have few possible scores, so that near an edge the coverage at one exact rate jumps (of 50 coins
of .99 it is .911 or .986, whatever the interval): each draw has a rate of its own around the one that is named, up to
.05 away, and no further than the edge (Brown, Cai and DasGupta 2001; Newcombe 1998).
"""

import argparse
import math
from collections.abc import Callable

import numpy as np

from mmbench.benchmarks.families.multiple_choice import METRICS as MULTIPLE_CHOICE
from mmbench.benchmarks.families.yes_no import METRICS as YES_NO
from mmbench.benchmarks.families.zero_shot import METRICS as ZERO_SHOT
from mmbench.benchmarks.metrics.caption.all_at_once import METRICS as CAPTION
from mmbench.benchmarks.metrics.caption.ngrams import Captions, new_words, own_words
from mmbench.harness.scores.gain import gain_over
from mmbench.harness.scores.score import score
from mmbench.harness.statistics.wilson import wilson
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.types import Outcome

LEAST, MOST, WIDEST = 0.93, 0.97, 1.15
AROUND = 0.05
"""Rates of draws lie so far around the one that is named."""
FRACTIONS = Metric("fractions", "")
ACCURACY = MULTIPLE_CHOICE["accuracy"]
_BLOCK = 8
"""Clips of the same frames in the suite `perception-video`."""

Ends = tuple[float, float, float]
"""Value, low, high."""
Draw = Callable[[np.random.Generator, int, float], Ends]


def main() -> int:
    """Print the table; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--only", choices=list(KINDS))
    given = parser.parse_args()
    missed = 0
    print(f"{'kind':24} {'n':>5} {'rate':>6} {'coverage':>9} {'width':>6}")
    for kind, (draw, sizes, rates, truth) in KINDS.items():
        for n in sizes if given.only in (None, kind) else ():
            for rate in rates:
                covered, width = measured(draw, n, rate, truth, given.draws, near_normal="gain" in kind)
                leave = 2 * math.sqrt(0.05 * 0.95 / given.draws)
                bad = covered < LEAST - leave
                if kind not in WIDE and (kind, n) not in WIDE and n >= 50:
                    bad |= (covered > MOST + leave and rate < 0.99) or width > WIDEST
                missed += bad
                print(f"{kind:24} {n:5} {rate:6.2f} {covered:9.3f} {width:6.2f} {'MISSED' if bad else ''}", flush=True)
    return int(missed > 0)


def measured(
    draw: Draw, n: int, rate: float, truth: Callable[[float], float] | None, draws: int, *, near_normal: bool
) -> tuple[float, float]:
    """Return the coverage of an interval, and its mean width by the ideal one; without `truth` at the rate itself."""
    rng = np.random.default_rng(0)
    around = 0.0 if truth is None else min(AROUND, 1 - rate)
    rates = rate + around * rng.uniform(-1, 1, draws)
    made = np.array([draw(rng, n, each) for each in rates])
    true = np.full(draws, made[:, 0].mean()) if truth is None else np.array([truth(each) for each in rates])
    there = np.isfinite(made).all(axis=1)
    made, true = made[there], true[there]
    covered = float(((made[:, 1] <= true + 1e-12) & (true - 1e-12 <= made[:, 2])).mean())
    errors, middle = made[:, 0] - true, float(true.mean())
    ideal = float(np.subtract(*np.quantile(errors, [0.975, 0.025])))
    if 0 < middle < 1 and not near_normal:
        # Near an edge no interval is as narrow as the quantiles; that of as many coins as vary so much is the measure.
        coins = middle * (1 - middle) / float(errors.var())
        ideal = max(ideal, float(np.subtract(*wilson(middle * coins, coins)[::-1])))
    return covered, float((made[:, 2] - made[:, 1]).mean()) / max(ideal, 1e-9)


def scored(metric: Metric, table: np.ndarray, clusters: np.ndarray | None = None) -> Ends:
    """Return the score of (n,) values or (n, k) statistics."""
    outcomes = []
    for i, row in enumerate(table.reshape(len(table), -1).tolist()):
        held = {"statistics": {metric.name: tuple(row)}} if metric.aggregate or metric.draws else {}
        cluster = str(i if clusters is None else clusters[i])
        outcomes.append(Outcome(str(i), "ok", None, None, {metric.name: float(np.mean(row))}, cluster=cluster, **held))
    (made,) = score([metric], outcomes)
    return tuple(math.nan if each is None else each for each in (made.value, made.low, made.high))  # type: ignore[return-value]


def yes_no(name: str) -> Draw:
    """Return a draw of a metric of answers to questions half of which are yes."""

    def draw(rng: np.random.Generator, n: int, rate: float) -> Ends:
        yes, right = rng.random(n) < 0.5, rng.random(n) < rate
        table = np.column_stack([yes & right, ~yes & ~right, yes & ~right, np.ones(n)]).astype(float)
        return scored(YES_NO[name], table)

    return draw


def per_class(rng: np.random.Generator, n: int, rate: float) -> Ends:
    """Ten classes of unlike sizes, whose recalls differ."""
    sizes = np.maximum(2, np.round(n * np.array([1, 1, 2, 2, 3, 3, 4, 4, 5, 5]) / 30)).astype(int)
    classes = np.repeat(np.arange(10), sizes)
    spread = min(0.1, 1 - rate) * np.linspace(-1, 1, 10)
    right = rng.random(len(classes)) < (rate + spread)[classes]
    return scored(ZERO_SHOT["mean_per_class_recall"], np.column_stack([classes, right]).astype(float))


def fractions(rng: np.random.Generator, n: int, rate: float) -> Ends:
    """ROUGE-L and its kind: values all over the range."""
    return scored(FRACTIONS, rng.beta(10 * rate, 10 * (1 - rate), n))


def votes(rng: np.random.Generator, n: int, rate: float) -> Ends:
    """VQA accuracy: of ten annotators some agree."""
    hard = rng.random(n) < 1 - rate
    return scored(FRACTIONS, np.where(hard, rng.choice([0, 0, 0.3, 0.6], n), rng.choice([0.6, 0.9, 1, 1, 1], n)))


def anls(rng: np.random.Generator, n: int, rate: float) -> Ends:
    """ANLS: right, nearly right above one half, or 0."""
    return scored(
        FRACTIONS, np.where(rng.random(n) < rate, np.where(rng.random(n) < 0.7, 1, rng.uniform(0.5, 1, n)), 0)
    )


def clustered(rng: np.random.Generator, n: int, rate: float) -> Ends:
    """Five items a picture, alike."""
    hit = rng.random(n // 5) < 0.3
    shared, own = rng.random(n // 5) < rate, rng.random((n // 5, 5)) < rate
    values = np.where(hit[:, None], shared[:, None], own).astype(float).ravel()
    return scored(FRACTIONS, values, np.repeat(np.arange(n // 5), 5))


def opposed(rng: np.random.Generator, n: int, rate: float) -> Ends:
    """A question of each picture whose answer is yes and one of no; seven in ten pictures get one answer to both."""
    same, coin = rng.random(n // 2) < 0.7, rng.integers(2, size=n // 2)
    own = rng.random((n // 2, 2)) < (rate - 0.35) / 0.3
    values = np.where(same[:, None], np.stack([coin, 1 - coin], axis=1), own).astype(float).ravel()
    return scored(FRACTIONS, values, np.repeat(np.arange(n // 2), 2))


def attributes(rng: np.random.Generator, n: int, rate: float) -> Ends:
    """One to three attributes named in a caption."""
    named = rng.integers(1, 4, n)
    return scored(
        CAPTION["attribute_precision"], np.column_stack([rng.binomial(named, rate), named, named]).astype(float)
    )


def vocabulary(rng: np.random.Generator, n: int, _: float) -> Ends:
    """Captions of eight words, of a vocabulary by Zipf's law."""
    chances = 1 / np.arange(1, 3001)
    words = rng.choice(3000, size=(n, 8), p=chances / chances.sum())
    captions = Captions.of([[f"w{word}" for word in row] for row in words.tolist()], [[["w0"]]] * n)
    return scored(CAPTION["vocabulary_size"], np.stack([new_words(captions), own_words(captions)], axis=1))


def episodes(spread: float, count: int) -> Draw:
    """Return a draw of so many episodes, whose accuracies spread."""

    def draw(rng: np.random.Generator, n: int, rate: float) -> Ends:
        each = np.clip(rng.normal(rate, spread, count), 0, 1)
        return scored(Metric("accuracy", "", draws=True), (rng.random((n, count)) < each).astype(float))

    return draw


def gain(apart: float) -> Draw:
    """Return a draw of a score of .2 more than the larger of two controls, which are so far apart."""

    def draw(rng: np.random.Generator, n: int, rate: float) -> Ends:
        own, blind, shuffled = (answers(rng, n, share) for share in (rate, rate - 0.2, rate - 0.2 - apart))
        made = gain_over(FRACTIONS, own, {"blind": blind, "shuffled": shuffled})
        assert made is not None and made.low is not None and made.high is not None
        return made.value, made.low, made.high

    return draw


def answers(rng: np.random.Generator, n: int, rate: float) -> list[Outcome]:
    """Return right and wrong answers."""
    held = (rng.random(n) < rate).astype(float).tolist()
    return [Outcome(str(i), "ok", None, None, {"fractions": v}, cluster=str(i)) for i, v in enumerate(held)]


def temporal(spread: float) -> Draw:
    """Return a draw of a score less chance, over clips of which eight share their frames and how hard they are.

    Whoever does not see the order is right in half of such eight, exactly.
    """

    def draw(rng: np.random.Generator, n: int, rate: float) -> Ends:
        blocks = n // _BLOCK
        each = np.repeat(np.clip(rng.normal(rate, spread, blocks), 0, 1), _BLOCK)
        halves = [rng.permuted(np.tile([0.0, 1.0], (blocks, _BLOCK // 2)), axis=1).ravel() for _ in range(2)]
        held = [(rng.random(len(each)) < each).astype(float), *halves]
        own, still, heap = (
            [Outcome(str(i), "ok", None, None, {"accuracy": v}, cluster=str(i // _BLOCK)) for i, v in enumerate(values)]
            for values in held
        )
        made = gain_over(ACCURACY, own, {"single-frame": still, "shuffled-frames": heap})
        assert made is not None and made.low is not None and made.high is not None
        return made.value, made.low, made.high

    return draw


def itself(rate: float) -> float:
    """Return the rate, which is the true score."""
    return rate


SIZES, RATES = (50, 200, 1000), (0.5, 0.9, 0.99)
KINDS: dict[str, tuple[Draw, tuple[int, ...], tuple[float, ...], Callable[[float], float] | None]] = {
    "precision": (yes_no("precision"), SIZES, RATES, itself),
    "recall": (yes_no("recall"), SIZES, RATES, itself),
    "f1": (yes_no("f1"), SIZES, RATES, itself),
    "mean_per_class_recall": (per_class, SIZES, RATES, itself),
    "rouge_l": (fractions, SIZES, (0.3, 0.6), itself),
    "vqa_accuracy": (votes, SIZES, (0.5, 0.9), lambda rate: 0.225 * (1 - rate) + 0.9 * rate),
    "anls": (anls, SIZES, (0.5, 0.9), lambda rate: (0.7 + 0.3 * 0.75) * rate),
    "five items a picture": (clustered, (200, 1000), RATES, itself),
    "a yes and a no a picture": (opposed, (200, 1000), (0.5, 0.6), itself),
    "attribute_precision": (attributes, SIZES, (0.5, 0.9, 0.99), itself),
    "vocabulary_size": (vocabulary, (50, 200, 1000), (0.0,), None),
    "3 episodes, apart": (episodes(0.1, 3), (200,), (0.5, 0.8), None),
    "5 episodes, apart": (episodes(0.1, 5), (200,), (0.5, 0.8), None),
    "5 episodes, alike": (episodes(0.0, 5), (200,), (0.5, 0.8), None),
    "visual gain": (gain(0.0), SIZES, (0.7, 0.9), lambda _: 0.2),
    "visual gain, apart": (gain(0.05), SIZES, (0.7, 0.9), lambda _: 0.2),
    "temporal gain": (temporal(0.0), (160, 800), (0.5, 0.7, 0.9), lambda rate: rate - 0.5),
    "temporal gain, blocks apart": (temporal(0.1), (160, 800), (0.5, 0.7, 0.85), None),
}
WIDE = (
    "3 episodes, apart",
    "5 episodes, apart",
    "5 episodes, alike",
    "vocabulary_size",
    "temporal gain",
    ("temporal gain, blocks apart", 160),
    ("mean_per_class_recall", 50),
    ("a yes and a no a picture", 200),
)
"""Held to coverage from below alone: few episodes tell little of how far episodes spread, classes of two to eight items
little of their variance, a hundred pictures little of how their items repel each other, and the jackknife of a number
of words errs on the wide side (Efron and Stein 1981). At .99 nothing wrong is common, and its interval always covers.
Where half of each block is right by construction the controls do not vary, which few blocks show to a part."""

if __name__ == "__main__":
    raise SystemExit(main())
