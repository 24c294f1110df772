"""Yes/no replies in other words: a denial is a no, and an opener may precede the word itself."""

import re
from typing import Literal

from mmbench.harness.replies.clauses import DOUBT
from mmbench.harness.replies.clean import sentences
from mmbench.harness.replies.cues import TRUTH
from mmbench.harness.replies.refusals import THING

_YES = re.compile(r"(?:yes|yeah|yep|yup)\b(?!\s*(?:/|or\b|and no\b|,? no\b|\?))", re.I)
_OPENER = re.compile(
    r"(?:(?:oh|well|hmm|um|ok|okay|so|hi|no doubt|without (?:a )?doubt|actually|in fact|(?:i'm )?sorry|sadly|alas"
    r"|unfortunately|i'm afraid|regrettably|honestly|to be honest|as far as i can (?:see|tell)"
    r"|to answer (?:the|your) question"
    rf"|(?:based on|from|in|according to|looking at) (?:the|this) (?:\w+ )?(?:{THING}|scene))[,.!]*\s+"
    r"(?:but |that )?){0,2}",
    re.I,
)
"""Openers before the answer itself."""
_CONTRARY = re.compile(
    r"yes,?\s+(?:there|it|he|she|they|that|this)\s*(?:(?:is|are|was|were|does|do) (?:no\b|not\b)|\w+n't\b)", re.I
)
_IDIOM = (
    r"(?:doubt|question|idea|problem|worries|clue|way|wait|wonder|matter|answer|option|choice|information|clear|need"
    rf"|telling|single answer|longer|less|more|one knows|{THING})\b"
)
"""Words after a `no` that is an idiom, or that denies something else than what was asked for."""
_NO = re.compile(rf"(?:no|nope|nah)\b(?!\s*(?:/|or\b|and yes\b|,? yes\b|\?))(?! {_IDIOM})", re.I)
_ABSENT = re.compile(
    r"\b(?:there(?:'s| is| are| was| were)|(?:i|we) (?:can )?(?:see|find|spot|observe|detect)"
    rf"|the (?:{THING}|scene) (?:has|shows|contains|features|depicts))\s+(?:\w+ly )?"
    rf"(?:(?:no|zero|0) (?!{_IDIOM})|not (?:an?|any|one)\b|none\b|nobody|nothing)"
    r"|\b(?:(?:i|we)(?: \w+)? (?:don't|do not|can't|cannot|didn't|did not|couldn't|could not|can not)"
    rf"(?: actually| clearly)? (?:see|find|spot|observe|detect|identify))\s+(?:any|an?)\b(?! (?:\w+ )?{THING}\b)",
    re.I,
)
_NEGATED = re.compile(
    r"^(?:no, |based on the \w+, |in (?:this|the) \w+, )?(?:there|it|this|that|these|those|they|he|she|the|a|an)\b"
    r"(?:(?! (?:who|which|that|because|but|if|while|although|where|not)\b)[^,.;:?]){0,80}?"
    r"(?:\b(?:is|are|was|were|do|does|did|has|have|can|could)(?:n't| not)|\bcannot)\b"
    r"(?! (?:only|just|necessarily|clear|sure|certain|possible|enough|visible enough|specified|known|mentioned"
    r"|stated|provided|provide|give|offer|specify|mention|indicate|state|allow|have enough|contain enough|determine"
    r"|tell|say|be (?:determined|sure|certain|seen clearly|answered|identified))\b)",
    re.I,
)
_NO_THING = re.compile(
    rf"^(?:no (?!{_IDIOM})\w+(?: \w+){{0,3}} (?:is|are|was|were|can be|appears?|in|on|visible|present)\b"
    r"|(?:nobody|no one)(?! knows)\b|none of\b|not (?:really|at all)\b|not[.!]?$"
    r"|nothing (?:(?:in|on|at) (?:the|this) (?:\w+ )?\w+ )?"
    r"(?:is(?! (?:clear|known|certain))|like|looks like|resembles|appears)\b"
    rf"|no (?!{_IDIOM})\w+[.!]?$)",
    re.I,
)
_OPINION = re.compile(
    r"^i (?:don't|do not) (?:think|believe) (?:so|there|it|that|the)\b|^i doubt (?:it|so|that)\b(?! (?:is|are))", re.I
)
_AGREES = re.compile(
    r"(?:i (?:think|believe) so|that(?:'s| is) (?:right|correct|true)|it (?:is|does)|there (?:is|are)"
    r"|(?:they|he|she) (?:is|are|does|do))[.!]?",
    re.I,
)
_EXISTS = re.compile(
    r"(?:there(?:'s| is)|(?:i|we) (?:can )?see) (?:indeed |clearly )?(?:an?|one) [\w-]+(?: [\w-]+)?"
    rf"(?: visible| present| shown| depicted)?(?: in (?:the|this) (?:{THING}|scene))[.!]?",
    re.I,
)
_EXCEPTION = re.compile(
    r"\b(?:but|however|although|though|instead|rather|except|only|until|unless)\b"
    r"|, (?:it|this|that|they|there|he|she)\b",
    re.I,
)


def yes_or_no(text: str) -> Literal["yes", "no"] | None:
    """Return what a reply says to a yes/no question without deciding words, or None where that is not safe.

    What is denied is read as no. The question is not seen, so an assertion is read as yes only where it is the bare
    `There is a dog in the image.`: that is the rule of POPE (Li et al. 2023) without its guesses.

    >>> [yes_or_no(t) for t in ("There is no dog.", "There is a dog in the image.", "A man walks his dog.")]
    ['no', 'yes', None]
    """
    parts = sentences(text)
    if not parts or parts[0].endswith("?") or DOUBT.search(parts[0]):
        return None
    opener = _OPENER.match(parts[0])
    first = parts[0][opener.end() if opener else 0 :]
    judged = TRUTH.search(first.rstrip(".!"))
    if judged and len(parts) == 1 and judged.start() <= len("that ") and not first[judged.end() :].strip(" .!"):
        return truth(judged)
    if any(_EXCEPTION.match(part) for part in parts[1:]):
        return None
    if not _EXCEPTION.search(first) and any(p.search(first) for p in (_ABSENT, _NEGATED, _NO_THING, _OPINION)):
        return "no"
    if len(parts) == 1 and (_EXISTS.fullmatch(first) or _AGREES.fullmatch(first)):
        return "yes"
    return None


def truth(judged: re.Match[str]) -> Literal["yes", "no"]:
    """Return what a match of `TRUTH` says of the statement.

    >>> [truth(TRUTH.search(t)) for t in ("The claim is false.", "The claim is not false.")]
    ['no', 'yes']
    """
    holds = judged.group("word").lower() in {"true", "correct", "accurate"}
    return "yes" if holds != bool(judged.group("not")) else "no"


def opening_word(text: str) -> Literal["yes", "no", "both"] | None:
    """Return the yes or no that opens a reply, and `both` where the same sentence takes it back.

    >>> [opening_word(t) for t in ("Yes there is", "No doubt, yes.", "Yes and no", "Yes, there is no dog.")]
    ['yes', 'yes', None, 'both']
    """
    opener = _OPENER.match(text)
    text = text[opener.end() if opener else 0 :]
    if _YES.match(text):
        return "both" if _CONTRARY.match(text) else "yes"
    return "no" if _NO.match(text) else None
