"""Adapter class for language models of transformers: the blind baseline, which knows a benchmark by its texts alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mmbench.adapters.hf.file_model import FileModel
from mmbench.adapters.hf.options import tokens, total
from mmbench.adapters.shared.asking import ask
from mmbench.harness.errors import UsageError
from mmbench.harness.models.abilities import Prepared

_TOKENS = 4096
"""Most tokens of one pass: each has a row of logits as wide as the vocabulary."""


@dataclass(frozen=True, slots=True)
class _Row:
    """One pass's worth of one text: its tokens, and at which places which tokens are scored."""

    text: int
    ids: list[int]
    places: list[int]
    """Where the logits are read."""
    tokens: list[int]
    """Whose log-probability is read there."""


class LanguageModel(FileModel):
    """A causal or a masked language model: how likely each text is after its prompt. Pictures are passed over.

    The score of a text is the sum of its tokens' log-probabilities: of a causal model each given all before it; of a
    masked one each given all others, itself masked, the pseudo-log-likelihood of Salazar et al. 2020. Files are fetched
    and read when something of the model is first asked, the model is built when it must answer.
    """

    takes_text_alone = True
    ignores_pictures = True

    def score_texts(self, items: list[tuple[list[Prepared], str, list[str]]]) -> list[list[float]]:
        """Return for each (pictures, prompt, texts) the natural log-probability of each text.

        Raises ValueError for texts that are longer than the model reads, have no words, or have characters that the
        tokenizer does not know; OutOfMemory, WeightsUnavailable, UsageError.
        """
        model = self._source.model
        given = [(prompt, text) for _, prompt, texts in items for text in texts]
        rows = [row for number, pair in enumerate(given) for row in self._rows(number, *pair)]
        scores = ask(model, lambda: _scored(model, rows, len(given), self._source.padding))
        left = iter(scores)
        return [[next(left) for _ in texts] for _, _, texts in items]

    def _rows(self, number: int, prompt: str, text: str) -> list[_Row]:
        ids, scored = self._tokens(prompt, text)
        if self._source.kind.likelihood == "causal":
            return [_Row(number, ids, [at - 1 for at in scored], [ids[at] for at in scored])]
        mask = self._source.texts.mask_token_id
        if mask is None:
            raise UsageError(f"{self._source.label}: its tokenizer has no mask token, which a masked model needs")
        return [_Row(number, [*ids[:at], mask, *ids[at + 1 :]], [at], [ids[at]]) for at in scored]

    def _tokens(self, prompt: str, text: str) -> tuple[list[int], list[int]]:
        """Return the tokens of a prompt, a space and a text, and the places of those that reach into the text."""
        source = self._source
        with self._tokenizing:
            ((ids, scored),) = tokens(source.texts, prompt, " " if prompt else "", [text])
        if source.kind.likelihood == "causal" and not scored[0]:
            begin = source.texts.bos_token_id if source.texts.bos_token_id is not None else source.texts.eos_token_id
            if begin is None:
                raise UsageError(f"{source.label}: its tokenizer has no start token, after which a text could begin")
            ids, scored = [begin, *ids], [at + 1 for at in scored]
        if len(ids) > source.context:
            raise ValueError(f"prompt and text have {len(ids)} tokens and the model reads {source.context}")
        return ids, scored


def _scored(model: Any, rows: list[_Row], count: int, padding: int) -> list[float]:
    import torch

    totals = torch.zeros(count, dtype=torch.float64)
    for batch in _batches(rows):
        longest = len(batch[-1].ids)
        ids = torch.full((len(batch), longest), padding)
        mask = torch.zeros((len(batch), longest), dtype=torch.long)
        for at, row in enumerate(batch):
            ids[at, : len(row.ids)] = torch.tensor(row.ids)
            mask[at, : len(row.ids)] = 1
        logits = model(input_ids=ids.to(model.device), attention_mask=mask.to(model.device)).logits
        for at, row in enumerate(batch):
            totals[row.text] += total(logits[at, row.places], row.tokens)
    return [min(float(total), 0.0) for total in totals]


def _batches(rows: list[_Row]) -> Iterator[list[_Row]]:
    """Yield rows of like length together, shortest first; those without a token to score are left out."""
    batch: list[_Row] = []
    for row in sorted((row for row in rows if row.places), key=lambda row: len(row.ids)):
        if batch and (len(batch) + 1) * len(row.ids) > _TOKENS:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
