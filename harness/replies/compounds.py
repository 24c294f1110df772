"""Compounds: a mention that is a part of a longer name names no option: `bus driver`, `pomme de terre`, `火车站`."""

import re
from collections.abc import Sequence

from mmbench.harness.replies.clean import ADJECTIVES, Token, stem
from mmbench.harness.replies.lexicon import Phrases, phrase_at
from mmbench.harness.replies.naming import Item
from mmbench.harness.replies.words.senses import ATTRIBUTES

_IDEOGRAPH = re.compile("[\u30a1-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""A character of a script without spaces that is no ending: katakana, ideographs, Hangul."""
_OF = frozenset({"de", "di"})
_NOUN = re.compile("(?!.*(?:ing|ed|ly|s)$)[a-z]{3,}$")
"""A word without an ending that goes on with a sentence, as in `a dog running` and `the dog barks`."""
_ATTRIBUTES = frozenset(ATTRIBUTES.split())
_CLOSES = re.compile(r"\s*(?:$|[.,;:!?()|])")
_ADJECTIVE = re.compile(
    r"\w{3}(?:al|ic|ate|ive|ous|ary|ful|less|able|ible|ed|ing|en|y|ish|ese|an|esque|ar|ent|ant|er|est)$"
)


def is_part(sentence: str, said: Sequence[Token], at: int, end: int, phrases: Phrases, before: Item | None) -> bool:
    """Return whether the mention from token `at` to `end` is a part of a longer name; `before` is the item before it.

    Without spaces it is one where a character without a role stands beside it. With spaces, where a noun follows: after
    `de`, or at the end of what is said, unless the mention can be the noun's attribute (`a red car`).
    """
    after = said[end] if end < len(said) else None
    if _IDEOGRAPH.match(sentence, said[at].start):
        left = before is not None and not before.roles
        ends = end - at > 1 and "common" in _roles(said, end - 1, phrases)  # `两只`, `黑色`
        glued = after is not None and bool(_IDEOGRAPH.match(sentence, after.start)) and not ends
        return left or (glued and not _roles(said, end, phrases))
    if after is None or sentence[said[end - 1].end : after.start] != " ":
        return False
    if after.text in _OF:
        return not _roles(said, end + 1, phrases)
    if end - at > 1 or _roles(said, end, phrases) or not _NOUN.match(after.text) or _is_attribute(sentence, said[at]):
        return False
    return bool(_CLOSES.match(sentence, after.end)) or "is" in _roles(said, end + 1, phrases)


def _roles(said: Sequence[Token], at: int, phrases: Phrases) -> frozenset[str]:
    words = [token.text for token in said[at : at + 8]]
    return phrase_at(phrases, words, 0, len(words))[1]


def _is_attribute(sentence: str, token: Token) -> bool:
    """Return whether a word may say of what kind the next is: `red`, `polynomial`, or a name (`a Gothic church`)."""
    named = sentence[token.start].isupper() and bool(sentence[: token.start].strip(" \"'"))
    known = token.text in _ATTRIBUTES or stem(token.text) in ADJECTIVES
    return named or token.is_number or known or bool(_ADJECTIVE.search(token.text))
