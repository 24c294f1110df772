"""Consent: what a model would send to a service is told before its first call, and sent where a person agrees."""

import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from mmbench.harness.engine.question import Question
from mmbench.harness.errors import MmbenchError, UsageError
from mmbench.harness.foreign import tamed
from mmbench.harness.models.abilities import Priced, Sends
from mmbench.harness.models.models import Model
from mmbench.harness.render.plain import plain
from mmbench.harness.run.plan import plan
from mmbench.harness.run.settings import RunSettings
from mmbench.harness.run.sitting import Sitting
from mmbench.harness.store.location import store_path
from mmbench.harness.store.store import Store
from mmbench.harness.tasks.task import Task

_LOOKED_AT = 32
"""Pictures whose sizes stand for those of all."""

_CHARACTERS = 4
"""Of a text in English, in one token."""


def check_consent(
    models: Sequence[Model], tasks: Sequence[Task], settings: RunSettings, *, store: Path | None, yes: bool
) -> None:
    """Tell on standard error what models would send to services, and ask unless `yes`.

    Raises UsageError where a person says no or cannot be asked, and where a limit cannot be kept.
    """
    sending = [model for model in models if isinstance(model.adapter, Sends)]
    if settings.max_cost is not None:
        for model in models:
            if isinstance(model.adapter, Priced) and model.adapter.token_cost(1, 1) is None:
                raise UsageError(
                    f"--max-cost needs to know what tokens of {model.label} cost: add ,price_in=X,price_out=Y (for a "
                    "million tokens), or ,prices=FILE"
                )
    if not sending:
        return
    told = False
    with closing(Store((store or store_path()).absolute())) as held:
        for model in sending:
            found = _Sending()
            for task in tasks:
                with suppress(MmbenchError):  # told when the task is asked
                    plan([model], [task], held, settings, found.hear)
            if found.requests:
                _tell(tamed(lambda found=found, model=model: found.sentence(model)))  # type: ignore[misc]
                told = True
    if told and not yes:
        _ask()


def consent_to_trial(model: Model, what: str, *, yes: bool) -> None:
    """Tell that a model would send `what`, where it sends anything, and ask unless `yes`. Raises UsageError."""
    adapter = model.adapter
    if isinstance(adapter, Sends):
        _tell(f"{model.label}: {what} would be sent {tamed(adapter.sends_to)}")
        if not yes:
            _ask()


def _tell(sentence: str) -> None:
    print(f"mmbench: {plain(sentence, 2000)}", file=sys.stderr, flush=True)


def _ask() -> None:
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("nothing was sent: give --yes (in Python yes=True) to consent where no person can be asked")
    print("Send this? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise UsageError("nothing was sent, as you said")


@dataclass(slots=True)
class _Sending:
    """What would leave this machine for one model."""

    requests: int = 0
    pictures: int = 0
    characters: int = 0
    reply_tokens: int = 0
    """At the most."""
    sizes: list[tuple[int, int]] = field(default_factory=list)
    """Width and height of the first pictures."""
    _seen: set[bytes] = field(default_factory=set)

    def hear(self, question: Question, sitting: Sitting, new: bool) -> None:  # noqa: ARG002, FBT001 - as `plan` tells
        """Count a question that would be sent, once."""
        if not new or question.key in self._seen:
            return
        self._seen.add(question.key)
        self.requests += 1
        self.pictures += len(question.contents)
        self.characters += len(question.prompt) + sum(map(len, question.texts))
        self.reply_tokens += 0 if question.texts else question.generation.max_tokens
        for content in question.contents:
            if len(self.sizes) < _LOOKED_AT:
                with suppress(MmbenchError):
                    self.sizes.append(content.decode().size)

    def sentence(self, model: Model) -> str:
        """Return what would be sent, and where."""
        adapter = model.adapter
        assert isinstance(adapter, Sends)  # noqa: S101 - for the type checker
        where = adapter.sends_to()
        each = [adapter.picture_tokens(*size) for size in self.sizes]
        tokens = self.characters // _CHARACTERS + int(self.pictures * sum(each) / max(len(each), 1))
        replies = self.reply_tokens + self.requests * int(getattr(adapter, "thinking_tokens", 0))
        cost = adapter.token_cost(tokens, replies) if isinstance(adapter, Priced) else None
        shown = f" with {self.pictures:,} pictures {adapter.pictures_sent()}," if self.pictures else ""
        paid = "" if cost is None else f", for at most about {cost:.3g} at the prices given"
        return (
            f"{model.label}: {self.requests:,} requests{shown} would be sent {where}; about {tokens:,} tokens, and at "
            f"most {replies:,} of replies{paid}"
        )
