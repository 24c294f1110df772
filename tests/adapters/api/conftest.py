"""What tests of served models share: a fake on loopback, tasks of a few words, and no key or proxy of the person's."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import PIL.Image
import pytest

import mmbench
from mmbench.harness.run.result import Run
from tests.adapters.api.fake import Fake, Script, fake


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what the environment says of services and proxies."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def serve() -> Iterator[Callable[..., Fake]]:
    """Starts fakes, which end with the test."""
    with ExitStack() as stack:

        def start(script: Script | None = None, **settings: float) -> Fake:
            return stack.enter_context(fake(script, **settings))

        yield start


@pytest.fixture
def questions(tmp_path: Path) -> Callable[..., Path]:
    """Writes a task of `n` questions with the answer yes, each with so many pictures."""

    def write(n: int, pictures: int = 0, name: str = "questions", **more: object) -> Path:
        rows = []
        for i in range(n):
            row: dict[str, object] = {"id": str(i), "question": f"Is {i} a number?", "target": "yes"}
            if pictures:
                file = tmp_path / f"{i}.png"
                PIL.Image.new("RGB", (40, 30), (i % 256, 90, 30)).save(file)
                row["image"] = file.name
            rows.append(json.dumps(row))
        (tmp_path / f"{name}.jsonl").write_text("\n".join(rows))
        held = {"name": name, "version": 1, "family": "yes-no", "source": {"kind": "jsonl", "path": f"{name}.jsonl"}}
        path = tmp_path / f"{name}.yaml"
        path.write_text(json.dumps({**held, "routes": ["generate"], **more}))
        return path

    return write


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., Run]:
    """Runs a task on a model, with one store for all of a test."""

    def run(model: str, task: Path, **settings: object) -> Run:
        settings = {"yes": True, "output": tmp_path / "results", "store": tmp_path / "store.sqlite", **settings}
        return mmbench.run(model=model, task=task, **settings)

    return run
