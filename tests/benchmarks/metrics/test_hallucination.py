"""CHAIR names what a caption names: by the figures of the reference, and by hand."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmbench import metrics
from mmbench.benchmarks.metrics.hallucination import Table
from mmbench.benchmarks.metrics.singular import singular
from mmbench.benchmarks.named import synonym_table
from tests.effort import within

REFERENCE = Path(__file__).parents[4] / "shared" / "reference" / "hallucination.json"
SYNONYMS = {
    "person": ["person", "man", "woman", "child", "people"],
    "dog": ["dog", "puppy"],
    "bird": ["bird", "goose"],
    "bear": ["bear"],
    "teddy bear": ["teddy bear", "teddybear"],
    "hot dog": ["hot dog"],
    "train": ["train"],
    "bus": ["bus"],
    "zebra": ["zebra"],
    "bicycle": ["bicycle", "bike"],
    "tie": ["tie", "bow"],
    "toilet": ["toilet"],
    "chair": ["chair", "seat"],
    "wine glass": ["wine glass"],
    "knife": ["knife"],
}


@pytest.fixture
def chair_of_reference() -> Any:
    if not REFERENCE.is_file():
        pytest.skip("the reference figures are not here")
    return json.loads(REFERENCE.read_text(encoding="utf-8"))["chair"]


def test_it_is_that_of_the_reference(chair_of_reference: Any) -> None:
    synonyms = next(held for name, held in chair_of_reference.items() if name.startswith("synonyms"))
    table, items, expected = Table(synonyms), chair_of_reference["items"], chair_of_reference["expected"]
    for item in items:
        made = table.mentions(item["caption"])
        assert made.objects == item["nodes"]
        absent = [name not in item["ground_truth"] for name in made.objects]
        assert sum(absent) == len(item["hallucinated"])
    made_all = metrics.chair([item["caption"] for item in items], [item["ground_truth"] for item in items], synonyms)
    assert made_all == pytest.approx({name: expected[name] for name in made_all}, abs=1e-12)
    assert sum(len(table.mentions(item["caption"]).objects) for item in items) == expected["mentioned"]


def test_the_table_of_coco_is_that_of_the_script(chair_of_reference: Any) -> None:
    synonyms = next(held for name, held in chair_of_reference.items() if name.startswith("synonyms"))
    table = synonym_table("coco", Path())
    assert {name: [name, *words] for name, words in table.items()} == {
        name: [word for word in words if word == word.strip()] for name, words in synonyms.items()
    }
    items, expected = chair_of_reference["items"], chair_of_reference["expected"]
    made = metrics.chair([item["caption"] for item in items], [item["ground_truth"] for item in items], "coco")
    assert made == pytest.approx({name: expected[name] for name in made}, abs=1e-12)


def test_words_of_the_reference_are_found_in_the_plural_too(chair_of_reference: Any) -> None:
    synonyms = next(held for name, held in chair_of_reference.items() if name.startswith("synonyms"))
    for name in synonyms:
        plural = (
            f"{name[:-1]}ies" if name.endswith("y") else f"{name}es" if name.endswith(("ch", "s", "sh")) else f"{name}s"
        )
        plural = {"people": "people", "sheeps": "sheep", "mouses": "mice", "knifes": "knives"}.get(plural, plural)
        if name not in ("skis", "scissors"):
            assert Table(synonyms).mentions(f"Three {plural}.").objects == [name], plural
    assert set(chair_of_reference["double_words"]) - {"wine glas", "stove top oven"} <= set(Table(synonyms)._together)


@pytest.mark.parametrize(
    ("caption", "named"),
    [
        ("Two men and a child.", ["person", "person"]),
        ("People with puppies; geese!", ["person", "dog", "bird"]),
        ("A hot dog, not a DOG", ["hot dog", "dog"]),
        ("hot, dog", ["dog"]),  # a sign parts them
        ("Teddy bears beside a teddybear and a bear", ["teddy bear", "teddy bear", "bear"]),
        ("A baby zebra with adult zebras on a train track", ["zebra", "zebra"]),
        ("a passenger train, a train station", ["train", "train"]),
        ("The seat of the toilet", ["toilet"]),
        ("A toilet seat and a chair", ["toilet", "chair"]),
        ("a man in a bow tie", ["person", "tie"]),
        ("The dog's bus and the woman’s wine glasses", ["dog", "bus", "person", "wine glass"]),
        ("a motor bike", []),  # no bicycle
        ("dogs-eye knives\nand bus", ["knife", "bus"]),
        ("Some glasses in the sky", []),
        ("", []),
    ],
)
def test_what_a_caption_names(caption: str, named: list[str]) -> None:
    assert Table(SYNONYMS).mentions(caption).objects == named


def test_by_hand() -> None:
    captions = ["A dog, a dog and a bus.", "Nothing at all.", "A zebra."]
    made = metrics.chair(captions, [["dog", "train"], ["bus"], {"zebra"}], SYNONYMS)
    assert made == pytest.approx({"chair_i": 1 / 4, "chair_s": 1 / 3, "recall": 2 / 4})
    nothing = metrics.chair(["Hello"], [[]], SYNONYMS)
    assert (nothing["chair_i"], nothing["chair_s"]) == (0, 0)
    assert math.isnan(nothing["recall"])
    assert metrics.chair(["An IPHONE"], [["phone"]], {"phone": ["iPhone"]})["recall"] == 1
    assert metrics.chair(["a cat"], [["cat"]], {"cat": []})["recall"] == 1  # the name is a word of its own


def test_singular_words() -> None:
    known = {"glass", "bus", "wolf", "cookie", "potato", "mouse", "foot", "shoe", "leaf", "tie", "axe"}
    plurals = ["glasses", "buses", "wolves", "cookies", "potatoes", "mice", "feet", "shoes", "leaves", "ties", "axes"]
    assert sorted(singular(word, known) for word in plurals) == sorted(known)
    assert [singular(word, known) for word in ("glass", "bus", "grass", "s", "es", "")] == [
        "glass",
        "bus",
        "grass",
        "s",
        "es",
        "",
    ]


def test_time_is_linear_in_the_text() -> None:
    with within(10):
        metrics.chair(["a dog and a hot dog " * 20_000], [["dog"]], SYNONYMS)
        metrics.chair(["-" * 200_000, "a-" * 100_000, "'" * 200_000, "a'" * 100_000], [[]] * 4, SYNONYMS)


WRONG: list[tuple[Callable[[], object], str]] = [
    (lambda: metrics.chair("a dog", [["dog"]], SYNONYMS), "captions are a list with one for each item, not str"),
    (lambda: metrics.chair(["a dog"], ["dog"], SYNONYMS), "put a single name into brackets"),
    (lambda: metrics.chair(["a dog"], [], SYNONYMS), "1 captions and objects of 0 pictures"),
    (lambda: metrics.chair([], [], SYNONYMS), "0 captions"),
    (lambda: metrics.chair(["a dog"], [["dogs"]], SYNONYMS), "no synonyms of the object 'dogs'; did you mean 'dog'?"),
    (lambda: metrics.chair(["a dog"], [["dog"]], {"dog": "dog"}), "synonyms are a table of names"),
    (lambda: metrics.chair(["a dog"], [["dog"]], "cocco"), "no synonyms are called 'cocco'; did you mean 'coco'?"),
    (lambda: metrics.chair([None], [["dog"]], SYNONYMS), "captions are a list of texts"),  # type: ignore[list-item]
]


@pytest.mark.parametrize(("call", "reason"), WRONG)
def test_what_cannot_be_meant_is_refused(call: Callable[[], object], reason: str) -> None:
    with pytest.raises(ValueError, match=".") as caught:
        call()
    assert reason in str(caught.value)
