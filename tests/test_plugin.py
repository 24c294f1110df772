"""The package of docs/plugins.md, written against the public addresses alone, is built, installed and run."""

import json
import os
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[1] / "docs" / "plugins.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^```(?:toml|python|yaml) (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
(COMMANDS,) = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)

BUILD = "from setuptools import build_meta; print(build_meta.build_wheel('dist'))"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of docs/plugins.md, built and installed as pip does, without a network."""
    source = tmp_path_factory.mktemp("package")
    for name, text in FILES.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text, encoding="utf-8")
    (source / "dist").mkdir()
    built = subprocess.run([sys.executable, "-c", BUILD], cwd=source, capture_output=True, text=True, check=True)
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(source / "dist" / built.stdout.split()[-1]) as wheel:
        wheel.extractall(folder)
    return folder


def mmbench(site: Path, *arguments: str, status: int = 0) -> str:
    environment = {**os.environ, "PYTHONPATH": str(site), "MMBENCH_HOME": str(site / "home")}
    command = [sys.executable, "-m", "mmbench", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stderr


def test_the_page_lists_its_files_and_its_commands_run(site: Path, tmp_path: Path) -> None:
    (listed,) = re.findall(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert sorted(listed.split()) == sorted(FILES)
    for line in COMMANDS.splitlines():
        program, *arguments = shlex.split(line)
        assert program == "mmbench"
        where = ["--output", str(tmp_path)] if arguments[0] != "list" else []
        assert mmbench(site, *arguments, *where)


def test_its_task_is_run_on_its_model(site: Path, tmp_path: Path) -> None:
    shown = mmbench(
        site, "run", "--model", "brightness", "--task", "shades", "--output", str(tmp_path), "--format", "json"
    )
    row, strict = json.loads(shown)
    assert (row["model"], row["task"], row["metric"], row["value"], row["n"]) == (
        "brightness",
        "shades",
        "hits",
        1.0,
        40,
    )
    assert (strict["metric"], strict["value"], strict["n"], strict["primary"]) == ("strict_match", 1.0, 40, False)
    assert strict["low"] < 1.0 == strict["high"]
    assert (row["chance"], row["route"], row["coverage"]) == (0.5, "embed", 1.0)
    board = json.loads(mmbench(site, "leaderboard", "--output", str(tmp_path), "--format", "json"))
    assert [(each["model"], each["standing"]["rank"]) for each in board if each["primary"]] == [("brightness", 1)]


def test_it_is_listed_and_a_mistake_is_named(site: Path, tmp_path: Path) -> None:
    rows = json.loads(mmbench(site, "list", "tasks", "--format", "json"))
    own = {"name": "shades@1", "family": "shade", "dimension": "shade", "title": "Light or dark"}
    assert any(row.items() >= own.items() for row in rows)
    metrics = json.loads(mmbench(site, "list", "metrics", "--format", "json"))
    assert [each["description"] for each in metrics if each["family"] == "shade"] == ["The right shade is chosen."]
    assert [each["family"] for each in metrics if each["metric"] == "strict_match"] == ["any family"]
    suites = json.loads(mmbench(site, "list", "suites", "--format", "json"))
    assert [each["tasks"] for each in suites if each["name"] == "brightness@1"] == ["shades, digits"]
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("name: wrong\nfamily: shade\nsource: {kind: shades, stepz: 40}\n")
    said = mmbench(site, "run", "--model", "brightness", "--task", str(wrong), status=2)
    assert "wrong.yaml line 3: unknown key 'stepz'; did you mean 'steps'?" in said


def test_its_adapter_keeps_the_contract(site: Path) -> None:
    code = (
        "from shades.adapter import Brightness\n"
        "from mmbench.adapters.contract import violations\n"
        "print(violations(Brightness))"
    )
    environment = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert "fingerprint" not in done.stdout, "what it breaks is being distinct: it sees brightness alone"


def test_public_names_of_the_core() -> None:
    import mmbench.harness as core

    assert sorted(core.__all__) == core.__all__
    for name in core.__all__:
        assert getattr(core, name) is not None
