"""Difference between two adapters, as between one model in half precision and in fp32."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmbench.adapters.contract.answers import Row, Vector, prepare_of, probes
from mmbench.adapters.contract.inputs import pictures
from mmbench.harness.models.abilities import Ability, Adapter, abilities

_LEARNT: Ability = "tune_prompts"
"""Not compared: what is learnt from vectors that differ differs by chance."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How far the answers of two adapters lie apart, over the made-up inputs of the contract."""

    ability: Ability
    relative: float | None = None
    """Of vectors: the largest distance of two, divided by the larger norm; 0 where all are equal."""
    cosine: float | None = None
    """Of vectors: the smallest cosine of two."""
    nats: float | None = None
    """Of log-likelihoods: the largest difference of two."""
    equal: float | None = None
    """Of replies: the share that is the same."""

    @property
    def sentence(self) -> str:
        """The difference on one line."""
        if self.equal is not None:
            return f"{self.ability}: {self.equal:.0%} of the replies are equal"
        if self.nats is not None:
            return f"{self.ability}: log-likelihoods differ by {self.nats:.2g} nats at the most"
        return (
            f"{self.ability}: vectors differ by {self.relative:.2g} of their norm at the most, "
            f"their cosine is {self.cosine:.7f} or more"
        )


def differences(adapter: Adapter, reference: Adapter) -> list[Difference]:
    """Return how far two adapters lie apart in each ability that both have.

    Raises Malformed for an answer that is none, and what the adapters raise.
    """
    shared = abilities(adapter) & abilities(reference) - {_LEARNT}
    found = []
    for probe in probes(pictures(), {}):
        if probe.ability in shared:
            ours, theirs = (probe.ask(each, probe.inputs, prepare_of(each)) for each in (adapter, reference))
            found.append(_difference(probe.ability, ours, theirs))
    return found


def _difference(ability: Ability, ours: Sequence[Row], theirs: Sequence[Row]) -> Difference:
    if any(isinstance(row, str) for row in (*ours, *theirs)):
        return Difference(ability, equal=sum(a == b for a, b in zip(ours, theirs, strict=True)) / len(ours))
    pairs = [
        (a.astype(np.float64), b.astype(np.float64))
        for one, other in zip(ours, theirs, strict=True)
        for a, b in zip(_vectors(one), _vectors(other), strict=True)
    ]
    if ability == "score_texts":
        return Difference(ability, nats=max(float(np.abs(a - b).max()) for a, b in pairs))
    norms = [(float(np.linalg.norm(a)), float(np.linalg.norm(b))) for a, b in pairs]
    apart = [float(np.linalg.norm(a - b)) / max(*each, 1e-300) for (a, b), each in zip(pairs, norms, strict=True)]
    cosines = [float(a @ b) / max(one * other, 1e-300) for (a, b), (one, other) in zip(pairs, norms, strict=True)]
    return Difference(ability, relative=max(apart), cosine=min(cosines))


def _vectors(row: Row) -> tuple[Vector, ...]:
    return () if isinstance(row, str) else row
