"""English nouns in the singular, of words that a table knows."""

from collections.abc import Container

_ENDINGS = (
    ("children", ("child",)),
    ("people", ("person",)),
    ("geese", ("goose",)),
    ("teeth", ("tooth",)),
    ("feet", ("foot",)),
    ("oxen", ("ox",)),
    ("mice", ("mouse",)),
    ("men", ("man",)),
    ("ies", ("y", "ie")),
    ("ves", ("f", "fe", "ve")),
    ("es", ("", "e")),
    ("s", ("",)),
)
"""Plural endings, and what may stand in their place."""


def singular(word: str, known: Container[str]) -> str:
    """Return the singular of a word in lower case if `known` has it, else the word.

    A known word that is no plural of another known one is its own singular, as `bus` is.

    >>> known = {"knife", "bus", "woman", "skis", "puppy"}
    >>> [singular(word, known) for word in ("knives", "bus", "women", "skis", "puppies", "cats")]
    ['knife', 'bus', 'woman', 'skis', 'puppy', 'cats']
    """
    for plural, endings in _ENDINGS:
        if word.endswith(plural):
            for ending in endings:
                if (form := word[: -len(plural)] + ending) in known:
                    return form
    return word
