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
        meteor,
        precision,
        recall,
        recall_at_k,
        rouge_l,
    )
    from mmbench.benchmarks.metrics.caption.cider import DocumentFrequencies
    from mmbench.benchmarks.metrics.caption.clipscore import clipscore, ref_clipscore
    from mmbench.benchmarks.metrics.hallucination import Chair, chair
    from mmbench.benchmarks.metrics.mme import Mme, mme
    from mmbench.benchmarks.metrics.ocr import cer, ned, wer
    from mmbench.benchmarks.metrics.pairs import pair_values
    from mmbench.benchmarks.metrics.shots import area_under_shots, shots_to_reach
    from mmbench.benchmarks.metrics.vqa import vqa_accuracy, vqa_accuracy_lenient
    from mmbench.harness.media.samplers import frame_indices
    from mmbench.harness.metrics.agreement import error_consistency
    from mmbench.harness.metrics.boxes import iou
    from mmbench.harness.metrics.calibration import (
        ReliabilityBin,
        brier,
        calibration_error,
        fit_temperature,
        negative_log_likelihood,
        reliability,
    )
    from mmbench.harness.metrics.distances import cmmd, frechet_distance, kernel_distance
    from mmbench.harness.metrics.embeddings import (
        InfoNce,
        alignment,
        antihubs,
        effective_rank,
        hubness,
        info_nce,
        k_occurrence,
        linear_cka,
        modality_gap,
        uniformity,
    )
    from mmbench.harness.metrics.groups import WorstGroup, group_accuracy, worst_group
    from mmbench.harness.metrics.manifolds import prdc
    from mmbench.harness.metrics.modalities import Separability, anisotropy, modality_separability, sigmoid_loss
    from mmbench.harness.metrics.psychometric import PsychometricFit, fit_psychometric
    from mmbench.harness.metrics.ranked import average_precision, ndcg, reciprocal_rank
    from mmbench.harness.metrics.selective import (
        RiskCoverage,
        augrc,
        aurc,
        coverage_at_risk,
        risk_at_coverage,
        risk_coverage,
    )
    from mmbench.harness.replies.boxes import read_boxes
    from mmbench.harness.replies.counts import Count, read_count
    from mmbench.harness.replies.points import read_points

_PUBLIC = {
    "Chair": "benchmarks.metrics.hallucination",
    "Count": "harness.replies.counts",
    "DocumentFrequencies": "benchmarks.metrics.caption.cider",
    "InfoNce": "harness.metrics.embeddings",
    "Mme": "benchmarks.metrics.mme",
    "PsychometricFit": "harness.metrics.psychometric",
    "ReliabilityBin": "harness.metrics.calibration",
    "RiskCoverage": "harness.metrics.selective",
    "Separability": "harness.metrics.modalities",
    "WorstGroup": "harness.metrics.groups",
    "accuracy": "benchmarks.metrics.calls",
    "alignment": "harness.metrics.embeddings",
    "anisotropy": "harness.metrics.modalities",
    "anls": "benchmarks.metrics.answers",
    "antihubs": "harness.metrics.embeddings",
    "area_under_shots": "benchmarks.metrics.shots",
    "augrc": "harness.metrics.selective",
    "aurc": "harness.metrics.selective",
    "average_precision": "harness.metrics.ranked",
    "bleu": "benchmarks.metrics.calls",
    "brier": "harness.metrics.calibration",
    "calibration_error": "harness.metrics.calibration",
    "cer": "benchmarks.metrics.ocr",
    "chair": "benchmarks.metrics.hallucination",
    "cider": "benchmarks.metrics.calls",
    "clipscore": "benchmarks.metrics.caption.clipscore",
    "cmmd": "harness.metrics.distances",
    "coverage_at_risk": "harness.metrics.selective",
    "effective_rank": "harness.metrics.embeddings",
    "error_consistency": "harness.metrics.agreement",
    "exact_match": "benchmarks.metrics.answers",
    "f1": "benchmarks.metrics.calls",
    "fit_psychometric": "harness.metrics.psychometric",
    "fit_temperature": "harness.metrics.calibration",
    "frame_indices": "harness.media.samplers",
    "frechet_distance": "harness.metrics.distances",
    "group_accuracy": "harness.metrics.groups",
    "hubness": "harness.metrics.embeddings",
    "info_nce": "harness.metrics.embeddings",
    "iou": "harness.metrics.boxes",
    "k_occurrence": "harness.metrics.embeddings",
    "kernel_distance": "harness.metrics.distances",
    "length_ratio": "benchmarks.metrics.calls",
    "levenshtein": "benchmarks.metrics.answers",
    "linear_cka": "harness.metrics.embeddings",
    "mean_average_precision": "benchmarks.metrics.calls",
    "mean_per_class_recall": "benchmarks.metrics.calls",
    "median_rank": "benchmarks.metrics.calls",
    "meteor": "benchmarks.metrics.calls",
    "mme": "benchmarks.metrics.mme",
    "modality_gap": "harness.metrics.embeddings",
    "modality_separability": "harness.metrics.modalities",
    "ndcg": "harness.metrics.ranked",
    "ned": "benchmarks.metrics.ocr",
    "negative_log_likelihood": "harness.metrics.calibration",
    "pair_values": "benchmarks.metrics.pairs",
    "prdc": "harness.metrics.manifolds",
    "precision": "benchmarks.metrics.calls",
    "read_boxes": "harness.replies.boxes",
    "read_count": "harness.replies.counts",
    "read_points": "harness.replies.points",
    "recall": "benchmarks.metrics.calls",
    "recall_at_k": "benchmarks.metrics.calls",
    "reciprocal_rank": "harness.metrics.ranked",
    "ref_clipscore": "benchmarks.metrics.caption.clipscore",
    "relaxed_accuracy": "benchmarks.metrics.answers",
    "reliability": "harness.metrics.calibration",
    "risk_at_coverage": "harness.metrics.selective",
    "risk_coverage": "harness.metrics.selective",
    "rouge_l": "benchmarks.metrics.calls",
    "shots_to_reach": "benchmarks.metrics.shots",
    "sigmoid_loss": "harness.metrics.modalities",
    "token_f1": "benchmarks.metrics.answers",
    "uniformity": "harness.metrics.embeddings",
    "vqa_accuracy": "benchmarks.metrics.vqa",
    "vqa_accuracy_lenient": "benchmarks.metrics.vqa",
    "wer": "benchmarks.metrics.ocr",
    "worst_group": "harness.metrics.groups",
}

__all__ = [
    "Chair",
    "Count",
    "DocumentFrequencies",
    "InfoNce",
    "Mme",
    "PsychometricFit",
    "ReliabilityBin",
    "RiskCoverage",
    "Separability",
    "WorstGroup",
    "accuracy",
    "alignment",
    "anisotropy",
    "anls",
    "antihubs",
    "area_under_shots",
    "augrc",
    "aurc",
    "average_precision",
    "bleu",
    "brier",
    "calibration_error",
    "cer",
    "chair",
    "cider",
    "clipscore",
    "cmmd",
    "coverage_at_risk",
    "effective_rank",
    "error_consistency",
    "exact_match",
    "f1",
    "fit_psychometric",
    "fit_temperature",
    "frame_indices",
    "frechet_distance",
    "group_accuracy",
    "hubness",
    "info_nce",
    "iou",
    "k_occurrence",
    "kernel_distance",
    "length_ratio",
    "levenshtein",
    "linear_cka",
    "mean_average_precision",
    "mean_per_class_recall",
    "median_rank",
    "meteor",
    "mme",
    "modality_gap",
    "modality_separability",
    "ndcg",
    "ned",
    "negative_log_likelihood",
    "pair_values",
    "prdc",
    "precision",
    "read_boxes",
    "read_count",
    "read_points",
    "recall",
    "recall_at_k",
    "reciprocal_rank",
    "ref_clipscore",
    "relaxed_accuracy",
    "reliability",
    "risk_at_coverage",
    "risk_coverage",
    "rouge_l",
    "shots_to_reach",
    "sigmoid_loss",
    "token_f1",
    "uniformity",
    "vqa_accuracy",
    "vqa_accuracy_lenient",
    "wer",
    "worst_group",
]


def __getattr__(name: str) -> Any:
    """Import a function when it is first asked for."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'mmbench.metrics' has no attribute '{name}'")
    return getattr(import_module(f"mmbench.{_PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
