"""Meter of a task: inputs asked, remembered and truncated, and what services tell of their answers."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from mmbench.harness.models.reply import Reply, Usage
from mmbench.harness.render.figures import count
from mmbench.harness.store.budget import Price

_USUAL = {"instruct", "chat", "latest", "vision"}
"""Words that names of all models may have."""


@dataclass(slots=True)
class Meter:
    """What a stretch of work cost; a new one is read for each task."""

    asked: int = 0
    """Distinct inputs that went through the model."""
    remembered: int = 0
    """Distinct inputs that the store answered."""
    truncated_texts: int = 0
    """Distinct texts that the model saw only the beginning of."""
    damaged: int = 0
    """Stored answers that were not what had been written, and were forgotten."""
    loading: float = 0.0
    """Seconds that loading the model took, before its first answer."""
    used: Usage = Usage(0, 0)
    """Tokens of all distinct replies, whenever they were asked for."""
    spent: Usage = Usage(0, 0)
    """Those of the replies that were asked for now."""
    unknown: int = 0
    """Distinct answers of which no tokens are known."""
    snapshots: set[str] = field(default_factory=set)
    """Versions of the model that replies came from, as its service names them."""
    systems: set[str] = field(default_factory=set)
    """Configurations of the service."""
    cut: int = 0
    """Distinct replies that ended because they were as long as they may be."""
    unsaid: int = 0
    """Distinct replies that ended of themselves and are thoughts alone."""
    price: Price = lambda usage: None
    """Of tokens of the model that is asked."""
    on_progress: Callable[[int, int], None] | None = None
    """Called with (asked, remembered) as they grow."""
    on_expected: Callable[[int], None] | None = None
    """Called with a number of inputs to come besides the items of the task."""
    _counted: dict[int, set[bytes]] = field(default_factory=dict)

    def first(self, model: int, keys: Iterable[bytes]) -> set[bytes]:
        """Return those of `keys` that were not counted before, and take them as counted."""
        counted = self._counted.setdefault(model, set())
        new = set(keys) - counted
        counted |= new
        return new

    def count(self, asked: int, remembered: int, truncated: int) -> None:
        """Add to the figures."""
        self.asked += asked
        self.remembered += remembered
        self.truncated_texts += truncated
        if self.on_progress and (asked or remembered):
            self.on_progress(asked, remembered)

    def hear(self, values: Iterable[object], *, now: bool) -> None:
        """Learn what is told of distinct answers, which were asked for now or before."""
        for value in values:
            told = value.told if isinstance(value, Reply) else None
            if told is None or told.usage is None:
                self.unknown += 1
            else:
                self.used = _sum(self.used, told.usage)
                self.spent = _sum(self.spent, told.usage) if now else self.spent
            if told is not None:
                self.snapshots |= {told.snapshot} - {""}
                self.systems |= {told.system} - {""}
                self.cut += told.cut
                self.unsaid += not told.cut and str(value).startswith("<think>") and "</think>" not in str(value)

    @property
    def tokens(self) -> Usage | None:
        """Tokens of all distinct answers; None where those of one are not known."""
        return None if self.unknown or not any(self.used) else self.used

    def notes(self, asked_for: str | None = None) -> tuple[str, ...]:
        """Return what a reader of the scores should know of the answers, which a service may have been asked for."""
        others = sorted(each for each in self.snapshots if asked_for and not _alike(each, asked_for))
        other = f"the service was asked for '{asked_for}' and says that '{', '.join(others)}' answered"
        cut = f"{self.cut:,} of the replies ended at the most tokens that a reply may have"
        served = (
            f"the service answered in {count(len(self.systems), 'configuration')}: {', '.join(sorted(self.systems))}"
        )
        unsaid = (
            f"{self.unsaid:,} of the replies are thoughts without an answer, though they were not cut off; where a "
            "service parses thoughts, see that it does not take answers for them"
        )
        return (
            *((cut,) if self.cut else ()),
            *((unsaid,) if self.unsaid else ()),
            *((other,) if others else ()),
            *((served,) if len(self.systems) > 1 else ()),
        )


def _alike(a: str, b: str) -> bool:
    """Tell whether two names of a model share a word; some servers answer with whatever model they hold.

    >>> _alike("gpt-4o-2024-08-06", "openai/gpt-4o"), _alike("llama-3-8b", "qwen3-vl-8b")
    (True, False)
    """
    ours, theirs = (set(re.findall(r"(?<![a-z0-9])[a-z][a-z0-9]{2,}", each.lower())) - _USUAL for each in (a, b))
    return not (ours and theirs) or any(x.startswith(y) or y.startswith(x) for x in ours for y in theirs)


def _sum(a: Usage, b: Usage) -> Usage:
    return Usage(a.input + b.input, a.output + b.output)
