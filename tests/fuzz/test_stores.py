"""Flipped bytes of a store: every answer that comes back is the one that was given, or the file is refused."""

import random
from pathlib import Path

import numpy as np

from mmbench.harness.engine.kinds.reply import REPLY
from mmbench.harness.engine.kinds.text import TEXT
from mmbench.harness.engine.local import LocalEngine
from mmbench.harness.engine.question import Question
from mmbench.harness.errors import DataError
from mmbench.harness.store.store import Store
from tests import fakes
from tests.effort import within

CASES = 160
SLOWEST = 2.0
"""Of one case, in seconds of CPU time."""
WORDS = [f"text {n}" for n in range(60)]


def asked(path: Path) -> tuple[int, int]:
    """Ask a store for vectors and replies, check each, and return how many were damaged and how many held."""
    store, vectors, replies = Store(path), fakes.Dual("m"), fakes.Writer(fingerprint="w")
    engines = LocalEngine(vectors), LocalEngine(replies)
    try:
        store.holdings()
        got = store.ask(engines[0], "m", (Question(TEXT, texts=(word,)) for word in WORDS))
        for value, word in zip(got, WORDS, strict=True):
            assert isinstance(value, np.ndarray)
            assert value.tobytes() == fakes.vector(word.encode()).tobytes(), word
        said = list(store.ask(engines[1], "w", (Question(REPLY, prompt=word) for word in WORDS)))
        assert said == [word.upper() for word in WORDS]
        return store.meter.damaged, store.meter.remembered
    finally:
        for engine in engines:
            engine.close()
        store.close()


def test_a_damaged_answer_is_never_returned(tmp_path: Path) -> None:
    whole, path = tmp_path / "whole.sqlite", tmp_path / "store.sqlite"
    assert asked(whole) == (0, 0)
    content = whole.read_bytes()
    used = [at for at in range(100, len(content)) if content[at]]  # pages are large, and most of a small store is empty
    chance = random.Random(0)  # noqa: S311
    found = kept = refused = 0
    for case in range(CASES):
        data = bytearray(content)
        for _ in range(chance.choice((1, 1, 5, 20))):
            at = chance.choice(used) if chance.random() < 0.9 else chance.randrange(100, len(data))
            data[at] ^= 1 << chance.randrange(8)
        if case % 20 == 19:
            data = data[: chance.randrange(len(data))]
        for left in tmp_path.glob("store.sqlite*"):
            left.unlink()
        path.write_bytes(data)
        try:
            with within(SLOWEST, case):
                damaged, remembered = asked(path)
            found, kept = found + damaged, kept + remembered
        except DataError as error:
            refused += 1
            assert str(path) in str(error)
            assert "\n" not in str(error)
    assert found and kept and refused
