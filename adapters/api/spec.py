"""Spec of a served model: its name, its address and how it is asked, read from what follows `api:`."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from mmbench.adapters.api.prices import Prices, read_prices
from mmbench.harness.errors import UsageError, nearest
from mmbench.harness.models.places import POINT_CONVENTIONS
from mmbench.harness.render.plain import plain
from mmbench.harness.replies.boxes import CONVENTIONS

OPENAI = "https://api.openai.com/v1"
KEY = "OPENAI_API_KEY"
"""Environment variable of the key, where none is named."""

_OPTION = re.compile(r",([a-z_]+)=([^,=]*)$")
_ADDRESS = re.compile(r"@(?=https?://)")
_NAME = re.compile(r"[\w.:/@+-]{1,200}")
_NO_SCHEME = re.compile(r"@(?:localhost|[\w.-]+:\d{2,5})(?:/|$)|@.*/v\d+/?$")
"""What looks like an address and is none."""
_VERSION = re.compile(r"api-version=[\w.-]{1,40}")
_VARIABLE = re.compile(r"[A-Za-z_]\w{0,99}")
_LEAST_SIDE, _MOST_SIDE = 16, 8192

LEAVABLE = ("temperature", "seed", "stop", "max_tokens")
"""Parameters that may be left out of a request."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a service is."""

    secure: bool
    host: str
    port: int
    path: str
    query: str = ""
    """Behind each path, with its `?`: the version of an interface, as Azure wants it."""

    @property
    def origin(self) -> str:
        """Scheme, host and port, as a person writes them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = 443 if self.secure else 80
        return f"http{'s' * self.secure}://{host}{'' if self.port == usual else f':{self.port}'}"

    @property
    def loopback(self) -> bool:
        """True where nothing leaves this machine."""
        try:
            at = ip_address(self.host)
            return at.is_loopback or at.is_unspecified  # 0.0.0.0, as servers print where they listen
        except ValueError:
            return self.host == "localhost"


@dataclass(frozen=True, slots=True)
class Pictures:
    """How pictures are sent."""

    max_side: int = 2048
    """Pixels of the longer side at the most; smaller pictures stay as they are."""
    format: str = "png"
    quality: int | None = None
    """Of JPEG."""
    detail: str | None = None
    """What the service is asked to look at them with."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often is asked, and for how long."""

    concurrency: int = 8
    """Requests under way at a time."""
    retries: int = 8
    """Further tries of a question after the first."""
    backoff: float = 0.5
    """Seconds before the second try at the most; each further wait is twice as long, up to half a minute."""
    timeout: float = 300.0
    """Seconds for one try."""
    deadline: float = 1800.0
    """Seconds for a question with all its tries and waits."""
    rpm: float | None = None
    """Requests a minute."""
    tpm: float | None = None
    """Tokens a minute."""


@dataclass(frozen=True, slots=True)
class Spec:
    """A served model."""

    model: str
    address: Address
    key_env: str | None = None
    """Environment variable that must hold the key; None: `KEY`, where it is set."""
    snapshot: str = ""
    """The only version of the model that is asked."""
    pictures: Pictures = Pictures()
    pace: Pace = Pace()
    prices: Prices = Prices()
    seed: int | None = None
    thinking: int = 0
    """Tokens that a reply may have besides those of the task, for thoughts."""
    reasoning_effort: str | None = None
    without: tuple[str, ...] = ()
    """Parameters that are not sent."""
    boxes: str | None = None
    """Convention by which the model writes boxes."""
    points: str | None = None
    """Convention by which it writes points, where that is another."""
    likelihood: bool = False
    """Whether texts are scored through the completions of the service."""


def label(rest: str) -> str:
    """Return the name under which results of a spec stand, without address, options or folders.

    >>> label("gpt-4o,max_side=512"), label("Qwen/Qwen3-VL@http://127.0.0.1:8000/v1,rpm=3"), label("/home/me/tiny")
    ('gpt-4o', 'Qwen/Qwen3-VL', 'tiny')
    """
    model, _, _ = _parts(rest)
    return PurePosixPath(model).name if model.startswith(("/", "~", ".")) else model


def parse(rest: str) -> Spec:
    """Return what the text behind `api:` says. Raises UsageError, which never repeats an address with a secret."""
    model, url, options = _parts(rest)
    if "://" in model or _NO_SCHEME.search(model):  # else it would be asked of another service, as a name
        raise UsageError(
            "api: the address behind @ must begin with http:// or https://, as in api:MODEL@http://HOST/v1"
        )
    if not _NAME.fullmatch(model):
        raise UsageError(
            "api: must be api:MODEL or api:MODEL@http://HOST:PORT/v1, with options behind commas, as in ,concurrency=4"
        )
    return _Reader(model, options).spec(address(url) if url else _usual_address())


def _usual_address() -> Address:
    """Return the address of a spec that has none. Raises UsageError."""
    try:
        return address(os.environ.get("OPENAI_BASE_URL", "").strip() or OPENAI)
    except UsageError as error:
        raise UsageError(f"the environment variable OPENAI_BASE_URL: {error}") from error


def address(url: str) -> Address:
    """Return the parts of an address. Raises UsageError, without the address where it may hold a secret."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError("api: the address behind @ is none; it must be like http://HOST:PORT/v1") from error
    secret = parts.query and not _VERSION.fullmatch(parts.query)
    if parts.username is not None or parts.password is not None or secret or parts.fragment or "@" in url:
        raise UsageError(
            "api: an address holds no user, no password and nothing behind ? or # (but ?api-version=), which others "
            "would see; put the key in an environment variable and name that, as in ,key_env=MY_KEY"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[\x00-\x20\x7f]", url):
        raise UsageError("api: the address behind @ must be like http://HOST:PORT/v1 or https://HOST/v1")
    secure = parts.scheme == "https"
    path = parts.path.rstrip("/").removesuffix("/chat/completions")
    query = f"?{parts.query}" if parts.query else ""
    return Address(secure, parts.hostname, port or (443 if secure else 80), path, query)


def _parts(rest: str) -> tuple[str, str, dict[str, list[str]]]:
    """Return model, address and options. Raises UsageError."""
    options: dict[str, list[str]] = {}
    while match := _OPTION.search(rest):
        if _ADDRESS.search(match[2]):
            raise UsageError("api: options stand behind the address, as in api:MODEL@http://HOST:PORT/v1,concurrency=4")
        options.setdefault(match[1], []).append(match[2])
        rest = rest[: match.start()]
    model, *url = _ADDRESS.split(rest, maxsplit=1)
    return model, url[0] if url else "", options


@dataclass(slots=True)
class _Reader:
    """Options, each taken once and checked."""

    model: str
    given: Mapping[str, list[str]]
    known: list[str] = field(default_factory=list)

    def spec(self, place: Address) -> Spec:
        """Return the whole spec. Raises UsageError."""
        quality = self.whole("quality", 1, 100)
        form = self.one_of("format", ("png", "jpeg")) or ("png" if quality is None else "jpeg")
        if form == "png" and quality is not None:
            raise self.wrong("quality is of JPEG; PNG keeps every pixel as it is")
        pictures = Pictures(
            self.whole("max_side", _LEAST_SIDE, _MOST_SIDE) or Pictures().max_side,
            form,
            90 if form == "jpeg" and quality is None else quality,
            self.one_of("detail", ("low", "high", "auto")),
        )
        usual = Pace()
        retries = self.whole("retries", 0, 100)
        pace = Pace(
            self.whole("concurrency", 1, 512) or usual.concurrency,
            usual.retries if retries is None else retries,
            self.number("backoff") or usual.backoff,
            self.number("timeout") or usual.timeout,
            self.number("deadline") or usual.deadline,
            self.number("rpm"),
            self.number("tpm"),
        )
        key_env = self.text("key_env")
        if key_env is not None and not _VARIABLE.fullmatch(key_env):
            raise self.wrong("key_env is the name of an environment variable, never a key itself")
        without = tuple(sorted(filter(None, (self.text("without") or "").split("+"))))
        if unknown := [name for name in without if name not in LEAVABLE]:
            raise self.wrong(f"without takes {', '.join(LEAVABLE)}, joined by +, not {plain(unknown[0], 40)}")
        spec = Spec(
            self.model,
            place,
            key_env,
            self.text("snapshot") or "",
            pictures,
            pace,
            self.prices(),
            self.whole("seed", 0, 2**31 - 1),
            self.whole("thinking", 0, 1_000_000) or 0,
            self.text("reasoning_effort"),
            without,
            self.one_of("boxes", CONVENTIONS),
            self.one_of("points", POINT_CONVENTIONS),
            self.one_of("likelihood", ("completions",)) is not None,
        )
        for name, values in self.given.items():
            if name not in self.known:
                raise self.wrong(f"there is no option {plain(name, 40)}{nearest(name, self.known)}")
            if len(values) > 1:
                raise self.wrong(f"{name} is given twice")
        return spec

    def prices(self) -> Prices:
        """Return the prices that are given, as numbers or as a file."""
        file, given, made = self.text("prices"), self.number("price_in", 0.0), self.number("price_out", 0.0)
        if file is not None:
            if given is not None or made is not None:
                raise self.wrong("prices are given as price_in and price_out or as a file, not as both")
            return read_prices(file, self.model)
        if (given is None) != (made is None):
            raise self.wrong("price_in and price_out are given together, for a million tokens each")
        return Prices(given, made)

    def text(self, name: str) -> str | None:
        """Return an option as it was written."""
        self.known.append(name)
        found = self.given.get(name)
        return found[0] if found else None

    def whole(self, name: str, least: int, most: int) -> int | None:
        """Return an option that is a whole number."""
        found = self.text(name)
        if found is None:
            return None
        if not (found.isascii() and found.isdigit() and len(found) < 12 and least <= int(found) <= most):
            raise self.wrong(f"{name} is a whole number from {least} to {most}")
        return int(found)

    def number(self, name: str, least: float = 0.001) -> float | None:
        """Return an option that is a number."""
        found = self.text(name)
        if found is None:
            return None
        if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", found) or float(found) < least:
            raise self.wrong(f"{name} is a number{' above 0' if least else ''}, such as 2.5")
        return float(found)

    def one_of(self, name: str, known: tuple[str, ...]) -> str | None:
        """Return an option of a few words."""
        found = self.text(name)
        if found is not None and found not in known:
            raise self.wrong(f"{name} is {' or '.join(known)}")
        return found

    def wrong(self, reason: str) -> UsageError:
        """Return the error of an option."""
        return UsageError(f"api:{plain(self.model, 80)}: {reason}")
