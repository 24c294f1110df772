"""Adapter of models that an OpenAI-compatible service runs: `api:MODEL` and `api:MODEL@http://HOST:PORT/v1`."""

import json
import os
import re
from collections.abc import Callable
from functools import cached_property
from typing import Any

import PIL.Image

from mmbench.adapters.api import answers, pictures
from mmbench.adapters.api.completions import score
from mmbench.adapters.api.failures import Again, Declined, Misplaced, Rejected
from mmbench.adapters.api.patience import Patience
from mmbench.adapters.api.spec import KEY, Address, Spec, parse
from mmbench.adapters.api.wire import Wire
from mmbench.harness.digest import digest_json
from mmbench.harness.errors import Unanswered, Unavailable, UsageError
from mmbench.harness.models.abilities import Generation, Prepared
from mmbench.harness.models.reply import Reply, Told
from mmbench.harness.replies.coordinates import resized

ADAPTER_VERSION = 1
"""Raised whenever the same questions would be sent otherwise."""

_LONGEST_REPLY = ("max_completion_tokens", "max_tokens")
"""Names of one parameter: services take one of them, or both."""


class Served:
    """A model behind an address. It writes and, where the service is known to tell them, gives likelihoods of texts.

    Nothing is sent before the first question. It is asked in `concurrency` threads.
    """

    takes_text_alone = True
    prepares_once = True
    device = "remote"

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self.asked_for = spec.model
        self.concurrency = spec.pace.concurrency
        self.thinking_tokens = spec.thinking
        self._wire = Wire(spec.address)
        self._patience = Patience(spec.pace)
        self._length = "max_tokens"
        """How this service calls the longest reply, as far as it is known."""

    def __repr__(self) -> str:
        return f"Served({self._spec.model!r} at {self._spec.address.origin})"

    @cached_property
    def fingerprint(self) -> str:
        """Identity: the model's name, and all that changes what it is sent. Neither address nor prices."""
        spec = self._spec
        sent = spec.pictures
        return digest_json(
            {
                "adapter": ["api", ADAPTER_VERSION],
                "model": spec.model,
                "snapshot": spec.snapshot,
                "pictures": [sent.max_side, sent.format, sent.quality, sent.detail],
                "seed": spec.seed,
                "thinking": spec.thinking,
                "reasoning_effort": spec.reasoning_effort,
                "without": list(spec.without),
                **{name: told for name, told in (("boxes", spec.boxes), ("points", spec.points)) if told},
            }
        )

    @property
    def notes(self) -> list[str]:
        """What of a task's settings is not sent."""
        left = self._spec.without
        return [f"asked without {', '.join(left)}, which the service was not sent"] if left else []

    def sends_to(self) -> str:
        """Return where everything is sent. Raises UsageError where a key lacks or cannot be one."""
        spec = self._spec
        key = f"with the key in {spec.key_env or KEY}" if self._key() else "without a key"
        clear = " in clear text" if not spec.address.secure and not spec.address.loopback else ""
        proxy = f", through the proxy {self._wire.proxy!r}" if self._wire.proxy else ""
        return f"to {spec.address.origin}{clear} ({key}{proxy})"

    @property
    def boxes(self) -> str | None:
        """Convention by which the model writes boxes, as the option says; None where it does not."""
        return self._spec.boxes

    @property
    def points(self) -> str | None:
        """Convention by which it writes points, where that is another."""
        return self._spec.points

    def picture_size(self, width: int, height: int) -> tuple[int, int]:
        """Return the size in which a picture is sent, and where its convention is Qwen2.5-VL's, is resized there."""
        sent = pictures.sent_size(width, height, self._spec.pictures)
        return resized(*sent) if "qwen2.5-vl" in (self.boxes, self.points) else sent

    def pictures_sent(self) -> str:
        """Return how pictures are sent."""
        return pictures.described(self._spec.pictures)

    def picture_tokens(self, width: int, height: int) -> int:
        """Return about how many tokens a picture takes."""
        return pictures.tokens(width, height, self._spec.pictures)

    def token_cost(self, input_tokens: int, output_tokens: int) -> float | None:
        """Return what so many tokens cost; None where no prices were given."""
        return self._spec.prices.of(input_tokens, output_tokens)

    def prepare_image(self, image: PIL.Image.Image) -> Prepared:
        """Return a picture as it is sent."""
        return pictures.encoded(image, self._spec.pictures)

    def generate(self, prompts: list[tuple[list[Prepared], str]], settings: Generation) -> list[str]:
        """Return one reply a prompt; what a filter stopped is a refused one.

        Raises TooLong, Unanswered and Unavailable.
        """
        return [self._written(shown, prompt, settings) for shown, prompt in prompts]

    @property
    def score_texts(self) -> Callable[[list[tuple[list[Prepared], str, list[str]]]], list[list[float]]] | None:
        """For each item the log-probability of each text; None unless `,likelihood=completions` asks for it."""
        return self._scored if self._spec.likelihood else None

    def _scored(self, items: list[tuple[list[Prepared], str, list[str]]]) -> list[list[float]]:
        def post(body: dict[str, Any]) -> Any:
            return self._patience.ask(lambda seconds: self._posted("/completions", body, seconds), len(str(body)) // 4)

        return [score(self._spec.model, shown, prompt, texts, post) for shown, prompt, texts in items]

    def _written(self, shown: list[Prepared], prompt: str, settings: Generation) -> Reply:
        content: Any = prompt
        if shown:
            detail = {"detail": self._spec.pictures.detail} if self._spec.pictures.detail else {}
            content = [{"type": "image_url", "image_url": {"url": each.decode("ascii"), **detail}} for each in shown]
            content += [{"type": "text", "text": prompt}] if prompt else []
        about = len(prompt) // 4 + 1000 * len(shown) + settings.max_tokens + self._spec.thinking

        def attempt(seconds: float) -> Reply:
            body = {
                "model": self._spec.model,
                "messages": [{"role": "user", "content": content}],
                **self._settings(settings),
            }
            return answers.reply(self._posted("/chat/completions", body, seconds))

        try:
            made = self._patience.ask(attempt, about)
        except Declined as error:
            return Reply(str(error), Told(refused=True))
        except Unanswered as error:
            if len(shown) < 2 or "image" not in str(error).lower():  # what servers say of too many
                raise
            raise Unanswered(
                f"{error}; {len(shown)} pictures were sent, and of a clip the task's `frames` can take fewer"
            ) from error
        if made.told.usage is not None:
            self._patience.correct(sum(made.told.usage) - about)
        if self._spec.snapshot and made.told.snapshot != self._spec.snapshot:
            raise Unavailable(
                f"the server answers with '{made.told.snapshot}', and ,snapshot= asks for '{self._spec.snapshot}'"
            )
        return made

    def _settings(self, settings: Generation) -> dict[str, Any]:
        spec = self._spec
        sent: dict[str, Any] = {
            self._length: settings.max_tokens + spec.thinking,
            "temperature": settings.temperature,
        }
        if settings.stop:
            sent["stop"] = list(settings.stop)
        if spec.seed is not None:
            sent["seed"] = spec.seed
        if spec.reasoning_effort is not None:
            sent["reasoning_effort"] = spec.reasoning_effort
        left = {*spec.without, *(_LONGEST_REPLY if "max_tokens" in spec.without else ())}
        return {name: value for name, value in sent.items() if name not in left}

    def _posted(self, path: str, body: dict[str, Any], seconds: float) -> Any:
        """Return the JSON of an answer. The other name of the longest reply is tried once, and remembered."""
        key = self._key()
        headers = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity"}
        headers |= _with_key(key, self._spec.address) if key else {}
        try:
            return answers.accepted(self._wire.post(path, json.dumps(body).encode(), headers, seconds), body, key)
        except Misplaced as error:
            way = "" if re.search(r"/v\d", self._spec.address.path) else "; most have it at /v1: @http://HOST:PORT/v1"
            raise Misplaced(f"{error}{way}") from error
        except Rejected as error:
            other = next((name for name in _LONGEST_REPLY if name != error.name), "")
            if error.name == self._length and other in str(error):
                self._length = other
                raise Again(str(error)) from error
            way = f"; ,without={error.name} asks without it" if error.name in ("temperature", "seed", "stop") else ""
            raise Unavailable(f"the server does not take {error.name}: {error}{way}") from error

    def _key(self) -> str:
        """Return the key, read anew each time so that nothing holds it; empty for none. Raises UsageError."""
        name = self._spec.key_env or KEY
        key = os.environ.get(name, "").strip()
        if len(key) > 1 and key[0] == key[-1] and key[0] in "\"'":  # as a file of variables has it that no shell read
            key = key[1:-1].strip()
        if not key and (self._spec.key_env or self._spec.address.host == "api.openai.com"):
            raise UsageError(f"the environment variable {name} must hold the key of {self._spec.address.origin}")
        if key and not (key.isascii() and key.isprintable() and " " not in key):
            raise UsageError(f"what the environment variable {name} holds is no key: it has spaces or other characters")
        return key


def _with_key(key: str, address: Address) -> dict[str, str]:
    """Return the header of a key. Azure's addresses of deployments take a token as others do, and a key by its name."""
    named = address.query and not key.startswith("eyJ")
    return {"api-key": key} if named else {"Authorization": f"Bearer {key}"}


def from_spec(rest: str, *, device: str, dtype: str, offline: bool) -> Served:
    """Return the adapter for what follows `api:`; nothing is sent. Raises UsageError.

    `device` and `dtype` are the service's own.
    """
    spec = parse(rest)
    if offline and not spec.address.loopback:
        raise UsageError(f"--offline: {spec.address.origin} is not on this machine, and nothing would be sent there")
    return Served(spec)
