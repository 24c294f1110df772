"""Explained choices: a model that looks at one place is found to, and what cannot be explained is refused."""

import html
import json
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from mmbench.harness.ask.subject import Subject
from mmbench.harness.ask.wording import DEFAULT
from mmbench.harness.errors import UsageError
from mmbench.harness.explain.chosen import boxes_of
from mmbench.harness.explain.heard import Question
from mmbench.harness.explain.maps import Asker, How, explain
from mmbench.harness.media.image import Image
from mmbench.harness.run.run import run
from mmbench.harness.types import Option, Sample
from tests import fakes
from tests.builders import fails, put_text

Command = Callable[..., tuple[int, str, str]]

BOX = (8, 16, 16, 24)
HOSTILE = "<script>alert(1)</script>"

PLANTED = """
import numpy as np

class Planted:
    fingerprint = "planted"

    def embed_images(self, images):
        seen = [np.asarray(image, dtype=float)[16:24, 8:16].std() / 255 for image in images]
        return np.array([[min(each / 0.2, 1.0), 0.5] for each in seen])

    def embed_texts(self, texts):
        return np.array([[1.0, 0.0] if "spot" in text else [0.0, 1.0] for text in texts])

    def score_texts(self, items):
        light = [float(np.asarray(images[0]).mean()) for images, _, _ in items]
        return [[-each * (1 + i) for i in range(len(texts))] for each, (_, _, texts) in zip(light, items)]

    def generate(self, prompts, settings):
        return ["a spot" for _ in prompts]
"""


def spotted(seed: int) -> PIL.Image.Image:
    """Draw noise in the dark, and black and white where the planted model looks for contrast."""
    pixels = np.random.default_rng(seed).integers(0, 90, (32, 48, 3), dtype=np.uint8)
    pixels[BOX[1] : BOX[3], BOX[0] : BOX[2]] = 250 * (np.indices((8, 8)).sum(axis=0) % 2)[..., None]
    return PIL.Image.fromarray(pixels)


def planted() -> object:
    made: dict[str, type] = {}
    exec(PLANTED, made)
    return made["Planted"]()


@pytest.mark.parametrize("how", [How(patch=8), How("rise", masks=400), How(patch=8, fill="mean")])
def test_a_model_that_looks_at_one_place_is_found_to(how: How, subject: Callable[..., Subject]) -> None:
    options = (Option("spot", ("a spot",)), Option("nothing", ("nothing",)))
    picture = Image.from_pil(spotted(0), "a picture")
    asker = Asker(subject(planted()).sit(["embed"]), Question(options, DEFAULT), Sample("0", (picture,)), 0)
    values, figures = explain(asker, picture, how, (BOX,))
    assert values.shape == (32, 48) and figures.best == 0 and figures.box is not None
    assert figures.score > 0.89 and figures.without < 0.1
    assert figures.box.hit and figures.box.area == pytest.approx(64 / (32 * 48))
    assert figures.box.share is not None and figures.box.share > (0.99 if how.method == "occlusion" else 0.15)
    assert figures.own.deletion < figures.random.deletion - 0.2
    assert figures.own.insertion > figures.random.insertion + 0.01
    again, same = explain(asker, picture, how, (BOX,))
    assert np.array_equal(values, again) and figures == same


def test_a_patch_too_small_to_matter_leaves_a_map_that_points_nowhere(subject: Callable[..., Subject]) -> None:
    """What is seen is told by the rest of it as well."""
    options = (Option("spot", ("a spot",)), Option("nothing", ("nothing",)))
    picture = Image.from_pil(spotted(0), "a picture")
    asker = Asker(subject(planted()).sit(["embed"]), Question(options, DEFAULT), Sample("0", (picture,)), 0)
    values, figures = explain(asker, picture, How(patch=4), ((0, 0, 8, 8),))
    assert not values.any() and figures.box is not None
    assert figures.box.share is None and figures.box.hit is None


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: a model's own file, and a task of two pictures, one of which is not right."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MMBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "160")
    put_text(tmp_path / "own.py", PLANTED)
    for number in range(2):
        spotted(number).save(tmp_path / f"{number}.png")
    rows = [
        {"id": f"i{number}", "image": f"{number}.png", "label": label, "box": list(BOX)}
        for number, label in enumerate(["spot", HOSTILE])
    ]
    put_text(tmp_path / "rows.jsonl", "\n".join(map(json.dumps, rows)))
    put_text(
        tmp_path / "spots.yaml",
        "name: spots\nfamily: zero-shot-classification\nsource: {kind: jsonl, path: rows.jsonl}\nfacts: [box]\n"
        f"fields: {{image: image, label: label}}\nclasses: [spot, '{HOSTILE}']\n",
    )
    return tmp_path


def explained(command: Command, *more: str) -> tuple[int, str, str]:
    return command("explain", "Planted", "--task", "spots.yaml", "--model", "own.py:Planted", *more)


def test_a_run_is_explained_and_a_second_time_nothing_is_asked(folder: Path, command: Command) -> None:
    assert command("run", "--model", "own.py:Planted", "--task", "spots.yaml")[0] == 0
    code, out, err = explained(command, "--box", "box", "--patch", "8")
    assert code == 0, err
    first = next(line.split() for line in out.splitlines() if line.strip().startswith("i0"))
    assert first[:4] == ["i0", "spot", "spot", "yes"] and first[-1] == "hit" and float(first[4]) > 0.89
    assert "i1" in out and "4.2 %" in out and "cosine of picture and option" in out
    assert "2 items by occlusion: up to" in err and ", 0 remembered" not in err

    code, again, err = explained(command, "--box", "box", "--patch", "8")
    assert code == 0 and again == out and "0 inputs asked" in err

    code, out, err = explained(command, "--wrong", "--method", "rise", "--masks", "20")
    assert code == 0 and "i1" in out and "i0" not in out and "hit" not in out


class Tags(HTMLParser):
    """The tags of a page, and whatever it would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href")]


def test_a_page_stands_alone_and_no_text_becomes_markup(folder: Path, command: Command) -> None:
    assert command("run", "--model", "own.py:Planted", "--task", "spots.yaml")[0] == 0
    code, out, err = explained(command, "--patch", "8", "--to", "page.html", "--box", "box")
    assert code == 0 and out == "" and "page.html: 2 items" in err
    text = (folder / "page.html").read_text(encoding="utf-8")
    page = Tags()
    page.feed(text)
    assert "script" not in page.tags and page.tags.count("img") == 4 and page.tags.count("section") == 2
    assert all(each.startswith("data:image/") for each in page.fetched)
    assert HOSTILE not in text and html.escape(HOSTILE) in text
    assert "default-src &#x27;none&#x27;" in text and "style=" not in re.sub("<style>.*</style>", "", text, flags=re.S)
    assert "of the positive map (area 4.2 %), the peak lies inside" in text and "green: the true box" in text


def test_a_likelihood_is_explained_where_a_model_is_asked_so(folder: Path, command: Command) -> None:
    assert command("run", "--model", "own.py:Planted", "--task", "spots.yaml", "--route", "likelihood")[0] == 0
    code, out, _ = explained(command, "--limit", "1", "--patch", "16")
    assert code == 0 and "log-likelihood of the option" in out


def test_what_cannot_be_explained_is_refused_in_a_sentence(folder: Path, command: Command) -> None:
    def refused(*arguments: str) -> str:
        code, out, err = command("explain", *arguments)
        assert code == 2 and out == "" and len(err.splitlines()) == 1, err
        return err

    assert "there is no run 'Planted'" in refused("Planted", "--task", "spots")
    assert command("run", "--model", "own.py:Planted", "--task", "spots.yaml", "--route", "generate")[0] == 0
    assert "no score of each option" in refused("Planted", "--task", "spots.yaml")
    shutil.rmtree(folder / "results")
    assert command("run", "--model", "own.py:Planted", "--task", "spots.yaml")[0] == 0
    assert "has no task 'dots'" in refused("Planted", "--task", "dots")
    assert "is not here as this run was asked it" in refused("Planted", "--task", "spots")
    own = ("Planted", "--task", "spots.yaml")
    assert "name the model of the run with --model" in refused(*own)
    assert "is not the model that was run" in refused(*own, "--model", "pixels")
    assert "--masks is for --method rise" in refused(*own, "--masks", "9")
    assert "no fact 'place'" in refused(*own, "--model", "own.py:Planted", "--box", "place")
    assert "cannot be written" in refused(*own, "--model", "own.py:Planted", "--to", "nowhere/page.html")
    put_text(folder / "own.py", PLANTED.replace("0.5]", "0.6]"))
    assert "is not the model that was run" in refused(*own, "--model", "own.py:Planted")
    put_text(folder / "own.py", PLANTED)
    spotted(7).save(folder / "0.png")
    code, out, err = explained(command, "--patch", "16")
    assert code == 0 and "i1" in out and "i0" not in out
    assert "item i0: its picture is not the one that the run was shown" in err


def test_a_model_is_known_by_its_label_and_a_control_is_no_choice_of_its_own(folder: Path, command: Command) -> None:
    task = ("--task", "digits")
    assert command("run", "--model", "chance", *task, "--limit", "2", "--controls", "blind")[0] == 0
    code, out, err = command("explain", "chance", *task, "--limit", "1", "--patch", "32")
    assert code == 0 and "chance · digits@1" in out, err
    code, again, err = command("explain", "chance", *task, "--limit", "1", "--patch", "32")
    assert code == 0 and again == out and "0 inputs asked" in err
    blind = next(path for path in (folder / "results").rglob("*.json") if '"control": "blind' in path.read_text())
    code, _, err = command("explain", str(blind), *task)
    assert code == 2 and "under the control blind, which shows other pictures" in err


def test_items_without_a_picture_and_families_without_a_choice_are_refused(folder: Path, command: Command) -> None:
    put_text(
        folder / "told.yaml",
        "name: told\nfamily: retrieval\nsource: {kind: jsonl, path: rows.jsonl}\n"
        "fields: {image: image, captions: [label]}\n",
    )
    assert command("run", "--model", "own.py:Planted", "--task", "told.yaml")[0] == 0
    code, _, err = command("explain", "Planted", "--task", "told.yaml", "--model", "own.py:Planted")
    assert code == 2 and "is of family retrieval, which asks for no choice" in err

    put_text(folder / "texts.jsonl", json.dumps({"question": "Which?", "options": ["a", "b"], "target": 0}))
    put_text(
        folder / "texts.yaml",
        "name: texts\nfamily: multiple-choice\nsource: {kind: jsonl, path: texts.jsonl}\n"
        "fields: {question: question, options: options, target: target}\n",
    )
    alone = fakes.adapter("alone", takes_text_alone=True, score_texts=lambda items: [[-1.0, -2.0] for _ in items])
    run(alone, task="texts.yaml", name="alone")
    code, _, err = command("explain", "alone", "--task", "texts.yaml")
    assert code == 2 and "it shows no picture" in err


@pytest.mark.parametrize(
    "cell", [[1, 2, 3], "words", [5, 5, 3, 9], [0, 0, 9, 4], [True, 0, 2, 2], None, [[0, 0, 2, 2], 1]]
)
def test_a_fact_that_is_no_box_is_refused(cell: object) -> None:
    facts: dict[str, Any] = {"box": cell}
    fails(lambda: boxes_of(facts, "box", (8, 8)), "no box x1 y1 x2 y2 in pixels within 8 x 8", kind=UsageError)
