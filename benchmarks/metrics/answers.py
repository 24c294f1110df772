"""Short-answer metrics: exact match, partial credit and numeric tolerance, each as its benchmark's script has it."""

import re
import string
from collections import Counter
from collections.abc import Hashable, Sequence
from functools import lru_cache

from mmbench.harness.errors import ArgumentError
from mmbench.harness.metrics.arguments import listed

PUNCTUATION = str.maketrans("", "", string.punctuation)
ARTICLE = re.compile(r"\b(?:a|an|the)\b")

LEAST_SIMILARITY = 0.5
"""A lower similarity counts as 0 in ANLS."""

TOLERANCE = 0.05
"""Largest relative error that relaxed accuracy tolerates, in parts of the reference number."""


def require_texts(prediction: str, answers: Sequence[str]) -> None:
    """Raise ArgumentError if the prediction is no text, or the answers no list of texts, one at least."""
    if isinstance(answers, str):
        raise ArgumentError("the answers are one text; put it into a list: every question has a list of answers")
    held = listed(answers, "the answers")
    if not held:
        raise ArgumentError("a question has no answers; give each question at least one reference answer")
    if not isinstance(prediction, str) or not all(isinstance(each, str) for each in held):
        raise ArgumentError("the prediction and each answer are texts; write numbers as such")


@lru_cache(maxsize=2**16)  # annotators repeat one another
def squad_normalise(text: str) -> str:
    """Return `text` in lower case without ASCII punctuation and articles, its words one space apart.

    >>> squad_normalise("The  T-shirt, a red one!")
    'tshirt red one'
    """
    return " ".join(ARTICLE.sub(" ", text.lower().translate(PUNCTUATION)).split())


def exact_match(prediction: str, answers: Sequence[str]) -> float:
    """Return 1.0 if the prediction equals any of the answers after SQuAD's normalisation, else 0.0.

    Source: Rajpurkar et al. 2016, arXiv 1606.05250, and its evaluate-v1.1.py. Raises ArgumentError, a
    ValueError, if `answers` is empty.

    >>> exact_match("the Eiffel Tower.", ["Paris", "Eiffel tower"]), exact_match("tower", ["Eiffel tower"])
    (1.0, 0.0)
    """
    require_texts(prediction, answers)
    return float(squad_normalise(prediction) in map(squad_normalise, answers))


def contains(prediction: str, answers: Sequence[str]) -> float:
    """Return 1.0 if any of the answers stands somewhere in the prediction, in lower case, else 0.0.

    It is a search for letters, not for words: `12` stands in `120`, and a reply that says everything passes. A blank
    answer, which would stand in all, is in none.

    Source: Liu et al. 2023, arXiv 2305.07895 (OCRBench), and the scripts of its repository. Raises ArgumentError if
    `answers` is empty.

    >>> contains("It says Hello World.", ["hello world"]), contains("120", ["12"]), contains("12", ["120"])
    (1.0, 1.0, 0.0)
    """
    require_texts(prediction, answers)
    said = prediction.lower().strip().replace("\n", " ")
    wanted = (answer.lower().strip().replace("\n", " ") for answer in answers)
    return float(any(answer in said for answer in wanted if answer))


def contains_symbols(prediction: str, answers: Sequence[str]) -> float:
    """Return 1.0 if any of the answers stands in the prediction, both without blanks and line breaks, else 0.0.

    Case counts, as in formulas. Source and errors as of `contains`; OCRBench reads HME100k so.

    >>> contains_symbols("$\\frac { 1 } { x }$", ["\\frac {1} {x}"]), contains_symbols("X+1", ["x + 1"])
    (1.0, 0.0)
    """
    require_texts(prediction, answers)
    said = _unspaced(prediction)
    return float(any(answer in said for answer in map(_unspaced, answers) if answer))


def _unspaced(text: str) -> str:
    return text.strip().replace("\n", " ").replace(" ", "")


def token_f1(prediction: str, answers: Sequence[str]) -> float:
    """Return the F1 of the words shared with the best answer, 0..1, after SQuAD's normalisation.

    F1 is 2 x shared words / (words of the one + words of the other). Two texts without any word give 1.0, as in
    SQuAD 2.0's script (0.0 in that of 1.1); that script also drops an answer without words where others have some, and
    this function does not.

    Source: Rajpurkar et al. 2018, arXiv 1806.03822, and its evaluate-v2.0.py. Raises ArgumentError, a
    ValueError, if `answers` is empty.

    >>> token_f1("a big red dog", ["the red dog", "cat"])  # 2 x 2 / (3 + 2)
    0.8
    >>> token_f1("", ["the"]), token_f1("dog", ["the"])
    (1.0, 0.0)
    """
    require_texts(prediction, answers)
    words = Counter(squad_normalise(prediction).split())
    return max(_f1(words, Counter(squad_normalise(answer).split())) for answer in set(answers))


def _f1(words: Counter[str], answer: Counter[str]) -> float:
    total = words.total() + answer.total()
    return 2 * (words & answer).total() / total if total else 1.0


def anls(prediction: str, answers: Sequence[str]) -> float:
    """Return the normalised Levenshtein similarity to the nearest answer, 0..1, and 0.0 where it is below 0.5.

    Both sides are lower-cased and their words put one space apart. Similarity is 1 - edits / length of the longer side;
    like the official script it takes that length before white space is mended, and in upper case (`ß` is two letters).
    Two empty texts give 1.0.

    Source: Biten et al. 2019, arXiv 1907.00490, and the evaluation script of DocVQA and InfographicVQA
    (rrc.cvc.uab.es/?ch=17). Raises ArgumentError if `answers` is empty.

    >>> anls("Invoce 12", ["invoice 12", "12"])  # one edit, ten characters
    0.9
    >>> anls("2", ["12"]), anls("2", ["123"])  # similarities 1/2 and 1/3
    (0.5, 0.0)
    """
    require_texts(prediction, answers)
    best = max(_similarity(prediction, answer) for answer in set(answers))
    return best if best >= LEAST_SIMILARITY else 0.0


def _similarity(prediction: str, answer: str) -> float:
    said, right = " ".join(prediction.lower().split()), " ".join(answer.lower().split())
    length = max(len(prediction.upper()), len(answer.upper()))
    if not length:
        return 1.0
    if 1 - abs(len(said) - len(right)) / length < LEAST_SIMILARITY:
        return 0.0  # lengths alone take it below what counts: a reply of megabytes costs nothing
    return 1 - levenshtein(said, right) / length


def levenshtein(left: Sequence[Hashable], right: Sequence[Hashable]) -> int:
    """Return the least number of insertions, deletions and substitutions that turn one into the other.

    Of characters for two texts, of words for two lists of words.

    One integer holds a whole column of the dynamic program, a bit per character of the longer text: bits of `up` are
    rows where the column rises by one, of `down` where it falls. Source: Myers 1999, doi:10.1145/316542.316550, for the
    distance of whole texts as in Hyyro 2003.

    >>> levenshtein("kitten", "sitting"), levenshtein("", "abc")
    (3, 3)
    """
    texts = isinstance(left, str) and isinstance(right, str)
    if not texts and not all(
        isinstance(each, (str, list, tuple)) and all(isinstance(part, Hashable) for part in each)
        for each in (left, right)
    ):
        raise ArgumentError("edits are counted between two texts, or two lists of words")
    long, short = (left, right) if len(left) >= len(right) else (right, left)
    if not short:
        return len(long)
    where: dict[Hashable, int] = {}
    for row, character in enumerate(long):
        where[character] = where.get(character, 0) | (1 << row)
    rows, last = (1 << len(long)) - 1, 1 << (len(long) - 1)
    up, down, distance = rows, 0, len(long)
    for character in short:
        equal = where.get(character, 0)
        diagonal = ((equal & up) + up) ^ up | equal | down
        rises, falls = down | ~(diagonal | up), diagonal & up
        distance += bool(rises & last) - bool(falls & last)
        rises, falls = rises << 1 | 1, falls << 1
        up, down = (falls | ~(diagonal | rises)) & rows, diagonal & rises & rows
    return distance


def relaxed_accuracy(prediction: str, answers: Sequence[str]) -> float:
    """Return 1.0 if the prediction is within 5 % of any answer that is a number, or equals it as text, else 0.0.

    A number is what Python reads as a float, a `%` at the end dividing it by 100; if either side is none, or the answer
    is zero, both are compared in lower case and otherwise as they are. This is the function in common use, and it keeps
    what is known of it: `1,000`, `$5` and `5 million` are text; `5` is not `5%` but `0.05` is; `0.0` is not `0`; `nan`
    and `infinity` equal nothing; white space counts in texts; a year may be off by a century.

    Source: Masry et al. 2022, arXiv 2203.10244, section 5.1, and `relaxed_correctness` in metrics.py of
    github.com/google-research/pix2struct, also that of lmms-eval. Raises ArgumentError if `answers` is empty.

    >>> [relaxed_accuracy(text, ["20"]) for text in ("21", "21.1", "19", "2000%", "20 apples")]
    [1.0, 0.0, 1.0, 1.0, 0.0]
    >>> relaxed_accuracy("Red", ["red"]), relaxed_accuracy("0.0", ["0"])
    (1.0, 0.0)
    """
    require_texts(prediction, answers)
    return float(any(_relaxed_match(prediction, answer) for answer in set(answers)))


def _relaxed_match(prediction: str, answer: str) -> bool:
    guess, target = _number(prediction), _number(answer)
    if guess is None or not target:
        return prediction.lower() == answer.lower()
    return abs(guess - target) / abs(target) <= TOLERANCE


def _number(text: str) -> float | None:
    try:
        return float(text.rstrip("%")) / 100 if text.endswith("%") else float(text)
    except ValueError:
        return None
