"""Checkpoint of a training run, replaced atomically, so that an interrupted run resumes with the same result."""

from dataclasses import dataclass
from pathlib import Path

import torch

from mmbench.adapters.tiny.training.step import Trainee
from mmbench.harness.errors import UsageError


@dataclass(frozen=True, slots=True)
class Progress:
    """State of a training run."""

    step: int
    """Steps taken."""
    seconds: float
    """Time they took."""


def save(trainee: Trainee, progress: Progress, file: Path) -> None:
    """Write model, heads, optimiser, progress and random state; a reader finds the old file or the new one."""
    state = {
        "model": trainee.model.state_dict(),
        "heads": trainee.heads.state_dict(),
        "optimiser": trainee.optimiser.state_dict(),
        "random": torch.get_rng_state(),
        "step": progress.step,
        "seconds": progress.seconds,
    }
    partial = file.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(file)


def load(trainee: Trainee, file: Path) -> Progress:
    """Give a trainee the state of a file and return how far it had come. Raises UsageError."""
    device = trainee.model.logit_scale.device
    state = torch.load(file, map_location=device, weights_only=True)
    try:
        trainee.model.load_state_dict(state["model"])
        trainee.heads.load_state_dict(state["heads"])
        trainee.optimiser.load_state_dict(state["optimiser"])
    except (RuntimeError, ValueError) as error:
        raise UsageError(f"{file}: of another recipe or vocabulary; train into another folder") from error
    torch.set_rng_state(state["random"].cpu())
    return Progress(state["step"], state["seconds"])
