"""A pipe, a device, a folder, a circle of links or a name too long in the place of any file is told at once."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import PIL.Image
import pytest

Command = Callable[..., tuple[int, str, str]]

ODD = (
    "pipe",
    "dir",
    "circle",
    "dangling",
    "/dev/zero",
    "endless",
    "random",
    "deep.json",
    "deep.yaml",
    "n" * 300,
    "t.yaml/x",
)
HEAD = "name: x\nfamily: zero-shot-classification\n"
TASKS = {
    "candidates": "name: x\nfamily: vqa\nsource: {{kind: jsonl, path: d.jsonl}}\n"
    "fields: {{question: label, answers: label}}\ncandidates: {}\n",
    "classes": HEAD + "source: {{kind: jsonl, path: d.jsonl}}\nclasses: {}\n",
    "templates": HEAD + "source: {{kind: jsonl, path: d.jsonl}}\nclasses: [cat, dog]\ntemplates: {}\n",
    **{kind: HEAD + f"source: {{{{kind: {kind}, path: {{}}}}}}\n" for kind in ("jsonl", "csv", "parquet", "folder")},
}  # fmt: skip
RUN = ["run", "--model", "chance", "--task", "t.yaml"]
COMMANDS: dict[str, list[str]] = {
    "task": ["run", "--model", "chance", "--task", "{}"],
    "suite": ["run", "--model", "chance", "--suite", "{}"],
    "adapter": ["run", "--model", "{}:A", "--task", "t.yaml"],
    "model folder": ["run", "--model", "open_clip:{}", "--task", "t.yaml"],
    "checkpoint": ["run", "--model", "open_clip:ViT-B-32@{}", "--task", "t.yaml"],
    "output": [*RUN, "--output", "{}"],
    "store": [*RUN, "--store", "{}"],
    "info": ["store", "info", "--store", "{}"],
    "predictions": ["score", "t.yaml", "{}"],
    "items": ["score", "t.yaml", "p.jsonl", "--items", "{}"],
    "save": ["score", "t.yaml", "p.jsonl", "--save", "{}"],
    "import": ["import", "{}"],
    "board": ["leaderboard", "--output", "{}"],
    "board suite": ["leaderboard", "--suite", "{}"],
    "compare": ["compare", "{}", "chance"],
    "check": ["check", "{}", "--baseline", "chance"],
    "budget": ["check", "chance", "--baseline", "chance", "--budget", "{}"],
    "junit": ["check", "chance", "--baseline", "chance", "--junit", "{}"],
    "summary": ["check", "chance", "--baseline", "chance", "--summary", "{}"],
    "show": ["show", "{}"],
    "show task": ["show", "chance", "--task", "{}"],
    "to": ["report", "--to", "{}"],
    "report task": ["report", "--to", "r.html", "--task", "{}"],
    **{name: ["run", "--model", "chance", "--task", f"{name}.yaml"] for name in TASKS},
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command) -> Path:
    """The working folder, with everything odd that may stand in a file's place."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MMBENCH_HOME", str(tmp_path / "home"))
    PIL.Image.new("RGB", (4, 4)).save("a.png")
    Path("d.jsonl").write_text('{"image": "a.png", "label": "cat"}\n{"image": "a.png", "label": "dog"}\n')
    Path("t.yaml").write_text(
        "name: t\nfamily: zero-shot-classification\nsource: {kind: jsonl, path: d.jsonl}\nclasses: [cat, dog]\n"
    )
    Path("p.jsonl").write_text('{"id": "0", "prediction": "cat"}\n{"id": "1", "prediction": "cat"}\n')
    assert command(*RUN)[0] == 0
    return tmp_path


def make(name: str) -> None:
    """Put one of the odd files into the working folder, once more where a command replaced it."""
    for each in ("pipe", "circle", "other", "dangling", "endless"):
        Path(each).unlink(missing_ok=True)
    os.mkfifo("pipe")
    Path("dir").mkdir(exist_ok=True)
    for link, target in (("circle", "other"), ("other", "circle"), ("dangling", "no/where"), ("endless", "/dev/zero")):
        Path(link).symlink_to(target)
    Path("random").write_bytes(bytes(range(256)) * 10)
    Path("deep.json").write_text("[" * 100_000)
    Path("deep.yaml").write_text("a: " + "[" * 5000)
    for task, text in TASKS.items():
        Path(f"{task}.yaml").write_text(text.format(name))


def hung(number: int, frame: FrameType | None) -> None:
    raise AssertionError("it hangs")


@pytest.mark.parametrize("name", list(COMMANDS))
def test_what_is_no_file_is_told_in_a_line(folder: Path, command: Command, name: str) -> None:
    before = signal.signal(signal.SIGALRM, hung)
    try:
        for odd in ODD:
            make(odd)
            arguments = [part.format(odd) for part in COMMANDS[name]]
            signal.alarm(30)
            code, _, err = command(*arguments)
            signal.alarm(0)
            said = f"mmbench {' '.join(arguments)[:200]}: {code}\n{err[:800]}"
            assert code in (0, 1, 2), said
            assert "Traceback" not in err and "internal error" not in err, said
            told = err.partition("Without scores")[0]  # the reason; a table of it and the next step may follow
            assert code == 0 or len(told.splitlines()) <= 3, said
            assert all(len(line) < 900 for line in err.splitlines()), said
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
