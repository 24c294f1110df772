"""Refusals: a model that declines, or says that nobody could answer, is separated from an unclear reply."""

import re
from collections.abc import Sequence

from mmbench.harness.replies.clauses import spans
from mmbench.harness.replies.clean import tokens
from mmbench.harness.replies.lexicon import REFUSING, Roles, phrase_at
from mmbench.harness.replies.options import NONE, Named, Options

_ANSWERED = re.compile(r"^\W*(?:yes|no)\s*[,:;-]", re.I)
"""An answer before what is said of it: `No, the images are …` tells of no images that are not there."""
_NEAR = 6
"""Most words between what cannot be done and the deed."""
_READ, _OPENING = 2000, 300
"""Characters in which a refusal stands, and those in which it is said that the question has no answer."""


def refuses(text: str) -> bool:
    """Return whether the model declines to answer, or says that it cannot know.

    >>> [refuses(t) for t in ("I'm sorry, but I can't assist with that.", "I cannot see a dog in the image.")]
    [True, False]
    >>> [refuses(t) for t in ("Lo siento, no puedo ayudar con eso.", "Lo siento, no hay ningún perro.")]
    [True, False]
    """
    sentences = ((start, _ANSWERED.sub("", text[start:end])) for start, end in spans(text[:_READ]))
    return any(_declines(_roles(sentence), opens=start < _OPENING) for start, sentence in sentences)


def undetermined(text: str, options: Options) -> Named:
    """Return the option that says that the question cannot be answered, where the reply says so too."""
    own = frozenset(i for i, option in enumerate(options.texts) if _is_unknowable(option))
    return own if len(own) == 1 and _is_unknowable(text[:_OPENING]) else NONE


def _is_unknowable(text: str) -> bool:
    return any("unknowable" in roles for roles in _roles(text))


def _declines(said: Sequence[Roles], *, opens: bool) -> bool:
    every = frozenset[str]().union(*said)
    parted = {"can", "un"} <= every or "cannot, last" in every
    if "declines" in every or (opens and "surely" in every) or ("serves" in every and parted):
        return True
    # `I cannot see it` names no thing that is not there, as `I cannot see a dog` does.
    sorry = any("sorry" in roles for roles in said[:2]) and ("looks at" not in every or bool(every & {"thing", "it"}))
    cannot = parted or bool(every & {"unable", "cannot", "surely"})
    return (sorry and cannot) or any(_is_refused(said, k) for k in range(len(said)))


def _is_refused(said: Sequence[Roles], k: int) -> bool:
    """Return whether a word begins a refusal: `cannot assist`, `cannot see the image`, `no image attached`."""
    roles, near = said[k], [*said[k + 1 : k + 1 + _NEAR], frozenset[str]()]
    thing = next(j for j, each in enumerate(near) if not each & {"some", "looks at"})
    deed = next((j for j, each in enumerate(near[:3]) if "serves" in each), None)
    mine = "cannot" in roles or k == 0 or any("me" in each for each in said[max(0, k - 4) : k])
    if deed is not None and mine and roles & {"unable", "cannot"} and "between" not in near[deed + 1]:
        return True
    if "thing" not in near[thing]:
        return False
    return (
        (bool(roles & {"unable", "cannot"}) and any("looks at" in each for each in near[:3]))
        or ("lacks" in roles and "of" not in near[thing + 1])
        or ("none" in roles and thing == 0 and "given" in near[1])
    )


def _roles(text: str) -> list[Roles]:
    """Return the roles of each word or phrase of a refusal."""
    words, made, at = [token.text for token in tokens(text)], [], 0
    while at < len(words):
        length, roles = phrase_at(REFUSING, words, at, len(words))
        made.append(roles)
        at += length
    return made
