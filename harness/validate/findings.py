"""What is found in a task's data, in sentences: what is wrong, what a person should look at, and plain facts."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from mmbench.harness.digest import Json
from mmbench.harness.tasks.task import Task
from mmbench.harness.types import Sample
from mmbench.harness.validate.likeness import near_pairs
from mmbench.harness.validate.survey import Survey, survey

Weight = Literal["wrong", "look", "fact"]

_LEARNT = ("train", "validation")
_NAMED = 3
"""Examples that a sentence names."""
_ROUNDED = 0.005
"""By how much a card may differ from what its items give."""
_UNEVEN = 10
"""A class this many times as frequent as another is worth a look."""
_SMALL = 64
"""Pixels: a picture whose longer side is below this is enlarged by every model."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence on a task's data."""

    weight: Weight
    """`wrong`: scores would be; `look`: they may be; `fact`: what there is."""
    check: str
    """Name of what was checked."""
    sentence: str

    def as_json(self) -> dict[str, Json]:
        """Return it as JSON holds it."""
        return {"weight": self.weight, "check": self.check, "sentence": self.sentence}


def findings(task: Task, seen: Survey | None = None) -> list[Finding]:
    """Return what is found, the wrong first. Raises DataError where the data cannot be read at all."""
    found = survey(task) if seen is None else seen
    made = [
        *_counts(task, found),
        *_pictures(found),
        *_twice(found),
        *_nearly(found),
        *_balance(task, found),
        *(Finding("look", "notes", note) for note in task.opened.notes),
    ]
    order = ("wrong", "look", "fact")
    return sorted(made, key=lambda finding: order.index(finding.weight))


def _counts(task: Task, found: Survey) -> Iterable[Finding]:
    pictures = len(found.pictures) + len(found.unreadable)
    yield Finding("fact", "counts", f"{len(found.samples)} items, {pictures} pictures, family {task.family.name}")
    parts = Counter(part for part in found.parts if part)
    if parts:
        said = ", ".join(f"{name} {parts[name]}" for name in ("train", "validation", "test"))
        yield Finding("fact", "counts", f"items of each part: {said}")
    if not found.samples:
        yield Finding("wrong", "counts", "there is no item to ask")
    elif not pictures:
        yield Finding("look", "counts", "no item has a picture: a model that looks at them cannot be asked")
    twice = [name for name, count in Counter(sample.id for sample in found.samples).items() if count > 1]
    if twice:
        yield listed("wrong", "counts", "ids that several items have; name a unique column as `id` in `fields`", twice)


def _pictures(found: Survey) -> Iterable[Finding]:
    if found.unreadable:
        yield listed("wrong", "pictures", "pictures that cannot be read", found.unreadable)
    if not found.sizes:
        return
    widths, heights = zip(*found.sizes, strict=True)
    yield Finding(
        "fact",
        "pictures",
        f"pictures of {min(widths)} x {min(heights)} to {max(widths)} x {max(heights)} pixels, "
        f"half of them at least {median(map(max, found.sizes)):g} on the longer side",
    )
    small = sum(max(size) < _SMALL for size in found.sizes)
    if small:
        yield Finding("look", "pictures", f"pictures below {_SMALL} pixels on the longer side: {small}")


def _twice(found: Survey) -> Iterable[Finding]:
    """Yield what is said of pictures with equal content."""
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for place, digest in zip(found.pictures, found.digests, strict=True):
        groups[digest].append(place)
    equal = [places for places in groups.values() if len({*places}) > 1]
    yield from _leaks(found, [pair for places in equal for pair in _by_part(found, places)], "the same")
    unlike = [places for places in equal if len({found.samples[place].target for place in places}) > 1]
    if equal:
        yield listed("look", "duplicates", "pictures that stand in several items", _named(found, equal))
    if unlike and not any(sample.question for sample in found.samples):  # else other things are asked of one picture
        what = "pictures that stand in several items with different answers"
        yield listed("wrong", "duplicates", what, _named(found, unlike))


def _by_part(found: Survey, places: Sequence[int]) -> Iterable[tuple[int, int]]:
    """Pair the test items among these with the first that is learnt from."""
    learnt = next((place for place in places if found.parts[place] in _LEARNT), None)
    return [] if learnt is None else [(place, learnt) for place in places if found.parts[place] == "test"]


def _nearly(found: Survey) -> Iterable[Finding]:
    """Yield what is said of pictures that are nearly the same, and not the same."""
    pairs = [
        (found.pictures[a], found.pictures[b])
        for a, b in near_pairs(found.hashes, found.copies)
        if found.digests[a] != found.digests[b]
    ]
    pairs = [(a, b) for a, b in pairs if a != b]
    yield from _leaks(found, pairs, "nearly the same")
    if pairs:
        yield listed("look", "near duplicates", "pairs of nearly equal pictures", _named(found, pairs))


def _leaks(found: Survey, pairs: Sequence[tuple[int, int]], how: str) -> Iterable[Finding]:
    """Yield what is said of test pictures that are learnt from."""
    leaked = [(a, b) for a, b in pairs if found.parts[a] == "test" and found.parts[b] in _LEARNT]
    leaked += [(b, a) for a, b in pairs if found.parts[b] == "test" and found.parts[a] in _LEARNT]
    tests = dict.fromkeys(a for a, _ in leaked)
    if tests:
        first = {a: b for a, b in reversed(leaked)}
        named = [[a, first[a]] for a in tests]
        what = f"test pictures that stand in train or validation too, {how}"
        yield listed("wrong" if how == "the same" else "look", "leaks", what, _named(found, named))


def _balance(task: Task, found: Survey) -> Iterable[Finding]:
    """Yield what is said of the answers: how many of each there are, and what always giving one of them scores."""
    asked = [s for s, part in zip(found.samples, found.parts, strict=True) if part in ("", "test")]
    right = Counter(place for sample in asked for place in sample.target)
    if not right or task.family.name in ("pairs", "retrieval", "captioning", "vqa"):
        return
    single = all(len(sample.target) == 1 for sample in asked)
    names = getattr(getattr(task.family, "classes", None), "names", None)
    if names is not None:
        missing = [name for place, name in enumerate(names) if not right[place]]
        if missing:
            yield listed("look", "balance", "classes without an item", missing)
        (most, highest), (least, lowest) = right.most_common(1)[0], right.most_common()[-1]
        weight: Weight = "look" if highest >= _UNEVEN * lowest else "fact"
        said = f"items of a class: {lowest} ('{names[least]}') to {highest} ('{names[most]}')"
        yield Finding(weight, "balance", f"{said}, of {len(names)} class{'es' if len(names) > 1 else ''}")
    if single:
        yield from _guesses(task, asked, right)


def _guesses(task: Task, asked: Sequence[Sample], right: Counter[int]) -> Iterable[Finding]:
    own = [len(sample.options) for sample in asked]
    texts = Counter(s.options[s.target[0]].label for s in asked if s.options)  # an option by its text, not by its place
    majority = max([*right.values(), *texts.values()]) / len(asked)
    names = getattr(getattr(task.family, "classes", None), "names", None)
    chance = 1 / len(names) if names else sum(1 / count for count in own) / len(own) if all(own) else 0.5
    yield Finding(
        "fact", "guesses", f"accuracy of a random guess {chance:.4f}, of always the commonest answer {majority:.4f}"
    )
    if not task.family.metrics[0].name.endswith("accuracy"):
        return
    for said, value, measured in (("chance", task.card.chance, chance), ("majority", task.card.majority, majority)):
        if value is not None and abs(value - measured) > _ROUNDED:
            sentence = f"the card states a {said} of {value:g}, and the items give {measured:.4f}"
            yield Finding("wrong", "guesses", sentence)


def listed(weight: Weight, check: str, what: str, names: Sequence[str]) -> Finding:
    """Return a finding on several things, of which the first are named."""
    more = f", and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return Finding(weight, check, f"{what}: {len(names)} ({', '.join(names[:_NAMED])}{more})")


def _named(found: Survey, groups: Sequence[Iterable[int]]) -> list[str]:
    """Return the ids of the items of each group, as `a = b`."""

    def named(places: Iterable[int]) -> str:
        ids = [found.samples[place].id for place in dict.fromkeys(places)]
        return " = ".join(ids[:_NAMED]) + (" = …" if len(ids) > _NAMED else "")

    return [named(group) for group in groups]
