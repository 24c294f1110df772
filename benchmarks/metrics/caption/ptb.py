"""Penn Treebank tokens of captions as the standard scores use them, without the Java tokeniser."""

import re
from collections.abc import Iterator

from mmbench.benchmarks.metrics.caption.ptb_rules import ABBREVIATED, BLANK, TWO_IN_ONE, rules
from mmbench.benchmarks.metrics.caption.ptb_shapes import shape_of

VERSION = 1
"""Part of protocol ids: raised when the tokens of any text change."""

PUNCTUATION = frozenset(["''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";"])
"""Tokens that pycocoevalcap drops. Brackets stay: its list has them in capitals, and tokens are in lower case."""

_PLAIN_WORD = "[A-Za-z0-9]++(?:-[A-Za-z0-9]++)*(?:(?<=[A-Za-z])'s)?"
_BETWEEN = r"(?: ++(?!(?<=[0-9] )[0-9])|(?=[.!?]? *\Z))"  # numbers in a row may be one telephone number
_PLAIN = re.compile(rf" *+(?:(?:{_PLAIN_WORD},?+|,){_BETWEEN})*[.!?]?+ *+")
_EASY = re.compile(rf""" {BLANK}*+|[A-Za-zé]++(?: [A-Za-zé]++)*(?=[,;:!?]*[ \n]|["()])""")


def tokenize(text: str, following: str = "") -> list[str]:
    """Return the tokens of a caption, in lower case and without punctuation.

    They are those of `PTBTokenizer` in pycocoevalcap 1.2, which runs Stanford CoreNLP 3.4.1 with `-preserveLines
    -lowerCase`. Java reads the captions as lines of one file, and what the next begins with can decide whether a full
    stop at the end of this one belongs to an abbreviation: pass that as `following` to have the same. A token can hold
    a no-break space, as that of "5 1/2".

    >>> tokenize("The man's dog (a pug) can't eat 3.5 hot-dogs, etc.")
    ['the', 'man', "'s", 'dog', '-lrb-', 'a', 'pug', '-rrb-', 'ca', "n't", 'eat', '3.5', 'hot-dogs', 'etc.']
    >>> tokenize("He took vitamin C."), tokenize("He took vitamin C.", following="A man sits.")
    (['he', 'took', 'vitamin', 'c.'], ['he', 'took', 'vitamin', 'c'])
    """
    plain = _split(text) if _PLAIN.fullmatch(text) else None
    if plain is not None:
        return plain
    tokens = " ".join(_lex(text.replace("\n", " "), following)).lower().rstrip().split(" ")
    return [token for token in tokens if token and token not in PUNCTUATION]


def _split(text: str) -> list[str] | None:
    """Return the tokens of a `_PLAIN` text, or None if one of its words needs the rules."""
    words = text.lower().replace(",", " ").replace("'s", " 's").split()
    if words and words[-1][-1] in ".!?":
        last = words.pop()
        if ABBREVIATED.fullmatch(last):
            return None
        words += filter(None, [last[:-1]])
    return words if TWO_IN_ONE.isdisjoint(words) else None


def _lex(text: str, following: str) -> Iterator[str]:
    """Yield the tokens of one line as the longest match of `rules` at each place has them."""
    shape = shape_of(f"{text}\n{following}")
    at = 0
    while at < len(text):
        easy = _EASY.match(shape, at)
        words = text[at : easy.end()].split() if easy else []
        if easy and TWO_IN_ONE.isdisjoint(map(str.lower, words)):
            yield from words
            at = easy.end()
        else:
            token, at = _longest(text, shape, at)
            yield token


def _longest(text: str, shape: str, at: int) -> tuple[str, int]:
    """Return the token at a place, empty where none is, and its end."""
    found = [(match, rule.write) for rule in rules() if (match := rule.pattern.match(shape, at))]
    if not found:
        return "", at + 1
    match, write = max(found, key=lambda pair: pair[0].end())  # the first of those that reach farthest
    end = match.end(match.lastindex or 0)
    return write(text[at:end]), end
