"""Whatever an adapter does to the process, the result is clean, the status true, and the other models keep theirs."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import PIL.Image
import pytest

from mmbench.harness.records.files import append_whole, write_whole

Command = Callable[..., tuple[int, str, str]]

MODEL = """
import os, random, signal, sys, threading
import numpy as np
{top}

class {name}:
    fingerprint = "{name}"
    {member}

    def __init__(self):
        {construct}

    def prepare_image(self, image):
        {prepare}
        return np.asarray(image.resize((2, 2)), np.float32).ravel()

    def embed_images(self, images):
        {images}
        return np.stack(images)

    def embed_texts(self, texts):
        {texts}
        return np.stack([np.full(12, len(text), np.float32) + np.arange(12) for text in texts])
"""


def put(folder: Path, name: str, **bodies: str) -> str:
    given = dict.fromkeys(("top", "member", "construct", "prepare", "images", "texts"), "pass") | bodies
    (folder / f"{name}.py").write_text(MODEL.format(name=name, **given))
    return f"{name}.py:{name}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: a task of six pictures of two classes."""
    for i, label in enumerate(["cat", "dog"] * 3):
        file = tmp_path / "photos" / label / f"{i}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.new("RGB", (5, 4), (40 * i, 10, 0)).save(file)
    (tmp_path / "t.yaml").write_text(
        "name: t\nfamily: zero-shot-classification\nsource: {kind: folder, path: photos}\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MMBENCH_HOME", str(tmp_path / "home"))
    return tmp_path


def arguments(*models: str) -> list[str]:
    named = [part for model in models for part in ("--model", model)]
    return ["run", *named, "--task", "t.yaml", "--format", "json"]


def values(out: str) -> dict[str, float | None]:
    """Return the accuracy of each model from what stands on standard output, which is JSON alone."""
    assert out.count("\n") == 1
    return {row["model"]: row["value"] for row in json.loads(out) if row["primary"]}


@pytest.mark.parametrize(
    "what", ["sys.exit(0)", "raise KeyboardInterrupt", "raise GeneratorExit", "raise BaseException"]
)
@pytest.mark.parametrize("where", ["images", "texts", "prepare"])
def test_what_would_end_the_process_is_an_error(folder: Path, command: Command, what: str, where: str) -> None:
    code, out, err = command(*arguments(put(folder, f"hostile_{where}", **{where: what}), "chance"))
    assert code == 1
    assert values(out)["chance"] is not None
    assert what.removeprefix("raise ").replace("sys.exit(0)", "SystemExit: 0") in err
    assert "Traceback" not in err


@pytest.mark.parametrize("what", ["sys.exit(0)", "raise KeyboardInterrupt", "raise GeneratorExit"])
@pytest.mark.parametrize("where", ["top", "construct"])
def test_a_model_that_ends_the_process_as_it_is_made_is_bad_usage(
    folder: Path, command: Command, what: str, where: str
) -> None:
    code, out, err = command(*arguments(put(folder, f"unmade_{where}", **{where: what})))
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert ("cannot be imported" if where == "top" else "cannot be made") in err


def test_an_interrupt_while_one_input_is_prepared_costs_its_item(folder: Path, command: Command) -> None:
    body = "if image.getpixel((0, 0))[0] == 40: raise KeyboardInterrupt"
    code, out, err = command(*arguments(put(folder, "one_input", prepare=body)))
    assert code == 1
    assert [row["n"] for row in json.loads(out) if row["primary"]] == [5]
    assert "1 item could not be scored; the first: KeyboardInterrupt" in err


CHANGES = [
    [
        "print('hello'); sys.stdout.write('there')",
        "os.write(1, b'hello'); os.system('echo there')",
        "sys.stdout = sys.__stdout__; print('hello')",
        "import ctypes; ctypes.CDLL(None).puts(b'hello')",
    ],
    ["sys.stdout.close(); sys.stderr.close()"],
    ["sys.stdout = sys.stderr = None"],
    ["os.close(1)"],
    ["os.close(2)"],
    ["os.close(1); os.close(2)"],
    [
        "os.makedirs('elsewhere', exist_ok=True); os.chdir('elsewhere')",
        "np.seterr(all='raise')",
        "np.random.seed(3); random.seed(3)",
        "signal.signal(signal.SIGINT, signal.SIG_IGN)",
    ],
]
"""What the models of one process do, each by itself."""


def buffered() -> dict[str, str]:
    """Return the environment in which Python keeps what it prints until its buffer is full, as it does by itself."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


@pytest.mark.parametrize("each", CHANGES)
def test_what_an_adapter_changes_of_the_process_changes_nothing(folder: Path, each: list[str]) -> None:
    loud = {f"loud{i}": dict.fromkeys(("top", "construct", "images", "texts"), what) for i, what in enumerate(each)}
    models = put(folder, "quiet"), *(put(folder, name, **bodies) for name, bodies in loud.items()), "chance"
    ask = [sys.executable, "-m", "mmbench", *arguments(*models)]
    done = subprocess.run(ask, capture_output=True, text=True, cwd=folder, check=False, env=buffered())
    assert done.returncode == 0, done.stderr
    found = values(done.stdout)
    assert {found[name] for name in loud} == {found["quiet"]}
    assert sorted(path.name for path in (folder / "results" / "runs").iterdir()) == ["chance", *loud, "quiet"]
    assert (folder / "home" / "store.sqlite").is_file()
    assert not [*folder.glob("elsewhere/**/results")]


@pytest.mark.usefixtures("interruptible")  # what a parent ignores its children ignore too
def test_ctrl_c_still_stops_the_run(folder: Path) -> None:
    body = "import time; print('asked', file=sys.stderr, flush=True); time.sleep(3600)"
    for swallowing in (body, f"\n        try:\n            {body}\n        except BaseException: pass"):
        ask = [sys.executable, "-m", "mmbench", *arguments(put(folder, "slow", images=swallowing), "chance")]
        with subprocess.Popen(ask, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder) as process:
            assert process.stderr is not None
            assert any("asked" in line for line in process.stderr), "it ended unasked"
            process.send_signal(2)
            out, _ = process.communicate(timeout=600)
        assert (process.returncode, out) == (130, "")


@pytest.mark.parametrize(
    "member",
    [
        "@property\n    def device(self): raise SystemExit(0)",
        "@property\n    def batch_size(self): raise ValueError('no size')",
        "@property\n    def takes_text_alone(self): raise KeyboardInterrupt",
        "@property\n    def parameters(self): return 'many'",
        "batch_size = 'large'",
    ],
)
def test_a_model_whose_members_fail_is_its_own_problem(folder: Path, command: Command, member: str) -> None:
    code, out, err = command(*arguments(put(folder, "members", member=member), "chance"))
    assert values(out)["chance"] is not None
    assert "Traceback" not in err
    assert code == 1
    assert ("failed members · t@1: internal error (" in err) is (member != "batch_size = 'large'")
    assert "failed members · t@1: " in err


def test_a_fingerprint_that_ends_the_process_is_bad_usage(folder: Path, command: Command) -> None:
    member = "@property\n    def fingerprint(self): raise SystemExit(0)"
    code, out, err = command(*arguments(put(folder, "nameless", member=member)))
    assert (code, out) == (2, "")
    assert "has a fingerprint that cannot be read (SystemExit: 0)" in err


def test_unwritable_output_ends_before_the_first_question(folder: Path, command: Command) -> None:
    (folder / "taken").write_text("a file")
    spec = put(folder, "never_asked", images="open('asked', 'w')")
    for output in ("taken", "taken/deeper", "/proc/results"):
        code, out, err = command(*arguments(spec), "--output", output)
        assert (code, out) == (2, "")
        assert "cannot be written" in err
        assert len(err.splitlines()) == 1
    assert not (folder / "asked").exists()
    assert not (folder / "home").exists()


def test_an_output_that_is_lost_on_the_way_is_each_tasks_problem(folder: Path, command: Command) -> None:
    spec = put(
        folder,
        "wrecker",
        images="import shutil; shutil.rmtree('results/runs/wrecker'); open('results/runs/wrecker', 'w')",
    )
    code, out, err = command(*arguments(spec, "chance"))
    assert code == 1
    assert [model for model, value in values(out).items() if value is not None] == ["chance"]
    assert "failed wrecker · t@1" in err


def test_a_family_that_fails_unforeseen_is_its_tasks_problem(
    folder: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mmbench.benchmarks.families.zero_shot import ZeroShotClassification

    (folder / "u.yaml").write_text((folder / "t.yaml").read_text().replace("name: t", "name: u"))
    whole = ZeroShotClassification.outcomes
    calls = iter([True, False])

    def outcomes(self: ZeroShotClassification, *asked: object) -> object:
        if next(calls):
            raise ZeroDivisionError("nobody\nforesaw " + "this " * 200)
        return whole(self, *asked)

    monkeypatch.setattr(ZeroShotClassification, "outcomes", outcomes)
    code, out, err = command(*arguments("chance"), "--task", "u.yaml")
    assert code == 1
    assert {row["task"] for row in json.loads(out) if "reason" not in row} == {"u"}
    (line,) = [line for line in err.splitlines() if "internal error" in line]
    assert "failed chance · t@1: internal error (ZeroDivisionError: nobody foresaw this" in line
    assert len(line) < 400


def test_what_killed_writes_left_is_swept(folder: Path, command: Command) -> None:
    held = folder / "results" / "runs" / "chance"
    held.mkdir(parents=True)
    gone = ["old-1.json.999999999", "old-1.parquet.999999999", "new.json.999999998.partial"]
    kept = [f"mine.json.{os.getpid()}.partial", f"mine.json.{os.getpid()}", "locked.json.999999997.partial"]
    kept += ["notes.txt", "x.json", "a.json.1x", "b.txt.999999999"]
    for name in gone + kept:
        (held / name).write_text("part")
    (folder / "results" / "reported.json.999999999.partial").write_text("part")
    with (held / "locked.json.999999997.partial").open() as file:  # as a live process of another container holds it
        fcntl.flock(file, fcntl.LOCK_EX)
        assert command(*arguments("chance"))[0] == 0
    left = {path.name for path in held.iterdir() if not path.name.startswith("t@1")}
    assert left == set(kept)
    assert not (folder / "results" / "reported.json.999999999.partial").exists()
    assert command("report", "--to", "r.html")[0] in (None, 0)


KILLED = """
import os, signal, sys
from pathlib import Path
from mmbench.harness.records.files import replaced
with replaced(Path(sys.argv[1])) as partial:
    partial.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_every_file_that_is_written_sweeps_what_a_killed_write_of_it_left(tmp_path: Path) -> None:
    target = tmp_path / "a [b] report.html"
    target.write_text("before")
    assert subprocess.run([sys.executable, "-c", KILLED, str(target)], check=False).returncode == -9
    assert target.read_text() == "before"
    (left,) = set(tmp_path.iterdir()) - {target}
    assert left.name.endswith(".partial")
    write_whole(target, "after")
    assert (target.read_text(), list(tmp_path.iterdir())) == ("after", [target])


def test_what_is_no_file_is_written_into_and_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    write_whole(Path("/dev/null"), "x")
    os.mkfifo(tmp_path / "pipe")
    for write in (write_whole, append_whole):
        with pytest.raises(OSError):
            write(tmp_path / "pipe", "x")
        with pytest.raises(OSError):
            write(tmp_path, "x")
    (tmp_path / "real").write_text("")
    (tmp_path / "link").symlink_to("real")
    write_whole(tmp_path / "link", "x")
    append_whole(tmp_path / "link", "y")
    assert ((tmp_path / "real").read_text(), (tmp_path / "link").is_symlink()) == ("xy", True)


PLUGIN = """
import os, signal, sys
import numpy as np
{top}

class Model:
    fingerprint = "plugged"
    def embed_images(self, images):
        return np.stack([np.asarray(image.resize((2, 2)), np.float32).ravel() for image in images])
    def embed_texts(self, texts):
        return np.stack([np.full(12, len(text), np.float32) + np.arange(12) for text in texts])

def make(rest, *, device, dtype, offline):
    {make}
    return Model()

def aliases():
    {aliases}
    return {{}}
"""


def plug(folder: Path, **bodies: str) -> dict[str, str]:
    """Install a package with a kind of adapter and aliases beside the task, and return the environment that has it."""
    given = dict.fromkeys(("top", "make", "aliases"), "pass") | bodies
    (folder / "plug").mkdir()
    (folder / "plug" / "plugged.py").write_text(PLUGIN.format(**given))
    (folder / "plug" / "plugged-1.dist-info").mkdir()
    (folder / "plug" / "plugged-1.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: plugged\nVersion: 1\n"
    )
    (folder / "plug" / "plugged-1.dist-info" / "entry_points.txt").write_text(
        "[mmbench.adapters]\nplugged = plugged:make\n[mmbench.aliases]\nplugged = plugged:aliases\n"
        if "aliases" in bodies
        else "[mmbench.adapters]\nplugged = plugged:make\n"
    )
    (folder / "words.jsonl").write_text('{"references": ["a cat"], "id": "0", "image": "photos/cat/0.png"}\n')
    (folder / "c.yaml").write_text(
        "name: c\nfamily: captioning\nsource: {kind: jsonl, path: words.jsonl}\nmetrics: [rouge_l, clipscore]\n"
    )
    (folder / "said.jsonl").write_text('{"id": "0", "prediction": "a dog"}\n')
    return {**os.environ, "PYTHONPATH": str(folder / "plug")}


ASKED = {
    "run": ("run", "--model", "plugged", "--task", "t.yaml"),
    "dry": ("run", "--model", "plugged", "--task", "t.yaml", "--dry-run"),
    "scorer": ("run", "--model", "chance", "--scorer", "plugged", "--task", "c.yaml"),
    "score": ("score", "c.yaml", "said.jsonl", "--scorer", "plugged"),
}


def mmbench(folder: Path, environment: dict[str, str], *asked: str) -> subprocess.CompletedProcess[str]:
    ask = [sys.executable, "-m", "mmbench", *asked, "--format", "json"]
    return subprocess.run(ask, capture_output=True, text=True, cwd=folder, check=False, env=environment)


@pytest.mark.parametrize(
    ("asked", "where", "what"),
    [
        ("run", "top", "sys.exit(0)"),
        pytest.param("run", "make", "raise KeyboardInterrupt", marks=pytest.mark.long),
        ("run", "make", "raise ValueError('two\\nlines')"),
        ("run", "make", "return None"),
        *((asked, "make", "sys.exit(0)") for asked in ASKED),
    ],
)
def test_a_factory_that_fails_is_one_line_on_every_command(folder: Path, asked: str, where: str, what: str) -> None:
    done = mmbench(folder, plug(folder, **{where: what}), *ASKED[asked])
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    top = "adapter 'plugged' of plugged 1 (plugged:make) cannot be loaded"
    assert {"top": top, "make": "model 'plugged'"}[where] in done.stderr


@pytest.mark.parametrize(
    "asked", [each if each in ("run", "score") else pytest.param(each, marks=pytest.mark.long) for each in ASKED]
)
def test_what_a_factory_changes_of_the_process_changes_nothing(folder: Path, asked: str) -> None:
    (folder / "away").mkdir()
    loud = "print('hello'); os.write(1, b'there'); np.seterr(all='raise'); os.chdir('away'); sys.stdout.close()"
    done = mmbench(
        folder,
        plug(
            folder,
            top=loud.replace("'away'", f"{str(folder / 'away')!r}"),
            make=loud.replace("'away'", f"{str(folder / 'away')!r}"),
        ),
        *ASKED[asked],
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    assert json.loads(done.stdout)
    assert not [*folder.glob("away/*")]


def test_aliases_that_fail_are_one_line_and_the_others_are_listed(folder: Path) -> None:
    for what in ("sys.exit(0)", "raise RuntimeError('no')"):
        environment = plug(folder, aliases=what)
        done = mmbench(folder, environment, "list", "models")
        assert done.returncode == 0
        assert {"chance", "plugged", "clip-vitb32"} <= {row["name"] for row in json.loads(done.stdout)}
        (line,) = done.stderr.splitlines()
        assert line.startswith("warning: table of aliases 'plugged' of plugged 1 (plugged:aliases) cannot be read (")
        shutil.rmtree(folder / "plug")


@pytest.mark.parametrize("what", ["open", "count", "rows", "values", "init", "metric"])
@pytest.mark.parametrize("error", [RuntimeError, SystemExit, KeyboardInterrupt])
def test_data_or_a_family_that_fails_unforeseen_costs_its_task_alone(
    folder: Path, command: Command, monkeypatch: pytest.MonkeyPatch, what: str, error: type[BaseException]
) -> None:
    from mmbench.benchmarks.families import yes_no
    from mmbench.benchmarks.sources.jsonl import JsonlFile

    (folder / "rows.jsonl").write_text('{"question": "is it?", "target": "yes", "image": "photos/cat/0.png"}\n')
    (folder / "u.yaml").write_text("name: u\nfamily: yes-no\nsource: {kind: jsonl, path: rows.jsonl}\n")

    def fail(*given: object, **named: object) -> None:
        raise error("nobody\nforesaw")

    place, name = {
        "open": (JsonlFile, "open"),
        "count": (JsonlFile, "__len__"),
        "rows": (JsonlFile, "__iter__"),
        "values": (JsonlFile, "columns"),
        "init": (yes_no.YesNo, "__init__"),
        "metric": (yes_no.YesNo, "outcomes"),
    }[what]
    monkeypatch.setattr(place, name, fail)
    code, out, err = command("run", "--model", "chance", "--task", "u.yaml", "--task", "t.yaml", "--format", "json")
    assert code == 1
    assert {row["task"] for row in json.loads(out) if "reason" not in row} == {"t"}
    assert {("nobody foresaw" in row["reason"], row["value"]) for row in json.loads(out) if row["task"] == "u"} == {
        (True, None)
    }
    (line,) = [line for line in err.splitlines() if "internal error" in line]
    assert "failed chance · u@1: internal error (" in line
    assert "nobody foresaw" in line
    code, out, _ = command("run", "--model", "chance", "--task", "u.yaml", "--task", "t.yaml")
    assert (code, "t@1" in out) == (1, True)
    code, out, _ = command(
        "run", "--model", "chance", "--task", "u.yaml", "--task", "t.yaml", "--dry-run", "--format", "json"
    )
    plans = {each["task"]: each["unsupported"] for each in json.loads(out)}
    assert code == 0
    assert plans["t@1"] is None
    assert what == "metric" or "internal error" in plans["u@1"]


def test_a_closed_standard_stream_is_nobody_elses_file(tmp_path: Path) -> None:
    """As a service begins a command: what is opened next must not be printed into."""
    program = (
        "import sys; from mmbench.harness.cli.streams import open_missing; open_missing();"
        "held = open(sys.argv[1], 'w'); print('noise'); print('noise', file=sys.stderr); held.write('kept')"
    )
    kept = tmp_path / "kept"
    command = 'exec "$0" -c "$1" "$2" >&- 2>&- <&-'
    made = subprocess.run(["/bin/sh", "-c", command, sys.executable, program, str(kept)], check=False)
    assert (made.returncode, kept.read_text()) == (0, "kept")
