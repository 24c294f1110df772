"""Training losses: contrastive, captioning and auxiliary ones."""

import torch
from torch.nn import functional as F  # noqa: N812 - torch's own documentation calls it F


def contrastive(images: torch.Tensor, texts: torch.Tensor, own: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """Return the mean of InfoNCE over pictures and over texts (Radford et al. 2021, with ties and hard negatives).

    `images` (n, d) and `texts` (m, d) are normalised, the texts distinct; `own` (n,) is the number of each picture's
    text, and texts that no picture owns are hard negatives. Each picture must find its text among all of them; each
    owned text must find its pictures, which share the target equally (Khosla et al. 2020, equation 2).

    >>> loss = contrastive(torch.eye(2), torch.eye(2), torch.tensor([0, 1]), torch.tensor(1.0))  # -log(e / (e + 1))
    >>> round(loss.item(), 4)
    0.3133
    """
    similar = scale * images @ texts.T
    finds = F.cross_entropy(similar, own)
    logs = F.log_softmax(similar, dim=0)
    numbers = torch.arange(len(images), device=images.device)
    shared = own.bincount(minlength=len(texts))[own]
    # The mean over the pictures of a text, and then over the texts.
    found = -(logs[numbers, own] / shared).sum() / (own.bincount() > 0).sum()
    loss: torch.Tensor = (finds + found) / 2
    return loss


def facts(guesses: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the mean binary cross-entropy of (n, facts) logits at labels 1 (holds) and 0; -1 is not asked.

    Pictures of which much is asked weigh no more than others.

    >>> round(facts(torch.zeros(1, 2), torch.tensor([[1, -1]])).item(), 4)  # log 2
    0.6931
    """
    asked = (labels >= 0).to(guesses.dtype)
    missed = F.binary_cross_entropy_with_logits(guesses, labels.clamp(min=0).to(guesses.dtype), reduction="none")
    means = (missed * asked).sum(dim=1) / asked.sum(dim=1).clamp(min=1)
    return means.sum() / (asked.sum(dim=1) > 0).sum().clamp(min=1)


def dense(guesses: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy of (n, patches, classes) logits at (n, patches) labels, 0 being background.

    Patches with something in them weigh as much as the rest together, which are ten times as many and soon known.

    >>> guesses = torch.zeros(1, 4, 2)
    >>> guesses[0, 0, 1] = 100.0
    >>> round(dense(guesses, torch.tensor([[1, 0, 0, 0]])).item(), 4)  # half of log 2
    0.3466
    """
    missed = F.cross_entropy(guesses.flatten(0, 1), labels.flatten(), reduction="none")
    sides = [(labels.flatten() > 0).to(missed.dtype), (labels.flatten() == 0).to(missed.dtype)]
    found = [(missed * side).sum() / side.sum().clamp(min=1) for side in sides]
    return (found[0] + found[1]) / 2
