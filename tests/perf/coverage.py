"""Intervals must cover and tests err as often as they say, or no verdict can be trusted; exits 1 when one does not.

Run as `python tests/perf/coverage.py [--draws N] [--only NAME]`. Drawn figures have two standard errors' leave.
"""

import argparse
import math
from collections.abc import Callable, Iterator
from functools import cache, partial

import numpy as np

from mmbench.harness.gate.verdict import judge
from mmbench.harness.records.changes import Part, pooled
from mmbench.harness.statistics.bootstrap import percentile_interval
from mmbench.harness.statistics.clusters import effective_size, mean_interval
from mmbench.harness.statistics.holm import holm
from mmbench.harness.statistics.mcnemar import mcnemar_mid, mcnemar_mid_lower, tango_interval
from mmbench.harness.statistics.paired import Paired, paired, paired_changes
from mmbench.harness.statistics.power import Discordant, Sides, minimum_detectable
from mmbench.harness.statistics.wilson import wilson

ALPHA = 0.05
TASKS = 20

Finding = tuple[str, float, float, float, int]
"""What was measured, its value, the least and most allowed, and the number of draws; 0 where all was enumerated."""


def main() -> int:
    """Print every figure with what it should be; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--only", choices=list(STUDIES))
    given = parser.parse_args()
    missed = 0
    for name, study in STUDIES.items():
        if given.only in (None, name):
            for what, value, least, most, draws in study(np.random.default_rng(0), given.draws):
                leave = 2 * math.sqrt(value * (1 - value) / draws) if draws else 0.0
                bad = not least - leave <= value <= most + leave
                missed += bad
                print(f"{name:12} {what:58} {value:.4f}  [{least:.3f}, {most:.3f}] {'MISSED' if bad else ''}")
    return int(missed > 0)


def proportions(_: np.random.Generator, __: int) -> Iterator[Finding]:
    """Wilson, enumerated, averaged over accuracies around each; it oscillates with them."""
    for n in (50, 200, 1000):
        ends = np.array([wilson(k, n) for k in range(n + 1)])
        for accuracy in (0.5, 0.9, 0.99):
            around = min(0.05, 1 - accuracy)
            shares = np.linspace(accuracy - around, accuracy + around, 202)[1:-1]
            covered = [binomial(n, p) @ ((ends[:, 0] <= p) & (p <= ends[:, 1])) for p in shares]
            yield f"n {n}, accuracy {accuracy}", float(np.mean(covered)), 0.94, 1.0, 0


def differences(rng: np.random.Generator, draws: int) -> Iterator[Finding]:
    """Tango, one item a cluster."""
    for n in (50, 200, 1000):
        for discordant in (0.02, 0.05, 0.2):
            cells = np.array([0.3 * discordant, 0.7 * discordant, 1 - discordant])
            counts = rng.multinomial(n, cells, size=10 * draws)[:, :2]
            kinds, times = np.unique(counts, axis=0, return_counts=True)
            truth = cells[0] - cells[1]
            ends = np.array([tango_interval(int(g), int(lost), n) for g, lost in kinds])
            covered = times @ ((ends[:, 0] <= truth) & (truth <= ends[:, 1])) / times.sum()
            yield f"n {n}, {discordant:.0%} discordant", float(covered), 0.94, 1.0, 10 * draws


def clustered(rng: np.random.Generator, draws: int) -> Iterator[Finding]:
    """Scores of items that share pictures: Wilson at the effective size."""
    for count in (40, 200):
        for uneven in (False, True):
            for accuracy, alike in ((0.5, 0.1), (0.5, 0.3), (0.9, 0.1), (0.9, 0.3)):
                codes = drawn_clusters(rng, count, uneven)
                covered = 0
                for _ in range(draws):
                    values = beta_bernoulli(rng, accuracy, alike, codes).astype(float)
                    worth = effective_size(values, codes) or 1.0
                    low, high = wilson(values.mean() * worth, worth)
                    covered += low <= accuracy <= high
                what = f"{count} {'uneven' if uneven else 'even'} clusters, accuracy {accuracy}, correlation {alike}"
                yield what, covered / draws, 0.93, 0.97, draws


def changes(rng: np.random.Generator, draws: int) -> Iterator[Finding]:
    """Differences of two runs on items that share pictures."""
    for count in (40, 200):
        for uneven in (False, True):
            codes = drawn_clusters(rng, count, uneven)
            what = f"{count} {'uneven' if uneven else 'even'} clusters"
            for discordant in (0.05, 0.2):
                share = covering(draws, -0.4 * discordant, codes, partial(binary_runs, rng, discordant, codes))
                yield f"{what}, {discordant:.0%} discordant", share, 0.93, 0.97, draws
            for kind, truth in (("normal", 0.0), ("skewed", 2.0)):
                share = covering(draws, truth, codes, partial(smooth_runs, rng, codes, kind == "skewed"))
                yield f"{what}, {kind}", share, 0.93, 0.97, draws


def resampled(rng: np.random.Generator, draws: int) -> Iterator[Finding]:
    """The percentile interval of corpus metrics, here a ratio of sums."""
    for count in (40, 100):
        codes = np.repeat(np.arange(count), 5)
        covered = 0
        for _ in range(draws // 4):
            below = rng.integers(5, 15, len(codes)).astype(float)
            above = below * np.clip(rng.normal(0.6, 0.2, len(codes)) + np.repeat(rng.normal(0, 0.1, count), 5), 0, None)

            def ratio(weights: np.ndarray, above: np.ndarray = above, below: np.ndarray = below) -> np.ndarray:
                return (weights @ above) / (weights @ below)

            low, high = percentile_interval(ratio, codes) or (0.0, 0.0)
            covered += low <= 0.6 <= high
        yield f"{count} clusters", covered / (draws // 4), 0.93, 0.97, draws // 4


def checks(rng: np.random.Generator, draws: int) -> Iterator[Finding]:
    """A gate over 20 tasks: false alarms without a change, and a drop of 3 points on one task."""
    sizes = np.array([60, 200, 500, 1000] * (TASKS // 4))
    for discordant in (0.02, 0.05, 0.2):
        alarms = 0
        for _ in range(draws):
            gains, losses = rng.multinomial(sizes, [discordant / 2, discordant / 2, 1 - discordant])[:, :2].T
            ps = [mcnemar_mid_lower(int(g), int(lost)) for g, lost in zip(gains, losses, strict=True)]
            alarms += bool((holm(ps) < ALPHA).any())
        yield f"no change, {discordant:.0%} discordant: fails", alarms / draws, 0.0, ALPHA, draws
    named = 0
    for _ in range(draws):
        counts = rng.multinomial(1000, [0.025, 0.025, 0.95], size=TASKS)
        counts[0] = rng.multinomial(1000, [0.01, 0.04, 0.95])
        named += holm([mcnemar_mid_lower(int(g), int(lost)) for g, lost, _ in counts])[0] < ALPHA
    yield "3 points lost on one of 20, n 1000, 5% discordant: named", named / draws, 0.8, 1.0, draws
    codes = np.repeat(np.arange(40), 5)
    few = max(1, draws // 5)
    alarms = sum(paired(*binary_runs(rng, 0.2, codes, 0.5), codes).p < ALPHA for _ in range(few))
    yield "no change, 40 clusters, one test: differs", alarms / few, 0.0, ALPHA, few


def gates(rng: np.random.Generator, draws: int) -> Iterator[Finding]:
    """A gate of 20 tasks and their mean: false alarms without a change, and a drop on every task."""
    for sizes in ([50] * TASKS, [60, 200, 500, 1000] * (TASKS // 4), [1000] * TASKS):
        for discordant in (0.02, 0.05, 0.2):
            for margin in (0.01, 0.0):
                fails = np.mean([any(gate_run(rng, sizes, 0.0, margin, discordant)) for _ in range(draws)])
                what = f"no change, {min(sizes)} to {max(sizes)}, {discordant:.0%} discordant, margin {margin}: fails"
                yield what, float(fails), 0.0, ALPHA, draws
    few = max(1, draws // 4)
    for n, drop, margin in ((200, 0.015, 0.0), (200, 0.015, 0.01), (200, 0.02, 0.01), (1000, 0.015, 0.01)):
        found = np.mean([gate_run(rng, [n] * TASKS, drop, margin)[1] for _ in range(few)])
        yield f"{drop} lost on every task, {n} items, margin {margin}: mean fails", float(found), 0.8, 1.0, few


def gate_run(
    rng: np.random.Generator,
    sizes: list[int],
    drop: float,
    margin: float,
    discordant: float = 0.05,
    alike: float = 0.0,
) -> tuple[bool, bool]:
    """Return whether any of 20 tasks fails, and whether their mean does, judged as by `check`.

    Chance levels are .1 to .5. With `alike` all tasks are about the same pictures, and such a share of these changes on
    every task together; the sizes are then equal.
    """
    scales = 1 / (1 - np.repeat([0.5, 0.25, 0.1], [5, 5, 10]))
    starts = np.zeros(TASKS, int) if alike else np.cumsum([0, *sizes[:-1]])
    raw, parts = [], []
    common = rng.random(sizes[0])
    for n, scale, start in zip(sizes, scales, starts, strict=True):
        drawn = rng.random(n)
        if alike:
            drawn = np.where(rng.random(n) < alike, common, drawn)
        change = np.where(drawn < (discordant - drop) / 2, 1.0, np.where(drawn < discordant, -1.0, 0.0))
        raw.append(counted_pair(int((change > 0).sum()), int((change < 0).sum()), n))
        keys = (np.arange(n) + start).astype(np.uint64)
        parts.append((Part(keys, np.zeros(n)), Part(keys, change / n * scale)))
    tests = [made.scaled(scale) for made, scale in zip(raw, scales, strict=True)]
    mean = pooled(tests, parts, 1 - 2 * ALPHA)
    margins, weights = [*[margin] * TASKS, margin * float(scales.mean())], [*[1.0] * TASKS, float(TASKS)]
    judged = judge([*raw, mean], margins, ALPHA, weights)
    return any(each.verdict == "regressed" for each in judged[:-1]), judged[-1].verdict == "regressed"


@cache
def counted_pair(gains: int, losses: int, n: int) -> Paired:
    """Return the test of two runs that are right on so many items apart."""
    change = np.concatenate([np.ones(gains), -np.ones(losses), np.zeros(n - gains - losses)])
    return paired_changes(change, np.arange(n), confidence=1 - 2 * ALPHA)


def powers(rng: np.random.Generator, draws: int) -> Iterator[Finding]:
    """The smallest difference that is printed is found in 80 %."""
    sides: Sides
    for sides in (1, 2):
        for alpha in (ALPHA, ALPHA / TASKS):
            for n in (50, 200, 1000, 5000):
                for share in (0.0, 0.02, 0.1, 0.3):
                    smallest = minimum_detectable(Discordant(share), n, alpha=alpha, sides=sides)
                    if smallest is None:
                        continue
                    share = max(share, smallest)
                    cells = [(share - smallest) / 2, (share + smallest) / 2, 1 - share]
                    kinds, times = np.unique(rng.multinomial(n, cells, size=draws)[:, :2], axis=0, return_counts=True)
                    p = mcnemar_mid if sides == 2 else mcnemar_mid_lower
                    found = times @ np.array([p(int(g), int(lost)) < alpha for g, lost in kinds]) / draws
                    what = f"{sides}-sided at {alpha}, n {n}, {share:.1%} discordant"
                    yield what, float(found), 0.75, 0.85, draws


def binomial(n: int, share: float) -> np.ndarray:
    """Return the chances of 0 to n."""
    k = np.arange(n + 1)
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    return np.exp(logs[n] - logs[k] - logs[n - k] + k * math.log(share) + (n - k) * math.log1p(-share))


def drawn_clusters(rng: np.random.Generator, count: int, uneven: bool) -> np.ndarray:
    """Return the cluster of each item: ten a cluster, or 1 to 19."""
    return np.repeat(np.arange(count), rng.integers(1, 20, count) if uneven else 10)


def beta_bernoulli(rng: np.random.Generator, share: float, alike: float, codes: np.ndarray) -> np.ndarray:
    """Return which items hit, where those of one cluster correlate by `alike`."""
    total = (1 - alike) / alike
    return rng.random(len(codes)) < rng.beta(share * total, (1 - share) * total, codes.max() + 1)[codes]


def binary_runs(
    rng: np.random.Generator, discordant: float, codes: np.ndarray, lost: float = 0.7
) -> tuple[np.ndarray, np.ndarray]:
    """Return two runs that differ on so many items, `lost` of them to the second's loss."""
    differs = beta_bernoulli(rng, discordant, 0.2, codes)
    first = np.where(differs, beta_bernoulli(rng, lost, 0.2, codes), rng.random(len(codes)) < 0.6)
    return first.astype(float), (first ^ differs).astype(float)


def smooth_runs(rng: np.random.Generator, codes: np.ndarray, skewed: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return two runs of real values that differ by cluster and item: normal around 0, or exponential around 2."""
    draw = rng.exponential if skewed else rng.standard_normal
    first = rng.random(len(codes))
    return first, first + draw(size=codes.max() + 1)[codes] + draw(size=len(codes))


def covering(
    draws: int,
    truth: float,
    codes: np.ndarray,
    runs: Callable[[], tuple[np.ndarray, np.ndarray]],
) -> float:
    """Return how often the interval that `paired` reports holds the truth, without its permutations."""
    covered = 0
    for _ in range(draws):
        first, second = runs()
        change = second - first
        if np.isin(change, (-1.0, 0.0, 1.0)).all():
            worth = effective_size(change, codes) or 1.0
            scale = worth / len(change)
            low, high = tango_interval((change > 0).sum() * scale, (change < 0).sum() * scale, worth)
        else:
            low, high = mean_interval(change, codes) or (0.0, 0.0)
        covered += low <= truth <= high
    return covered / draws


STUDIES: dict[str, Callable[[np.random.Generator, int], Iterator[Finding]]] = {
    study.__name__: study for study in (proportions, differences, clustered, changes, resampled, checks, gates, powers)
}

if __name__ == "__main__":
    raise SystemExit(main())
