"""Tip-Adapter-F training: the gradient loop over stored vectors, on a GPU where one is named."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmbench.harness.numerics.arrays import Floats

TEXT_SCALE = 100.0
"""Factor of the cosines with texts: 100, CLIP's logit scale, in the official script and so here for every model."""
_EPS = 1e-4
_WEIGHT_DECAY = 0.01


@dataclass(frozen=True, slots=True)
class KeyTraining:
    """How the keys are trained: the values of the official script, its alpha that of ImageNet and three others."""

    epochs: int = 20
    """Passes over the training vectors."""
    lr: float = 1e-3
    """At the first step; it falls to 0 along a cosine."""
    batch: int = 256
    """Vectors in a step; the last of an epoch may have fewer."""
    alpha: float = 1.17
    """Weight of the keys while they are trained."""
    beta: float = 1.0
    """Sharpness while they are trained."""


def trained_keys(
    vectors: Floats, labels: NDArray[np.int64], prototypes: Floats, training: KeyTraining, seed: int, device: str
) -> Floats:
    """Return (n, d) keys, trained from the (n, d) unit vectors that they start as to classify these same vectors.

    `labels` are (n,) indices of the (classes, d) unit `prototypes`. Cross entropy of `TEXT_SCALE` f W + alpha
    exp(-beta (1 - f K)) V, with V the one-hot labels of the keys, by AdamW with a cosine over all steps (Zhang et al.
    2022, section 3.2, and its official `main.py`), in float32. The vectors are stored ones, so that no picture is
    augmented, and a key is trained on the vector that it came from.
    """
    import torch

    features, texts = (torch.tensor(array, dtype=torch.float32, device=device) for array in (vectors, prototypes))
    targets = torch.tensor(labels, device=device)
    values = torch.nn.functional.one_hot(targets, len(prototypes)).float()
    keys = features.clone().requires_grad_()
    optimizer = torch.optim.AdamW([keys], lr=training.lr, eps=_EPS, weight_decay=_WEIGHT_DECAY)
    steps = training.epochs * -(-len(vectors) // training.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for rows in _batches(len(vectors), training, seed):
        batch = features[torch.from_numpy(rows).to(device)]
        affinity = batch @ keys.T
        cached = torch.exp(training.beta * (affinity - 1)) @ values
        logits = TEXT_SCALE * batch @ texts.T + training.alpha * cached
        loss = torch.nn.functional.cross_entropy(logits, targets[torch.from_numpy(rows).to(device)])
        (keys.grad,) = torch.autograd.grad(loss, [keys])
        optimizer.step()
        schedule.step()
    trained: Floats = keys.detach().double().cpu().numpy()
    return trained


def _batches(count: int, training: KeyTraining, seed: int) -> Iterator[NDArray[np.int64]]:
    # Drawn by NumPy, whose streams are the same on every device.
    random = np.random.default_rng(seed)
    for _ in range(training.epochs):
        order = random.permutation(count)
        yield from (order[start : start + training.batch] for start in range(0, count, training.batch))
