"""Naming: how a letter, a number, a yes or a no names an option, which each does only where it stands so."""

from collections.abc import Iterable, Sequence
from itertools import dropwhile, takewhile
from typing import NamedTuple

from mmbench.harness.replies.lexicon import NO_ROLES, Roles, all_words
from mmbench.harness.replies.options import Options


class Item(NamedTuple):
    """A part of a sentence."""

    text: str
    start: int
    end: int
    roles: Roles = NO_ROLES
    option: int | None = None
    by: str = ""
    """How it names the option: by its `mark`, its `text`, as `yes` or `no`, or by a bare `letter` that is a mark only
    where it is judged; `sign` for punctuation."""


_OPEN, _CLOSE = set("([{<\"'"), set(")]}>\"'")
_POINTS = {".", ")"}
_MATHS = set("∠△▱∥⊥^+*×·°⊙∩∪√")
_JOINS = {"or", "and", "because", "instead", "but", "so", "wait", "if"}
_HELD = {"is", "not", "not before", "right", "wrong", "leads to", "it", "seems", "adverb"}
_NOTHING = Item("", 0, 0)


def named_by(made: Sequence[Item], k: int, options: Options, *, listed: bool) -> str:
    """Return how a letter or number that could be a mark names an option: as a `mark`, as a `letter`, or not at all.

    `listed` says whether the item before the one before is a mark.
    """
    item, before, after = made[k], made[k - 1] if k else _NOTHING, made[k + 1] if k + 1 < len(made) else _NOTHING
    digit, ends = item.text.isdigit(), not after.text and not after.roles
    sure = (
        (before.text in _OPEN and after.text in _CLOSE and not (digit and after.text in "\"')"))
        or (digit and not k and after.text in _POINTS and made[2:3] and made[2].by == "mark")
        or ("option" in before.roles and (options.numbered or not digit))
    )
    word = before.text and not before.by and not before.roles and before.text.isascii()
    formula = before.text in _MATHS or after.text in _MATHS | {"=", "/"}
    formula = formula or any(each.by == "mark" and each.text.isupper() for each in (before, after))  # `A C`
    if sure or not item.text.isupper() or options.letter_texts or word or formula:
        return "mark" if sure else ""
    joined = listed and (before.text in {",", "&"} or bool(before.roles & {"or", "and"}))
    glued = after.text in {"'", "-"} and item.end == after.start
    glued = glued or (before.text == "/" and before.end == item.start and not listed)  # `N/A`
    article = item.text == "A" and "right" in after.roles and "is" not in after.roles
    if glued or article or (item.text == "I" and after.by != "sign" and not ends):
        return ""
    if ends or joined or after.by == "sign" or after.roles & _JOINS or not after.text.isascii():
        return "mark"
    return "letter" if after.roles & _HELD else ""


def is_cued(made: Sequence[Item], k: int) -> bool:
    """Return whether `answer` and a colon or `is` stand right before."""
    return k > 1 and (made[k - 1].text == ":" or "is" in made[k - 1].roles) and has(made[:k], "answer")


def has(made: Iterable[Item], *roles: str) -> bool:
    """Return whether one of the items has one of the roles."""
    return any(not each.roles.isdisjoint(roles) for each in made)


def summed(made: Sequence[Item], sentence: str) -> list[Item]:
    """Return the items without the numbers that the sentence sums up: `two and four, six in total`.

    Where other numbers are left, which are no option's, a number need not be the answer, and none counts.
    """
    cut = _sum_at(made)
    kept = made[cut:]
    strange = any(each.option is None and sentence[each.start : each.end][-1:].isdigit() for each in kept)
    silent = [each.by == "text" and (k < cut or (strange and not is_cued(made, k))) for k, each in enumerate(made)]
    return [e._replace(option=None, by="", text="") if off else e for e, off in zip(made, silent, strict=True)]


def _sum_at(made: Sequence[Item]) -> int:
    """Return where the sum begins, 0 where nothing is summed up."""
    for k, each in enumerate(made):
        if "sums" in each.roles or ("makes" in each.roles and has(made[k:], "in all")):
            return k
    added = any(each.text == "+" for each in made)
    equal = (k for k, e in enumerate(made) if e.text == "=" and not any(o.text in "+-*/=" for o in made[k + 1 :]))
    return next(equal, 0) if added else 0


_OPENS = {"opener", "but", "wait", "so", "answer", "is"}


def with_words(made: Sequence[Item], options: Options) -> list[Item]:
    """Return the items with yes and no as the options that they stand for; none where they are taken back at once."""
    told = [_without_denial(made, k) for k in range(len(made))]
    polar = options.polar
    if polar is None:
        return told
    read = [_as_word(told, k, polar) for k in range(len(told))]
    return [e._replace(option=None) if e.by == "word" and _is_undone(read, k) else e for k, e in enumerate(read)]


def _opens(made: Sequence[Item], k: int) -> bool:
    """Return whether nothing is said before an item."""
    return all(each.by == "sign" or each.roles & _OPENS for each in made[:k])


def _without_denial(made: Sequence[Item], k: int) -> Item:
    """Return a `no` that stands alone without its sense of a denial, other items as they are: `No, a cat.`"""
    alone = made[k].roles & {"no", "not"} and k + 1 < len(made) and made[k + 1].by == "sign" and _opens(made, k)
    return made[k]._replace(roles=made[k].roles - {"not", "not before"}) if alone else made[k]


_ALONE = {" ".join(e): no for no, words in enumerate(("true alone", "false alone")) for e in all_words(words)}


def _as_word(made: Sequence[Item], k: int, polar: tuple[int, int]) -> Item:
    item, after = made[k], made[k + 1] if k + 1 < len(made) else _NOTHING
    alone = _ALONE.get(item.text) if after.text in {",", "-", "!", ";"} and _opens(made, k) else None
    if alone is not None and item.roles.isdisjoint({"opener", "adverb"}):  # `Correct, there is a dog.`
        return item._replace(option=polar[alone], by="word")
    goes_on = after.text and (not after.by or ("is" in item.roles and after.by != "sign"))  # `no dog`, `答案是错误`
    unknown = "yes" not in item.roles and has(made[k + 1 : k + 2], "not known")  # `No está claro`
    if unknown or not item.roles & {"yes", "no"} or (item.roles & {"not", "is"} and goes_on):
        return item
    return item._replace(option=polar["yes" not in item.roles], by="word")


def _is_undone(made: Sequence[Item], k: int) -> bool:
    """Return whether a yes or no is joined to its contrary, or contradicts what follows: `Yes, it isn't.`"""
    mine = made[k].roles & {"yes", "no"}
    before, after = (
        next((e for e in part if e.text not in {",", "/", "also"} and not e.roles & {"or", "and", "but"}), None)
        for part in (reversed(made[:k]), made[k + 1 :])
    )
    if any(each and each.by == "word" and each.roles.isdisjoint(mine) for each in (before, after)):
        return True
    rest = list(takewhile(lambda e: e.by != "sign", dropwhile(lambda e: e.by == "sign", made[k + 1 :])))
    return "yes" in mine and has(rest[:1], "it") and has(rest[1:5], "not")
