"""Answers of a validation set must be compared in seconds; exits 1 when a limit is missed.

Run as `python tests/perf/answers.py`.
"""

import random
import time

from mmbench.benchmarks.metrics.answers import anls
from mmbench.benchmarks.metrics.vqa import vqa_accuracy

LIMITS = {"anls": 3.0, "vqa_accuracy": 6.0}
"""Seconds for ten thousand answers, and for 20,000 questions of ten answers: a tenth of VQAv2's."""


def main() -> int:
    """Print what each takes; return the exit status."""
    dice = random.Random(0)
    texts = ["".join(dice.choices("abcdefghij ", k=20)) for _ in range(10_001)]
    words = [f"{text} {n}" for text in ("a", "the dog", "no", "two", "isn't", "on the left", "3.5") for n in range(400)]
    questions = [dice.choices(words, k=3) for _ in range(20_000)]
    start = time.perf_counter()
    for prediction, answer in zip(texts, texts[1:], strict=False):
        anls(prediction, [answer])
    between = time.perf_counter()
    for first, second, third in questions:  # words that vary more than real ones do
        vqa_accuracy(first, [first] * 4 + [second] * 3 + [third] * 3)
    taken = {"anls": between - start, "vqa_accuracy": time.perf_counter() - between}
    for name, seconds in taken.items():
        print(f"{name:14} {seconds:5.1f} s of {LIMITS[name]:.0f}")
    return int(any(seconds > LIMITS[name] for name, seconds in taken.items()))


if __name__ == "__main__":
    raise SystemExit(main())
