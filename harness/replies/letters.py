"""Letters that are marks: one that is set off, follows `option`, or stands where only a mark can."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from mmbench.harness.replies.item import Item
from mmbench.harness.replies.options import Options

_OPEN, _CLOSE = set("([{<\"'"), set(")]}>\"'")
_POINTS = {".", ")"}
_MATHS = set("∠△▱∥⊥^+*×·°⊙∩∪√")
_JOINS = {"or", "and", "because", "instead", "but", "so", "wait", "if"}
_HELD = {"is", "not", "not before", "right", "wrong", "leads to", "it", "seems", "adverb"}
_NOTHING = Item("", 0, 0)


def judged_marks(made: Sequence[Item], options: Options) -> list[str]:
    """Return how each item names an option once its neighbours are known; nothing for a letter that is a word."""
    found: list[str] = []
    for k, each in enumerate(made):
        joined = k > 1 and made[k - 2].by == found[k - 2] == "mark"
        found.append(_letter_rule(made, k, options, joined=joined) if each.by == "mark" else each.by)
    return found


def is_cued(made: Sequence[Item], k: int) -> bool:
    """Return whether `answer` and a colon or `is` stand right before."""
    return (
        k > 1
        and (made[k - 1].text == ":" or "is" in made[k - 1].roles)
        and any("answer" in each.roles for each in made[:k])
    )


class _Letter(NamedTuple):
    """A letter or number that could be a mark, and what stands beside it; an empty item at the ends."""

    item: Item
    before: Item
    after: Item
    joined: bool
    """Whether the item before the one before is a mark."""
    cued: bool
    """Whether `answer` and a colon or `is` stand right before."""
    options: Options


def _is_enclosed(it: _Letter) -> bool:
    return it.before.text in _OPEN and it.after.text in _CLOSE


def _is_hindered(it: _Letter) -> bool:
    """Return whether a letter stands where it is a word or a formula."""
    word = it.before.text and not it.before.by and not it.before.roles and it.before.text.isascii()
    return bool(word or it.before.text in _MATHS or it.after.text in _MATHS | {"="})


def _is_article(it: _Letter) -> bool:
    return it.item.text == "A" and bool({"right", "wrong"} & it.after.roles) and "is" not in it.after.roles


_MARK_RULES: tuple[tuple[str, Callable[[_Letter], bool]], ...] = (
    ("", lambda it: _is_enclosed(it) and it.item.text.isdigit() and it.before.text in "\"'"),
    ("mark", _is_enclosed),
    (
        "mark",
        lambda it: "option" in it.before.roles and (it.options.numbered or it.item.text.isalpha()),
    ),
    (
        "mark",
        lambda it: it.item.text.isdigit() and it.options.numbered and not it.before.text and it.after.text in _POINTS,
    ),
    ("mark", lambda it: it.item.text.islower() and it.cued and (not it.after.text or it.after.by == "sign")),
    ("", lambda it: not it.item.text.isupper() or it.options.letter_texts or _is_hindered(it)),
    ("mark", lambda it: not it.after.text and not it.after.roles),
    ("", lambda it: it.item.text == "I" and it.after.by != "sign"),
    ("mark", lambda it: it.joined and (it.before.text in {",", "/", "&"} or bool(it.before.roles & {"or", "and"}))),
    ("", lambda it: it.after.by == "sign" and it.after.text in "'-" and it.item.end == it.after.start),
    ("mark", lambda it: it.after.by in {"sign", "mark"}),
    ("", lambda it: it.after.option is not None or _is_article(it)),
    ("mark", lambda it: bool(it.after.roles & _JOINS) or not it.after.text.isascii()),
    ("letter", lambda it: bool(it.after.roles & _HELD)),
    ("", lambda it: True),
)
"""How a letter names an option, each with what makes it; the first that holds decides, and "" is no mark."""


def _letter_rule(made: Sequence[Item], k: int, options: Options, *, joined: bool) -> str:
    before = made[k - 1] if k else _NOTHING
    after = made[k + 1] if k + 1 < len(made) else _NOTHING
    if after.text in _POINTS and made[k].text.isdigit() and not (k + 2 < len(made) and made[k + 2].by == "mark"):
        after = after._replace(text="")
    letter = _Letter(made[k], before, after, joined, is_cued(made, k), options)
    return next(by for by, holds in _MARK_RULES if holds(letter))
