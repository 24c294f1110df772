"""Option mentions: a phrase may name an option by its mark, its position or its text, decided only here."""

import re
import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

from mmbench.harness.replies.clean import Token, clean, stem, tokens
from mmbench.harness.replies.lexicon import all_words
from mmbench.harness.replies.words.forms import UNITS
from mmbench.harness.replies.words.numbers import ALONE, ORDINALS
from mmbench.harness.replies.words.senses import MEANINGLESS, TURNING

Named = frozenset[int]
"""The options that a phrase names: none, one, or several where its readings disagree."""

NONE: Named = frozenset()
Words = tuple[str, ...]

_UNITS = {name: unit for unit, *names in map(str.split, UNITS) for name in names}
_MEANINGLESS, _TURNING = frozenset(MEANINGLESS.split()), frozenset(TURNING.split())
_MARK = re.compile(
    r"[(\[{<\"']*#?(?!a\s+\w)([a-z]|\d{1,4})(?:(?:[)\]}>\"']+|[\s.:,;)\-(\[])[\s.:,;)\-]*(.*))?", re.I | re.S
)
"""What may be a mark, and what stands beside it; in `a dog` there is none."""
_ORDINAL = re.compile(
    rf"(?:the\s+)?({'|'.join(ORDINALS)}|last|\d+(?:st|nd|rd|th))\s+"
    r"(?:(?:listed |given )?(?:option|choice|answer|alternative|one)(?: (?:given|listed|in the list))?"
    r"|of the (?:\w+ )?(?:options|choices|answers|alternatives))",
    re.I,
)
_POLAR = ("yes", "yes alone", "true alone"), ("no", "no alone", "false alone")
_LONGEST = 2000
"""Characters of a phrase that is compared with the options' texts."""


class Options:
    """The options of one question as a reply may name them."""

    def __init__(self, texts: Sequence[str], marks: Sequence[str] = ()) -> None:
        self.texts = tuple(texts)
        self.marks: Mapping[str, int] = {mark: i for i, mark in enumerate(marks)}
        self.words = [tuple(t.text for t in tokens(clean(text))) or (text.casefold(),) for text in texts]
        said = [[words in all_words(role) for words in self.words] for role in ("yes", "no")]
        if said[0] == [not each for each in said[1]]:
            self.words = [("yes",) if each else ("no",) for each in said[0]]  # of whatever language
        self.all_numbers = all(any(word[-1:].isdigit() for word in words) for words in self.words)
        numbers = any(len(words) == 1 and words[0][-1:].isdigit() for words in self.words)
        self.numbered = bool(marks) and (marks[0].isdigit() or not numbers)
        """Whether a number that is set off counts the options: none of them is a number itself."""
        self.letter_texts = any(re.search(r"(?<!\w)[A-Z](?!\w)", t) for t in texts) and list(texts) != list(marks)
        """Whether an option's text holds single letters, so that a letter need not be a mark."""
        self.asks = any(text.rstrip().endswith("?") for text in texts)
        """Whether an option is a question itself, so that a question can name it."""
        self._plain = list(map(_plain, texts))
        plural = len({tuple(map(stem, words)) for words in self.words}) < len(set(self.words))
        self._form: Callable[[str], str] = str if plural else stem
        """The form in which words are compared: of options that differ in a plural alone as they stand."""
        self._forms = [self._formed(words) for words in self.words]
        self._by_forms: dict[Words, Named] = {}
        for i, words in enumerate(self._forms):
            self._by_forms[words] = self._by_forms.get(words, NONE) | {i}
        for pair in zip(*_POLAR, strict=True) if len(texts) <= 3 else ():
            ends = [frozenset(i for i, words in enumerate(self.words) if words in all_words(role)) for role in pair]
            for end, roles in zip(ends, _POLAR, strict=True) if all(len(each) == 1 for each in ends) else ():
                for words in all_words(*roles):
                    self._by_forms.setdefault(self._formed(words), end)
        for number, listed in enumerate(ALONE):
            for word in listed.split() if (str(number),) in self._by_forms else ():
                self._by_forms.setdefault(self._formed(t.text for t in tokens(word)), self._by_forms[(str(number),)])

    @cached_property
    def polar(self) -> tuple[int, int] | None:
        """The options that an opening yes and an opening no stand for, where there is one of each."""
        begin = ([i for i, words in enumerate(self.words) if words[0] == word] for word in ("yes", "no"))
        yes, no = (b or list(self._by_forms.get((word,), NONE)) for b, word in zip(begin, ("yes", "no"), strict=True))
        return (yes[0], no[0]) if len(yes) == len(no) == 1 else None

    @property
    def yes_no(self) -> bool:
        """Whether the options are yes and no."""
        return sorted(self.words) == [("no",), ("yes",)]

    @cached_property
    def listed(self) -> re.Pattern[str]:
        """The list of all options with their marks, as a prompt shows it."""
        lines = (
            rf"\(?{mark}[.):]+\)?\s*" + r"\s+".join(map(re.escape, clean(text).split())) + r"\.?"
            for mark, text in zip(self.marks, self.texts, strict=True)
        )
        return re.compile(r"(?:(?:options|choices)\s*:)?\s*" + r"[\s,;|]*".join(lines) + r"(?!\w)", re.I)

    def named(self, phrase: str, *, set_off: bool = False) -> Named:
        """Return what a phrase names as a whole, by mark, by place, by text or by two of these.

        `set_off` says that the phrase stands after `option`, so that a number is a place.

        >>> [sorted(Options(["cat", "dog"], "AB").named(p)) for p in ("(b)", "first option", "A dog.", "A. dog")]
        [[1], [0], [1], [0, 1]]
        """
        phrase = phrase[:_LONGEST].strip().rstrip(" .!,;")
        text = NONE if set_off else self._by_text(phrase)
        ordinal = _ORDINAL.fullmatch(f"{phrase} one" if phrase.istitle() else phrase)  # `third` can be a fraction
        if ordinal and self.marks:
            return text or self._by_place(ordinal.group(1).lower())
        found = _MARK.fullmatch(phrase)
        if not found or (text and (found.group(2) or phrase.isdecimal())):
            return text
        name, rest = found.group(1), found.group(2) or ""
        place = self.mark(name, set_off=set_off or bool(rest) or not phrase.isdecimal())
        also = self._by_text(rest.strip("()[] ") or name)
        if place is None or (rest and not also):
            return text
        return text | ({place} if place in also else also | {place})

    def part_named(self, phrase: str) -> Named:
        """Return the one option that a phrase names by a telling part of its text, such as its first words."""
        phrase = phrase[:_LONGEST].strip(" .!")
        said = self._formed(token.text for token in tokens(phrase))
        begins = [i for i, words in enumerate(self._forms) if words[: len(said)] == said]
        if len(begins) == 1 and len(said) >= 3:
            return frozenset(begins)
        telling = len(said) >= 3 or not any(word in {*_MEANINGLESS, *string.ascii_lowercase} for word in said)
        holding = [i for i, words in enumerate(self._forms) if said and _holds(words, said)]
        if not telling or len(holding) != 1 or not self._is_whole(holding[0], said):
            return NONE
        # A number, though a part of the option's text, can also mean the place of another option.
        place = bool(self.marks) and phrase.strip("()").isdecimal() and int(said[0]) != holding[0] + 1
        return NONE if place and not (phrase.isdecimal() and self.all_numbers) else frozenset(holding)

    def mark(self, name: str, *, set_off: bool = False) -> int | None:
        """Return the option that a letter or number marks; a number also counts the options from 1.

        Not where the number can mean the text of another option. A number that is not `set_off`, as in `(2)`, counts
        only where not all options have some number.
        """
        if name.upper() in self.marks:
            return self.marks[name.upper()]
        if not (self.numbered and name.isdecimal() and 1 <= int(name) <= len(self.texts)):
            return None
        place, number = int(name) - 1, str(int(name))
        other = any(number in words for i, words in enumerate(self.words) if i != place)
        return None if other or (self.all_numbers and not set_off) else place

    def mentions(self, said: Sequence[Token]) -> Mapping[int, tuple[int, int]]:
        """Return at each token that begins an option's text the option and the token after; longer texts win."""
        words = self._formed(token.text for token in said)
        made, at = {}, 0
        while at < len(words):
            text, i = next((e for e in self._first.get(words[at], ()) if words[at : at + len(e[0])] == e[0]), ((), -1))
            if text:
                made[at] = i, at + len(text)
            at += len(text) or 1
        return made

    def places(self, sentence: str) -> list[tuple[int, int, int]]:
        """Return (start, end, option) of each `third option` in a sentence."""
        found = [(each, self._by_place(each.group(1).lower())) for each in _ORDINAL.finditer(sentence)]
        return [(*each.span(), min(place)) for each, place in found if place and self.marks]

    @cached_property
    def _first(self) -> Mapping[str, list[tuple[Words, int]]]:
        """The texts that a sentence may mention by their first word; a letter or `none` alone is no mention."""
        made: dict[str, list[tuple[Words, int]]] = {}
        for i, text in sorted(enumerate(self._forms), key=lambda pair: -len(pair[1])):
            if len(text) > 1 or text[0] not in {*_MEANINGLESS, *string.ascii_lowercase}:
                made.setdefault(text[0], []).append((text, i))
        return made

    def _formed(self, words: Iterable[str]) -> Words:
        made = tuple(map(self._form, words))
        return tuple(_UNITS.get(b, b) if a[-1:].isdigit() else b for a, b in zip(("", *made), made, strict=False))

    def _by_text(self, phrase: str) -> Named:
        plain = _plain(phrase)
        exact = frozenset(i for i, text in enumerate(self._plain) if text == plain)
        return exact or self._by_forms.get(self._formed(token.text for token in tokens(phrase)), NONE)

    def _by_place(self, ordinal: str) -> Named:
        count = len(self.texts)
        place = (
            ORDINALS.index(ordinal)
            if ordinal in ORDINALS
            else count - 1
            if ordinal == "last"
            else int(ordinal[:-2]) - 1
        )
        return frozenset({place} & set(range(count)))

    def _is_whole(self, option: int, said: Sequence[str]) -> bool:
        """Return whether nothing in the rest of the option's text turns its sense: `not`, `and`, `only`."""
        words = self._forms[option]
        rest = set(words[1:] if words[0] in {"yes", "no"} else words) - set(said)
        more = said[-1].isdigit() and any(word[-1].isdigit() for word in rest)  # another number
        return not (more or _TURNING & rest or any(word.endswith("n't") for word in rest))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" \"'*").rstrip(" \"'.,;:!*")


def _holds(words: Words, said: Words) -> bool:
    return any(words[k : k + len(said)] == said for k in range(len(words) - len(said) + 1))
