"""Pieces: each data set of a task and each model, with what of it is not here and under what terms it may be had."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mmbench.harness.digest import Json
from mmbench.harness.errors import MmbenchError
from mmbench.harness.foreign import described, tamed
from mmbench.harness.hub.access import endpoint, network, offline
from mmbench.harness.hub.needed import Needed
from mmbench.harness.hub.terms import terms_of_model
from mmbench.harness.models.abilities import Downloads, Hosted
from mmbench.harness.models.models import Model
from mmbench.harness.tasks.task import Task

_NAMED = 3
"""Files that a sentence names."""
_NOT_HERE = "its weights are not in the hub's cache (HF_HOME)"


@dataclass(slots=True)
class Piece:
    """What one task, or one model, needs of one repository of the hub."""

    what: str
    """`task` or `model`."""
    name: str
    """The task's reference, or the model's label."""
    source: str = ""
    """`ORG/NAME` on the hub."""
    commit: str = ""
    bytes: int | None = None
    """Of all its files; None: unknown."""
    missing: int | None = None
    """Bytes that are not here; None: unknown."""
    licence: str = ""
    gate: str = ""
    """What must be done before it may be had; empty: nothing that is known."""
    problem: str = ""
    """Why it is not whole, and what to do."""
    needed: Needed | None = field(default=None, repr=False)
    model: Model | None = field(default=None, repr=False)

    def as_json(self) -> dict[str, Json]:
        """Return it as JSON holds it."""
        names = ("what", "name", "source", "commit", "bytes", "missing", "licence", "gate", "problem")
        return {name: getattr(self, name) for name in names}


def pieces_of(tasks: Sequence[Task], models: Sequence[Model]) -> list[Piece]:
    """Return what tasks and models need of the hub; what cannot be told is a piece with a problem."""
    return [*(each for task in tasks for each in _of_task(task)), *(each for one in models for each in _of_model(one))]


def _of_task(task: Task) -> Iterator[Piece]:
    try:
        needed = tamed(task.needed)
    except MmbenchError as error:
        card = task.card
        piece = Piece("task", task.reference, task.source_id, bytes=card.bytes, licence=card.licence, gate=card.gate)
        piece.problem = str(error)
        yield piece
        return
    for each in needed:
        held = each.repository
        piece = Piece("task", task.reference, held.name, held.commit, each.bytes, each.missing, needed=each)
        piece.licence = task.card.licence or held.licence
        piece.gate = _gate(held.gate, f"datasets/{held.name}") or task.card.gate
        if piece.missing and offline():
            piece.problem = f"{_files(each.missing_files(), held.name)} not here, and offline nothing is fetched"
        yield piece


def _files(paths: Sequence[str], name: str) -> str:
    more = f" and {len(paths) - _NAMED} more files" if len(paths) > _NAMED else ""
    return f"{', '.join(paths[:_NAMED])}{more} of {name} {'is' if len(paths) == 1 else 'are'}"


def _of_model(model: Model) -> Iterator[Piece]:
    adapter = model.adapter
    if not isinstance(adapter, Downloads):
        return
    piece = Piece("model", model.label, model=model)
    try:
        piece.missing = tamed(adapter.download_size)
        piece.source = str((tamed(adapter.hub_repository) if isinstance(adapter, Hosted) else None) or "")
    except MmbenchError as error:
        piece.problem = str(error)
    except Exception as error:  # an adapter may raise anything
        piece.problem = f"the adapter cannot tell what it would fetch ({described(error)})"
    if piece.missing == 0 and not piece.source:
        return
    if piece.missing != 0 and not piece.problem:
        if offline():
            piece.problem = f"{_NOT_HERE}, and offline nothing is fetched"
        elif piece.source:
            piece.licence, gate = terms_of_model(piece.source)
            piece.gate = _gate(gate, piece.source)
    yield piece


def _gate(said: str, page: str) -> str:
    if not said:
        return ""
    then = " and wait for its owners" if said == "manual" else ""
    return f"accept its terms at {endpoint()}/{page}{then}, then `hf auth login` or HF_TOKEN"


def missing_bytes(pieces: Iterable[Piece]) -> int:
    """Return the bytes that are not here, each file once; sizes that are unknown count as none."""
    files: dict[tuple[str, str, str], int] = {}
    total = 0
    for piece in pieces:
        if piece.needed is None:
            total += piece.missing or 0
            continue
        held = piece.needed.repository
        files |= {(held.name, held.commit, path): held.bytes_of([path]) for path in piece.needed.missing_files()}
    return total + sum(files.values())


def free_bytes() -> int:
    """Return the free bytes of the disk on which the hub's cache is, or will be."""
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE).absolute()
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def to_fetch(pieces: Iterable[Piece]) -> list[Piece]:
    """Return the pieces that are not whole, or may not be, and nothing forbids to fetch."""
    return [piece for piece in pieces if piece.missing != 0 and not piece.problem]


def fetch(pieces: Sequence[Piece], tasks: Sequence[Task]) -> None:
    """Fetch what is missing and check what is here by its digests; each failure is its piece's problem.

    A task whose files are whole is opened at last without a network, as a run would.
    """
    done: set[tuple[str, str, tuple[str, ...]]] = set()
    for piece in pieces:
        if piece.problem:
            continue
        if piece.needed is not None:
            key = (piece.source, piece.commit, piece.needed.files)
            if key not in done:
                _fetch_data(piece, piece.needed)
            done.update([key] if not piece.problem else [])
            piece.missing = piece.needed.missing
        elif piece.model is not None and piece.missing != 0:
            _fetch_model(piece, piece.model)
    by_task: dict[str, list[Piece]] = {}
    for piece in pieces:
        if piece.what == "task":
            by_task.setdefault(piece.name, []).append(piece)
    for task in tasks:
        own = by_task.get(task.reference, [])
        if own and not any(piece.problem for piece in own):
            own[0].problem = _unopened(task)


def _fetch_data(piece: Piece, needed: Needed) -> None:
    failed = [each for each in needed.fetch() if isinstance(each, MmbenchError)]
    if failed:
        more = f" (and {len(failed) - 1} more files)" if len(failed) > 1 else ""
        piece.problem = f"{failed[0]}{more}"


def _fetch_model(piece: Piece, model: Model) -> None:
    try:
        tamed(lambda: model.fingerprint)  # which is made of the files, tokenizer included
        piece.missing = 0
    except MmbenchError as error:
        piece.problem = f"{error}{f'; it is gated: {piece.gate}' if piece.gate else ''}"
    except Exception as error:
        piece.problem = f"the adapter failed ({described(error)})"


def _unopened(task: Task) -> str:
    with network(allowed=False):
        try:
            tamed(task.open)
        except MmbenchError as error:
            return str(error)
        except Exception as error:  # a source may raise anything
            return f"its data cannot be opened ({described(error)})"
    return ""
