"""Yes and no as two more options with their own words, where they are answers and not denials."""

from collections.abc import Sequence

from mmbench.harness.replies.item import Item
from mmbench.harness.replies.options import Options

_JOIN = {",", "/"}


def without_denial(made: Sequence[Item], k: int) -> Item:
    """Return a `no` that stands alone without its sense of a denial, other items as they are: `No, a cat.`"""
    item, after = made[k], made[k + 1 : k + 2]
    if "no" not in item.roles or not after or after[0].by != "sign" or after[0].text not in ",.:;!-":
        return item
    first = all(each.by == "sign" or each.roles & {"opener", "but", "wait", "so"} for each in made[:k])
    return item._replace(roles=item.roles - {"not", "not before"}) if first else item


def with_words(made: Sequence[Item], options: Options) -> list[Item]:
    """Return the items with yes and no as the options that they stand for; none where they are taken back at once."""
    polar = options.polar
    if polar is None:
        return [without_denial(made, k) for k in range(len(made))]
    own = {options.words[i]: i for i in polar if len(options.words[i]) == 1}
    read = [_as_word(made, k, own, polar) for k in range(len(made))]
    return [e._replace(option=None) if e.by == "word" and _is_undone(read, k) else e for k, e in enumerate(read)]


def _as_word(made: Sequence[Item], k: int, own: dict[tuple[str, ...], int], polar: tuple[int, int]) -> Item:
    item = without_denial(made, k)
    if item.option is not None:
        return item
    before = [each for each in made[:k] if each.by != "sign"]
    if item.text in {"true", "false"} and (item.text,) in own:
        opens = all(each.roles & {"answer", "is", "opener"} for each in before)
        return item._replace(option=own[item.text,], by="word") if opens else item
    if not item.roles & {"yes", "no"} or (k and "not" in item.roles and _goes_on(made, k)):
        return item
    return item._replace(option=polar["no" in item.roles and "yes" not in item.roles], by="word")


def _goes_on(made: Sequence[Item], k: int) -> bool:
    """Return whether a word follows at once that has no role, as in `no dog`."""
    after = made[k + 1 : k + 2]
    return bool(after) and not after[0].by and not after[0].roles


def _is_undone(made: Sequence[Item], k: int) -> bool:
    """Return whether a yes or no is joined to its contrary, or contradicts what follows: `Yes, it isn't.`"""
    mine = made[k].roles & {"yes", "no"}
    for step in (1, -1):
        j = k + step
        while 0 <= j < len(made) and (made[j].text in _JOIN or made[j].roles & {"or", "and"}):
            j += step
        if 0 <= j < len(made) and made[j].by == "word" and made[j].roles.isdisjoint(mine):
            return True
    after = made[k + 1 : k + 2]
    if after and (after[0].text in {"/", "?"} or "or" in after[0].roles):
        return True
    rest = [each.roles for each in made[k + 1 :] if each.by != "sign"][:3]
    denied = any("not" in roles for roles in rest[1:2]) or (len(rest) > 2 and "is" in rest[1] and "not" in rest[2])
    return "yes" in mine and bool(rest) and "it" in rest[0] and denied
