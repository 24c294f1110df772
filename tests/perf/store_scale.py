"""A store of millions of answers must stay quick; prints rates and sizes; exits 1 where one is missed.

Run as `python tests/perf/store_scale.py [--answers N] [--folder FOLDER]`. Of N vectors of 256 float16: the rate at
which a run's batches of 64 are claimed and committed to a store of that size, the time in which those of a task of
10,000 items are found, and the file's size. Of two stores of a tenth of N: the time in which one is exported and merged
into the other, and whether the digest of all answers is that of one store that was asked them all. Judged by
processor seconds; those of the clock, which hold the waiting for the disk, stand beside them.
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
from mmbench.harness.store.checksum import checksum, seed_of
from mmbench.harness.store.store import Store

LEAST_KEPT = 20_000
"""Answers a second."""
MOST_LOOKUP = 2.0
"""Seconds for the answers of 10,000 questions that lie anywhere in the store."""
MOST_MERGE = 60.0
"""Seconds for a merge of two stores of a million answers, the export included; more answers may take longer."""
WIDTH = 256
AT_ONCE = 100_000


def main() -> int:
    """Print what each takes; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path, help="a folder on a disk with 0.9 kB of room for each answer")
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
    before, began = time.process_time(), time.perf_counter()
    with closing(Store(folder / "b")) as store:
        store.export(folder / "b.parquet")
    exported = time.process_time() - before
    with closing(Store(folder / "a")) as store:
        moved = store.take_in(folder / "b.parquet")
        whole = time.process_time() - before
        wall = time.perf_counter() - began
        (held,) = store.holdings()
    with closing(Store(folder / "whole")) as store:
        fill(store, 0, answers + answers // 2)
    alike = content(folder / "a") == content(folder / "whole")
    counted = (moved.answers, moved.known, moved.differing, held.damaged)
    sound = alike and counted == (answers // 2, answers - answers // 2, 0, 0)
    print(
        f"two stores of {answers:,}: exported in {exported:.1f} s, merged in {whole:.1f} s, {MOST_MERGE:.0f} allowed",
        end="",
    )
    print(f"; {wall:.1f} by the clock")
    print(
        f"      {moved.answers:,} added, {moved.known:,} known, {held.answers:,} held, {held.damaged} damaged", end="; "
    )
    print(f"digest of all {'equal' if alike else 'NOT equal'} to that of one store that was asked everything")
    for left in folder.iterdir():
        left.unlink()
    return not sound or whole > MOST_MERGE * max(1.0, answers / 1e6)


def grown(folder: Path, answers: int) -> bool:
    """Print what a store of so many answers takes; tell whether a target is missed."""
    path = folder / "store"
    before = time.process_time()
    with closing(Store(path)) as store:
        fill(store, 0, answers)
    rate = answers / (time.process_time() - before)
    size = path.stat().st_size
    print(f"{answers:,} vectors of {WIDTH} float16: {rate:,.0f} stored a second, {AT_ONCE:,} at once", end=", ")
    print(f"{LEAST_KEPT:,} wanted; {size / 1e9:.2f} GB, {size / answers / WIDTH / 2:.3f} of the vectors")
    draw = random.Random(0)
    with closing(Store(path)) as store:
        model = store._model("f" * 32)
        asked = [key_of(draw.randrange(answers)) for _ in range(10_000)]
        before, began = time.process_time(), time.perf_counter()
        found = store.lookup(model, IMAGE, asked)
        took, wall = time.process_time() - before, time.perf_counter() - began
        print(f"      10,000 questions found in {took:.2f} s, {MOST_LOOKUP:.0f} allowed; {wall:.2f} by the clock")
    more = min(answers // 16, 200_000)
    made = list(batches(answers, more, 64))
    store = Store(path)
    model = store._model("f" * 32)
    before, began = time.process_time(), time.perf_counter()
    for batch in made:
        store.claim(model, [each.question.key for each in batch])
        store.keep(model, batch, 1.0)
    store.close()
    small = more / (time.process_time() - before)
    wall = more / (time.perf_counter() - began)
    print(f"      {small:,.0f} more stored a second in commits of 64, {LEAST_KEPT:,} wanted; {wall:,.0f} by the clock")
    return min(rate, small) < LEAST_KEPT or took > MOST_LOOKUP or len(found) != len(set(asked))


def content(path: Path) -> str:
    """Return a digest of all answers of a store, in the order of their keys."""
    digest = hashlib.sha256()
    with closing(Store(path)) as store:
        query = "SELECT key, kind, truncated, value, checksum FROM answers ORDER BY model, key"
        for key, kind, truncated, value, checksum in store._database.each(query):
            digest.update(b"%b %b %d %d %b" % (key, kind.encode(), truncated, checksum, value))
    return digest.hexdigest()


def fill(store: Store, first: int, answers: int) -> None:
    """Store so many answers from the given one on, as an import does."""
    model = store._model("f" * 32)
    store._database.do("PRAGMA synchronous=OFF")  # what is measured comes later
    packed = [IMAGE.pack(vector) for vector in vectors()]
    seed = seed_of("f" * 32)
    for start in range(first, first + answers, AT_ONCE):
        made = ((key_of(i), packed[i % len(packed)]) for i in range(start, min(first + answers, start + AT_ONCE)))
        rows = [(model, "image", key, False, value, checksum(seed, key, value, False)) for key, value in sorted(made)]
        with store._database.transaction():
            store._answers.add_many(rows)


def vectors() -> list[Value]:
    """Return what is answered, over and over."""
    return list(np.random.default_rng(0).normal(size=(997, WIDTH)).astype(np.float16))


def batches(first: int, answers: int, at_once: int) -> Iterator[list[Answered]]:
    """Yield answers to distinct questions, whose keys are digests."""
    held = vectors()
    for start in range(first, first + answers, at_once):
        yield [
            Answered(Question(IMAGE, key=key_of(i)), held[i % len(held)])
            for i in range(start, min(first + answers, start + at_once))
        ]


def key_of(number: int) -> bytes:
    """Return the key of a question, a digest as others are."""
    return hashlib.sha256(b"%d" % number).digest()[:16]


if __name__ == "__main__":
    sys.exit(main())
