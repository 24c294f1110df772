"""Option mentions: a phrase may name an option by its mark, its position or its text, decided only here."""

import re
import string
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from mmbench.harness.replies.clean import Token, clean, stem, tokens
from mmbench.harness.replies.lexicon import all_words
from mmbench.harness.replies.words.numbers import ORDINALS
from mmbench.harness.replies.words.senses import MEANINGLESS, TURNING

Named = frozenset[int]
"""The options that a phrase names: none, one, or several where its readings disagree."""

NONE: Named = frozenset()


_MEANINGLESS, _TURNING = frozenset(MEANINGLESS.split()), frozenset(TURNING.split())
_OPEN, _CLOSE = r"[(\[{<\"']", r"[)\]}>\"']"
_MARK = re.compile(rf"{_OPEN}*#?([a-z]|\d{{1,4}}){_CLOSE}*[.:,;)]*", re.I)
_MARK_AND_TEXT = re.compile(rf"{_OPEN}*([a-z]|\d{{1,4}})({_CLOSE}+[\s.:,;)\-]*|[\s.:,;)\-(\[]+)(.+)", re.I | re.S)
_ORDINAL = re.compile(
    rf"(?:the\s+)?({'|'.join(ORDINALS)}|last|\d+(?:st|nd|rd|th))\s+"
    r"(?:(?:listed |given )?(?:option|choice|answer|alternative|one)(?: (?:given|listed|in the list))?"
    r"|of the (?:\w+ )?(?:options|choices|answers|alternatives))",
    re.I,
)

_LONGEST_AMOUNT = 3
_LONGEST = 2000
"""Characters of a phrase that is compared with the options' texts."""


class Options:
    """The options of one question as a reply may name them."""

    def __init__(self, texts: Sequence[str], marks: Sequence[str] = ()) -> None:
        self.texts = tuple(texts)
        self.marks: Mapping[str, int] = {mark: i for i, mark in enumerate(marks)}
        self.words = [tuple(t.text for t in tokens(clean(text))) or (text.casefold(),) for text in texts]
        self.all_numbers = all(any(word[-1:].isdigit() for word in words) for words in self.words)
        numbers = any(len(words) == 1 and words[0][-1:].isdigit() for words in self.words)
        self.numbered = bool(marks) and (marks[0].isdigit() or not numbers)
        """Whether a number that is set off counts the options: none of them is a number itself."""
        self._amounts = _amounts(self.words)
        self.letter_texts = any(re.search(r"(?<!\w)[A-Z](?!\w)", t) for t in texts) and list(texts) != list(marks)
        """Whether an option's text holds single letters, so that a letter need not be a mark."""
        self.asks = any(text.rstrip().endswith("?") for text in texts)
        """Whether an option is a question itself, so that a question can name it."""
        self._plain = _grouped(_plain(text) for text in texts)
        self._canonical = _grouped(self.words)
        stems = [tuple(map(stem, words)) for words in self.words]
        self._stems = _grouped(stems)
        self._stemmed = len(self._stems) == len(self._canonical)
        self._first = self._mentionable(stems if self._stemmed else self.words)
        self._add_synonyms()

    @cached_property
    def polar(self) -> tuple[int, int] | None:
        """The options that an opening yes and an opening no stand for, where there is one of each."""
        places = []
        for word in ("yes", "no"):
            begin = frozenset(i for i, words in enumerate(self.words) if words[0] == word)
            places.append(begin or self._canonical.get((word,), NONE))
        return (min(places[0]), min(places[1])) if [len(place) for place in places] == [1, 1] else None

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
        text = NONE if set_off else self._by_text(phrase[:_LONGEST])
        phrase = phrase[:_LONGEST].strip().rstrip(" .!,;")
        mark = _MARK.fullmatch(phrase)
        if mark:
            bare = phrase.isdecimal() and not set_off
            place = None if bare and text else self.mark(mark.group(1), set_off=not bare)
            return text if place is None else text | self._by_text(mark.group(1)) | {place}
        ordinal = _ORDINAL.fullmatch(phrase)
        if ordinal and self.marks and not text:
            return self._by_place(ordinal.group(1).lower())
        return text or self._by_mark_and_text(phrase)

    def part_named(self, phrase: str) -> Named:
        """Return the one option that a phrase names by a telling part of its text, such as its first words."""
        phrase = phrase[:_LONGEST].strip(" .!")
        said = tuple(token.text for token in tokens(phrase))
        if not said:
            return NONE
        begins = [i for i, words in enumerate(self.words) if words[: len(said)] == said]
        if len(begins) == 1 and len(said) >= 3:
            return frozenset(begins)
        if len(said) < 3 and any(word in _MEANINGLESS or (len(word) == 1 and not word.isdigit()) for word in said):
            return NONE
        holding = [i for i, words in enumerate(self.words) if _holds(tuple(map(stem, words)), tuple(map(stem, said)))]
        if len(holding) != 1 or not self._is_whole(holding[0], said) or self._is_other_place(phrase, said, holding[0]):
            return NONE
        return frozenset(holding)

    def mark(self, name: str, *, set_off: bool = False) -> int | None:
        """Return the option that a letter or number marks; a number also counts the options from 1.

        Not where the number can mean the text of another option. A number that is not `set_off`, as in `(2)`, counts
        only where no other option has that number in its text, and not all have some number.
        """
        if name.upper() in self.marks:
            return self.marks[name.upper()]
        if not (self.numbered and name.isdecimal() and 1 <= int(name) <= len(self.texts)):
            return None
        place, number = int(name) - 1, str(int(name))
        if self._amounts.get(number, NONE) - {place}:
            return None
        named = any(number in words for i, words in enumerate(self.words) if i != place)
        return place if set_off or not (named or self.all_numbers) else None

    def mentions(self, said: Sequence[Token]) -> list[tuple[int, int, int]]:
        """Return (option, first token, token after) for each text of an option in `said`; longer texts win."""
        words = [stem(t.text) if self._stemmed else t.text for t in said]
        made, at = [], 0
        while at < len(words):
            for text, i in self._first.get(words[at], ()):
                if tuple(words[at : at + len(text)]) == text:
                    made.append((i, at, at + len(text)))
                    at += len(text)
                    break
            else:
                at += 1
        return made

    def places(self, sentence: str) -> list[tuple[int, int, int]]:
        """Return (start, end, option) of each `third option` in a sentence."""
        found = ((each, self._by_place(each.group(1).lower())) for each in _ORDINAL.finditer(sentence))
        return [(each.start(), each.end(), min(place)) for each, place in found if place]

    def _is_other_place(self, phrase: str, said: Sequence[str], option: int) -> bool:
        """Return whether a number, though a part of the option's text, can also mean the place of another option."""
        if not self.marks or len(said) != 1 or not said[0].isdigit() or int(said[0]) == option + 1:
            return False
        return not self.all_numbers or not phrase[0].isalnum() or phrase[-1] == ")"

    def _by_text(self, phrase: str) -> Named:
        exact = self._plain.get(_plain(phrase))
        if exact:
            return exact
        said = tuple(token.text for token in tokens(phrase))
        return self._canonical.get(said) or self._stems.get(tuple(map(stem, said)), NONE)

    def _by_place(self, ordinal: str) -> Named:
        count = len(self.texts)
        if ordinal == "last":
            return frozenset({count - 1})
        place = ORDINALS.index(ordinal) if ordinal in ORDINALS else int(ordinal[:-2]) - 1
        return frozenset({place}) if 0 <= place < count else NONE

    def _by_mark_and_text(self, phrase: str) -> Named:
        """Read `B. dog`; a mark and a text that disagree name both, and `A dog` has no mark but an article."""
        found = _MARK_AND_TEXT.fullmatch(phrase)
        if found is None or (found.group(1) in "aA" and found.group(2).isspace()):
            return NONE
        place, text = (
            self.mark(found.group(1), set_off=not phrase[0].isdigit()),
            self._by_text(found.group(3).strip("()[] ")),
        )
        return NONE if place is None or not text else text | {place}

    def _mentionable(self, texts: Sequence[tuple[str, ...]]) -> Mapping[str, list[tuple[tuple[str, ...], int]]]:
        first: dict[str, list[tuple[tuple[str, ...], int]]] = {}
        for i, text in enumerate(texts):
            alone = len(text) == 1
            letter = alone and len(text[0]) == 1 and text[0] in string.ascii_lowercase
            if not letter and not (alone and text[0] in _MEANINGLESS):
                first.setdefault(text[0], []).append((text, i))
        return {word: sorted(found, key=lambda pair: -len(pair[0])) for word, found in first.items()}

    def _add_synonyms(self) -> None:
        if len(self.texts) > 3:
            return
        for positive, negative in (("yes", "no"), ("true", "false")):
            yes, no = self._canonical.get((positive,)), self._canonical.get((negative,))
            if yes and no:
                for role, named in (("yes", yes), ("no", no)):
                    for words in all_words(role, f"{role} alone"):
                        self._canonical.setdefault(words, named)

    def _is_whole(self, option: int, said: Sequence[str]) -> bool:
        """Return whether nothing in the rest of the option's text turns its sense: `not`, `and`, `only`."""
        words = self.words[option]
        rest = set(words[1:] if words[0] in {"yes", "no"} else words) - set(said)
        if all(word.isdigit() for word in said) and any(word[-1].isdigit() for word in rest):
            return False
        return not (_TURNING & rest) and not any(word.endswith("n't") for word in rest)


def _holds(words: tuple[str, ...], said: tuple[str, ...]) -> bool:
    return any(words[k : k + len(said)] == said for k in range(len(words) - len(said) + 1))


def _amounts(options: Sequence[tuple[str, ...]]) -> Mapping[str, Named]:
    """Return the options that a number alone may stand for: `two bicycles`, not a sentence in which two is said."""
    made: dict[str, Named] = {}
    for i, words in enumerate(options):
        for word in words if len(words) <= _LONGEST_AMOUNT else ():
            if word[-1:].isdigit():
                made[word] = made.get(word, NONE) | {i}
    return made


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" \"'*").rstrip(" \"'.,;:!*")


def _grouped(keys: Iterable[str | tuple[str, ...]]) -> dict[str | tuple[str, ...], Named]:
    made: dict[str | tuple[str, ...], Named] = {}
    for i, key in enumerate(keys):
        if key:
            made[key] = made.get(key, NONE) | {i}
    return made
