"""What went wrong with the hub, as one sentence that says what to do."""

import errno
from collections.abc import Iterator

from mmbench.harness.errors import DataUnavailable
from mmbench.harness.hub.access import endpoint, first_line, without_secrets

_TIMEOUTS = frozenset(("TimeoutException", "Timeout", "TimeoutError"))
"""Of the HTTP libraries on which the client's versions stand."""
_OF_OTHERS = frozenset(("JSONDecodeError", "FileMetadataError"))
"""What the client raises of an answer that no hub gives."""
_PAGE = "what answers is not the hub; does a proxy send a page of its own (log in there), or is HF_ENDPOINT wrong?"
_LOG_IN = "log in with `hf auth login` or set HF_TOKEN"


def explained(error: Exception, name: str, what: str) -> DataUnavailable:
    """Return the error of a data set `name` of which `what` was asked, without tokens and signed addresses."""
    return DataUnavailable(without_secrets(f"{what} cannot be fetched: {_sentence(error, name)}"))


def _sentence(error: Exception, name: str) -> str:
    causes = [*_causes(error)]
    kinds = {kind.__name__ for cause in causes for kind in type(cause).__mro__}
    status = next((found for cause in causes if (found := _status(cause)) is not None), 0)
    page = f"{endpoint()}/datasets/{name}"
    codes = {cause.errno for cause in causes if isinstance(cause, OSError)}
    full = bool(codes & {errno.ENOSPC, errno.EDQUOT})
    closed = bool(codes & {errno.EACCES, errno.EPERM, errno.EROFS})
    # The hub also says 401 of what does not exist, to whoever is not logged in.
    denied = "" if status == 404 else f", or it is private or gated: {_LOG_IN}"
    gone = "EntryNotFoundError" in kinds and "LocalEntryNotFoundError" not in kinds
    ways = (
        (full, "the disk is full; free some space, or set HF_HOME to a larger disk"),
        (closed, "the hub's cache cannot be written; set HF_HOME to a folder that you may write to"),
        ("GatedRepoError" in kinds or status == 403, f"it is gated; accept its terms at {page}, and {_LOG_IN}"),
        ("RevisionNotFoundError" in kinds, f"{name} has no such revision; name one of {page}/commits/main"),
        (gone, "the hub lists it and does not have it; run again later, or name another `revision`"),
        (status in (401, 404), f"the hub has no data set {name}{denied}; see {page}"),
        (status == 429, f"the hub was asked too often (429); wait some minutes, or {_LOG_IN}, and run again"),
        (status >= 500, f"the hub answers {status}; run again later, what was fetched is kept"),
        (bool(kinds & _OF_OTHERS), _PAGE),
        (bool(kinds & _TIMEOUTS), "the hub stopped answering; run again, what was fetched is kept"),
    )
    other = f"{first_line(causes[-1])}; run again, what was fetched is kept"
    return next((sentence for holds, sentence in ways if holds), other)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__


def _status(error: BaseException) -> int | None:
    code = getattr(getattr(error, "response", None), "status_code", None)
    return code if isinstance(code, int) else None
