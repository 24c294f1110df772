"""Numbers of boxes and points as replies write them: which belong together, and which of them is x and which y."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from mmbench.harness.replies.coordinates import Scale

NUMBER = r"[-+]?(?:[0-9]{1,7}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})"
_COMMA = r"\s{0,20}(?:,\s{0,20}|\s|>\s{0,20}<)"
_GAP = r"\s{0,20}(?:[,;]\s{0,20}|\s|>\s{0,20}<)"
_BESIDE = re.compile(r"[ \t]{0,9},?[ \t]{0,9}|\s?(?:to|-|[–—]|->|→)\s?")
"""What may stand between two corners of one box."""

_ASCII = str.maketrans("（），：；［］【】．−０１２３４５６７８９", "(),:;[][].-0123456789")
"""Signs of Chinese and Japanese texts and the sign of minus, each of which is one character too."""

_SAID = re.compile(
    r"\b((?:label|name|text_content|alt|ref|phrase|category|class)"
    r"[\"']?\s{0,5}[:=]\s{0,5})(?:\"(?:[^\"\\]|\\.){0,2000}\"|'(?:[^'\\]|\\.){0,2000}')",
    re.I,
)
"""What a thing is called, in which any numbers may stand: a sign that is read, a house with its number."""

_SPAN = re.compile(r"(?<![A-Za-z])[xy]\s?[:=]\s?$", re.I)
"""Before two numbers in brackets that say from where to where one side goes."""

_OBJECT = re.compile(r"\{[^{}]{0,500}\}")
_SIDES = {"x1": 0, "xmin": 0, "left": 0, "y1": 1, "ymin": 1, "top": 1}
_SIDES |= {"x2": 2, "xmax": 2, "right": 2, "y2": 3, "ymax": 3, "bottom": 3}
_SIDES |= {"x": 4, "y": 5, "width": 6, "w": 6, "height": 7, "h": 7}
_NAME = r"\b([xy]_?(?:[12]|min|max)?|left|top|right|bottom|width|height|w|h)\b"
_KEY = re.compile(rf"{_NAME}[\"']?\s{{0,5}}[:=>]\s{{0,5}}[\"']?({NUMBER})", re.I)
_NEAR = 40
"""Characters between two sides of one box that a text names, at the most."""

_TAG = re.compile(r"<points?\s[^<>]{0,100000}>(?:[^<]{0,1000}</points?>)?")
_COORDS = re.compile(r"\bcoords=[\"']([0-9\t:;, .]{0,100000})[\"']")
"""Points as Molmo2 has them: the number of the picture, and of each point its own number, x and y."""
_MARK = re.compile(rf"\b([xy])([0-9]{{0,4}})\s{{0,5}}=\s{{0,5}}[\"']?\s?({NUMBER})")


class Grammar:
    """Patterns of numbers that belong together; `after` is what may stand behind each."""

    def __init__(self, after: str) -> None:
        number = f"[\"']?({NUMBER}){after}[\"']?"
        point = number + _GAP + number
        end = r"\s{0,20}\\?[\])"
        self.number = re.compile(number)
        self.four = re.compile(r"[\[(<{>]\s{0,20}" + _GAP.join([number] * 4) + end + ">}<]")
        self.point = re.compile(r"[\[(]\s{0,20}" + point + end + "]")
        self.fours, self.points = (self._several(number, count) for count in (4, 2))
        self.corners = re.compile(
            rf"\b(?:top|upper)[-_ ]?left(?![a-z])[^()\[\]0-9]{{0,60}}[\[(]\s?{point}\s?[\])]"
            rf"[^()\[\]0-9]{{0,80}}\b(?:bottom|lower)[-_ ]?right(?![a-z])[^()\[\]0-9]{{0,60}}[\[(]\s?{point}\s?[\])]",
            re.I,
        )
        self.four_alone = re.compile(
            r"(?:[^0-9.+\-[({<]|[.+-](?![0-9.]))*" + r"\s{0,9},\s{0,9}".join([number] * 4) + "[^0-9]*"
            rf"|{_GAP.join([number] * 4)}"
        )
        self.point_alone = re.compile(rf"(?:<points?>)?\s?{point}\s?(?:</points?>)?")

    @staticmethod
    def _several(number: str, count: int) -> re.Pattern[str]:
        """Return the pattern of one pair of brackets around fours or points that a `;` parts (Shikra, CogVLM)."""
        bare = number.replace("(" + NUMBER, "(?:" + NUMBER)
        one = _COMMA.join([bare] * count)
        return re.compile(rf"[\[(]\s{{0,20}}({one}(?:\s{{0,9}};\s{{0,9}}{one}){{1,200}})\s{{0,20}}[\])]")


_grammar_of = cache(Grammar)
"""Made when a reply is read: most runs write no boxes, and the patterns take longer to make than all else here."""


def _grammar(scale: Scale) -> Grammar:
    if scale.percent:
        return _grammar_of(r"\s?%?")
    return _grammar_of("" if scale.full else r"(?:\s?(?:px|pixels))?")


def fours(reply: str, scale: Scale) -> Iterator[list[float]]:
    """Yield the boxes of a reply as x1, y1, x2, y2, in its order.

    In words, by names outside of an object, and without brackets only where nothing stands in brackets.
    """
    text = _plain(reply)
    grammar = _grammar(scale)
    places = [(match.start(), _ordered(match.groups(), scale)) for match in grammar.four.finditer(text)]
    places += [(start, _ordered(four, scale)) for start, four in _apart(text, grammar, grammar.fours, 4)]
    # More points in a row than two corners are an outline, or many things.
    corners = (run for run in _side_by_side(text, grammar.point) if len(run) == 2)
    places += [(a.start(), _ordered((*a.groups(), *b.groups()), scale)) for a, b in corners]
    for match in _OBJECT.finditer(text):
        box = _named(_KEY.findall(match.group()))
        if box is not None:
            places.append((match.start(), box))
    if not places:
        places = [(match.start(), _ordered(match.groups(), scale)) for match in grammar.corners.finditer(text)]
    if not places and "{" not in text:  # an object that is cut off may be cut within a number
        places = [(start, box) for start, keys in _runs(text) if (box := _named(keys)) is not None]
    if not places and (alone := grammar.four_alone.fullmatch(text)):
        places = [(0, _ordered([number for number in alone.groups() if number is not None], scale))]
    for _, numbers in sorted(places, key=lambda place: place[0]):
        yield numbers


def pairs(reply: str, scale: Scale) -> list[tuple[float, float]]:
    """Return the points of a reply as x, y, in its order; by names or alone only where none stands in brackets."""
    text = _plain(reply)
    grammar = _grammar(scale)
    places = [(tag.start(), point) for tag in _TAG.finditer(text) for point in _in_tag(tag.group())]
    text = _TAG.sub(lambda tag: " " * len(tag.group()), text) if places else text
    bracketed = (
        match
        for match in grammar.point.finditer(text)
        if not _SPAN.search(text[max(0, match.start() - 8) : match.start()])
    )
    places += [(match.start(), _pair(match.groups(), scale)) for match in bracketed]
    places += [(start, _pair(point, scale)) for start, point in _apart(text, grammar, grammar.points, 2)]
    if not places:
        named = (({name.lower(): float(value) for name, value in keys}, start) for start, keys in _runs(text))
        places = [(start, (keys["x"], keys["y"])) for keys, start in named if keys.keys() == {"x", "y"}]
    if not places and (alone := grammar.point_alone.fullmatch(text)):
        places = [(0, _pair(alone.groups(), scale))]
    return [point for _, point in sorted(places, key=lambda place: place[0])]


def _plain(reply: str) -> str:
    """Return a reply in the signs of ASCII, without what things in it are called."""
    return _SAID.sub(r'\1""', reply.translate(_ASCII)).strip()


def _in_tag(tag: str) -> Iterator[tuple[float, float]]:
    """Yield the points of a tag."""
    marks: dict[str, dict[str, float]] = {}
    for axis, number, value in _MARK.findall(tag):
        marks.setdefault(number, {})[axis] = float(value)
    yield from ((mark["x"], mark["y"]) for mark in marks.values() if len(mark) == 2)
    for coords in _COORDS.findall(tag):
        for of_picture in re.split(r"[\t:;,]", coords):
            _, *numbers = of_picture.split() or [""]
            if not len(numbers) % 3:
                yield from ((float(numbers[i]), float(numbers[i + 1])) for i in range(1, len(numbers), 3))


def _ordered(numbers: Sequence[str], scale: Scale) -> list[float]:
    a, b, c, d = map(float, numbers)
    return [b, a, d, c] if scale.rows_first else [a, b, c, d]


def _pair(numbers: Sequence[str], scale: Scale) -> tuple[float, float]:
    one, other = map(float, numbers)
    return (other, one) if scale.rows_first else (one, other)


def _apart(text: str, grammar: Grammar, several: re.Pattern[str], count: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the start and the numbers of each of several fours or points within one pair of brackets."""
    for match in several.finditer(text):
        numbers = [each.group(1) for each in grammar.number.finditer(match.group(1))]
        for i in range(0, len(numbers), count):
            yield match.start(), numbers[i : i + count]


def _named(keys: Iterable[tuple[str, str]]) -> list[float] | None:
    """Return the box whose sides are named; with a width and a height, `x` and `y` are its left and its top."""
    held = {_SIDES[name.lower().replace("_", "")]: float(value) for name, value in keys}
    if {0, 1, 2, 3} <= held.keys():
        return [held[side] for side in range(4)]
    left, top = held.get(0, held.get(4)), held.get(1, held.get(5))
    if left is None or top is None or not {6, 7} <= held.keys() or {2, 3} & held.keys():
        return None
    return [left, top, left + held[6], top + held[7]]


def _runs(text: str) -> Iterator[tuple[int, list[tuple[str, str]]]]:
    """Yield the start of names with numbers that stand near each other, each name once, and these."""
    run: list[tuple[str, str]] = []
    start = end = 0
    for match in _KEY.finditer(text):
        if run and (match.start() - end > _NEAR or match.group(1) in {name for name, _ in run}):
            yield start, run
            run = []
        if not run:
            start = match.start()
        run.append((match.group(1), match.group(2)))
        end = match.end()
    if run:
        yield start, run


def _side_by_side(text: str, point: re.Pattern[str]) -> list[list[re.Match[str]]]:
    """Return the points of a text, those side by side together."""
    runs: list[list[re.Match[str]]] = []
    for match in point.finditer(text):
        if runs and _BESIDE.fullmatch(text, runs[-1][-1].end(), match.start()):
            runs[-1].append(match)
        else:
            runs.append([match])
    return runs
