"""Generate route: the model writes a reply, and the reply is matched."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import tee

import numpy as np

from mmbench.harness.ask.examinee import Answer, Choice
from mmbench.harness.ask.interview import Interview, options_of
from mmbench.harness.ask.wording import Wording
from mmbench.harness.engine.kinds.reply import REPLY
from mmbench.harness.engine.question import Question
from mmbench.harness.replies.match import match_option
from mmbench.harness.types import Failure, Option, Sample


class GenerateRoute:
    """Verbs of a model with `generate`."""

    def __init__(self, interview: Interview) -> None:
        self._interview = interview

    def choose(self, samples: Iterable[Sample], options: Sequence[Option] | None, wording: Wording) -> Iterator[Choice]:
        """Yield the option that each reply names, if it names one."""
        seen, asked = tee(samples)

        def ask(sample: Sample) -> Question:
            prompt = wording.written(sample.question, [option.label for option in options_of(sample, options)])
            return Question(REPLY, self._interview.pictures_if_any(sample), prompt, generation=wording.generation)

        for sample, value in zip(seen, self._interview.ask(map(ask, asked)), strict=True):
            labels = [option.label for option in options_of(sample, options)]
            if isinstance(value, Failure):
                yield Choice("error", None, message=value.message)
            else:
                yield read_reply(str(value), labels, wording)

    def answer(self, samples: Iterable[Sample], wording: Wording) -> Iterator[Answer]:
        """Yield each reply as it is."""

        def ask(sample: Sample) -> Question:
            pictures = self._interview.pictures_if_any(sample)
            return Question(REPLY, pictures, wording.written(sample.question), generation=wording.generation)

        for value in self._interview.ask(map(ask, samples)):
            if isinstance(value, Failure):
                yield Answer("error", None, value.message)
            else:
                yield Answer("ok", str(value))


def read_reply(reply: str, labels: Sequence[str], wording: Wording) -> Choice:
    """Return the option that a written reply names, or why it names none."""
    found = match_option(reply, labels, lettered=wording.lists_options)
    if found.index is None:
        return Choice(found.status, None, reply, found.reason)
    scores = np.zeros(len(labels))
    scores[found.index] = 1.0
    return Choice("ok", scores, reply)
