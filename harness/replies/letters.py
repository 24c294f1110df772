"""Letters that are marks: one that is set off, follows `option`, or stands where only a mark can."""

from collections.abc import Sequence

from mmbench.harness.replies.item import Item
from mmbench.harness.replies.options import Options

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
        or ("option" in before.roles and (options.numbered or not digit))
        or (digit and not k and after.text in _POINTS and made[2:3] and made[2].by == "mark")
        or (item.text.islower() and is_cued(made, k) and (ends or after.by == "sign"))
    )
    word = before.text and not before.by and not before.roles and before.text.isascii()
    formula = before.text in _MATHS or after.text in _MATHS | {"="}
    if sure or not item.text.isupper() or options.letter_texts or word or formula:
        return "mark" if sure else ""
    joined = listed and (before.text in {",", "/", "&"} or bool(before.roles & {"or", "and"}))
    glued = after.text in {"'", "-"} and item.end == after.start
    article = item.text == "A" and "right" in after.roles and "is" not in after.roles
    pronoun = item.text == "I" and after.by != "sign" and not ends
    if glued or article or pronoun or (after.option is not None and after.by != "mark"):
        return ""
    if ends or joined or after.by in {"sign", "mark"} or after.roles & _JOINS or not after.text.isascii():
        return "mark"
    return "letter" if after.roles & _HELD else ""


def is_cued(made: Sequence[Item], k: int) -> bool:
    """Return whether `answer` and a colon or `is` stand right before."""
    return (
        k > 1
        and (made[k - 1].text == ":" or "is" in made[k - 1].roles)
        and any("answer" in each.roles for each in made[:k])
    )
