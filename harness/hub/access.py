"""Access to the hub: whether it may be asked at all, and whether it answers a short probe."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

SECONDS = 2.0
"""Time limit of the one check of the endpoint, name resolution and proxy included."""

_SECRETS = re.compile(r"hf_\w{8,}|(?<=://)[^/\s@]+@|\?\S+")
"""Tokens, users of addresses, and queries of addresses, which are signed."""

_ASKED_AGAIN = 5.0
"""Seconds after which an address that did not answer is asked again: the tasks of a suite are looked at one by one."""

_forbidden = False
_silent: dict[str, tuple[float, str | None]] = {}
"""Address to the time of the last look at it, and why it did not answer."""


@contextmanager
def network(*, allowed: bool) -> Iterator[None]:
    """While this lasts nothing asks the hub, unless it is allowed to; what the environment forbids stays forbidden."""
    global _forbidden  # noqa: PLW0603 - worker threads must see it, which a context variable does not reach
    before = _forbidden
    _forbidden = before or not allowed
    try:
        yield
    finally:
        _forbidden = before


def offline(asked: bool = False) -> bool:
    """Return whether the hub may not be asked: as the caller, the run (`--offline`) or `HF_HUB_OFFLINE` says."""
    from huggingface_hub import constants

    return asked or _forbidden or bool(constants.HF_HUB_OFFLINE)


def endpoint() -> str:
    """Return the address of the hub, that of `HF_ENDPOINT` where it is set."""
    from huggingface_hub import constants

    return str(constants.ENDPOINT)


def no_answer() -> str | None:
    """Return that the hub cannot be reached, through which proxy and why, or None where it answers."""
    address = endpoint()
    when, reason = _silent.get(address, (-_ASKED_AGAIN, None))
    if reason is None or time.monotonic() - when > _ASKED_AGAIN:
        reason = unreachable(address)
        _silent[address] = (time.monotonic(), reason)
    if reason is None:
        return None
    import urllib.request

    proxy = urllib.request.getproxies().get(address.partition(":")[0])
    through = f" through the proxy {proxy.rpartition('@')[2]}" if proxy else ""
    return without_secrets(f"{address} cannot be reached{through} ({reason})")


def without_secrets(text: str) -> str:
    """Return a text without tokens, users of addresses and signed queries.

    >>> without_secrets("Bearer hf_abcdefghijkl at https://me:pw@host/file?sig=1 ")
    'Bearer … at https://…host/file… '
    """
    return _SECRETS.sub("…", text)


def unreachable(url: str, seconds: float = SECONDS) -> str | None:
    """Return why `url` gives no answer within `seconds` in total, directly or by the environment's proxy, or None.

    Any answer below 500 counts: whether a file may be had is for the client to find out.
    """
    outcome: list[str | None] = []
    # Name resolution knows no timeout, so that only a thread that is left behind keeps the deadline.
    prober = Thread(target=lambda: outcome.append(_probe(url, seconds)), daemon=True)
    prober.start()
    prober.join(seconds)
    return outcome[0] if outcome else f"no answer within {seconds:g} s"


def failures() -> tuple[type[Exception], ...]:
    """Return the kinds of errors that the hub's client raises."""
    # The client's versions stand on different HTTP libraries; the parents of its own error name the one in use.
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError

    return (OSError, RuntimeError, ValueError, EntryNotFoundError, *HfHubHTTPError.__bases__)


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _probe(url: str, seconds: float) -> str | None:
    if not url.startswith(("http://", "https://")):
        return "not an http address"
    import http.client  # like the others only here: most runs ask no hub
    import ssl
    import urllib.error
    import urllib.request

    try:
        # An opener of its own: the module's shared one keeps the proxies of its first use. The scheme is checked above.
        with urllib.request.build_opener().open(urllib.request.Request(url, method="HEAD"), timeout=seconds):  # noqa: S310
            return None
    except urllib.error.HTTPError as error:
        return f"it answers {error.code}" if error.code >= 500 or error.code == 407 else None
    except urllib.error.URLError as error:
        # The client brings its own certificates: something answered, and that is all that is asked here.
        return None if isinstance(error.reason, ssl.SSLCertVerificationError) else str(error.reason)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return str(error) or type(error).__name__
