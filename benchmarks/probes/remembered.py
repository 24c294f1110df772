"""Linear probes remembered between runs: to fit them takes longer than all else of a task whose vectors are known.

A fit is found by the vectors and labels that it is made from and by its settings; it counts only for the code that
would make the same.
"""

import json
from functools import cache
from pathlib import Path

import numpy as np

from mmbench.benchmarks.metrics import classification
from mmbench.benchmarks.probes.labelled import Labelled, joined
from mmbench.benchmarks.probes.linear import Columns, Linear, LinearProbe
from mmbench.harness.digest import Json, digest_bytes, digest_json
from mmbench.harness.numerics import logistic
from mmbench.harness.numerics.logistic import Classifier
from mmbench.harness.store.location import store_path
from mmbench.harness.store.made import keep_made, make_room, maker, recall_made

_MOST = 1 << 28
"""Bytes of all fits that a process finds; one of 1000 classes and 768 numbers has 6 MB."""


def fitted(linear: Linear, train: Labelled, validation: Labelled | None) -> LinearProbe:
    """Return `linear.fit(train, validation)`, fitted now or in a run before. Raises DataError."""
    try:
        code = _code()
    except OSError:  # of an installation without its source
        return linear.fit(train, validation)
    file = store_path().with_name("probes") / _identity(linear, train, validation)
    if (known := recall_made(file, code)) is not None:
        learnt = [_labels(each) for each in (train, validation) if each is not None]
        return _unpacked(known, Columns.of(joined(*learnt) if linear.refit and len(learnt) > 1 else learnt[0]))
    probe = linear.fit(train, validation)
    packed = _packed(probe)
    _make_room(file.parent)
    keep_made(file, code, packed)
    # As it is remembered also the first time, so that both runs agree to the bit.
    return _unpacked(packed, probe.columns)


@cache
def _make_room(folder: Path) -> None:
    """Once a process, since there may be thousands of small fits."""
    make_room(folder, _MOST)


@cache
def _code() -> str:
    """Return the identity of all that decides what a fit is. Raises OSError."""
    folders = (Path(__file__).parent, Path(logistic.__file__).parent)
    own = [module for folder in folders for module in sorted(folder.glob("*.py"))]
    return maker([*own, Path(classification.__file__)])


def _identity(linear: Linear, train: Labelled, validation: Labelled | None) -> str:
    settings: list[Json] = [linear.strength, list(linear.strengths), linear.refit]
    parts: list[bytes | memoryview] = [digest_json(settings).encode()]
    for each in (train, validation):
        for array in (each.features, each.labels) if each else ():
            held = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
            parts += [f"{array.dtype.str} {array.shape}".encode(), held.data]
        parts.append(f"{each.classes}".encode() if each else b"")
    return digest_bytes(*parts)


def _labels(data: Labelled) -> Labelled:
    """Return the same without its vectors, which may fill gigabytes and which columns do not look at."""
    return Labelled(np.zeros((len(data.labels), 0), np.float32), data.labels, data.classes)


def _packed(probe: LinearProbe) -> bytes:
    weights, intercept = probe.classifier.weights, probe.classifier.intercept
    head = json.dumps({"chosen": probe.chosen, "shape": weights.shape})
    return head.encode() + b"\n" + np.vstack([weights, intercept]).astype("<f8").tobytes()


def _unpacked(content: bytes, columns: Columns) -> LinearProbe:
    head, _, numbers = content.partition(b"\n")
    told = json.loads(head)
    rows, width = told["shape"]
    held = np.frombuffer(numbers, "<f8").reshape(rows + 1, width)
    return LinearProbe(Classifier(held[:-1], held[-1]), columns, told["chosen"])
