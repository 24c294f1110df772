"""Task files, suites, budgets and figures with bytes changed: a result, or one clear line within two seconds."""

import math
import random
import shutil
import sys
from pathlib import Path

import pytest

from mmbench.harness import registry
from mmbench.harness.cli.app import main
from tests.builders import BASELINES
from tests.effort import within

CASES = 160
SLOWEST = 2.0
"""Of a command, in seconds of CPU time."""
BUDGET = '[default]\nmargin = 0.02\nalpha = 0.05\nmax_errors = 0\n[task."scenes-colour"]\nmargin = 0.1\n'
FIGURES = "model,task,metric,value,source,url\nclip,digits,accuracy,0.5,paper,https://a.b\nb,digits,accuracy,0.6,x,\n"
SUITE = "name: s\nversion: 1\ntitle: T\ntasks: [digits, scenes-colour@1]\n"
PARTS = (
    "\x00", "\x1b[2J", "[", "]", "{", "}", "&a ", "*a", "<<: ", "!!python/object:os.system ", "!!set ", "!!binary ",
    "? ",
    ".nan", "-.inf", "1e999", "9" * 5000, "2001-01-01", "'", '"', "\t", "\n", ": ", "- ", "%", "n" * 300, "\ud800", "é",
    "no", "~", "0x", ",", "=", "a = 1\n", "[x]\n", "[" * 3000, "null",
)  # fmt: skip


def mutated(text: str, chance: random.Random) -> bytes:
    """Return a text after one to four changes."""
    for _ in range(chance.randint(1, 4)):
        at, length = chance.randrange(len(text) + 1), chance.choice((0, 1, 5, 40))
        piece = chance.choice(("", chance.choice(PARTS), text[at : at + 60]))
        text = text[:at] + piece + text[at + length :]
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    if data and chance.random() < 0.1:
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with records of two models."""
    for label in ("tiny-coca", "micro-coca"):
        (tmp_path / "results" / "runs" / label).mkdir(parents=True)
        for file in (BASELINES / "runs" / label).glob("scenes-colour@*"):
            shutil.copy(file, tmp_path / "results" / "runs" / label / file.name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MMBENCH_HOME", str(tmp_path / "home"))
    return tmp_path


def test_changed_texts_end_in_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(0)  # noqa: S311
    tasks = [path.read_text(encoding="utf-8") for _, path in sorted(registry.files(registry.TASKS).items())]
    commands = {
        "t.yaml": ["run", "--model", "chance", "--task", "t.yaml", "--dry-run"],
        "s.yaml": ["run", "--model", "chance", "--suite", "s.yaml", "--dry-run"],
        "b.toml": ["check", "micro-coca", "--baseline", "tiny-coca", "--budget", "b.toml"],
        "f.csv": ["import", "f.csv"],
    }
    originals = {"s.yaml": SUITE, "b.toml": BUDGET, "f.csv": FIGURES}
    for i in range(CASES):
        name = list(commands)[i % len(commands)]
        data = mutated(originals.get(name) or chance.choice(tasks), chance)
        (folder / name).write_bytes(data)
        monkeypatch.setattr(sys, "argv", ["mmbench", *commands[name]])
        first = i < len(commands)  # what is imported and drawn the first time costs its time once
        bound = math.inf if first else SLOWEST
        with within(bound, f"case {i}, {name}: {data[:3000]!r}"), pytest.raises(SystemExit) as done:
            main()
        err = capsys.readouterr().err
        case = f"case {i}, {name}: {done.value.code}\n{err[:1500]}\n{data[:3000]!r}"
        assert done.value.code in (None, 0, 1, 2), case
        assert "Traceback" not in err and "internal error" not in err, case
