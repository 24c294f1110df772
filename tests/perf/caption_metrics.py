"""Caption metrics must cost a fifth of what pycocoevalcap takes for the same figures; exits 1 when a target is missed.

Run as `python tests/perf/caption_metrics.py [--captions N]`, with pycocoevalcap and Java. Both sides tokenise and
compute BLEU, ROUGE-L and CIDEr-D. What is compared is processor time, that of child processes included.
"""

import argparse
import importlib.util
import resource
import shutil
import sys
from collections.abc import Callable, Sequence

import numpy as np

from mmbench.benchmarks.metrics.caption.bleu import bleu, bleu_statistics
from mmbench.benchmarks.metrics.caption.cider import cider_d
from mmbench.benchmarks.metrics.caption.ngrams import Captions
from mmbench.benchmarks.metrics.caption.ptb import tokenize
from mmbench.benchmarks.metrics.caption.rouge import rouge_l

RATIO = 0.2
"""Most processor time, in that of pycocoevalcap."""
MOST_DIFFERENCE = 1e-6
REFERENCES = 5
WORDS = 6000
CHANGED, COMMAS = 0.3, 0.1
"""How many words of a sentence are its own, and how many sentences have a comma."""
SYLLABLES = ["ba", "co", "di", "fen", "gra", "hul", "ki", "lor", "ma", "nes", "pi", "quo", "ra", "sti", "tu", "ver"]
FREQUENT = [
    "a",
    "the",
    "on",
    "in",
    "of",
    "with",
    "and",
    "is",
    "man",
    "woman's",
    "black-and-white",
    "two",
    "dog",
    "it's",
]

Figures = list[float]


def main() -> int:
    """Print both times, their ratio and the largest difference; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--captions", type=int, default=40_000)
    count = parser.parse_args().captions
    if importlib.util.find_spec("pycocoevalcap") is None or shutil.which("java") is None:
        print("skipped: there is nothing to compare with, install pycocoevalcap and a Java runtime")
        return 0
    texts = sentences(count)
    candidates, references = [item[0] for item in texts], [item[1:] for item in texts]

    seconds, figures = spent(lambda: ours(candidates, references))
    their_seconds, their_figures = spent(lambda: theirs(candidates, references))
    ratio = seconds / their_seconds
    apart = max(abs(a - b) for a, b in zip(figures, their_figures, strict=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{count} captions, {REFERENCES} references each")
    print(f"ours {seconds:.1f} s, pycocoevalcap {their_seconds:.1f} s, ratio {ratio:.3f} (at most {RATIO})")
    print(f"largest difference of a figure: {apart:.1e} (at most {MOST_DIFFERENCE:.0e})")
    print(f"BLEU-1..4, ROUGE-L, CIDEr-D: {' '.join(f'{value:.4f}' for value in figures)}")
    print(f"memory of both, at the most: {peak:.0f} MiB")
    return 0 if ratio <= RATIO and apart <= MOST_DIFFERENCE else 1


def sentences(items: int) -> list[list[str]]:
    """Return seeded sentences of items, written with capitals and stops: those of one item share most of their words.

    Words follow Zipf's law.
    """
    rng = np.random.default_rng(0)
    made = ["".join(rng.choice(SYLLABLES, rng.integers(1, 5))) for _ in range(WORDS)]
    words = list(dict.fromkeys([*FREQUENT, *made]))
    chance = 1 / np.arange(1, len(words) + 1)
    shape = (items, 1 + REFERENCES, 16)
    drawn = rng.choice(len(words), shape, p=chance / chance.sum())
    drawn = np.where(rng.random(shape) < CHANGED, drawn, drawn[:, :1])
    lengths, commas = rng.integers(7, 17, shape[:2]).tolist(), (rng.random(shape[:2]) < COMMAS).tolist()

    def written(word: list[int], length: int, comma: bool) -> str:
        text = [words[number] for number in word[:length]]
        text[3] += "," * comma
        if text[-1] == "a":  # whether Java splits "a." hangs on the first word of the caption that follows
            text[-1] = "it"
        return " ".join(text).capitalize() + "."

    return [[*map(written, *item)] for item in zip(drawn.tolist(), lengths, commas, strict=True)]


def ours(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> Figures:
    """Return BLEU-1 to BLEU-4, ROUGE-L and CIDEr-D by this package."""
    captions = Captions.of([tokenize(text) for text in candidates], [[*map(tokenize, many)] for many in references])
    statistics, weights = bleu_statistics(captions), np.ones((1, len(captions)))
    scores = [float(bleu(statistics, weights, k)[0]) for k in (1, 2, 3, 4)]
    return [*scores, float(rouge_l(captions).mean()), float(cider_d(captions).mean())]


def theirs(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> Figures:
    """Return the same by pycocoevalcap."""
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    mine = PTBTokenizer().tokenize({i: [{"caption": text}] for i, text in enumerate(candidates)})
    given = PTBTokenizer().tokenize({i: [{"caption": text} for text in many] for i, many in enumerate(references)})
    scores, _ = Bleu(4).compute_score(given, mine, verbose=0)
    return [*scores, float(Rouge().compute_score(given, mine)[0]), float(Cider().compute_score(given, mine)[0])]


def spent(work: Callable[[], Figures]) -> tuple[float, Figures]:
    """Return the processor seconds that work took, here and in child processes, and what it made."""
    before = processor_seconds()
    figures = work()
    return processor_seconds() - before, figures


def processor_seconds() -> float:
    """Return the processor seconds of this process and of the children it waited for."""
    both = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


if __name__ == "__main__":
    sys.exit(main())
