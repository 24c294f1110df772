"""Pictures of a task among those that the embedded models learnt from: the same by digest, nearly the same by hash."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from mmbench.harness.errors import MmbenchError
from mmbench.harness.foreign import tamed
from mmbench.harness.media.image import Image
from mmbench.harness.registry import DEFAULTS, find
from mmbench.harness.tasks.task import Task
from mmbench.harness.validate.findings import Finding, listed
from mmbench.harness.validate.likeness import SIDE, Copies, Hashes, looks, near_pairs
from mmbench.harness.validate.survey import Survey

BLOCKS = 2
"""Blocks that are looked at unasked: each is drawn anew, in about a second."""
_BUILTIN = "builtin"


def among_learnt(task: Task, seen: Survey, blocks: int) -> Iterable[Finding]:
    """Yield what is found of a task's pictures in the first blocks of training pictures, and how far was looked.

    The embedded models learnt from drawn scenes alone, so that only built-in data is held against them.
    """
    if task.source_kind != _BUILTIN:
        yield _not("the embedded models learnt from drawn scenes alone, and this data is not built in")
        return
    if not blocks:
        yield _not("--training 0")
        return
    held: Callable[[int], Iterator[Image]] = find(DEFAULTS, "training", "default")
    total: int = find(DEFAULTS, "training-blocks", "default")
    try:
        digests, hashes, copies = tamed(lambda: _looked_at(held(min(blocks, total))))
    except MmbenchError as error:
        yield _not(f"they cannot be drawn ({error})")
        return
    known = set(digests)
    same = [place for place, digest in zip(seen.pictures, seen.digests, strict=True) if digest in known]
    own = len(seen.digests)
    near = [
        seen.pictures[a]
        for a, b in near_pairs(np.concatenate([seen.hashes, hashes]), np.concatenate([seen.copies, copies]))
        if a < own <= b and seen.digests[a] not in known
    ]
    for places, how in ((same, "the same"), (near, "nearly the same")):
        if places:
            names = [seen.samples[place].id for place in dict.fromkeys(places)]
            what = f"pictures that the embedded models learnt from, {how}"
            yield listed("wrong" if places is same else "look", "training", what, names)
    part = "all" if blocks >= total else f"the first {blocks} of {total}"
    yield Finding(
        "fact",
        "training",
        f"held against {len(digests):,} pictures that the embedded models learnt from ({part} blocks; --training N "
        f"looks at N): {len({*same})} the same, {len({*near})} nearly the same",
    )


def _looked_at(pictures: Iterator[Image]) -> tuple[list[str], Hashes, Copies]:
    digests, hashes, copies = [], [], []
    for picture in pictures:
        content = picture.read()
        value, copy = looks(content.decode())
        digests.append(content.digest)
        hashes.append(value)
        copies.append(copy)
    return digests, np.array(hashes, np.uint64), np.array(copies, np.uint8).reshape(len(copies), SIDE * SIDE * 3)


def _not(why: str) -> Finding:
    return Finding("fact", "training", f"not held against the training pictures of the embedded models: {why}")
