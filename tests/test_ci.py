"""The workflow of docs/ci.md, step by step in a clone: a good candidate passes, a damaged one fails and is shown."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import numpy as np
import PIL.Image
import pytest
import yaml

PAGE = (Path(__file__).parents[1] / "docs" / "ci.md").read_text(encoding="utf-8")
(WORKFLOW,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
BASELINE = re.findall(r"^```sh\n(mmbench run [^\n]*)\n```$", PAGE, re.MULTILINE)[-1]
BUDGET = re.findall(r"^```toml\n(.*?)^\[task", PAGE, re.MULTILINE | re.DOTALL)[0]

MODEL = """
import numpy as np

COLOURS = {{"red": (200, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 200)}}

class Model:
    fingerprint = "{fingerprint}"

    def embed_images(self, images):
        return np.stack([self.mean(image) for image in images])

    def mean(self, image):
        colour = np.asarray(image, np.float64).mean(axis=(0, 1))
        {change}
        return colour

    def embed_texts(self, texts):
        return np.array([COLOURS[name] for text in texts for name in COLOURS if name in text], np.float64)
"""
TASK = """
name: {name}
family: zero-shot-classification
source: {{kind: csv, path: {name}.csv}}
templates: ["a {{}} thing"]
"""


def project(folder: Path) -> None:
    """Two tasks of 120 pictures of three colours, a suite of both, a budget and a model."""
    (folder / "pictures").mkdir()
    draw = np.random.default_rng(0)
    for task in ("things", "more"):
        lines = ["image,label"]
        for i in range(120):
            colour = i % 3
            pixels = draw.integers(0, 60, (6, 6, 3), np.uint8)
            pixels[..., colour] += 150
            name = f"pictures/{task}-{i}.png"
            PIL.Image.fromarray(pixels).save(folder / name)
            lines.append(f"{name},{('red', 'green', 'blue')[colour]}")
        (folder / f"{task}.csv").write_text("\n".join(lines) + "\n")
        (folder / f"{task}.yaml").write_text(TASK.format(name=task))
    (folder / "suite.yaml").write_text("name: own\ntasks: [things.yaml, more.yaml]\n")
    (folder / "budget.toml").write_text(BUDGET)
    (folder / "model.py").write_text(MODEL.format(fingerprint="released", change="pass"))


@dataclass
class Job:
    """What became of the steps of a job."""

    folder: Path
    status: int = 0
    """Of the first step that failed."""
    ran: list[tuple[str, int]] = field(default_factory=list)
    """Commands with their exit status."""
    said: str = ""
    artifact: str | None = None
    """What was uploaded."""

    @property
    def summary(self) -> str:
        return (self.folder / "summary.md").read_text(encoding="utf-8")

    def step(self, step: dict[str, Any], environment: dict[str, str]) -> None:
        if self.status and step.get("if") != "${{ !cancelled() }}":
            return
        if "uses" in step:
            if step["uses"].startswith("actions/upload-artifact"):
                self.artifact = (self.folder / step["with"]["path"]).read_text(encoding="utf-8")
            return
        if step["run"] == "pip install mmbench":
            return  # it is here
        command = ["bash", "-e", "-c", step["run"]]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        self.ran.append((" ".join(step["run"].split()[:2]), done.returncode))
        self.said += done.stdout + done.stderr
        self.status = self.status or done.returncode


def execute(folder: Path) -> Job:
    """Run the workflow in a clone, as a runner does."""
    workflow = yaml.safe_load(WORKFLOW)
    job = Job(folder)
    for step in workflow["jobs"]["mmbench"]["steps"]:
        job.step(step, environment(folder, workflow["env"]))
    return job


def environment(folder: Path, given: dict[str, str]) -> dict[str, str]:
    paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    own = {"PATH": paths, "MMBENCH_HOME": str(folder / "home"), "GITHUB_STEP_SUMMARY": str(folder / "summary.md")}
    return {**os.environ, **given, **own, "MODEL": "model.py:Model", "COLUMNS": "400"}


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=someone", "-c", "user.email=someone@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a baseline in it, made as the page says."""
    folder = tmp_path_factory.mktemp("origin")
    project(folder)
    given = yaml.safe_load(WORKFLOW)["env"]
    subprocess.run(["bash", "-e", "-c", BASELINE], cwd=folder, env=environment(folder, given), check=True)
    (folder / ".gitignore").write_text("home\nresults\n")
    git(folder, "init", "--quiet")
    git(folder, "add", "-A")
    git(folder, "commit", "--quiet", "-m", "baseline")
    return folder


@pytest.fixture
def clone(origin: Path, tmp_path: Path) -> Path:
    git(tmp_path, "clone", "--quiet", str(origin), "clone")
    return tmp_path / "clone"


def candidate(clone: Path, change: str) -> None:
    (clone / "model.py").write_text(MODEL.format(fingerprint="candidate", change=change))


def test_a_good_candidate_passes_also_with_an_error_within_the_budget(clone: Path) -> None:
    shown = np.asarray(PIL.Image.open(clone / "pictures" / "things-7.png"), np.float64).mean(axis=(0, 1))
    candidate(clone, f"if abs(colour.sum() - {float(shown.sum())!r}) < 1e-9: raise ValueError('dark')")
    job = execute(clone)
    assert (job.status, job.ran) == (0, [("mmbench run", 0), ("mmbench check", 0)]), job.said
    assert "1 item without a score; the first: ValueError: dark" in job.said
    assert job.artifact is not None and 'failures="0" errors="0"' in job.artifact
    assert "candidate passes against released" in job.summary


def test_a_damaged_candidate_fails_in_the_gate_and_is_shown(clone: Path) -> None:
    candidate(clone, "colour = colour[::-1] if int(colour[1] * 1000) % 3 == 0 else colour")
    job = execute(clone)
    assert (job.status, job.ran) == (1, [("mmbench run", 0), ("mmbench check", 1)]), job.said
    assert job.artifact is not None and 'type="regressed"' in job.artifact
    assert "candidate fails against released" in job.summary


def test_a_candidate_that_cannot_be_made_has_its_files_too(clone: Path) -> None:
    candidate(clone, "import nothing_of_this_name")
    (clone / "model.py").write_text("import nothing_of_this_name\n")
    job = execute(clone)
    assert job.ran == [("mmbench run", 2), ("mmbench check", 2)], job.said
    assert job.artifact is not None
    (case,) = Xml.fromstring(job.artifact).iter("testcase")  # noqa: S314 - written by this test
    error = case.find("error")
    assert error is not None and error.get("message", "").startswith("there is no run 'candidate' in results")
    assert "there is no run 'candidate' in results" in job.summary


def test_a_changed_label_names_the_baseline_the_item_and_what_to_do(clone: Path) -> None:
    file = clone / "more.csv"
    file.write_text(file.read_text().replace("pictures/more-4.png,green", "pictures/more-4.png,blue"))
    candidate(clone, "pass")
    job = execute(clone)
    assert (job.status, job.ran) == (2, [("mmbench run", 0), ("mmbench check", 2)]), job.said
    expected = (
        "(the baseline released against the candidate candidate): 1 of 120 items differs: '4' (target 'green' against "
        "'blue'); run the baseline released again on the present data, or restore the data"
    )
    for said in (job.said, job.artifact, job.summary):
        assert said is not None and expected in said.replace("&#39;", "'")
