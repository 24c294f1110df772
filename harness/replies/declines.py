"""Refusals: a model that declines, or says that nobody could answer, is separated from an unclear reply."""

from mmbench.harness.replies.clauses import spans
from mmbench.harness.replies.clean import tokens
from mmbench.harness.replies.lexicon import REFUSING, Roles, phrase_at
from mmbench.harness.replies.options import NONE, Named, Options

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
    return any(_declines(text[start:end], start) for start, end in spans(text[:_READ]))


def undetermined(text: str, options: Options) -> Named:
    """Return the option that says that the question cannot be answered, where the reply says so too."""
    own = frozenset(i for i, option in enumerate(options.texts) if _is_unknowable(option))
    return own if len(own) == 1 and _is_unknowable(text[:_OPENING]) else NONE


def _is_unknowable(text: str) -> bool:
    return any("unknowable" in roles for roles, *_ in _found(text))


def _declines(sentence: str, at: int) -> bool:
    said = _found(sentence)
    every = frozenset().union(*(roles for roles, *_ in said))
    if "declines" in every or ("surely" in every and at < _OPENING) or {"can", "un", "serves"} <= every:
        return True
    if {"can", "un", "thing"} <= every or {"cannot, last", "serves"} <= every:
        return True
    for k, (roles, _, _) in enumerate(said):
        near = [each for each, *_ in said[k + 1 : k + 1 + _NEAR]]
        thing = next((j for j, each in enumerate(near) if "some" not in each and "looks at" not in each), None)
        thing = thing if thing is not None and "thing" in near[thing] else None
        mine = k == 0 or any("me" in each for each, *_ in said[max(0, k - 4) : k])
        if roles & {"unable", "cannot"}:
            deed = next((j for j, each in enumerate(near[:3]) if "serves" in each), None)
            if (
                deed is not None
                and (mine or "cannot" in roles)
                and "between" not in frozenset().union(*near[deed + 1 : deed + 2])
            ):
                return True
            if any("looks at" in each for each in near[:3]) and thing is not None:
                return True
        if thing is None:
            continue
        after = near[thing + 1] if thing + 1 < len(near) else frozenset()
        if ("lacks" in roles and "of" not in after) or ("none" in roles and not thing and "given" in after):
            return True
    return _sorry(said, every)


def _sorry(said: list[tuple[Roles, int, int]], every: Roles) -> bool:
    """Return whether a sentence begins with an apology and says what cannot be done, other than to see a thing."""
    begins = any("sorry" in roles for roles, *_ in said[:2])
    cannot = every & {"unable", "cannot", "cannot, last", "surely"} or {"can", "un"} <= every
    # `I cannot see it` names no thing that is not there, as `I cannot see a dog` does.
    return begins and bool(cannot) and not (every & {"looks at"} and not every & {"thing", "it"})


def _found(text: str) -> list[tuple[Roles, int, int]]:
    """Return roles, start and end of each word or phrase of a refusal."""
    said = list(tokens(text))
    words = [token.text for token in said]
    made, at = [], 0
    while at < len(said):
        phrase = phrase_at(REFUSING, words, at, len(said))
        end = at + (phrase[0] if phrase else 1)
        made.append((phrase[1] if phrase else frozenset(), said[at].start, said[end - 1].end))
        at = end
    return made
