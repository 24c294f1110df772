"""Ray engine: two machines of one Ray on loopback; workers answer as this process does, and what is lost of them."""

import json
import os
import signal
import sqlite3
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import mmbench
from mmbench.harness.digest import digest_json
from mmbench.harness.engine.engines import Engines
from mmbench.harness.engine.kinds.image import IMAGE
from mmbench.harness.engine.kinds.reply import REPLY
from mmbench.harness.engine.question import Question
from mmbench.harness.engine.ray import crew
from mmbench.harness.engine.settings import EngineSettings
from mmbench.harness.media.image import Image
from mmbench.harness.models.models import Loading, Model
from mmbench.harness.types import Failure
from tests.fakes import Dual, vector

os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"  # read when ray is imported
ray = pytest.importorskip("ray")
pytestmark = pytest.mark.slow

MEMORY = 128 << 20


@pytest.fixture(scope="session")
def machines():
    """One Ray of two nodes, which this process has joined as a notebook would have."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        for name in ("RAY_USAGE_STATS_ENABLED", "RAY_ENABLE_UV_RUN_RUNTIME_ENV", "RAY_enable_worker_prestart"):
            patch.setenv(name, "0")
        patch.delenv("RAY_ADDRESS", raising=False)
        cluster = Cluster()
        for _ in range(2):
            cluster.add_node(num_cpus=1, object_store_memory=MEMORY)
        ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
        yield cluster
        ray.shutdown()
        cluster.shutdown()


@pytest.fixture
def engines(machines):
    """Makes Ray engines of two workers, which are dismissed after the test."""
    made = Engines(EngineSettings("ray", 2), Loading())
    held = []

    def make(adapter, batch_size=None):
        held.append(made.of(Model("a model", "", adapter), batch_size))
        return held[-1]

    yield make
    for each in held:
        each.close()
    made.close()
    assert ray.is_initialized()  # what was there before stays


class Marks:
    """Writes the process and the first line of each prompt to a file, before it answers as a function of the prompt."""

    takes_text_alone = True

    def __init__(self, file, seconds=0.0):
        self.fingerprint, self.file, self.seconds = "marks", str(file), seconds

    def generate(self, prompts, settings):
        time.sleep(self.seconds)
        with Path(self.file).open("a") as log:
            log.write("".join(f"{os.getpid()} {prompt}\n" for _, prompt in prompts))
        if any(prompt == "kill" for _, prompt in prompts):
            os.kill(os.getpid(), signal.SIGKILL)
        return [prompt.upper() for _, prompt in prompts]


def lines(file):
    return [tuple(line.split()) for line in Path(file).read_text().splitlines()] if Path(file).exists() else []


def asked(*prompts):
    return [Question(REPLY, prompt=prompt).read() for prompt in prompts]


def rows(store):
    with sqlite3.connect(store.path) as database:
        return sorted(database.execute("SELECT key, kind, truncated, value FROM answers"))


def test_standard_output_is_the_result_alone(tmp_path, machines, command):
    # Before any worker is killed: what Ray tells of that comes later, on the output of whoever made it.
    own = tmp_path / "mine.py"
    own.write_text(
        "import numpy as np\n"
        "class Mine:\n"
        "    fingerprint = 'mine'\n"
        "    def embed_images(self, images):\n"
        "        print('noise')\n"
        "        return np.stack([np.asarray(i, np.float32).mean((0, 1)) - 99 for i in images])\n"
        "    def embed_texts(self, texts):\n"
        "        return np.stack([np.float32([len(t), 1, 2]) for t in texts])\n"
    )
    shown = []
    for engine in (("local",), ("ray", "--workers", "1")):
        folder = tmp_path / engine[0]
        status, out, _ = command(
            "run", "--model", f"{own}:Mine", "--task", "digits", "--limit", "20", "--output", str(folder),
            "--store", str(folder / "store.sqlite"), "--format", "json", "--engine", *engine,
        )  # fmt: skip
        assert status == 0
        shown.append(json.loads(out))
    assert shown[0] == shown[1]


def test_records_and_store_are_those_of_the_local_engine(tmp_path, machines):
    files = []
    for i in range(40):
        PIL.Image.fromarray(np.full((4, 4, 3), 5 * i, np.uint8)).save(tmp_path / f"{i}.png")
        files.append(tmp_path / f"{i}.png")
    held = [np.full((3, 5, 3), i, np.uint8) for i in range(8)]
    cells = [*files, *held]
    pictures = [{"image": cell, "label": "abc"[i % 3]} for i, cell in enumerate(cells)]
    choice = {"classes": ["a", "b", "c"], "templates": ["a {}"]}
    task = mmbench.task("zero-shot-classification", pictures, name="mixed", **choice)
    digests, kept = [], []
    for name in ("local", "ray"):
        store = tmp_path / f"{name}.sqlite"
        options = {"engine": "ray", "workers": 2} if name == "ray" else {}
        made = mmbench.run(Dual(), tasks=[task, "digits"], limit=48, output=tmp_path / name, store=store, **options)
        assert made.exit_code == 0
        digests.append(digest_json([[record.rows(), record.fingerprint, record.asked] for record in made.records]))
        with sqlite3.connect(store) as database:
            kept.append(sorted(database.execute("SELECT key, kind, truncated, value, checksum FROM answers")))
        assert made.records[0].hardware.get("workers") == options.get("workers")
    assert digests[0] == digests[1] and kept[0] == kept[1] and len(kept[0]) > 90


def test_a_file_that_workers_do_not_have_is_sent(tmp_path, engines):
    def gone(n):
        path = tmp_path / f"{n}.png"
        PIL.Image.fromarray(np.full((4, 4, 3), n, np.uint8)).save(path)
        read = Question(IMAGE, (Image.from_path(path),)).read()
        if n % 2:
            path.unlink()
        else:
            PIL.Image.new("RGB", (9, 9)).save(path)  # another picture under its name
        return read

    values = [each.value for batch in engines(Dual(), 4).map(gone(n) for n in range(10)) for each in batch]
    wanted = [vector(repr((4, 4)).encode() + bytes([n] * 48)) for n in range(10)]
    assert sorted(map(tuple, values)) == sorted(map(tuple, wanted))


def test_a_worker_that_is_killed_loses_only_what_was_under_way(tmp_path, store, engines):
    log = tmp_path / "log"
    prompts = [f"p{i}" for i in range(120)]

    def kill():
        while len(lines(log)) < 30:
            time.sleep(0.01)
        os.kill(int(lines(log)[-1][0]), signal.SIGKILL)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    assert list(store.ask(engines(Marks(log, 0.05), 4), "marks", asked(*prompts))) == [p.upper() for p in prompts]
    thread.join(10)
    counts = Counter(prompt for _, prompt in lines(log))
    assert counts.keys() == set(prompts) and counts.total() - len(prompts) <= 3 * 4
    assert len(rows(store)) == 120


def test_a_batch_that_kills_three_workers_is_an_error_of_its_items(tmp_path, store, engines):
    log = tmp_path / "log"
    prompts = [f"p{i}" for i in range(6)] + ["kill"] + [f"q{i}" for i in range(6)]
    values = list(store.ask(engines(Marks(log), 1), "marks", asked(*prompts)))
    assert [value for value in values if not isinstance(value, Failure)] == [p.upper() for p in prompts if p != "kill"]
    assert "3 workers died, one after another" in values[6].message
    assert [prompt for _, prompt in lines(log)].count("kill") == 3


class Unlike:
    """Another model in each process."""

    def __init__(self):
        self.generate = None

    @property
    def fingerprint(self):
        return f"of process {os.getpid()}"

    def embed_texts(self, texts):
        return np.ones((len(texts), 2))


class Held:
    """Cannot be pickled."""

    fingerprint = "held"

    def __init__(self):
        self.lock = threading.Lock()

    def embed_texts(self, texts):
        return np.ones((len(texts), 2))

    embed_images = embed_texts


class Elsewhere(Held):
    """Can be pickled, and not unpickled."""

    def __reduce__(self):
        return exec, ("raise RuntimeError('not here')",)


@pytest.mark.parametrize(
    ("adapter", "said"),
    [
        (Held(), "cannot be sent to workers"),
        (Elsewhere(), "cannot be unpickled by a worker (RuntimeError: not here)"),
        (Unlike(), "is another model than the driver's"),
    ],
)
def test_a_model_that_workers_cannot_have_is_refused(tmp_path, machines, adapter, said):
    adapter.embed_images = adapter.embed_texts if isinstance(adapter, Unlike) else adapter.embed_images
    made = mmbench.run(adapter, task="digits", limit=2, output=tmp_path, store=tmp_path / "s", engine="ray", workers=1)
    assert said in str(made.problems[0].error) and not made.records


def test_a_worker_that_no_machine_has_room_for_is_told(tmp_path, machines, monkeypatch):
    monkeypatch.setattr(crew, "_PATIENCE", 0.0)
    monkeypatch.setattr(crew, "_NOWHERE", 0.0)
    made = mmbench.run(
        model="chance", task="digits", limit=4, output=tmp_path, store=tmp_path / "s", engine="ray", workers=2,
        gpus_per_worker=3,
    )  # fmt: skip
    (problem,) = made.problems
    assert str(problem.error) == "no machine of the Ray cluster has 1 CPUs and 3 GPUs, which a worker needs"
