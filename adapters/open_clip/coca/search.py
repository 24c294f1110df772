"""Decoding strategies: greedy, sampling and beam search over next-token log-probabilities."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, TypeAlias

from mmbench.adapters.open_clip.coca.decoder import Row, Tokens

if TYPE_CHECKING:
    import torch

Step: TypeAlias = Callable[[list[Row]], "torch.Tensor"]
"""(rows, vocabulary) logits of the token after each (item, tokens)."""
Pick: TypeAlias = Callable[["torch.Tensor", list[int]], list[int]]
"""The next token of each item, from (items, vocabulary) logits."""
Ended: TypeAlias = Callable[[Tokens], bool]
"""Test whether a text is complete."""


@dataclass(frozen=True, slots=True)
class Page:
    """Context of one item's text."""

    beginning: Tokens
    """Prompt tokens, before anything is written."""
    room: int
    """Most tokens that may be written."""


def write(step: Step, pages: Sequence[Page], ended: Ended, pick: Pick) -> list[Tokens]:
    """Return the tokens written for each item, one after the other as `pick` chooses; finished ones cost nothing."""
    written: list[Tokens] = [() for _ in pages]
    unfinished = [item for item, page in enumerate(pages) if page.room > 0]
    while unfinished:
        logits = step([(item, pages[item].beginning + written[item]) for item in unfinished])
        for item, token in zip(unfinished, pick(logits, unfinished), strict=True):
            written[item] += (token,)
        unfinished = [item for item in unfinished if len(written[item]) < pages[item].room and not ended(written[item])]
    return written


def likeliest(logits: "torch.Tensor", items: list[int]) -> list[int]:
    """Return the likeliest token of each row, of equal ones the first: greedy decoding."""
    chosen: list[int] = logits.argmax(dim=-1).tolist()
    return chosen


def by_chance(temperature: float, seeds: Sequence[str]) -> Pick:
    """Return a pick that draws from softmax(logits / temperature); item i draws by `seeds[i]` and nothing else."""
    sources = [Random(seed) for seed in seeds]  # noqa: S311 - no secret

    def pick(logits: "torch.Tensor", items: list[int]) -> list[int]:
        import torch

        below = logits.double() - logits.double().amax(dim=-1, keepdim=True)  # no temperature makes it infinite
        totals = (below / temperature).softmax(dim=-1).cumsum(dim=-1)
        drawn = torch.tensor([[sources[item].random()] for item in items], dtype=torch.float64, device=logits.device)
        chosen: list[int] = torch.searchsorted(totals, drawn * totals[:, -1:], right=True)[:, 0].tolist()
        return chosen

    return pick


@dataclass(slots=True)
class _Beam:
    """The search for one item."""

    page: Page
    live: list[tuple[float, Tokens]]
    """Sums of log p and what is written, the likeliest first; all of one length."""
    best: tuple[float, Tokens] | None = None
    """The highest mean of log p and what is written, among the finished."""

    def finish(self, total: float, tokens: Tokens) -> None:
        mean = total / len(tokens)
        if self.best is None or mean > self.best[0]:
            self.best = (mean, tokens)

    def extend(self, candidates: list[tuple[float, Tokens]], beams: int, ended: Ended) -> None:
        """Go on with the likeliest of `candidates`, which are one token longer than the live ones."""
        self.live = []
        for rank, (total, tokens) in enumerate(sorted(candidates, key=lambda one: -one[0])[: 2 * beams]):
            if not ended(tokens):
                self.live.append((total, tokens))
            elif rank < beams:
                self.finish(total, tokens)
            if len(self.live) == beams:
                break
        if not self.live or len(self.live[0][1]) == self.page.room:
            for total, tokens in self.live:
                self.finish(total, tokens)
            self.live = []
        # Further tokens only lower a sum, and none is divided by more than the room.
        elif self.best is not None and self.live[0][0] / self.page.room <= self.best[0]:
            self.live = []


def beam_search(step: Step, pages: Sequence[Page], ended: Ended, beams: int) -> list[Tokens]:
    """Return for each item the finished text with the highest mean of log p a token, end token included.

    Each step takes the 2 `beams` likeliest continuations of the live texts, by the sum of log p and, of equal sums, the
    one of the likelier text and then of the smaller token: an ended one among the first `beams` is finished, one
    farther down is dropped, and the first `beams` others live on. What lives when the room is used up is finished as it
    stands. The search ends sooner where no live text can come to a higher mean. These are the rules of BeamSearchScorer
    in HuggingFace's transformers 4 with length_penalty=1 and early_stopping="never", without groups.
    """
    searches = [_Beam(page, [(0.0, ())] if page.room > 0 else []) for page in pages]
    while any(search.live for search in searches):
        rows = [
            (item, search.page.beginning + tokens) for item, search in enumerate(searches) for _, tokens in search.live
        ]
        continuations = iter(_continuations(step(rows).log_softmax(dim=-1), 2 * beams))
        for search in searches:
            if search.live:
                candidates = [
                    (total + log_p, (*tokens, token))
                    for total, tokens in search.live
                    for token, log_p in next(continuations)
                ]
                search.extend(candidates, beams, ended)
    return [search.best[1] if search.best else () for search in searches]


def _continuations(log_p: "torch.Tensor", n: int) -> list[list[tuple[int, float]]]:
    """Return for each row its n likeliest tokens with their log p, in the order of the tokens.

    Where equal ones stand at the border, all of them are there: `topk` alone would not say which it takes.
    """
    last = log_p.topk(min(n, log_p.shape[-1])).values[:, -1:]
    where = (log_p >= last).nonzero()
    found: list[list[tuple[int, float]]] = [[] for _ in log_p]
    for (row, token), value in zip(where.tolist(), log_p[where[:, 0], where[:, 1]].tolist(), strict=True):
        found[row].append((token, value))
    return found
