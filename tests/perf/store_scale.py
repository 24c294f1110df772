"""A store of millions of answers must stay quick; prints rates and sizes; exits 1 where one is missed.

Run as `python tests/perf/store_scale.py [--answers N] [--folder FOLDER]`. Of N vectors of 512 float16: the rate at
which they are taken in from the files of ten other stores, the time in which those of a task of 10,000 items are found,
the rate at which batches of 64 are added to a store of that size, and the file's size. Of two stores of a tenth of N:
the time in which one is exported and merged into the other. Seconds are those of the clock, since waiting for the disk
is part of it.
"""

import argparse
import hashlib
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from mmbench.harness.engine.kinds.image import IMAGE
from mmbench.harness.engine.packing import Value
from mmbench.harness.engine.question import Answered, Question
from mmbench.harness.store.store import Store

LEAST_TAKEN_IN = 20_000
"""Answers a second."""
MOST_LOOKUP = 2.0
"""Seconds for the answers of 10,000 questions that lie anywhere in the store."""
MOST_MERGE = 60.0
"""Seconds for a merge of two stores of a million answers, the export included; more answers may take longer."""
WIDTH = 512
AT_ONCE = 10_000


def main() -> int:
    """Print what each takes; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path, help="a folder on a disk with 3.5 kB of room for each answer")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mmbench-store-", dir=given.folder) as made:
        missed = merged(Path(made), given.answers // 10)
        missed |= grown(Path(made), given.answers)
    return int(missed)


def merged(folder: Path, answers: int) -> bool:
    """Print how long two stores take to become one; tell whether that is too long."""
    for name, first in (("a", 0), ("b", answers // 2)):
        with closing(Store(folder / name)) as store:
            fill(store, first, answers)
    before = time.perf_counter()
    with closing(Store(folder / "b")) as store:
        store.export(folder / "b.parquet")
    exported = time.perf_counter() - before
    with closing(Store(folder / "a")) as store:
        moved = store.take_in(folder / "b.parquet")
        whole = time.perf_counter() - before
        (held,) = store.holdings()
    sound = (moved.answers, moved.known, moved.differing, held.damaged) == (answers // 2, answers - answers // 2, 0, 0)
    print(f"two stores of {answers:,}: exported in {exported:.1f} s, merged in {whole:.1f} s, {MOST_MERGE:.0f} allowed")
    print(f"      {moved.answers:,} added, {moved.known:,} known, {held.answers:,} held, {held.damaged} damaged")
    for left in folder.iterdir():
        left.unlink()
    return not sound or whole > MOST_MERGE * max(1.0, answers / 1e6)


def grown(folder: Path, answers: int) -> bool:
    """Print what a store of so many answers takes; tell whether a target is missed."""
    path = folder / "store"
    took = last = 0.0
    for first in range(0, answers, answers // 10):
        with closing(Store(folder / "part")) as part:
            fill(part, first, answers // 10)
            part.export(folder / "part.parquet")
        before = time.perf_counter()
        with closing(Store(path)) as store:
            store.take_in(folder / "part.parquet")
        last = time.perf_counter() - before
        took += last
        for left in folder.glob("part*"):
            left.unlink()
    rate = answers / took
    size = path.stat().st_size
    tenth = answers / 10 / last
    print(f"{answers:,} vectors of {WIDTH} float16: {rate:,.0f} taken in a second, the last {tenth:,.0f}", end=", ")
    print(f"{LEAST_TAKEN_IN:,} wanted; {size / 1e9:.2f} GB, {size / answers / WIDTH / 2:.3f} of the vectors")
    draw = random.Random(0)
    with closing(Store(path)) as store:
        model = store._model("f" * 32)
        asked = [key_of(draw.randrange(answers)) for _ in range(10_000)]
        before = time.perf_counter()
        found = store.lookup(model, IMAGE, asked)
        took = time.perf_counter() - before
        print(f"      10,000 questions found in {took:.2f} s, {MOST_LOOKUP:.0f} allowed")
        before, more = time.perf_counter(), 64 * 300
        for batch in batches(answers, more, 64):
            store.claim(model, [each.question.key for each in batch])
            store.keep(model, batch, 1.0)
        small = more / (time.perf_counter() - before)
        print(f"      {small:,.0f} more stored a second in commits of 64")
    return rate < LEAST_TAKEN_IN or took > MOST_LOOKUP or len(found) != len(set(asked))


def fill(store: Store, first: int, answers: int) -> None:
    """Store so many answers from the given one on."""
    model = store._model("f" * 32)
    for batch in batches(first, answers, AT_ONCE):
        store.keep(model, batch, 1.0)


def batches(first: int, answers: int, at_once: int) -> Iterator[list[Answered]]:
    """Yield answers to distinct questions, whose keys are digests."""
    vectors: list[Value] = list(np.random.default_rng(0).normal(size=(997, WIDTH)).astype(np.float16))
    for start in range(first, first + answers, at_once):
        yield [
            Answered(Question(IMAGE, key=key_of(i)), vectors[i % len(vectors)])
            for i in range(start, min(first + answers, start + at_once))
        ]


def key_of(number: int) -> bytes:
    """Return the key of a question, a digest as others are."""
    return hashlib.sha256(b"%d" % number).digest()[:16]


if __name__ == "__main__":
    sys.exit(main())
