"""Sums: of numbers that a sentence adds up only the sum is said."""

from collections.abc import Sequence

from mmbench.harness.replies.item import Item
from mmbench.harness.replies.letters import is_cued


def summed(made: Sequence[Item], sentence: str) -> list[Item]:
    """Return the items without the numbers that the sentence sums up: `two and four, six in total`.

    Where other numbers are left, which are no option's, a number need not be the answer, and none counts.
    """
    cut = _sum_at(made)
    kept = made[cut:]
    strange = any(each.option is None and sentence[each.start : each.end].isdigit() for each in kept)
    silent = [each.by == "text" and (k < cut or (strange and not is_cued(made, k))) for k, each in enumerate(made)]
    return [e._replace(option=None, by="", text="") if off else e for e, off in zip(made, silent, strict=True)]


def _sum_at(made: Sequence[Item]) -> int:
    """Return where the sum begins, 0 where nothing is summed up."""
    for k, each in enumerate(made):
        rest = made[k:]
        if "sums" in each.roles or ("makes" in each.roles and any("in all" in other.roles for other in rest)):
            return k
    added = any(each.text == "+" for each in made)
    equal = (k for k, e in enumerate(made) if e.text == "=" and not any(o.text in "+-*/=" for o in made[k + 1 :]))
    return next(equal, 0) if added else 0
