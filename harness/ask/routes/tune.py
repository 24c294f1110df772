"""Tune route: prompt learning, whose expected time is told first and refused over the limit, as it takes minutes."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from mmbench.harness.ask.interview import Interview
from mmbench.harness.engine.kinds.tune import TUNE
from mmbench.harness.engine.question import Question, Tuning
from mmbench.harness.errors import AdapterError, Unsupported, UsageError
from mmbench.harness.models.abilities import Adapter, EstimatesTuning
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.types import Failure

MOST_MINUTES = 60.0


class TuningRoute:
    """The verb of a model with `tune_prompts`."""

    def __init__(
        self, interview: Interview, adapter: Adapter, most_minutes: float | None, tell: Callable[[str], None]
    ) -> None:
        self._interview = interview
        self._adapter = adapter
        self._most_minutes = most_minutes
        self._tell = tell

    def tuned(self, tunings: Sequence[Tuning]) -> Iterator[Floats]:
        """Yield (classes, d) class vectors for each tuning.

        Raises Unsupported where the model cannot learn prompts, UsageError where it would take too long, and
        AdapterError where it fails.
        """
        if "tune_prompts" not in self._interview.able:
            raise Unsupported(f"prompt learning needs tune_prompts; {self._interview.name} has none")
        questions = [Question(TUNE, tuning=tuning) for tuning in tunings]
        if self._most_minutes is not None:  # in a dry run no model is loaded to time it
            known = self._interview.known(questions)
            self._estimate([t for t, found in zip(tunings, known, strict=True) if not found], self._most_minutes)
        for tuning, value in zip(tunings, self._interview.ask(questions), strict=True):
            if isinstance(value, Failure):
                raise AdapterError(f"{self._interview.name} cannot learn a prompt: {value.message}")
            yield np.asarray(value, dtype=np.float64).reshape(len(tuning.class_names), -1)

    def _estimate(self, tunings: Sequence[Tuning], most_minutes: float) -> None:
        if not tunings or not isinstance(self._adapter, EstimatesTuning) or not callable(self._adapter.estimate_tuning):
            return
        by_kind: dict[tuple[int, tuple[tuple[str, float], ...]], float] = {}
        minutes = 0.0
        for tuning in tunings:
            kind = (len(tuning.vectors), tuple(sorted(tuning.settings.items())))
            if kind not in by_kind:
                names, settings = list(tuning.class_names), dict(tuning.settings)
                by_kind[kind] = self._adapter.estimate_tuning(names, len(tuning.vectors), settings)
            minutes += by_kind[kind] / 60
        self._tell(f"prompts to learn: {len(tunings)}, about {minutes:.1f} min")
        if minutes > most_minutes:
            raise UsageError(
                f"prompt learning would take about {minutes:.0f} min, over --max-minutes {most_minutes:g}; "
                "allow more, or ask fewer shots or seeds"
            )
