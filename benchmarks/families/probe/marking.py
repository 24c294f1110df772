"""Marking of probes: from the scores after each lesson to outcomes and the learning curve."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmbench.benchmarks.families.probe.methods import ProbeOptions
from mmbench.benchmarks.metrics.classification import best_is_right, guessed_hit, mean_average_precision, top_k_hits
from mmbench.benchmarks.metrics.shots import area_under_shots
from mmbench.benchmarks.probes.episodes import Split
from mmbench.benchmarks.probes.labelled import Labels, Scores
from mmbench.harness.digest import Json
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.types import Failure, Outcome, Sample

ZERO = "0-shot"
FULL = "full"


@dataclass(frozen=True, slots=True)
class Learnt:
    """Where the pictures of a task stand, and what was learnt of them."""

    samples: Sequence[Sample]
    embedding: Floats
    """(n, d), in the space shared with texts; rows of failed pictures are zero."""
    vectors: Floats
    """(n, e), those that are learnt from."""
    failures: Mapping[int, Failure]
    labels: Labels
    split: Split


class Marking:
    """Turns the scores of test pictures after each lesson into outcomes."""

    def __init__(
        self,
        options: ProbeOptions,
        names: Sequence[str],
        shots: Sequence[int],
        guessable: Sequence[str],
        *,
        multi_label: bool,
    ) -> None:
        self._options = options
        self._names = names
        self._shots = shots
        self._guessable = guessable
        self._multi_label = multi_label

    def outcomes(
        self, held: Learnt, usable: Sequence[int], hits: Mapping[str, Floats], scores: Mapping[str, Scores]
    ) -> Iterator[Outcome]:
        """Yield for each test picture how it was classified after each lesson."""
        place = {item: row for row, item in enumerate(usable)}
        for item in held.split.test.tolist():
            sample = held.samples[item]
            target = " | ".join(self._names[i] for i in sample.target)
            if item in held.failures:
                yield Outcome.about(sample, "error", None, target, values={}, message=held.failures[item].message)
                continue
            row = place[item]
            yield self._outcome(
                sample, target, {n: float(h[row]) for n, h in hits.items()}, {n: s[row] for n, s in scores.items()}
            )

    def hits(self, scores: Scores, held: Learnt, usable: Sequence[int]) -> Floats:
        """Return for each test picture whether the best class is a right one."""
        targets = [held.samples[item].target for item in usable]
        if usable and all(len(own) == 1 for own in targets):
            return best_is_right(scores, [own[0] for own in targets])
        # Of several labels there may be none, which no class can be right about.
        return np.array(
            [top_k_hits(row, own, [1])[0] if own else 0.0 for row, own in zip(scores, targets, strict=True)]
        )

    def curve(self, hits: Mapping[str, Floats], scores: Mapping[str, Scores], labels: Labels) -> list[Json]:
        """Return the learning curve: for each number of shots the figure of each seed."""
        figures = self._figures(hits, scores, labels)
        if not figures:
            return []
        seeds = self._options.seed_list
        points: list[tuple[int | None, list[float]]] = [(0, [figures[ZERO]])] if ZERO in figures else []
        points += [(k, [figures[f"{k}-shot/seed{seed}"] for seed in seeds]) for k in self._shots]
        if FULL in figures:
            points.append((None, [figures[FULL]]))
        kind = "map" if self._multi_label else "accuracy"
        return [{"shots": k, kind: [*drawn]} for k, drawn in points]

    def _figures(self, hits: Mapping[str, Floats], scores: Mapping[str, Scores], labels: Labels) -> dict[str, float]:
        """Return for each lesson what the curve shows: accuracy, or mean average precision of several labels.

        Nothing where no test picture can tell.
        """
        if not len(labels) or (self._multi_label and not labels.any()):
            return {}
        if not self._multi_label:
            return {name: float(own.mean()) for name, own in hits.items()}
        ones, shown = np.ones((1, len(labels))), labels.astype(np.float64)
        return {n: float(mean_average_precision(np.hstack([made, shown]), ones)[0]) for n, made in scores.items()}

    def _outcome(self, sample: Sample, target: str, hits: Mapping[str, float], scores: Mapping[str, Floats]) -> Outcome:
        values: dict[str, float] = {f"{name}/accuracy": hit for name, hit in hits.items()}
        statistics: dict[str, tuple[float, ...]] = {}
        by_shots = {k: tuple(hits[f"{k}-shot/seed{seed}"] for seed in self._options.seed_list) for k in self._shots}
        for k, drawn in by_shots.items():
            values[f"{k}-shot/accuracy"] = sum(drawn) / len(drawn)
            statistics[f"{k}-shot/accuracy"] = drawn
        if by_shots:
            shots = np.array(self._shots, dtype=np.float64)
            areas = area_under_shots(shots, np.array(list(by_shots.values())).T)
            values["shots_auc"] = float(areas.mean())
            statistics["shots_auc"] = tuple(areas.tolist())
            if ZERO in hits:
                after = (sum(drawn) / len(drawn) for drawn in by_shots.values())
                statistics["efficiency"] = (hits[ZERO], *map(float, by_shots), *after)
        for name, value in list(values.items()):
            kind = name.removesuffix("/accuracy")
            if kind != name and not self._multi_label:
                statistics[f"{kind}/mean_per_class_recall"] = (float(sample.target[0]), value)
        if self._multi_label:
            statistics |= self._for_map(sample, scores)
        last = scores[FULL] if FULL in scores else list(scores.values())[-1]
        return Outcome.about(
            sample,
            "ok",
            self._names[int(last.argmax())],
            target,
            values=values,
            chances=dict.fromkeys(self._guessable, guessed_hit(len(self._names), len(sample.target), 1)),
            statistics=statistics,
        )

    def _for_map(self, sample: Sample, scores: Mapping[str, Floats]) -> dict[str, tuple[float, ...]]:
        """Return what `mean_map` reads; the scores of all seeds of an episode stand one after the other."""
        classes = len(self._names)
        shown = tuple(float(i in sample.target) for i in range(classes))
        made = {f"{name}/map": (float(classes), *row.tolist(), *shown) for name, row in scores.items()}
        for k in self._shots:
            drawn = [scores[f"{k}-shot/seed{seed}"] for seed in self._options.seed_list]
            made[f"{k}-shot/map"] = (float(classes), *np.concatenate(drawn).tolist(), *shown)
        return made
