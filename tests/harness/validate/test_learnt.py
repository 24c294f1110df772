"""Pictures that the embedded models learnt from are found in built-in data; and where nobody looked, that is told."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from mmbench.adapters.tiny.training.recipe import RECIPES
from mmbench.benchmarks.scenes import training
from mmbench.harness.media.image import Image
from mmbench.harness.tasks.catalogue import find_task
from mmbench.harness.types import Sample
from mmbench.harness.validate import learnt
from mmbench.harness.validate.learnt import among_learnt
from mmbench.harness.validate.likeness import looks
from mmbench.harness.validate.survey import Survey


def seen(pictures: list[Image]) -> Survey:
    contents = [picture.read() for picture in pictures]
    both = [looks(content.decode()) for content in contents]
    return Survey(
        [Sample(str(n), media=()) for n in range(len(pictures))],
        [*range(len(pictures))],
        [content.digest for content in contents],
        hashes=np.array([value for value, _ in both], np.uint64),
        copies=np.array([copy for _, copy in both], np.uint8),
    )


def test_pictures_that_were_learnt_from(monkeypatch: pytest.MonkeyPatch, picture: Callable[..., Image]) -> None:
    known = [*islice(training.pictures(1), 20)]
    held = {"training": lambda blocks: islice(training.pictures(blocks), 20), "training-blocks": training.LEARNT}
    monkeypatch.setattr(learnt, "find", lambda group, name, what: held[name])
    pixels = np.array(known[3].read().decode())
    pixels[0, 0] ^= 1
    almost = Image.from_array(pixels, "almost")
    made = list(among_learnt(find_task("digits"), seen([picture(1, 64), known[7], almost]), 2))
    assert [(each.weight, each.check) for each in made[:2]] == [("wrong", "training"), ("look", "training")]
    assert made[0].sentence == "pictures that the embedded models learnt from, the same: 1 (1)"
    assert made[1].sentence == "pictures that the embedded models learnt from, nearly the same: 1 (2)"
    assert "held against 20 pictures" in made[2].sentence and "the first 2 of 1125 blocks" in made[2].sentence


def test_where_nothing_is_looked_at_that_is_told(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("image,label\na.png,x\n")
    source = "source: {kind: csv, path: d.csv}"
    (tmp_path / "t.yaml").write_text(f"name: t\nfamily: zero-shot-classification\n{source}\n")
    (told,) = among_learnt(find_task(str(tmp_path / "t.yaml")), Survey(), 2)
    assert told.weight == "fact" and "learnt from drawn scenes alone, and this data is not built in" in told.sentence
    (told,) = among_learnt(find_task("digits"), Survey(), 0)
    assert "--training 0" in told.sentence


def test_how_many_blocks_were_learnt_from() -> None:
    learnt_from = {name: recipe.steps * 64 // training.BLOCK for name, recipe in RECIPES.items()}
    assert max(learnt_from.values()) == training.LEARNT
