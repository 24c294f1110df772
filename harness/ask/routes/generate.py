"""Generate route: the model writes a reply, and the reply is matched."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import starmap

import numpy as np

from mmbench.harness.ask.examinee import Answer, Choice, Located
from mmbench.harness.ask.interview import Interview, options_of
from mmbench.harness.ask.wording import Wording
from mmbench.harness.both import both
from mmbench.harness.engine.kinds.reply import REPLY
from mmbench.harness.engine.question import Question
from mmbench.harness.media.image import Image
from mmbench.harness.models.reply import Reply
from mmbench.harness.replies.thoughts import ONLY_THOUGHTS, spoken
from mmbench.harness.types import Failure, Option, Sample

_DATA = re.compile(r"(data:[\w/+.;=-]{0,100}base64,)([A-Za-z0-9+/=_-]+)")


class GenerateRoute:
    """Verbs of a model with `generate`."""

    def __init__(self, interview: Interview) -> None:
        self._interview = interview

    def choose(self, samples: Iterable[Sample], options: Sequence[Option] | None, wording: Wording) -> Iterator[Choice]:
        """Yield the option that each reply names, if it names one."""
        seen, asked = both(samples)
        keep = lru_cache(maxsize=1)(kept_prompt)  # that of a classification is one text for all items

        def labels(sample: Sample) -> list[str]:
            return [option.label for option in options_of(sample, options)]

        def ask(sample: Sample) -> Question:
            prompt = wording.written(sample.question, labels(sample))
            pictures = self._interview.pictures_if_any(sample)
            return Question(REPLY, pictures, prompt, generation=wording.generation, item=sample.id)

        for sample, value in zip(seen, self._interview.ask(map(ask, asked)), strict=True):
            prompt = self._interview.marked(sample, keep(wording.written(sample.question, labels(sample))))
            if isinstance(value, Failure):
                yield Choice("error", None, message=value.message, prompt=prompt)
            elif is_refused(value):
                yield Choice("refused", None, str(value), REFUSED, str(value), prompt)
            else:
                yield replace(read_reply(str(value), labels(sample), wording), prompt=prompt)

    def locate(self, samples: Iterable[Sample], wording: Wording) -> Iterator[Located]:
        """Yield each reply without its thoughts, and the picture that it is of."""
        seen, asked = both(samples)
        for sample, answer in zip(seen, self.answer(asked, wording), strict=True):
            first = next(iter(self._interview.pictures_if_any(sample)), None)
            yield Located(answer, picture=first if isinstance(first, Image) else None)

    def answer(self, samples: Iterable[Sample], wording: Wording) -> Iterator[Answer]:
        """Yield each reply without its thoughts."""
        seen, asked = both((sample, wording.written(sample.question)) for sample in samples)
        keep = lru_cache(maxsize=1)(kept_prompt)  # that of a classification is one text for all items

        def ask(sample: Sample, prompt: str) -> Question:
            pictures = self._interview.pictures_if_any(sample)
            return Question(REPLY, pictures, prompt, generation=wording.generation, item=sample.id)

        for (sample, worded), value in zip(seen, self._interview.ask(starmap(ask, asked)), strict=True):
            prompt = self._interview.marked(sample, keep(worded))
            if isinstance(value, Failure):
                yield Answer("error", None, value.message, prompt=prompt)
            elif is_refused(value):
                yield Answer("refused", None, REFUSED, str(value), prompt)
            else:
                yield read_answer(str(value), prompt)


REFUSED = "the service tells that the question was refused"


def is_refused(value: object) -> bool:
    """Tell whether a service said of a reply that it is a refusal."""
    return isinstance(value, Reply) and value.told.refused


def read_reply(reply: str, labels: Sequence[str], wording: Wording) -> Choice:
    """Return the option that a written reply names, or why it names none."""
    from mmbench.harness.replies.match import match_option  # whose words and patterns take a tenth of a second to make

    found = match_option(reply, labels, lettered=wording.lists_options, marks=wording.marks)
    if found.index is None:
        return Choice(found.status, None, reply, found.reason, reply)
    scores = np.zeros(len(labels))
    scores[found.index] = 1.0
    return Choice("ok", scores, reply, found.reason, raw=reply)


def read_answer(reply: str, prompt: str | None = None) -> Answer:
    """Return what a written reply to a prompt answers, or that it is nothing but thoughts."""
    said = spoken(reply)
    if said.only_thoughts:
        return Answer("unparsed", None, ONLY_THOUGHTS, reply, prompt)
    return Answer("ok", said.text, raw=reply, prompt=prompt)


def kept_prompt(prompt: str) -> str:
    """Return a prompt without pictures that its text holds in base64.

    >>> kept_prompt("What is this? data:image/png;base64,iVBORw0KGgo=")
    'What is this? data:image/png;base64,... (12 characters)'
    """
    return _DATA.sub(lambda found: f"{found[1]}... ({len(found[2]):,} characters)", prompt)
