"""METEOR 1.5: captions aligned by its authors' Java program, and its counts aggregated here."""

import importlib.util
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from mmbench.harness.errors import DataError, UsageError
from mmbench.harness.numerics.arrays import Floats

ALPHA, BETA, GAMMA, DELTA = 0.85, 0.20, 0.60, 0.75
"""English parameters of METEOR 1.5 (Denkowski and Lavie 2014): recall, fragmentation (2) and content words."""
MODULES = np.array([1.0, 0.6, 0.8, 0.6])
"""Weights of exact, stem, synonym and paraphrase matches."""
COLUMNS = 23
"""Numbers in an answer: lengths and function words of both sides, four of each module, chunks, matched words (2)."""
JAR = "meteor-1.5.jar"
SPACES = re.compile(r"[ \r\n]+")


def available() -> str | None:
    """Return None where METEOR can be run, else the reason in one sentence."""
    if _folder() is None:
        return "METEOR needs the program that pycocoevalcap carries: pip install 'mmbench[meteor]'"
    if shutil.which("java") is None:
        return "METEOR is a Java program and there is no java on the PATH: install a Java runtime"
    return None


def _folder() -> Path | None:
    spec = importlib.util.find_spec("pycocoevalcap")  # found, not imported
    places = spec.submodule_search_locations if spec else None
    return next((Path(place) / "meteor" for place in places or () if (Path(place) / "meteor" / JAR).is_file()), None)


@dataclass(frozen=True, slots=True)
class Meteor:
    """The running program, to which one caption at a time is sent."""

    process: subprocess.Popen[str]
    """With pipes both ways."""
    complaints: TextIO
    """A file with what it says on its standard error; a pipe that nobody reads could fill up."""

    @classmethod
    @contextmanager
    def running(cls) -> Iterator["Meteor"]:
        """Start the program, which takes seconds and 2 GB at most, and end it with the block, whatever happens.

        Raises UsageError where it is not available.
        """
        reason, folder, java = available(), _folder(), shutil.which("java")
        if reason or folder is None or java is None:
            raise UsageError(reason or "METEOR is not available")
        # Java lower-cases and reads numbers as the user's language does, unless told.
        language = ["-Duser.language=en", "-Duser.country=US"]
        command = [java, "-Xmx2G", *language, "-jar", JAR, "-", "-", "-stdio", "-l", "en", "-norm"]
        with (
            tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints,
            subprocess.Popen(  # noqa: S603 - no shell
                command,
                cwd=folder,  # it looks for its paraphrases beside itself
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                encoding="utf-8",
                errors="replace",
            ) as process,
        ):
            try:
                yield cls(process, complaints)
            finally:
                process.kill()
                process.communicate()  # minds no broken pipe

    def statistics(self, candidates: Sequence[str], references: Sequence[Sequence[str]]) -> Floats:
        """Return the (n, 6) statistics of n candidates that `meteor` aggregates, each against its best reference.

        Texts are tokens joined by a space, as COCO's evaluation feeds them; the program normalises them again. Raises
        DataError for an item without references and UsageError where the program fails.
        """
        if len(candidates) != len(references):
            raise DataError(f"{len(candidates)} candidates and references of {len(references)} items: give one of each")
        answers = [
            self._ask(position, candidate, given)
            for position, (candidate, given) in enumerate(zip(candidates, references, strict=True))
        ]
        return _sufficient(np.array(answers, dtype=np.float64).reshape(-1, COLUMNS))

    def _ask(self, position: int, candidate: str, references: Sequence[str]) -> list[float]:
        if len(references) == 0:
            raise DataError(f"the caption at position {position} has no reference: give it one or leave it out")
        line = " ||| ".join(["SCORE", *map(_plain, references), _plain(candidate)])
        answer = self._answer(line)
        try:
            numbers = [float(number) for number in answer.split()]
        except ValueError:
            numbers = []
        if len(numbers) != COLUMNS:
            raise UsageError(f"METEOR failed at the caption at position {position}: {self._last_words(answer)}")
        return numbers

    def _answer(self, line: str) -> str:
        to, back = self.process.stdin, self.process.stdout
        if to is None or back is None:
            return ""
        try:
            to.write(line + "\n")
            to.flush()
        except OSError:  # it has ended; what it said says why
            return ""
        return back.readline()

    def _last_words(self, answer: str) -> str:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(1)  # an empty answer comes before the end of the process
        self.complaints.seek(0)
        lines = [answer, *self.complaints.read().splitlines()]
        said = [line.strip() for line in lines if line.strip() and not line.startswith("Picked up JAVA")]
        return said[0] if said else "it ended without a word; check that `java -version` works"


def _plain(text: str) -> str:
    """Return the text on one line and without the separator of texts."""
    return SPACES.sub(" ", text.replace("|||", ""))


def _sufficient(answers: Floats) -> Floats:
    """Return (n, 6) what is linear in (n, 23) answers: weighted matches and lengths of both sides, chunks, matches.

    Sides stand in the order candidate, reference. A candidate that matches in full and in one piece has no chunk.
    """
    lengths, function = answers[:, 0:2], answers[:, 2:4]
    by_module = answers[:, 4:20].reshape(-1, 4, 2, 2)  # module, content or function word, side
    kinds = np.array([DELTA, 1 - DELTA])
    weighted = np.einsum("nmks,m,k->ns", by_module, MODULES, kinds)
    weighted_length = DELTA * (lengths - function) + (1 - DELTA) * function
    whole = (by_module.sum(axis=(1, 2)) == lengths).all(axis=1) & (answers[:, 20] == 1)
    chunks = np.where(whole, 0.0, answers[:, 20])
    return np.column_stack([weighted, weighted_length, chunks, answers[:, 21:23].mean(axis=1)])


def meteor(statistics: Floats, weights: Floats) -> Floats:
    """Return corpus METEOR in 0..1 from summed statistics, which is not the mean over items; 0 where nothing matches.

    `statistics` is (n, 6), from `Meteor.statistics`: weighted matches of candidate and reference, their weighted
    lengths, chunks, matched words; `weights` is (b, n). Returns (b,).

    >>> one = np.array([[0.75, 0.75, 1.5, 1.0, 1.0, 1.0]])  # P 1/2, R 3/4, all in one chunk of one word
    >>> meteor(one, np.ones((1, 1))).round(6)  # 0.375 / (0.15 x 0.75 + 0.85 x 0.5) x (1 - 0.6)
    array([0.27907])
    """
    return meteor_of_each(weights @ statistics)


def meteor_of_each(statistics: Floats) -> Floats:
    """Return (n,) METEOR of each item alone, in 0..1, from (n, 6) statistics."""
    matches, lengths, chunks, words = statistics[:, 0:2], statistics[:, 2:4], statistics[:, 4], statistics[:, 5]
    share = np.divide(matches, lengths, out=np.zeros_like(matches), where=lengths > 0)
    precision, recall = share.T
    below = (1 - ALPHA) * recall + ALPHA * precision
    mean = np.divide(precision * recall, below, out=np.zeros_like(below), where=below > 0)
    broken = np.divide(chunks, words, out=np.zeros_like(words), where=words > 0)
    return np.asarray(mean * (1 - GAMMA * broken**BETA))
