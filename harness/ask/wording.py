"""Wording of a task's question on each route, all of it part of the protocol."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from mmbench.harness.digest import Json
from mmbench.harness.models.abilities import Generation
from mmbench.harness.replies.marks import Marks, lettered

ASK_WITH_OPTIONS = "{question}\n{options}\nAnswer with the letter of the right option only."
_BY_LETTER = "the letter of the right option"
_BY: Mapping[Marks, str] = {
    "(1)": "the number of the right option",
    "1.": "the number of the right option",
    "none": "the right option",
}

_WHICH = "Which of these does the picture show?"
_PLACEHOLDER = re.compile(r"\{(question|options|answer)\}")

Likelihood = Literal["sum", "mean", "pmi"]
"""How log-probabilities of texts are made comparable.

`sum`: as they are. `mean`: divided by the characters of the text (`acc_norm` of lm-evaluation-harness), since tokens
differ from model to model. `pmi`: less the log-probability of the same text beside the blind picture, which is what the
words owe to the picture (pointwise mutual information; Holtzman et al. 2021).
"""


@dataclass(frozen=True, slots=True)
class Wording:
    """The words around a question: the task-file keys `prompt`, `generation`, `phrasing`, `likelihood`, `marks`."""

    prompt: str = ASK_WITH_OPTIONS
    """What a model that writes is asked, with `{question}` and `{options}`."""
    generation: Generation = Generation(max_tokens=16)
    """How it writes."""
    phrasing: str = "{question} {answer}"
    """The text that stands for an answer where texts are ranked, with `{question}` and `{answer}`."""
    likelihood: Likelihood = "sum"
    """How likelihoods of texts are compared."""
    marks: Marks = "A."
    """How the prompt marks its options, and so what a reply may call them."""
    in_question: bool = False
    """True where the question lists the options with their marks itself."""

    @property
    def lists_options(self) -> bool:
        """True when the options are shown with their marks, so that a reply may name one by its mark."""
        return self.in_question or "{options}" in self.prompt

    def written(self, question: str, labels: Sequence[str] = ()) -> str:
        """Return the prompt for a model that writes.

        >>> Wording("{question}\\n{options}").written("Which is round?", ["a ball", "a box"])
        'Which is round?\\nA. a ball\\nB. a box'
        """
        asked = question or (_WHICH if labels else "")
        return _fill(self.prompt, {"question": asked, "options": lettered(labels, self.marks) if labels else ""})

    def embedded(self, question: str, answer: str) -> str:
        """Return the text whose vector stands for an answer.

        >>> Wording().embedded("What colour is it?", "red")
        'What colour is it? red'
        """
        return _fill(self.phrasing, {"question": question, "answer": answer}).strip()

    def continued(self, question: str, answers: Sequence[str]) -> tuple[str, tuple[str, ...]]:
        """Return prompt and texts where likelihoods are compared: the phrasing, cut in two where the answer begins.

        >>> Wording().continued("What colour is it?", ["red", "blue"])
        ('What colour is it?', ('red', 'blue'))
        """
        before, _, after = self.phrasing.partition("{answer}")
        texts = [_fill("{answer}" + after, {"question": question, "answer": answer}).strip() for answer in answers]
        return _fill(before, {"question": question}).strip(), tuple(texts)

    @property
    def mentions_question(self) -> bool:
        """True when the texts of an answer differ from question to question."""
        return "{question}" in self.phrasing

    def as_json(self) -> dict[str, Json]:
        """Return what the protocol id is made of."""
        written = self.generation
        return {
            "prompt": self.prompt,
            "generation": [written.max_tokens, written.temperature, list(written.stop)],
            "phrasing": self.phrasing,
            "likelihood": self.likelihood,
            **({} if self.marks == "A." else {"marks": self.marks}),
            **({"in_question": True} if self.in_question else {}),
        }


DEFAULT = Wording(phrasing="{answer}")
"""For options whose phrasings are whole texts already, such as filled prompt templates."""


def ask_with_options(marks: Marks) -> str:
    """Return the prompt that lists options marked in this way, and asks for a mark alone.

    >>> ask_with_options("(1)").splitlines()[-1]
    'Answer with the number of the right option only.'
    """
    return ASK_WITH_OPTIONS.replace(_BY_LETTER, _BY.get(marks, _BY_LETTER))


def _fill(pattern: str, values: Mapping[str, str]) -> str:
    # In one pass: a question may hold braces of its own.
    texts, names = _parts(pattern)
    return texts[0] + "".join([values.get(name, "") + text for name, text in zip(names, texts[1:], strict=True)])


@lru_cache(maxsize=64)  # a task has three patterns, filled for each of its items
def _parts(pattern: str) -> tuple[list[str], list[str]]:
    """Return the texts of a pattern, and the names of the placeholders between them."""
    parts = _PLACEHOLDER.split(pattern)
    return parts[::2], parts[1::2]
