"""Prompt learner: context vectors trained by gradients through a frozen text tower."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from mmbench.adapters.open_clip.coop.rows import Prompts
from mmbench.adapters.open_clip.source import Source
from mmbench.adapters.open_clip.text_tower import CausalTower
from mmbench.adapters.shared.asking import ask
from mmbench.harness.errors import AdapterError, DataError, Unsupported, UsageError, nearest
from mmbench.harness.models.abilities import Array

if TYPE_CHECKING:
    import torch

Vectors = npt.NDArray[np.float32]
T = TypeVar("T")

_WARM_UP_LR = 1e-5
_MOMENTUM = 0.9
_WEIGHT_DECAY = 5e-4
_SPREAD = 0.02


@dataclass(frozen=True, slots=True)
class Settings:
    """Training settings of a context; the defaults are CoOp's for 8 and 16 shots (Zhou et al. 2022, section 4.1)."""

    epochs: int = 200
    """Passes over the pictures; the paper takes 200 for 16 and 8 shots, 100 for 4 and 2, 50 for 1."""
    lr: float = 2e-3
    """Learning rate after the first epoch."""
    context: int = 16
    """Learnable tokens."""
    batch: int = 32
    """Pictures in a step; what is left over in an epoch is dropped, and fewer pictures are one step."""

    @classmethod
    def of(cls, given: Mapping[str, float]) -> "Settings":
        """Return the settings of a table, the rest by default. Raises UsageError."""
        known = [field.name for field in fields(cls)]
        for key, value in given.items():
            if key not in known:
                raise UsageError(f"prompt learning: unknown setting {key!r}{nearest(key, known)}")
            if not 0 < value < math.inf or (key != "lr" and value != int(value)):
                number = "number" if key == "lr" else "whole number"
                raise UsageError(f"prompt learning: {key} is {value}; it must be a {number} above 0")
        chosen = {key: given.get(key, getattr(cls(), key)) for key in known}
        return cls(int(chosen["epochs"]), float(chosen["lr"]), int(chosen["context"]), int(chosen["batch"]))

    def rate(self, epoch: int) -> float:
        """Return the learning rate of an epoch, counted from 0: one of warm-up, then a cosine from its beginning.

        The cosine has as many steps as there are epochs, so that its end is not reached: thus Dassl, on which the
        official script stands, puts a warm-up before a schedule.
        """
        return self.lr * (1 + math.cos(math.pi * (epoch - 1) / self.epochs)) / 2 if epoch else _WARM_UP_LR

    def steps(self, pictures: int) -> int:
        """Return the number of steps of one epoch."""
        return max(1, pictures // self.batch)


@dataclass(frozen=True, slots=True)
class PromptLearner:
    """CoOp (Zhou et al. 2022) over stored vectors; nothing is loaded before the first question.

    One context is shared by all classes, stands before the class name ("class token at the end") and is learnt by SGD
    through the frozen text tower, as by the official `trainers/coop.py` under Dassl: cross entropy of the scaled
    cosines, momentum 0.9, weight decay 5e-4. The image vectors are given, so that no picture is augmented: the paper's
    figures are no anchor.
    """

    source: Source
    """Its model has a `CausalTower`."""

    def tune_prompts(
        self, class_names: Sequence[str], vectors: Array, labels: Array, settings: Mapping[str, float], seed: int
    ) -> Vectors:
        """Return (classes, d) class vectors learnt from (n, d) image vectors and (n,) class indices; not normalised.

        `settings` are those of `Settings`. `seed` draws the first context, from N(0, 0.02), and the order of the
        pictures; on a CPU equal questions get equal answers. The model is left as it was. Raises UsageError, DataError,
        AdapterError where the loss diverges, Unsupported, OutOfMemory and WeightsUnavailable.
        """
        chosen = Settings.of(settings)
        _check(class_names, vectors, labels)

        def learn(lesson: "_Lesson") -> Vectors:
            for epoch in range(chosen.epochs):
                lesson.epoch(epoch, vectors, labels)
            return lesson.vectors()

        found = self._in_lesson(class_names, chosen, seed, learn)
        if not np.isfinite(found).all():
            raise AdapterError(f"prompt learning diverged at lr {chosen.lr:g}; lower it, or try --dtype fp32")
        return found

    def estimate_tuning(self, class_names: Sequence[str], pictures: int, settings: Mapping[str, float]) -> float:
        """Return about how many seconds `tune_prompts` takes for so many pictures, by the time of one step.

        The model is loaded for it, which is not counted. Raises what `tune_prompts` raises.
        """
        chosen = Settings.of(settings)
        size = min(pictures, chosen.batch)

        def measure(lesson: "_Lesson") -> float:
            vectors, labels = np.ones((size, lesson.vectors().shape[1])), np.zeros(size, np.int64)
            seconds = []
            for _ in range(2):  # the first takes longer: memory is fetched, kernels are chosen
                start = time.perf_counter()
                lesson.epoch(0, vectors, labels)
                lesson.context.sum().item()  # waits for a GPU
                seconds.append(time.perf_counter() - start)
            return min(seconds) * chosen.steps(pictures) * chosen.epochs

        return self._in_lesson(class_names, chosen, 0, measure)

    def _in_lesson(
        self, class_names: Sequence[str], chosen: Settings, seed: int, question: "Callable[[_Lesson], T]"
    ) -> T:
        model, tokenizer = self.source.model, self.source.tokenizer
        tower = CausalTower.of(model)
        if tower is None:
            raise Unsupported("prompts are learnt through a causal text tower, which this model does not have")

        def asked() -> T:
            with _frozen(model):
                prompts = Prompts(tower, tokenizer, class_names, chosen.context)
                return question(_Lesson(prompts, model.logit_scale.detach().float().exp(), chosen, seed))

        return ask(model, asked)


class _Lesson:
    """A context while it is learnt."""

    def __init__(self, prompts: Prompts, scale: "torch.Tensor", settings: Settings, seed: int) -> None:
        import torch

        self._prompts, self._scale, self._settings = prompts, scale, settings
        self._random = torch.Generator().manual_seed(seed)  # on the CPU, so that every device draws the same
        drawn = torch.empty(settings.context, prompts.width).normal_(std=_SPREAD, generator=self._random)
        self.context = drawn.to(prompts.device).requires_grad_()
        self._optimizer = torch.optim.SGD(
            [self.context], lr=settings.lr, momentum=_MOMENTUM, weight_decay=_WEIGHT_DECAY
        )

    def epoch(self, number: int, vectors: Array, labels: Array) -> None:
        """See all (n, d) image vectors with their (n,) labels once, but for an incomplete batch."""
        import torch
        from torch.nn import functional

        images = functional.normalize(torch.tensor(vectors, dtype=torch.float32, device=self.context.device), dim=-1)
        targets = torch.tensor(labels, dtype=torch.long, device=self.context.device)
        self._optimizer.param_groups[0]["lr"] = self._settings.rate(number)
        order = torch.randperm(len(images), generator=self._random).to(self.context.device)
        for rows in torch.split(order, self._settings.batch)[: self._settings.steps(len(images))]:
            texts = functional.normalize(self._prompts.vectors(self.context).float(), dim=-1)
            loss = functional.cross_entropy(self._scale * images[rows] @ texts.T, targets[rows])
            (self.context.grad,) = torch.autograd.grad(loss, [self.context])
            self._optimizer.step()

    def vectors(self) -> Vectors:
        """Return the (classes, d) raw vectors of the prompts as they are now."""
        found: Vectors = self._prompts.vectors(self.context).detach().float().cpu().numpy()
        return found


@contextmanager
def _frozen(model: Any) -> Iterator[None]:
    """Let gradients flow through `model` and to none of its parameters, which would only take memory."""
    import torch

    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    with torch.inference_mode(False), torch.enable_grad():
        for parameter in learning:
            parameter.requires_grad_(False)
        try:
            yield
        finally:
            for parameter in learning:
                parameter.requires_grad_(True)


def _check(class_names: Sequence[str], vectors: Array, labels: Array) -> None:
    if not class_names or vectors.ndim != 2 or not len(vectors) or labels.shape != (len(vectors),):
        raise DataError(
            f"prompt learning needs classes, and vectors with a label each; it has {len(class_names)} classes, "
            f"vectors of shape {vectors.shape} and labels of shape {labels.shape}"
        )
    if not 0 <= labels.min() <= labels.max() < len(class_names):
        raise DataError(f"prompt learning: labels lie in {labels.min()}..{labels.max()}, not 0..{len(class_names) - 1}")
