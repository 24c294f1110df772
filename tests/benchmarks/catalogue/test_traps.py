"""What went wrong elsewhere with these data sets, and does not here."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from mmbench.benchmarks.named import class_list, template_list
from mmbench.harness.media.image import Image
from mmbench.harness.run.run import run
from mmbench.harness.tasks.rows import task
from mmbench.harness.tasks.suite import find_suite
from tests.benchmarks.catalogue.test_entries import ENTRIES

HERE = Path(__file__).parent


@lru_cache(None)
def entry(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(ENTRIES[name].read_text(encoding="utf-8"))
    return content


@pytest.mark.parametrize("name", [name for name in ENTRIES if "clevr" in name and "distance" in name])
def test_the_fourth_distance_of_clevr_has_no_name(name: str) -> None:
    classes = class_list(entry(name)["classes"], HERE)
    assert classes == ("very nearby", "nearby", "near", "", "distant", "very distant")


def test_a_class_without_a_name_is_noted(tmp_path: Path) -> None:
    rows = [{"image": Image.from_array(np.full((2, 2, 3), n, np.uint8), str(n)), "label": n} for n in range(3)]
    made = task(
        name="t", family="zero-shot-classification", rows=rows, classes=["near", "", "far"], templates=["{} things."]
    )
    record = run("chance", task=made, output=tmp_path / "results", store=tmp_path / "s.sqlite").records[0]
    assert "class 1 has no name, as the task lists it: its prompts hold none" in record.notes


def test_names_and_prompts_hold_no_line_breaks() -> None:
    """MIEB's have one after each name of four sets: another prompt than the one that is meant."""
    for name in ENTRIES:
        content = entry(name)
        for key, read in (("classes", class_list), ("templates", template_list)):
            if key in content:
                assert not [each for each in read(content[key], HERE) if "\n" in each or each != each.strip()], name


def test_four_classes_of_imagenet_have_two_names() -> None:
    names = class_list(entry("mieb-imagenet1k")["classes"], HERE)
    assert [n for n, name in enumerate(names) if names.count(name) > 1] == [657, 744, 836, 837]


def test_lists_are_in_the_order_of_their_indices() -> None:
    gtsrb, countries = class_list("gtsrb", HERE), class_list("country211", HERE)
    assert (gtsrb[0], gtsrb[14]) == ("red and white circle 20 kph speed limit", "stop")
    assert countries[:3] == ("Andorra", "United Arab Emirates", "Afghanistan")  # by ISO code, not by name
    assert class_list("imagenet-zh", HERE)[:2] == ("丁鲷", "金鱼")


def test_commits_are_whole() -> None:
    for name in ENTRIES:
        revision = entry(name)["source"].get("revision")
        assert revision is None or (isinstance(revision, str) and len(revision) == 40), name


@pytest.mark.parametrize(
    ("suite", "tasks"),
    [("vtab", 19), ("datacomp38", 37), ("imagenet-shift", 6), ("compositional", 6), ("multilingual", 49)],
)
def test_suites_have_as_many_tasks_as_they_say(suite: str, tasks: int) -> None:
    found = find_suite(suite).tasks
    assert len({task.name for task in found}) == len(found) == tasks
