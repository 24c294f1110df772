"""Questions written to a folder, for another program to answer: one JSON line each, and the pictures they show."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmbench.harness.digest import Json
from mmbench.harness.engine.kinds.image import IMAGE
from mmbench.harness.engine.kinds.kind import Kind
from mmbench.harness.engine.kinds.reply import REPLY
from mmbench.harness.engine.kinds.score import SCORE
from mmbench.harness.engine.kinds.text import TEXT
from mmbench.harness.engine.kinds.video import VIDEO
from mmbench.harness.engine.question import Question
from mmbench.harness.errors import Unreadable, UsageError
from mmbench.harness.media.image import Content
from mmbench.harness.media.pixels import digest_of
from mmbench.harness.records.files import write_whole
from mmbench.harness.run.sitting import Sitting

FILE = "questions.jsonl"
_PICTURES = "pictures"
_ASKED: Mapping[Kind, str] = {IMAGE: "vector", TEXT: "vector", SCORE: "scores", REPLY: "reply"}
"""The key under which a line is to be answered."""


class Questions:
    """Distinct questions of the tasks of a run, held until they are written.

    A picture is kept as a PNG named by the digest of what it shows, by which its answers are found again.
    """

    def __init__(self, folder: Path) -> None:
        """Raise UsageError where the folder has something already: it may be answers."""
        self._folder = folder
        self._lines: dict[bytes, dict[str, Json]] = {}
        self._items: dict[bytes, list[Json]] = {}
        self._pictures: dict[str, str] = {}
        self.left_out = 0
        """Questions that no file can answer: prompts to be learnt."""
        try:
            if folder.exists() and any(folder.iterdir()):
                raise UsageError(f"{folder} is not empty; name a new folder for the questions")
            (folder / _PICTURES).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{folder} cannot be written ({error.strerror or error})") from error

    def add(self, question: Question, sitting: Sitting, new: bool = True) -> None:  # noqa: ARG002, FBT001 - as `plan` tells
        """Keep a question whose pictures are read, with the item that asks it. A picture that is broken is left out.

        Of a clip that is embedded whole each frame is asked: a recording has vectors of pictures.
        """
        if question.kind is VIDEO:
            for frame in question.of_each(IMAGE):
                self.add(frame, sitting)
            return
        if question.kind not in _ASKED:
            self.left_out += 1
            return
        if question.key not in self._lines:
            try:
                shown = [self._picture(content) for content in question.contents]
            except Unreadable:  # an error of its item, whatever is answered
                return
            self._lines[question.key] = _line(question, shown)
            self._items[question.key] = []
        if question.item:
            control = {"control": sitting.control} if sitting.control else {}
            self._items[question.key].append({"task": sitting.task.reference, "id": question.item, **control})

    def write(self) -> str:
        """Write the file of questions and return what is there, as a sentence. Raises UsageError."""
        made = [
            {**line, **({"items": self._items[key]} if self._items[key] else {})} for key, line in self._lines.items()
        ]
        file = self._folder / FILE
        try:
            write_whole(file, "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in made))
        except OSError as error:
            raise UsageError(f"{file} cannot be written ({error.strerror or error})") from error
        asked = " or ".join(dict.fromkeys(f"'{line['ask']}'" for line in made))
        left = f"; {self.left_out:,} prompts to be learnt are left out" if self.left_out else ""
        return (
            f"{len(made):,} questions about {len(self._pictures):,} pictures are in {file}{left}; add {asked} to each "
            f"line, and run --model replay:{file}"
        )

    def _picture(self, content: Content) -> str:
        if content.digest not in self._pictures:
            pixels = content.decode()
            name = f"{_PICTURES}/{digest_of(pixels)}.png"
            if not (self._folder / name).exists():
                pixels.save(self._folder / name)
            self._pictures[content.digest] = name
        return self._pictures[content.digest]


def _line(question: Question, shown: Sequence[str]) -> dict[str, Json]:
    line: dict[str, Json] = {"ask": _ASKED[question.kind]}
    if question.kind is TEXT:
        return {**line, "text": question.texts[0]}
    line["images"] = list(shown)
    if question.kind is IMAGE:
        return line
    if question.clips:
        line["clips"] = [
            {"first": clip.first, "frames": clip.count, "timestamps": clip.timestamps and list(clip.timestamps)}
            for clip in question.clips
        ]
    line["prompt"] = question.prompt
    if question.kind is SCORE:
        return {**line, "texts": list(question.texts)}
    written = question.generation
    settings: Json = {
        "max_tokens": written.max_tokens,
        "temperature": written.temperature,
        "stop": list(written.stop),
    }
    return {**line, "generation": settings}
