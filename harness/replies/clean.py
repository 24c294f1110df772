"""Reply cleaning: markup and further turns are removed, which leaves the plain answer."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from mmbench.harness.replies.words.forms import ENDINGS, FORMS
from mmbench.harness.replies.words.numbers import NUMBERS, TENS

FINAL = "Final answer: "
"""Uniform replacement for every markup that singles out an answer."""

_PLAIN = str.maketrans(
    {c: '"' for c in "“”„«»「」『』"}
    | {c: "'" for c in "‘’ʼ′"}
    | {c: "-" for c in "‐‑‒–—−"}
    | {c: None for c in "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad\ufe0f"}
    | {"。": ". ", "।": ". ", "、": ", ", "؟": "?", "،": ",", "؛": ";", "【": "[", "】": "]", "⁄": "/"}
)
_FURTHER_TURN = re.compile(
    r"\n\s*(?:#+\s*)?(?:user|human|question|q|instruction|<\|im_start\|>|\[inst\])\s*\d*\s*:", re.I
)
_ROLE = re.compile(
    r"(?:user|human)\s*:.*?\b(?:assistant|gpt|bot|model)\s*:|(?:assistant|gpt|bot|model)\s*:", re.I | re.S
)

_TAG = (
    r"(?:answer|ans|conclusion|solution|result|response|output|options?|choice|letter|label|text|explanation|summary"
    r"|caption|description|rationale|analysis)"
)
"""Tags that say what a part of a reply is."""
_WHY = r"(?:reason(?:ing)?|explanation|rationale|justification|thoughts?|evidence)"
"""Keys of an object under which a reply says why it answers so."""
_PARTICLE = r"です|でした|である|だ|입니다|이에요|예요|이다|है|ครับ|ค่ะ|'?d[iıuü]r"
"""Copula after a mark, in languages that put it where English says `is` before it."""

# Rewritten in this order: later patterns count on the earlier ones having run.
_MARKUP: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.I | re.M), replacement)
    for pattern, replacement in (
        (r"```\w*", "\n"),
        (r"<\|[\w ]{1,30}\|>|</?s>|<image>|<unk>|<pad>|<eo[a-z]>|<end_of_utterance>|\[/?inst\]", " "),
        (r"<(?:final[_ -]?)?(?:answer|ans|conclusion|solution)>", "\n" + FINAL),
        (rf"</?(?:final[_ -]?)?{_TAG}>|<br\s*/?>|</?(?:p|div|li|ul|ol|h[1-6])>", "\n"),
        (r"[\"'](?:final_?|correct_?|predicted_?)?(?:answer|choice|option|prediction)[\"']\s*:\s*", "\n" + FINAL),
        # What stands beside an answer in an object is another line; how sure the model is, and what is false, is none.
        (r"(?:,\s?)?[\"'](?:confidence|certainty|probability|score)[\"']:\s?[\"']?[\d.]+%?[\"']?,?", "\n"),
        # White space is looked at from its beginning alone: from each place within, much of it would take long.
        (rf"(?:,\s*|(?<!\s)\s+|)[\"']{_WHY}[\"']\s*:\s*", "\n"),
        (r"[\"']([^\"'\n]{1,100})[\"']\s*:\s*false\b,?", "\n"),
        (r"(?<=[{,\s])[\"']((?-i:[A-Z]))[\"']\s*:\s*[\"']?([\w.]+)[\"']?(?=\s*[,}])", r"\n\1: \2.\n"),
        (r"</?(?:strong|em|i|u|span|center)>|<b>(?=.{1,400}</b>)|</b>", ""),
        (r"~~[^~\n]{1,200}~~", " "),
        (r"\\(?:text|textbf|textit|mathrm|mathbf|mathit|mathsf|operatorname)\s*\{([^{}\n]{0,200})\}", r"\1"),
        (r"\\d?frac\s*\{([^{}\n]{1,50})\}\s*\{([^{}\n]{1,50})\}", r"\1/\2"),
        (r"\\(?:boxed|fbox)\s*\{([^{}\n]{0,200})\}", "\n" + FINAL + r"\1" + "\n"),
        (r"\^\s*\{?\\circ\}?|\\degree\b", "°"),
        (r"\\(?:left|right|displaystyle|quad)(?![a-zA-Z])|\\(?=[(\[\]) ,;!%$#&_])|\$", ""),
        # What ornaments a sentence is none of its own.
        (r"(?<=[.!?)])[ \t]*[\u2600-\u27bf\U0001f300-\U0001faff\U0001f1e6-\U0001f1ff]+[ \t]*$", ""),
        # Of boxes to tick only the ticked ones say something.
        (r"^[ \t]*(?:[-*][ \t]+)?(?:\[ \]|☐)[^\n]*$|^[ \t]*(?:#{1,6}|>|[*•●▪-])[ \t]+", ""),
        # A letter that is set off is a mark, and stays set off when its markup goes.
        (r"(\*\*|__|\*)[(\[]?([A-Z])[)\]]?[.:)]?\1(?!\*)", r"(\2)"),
        (rf"(?<![A-Za-z0-9])((?-i:[A-Z]))\s?(?:{_PARTICLE})(?=[\s.,!]|$)", r"(\1)"),
        (r"\*\*|__|(?<!\w)\*(?=\S)|(?<=\S)\*(?!\w)", ""),
        (r"[^\S\n]+", " "),
        (r" ?\n\s*", "\n"),
        # The lines that only rule a table or hold brackets, and the borders of its cells.
        (r"^ ?(?:\|? ?:?-{2,}:? ?(?:\| ?:?-{2,}:? ?)*\|?|[\[\]{}(),]+) ?$", ""),
        (r"(?<=\S) \| (?=\S)", ": "),
    )
)

# The point of a mark (`B. cat`) ends no sentence, that of a unit (`= 4.`, `1.5 N.`) does, and what answers begins one.
_POINT = r"(?<!\b\w)\.|(?<=[\d=] \w)\.|\.(?=\s+the (?:\w+ )?(?:answer|option|choice)\b)"
_END = re.compile(rf"(?:{_POINT}|[!?])+[\"')\]]*(?=\s|$)|\n", re.I)

_LONGEST_SENTENCE = 300
_READ_FIRST, _READ_LAST = 1_500, 3_500

_SAME = {word: str(n) for listed in NUMBERS for n, word in enumerate(listed.split()) if word != "-"}
_SAME |= {word: str(10 * n) for n, word in enumerate(TENS.split(), 2)}
_ONES = NUMBERS[0].split()[:10]
_SAME |= {f"{ten}-{one}": str(10 * t + n) for t, ten in enumerate(TENS.split(), 2) for n, one in enumerate(_ONES) if n}
_SAME |= {"&": "and", "%": "percent", "°": "degree"}
# Scripts without spaces are read character by character; combining marks belong to their word.
_SPACELESS = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_TOKEN = re.compile(
    # Without regard to case in words alone: of the scripts' ranges each letter would be compiled for both cases.
    # A capital A is an article only where a sentence may begin.
    r"(?P<article>(?<![^\W\d_])(?i:the|an)(?![^\W\d_]|'[A-Za-z])"
    r"|(?<!\w)(?:a|(?<![^\s.!?:\"'(,])(?<![^\s.!?:\"'(,]\s)A)(?= [\"']?[\w<>=+/^%°√±×÷≤≥≠#~&]))"
    r"|(?:(?<![\w.)])-(?=\.?\d))?(?:\d+(?:,\d{3}(?!\d))*(?:\.\d+)?|(?<!\w)\.\d+)"
    rf"|\b(?i:{'|'.join(TENS.split())})-(?i:{'|'.join(_ONES[1:])})\b"
    rf"|[{_SPACELESS}]"
    rf"|(?:(?![{_SPACELESS}])[^\W\d_]|[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0dff])+(?:'[A-Za-z]+)?"
    r"|[<>=+/^%°√±×÷≤≥≠#~&]"
)


class Token(NamedTuple):
    """A word, number or symbol, in its canonical form and at its place."""

    text: str
    start: int
    end: int

    @property
    def is_number(self) -> bool:
        """Whether it is written in digits, after number words have become digits."""
        return self.text[-1].isdigit()


def clean(said: str) -> str:
    """Return the plain text of what a reply says.

    >>> clean("The answer is **B**.")
    'The answer is (B).'
    """
    text = unicodedata.normalize("NFKC", _edges(said)).translate(_PLAIN)
    for pattern, replacement in _MARKUP:
        text = pattern.sub(replacement, text)
    role = _ROLE.match(text.lstrip())
    return _edges(text.lstrip()[role.end() if role else 0 :].strip())


def _edges(text: str) -> str:
    """Return the text without the middle of a very long one: what it comes to stands first or last."""
    return text if len(text) <= _READ_FIRST + _READ_LAST else f"{text[:_READ_FIRST]}\n{text[-_READ_LAST:]}"


def first_turn(text: str) -> str:
    """Return the text before a further turn that the model has made up.

    >>> first_turn("B\\nQuestion: What is it? Answer: C")
    'B'
    """
    further = _FURTHER_TURN.search(text, 1)
    return text[: further.start()].strip() if further else text


def sentence_end(text: str, start: int) -> int:
    """Return where the sentence or line that `start` lies in ends. The point of a mark (`B. cat`) ends none."""
    end = _END.search(text, start, start + _LONGEST_SENTENCE)
    return end.end() if end else min(len(text), start + _LONGEST_SENTENCE)


def tokens(text: str) -> Iterator[Token]:
    """Yield words, numbers and symbols without articles: case, number words and written-out digits do not differ.

    >>> [token.text for token in tokens("The three Dogs at point A ate 1,200.50 g")]
    ['3', 'dogs', 'at', 'point', 'a', 'ate', '1200.5', 'g']
    """
    for found in _TOKEN.finditer(text):
        if not found["article"]:
            word = found.group().casefold()
            yield Token(_SAME.get(word) or _number(word), *found.span())


def _number(word: str) -> str:
    word = word.replace(",", "")
    if "." in word:
        word = word.rstrip("0").rstrip(".").replace("-.", "-0.")
    return "0" + word if word.startswith(".") else word or "0"


def _unaccented(word: str) -> str:
    """Return a word without accents; a short one may be another word with it: `si`, `sí`."""
    return word if word.isascii() or len(word) < 4 else _ACCENTS.sub("", unicodedata.normalize("NFD", word))


_ACCENTS = re.compile("[\u0300-\u036f]")
_INFLECTED = [(stem, endings.replace("-", "").split(" ")) for endings, listed in ENDINGS for stem in listed.split()]
ADJECTIVES = {
    _unaccented(form): _unaccented(forms[0])
    for forms in ([*map(str.split, FORMS)] + [[stem + ending for ending in endings] for stem, endings in _INFLECTED])
    for form in forms
}
"""Forms of adjectives, and the first form of each."""


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """Return the singular of a regular English plural, the first form of an adjective, other words without accents.

    >>> [stem(word) for word in ("dogs", "boxes", "cherries", "glass", "bus", "12", "verte", "café")]
    ['dog', 'box', 'cherry', 'glass', 'bus', '12', 'vert', 'cafe']
    """
    word = _unaccented(word)
    word = ADJECTIVES.get(word, word)
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is", "'s")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("xes", "ches", "shes", "sses")) else word[:-1]
