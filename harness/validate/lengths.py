"""Texts of a task against the context of a model."""

from collections.abc import Iterable, Sequence
from typing import Any

from mmbench.harness.tasks.described import class_options
from mmbench.harness.tasks.task import Task
from mmbench.harness.types import Sample
from mmbench.harness.validate.findings import Finding

_AT_ONCE = 256


def overlong(task: Task, samples: Sequence[Sample], adapter: Any, label: str) -> Iterable[Finding]:
    """Yield what is said of texts that a model's text tower would cut: captions, options, prompts of classes."""
    truncates = getattr(adapter, "truncates", None)
    if truncates is None:
        yield Finding("fact", "lengths", f"{label} does not tell which texts it would cut")
        return
    texts = list(dict.fromkeys(_texts(task, samples)))
    cut = [
        text
        for start in range(0, len(texts), _AT_ONCE)
        for text, flag in zip(texts[start : start + _AT_ONCE], truncates(texts[start : start + _AT_ONCE]), strict=True)
        if flag
    ]
    if cut:
        longest = max(cut, key=len)
        shown = longest if len(longest) <= 60 else f"{longest[:60]}…"
        sentence = f"{label} would cut {len(cut)} of {len(texts)} texts, such as '{shown}'"
        yield Finding("look", "lengths", sentence)
    else:
        yield Finding("fact", "lengths", f"{label} reads all {len(texts)} texts whole")


def _texts(task: Task, samples: Sequence[Sample]) -> Iterable[str]:
    for sample in samples:
        for option in sample.options:
            yield from option.phrasings
        yield from sample.references
    for option in class_options(task.family):
        yield from option.phrasings
