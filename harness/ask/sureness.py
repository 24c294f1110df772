"""Sureness: the probability that a model gives to what it chose, by its own logits or likelihoods."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from mmbench.harness.ask.examinee import Answers, Choice, Examinee, Scale
from mmbench.harness.ask.wording import DEFAULT, Wording
from mmbench.harness.both import both
from mmbench.harness.metrics.calibration import INSTEAD_OF_ZERO
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.numerics.ranks import tie_width
from mmbench.harness.types import Option, Sample

SURENESS = "sureness"
"""Statistic of an outcome that holds a `Sureness`."""


class Sureness(NamedTuple):
    """What metrics of calibration need to know of one choice."""

    confidence: float
    """Probability of the option chosen, 0..1."""
    right: float
    """1 where it is right; of options that tie the share that is."""
    brier: float
    """Squared distance of all probabilities from the truth, summed over the options."""
    nll: float
    """-ln of the probability of the truth, in nats; of a sigmoid summed over the options."""


def logits(scores: Floats, scale: Scale) -> Floats:
    """Return (options,) logits of (options,) cosines or log-probabilities."""
    return scale.factor * scores + scale.bias


def probabilities(scores: Floats, scale: Scale) -> Floats | None:
    """Return (options,) probabilities: by softmax, or of a model with a bias by a sigmoid of each; None if undefined.

    >>> probabilities(np.array([0.5, 0.5]), Scale(100.0)).tolist()
    [0.5, 0.5]
    >>> probabilities(np.array([0.5, 0.25]), Scale(4.0, -2.0)).round(4).tolist()
    [0.5, 0.2689]
    """
    made = logits(np.asarray(scores, np.float64), scale)
    if np.isnan(made).any() or not np.isfinite(made.max()):
        return None
    if scale.bias:
        return np.asarray(np.exp(-np.logaddexp(0.0, -made)))
    weights = np.exp(made - made.max())
    return np.asarray(weights / weights.sum())


def sureness(scores: Floats, scale: Scale, target: int) -> Sureness | None:
    """Return how sure a choice was, of which `target` is the right option; None where it has no probabilities."""
    made = probabilities(scores, scale)
    if made is None:
        return None
    best = float(scores.max())
    tied = np.flatnonzero(scores >= best - tie_width(best))
    truth = np.arange(len(made)) == target
    likely = np.where(truth, made, 1 - made) if scale.bias else made[truth]
    lost = -np.log(np.where(likely > 0, likely, INSTEAD_OF_ZERO))
    return Sureness(
        float(made[tied[0]]),
        float(np.mean(tied == target)),
        float(((made - truth) ** 2).sum()),
        float(lost.sum()),
    )


def guess(options: int, scale: Scale) -> Sureness:
    """Return how sure somebody is who knows nothing: each option has the same probability, and all tie.

    >>> sure = guess(4, Scale(1.0))
    >>> sure.confidence, sure.right, sure.brier, round(sure.nll, 4)  # 1 - 1 / 4 and ln 4
    (0.25, 0.25, 0.75, 1.3863)
    """
    share = 1 / options
    likely = np.array([share, *(options - 1) * [1 - share]] if scale.bias else [share])
    lost = -np.log(np.where(likely > 0, likely, INSTEAD_OF_ZERO))
    return Sureness(share, share, (1 - share) ** 2 + (options - 1) * share**2, float(lost.sum()))


@dataclass(slots=True)
class Listener:
    """An examinee that hears how sure each choice of another one is; whatever else is asked, the other answers."""

    subject: Examinee
    heard: dict[str, Sureness] = field(default_factory=dict)
    """By the sample's id."""
    logits: dict[str, tuple[Floats, int]] = field(default_factory=dict)
    """(options,) logits and the right option, by the sample's id."""
    guesses: dict[str, Sureness] = field(default_factory=dict)
    """How sure somebody would be who knows nothing, by the sample's id."""
    mass: list[float] = field(default_factory=list)
    """Of likelihoods how probable the options are all together, before they are made to sum to 1."""
    notes_made: list[str] = field(default_factory=list)
    """Why there are no probabilities."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.subject, name)

    def choose(
        self, samples: Iterable[Sample], options: Sequence[Option] | None = None, wording: Wording = DEFAULT
    ) -> Answers[Choice]:
        """Give the other's choices."""
        seen, asked = both(samples)
        choices = self.subject.choose(asked, options, wording)
        return Answers(choices.route, self._hearing(seen, choices, wording))

    def _hearing(self, samples: Iterable[Sample], choices: Answers[Choice], wording: Wording) -> Iterator[Choice]:
        scale = None if self.subject.dry else self._scale(choices.route, wording)
        for sample, choice in zip(samples, choices, strict=True):
            if scale is not None and choice.scores is not None and len(sample.target) == 1:
                made = sureness(choice.scores, scale, sample.target[0])
                if made is not None:
                    self.heard[sample.id] = made
                    self.guesses[sample.id] = guess(len(choice.scores), scale)
                    if choices.route == "likelihood":
                        self.mass.append(float(np.exp(np.minimum(choice.scores, 1.0)).sum()))
                    if sample.facts.get("part") is not None:  # to fit a temperature, which nobody asks of others
                        self.logits[sample.id] = (logits(choice.scores, scale), sample.target[0])
            yield choice

    def _scale(self, route: str, wording: Wording) -> Scale | None:
        """Return what makes logits of this route's scores, or None and a note that says why nothing does."""
        reason = None
        if route == "embed":
            found = self.subject.scale()
            if found is not None:
                return found
            reason = f"{self.subject.name} has no logit_scale, so that its cosines are no logits"
        elif route == "likelihood":
            if wording.likelihood == "sum":
                return Scale(1.0)
            reason = f"likelihoods compared by '{wording.likelihood}' are no probabilities; 'sum' is"
        else:
            reason = f"an answer by {route} has no probabilities"
        self.notes_made.append(f"no calibration: {reason}")
        return None
