"""What the catalogue says of public data sets is what was looked up: each entry against the table of facts."""

import csv
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from mmbench.harness.tasks.catalogue import find_task
from tests.benchmarks.catalogue.test_entries import ENTRIES, sources_of

TABLE = Path(__file__).parents[4] / "shared" / "CATALOGUE" / "catalogue.tsv"

FAMILIES = {
    "zero-shot-classification": "zero-shot classification",
    "probe": "few-shot/linear probe",
    "retrieval": "retrieval",
    "pairs": "pairs/compositional",
    "vqa": "VQA open-ended",
    "multiple-choice": "multiple choice",
    "yes-no": "yes/no",
    "captioning": "captioning",
    "grounding": "grounding",
    "counting": "VQA open-ended",
}
METRICS = {"top-1 accuracy": "accuracy", "mean_per_class_recall": "mean_per_class_recall", "mAP": "map"}
"""What the table calls a primary metric to what a card does; of others nothing is compared."""
DIFFERENT = {
    ("sugarcrepe", "split"): "the table gives the split of mteb, which the file of the copy calls train",
    ("wit-*", "split"): "the copy has one split for each language, all of which mteb calls test",
    ("diving48-probe", "split"): "the table gives the split that is asked, not the one that is learnt from",
    ("cv_bench_?d", "items"): "the sum of two of its four tasks, which the table counts one by one",
    ("ocrbench", "items"): "all items but the hundred formulas",
    ("realworldqa_*", "items"): "one of two parts, which nobody counted",
    ("vstar_bench_*", "items"): "one of two parts, which nobody counted",
}
"""Entries and a fact in which they differ from the table, and why."""


def table() -> list[dict[str, str]]:
    if not TABLE.is_file():
        return []
    with TABLE.open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


ROWS = table()


def numbers(cell: str) -> set[int]:
    return {int(found.replace(",", "")) for found in re.findall(r"\d[\d,]*", cell)}


def rows_of(source: dict[str, Any], family: str) -> list[dict[str, str]]:
    """Return the rows of the table that are about this data in this family."""
    name = source["id"]
    copies = [row for row in ROWS if name == row["hub_id"].split(" ")[0].rstrip(";")]
    copies = copies or [row for row in ROWS if re.search(rf"(?<![\w/-]){re.escape(name)}(?![\w-])", row["notes"])]
    return [row for row in copies if row["family"] == FAMILIES[family]] or copies


Told = tuple[str, Any]
"""A fact of the table and what the entry says instead."""


def identity(source: dict[str, Any], row: dict[str, str]) -> Iterator[Told]:
    """Yield in what the data that is named differs from a row about the same copy."""
    if re.fullmatch(r"[0-9a-f]{40}", row["revision"]) and row["revision"] != source.get("revision"):
        yield "revision", source.get("revision")
    config = source.get("config")
    if config and row["config"] and config not in row["config"]:
        yield "config", config
    told = set(re.split(r"[^\w.-]+", f"{row['splits']} {row['config']} {row['notes']}"))
    split = source.get("split")
    for each in split.values() if isinstance(split, dict) else [split]:
        if each is not None and row["splits"] and each not in told:
            yield "split", each


def counts(card: dict[str, Any], row: dict[str, str], own: bool) -> Iterator[Told]:
    """Yield the counts that differ, or that the row about the same copy has and the card does not say."""
    for fact, column in (("items", "n_items"), ("classes", "n_classes")):
        said, known = card.get(fact), numbers(row[column])
        if said is None:
            if own and row[column].isdigit():
                yield fact, None
        elif known and said not in known | numbers(row["notes"]):
            yield fact, said


def terms(card: dict[str, Any], row: dict[str, str]) -> Iterator[Told]:
    """Yield licence and gate where they differ from a row about the same copy."""
    licence = row["licence"].lower()
    if licence and not licence.startswith("http") and card["licence"].lower() not in licence:
        yield "licence", card["licence"]
    gated = row["gated"]
    if gated.startswith(("yes", "no")) and gated.startswith("yes") != bool(card.get("gate")):
        yield "gate", card.get("gate")


def scoring(name: str, content: dict[str, Any], row: dict[str, str]) -> Iterator[Told]:
    """Yield chance and primary metric where they differ."""
    card = content["card"]
    exact = re.match(r"0?\.\d+", row["chance"])
    if card.get("chance") is not None and exact and abs(card["chance"] - float(exact[0])) > 5e-4:
        yield "chance", card["chance"]
    metric = METRICS.get(row["primary_metric"])
    asked = content["family"] == "zero-shot-classification" and not name.startswith("mieb-")  # mteb: always accuracy
    if metric and asked and card["primary"] != metric:
        yield "metric", card["primary"]


def differing(name: str, content: dict[str, Any], source: dict[str, Any], row: dict[str, str]) -> list[Told]:
    """Return what of an entry differs from a row of the table, or is known there and not said."""
    card, own = content["card"], row["hub_id"].split(" ")[0] == source["id"]
    found = [*counts(card, row, own), *scoring(name, content, row)]
    found += [*identity(source, row), *terms(card, row)] if own else []
    return [told for told in found if not any(fnmatch(name, entry) and fact == told[0] for entry, fact in DIFFERENT)]


@pytest.mark.skipif(not ROWS, reason="the table of facts is not here")
@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_says_what_was_looked_up(name: str) -> None:
    content = yaml.safe_load(ENTRIES[name].read_text(encoding="utf-8"))
    source = next(sources_of(content["source"]))
    rows = rows_of(source, content["family"])
    if not rows:
        assert content["card"].get("sources"), "an entry that the table does not know must say where its facts are from"
        return
    found = [differing(name, content, source, row) for row in rows]
    assert [] in found, found


@pytest.mark.parametrize("name", ENTRIES)
def test_a_card_says_where_its_facts_are_from(name: str) -> None:
    content = yaml.safe_load(ENTRIES[name].read_text(encoding="utf-8"))
    card, prompts = content["card"], content.get("prompts", {})
    assert card["verified"] in ("schema", "fixture", "run")
    read = [*card["sources"], *(each["prompt_source"] for each in prompts.values())]
    assert all(re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{7,40}(:\S.*)?", each) for each in read)
    assert not prompts or card["prompt_source"]
    assert all(card.get(key) for key in ("title", "citation", "licence", "dimension", "primary"))


def test_names_are_understood_with_either_mark() -> None:
    assert len({name.replace("_", "-") for name in ENTRIES}) == len(ENTRIES)
    for asked, name in (
        ("vqav2-val", "vqav2_val"),
        ("datacomp_imagenet_a", "datacomp-imagenet-a"),
        ("vqav2-val+qwen-vl@1", "vqav2_val+qwen-vl"),
    ):
        assert find_task(asked).name == name
