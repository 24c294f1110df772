"""compare and check as people and CI jobs meet them, on records that `mmbench score` wrote."""

import json
import subprocess
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from tests.builders import BASELINES

ITEMS = 300
OPTIONS = ["red", "green", "blue"]

Command = Callable[..., tuple[int, str, str]]
Scored = Callable[..., None]


@pytest.fixture
def scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command) -> Scored:
    """Scores predictions of a task for a label: wrong on some items, missing on others."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)

    def score(label: str, task: str, wrong: Collection[int] = (), missing: Collection[int] = ()) -> None:
        (tmp_path / f"{task}.jsonl").write_text(
            "".join(
                json.dumps({"id": i, "question": f"{task} {i}?", "options": OPTIONS, "target": OPTIONS[i % 3]}) + "\n"
                for i in range(ITEMS)
            )
        )
        (tmp_path / f"{task}.yaml").write_text(
            f"name: {task}\nfamily: multiple-choice\nsource: {{kind: jsonl, path: {task}.jsonl}}\n"
        )
        said = {str(i): OPTIONS[(i + (i in wrong)) % 3] for i in range(ITEMS) if i not in missing}
        file = tmp_path / "predictions.jsonl"
        file.write_text("".join(json.dumps({"id": i, "prediction": text}) + "\n" for i, text in said.items()))
        code, _, err = command("score", f"{task}.yaml", file.name, "--name", label, "--save", "results")
        assert code == int(bool(missing)), err

    return score


def test_compare(scored: Scored, command: Command) -> None:
    for label, wrong in (("old", range(30)), ("new", range(25, 80)), ("newer", range(3))):
        scored(label, "colours", wrong)
        scored(label, "shapes", range(100))
    code, out, err = command("compare", "old", "new", "newer")
    assert (code, err) == (0, "")
    lines = [line.rstrip() for line in out.splitlines()]
    assert lines[0] == "A: old   B: new"
    assert "new is worse on 1 of 2 tasks, better on none; 1 tied" in lines
    assert lines[-1] == "newer is better on 1 of 2 tasks, worse on none; 1 tied"
    code, out, _ = command("compare", "old", "new", "--format", "json")
    made = json.loads(out)
    assert (code, made["models"], made["alpha"]) == (0, ["old", "new"], 0.05)
    assert [(row["task"], row["verdict"], row["n"]) for row in made["rows"]] == [
        ("colours", "worse", ITEMS),
        ("shapes", "tied", ITEMS),
    ]
    assert [flip["id"] for flip in made["rows"][0]["flips"]] == ["30", "31", "32"]
    code, out, _ = command("compare", "results/runs/old", "results/runs/new", "--format", "markdown", "--alpha", "0.2")
    assert (code, "80 % interval" in out) == (0, True)


def test_nothing_to_compare(scored: Scored, command: Command) -> None:
    scored("old", "colours")
    scored("new", "shapes")
    code, out, err = command("compare", "old", "new")
    assert (code, err) == (2, "")
    assert "not comparable colours: new has no record of colours@1" in out
    code, out, err = command("compare", "old", "nww", "--format", "json")
    assert (code, out) == (2, "")
    assert err.startswith("mmbench: there is no run 'nww' in results") and "did you mean 'new'?" in err
    assert command("compare", "old")[::2] == (2, "mmbench: comparison needs two runs or more: mmbench compare A B\n")


def test_a_damaged_record_warns(scored: Scored, command: Command, tmp_path: Path) -> None:
    scored("old", "colours")
    scored("new", "colours")
    (tmp_path / "results" / "runs" / "new" / "shapes@1-00000000.json").write_text("{")
    for arguments in (("compare", "old", "new"), ("check", "new", "--baseline", "old")):
        code, out, err = command(*arguments, "--format", "json")
        assert (code, len(json.loads(out)["rows"])) == (2, 1)
        assert err.startswith("warning: results/runs/new/shapes@1-00000000.json is not a readable record")
        assert err.count("\n") == 1


def test_check_exits(scored: Scored, command: Command, tmp_path: Path) -> None:
    for task in ("colours", "shapes"):
        scored("old", task, range(30))
    scored("same", "colours", range(30))
    scored("same", "shapes", range(30))
    scored("worse", "colours", range(90))
    scored("worse", "shapes", range(30))
    scored("open", "colours", range(2, 32))
    scored("open", "shapes", range(30))
    scored("half", "colours", range(30))
    scored("lost", "colours", range(30))
    scored("lost", "shapes", range(30), missing=range(200, 220))
    verdicts = {}
    for label in ("same", "worse", "open", "half", "lost"):
        code, out, err = command("check", label, "--baseline", "old", "--format", "json")
        assert err == ""
        verdicts[label] = (code, json.loads(out)["verdict"])
    assert verdicts == {
        "same": (0, "held"),
        "worse": (1, "regressed"),
        "open": (0, "inconclusive"),
        "half": (2, "not_comparable"),
        "lost": (1, "over_budget"),
    }
    assert command("check", "open", "--baseline", "old", "--strict")[0] == 1
    assert command("check", "open", "--baseline", "old", "--margin", "0.05")[0] == 0
    budget = tmp_path / "budget.toml"
    budget.write_text("[task.shapes]\nmax_errors = 20\nmin_coverage = 0.9\n")
    assert command("check", "lost", "--baseline", "old", "--budget", str(budget))[0] == 0
    budget.write_text("[task.shapes]\nmax_error = 20\n")
    code, _, err = command("check", "lost", "--baseline", "old", "--budget", str(budget))
    assert (code, "unknown key 'max_error'; did you mean 'max_errors'?" in err) == (2, True)


def test_check_writes_files(scored: Scored, command: Command, tmp_path: Path) -> None:
    scored("old", "colours")
    scored("new", "colours", range(60))
    code, out, err = command(
        "check", "new", "--baseline", "old", "--junit", "junit.xml", "--summary", "summary.md", "--strict"
    )
    assert (code, err) == (1, "")
    assert out.rstrip().endswith("new fails against old: of 1 task 1 regressed (colours@1)")
    assert Xml.parse(tmp_path / "junit.xml").getroot().get("failures") == "1"
    assert "| ❌ | colours@1 | accuracy | 1.000 | 0.800 | -0.200 |" in (tmp_path / "summary.md").read_text()
    code, _, err = command("check", "new", "--baseline", "old", "--junit", "none/junit.xml")
    assert (code, err.startswith("mmbench: none/junit.xml cannot be written")) == (2, True)


def test_neither_torch_nor_pandas_is_imported() -> None:
    script = (
        "import sys\nfrom mmbench.harness.gate.check import check\n"
        "from mmbench.harness.compare.compare import compare\n"
        "import mmbench.harness.gate.ci_files\n"
        f"assert compare('tiny-coca', 'micro-coca', output={str(BASELINES)!r}).rows\n"
        f"assert check('tiny-coca', 'micro-coca', output={str(BASELINES)!r}).rows\n"
        "print([name for name in ('torch', 'pandas', 'scipy', 'rich', 'sklearn') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
