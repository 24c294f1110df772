"""Training step: the losses of one batch and the optimiser's update."""

import math
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - torch's own documentation calls it F

from mmbench.adapters.tiny.training import losses, passes
from mmbench.adapters.tiny.training.batch import CLASSES, FACTS, PATCHES, Batch, fractions
from mmbench.adapters.tiny.training.recipe import Recipe

_EMBEDDINGS = ("embedding", "cls_emb", "rows", "columns", "queries", "logit_scale")
_LARGEST_SCALE = 100.0


@dataclass(frozen=True, slots=True)
class Trainee:
    """A model while it learns."""

    model: Any
    """An `open_clip.CoCa`."""
    heads: nn.ModuleDict
    """Linear maps from a patch to what lies there and from a vector to facts, dropped after training."""
    optimiser: torch.optim.AdamW
    """Over the parameters of both."""
    recipe: Recipe
    """Training recipe."""
    half: bool
    """True where matrices are multiplied in bfloat16."""

    @classmethod
    def of(cls, model: Any, recipe: Recipe, *, half: bool) -> "Trainee":
        """Return the trainee of a fresh model, on the model's device."""
        device = model.logit_scale.device
        asked = {**dict.fromkeys(PATCHES, (recipe.width, CLASSES)), "facts": (recipe.embed_dim, FACTS)}
        heads = nn.ModuleDict({name: nn.Linear(*sizes) for name, sizes in asked.items()}).to(device)
        named = [*model.named_parameters(), *heads.named_parameters()]
        plain = [parameter for name, parameter in named if _without_decay(name, parameter)]
        known = set(map(id, plain))
        groups: list[dict[str, Any]] = [
            {"params": [parameter for _, parameter in named if id(parameter) not in known]},
            {"params": plain, "weight_decay": 0.0},
        ]
        optimiser = torch.optim.AdamW(groups, lr=recipe.rate, betas=recipe.betas, weight_decay=recipe.decay, fused=True)
        return cls(model, heads, optimiser, recipe, half)

    def parameters(self) -> Iterator[nn.Parameter]:
        """Yield all that is learnt."""
        yield from self.model.parameters()
        yield from self.heads.parameters()

    def learn(self, batch: Batch, rate: float) -> Mapping[str, torch.Tensor]:
        """Take one step at a learning rate and return the losses it was taken by, as scalars."""
        found = self.losses(batch)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(found["loss"])
        nn.utils.clip_grad_norm_(self.parameters(), self.recipe.clip)
        self.optimiser.step()
        with torch.no_grad():
            self.model.logit_scale.clamp_(0.0, math.log(_LARGEST_SCALE))
        return {name: loss.detach() for name, loss in found.items()}

    def losses(self, batch: Batch) -> dict[str, torch.Tensor]:
        """Return each loss of a batch on the model's device, and `loss`, their weighted sum."""
        recipe, model = self.recipe, self.model
        with self._precision():
            pooled, patches = model.visual(fractions(batch.pixels))
            texts = self._class_vectors(batch.texts)
            caption, answer = self._foresight(patches, batch)
            seen = {**dict.fromkeys(PATCHES, patches), "facts": pooled}
            guesses = {name: head(seen[name]).float() for name, head in self.heads.items()}
        pictures, words = (F.normalize(vectors.float(), dim=-1) for vectors in (pooled, texts))
        found = {
            "contrastive": losses.contrastive(pictures, words, batch.own, model.logit_scale.exp()),
            "caption": caption,
            "answer": answer,
            **{name: losses.dense(guesses[name], batch.patches[:, i]) for i, name in enumerate(PATCHES)},
            "facts": losses.facts(guesses["facts"], batch.facts),
        }
        found["loss"] = (
            recipe.contrastive * found["contrastive"]
            + recipe.caption * caption
            + recipe.answer * answer
            + recipe.dense * sum(found[name] for name in PATCHES)
            + recipe.facts * found["facts"]
        )
        return found

    def _class_vectors(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return (m, d) vectors of (m, t) texts, computed as those of so many texts as every batch may have."""
        rows, length = tokens.shape
        room = (0, self.recipe.context - length, 0, max(2 * self.recipe.batch - rows, 0))
        return passes.class_vectors(self.model, F.pad(tokens, room, value=self.model.text.pad_id))[:rows]

    def _foresight(self, patches: torch.Tensor, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the mean losses of a token of the descriptions and of one of the answers."""
        pad = self.model.text.pad_id
        written = F.pad(batch.written, (0, self.recipe.context - batch.written.shape[-1]), value=pad)
        before, after = written[..., :-1], written[..., 1:]
        there = passes.filled(after != pad)
        states = passes.decoder_states(self.model, patches, before, there)
        asked = torch.arange(1, written.shape[-1], device=after.device) >= batch.given[..., None]
        counted = (asked & (after != pad))[there]
        among = passes.filled(counted)
        kind = there.nonzero()[counted, 1]
        found = passes.logits(self.model, states[among]).float()[counted[among]]
        missed = F.cross_entropy(found, after[there][counted], reduction="none")
        sums = missed.new_zeros(2).index_add(0, kind, missed)
        caption, answer = sums / kind.bincount(minlength=2).clamp(min=1)
        return caption, answer

    def _precision(self) -> AbstractContextManager[object]:
        device = self.model.logit_scale.device.type
        return torch.autocast(device, torch.bfloat16) if self.half else nullcontext()


def rate(recipe: Recipe, step: int, progress: float) -> float:
    """Return the learning rate of a step, counted from 0, where `progress` of the run (0 to 1) is done.

    >>> rate(Recipe("", 1, 1, steps=10, rate=1.0, warm_up=4), 1, 0.0)
    0.5
    >>> round(rate(Recipe("", 1, 1, steps=10, rate=1.0, warm_up=4), 5, 0.5), 6)
    0.5
    """
    warm = min(1.0, (step + 1) / recipe.warm_up)
    return recipe.rate * warm * (1 + math.cos(math.pi * min(1.0, progress))) / 2


def _without_decay(name: str, parameter: nn.Parameter) -> bool:
    return parameter.ndim < 2 or any(part in name for part in _EMBEDDINGS)
