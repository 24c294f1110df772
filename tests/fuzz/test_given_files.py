"""Damaged files of the user's: suites, budgets, predictions and imported figures are read, or told in one line."""

import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mmbench.harness.cli.app import main
from mmbench.harness.tasks.metric import Metric
from tests.builders import outcomes, put_measured
from tests.effort import within

CASES = 80
SLOWEST = 2.0
"""Of a command, in seconds of CPU time: whatever else the machine does."""
Command = Callable[..., tuple[int, str, str]]

GOOD = {
    "suite.yaml": "name: s\nversion: 1\ntasks: [task.yaml]\n",
    "budget.toml": '[default]\nmargin = 0.01\nmax_errors = 3\n[task."digits@1"]\nmin_coverage = 0.5\n',
    "said.jsonl": '{"id": "0", "prediction": "cat"}\n{"id": "1", "prediction": 1}\n',
    "figures.csv": "model,task,metric,value,source,url\nm,digits,accuracy,0.5,paper,https://x.org\n",
    "task.yaml": "name: t\nfamily: zero-shot-classification\nsource: {kind: jsonl, path: data.jsonl}\n"
    "classes: [cat, dog]\n",
}
ASKED = {
    "suite.yaml": ["run", "--model", "chance", "--suite", "suite.yaml", "--dry-run"],
    "budget.toml": ["check", "a", "--baseline", "b", "--budget", "budget.toml"],
    "said.jsonl": ["score", "task.yaml", "said.jsonl"],
    "figures.csv": ["import", "figures.csv", "--output", "imported"],
    "task.yaml": ["run", "--model", "chance", "--task", "task.yaml", "--dry-run"],
}
ODD = (
    b"\x00", b"\xff", b"\x1b[2J", b"[" * 3000, b"{" * 3000, b"'", b'"', b"\n", b": ", b"- ", b"1e999", b"-1",
    b"9" * 5000,      b"nan", b".nan", b"null", b"2024-01-01",
    b"!!python/object:os.system x", b"&a [*a]", b"\xe2\x80\xae", b"true", b"=",
    b"<<: *a", b"\xed\xa0\x80", b"n" * 300,
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: every file as it should be, and records to check."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MMBENCH_HOME", str(tmp_path / "home"))
    for name, text in GOOD.items():
        (tmp_path / name).write_text(text)
    rows = '{"image": "a.png", "label": "cat"}\n{"image": "b.png", "label": "dog"}\n'
    (tmp_path / "data.jsonl").write_text(rows)
    for model in "ab":
        put_measured(tmp_path / "results", Metric("accuracy", ""), outcomes([1.0, 0.0] * 10), model=model)
    return tmp_path


@pytest.mark.parametrize("name", list(GOOD))
def test_a_damaged_file_is_read_or_told(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run() -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", ["mmbench", *ASKED[name]])
        with pytest.raises(SystemExit) as done:
            main()
        return done.value.code, *capsys.readouterr()

    good = GOOD[name].encode()
    run()  # what is imported once costs no case its time
    chance = random.Random(0)  # noqa: S311
    for case in range(CASES):
        at = chance.randrange(len(good) + 1)
        cut = min(len(good), at + chance.choice((0, 0, 1, 3, 20)))
        data = good[:at] + chance.choice((b"", *ODD)) + good[cut:]
        (folder / name).write_bytes(data)
        with within(SLOWEST, f"case {case}: {data[:300]!r}"):
            code, out, err = run()
        said = f"case {case}: {data[:300]!r}\n{code}\n{err[:1500]}"
        assert code in (None, 0, 1, 2), said
        assert "Traceback" not in err and "internal error" not in err, said
        assert not any(ord(mark) < 32 and mark != "\n" for mark in out + err), said
        assert all(len(line) < 1000 for line in err.splitlines()), said
