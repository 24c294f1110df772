"""A third party's package, written against the public addresses alone, adds a model, a family, a source and a task."""

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

FILES = {
    "shades/__init__.py": "",
    "shades/adapter.py": '''
        """Looks at the brightness of a picture, and nothing else."""

        import numpy as np


        class Brightness:
            fingerprint = "brightness 1"

            def embed_images(self, images):
                light = np.array([np.asarray(image).mean() / 255 for image in images])
                return np.stack([light, 1 - light, 0.01 * light**2], axis=1)

            def embed_texts(self, texts):
                return np.array([[float("light" in t), float("dark" in t), 0.001 * len(t)] for t in texts])


        def from_spec(rest, *, device, dtype, offline):
            return Brightness()
    ''',
    "shades/source.py": '''
        """Grey pictures of every shade."""

        import numpy as np

        from mmbench.harness import DataError, Image, Row, SourceSpec


        class ShadesSpec(SourceSpec):
            steps: int


        class Shades:
            Spec = ShadesSpec

            def __init__(self, steps):
                if steps < 2:
                    raise DataError(f"'steps' must be 2 at least, not {steps}")
                self.steps = steps

            @classmethod
            def open(cls, spec, base, split):
                return cls(spec.steps)

            def columns(self):
                return ("image", "label")

            def values(self, column):
                return (row.cells[column] for row in self)

            def class_names(self, column):
                return None

            def __len__(self):
                return self.steps

            def __iter__(self):
                for n in range(self.steps):
                    level = round(255 * n / (self.steps - 1))
                    image = Image.from_array(np.full((8, 8), level, np.uint8), f"shade {n}")
                    yield Row({"image": image, "label": "light" if level > 127 else "dark"}, f"shade {n}", None)
    ''',
    "shades/family.py": '''
        """Which of two shades a picture is."""

        from itertools import tee

        from pydantic import BaseModel, ConfigDict

        from mmbench.harness import Metric, Option, Outcome, Outcomes, Sample

        HITS = Metric("hits", "The right shade is chosen.")


        class ShadeOptions(BaseModel):
            model_config = ConfigDict(extra="forbid")
            phrasing: str = "a {} picture"


        class Shade:
            name = "shade"
            version = 1
            verb = "choose"
            routes = ("embed",)
            fields = {"image": True, "label": True}
            Options = ShadeOptions
            known_metrics = (HITS,)

            def __init__(self, options, data, metrics):
                self.data, self.metrics, self.phrasing = data, [HITS], options.phrasing

            def protocol(self):
                return {"phrasing": self.phrasing}

            def samples(self):
                for number, row in enumerate(self.data.source):
                    right = ["dark", "light"].index(row.cells["label"])
                    yield Sample(self.data.id_of(row, number), (row.cells["image"],), target=(right,))

            def outcomes(self, subject, samples):
                options = [Option(name, (self.phrasing.format(name),)) for name in ("dark", "light")]
                seen, asked = tee(samples)
                choices = subject.choose(asked, options)
                made = []
                for sample, choice in zip(seen, choices):
                    chosen = int(choice.scores.argmax())
                    values = {"hits": float(chosen == sample.target[0])}
                    target = options[sample.target[0]].label
                    made.append(Outcome.about(sample, choice.status, options[chosen].label, target, values=values,
                                              chances={"hits": 0.5}))
                return Outcomes(choices.route, made, notes=["two shades"])
    ''',
    "shades/tasks.py": "from pathlib import Path\nTASKS = Path(__file__).parent / 'catalogue'\n",
    "shades/catalogue/deep/shades.yaml": """
        name: shades
        family: shade
        source: {kind: shades, steps: 40}
        card: {title: Light or dark, dimension: shade}
    """,
    "shades-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: shades\nVersion: 1.0\n",
    "shades-1.0.dist-info/entry_points.txt": """
        [mmbench.adapters]
        brightness = shades.adapter:from_spec
        [mmbench.families]
        shade = shades.family:Shade
        [mmbench.sources]
        shades = shades.source:Shades
        [mmbench.tasks]
        shades = shades.tasks:TASKS
    """,
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package as an installer lays it out, metadata beside modules."""
    folder = tmp_path_factory.mktemp("site")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(dedent(text).lstrip(), encoding="utf-8")
    return folder


def mmbench(site: Path, *arguments: str, status: int = 0) -> str:
    environment = {**os.environ, "PYTHONPATH": str(site), "MMBENCH_HOME": str(site / "home")}
    command = [sys.executable, "-m", "mmbench", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stderr


def test_its_task_is_run_on_its_model(site: Path, tmp_path: Path) -> None:
    shown = mmbench(
        site, "run", "--model", "brightness", "--task", "shades", "--output", str(tmp_path), "--format", "json"
    )
    (row,) = json.loads(shown)
    assert (row["model"], row["task"], row["metric"], row["value"], row["n"]) == (
        "brightness",
        "shades",
        "hits",
        1.0,
        40,
    )
    assert (row["chance"], row["route"], row["coverage"]) == (0.5, "embed", 1.0)
    board = json.loads(mmbench(site, "leaderboard", "--output", str(tmp_path), "--format", "json"))
    assert [(each["model"], each["standing"]["rank"]) for each in board] == [("brightness", 1)]


def test_it_is_listed_and_a_mistake_is_named(site: Path, tmp_path: Path) -> None:
    rows = json.loads(mmbench(site, "list", "tasks", "--format", "json"))
    assert {"name": "shades@1", "family": "shade", "dimension": "shade", "title": "Light or dark"} in rows
    metrics = json.loads(mmbench(site, "list", "metrics", "--format", "json"))
    assert [each["description"] for each in metrics if each["family"] == "shade"] == ["The right shade is chosen."]
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
