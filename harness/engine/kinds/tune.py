"""Prompt learning: `tune_prompts`, the vectors of an episode."""

from typing import TYPE_CHECKING, Any

import numpy as np

from mmbench.harness.engine import checks
from mmbench.harness.engine.kinds.kind import Inputs, Vectors
from mmbench.harness.engine.packing import Value
from mmbench.harness.models.abilities import TunesPrompts
from mmbench.harness.types import Failure

if TYPE_CHECKING:
    from mmbench.harness.engine.question import Tuning


class TuneKind(Vectors):
    """Class vectors learnt through a text tower; each takes minutes, so that one is asked at a time."""

    name = "tune"
    window = 1
    first = 1
    largest = 1

    def call(self, adapter: Any, inputs: Inputs) -> list[Value | Failure]:
        """Call `tune_prompts` for each input. Raises BrokenReply."""
        return [_tuned(adapter, question.tuning) for question, _ in inputs if question.tuning is not None]


def _tuned(learner: TunesPrompts, tuning: "Tuning") -> Value | Failure:
    names, settings = list(tuning.class_names), dict(tuning.settings)
    made = learner.tune_prompts(names, tuning.vectors, tuning.labels, settings, tuning.seed)
    rows = checks.vectors(made, len(names), "tune_prompts")
    broken = next((row for row in rows if isinstance(row, Failure)), None)
    return broken or np.asarray(made).ravel()


TUNE = TuneKind()
