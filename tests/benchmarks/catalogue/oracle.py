"""A model that knows the items of one task, by pictures or frames and their questions, and answers each as is right."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain

import numpy as np
import PIL.Image

from mmbench.harness.media.video import pictures_of
from mmbench.harness.models.abilities import Generation
from mmbench.harness.tasks.task import Task
from mmbench.harness.types import Sample
from tests.fakes import picture_bytes

Pictures = Sequence[PIL.Image.Image]


class Oracle:
    """Vectors, likelihoods and replies that are right."""

    boxes = points = "pixels"

    def __init__(self, task: Task) -> None:
        family = task.family
        self.fingerprint = f"oracle of {task.reference}"
        self._family = family.name
        self._classes: Sequence[str] = getattr(getattr(family, "classes", None), "names", ())
        self._templates: Sequence[str] = getattr(family, "templates", ()) or getattr(family, "_templates", ())
        self._samples: defaultdict[bytes, list[Sample]] = defaultdict(list)
        self._true: defaultdict[bytes, set[str]] = defaultdict(set)
        self._places: dict[str, int] = {}
        for sample in family.samples():
            shown = [[picture_bytes(image.pil()) for image in pictures_of(medium)] for medium in sample.media]
            self._samples[b"".join(chain.from_iterable(shown))].append(sample)
            for place, pictures in enumerate(shown):
                for picture in pictures:
                    self._learn(picture, self._texts(sample, place))
        self._room = len(self._places) + 1

    def _texts(self, sample: Sample, place: int) -> Sequence[str]:
        """Return the texts that are true of one picture of an item."""
        if self._family == "pairs":
            return [sample.references[place]]
        if self._classes:
            return [
                each.replace("{}", self._classes[index]).strip() for index in sample.target for each in self._templates
            ]
        return sample.references

    def _learn(self, picture: bytes, texts: Sequence[str]) -> None:
        self._true[picture].update(texts)
        for text in texts:
            self._places.setdefault(text, len(self._places))

    def embed_images(self, images: list[PIL.Image.Image]) -> np.ndarray:
        """One place for each text; those that are true of the picture are 1."""
        found = np.zeros((len(images), self._room), np.float32)
        for row, image in enumerate(images):
            found[row, [self._places[text] for text in self._true[picture_bytes(image)]]] = 1
        return found

    def embed_texts(self, texts: list[str]) -> np.ndarray:
        """1 in the place of the text; those that are true of no picture share the last one."""
        found = np.zeros((len(texts), self._room), np.float32)
        for row, text in enumerate(texts):
            found[row, self._places.get(text, self._room - 1)] = 1
        return found

    def score_texts(self, items: list[tuple[list[PIL.Image.Image], str, list[str]]]) -> list[list[float]]:
        """0 for the right answer to the question that the prompt holds, less for any other text."""
        return [
            [0.0 if text.strip() in self._answers(images, prompt) else -20.0 for text in texts]
            for images, prompt, texts in items
        ]

    def generate(self, prompts: list[tuple[list[PIL.Image.Image], str]], settings: Generation) -> list[str]:
        """The right answer to the question that the prompt holds."""
        return [self._answers(images, prompt)[0] for images, prompt in prompts]

    def _answers(self, images: Pictures, prompt: str) -> Sequence[str]:
        asked = self._samples[b"".join(map(picture_bytes, images))]
        sample = max(asked, key=lambda each: (each.question in prompt) * (1 + len(each.question)))
        if sample.options:
            return [sample.options[index].label for index in sample.target]
        if self._family == "grounding":
            return [_place(reference) for reference in sample.references]
        return [self._classes[index] for index in sample.target] if self._classes else sample.references


def _place(reference: str) -> str:
    """Return a box in pixels, or a point that lies on every mask of the shelf."""
    return "(0.5, 0.5)" if reference.startswith("mask") else f"[{', '.join(reference.split())}]"
