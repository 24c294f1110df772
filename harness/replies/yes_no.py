"""Yes and no as two more options with their own words, where they are answers and not denials."""

from collections.abc import Sequence

from mmbench.harness.replies.item import Item
from mmbench.harness.replies.options import Options

_OPENS = {"opener", "but", "wait", "so", "answer", "is"}


def with_words(made: Sequence[Item], options: Options) -> list[Item]:
    """Return the items with yes and no as the options that they stand for; none where they are taken back at once."""
    told = [_without_denial(made, k) for k in range(len(made))]
    polar = options.polar
    if polar is None:
        return told
    read = [_as_word(told, k, options, polar) for k in range(len(told))]
    return [e._replace(option=None) if e.by == "word" and _is_undone(read, k) else e for k, e in enumerate(read)]


def _opens(made: Sequence[Item], k: int) -> bool:
    """Return whether nothing is said before an item."""
    return all(each.by == "sign" or each.roles & _OPENS for each in made[:k])


def _without_denial(made: Sequence[Item], k: int) -> Item:
    """Return a `no` that stands alone without its sense of a denial, other items as they are: `No, a cat.`"""
    alone = "no" in made[k].roles and k + 1 < len(made) and made[k + 1].by == "sign" and _opens(made, k)
    return made[k]._replace(roles=made[k].roles - {"not", "not before"}) if alone else made[k]


def _as_word(made: Sequence[Item], k: int, options: Options, polar: tuple[int, int]) -> Item:
    item = made[k]
    if item.text in {"true", "false"} and (item.text,) in options.words:
        return item._replace(option=options.words.index((item.text,)), by="word") if _opens(made, k) else item
    goes_on = k + 1 < len(made) and not made[k + 1].by and not made[k + 1].roles  # `no dog`
    if not item.roles & {"yes", "no"} or item.option is not None or (k and "not" in item.roles and goes_on):
        return item
    return item._replace(option=polar["yes" not in item.roles], by="word")


def _is_undone(made: Sequence[Item], k: int) -> bool:
    """Return whether a yes or no is joined to its contrary, or contradicts what follows: `Yes, it isn't.`"""
    mine = made[k].roles & {"yes", "no"}
    before, after = (
        next((e for e in part if e.text not in {",", "/"} and not e.roles & {"or", "and"}), None)
        for part in (reversed(made[:k]), made[k + 1 :])
    )
    if any(each and each.by == "word" and each.roles.isdisjoint(mine) for each in (before, after)):
        return True
    rest = [each.roles for each in made[k + 1 :] if each.by != "sign"]
    denied = any("not" in roles for roles in rest[1:3])
    return "yes" in mine and bool(rest) and "it" in rest[0] and denied
