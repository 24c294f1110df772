"""A store must be little larger than the vectors in it; prints bytes a byte of each width; exits 1 for too many.

Run as `python tests/perf/store_size.py [--answers N]`. Sizes are those of the closed file. The processor time of
writing and of reading again is that of a batch of 64 at a time, texts of 8.
"""

import argparse
import hashlib
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from mmbench.harness.engine.kinds.image import IMAGE
from mmbench.harness.engine.kinds.kind import Kind
from mmbench.harness.engine.kinds.reply import REPLY
from mmbench.harness.engine.packing import Value
from mmbench.harness.engine.question import Answered, Question
from mmbench.harness.models.abilities import ImageVectors
from mmbench.harness.store.store import Store

MOST = 1.35
"""Bytes on disk for each byte of a vector."""

WIDTHS = (512, 640, 768, 1024, 1152, 1280, 2048)


def main() -> int:
    """Print what each width takes; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=20_000)
    answers = parser.parse_args().answers
    rng = np.random.default_rng(0)
    large = False
    for kind in (np.float32, np.float16):
        for width in WIDTHS:
            vector = rng.normal(size=width).astype(kind)
            large |= measured(f"{width} {np.dtype(kind)}", IMAGE, [vector], answers, 64) > MOST
    both = ImageVectors(rng.normal(size=768).astype(np.float32), rng.normal(size=1024).astype(np.float32))
    large |= measured("768 and 1024 float32", IMAGE, [both], answers, 64) > MOST
    for words in (4, 40, 400):
        said = [" ".join(rng.choice(["a", "small", "brown", "dog", "lawn"], words)) for _ in range(997)]
        measured(f"text of {words} words", REPLY, list(said), answers, 8)
    return int(large)


def measured(what: str, kind: Kind, values: list[Value], answers: int, at_once: int) -> float:
    """Print size and processor time of a store of so many answers; return bytes on disk for each byte of a value."""
    held = 0
    with tempfile.TemporaryDirectory(prefix="mmbench-store-") as folder:
        path = Path(folder) / "store.sqlite"
        start = time.process_time()
        with closing(Store(path)) as store:
            model = store._model("f" * 32)
            empty = _pages(store)
            for batch in batches(kind, values, answers, at_once):
                store.claim(model, [each.question.key for each in batch])
                store.keep(model, batch, 1.0)
                held += sum(bytes_of(each.value) for each in batch)
        written = time.process_time() - start
        start = time.process_time()
        with closing(Store(path)) as store:
            model = store._model("f" * 32)
            for batch in batches(kind, values, answers, at_once):
                store.lookup(model, kind, [each.question.key for each in batch])
        read = time.process_time() - start
        size = path.stat().st_size
    each = (size - empty) / answers
    print(
        f"{what:22} {size / held:6.3f} of {MOST}, {each:8.1f} bytes each and {empty / 1e3:.0f} kB, "
        f"write {written:.2f} s, read {read:.2f} s"
    )
    return size / held


def _pages(store: Store) -> int:
    """Return the bytes of a store that holds nothing."""
    ((pages, size),) = store._database.rows("SELECT page_count, page_size FROM pragma_page_count, pragma_page_size")
    return int(pages * size)


def batches(kind: Kind, values: list[Value], answers: int, at_once: int) -> Iterator[list[Answered]]:
    """Yield answers to distinct questions, whose keys are digests."""
    for start in range(0, answers, at_once):
        yield [
            Answered(Question(kind, key=hashlib.sha256(b"%d" % i).digest()[:16]), values[i % len(values)])
            for i in range(start, min(answers, start + at_once))
        ]


def bytes_of(value: Value | object) -> int:
    """Return the bytes of what was answered."""
    if isinstance(value, ImageVectors):
        return value.embedding.nbytes + value.features.nbytes
    return value.nbytes if isinstance(value, np.ndarray) else len(str(value).encode())


if __name__ == "__main__":
    raise SystemExit(main())
