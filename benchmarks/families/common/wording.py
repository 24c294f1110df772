"""Prompt wording keys of task files, shared by the generative families."""

import re
from collections.abc import Collection
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from mmbench.benchmarks.families.common.groupings import GroupOption
from mmbench.harness.ask.wording import Likelihood, Wording
from mmbench.harness.errors import DataError, nearest
from mmbench.harness.models.abilities import Generation
from mmbench.harness.replies.marks import Marks

MarksOption = Annotated[Marks, BeforeValidator(lambda given: "1." if type(given) is float and given == 1.0 else given)]
"""How options are marked; YAML reads an unquoted `1.` as a number."""

_PLACEHOLDER = re.compile(r"\{(\w*)\}")


class GenerationOptions(BaseModel):
    """Generation settings; what is left out is the family's default."""

    model_config = ConfigDict(extra="forbid")

    max_tokens: int | None = Field(default=None, ge=1)
    temperature: float = Field(default=0.0, ge=0.0)
    stop: list[str] = []


class WordingOptions(BaseModel):
    """The task-file keys of every family whose questions are worded."""

    model_config = ConfigDict(extra="forbid")

    prompt: str | None = None
    """Prompt of the generate route."""
    generation: GenerationOptions = GenerationOptions()
    """Generation settings of the generate route."""
    phrasing: str = "{question} {answer}"
    """The text that stands for an answer on the ranking routes."""
    likelihood: Likelihood = "sum"
    """Normalisation of the likelihoods of texts."""


class ChoiceOptions(WordingOptions):
    """The keys of families whose prompt lists options."""

    marks: MarksOption = "A."
    """How the prompt marks its options: `A.`, `(A)`, `(1)`, `1.` or `none`."""
    group: GroupOption | None = None
    """Items that count together only where all are right: so many rows in turn, places of these, columns in which they
    agree, or the rest of a number; or several such groupings by their names."""


def wording(
    options: WordingOptions,
    prompt: str,
    max_tokens: int,
    *,
    required: Collection[str] = (),
    known: Collection[str] = ("question", "options"),
    in_question: bool = False,
) -> Wording:
    """Return how the task asks; `prompt` and `max_tokens` are the family's defaults, and with `in_question` the
    question lists the options itself.

    Raises DataError for a placeholder of the prompt that is not among `known`, or one of `required` that it lacks.
    """
    worded = prompt if options.prompt is None else options.prompt
    check_placeholders("prompt", worded, known, required)
    check_placeholders("phrasing", options.phrasing, ("question", "answer"), ("answer",))
    marks: Marks = options.marks if isinstance(options, ChoiceOptions) else "A."
    if marks not in ("A.", "none") and not in_question and "options" not in _PLACEHOLDER.findall(worded):
        raise DataError(f"`marks: {marks}` needs the placeholder {{options}} in `prompt`")
    given = options.generation
    generation = Generation(given.max_tokens or max_tokens, given.temperature, tuple(given.stop))
    return Wording(worded, generation, options.phrasing, options.likelihood, marks, in_question)


def check_placeholders(
    key: Literal["prompt", "phrasing"], text: str, known: Collection[str], required: Collection[str]
) -> None:
    """Raise DataError for a placeholder that is not among `known`, or one of `required` that is not there."""
    found = _PLACEHOLDER.findall(text)
    for name in found:
        if name not in known:
            placeholders = " and ".join(f"{{{each}}}" for each in known) or "none"
            raise DataError(f"`{key}` has the placeholder {{{name}}}, and knows {placeholders}{nearest(name, known)}")
    for name in required:
        if name not in found:
            raise DataError(f"`{key}` must have the placeholder {{{name}}}")
