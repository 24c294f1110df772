"""Tables at widths from 60 to 200 columns: names whole, numbers uncut, nothing wider than the page."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from mmbench.harness.terminal.names import folded

Command = Callable[..., tuple[int, str, str]]

ONE = "openclip-convnext-base-laion2b-ep12-step9k"
TWO = "internvl_finetuned_on_receipts_2026_11_28"
TASK = "visual-questions-about-everything-2026-v2"
CATEGORY = "structuralized_imagetext_understanding"
ANSWER = "the red thing at the left of the large blue one"
WIDTHS = (60, 80, 140, 200)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with records under long names."""
    import mmbench

    folder = tmp_path_factory.mktemp("long")
    rows = [
        {
            "id": f"question-{i:05d}",
            "question": f"What is it that we see in picture {i}, at the left side?",
            "answers": [ANSWER],
            "category": CATEGORY if i % 2 else "ocr",
        }
        for i in range(1234)
    ]
    (folder / "vq.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "vq.yaml").write_text(
        f"name: {TASK}\nfamily: vqa\nsource: {{kind: jsonl, path: vq.jsonl}}\nfacts: [category]\n"
        "card: {dimension: understanding_of_long_documents}\n"
    )
    for label, right in ((ONE, 1100), (TWO, 900)):
        said = [{"id": row["id"], "prediction": ANSWER if i < right else "none of it"} for i, row in enumerate(rows)]
        (folder / "p.jsonl").write_text("".join(json.dumps(line) + "\n" for line in said))
        mmbench.score(str(folder / "vq.yaml"), str(folder / "p.jsonl"), name=label, save=str(folder / "results"))
    return folder


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["leaderboard", "--by", "category"], [ONE, TWO, TASK, CATEGORY, "0.891 ±0.017"]),
        (["leaderboard", "--columns", "dimensions"], [ONE, TWO, "understanding_of_long_documents"]),
        (["compare", ONE, TWO, "--by", "category"], [ONE, TWO, TASK, CATEGORY, "0.891", "0.729", "-0.162", "worse"]),
        (["check", TWO, "--baseline", ONE], [ONE, TWO, TASK, "-0.162", "regressed"]),
        (["show", ONE, "--limit", "2"], [ONE, TASK, "question-00000", "question-00001", CATEGORY]),
        (["show", ONE, "--by", "category"], [ONE, TASK, CATEGORY, "1,234", "0.873 … 0.908"]),
        (["list", "tasks"], ["zero-shot-classification", "scenes-composition@1"]),
        (["list", "models"], ["open_clip:ViT-L-14-336-quickgelu/openai", "openclip-convnext-base-laion2b"]),
        (["list", "suites"], ["scenes-orientation@1,", "perception-mini@2"]),
        (["list", "metrics"], ["mean_per_class_recall", "text_to_image/median_rank"]),
        (
            ["run", "--dry-run", "--model", "chance", "--name", ONE, "--task", "scenes-c*"],
            [ONE, "scenes-composition@1"],
        ),
    ],
)
def test_names_and_numbers_are_whole(
    results: Path, command: Command, monkeypatch: pytest.MonkeyPatch, width: int, arguments: list[str], names: list[str]
) -> None:
    monkeypatch.chdir(results)
    monkeypatch.setenv("COLUMNS", str(width))
    _, out, _ = command(*arguments)
    lines = out.splitlines()
    for name in names:
        assert any(name in line for line in lines), f"{name} is split:\n{out}"
    if "--dry-run" not in arguments:  # whose notes are left to the terminal
        assert max(map(len, lines)) <= width, out


@pytest.mark.parametrize("width", WIDTHS)
def test_show_keeps_prediction_and_target(
    results: Path, command: Command, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.chdir(results)
    monkeypatch.setenv("COLUMNS", str(width))
    _, out, _ = command("show", TWO, "--wrong", "--limit", "1", "--task", "vq.yaml")
    said = " ".join(out.split())
    for head in ("id", "status", "prediction", "target"):
        assert head in said
    assert "question-00900" in said
    for word in ["none", "of", "it", *ANSWER.split()]:
        assert re.search(rf"(?<!\w){word}(?!\w)", out), word


@pytest.fixture(scope="module")
def remembering(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What all widths remember: what is asked once is shown at each."""
    return tmp_path_factory.mktemp("home")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_run_with_a_long_name(
    remembering: Path, command: Command, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.chdir(remembering)
    monkeypatch.setenv("MMBENCH_HOME", str(remembering))
    monkeypatch.setenv("COLUMNS", str(width))
    asked = ("run", "--model", "chance", "--task", "digits", "--task", "scenes-size", "--name", ONE)
    code, out, _ = command(*asked)
    assert code == 0
    lines = out.splitlines()
    assert max(map(len, lines)) <= width
    for name in (ONE, "digits@1", "scenes-size@1", "mean_per_class_recall", "1,797", "95 % interval"):
        assert any(name in line for line in lines), f"{name} is split:\n{out}"


def test_folded_names() -> None:
    assert folded("a" * 9, 4) == ["aaaa", "aaaa", "a"]
    assert folded(ONE, 30) == ["openclip-convnext-base-", "laion2b-ep12-step9k"]
    assert folded("", 5) == [""]
    assert "".join(folded(TWO, 7)) == TWO
