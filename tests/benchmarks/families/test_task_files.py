"""A task file that cannot be used is refused by name: what is wrong, and what was meant."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.benchmarks.families import test_captioning, test_multiple_choice, test_pairs, test_vqa
from tests.builders import fails_to_load

ROWS: dict[str, Callable[[Any], list[dict[str, Any]]]] = {
    "captioning": test_captioning.rows,
    "multiple-choice": test_multiple_choice.rows,
    "pairs": test_pairs.rows,
    "vqa": test_vqa.rows,
}
REASONS = {
    "captioning": [
        ("metrics: [cidr]", "captioning has no metric 'cidr'; did you mean 'cider'?"),
        ("metrics: [attribute_recall]", "metrics of attributes need the column 'attributes' among 'facts'"),
        ("prompt: '{caption}'", "`prompt` has the placeholder {caption}"),
        ("document_frequency: x", "unknown key 'document_frequency'; did you mean 'document_frequencies'?"),
        ("fields: {references: refs}", "the data has no column 'refs'"),
    ],
    "multiple-choice": [
        ("metrics: [circular_accuracy]", "needs the key 'circular: true'"),
        ("metrics: [acuracy]", "multiple-choice has no metric 'acuracy'; did you mean 'accuracy'?"),
        ("prompt: '{question}'", "`prompt` must have the placeholder {options}"),
        ("prompt: '{question} {option}'", "`prompt` has the placeholder {option}"),
        ("circulr: true", "unknown key 'circulr'; did you mean 'circular'?"),
    ],
    "pairs": [
        ("phrasing: a photo", "`phrasing` must have the placeholder {answer}"),
        ("phrasing: '{question} {answer}'", "`phrasing` has the placeholder {question}, and knows {answer}"),
        ("prompt: '{question}'", "unknown key 'prompt'"),
        ("metrics: [group]", "pairs has no metric 'group'; did you mean 'group_score'?"),
        ("likelihood: pmii", "'likelihood'"),
    ],
    "vqa": [
        ("metrics: [vqa_acuracy]", "vqa has no metric 'vqa_acuracy'; did you mean 'vqa_accuracy'?"),
        (
            "prompt: '{qestion}?'",
            "`prompt` has the placeholder {qestion}, and knows {question}; did you mean 'question'?",
        ),
        ("prompt: '{question} {options}'", "`prompt` has the placeholder {options}, and knows {question}"),
        ("prompt: Say a word.", "`prompt` must have the placeholder {question}"),
        ("phrasing: '{question}'", "`phrasing` must have the placeholder {answer}"),
        ("phrasing: '{anser}'", "`phrasing` has the placeholder {anser}, and knows {question} and {answer}; "),
        ("likelihood: max", "'likelihood': input should be 'sum', 'mean' or 'pmi'"),
        ("generation: {max_token: 3}", "unknown key 'max_token'; did you mean 'max_tokens'?"),
        ("generation: {max_tokens: 0}", "'generation.max_tokens'"),
        ("candidats: [a]", "unknown key 'candidats'; did you mean 'candidates'?"),
        ("candidates: []", "`candidates` is empty"),
        ("candidates: [yes, 7]", "'candidates'"),
        ("candidates: pol.txt", "`candidates: pol.txt` is not a text file"),
        ("fields: {answers: answer}", "the data has no column 'answer'; did you mean 'answers'?"),
        ("circular: true", "unknown key 'circular'"),
    ],
}


@pytest.mark.parametrize(
    ("family", "keys", "reason"), [(name, *case) for name, cases in REASONS.items() for case in cases]
)
def test_a_task_file_that_cannot_be_used(bench: Any, family: str, keys: str, reason: str) -> None:
    fails_to_load(bench.folder / bench.task(family, ROWS[family](bench), keys + "\n"), reason, "items.yaml")
