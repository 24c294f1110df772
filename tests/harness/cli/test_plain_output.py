"""Whatever data, replies, records and imported figures hold, no command prints a control character or obeys markup."""

import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as Xml

import PIL.Image
import pytest

from mmbench.harness.cli.app import main
from mmbench.harness.records.record import write
from mmbench.harness.scores.breakdown import break_down
from mmbench.harness.scores.score import score
from mmbench.harness.tasks.card import Card
from mmbench.harness.tasks.metric import Metric
from tests.builders import outcome, record

Command = Callable[..., tuple[int, str, str]]

EVIL = (
    "\x1b[31mred\x1b]8;;http://evil\x07link\x1b]8;;\x1b\\ \x9b2J \x07\x08\r\x7f \u202eesrever\u2066 "
    "[bold red]x[/] [/oops] :smile: <img src=x onerror=alert(1)> [a](http://evil) `c` | =1+1"
)
FACT = "f [red]\x1b[2J\u202e"
NAME = "m\x1b[31m\u202e[red]\x9b2J"
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
ACCURACY = Metric("accuracy", "")


def put(results: Path, model: str, right: int) -> None:
    made = [
        outcome(f"{i} {EVIL}", float(i < right), prediction=EVIL, target=EVIL, facts={FACT: EVIL}) for i in range(39)
    ]
    made.append(outcome(f"lost {EVIL}", status="error", message=EVIL, values={}))
    held = record(
        model=model,
        fingerprint=f"{model}{EVIL}",
        task="t\x1b[2J[red]",
        protocol=f"p{EVIL}",
        dataset={"digest": "d", "n": 40, "partial": False},
        scores=tuple(score([ACCURACY], made)),
        breakdown=tuple(break_down([ACCURACY], made).levels),
        notes=(EVIL,),
        first_error=EVIL,
        errors=1,
        card=Card(best=1.0, primary="accuracy", title=EVIL, citation=EVIL, dimension=f"d {EVIL}", notes=EVIL, url=EVIL),
    )
    write(held, made, results)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: records, figures, a task and a model, all of them hostile."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MMBENCH_HOME", str(tmp_path / "home"))
    put(tmp_path / "results", NAME, 38)
    put(tmp_path / "results", "b", 5)
    figure = EVIL.replace("\r", "").replace(",", " ")
    (tmp_path / "figures.csv").write_text(
        f'model,task,metric,value,source,url\n"=cmd {figure}","t {figure}",accuracy,0.5,"s {figure}",https://x/(a)|b\n',
        encoding="utf-8",
    )
    PIL.Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    rows = [{"id": f"{n}{EVIL}", "image": "a.png", "label": f"{n} {EVIL}", "f": EVIL} for n in range(2)]
    rows.append({"id": f"gone{EVIL}", "image": f"no {EVIL}.png", "label": rows[0]["label"], "f": EVIL})
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "t.yaml").write_text(
        "name: t\nfamily: zero-shot-classification\nsource: {kind: jsonl, path: data.jsonl}\nfacts: [f]\n"
        f"classes: {json.dumps([rows[0]['label'], rows[1]['label']])}\n"
        f"card: {json.dumps({'title': EVIL, 'dimension': EVIL, 'notes': EVIL})}\n"
    )
    said = [{"id": row["id"], "prediction": EVIL} for row in rows[:1]] + [{"id": f"extra{EVIL}", "prediction": EVIL}]
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in said))
    (tmp_path / "bad.py").write_text(
        f"class Bad:\n    fingerprint = {EVIL!r}\n    def embed_images(self, images): raise ValueError({EVIL!r})\n"
        "    embed_texts = embed_images\n"
    )
    return tmp_path


FORMS = (["--format", "table"], ["--format", "json"])
FILES = ["--junit", "j.xml", "--summary", "s.md"]
HOSTILE = ["run", "--model", "bad.py:Bad", "--task", "t.yaml"]
COMMANDS = [
    *(["leaderboard", "--format", form] for form in ("table", "markdown", "csv", "json", "html")),
    *(["compare", NAME, "b", "--format", form] for form in ("table", "markdown", "json")),
    *(["check", "b", "--baseline", NAME, *form, *FILES] for form in FORMS),
    *(["show", NAME, *form] for form in FORMS),
    ["show", EVIL], ["show", "b", "--task", EVIL], ["compare", EVIL, "b"], ["check", "b", "--baseline", EVIL],
    *(["leaderboard", "--by", FACT, "--shared", "--format", form] for form in ("table", "markdown", "csv", "json")),
    ["leaderboard", "--by", FACT, "--shared", "--format", "html"],
    *(["compare", NAME, "b", "--by", FACT, "--shared", "--format", form] for form in ("table", "markdown", "json")),
    *(["show", NAME, "--by", FACT, *form] for form in FORMS),
    ["show", NAME, "--by", EVIL], ["leaderboard", "--by", EVIL], ["leaderboard", "--task", EVIL],
    ["run", "--model", "chance", "--task", "t.yaml", "--by", "f", "--output", "new"],
    ["report", "--to", "r.html"],
    ["import", "figures.csv", "--output", "other"],
    *(["run", "--model", "chance", "--task", "t.yaml", "--output", "new", *form] for form in FORMS),
    [*HOSTILE, "--output", "new"], [*HOSTILE, "--output", "new", "--debug"],
    *([*HOSTILE, "--dry-run", *form] for form in FORMS),
    ["run", "--model", EVIL, "--task", "t.yaml"], ["run", "--model", "chance", "--task", EVIL],
    *(["score", "t.yaml", "p.jsonl", "--items", "i.jsonl", *form] for form in FORMS),
    *(["store", "info", "--format", form] for form in ("table", "json")),
    *(["list", what] for what in ("models", "tasks", "suites", "metrics")),
]  # fmt: skip


def test_no_command_prints_what_a_terminal_would_obey(folder: Path, command: Command) -> None:
    code, _, err = command("import", "figures.csv")
    assert code in (None, 0), err
    for arguments in COMMANDS:
        code, out, err = command(*arguments)
        said = f"mmbench {arguments!r}: {code}\n{out}\n{err}"
        assert not FORBIDDEN.search(out + err), said
        assert "internal error" not in err or "bad.py:Bad" in arguments, said
        assert code in (0, 1, 2), said
        if "json" in arguments and out:
            json.loads(out)
        if arguments[:1] == ["leaderboard"] and "json" not in arguments:
            assert "<img src" not in out or "csv" in arguments or "table" in arguments, said
        assert all(len(line) < 1500 for line in err.splitlines()), said
    for name in ("s.md", "j.xml", "r.html"):
        assert not FORBIDDEN.search((folder / name).read_text(encoding="utf-8")), name
    Xml.parse(folder / "j.xml")
    summary = (folder / "s.md").read_text(encoding="utf-8")
    assert "<img" not in summary
    assert not re.search(r"(?<!\\)\[a\]\(", summary)
    for line in command("leaderboard", "--format", "csv")[1].splitlines():
        assert not re.search(r"""(^|,)"?[=@+]""", line), line


def test_an_old_encoding_changes_no_json_and_breaks_no_other_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [outcome(str(i), float(i % 2)) for i in range(20)]
    card = Card(best=1.0, primary="accuracy")
    write(record(model="日本語", scores=tuple(score([ACCURACY], items)), card=card), items, tmp_path)
    shown = {}
    for form in ("json", "csv", "markdown", "html", "table"):
        held = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(held, "cp1252"))
        monkeypatch.setattr(sys, "argv", ["mmbench", "leaderboard", "--output", str(tmp_path), "--format", form])
        with pytest.raises(SystemExit) as done:
            main()
        sys.stdout.flush()
        assert done.value.code == 0
        shown[form] = held.getvalue()
    assert json.loads(shown["json"].decode("ascii"))[0]["model"] == "日本語"
    for form in ("csv", "markdown", "html"):
        assert "日本語" in shown[form].decode("utf-8")
    assert "???" in shown["table"].decode("cp1252")
