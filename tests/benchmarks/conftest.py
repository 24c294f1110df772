"""What tests of families share: numbered pictures, tasks over them, and models that answer by function."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from mmbench.harness.models.abilities import Generation
from mmbench.harness.records import record as records
from mmbench.harness.records.outcomes import read_outcomes
from mmbench.harness.records.record import Record
from mmbench.harness.run.result import Run
from mmbench.harness.run.run import run
from mmbench.harness.types import Outcome, Score

Vector = Sequence[float]


def number(images: Sequence[PIL.Image.Image]) -> int | None:
    """The number of the first picture; None where there is none, or the grey one that the blind are shown."""
    if not images or len(set(images[0].getpixel((0, 0)))) == 1:
        return None
    red, green, _ = images[0].getpixel((0, 0))
    return 16 * (red - 1) + green


class Writer:
    """Replies by the picture's number and the prompt."""

    fingerprint = "writer"

    def __init__(self, reply: Callable[[int | None, str], str]) -> None:
        self.reply = reply
        self.asked: list[tuple[int | None, str]] = []
        self.settings: set[Generation] = set()

    def generate(self, prompts: list[tuple[list[PIL.Image.Image], str]], settings: Generation) -> list[str]:
        self.settings.add(settings)
        asked = [(number(images), prompt) for images, prompt in prompts]
        replies = [self.reply(*each) for each in asked]
        self.asked += asked
        return replies


class Likely:
    """Log-probabilities by the picture's number, the prompt and the text."""

    fingerprint = "likely"

    def __init__(self, log_probability: Callable[[int | None, str, str], float]) -> None:
        self.log_probability = log_probability
        self.asked: list[tuple[int | None, str, tuple[str, ...]]] = []

    def score_texts(self, items: list[tuple[list[PIL.Image.Image], str, list[str]]]) -> list[list[float]]:
        self.asked += [(number(images), prompt, tuple(texts)) for images, prompt, texts in items]
        return [
            [self.log_probability(number(images), prompt, text) for text in texts] for images, prompt, texts in items
        ]


class Dual:
    """Vectors by the picture's number and by the text."""

    fingerprint = "dual"

    def __init__(self, image: Callable[[int | None], Vector], text: Callable[[str], Vector]) -> None:
        self.image = image
        self.text = text
        self.asked: list[str] = []

    def embed_images(self, images: list[PIL.Image.Image]) -> npt.NDArray[np.float64]:
        return np.array([self.image(number([image])) for image in images], dtype=np.float64)

    def embed_texts(self, texts: list[str]) -> npt.NDArray[np.float64]:
        self.asked += texts
        return np.array([self.text(text) for text in texts], dtype=np.float64)


@dataclass(frozen=True)
class Asked:
    """One task put to one model."""

    run: Run
    record: Record
    scores: Mapping[str, Score]
    outcomes: list[Outcome]

    @property
    def values(self) -> dict[str, float | None]:
        return {name: score.value for name, score in self.scores.items()}


@dataclass(frozen=True)
class Bench:
    """A folder to build tasks in."""

    folder: Path

    def picture(self, n: int) -> str:
        PIL.Image.new("RGB", (3, 3), (1 + n // 16, n % 16, 200)).save(self.folder / f"{n}.png")
        return f"{n}.png"

    def broken(self) -> str:
        (self.folder / "broken.png").write_bytes(b"nothing")
        return "broken.png"

    def task(self, family: str, rows: Sequence[Mapping[str, Any]], keys: str = "", name: str = "items") -> str:
        (self.folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        text = f"name: {name}\nfamily: {family}\nsource: {{kind: jsonl, path: {name}.jsonl}}\n{keys}"
        (self.folder / f"{name}.yaml").write_text(text)
        return str(self.folder / f"{name}.yaml")

    def run(self, model: object, task: str | Sequence[str], **settings: Any) -> Run:
        """Ask anew: nothing is remembered from before."""
        (self.folder / "store.sqlite").unlink(missing_ok=True)
        return run(model, task=task, output=self.folder / "results", store=self.folder / "store.sqlite", **settings)

    def ask(self, model: object, task: str, **settings: Any) -> Asked:
        made = self.run(model, task, **settings)
        assert [str(problem.error) for problem in made.problems] == []
        (record,) = made.records
        path = self.folder / "results" / "runs" / record.model / record.file_name
        assert records.read(path) == record
        return Asked(made, record, {each.metric: each for each in record.scores}, read_outcomes(path))

    def failure(self, model: object, task: str, **settings: Any) -> tuple[str, int]:
        """Return why the one task failed, and the exit status."""
        made = self.run(model, task, **settings)
        assert not made.records
        (problem,) = made.problems
        return str(problem.error), made.exit_code


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A folder to build tasks in, and to ask them."""
    return Bench(tmp_path)


@pytest.fixture(scope="session")
def models() -> SimpleNamespace:
    """The classes `Writer`, `Likely` and `Dual`."""
    return SimpleNamespace(Writer=Writer, Likely=Likely, Dual=Dual)
