"""A picture that is shown whole and in parts is drawn once for both."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import mmbench
from mmbench.benchmarks.scenes import cells, data, render, rows, shown_again
from mmbench.harness.media.crop import crop
from mmbench.harness.media.image import Image
from mmbench.harness.media.pixels import Pixels


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """How often each scene is drawn, from nothing remembered on."""
    draws: Counter[str] = Counter()
    draw = render.draw_scene

    def draw_scene(parent: Pixels | None, /, **params: Any) -> Pixels:
        draws[repr(params)] += 1
        return draw(parent, **params)

    def forget() -> None:
        data.row.cache_clear()
        rows._HELD.clear()
        shown_again._WAITING.clear()

    monkeypatch.setattr(cells, "draw_scene", draw_scene)
    monkeypatch.setattr(render, "draw_scene", draw_scene)
    forget()
    yield draws
    forget()


def _image(name: str, index: int) -> Image:
    image = list(rows.rows(name, "test"))[index].cells["image"]
    assert isinstance(image, Image)
    return image


def test_the_picture_of_two_sets_is_drawn_once(drawn: Counter[str]) -> None:
    whole, part = _image("scenes-many", 3), _image("scenes-grounded", 3)
    assert whole.digest == part.digest
    first = whole.pil()
    pixels = np.asarray(first).copy()
    first.paste((0, 0, 0), (0, 0, 224, 224))  # as an adapter may
    half = crop(part, (0, 0, 0.5, 1)).pil()
    assert sum(drawn.values()) == 1
    assert np.array_equal(np.asarray(half), pixels[:, :112])
    assert np.array_equal(np.asarray(whole.pil()), pixels)
    assert sum(drawn.values()) == 2


def test_a_run_draws_each_scene_once(drawn: Counter[str], tmp_path: Any) -> None:
    for tasks in (["scenes-existence", "scenes-grounding"], ["scenes-pointing", "scenes-vqa"]):
        made = mmbench.run("tiny-coca", tasks=tasks, limit=8, output=tmp_path, store=tmp_path / f"{tasks[0]}.sqlite")
        assert not made.problems
    assert len(drawn) == 8
    assert set(drawn.values()) == {2}  # once for each of the two runs, which remember nothing of each other
