"""Clauses of the adapter contract, one function each, so that a broken one is understood in a few lines.

Each yields one sentence, without its subject, for each way in which an adapter breaks it; what the adapter raises
passes through.
"""

import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeAlias

from mmbench.adapters.contract.answers import (
    HALF_TOLERANCE,
    all_same,
    permuted,
    prepare_of,
    same,
)
from mmbench.adapters.contract.exam import Exam, Sitting, ask
from mmbench.harness.media.pixels import Pixels
from mmbench.harness.models.abilities import (
    ABILITIES,
    Ability,
    Prepared,
    PreparesImages,
    PreparesOnce,
    TakesTextAlone,
    abilities,
)

HEAVY = ("torch", "tensorflow", "jax", "transformers", "open_clip", "keras", "timm", "onnxruntime")
"""Modules that a warm run, which only reads fingerprints, must not import."""
ELSEWHERE_TOLERANCE = 1e-3
"""Rounding tolerance for another device or batch size, relative to a vector's norm."""
THREADS = 4

_FRESH_PROCESS = """
import importlib, json, os, runpy, sys
place, _, name = sys.argv[1].rpartition(":")
if place.endswith(".py"):
    sys.path.insert(0, os.path.dirname(os.path.abspath(place)))
    make = runpy.run_path(place)[name]
else:
    make = getattr(importlib.import_module(place), name)
fingerprint = make().fingerprint
print(json.dumps([fingerprint, [name for name in json.loads(sys.argv[2]) if name in sys.modules]]))
"""


AdapterClause: TypeAlias = Callable[[Exam], Iterator[str]]
AbilityClause: TypeAlias = Callable[[Exam, Sitting], Iterator[str]]


def has_abilities(exam: Exam) -> Iterator[str]:
    """A known ability is a method, or is left out (or None), and there is one at least."""
    if not abilities(exam.adapter):
        yield f"has none; an adapter has at least one of {', '.join(ABILITIES)}"
    for name in ABILITIES:
        member = getattr(exam.adapter, name, None)
        if member is not None and not callable(member):
            yield f"has {name}, but as a {type(member).__name__}, not as a method"


def fingerprint_identifies(exam: Exam) -> Iterator[str]:
    """The fingerprint is a text that changes with what makes the answers, and with nothing else."""
    mine = exam.fingerprint
    if not isinstance(mine, str) or not mine:
        yield f"has the fingerprint {mine!r}, which is not a text"
        return
    if exam.twin.fingerprint != mine:
        yield "has another fingerprint each time it is built"
    for variant in exam.variants:
        equal = variant.adapter.fingerprint == mine
        if equal and variant.differs:
            yield f"keeps its fingerprint for {variant.name!r}, which changes the model"
        if not equal and not variant.differs:
            yield f"changes its fingerprint for {variant.name!r}, which does not change the model"


def lazy_until_asked(exam: Exam) -> Iterator[str]:
    """In a fresh process, building the adapter and reading its fingerprint imports no framework."""
    if exam.lazy_spec is None:
        return
    command = [sys.executable, "-c", _FRESH_PROCESS, exam.lazy_spec, json.dumps(HEAVY)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the author's own code
    if done.returncode:
        yield f"could not be built as {exam.lazy_spec} in a fresh process: {done.stderr.strip()[-500:]}"
        return
    fingerprint, imported = json.loads(done.stdout.splitlines()[-1])
    if imported:
        yield f"imports {', '.join(imported)} to be built and to tell its fingerprint"
    if fingerprint != exam.fingerprint:
        yield "has another fingerprint in a fresh process"


def deterministic(exam: Exam, sitting: Sitting) -> Iterator[str]:
    """Equal questions get equal answers, from this adapter and from a second one built alike."""
    for adapter, when in ((exam.adapter, "when asked again"), (exam.twin, "from a second adapter built alike")):
        if not all_same(ask(adapter, sitting.probe, sitting.probe.inputs), sitting.together, sitting.tolerance):
            yield f"gives other answers {when}"
            return


def independent_of_batch(exam: Exam, sitting: Sitting) -> Iterator[str]:
    """A batch of n equals n batches of one."""
    singles, together, tolerance = sitting.singles, sitting.together, sitting.tolerance
    if not permuted(together, singles, tolerance):
        wrong = sum(not same(a, b, tolerance) for a, b in zip(together, singles, strict=True))
        yield f"answers {wrong} of {len(singles)} inputs differently in a batch than alone"


def order_kept(exam: Exam, sitting: Sitting) -> Iterator[str]:
    """Answers stand where their inputs stood, also when the inputs are permuted."""
    reordered = [sitting.singles[index] for index in sitting.order]
    for found, expected in ((sitting.together, sitting.singles), (sitting.reordered, reordered)):
        aligned = all_same(found, expected, sitting.tolerance)
        # Answers that no single one equals are the business of the batch clause.
        if not aligned and permuted(found, expected, sitting.tolerance):
            yield "gives the answers in another order than the inputs'"
            return


def inputs_told_apart(exam: Exam, sitting: Sitting) -> Iterator[str]:
    """Inputs that differ in one region, one word or at their end get different answers."""
    vectors = [row[:1] for row in sitting.singles[: sitting.probe.must_differ]]
    pairs = list(itertools.combinations(range(len(vectors)), 2))
    if sitting.probe.ability == "score_texts" and getattr(exam.adapter, "ignores_pictures", False):
        asked = [rest for _, *rest in sitting.probe.inputs]
        pairs = [pair for pair in pairs if asked[pair[0]] != asked[pair[1]]]
    # What half precision may round away is more than one word of many changes.
    tolerance = min(sitting.tolerance, HALF_TOLERANCE)
    equal = [pair for pair in pairs if same(vectors[pair[0]], vectors[pair[1]], tolerance)]
    if equal:
        one, other = (sitting.probe.describe(index) for index in equal[0])
        yield f"answers {len(equal)} of {len(pairs)} pairs of different inputs alike, among them {one} and {other}"


def fingerprint_not_stale(exam: Exam, sitting: Sitting) -> Iterator[str]:
    """Adapters that share a fingerprint share their answers."""
    for variant in exam.variants:
        if variant.adapter.fingerprint != exam.fingerprint:
            continue
        tolerance = sitting.tolerance if variant.differs else max(sitting.tolerance, ELSEWHERE_TOLERANCE)
        answers = ask(variant.adapter, sitting.probe, sitting.probe.inputs)
        if not all_same(answers, sitting.together, tolerance):
            yield f"gives other answers for {variant.name!r} under the same fingerprint"


def prepares_in_threads(exam: Exam, sitting: Sitting) -> Iterator[str]:
    """`prepare_image` may run in several threads at once without mixing pictures up."""
    if not sitting.probe.sees_pictures or not isinstance(exam.adapter, PreparesImages):
        return
    prepare = exam.adapter.prepare_image
    # Each round starts elsewhere, so that different pictures are prepared at the same time.
    rounds = [exam.pictures[start:] + exam.pictures[:start] for start in range(THREADS)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(THREADS) as pool:
            prepared = list(pool.map(lambda seen: {id(picture): prepare(picture) for picture in seen}, rounds))
    finally:
        sys.setswitchinterval(interval)
    for table in prepared:
        answers = ask(exam.adapter, sitting.probe, sitting.probe.inputs, partial(_look_up, table))
        if not all_same(answers, sitting.together, sitting.tolerance):
            yield "gives other answers when prepare_image runs in several threads"
            return


def prepared_serves_again(exam: Exam, sitting: Sitting) -> Iterator[str]:
    """An adapter that says it prepares once answers alike when it is given what it prepared a second time."""
    says = isinstance(exam.adapter, PreparesOnce) and exam.adapter.prepares_once is True
    if not says or not sitting.probe.sees_pictures:
        return
    prepare = prepare_of(exam.adapter)
    table = {id(picture): prepare(picture.copy()) for picture in exam.pictures}
    for _ in range(2):
        answers = ask(exam.adapter, sitting.probe, sitting.probe.inputs, partial(_look_up, table))
    if not all_same(answers, sitting.together, sitting.tolerance):
        yield "gives other answers for a prepared picture that it was given before"


def answers_text_alone(exam: Exam, sitting: Sitting) -> Iterator[str]:
    """An adapter that says it takes text alone answers without a picture, also beside items that have one."""
    says = isinstance(exam.adapter, TakesTextAlone) and exam.adapter.takes_text_alone
    if not says or sitting.probe.ability not in ("score_texts", "generate"):
        return
    bare: list[Any] = [([], *rest) for _, *rest in sitting.probe.inputs]
    together = ask(exam.adapter, sitting.probe, bare)
    mixed = ask(exam.adapter, sitting.probe, [*sitting.probe.inputs, *bare])
    if not all_same(mixed, [*sitting.together, *together], sitting.tolerance):
        yield "gives other answers when items with and without a picture are asked together"


def one_space(exam: Exam, sittings: list[Sitting]) -> Iterator[str]:
    """Pictures, clips and texts are embedded with the same number of dimensions."""
    sizes: dict[Ability, int] = {}
    for sitting in sittings:
        row = sitting.together[0]
        if sitting.probe.ability in ("embed_images", "embed_texts", "embed_videos") and not isinstance(row, str):
            sizes[sitting.probe.ability] = row[0].size
    if len(set(sizes.values())) > 1:
        yield "gives vectors of different sizes: " + ", ".join(f"{name} {size}" for name, size in sizes.items())


def fingerprint_stays(exam: Exam) -> Iterator[str]:
    """The fingerprint is the same after use."""
    if exam.adapter.fingerprint != exam.fingerprint:
        yield "has another fingerprint after use"


BEFORE: tuple[tuple[str, AdapterClause], ...] = (
    ("abilities", has_abilities),
    ("fingerprint", fingerprint_identifies),
    ("lazy", lazy_until_asked),
)
EACH: tuple[tuple[str, AbilityClause], ...] = (
    ("batch", independent_of_batch),
    ("order", order_kept),
    ("distinct", inputs_told_apart),
    ("stale fingerprint", fingerprint_not_stale),
    ("threads", prepares_in_threads),
    ("prepared once", prepared_serves_again),
    ("text alone", answers_text_alone),
)


def _look_up(prepared: dict[int, Prepared], picture: Pixels) -> Prepared:
    return prepared[id(picture)]
