"""Training command of the embedded models: `python -m mmbench.adapters.tiny.training.train --to FOLDER`."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from mmbench.adapters.tiny.training import checkpoint, folder, step, stream
from mmbench.adapters.tiny.training.batch import Encoder
from mmbench.adapters.tiny.training.checkpoint import Progress
from mmbench.adapters.tiny.training.recipe import RECIPES, Recipe
from mmbench.adapters.tiny.training.step import Trainee
from mmbench.adapters.tiny.training.stream import OpenBlock, Stream
from mmbench.harness.errors import MmbenchError, UsageError

_RUN = "training"
_CHECKPOINT = "checkpoint.pt"
_CURVE = "curve.jsonl"


@dataclass(frozen=True, slots=True)
class Settings:
    """Machine settings of a training run."""

    seed: int = 0
    """Random seed of the weights and of the scenes."""
    steps: int | None = None
    """Optimiser steps, the recipe's where None."""
    minutes: float | None = None
    """Time limit of the run; its learning rate then follows the clock."""
    resume: bool = False
    """Go on from the checkpoint in the folder."""
    workers: int = 1
    """Processes that draw scenes."""
    half: bool = True
    """Multiply matrices in bfloat16."""
    blocks: int = 32
    """Blocks of scenes whose words make the vocabulary."""
    log_every: int = 50
    """Steps between two lines of the curve."""
    save_every: float = 120.0
    """Seconds between two checkpoints."""

    def progress(self, recipe: Recipe, done: Progress) -> float:
        """Return the share of the run that is done, 1 or more at its end."""
        if self.minutes is not None:
            return done.seconds / (60 * self.minutes)
        return done.step / (self.steps or recipe.steps)


def train(recipe: Recipe, to: Path, settings: Settings, open_block: OpenBlock = stream.scenes) -> Path:
    """Train a model by a recipe and return its folder, `to`, which also keeps checkpoint and curve.

    By steps, on one CPU and as many threads, the same seed gives the same weights, resumed or not. Raises UsageError
    and DataError.
    """
    run = to / _RUN
    run.mkdir(parents=True, exist_ok=True)
    if not settings.resume:
        folder.begin(recipe, stream.texts(open_block, settings.seed, settings.blocks), to)
    elif not (run / _CHECKPOINT).is_file():
        raise UsageError(f"{run / _CHECKPOINT}: no checkpoint to go on from; leave out --resume")
    torch.manual_seed(settings.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    trainee = Trainee.of(folder.fresh(to).to(device).train(), recipe, half=settings.half)
    done = checkpoint.load(trainee, run / _CHECKPOINT) if settings.resume else Progress(0, 0.0)
    _follow(
        trainee, done, settings, Stream(open_block, Encoder(to), settings.seed, recipe.batch, settings.workers), run
    )
    folder.finish(trainee.model, to)
    return to


def _follow(trainee: Trainee, done: Progress, settings: Settings, scenes: Stream, run: Path) -> None:
    recipe = trainee.recipe
    device = trainee.model.logit_scale.device
    curve = _Curve(run / _CURVE, done)
    batches = scenes.batches(done.step)
    saved = began = time.monotonic() - done.seconds
    saved += done.seconds
    for batch in batches:
        share = settings.progress(recipe, done)
        if share >= 1:
            break
        losses = trainee.learn(batch.to(device), step.rate(recipe, done.step, share))
        now = time.monotonic()
        done = Progress(done.step + 1, now - began)
        if done.step % settings.log_every == 0:
            curve.add(done, {name: float(loss) for name, loss in losses.items()}, recipe.batch)
        if now - saved > settings.save_every:
            checkpoint.save(trainee, done, run / _CHECKPOINT)
            saved = now
    checkpoint.save(trainee, done, run / _CHECKPOINT)
    batches.close()


class _Curve:
    """The losses of a run, one JSON object a line, on disk and on standard output."""

    def __init__(self, file: Path, done: Progress) -> None:
        self._file = file
        self._last = done
        old = file.read_text(encoding="utf-8").splitlines() if done.step else []
        kept = [line for line in old if json.loads(line)["step"] <= done.step]
        file.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")

    def add(self, done: Progress, losses: dict[str, float], batch: int) -> None:
        pace = (done.step - self._last.step) * batch / (done.seconds - self._last.seconds)
        rounded = {name: round(loss, 4) for name, loss in losses.items()}
        line = json.dumps(
            {
                "step": done.step,
                "pictures": done.step * batch,
                "seconds": round(done.seconds, 1),
                "pictures_per_second": round(pace, 1),
                **rounded,
            }
        )
        with self._file.open("a", encoding="utf-8") as lines:
            lines.write(f"{line}\n")
        print(line, flush=True)
        self._last = done


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as the command line says and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m mmbench.adapters.tiny.training.train", description=__doc__)
    parser.add_argument("--recipe", choices=sorted(RECIPES), default="tiny")
    parser.add_argument("--seed", type=int, default=0, help="of the weights and of the scenes")
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="where the model goes")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, help="end after this time instead of the recipe's steps")
    length.add_argument("--steps", type=int, help="end after these steps instead of the recipe's")
    parser.add_argument("--resume", action="store_true", help="go on from the folder's checkpoint")
    parser.add_argument("--threads", type=int, default=2, help="threads of the steps on the CPU")
    parser.add_argument("--workers", type=int, default=1, help="processes that draw scenes")
    parser.add_argument("--full", action="store_true", help="float32 in place of bfloat16")
    given = parser.parse_args(arguments)
    torch.set_num_threads(given.threads)
    settings = Settings(given.seed, given.steps, given.minutes, given.resume, given.workers, not given.full)
    try:
        print(train(RECIPES[given.recipe], given.to, settings))
    except MmbenchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
