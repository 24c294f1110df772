"""CoCa likelihood: log-probabilities of texts given a picture, many texts at a time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mmbench.adapters.open_clip.coca.decoder import Decoder, Tokens

if TYPE_CHECKING:
    import torch

_PACK = 8192
"""Tokens that pass the decoder at a time."""
_CHUNK = 512
"""Tokens whose logits over the whole vocabulary are held at a time."""


def likelihoods(
    decoder: Decoder, pictures: "torch.Tensor", items: Sequence[tuple[int, str, Sequence[str]]]
) -> list[list[float]]:
    """Return log p(text, end | picture, prompt) of each text of each (picture number, prompt, texts).

    Natural logarithms, summed over the tokens of the text and the end token; those of the prompt are given, not
    counted. Raises TooLong for a prompt that fills the context.
    """
    known: dict[tuple[str, str], Tokens] = {}
    rows: list[tuple[int, Tokens]] = []
    given: list[int] = []
    for picture, prompt, texts in items:
        beginning = decoder.beginning(prompt)
        for text in texts:
            if (prompt, text) not in known:
                known[prompt, text] = decoder.whole(prompt, text)
            rows.append((picture, known[prompt, text]))
            given.append(len(beginning))
    found = [0.0] * len(rows)
    for pack in packs([len(tokens) for _, tokens in rows], _PACK):
        sums = _sums(decoder, pictures, [rows[row] for row in pack], [given[row] for row in pack])
        for row, total in zip(pack, sums, strict=True):
            found[row] = total
    scores = iter(found)
    return [[next(scores) for _ in texts] for _, _, texts in items]


def packs(lengths: Sequence[int], most: int) -> list[list[int]]:
    """Split rows into packs of similar lengths, none of more than `most` tokens when padded, but for a single row.

    >>> packs([3, 9, 3, 4], 12)
    [[0, 2, 3], [1]]
    """
    found: list[list[int]] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if not found or (len(found[-1]) + 1) * lengths[row] > most:
            found.append([])
        found[-1].append(row)
    return found


def _sums(
    decoder: Decoder, pictures: "torch.Tensor", rows: Sequence[tuple[int, Tokens]], given: Sequence[int]
) -> list[float]:
    """Return for each whole text the sum of log p over its tokens from number `given` on."""
    import torch

    states = decoder.states(pictures, [(picture, tokens[:-1]) for picture, tokens in rows])
    counted = [(row, at) for row, (_, tokens) in enumerate(rows) for at in range(given[row], len(tokens))]
    row, at = torch.tensor(counted).T
    targets = torch.tensor([rows[row][1][at] for row, at in counted], device=states.device)
    read = states[row.to(states.device), (at - 1).to(states.device)]
    sums = torch.zeros(len(rows), dtype=torch.float64)
    parts = []
    for start in range(0, len(read), _CHUNK):
        logits = decoder.logits(read[start : start + _CHUNK])
        wanted = targets[start : start + _CHUNK, None]
        parts.append(logits.gather(1, wanted)[:, 0] - logits.logsumexp(dim=1))
    sums.index_add_(0, row, torch.cat(parts).double().cpu())
    return sums.tolist()
