"""Metrics as pure functions: NumPy and texts in, numbers out, by the code that scores tasks; no model, no torch."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmbench.benchmarks.metrics.answers import anls, exact_match, levenshtein, relaxed_accuracy, token_f1
    from mmbench.benchmarks.metrics.calls import (
        accuracy,
        bleu,
        cider,
        f1,
        length_ratio,
        mean_average_precision,
        mean_per_class_recall,
        median_rank,
        precision,
        recall,
        recall_at_k,
        rouge_l,
    )
    from mmbench.benchmarks.metrics.caption.cider import DocumentFrequencies
    from mmbench.benchmarks.metrics.caption.clipscore import clipscore, ref_clipscore
    from mmbench.benchmarks.metrics.pairs import pair_values
    from mmbench.benchmarks.metrics.shots import area_under_shots, shots_to_reach
    from mmbench.benchmarks.metrics.vqa import vqa_accuracy, vqa_accuracy_lenient

_PUBLIC = {
    "DocumentFrequencies": "caption.cider",
    "accuracy": "calls",
    "anls": "answers",
    "area_under_shots": "shots",
    "bleu": "calls",
    "cider": "calls",
    "clipscore": "caption.clipscore",
    "exact_match": "answers",
    "f1": "calls",
    "length_ratio": "calls",
    "levenshtein": "answers",
    "mean_average_precision": "calls",
    "mean_per_class_recall": "calls",
    "median_rank": "calls",
    "pair_values": "pairs",
    "precision": "calls",
    "recall": "calls",
    "recall_at_k": "calls",
    "ref_clipscore": "caption.clipscore",
    "relaxed_accuracy": "answers",
    "rouge_l": "calls",
    "shots_to_reach": "shots",
    "token_f1": "answers",
    "vqa_accuracy": "vqa",
    "vqa_accuracy_lenient": "vqa",
}

__all__ = [
    "DocumentFrequencies",
    "accuracy",
    "anls",
    "area_under_shots",
    "bleu",
    "cider",
    "clipscore",
    "exact_match",
    "f1",
    "length_ratio",
    "levenshtein",
    "mean_average_precision",
    "mean_per_class_recall",
    "median_rank",
    "pair_values",
    "precision",
    "recall",
    "recall_at_k",
    "ref_clipscore",
    "relaxed_accuracy",
    "rouge_l",
    "shots_to_reach",
    "token_f1",
    "vqa_accuracy",
    "vqa_accuracy_lenient",
]


def __getattr__(name: str) -> Any:
    """Import a function when it is first asked for."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'mmbench.metrics' has no attribute '{name}'")
    return getattr(import_module(f"mmbench.benchmarks.metrics.{_PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
