"""Workers of Ray: rate of two against one, and what a kill costs; exits 1 when a target is missed.

Run as `python tests/perf/ray_workers.py`. The model sleeps 20 ms a picture, so that two workers gain on any machine,
and writes each picture that it is asked to a file. Two nodes of one Ray on loopback:
- rate: pictures a second by the clock, of two workers against one;
- equal: scores and stored answers of one and two workers against those of the local engine, by digest;
- kills of a worker, of a node with all its processes, of a raylet alone, and of the driver, which is then run again:
  nothing is lost, and what is asked twice was under way.
"""

import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_ENABLE_UV_RUN_RUNTIME_ENV="0", OMP_NUM_THREADS="1")

import mmbench

LEAST_GAIN = 1.8
MEMORY = 128 << 20
UNDER_WAY = 3
"""Batches of a worker that may be under way."""
MODEL = """
import hashlib, os, time
import numpy as np

class Sleepy:
    fingerprint = "sleepy"
    def _vectors(self, digests):
        with open(os.environ["MMBENCH_LOG"], "a") as log:
            log.write("".join(f"{os.getpid()} {each.hex()}\\n" for each in digests))
        return np.stack([np.frombuffer(each[:16], np.uint8).astype(np.float32) - 127.5 for each in digests])
    def embed_images(self, images):
        time.sleep(0.02 * len(images))
        return self._vectors([hashlib.sha256(image.tobytes()).digest() for image in images])
    def embed_texts(self, texts):
        return np.stack([np.float32([len(text), 1, 2, 3] * 4) for text in texts])
"""


class Trial:
    """One run in a folder of its own, on a cluster."""

    def __init__(self, folder: Path, name: str, items: int, **options: Any) -> None:
        self.folder = folder / name
        self.folder.mkdir()
        self.log = self.folder / "log"
        self.model = self.folder / "sleepy.py"
        self.model.write_text(MODEL)
        self.items = items
        self.options = options
        os.environ["MMBENCH_LOG"] = str(self.log)

    def run(self) -> float:
        """Return the pictures a second."""
        made = mmbench.run(
            f"{self.model}:Sleepy",
            task="digits",
            limit=self.items,
            output=self.folder / "results",
            store=self.folder / "store.sqlite",
            **self.options,
        )
        assert not made.problems, made.problems
        return made.records[0].items_per_second

    def asked(self) -> Counter[str]:
        """Return how often each picture was asked."""
        return Counter(line.split()[1] for line in self.lines())

    def lines(self) -> list[str]:
        """Return what was asked, line by line."""
        return [line for line in self.log.read_text().splitlines() if line.count(" ")] if self.log.exists() else []

    def digest(self) -> str:
        """Return the digest of scores and stored answers."""
        with sqlite3.connect(self.folder / "store.sqlite") as database:
            rows = sorted(database.execute("SELECT key, kind, truncated, value, checksum FROM answers"))
        (record,) = (self.folder / "results" / "runs").glob("*/*.json")
        return hashlib.sha256(repr((rows, json.loads(record.read_text())["scores"])).encode()).hexdigest()[:16]


class Machines:
    """Two nodes of one Ray."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        self.cluster = Cluster()
        self.nodes = [self.cluster.add_node(num_cpus=2, object_store_memory=MEMORY) for _ in range(2)]

    @property
    def address(self) -> str:
        """Its address."""
        return str(self.cluster.address)

    @property
    def raylet(self) -> int:
        """The process of the second node, on which no driver runs."""
        return int(self.nodes[1].all_processes["raylet"][0].process.pid)

    def close(self) -> None:
        """End it."""
        self.cluster.shutdown()


def main() -> int:
    """Print each figure beside its target; return the exit status."""
    with tempfile.TemporaryDirectory(prefix="mmbench-ray-") as made:
        folder = Path(made)
        results = [rates(folder)]
        results += [killed(folder, *each) for each in (("worker", _worker), ("node", _node), ("raylet", _raylet))]
        results += [driver(folder)]
    left = processes()
    print(f"processes of Ray that are left: {len(left)}, target 0")
    return int(not all([*results, not left]))


def rates(folder: Path) -> bool:
    """Return whether two workers are as much faster as they should be, and answer as the local engine does."""
    local = Trial(folder, "local", 1000)
    local.run()
    machines = Machines()
    try:
        trials = [Trial(folder, f"of-{n}", 1000, engine="ray", workers=n, address=machines.address) for n in (1, 2)]
        found = [trial.run() for trial in trials]
    finally:
        machines.close()
    gain = found[1] / found[0]
    equal = {local.digest(), *(trial.digest() for trial in trials)}
    print(
        f"rate: {found[0]:.1f} pictures/s of one worker, {found[1]:.1f} of two; ratio {gain:.2f}, target {LEAST_GAIN}"
    )
    print(f"equal: scores and store of the local engine, one worker and two have {len(equal)} digest, target 1")
    return gain >= LEAST_GAIN and len(equal) == 1


def killed(folder: Path, name: str, kill: Callable[[Trial, Machines], None]) -> bool:
    """Return whether a run survives a kill."""
    trial = Trial(folder, name, 1200)  # first: the nodes give the name of its log to their workers
    machines = Machines()
    trial.options = {"engine": "ray", "workers": 2, "address": machines.address}

    def watch() -> None:
        while len({line.split()[0] for line in trial.lines()}) < 2 or len(trial.lines()) < 150:
            time.sleep(0.02)
        kill(trial, machines)

    try:
        threading.Thread(target=watch, daemon=True).start()
        trial.run()
    finally:
        machines.close()
    return told(name, trial)


def told(name: str, trial: Trial, workers: int = 1) -> bool:
    """Print what a kill cost, where so many workers had batches under way."""
    asked = trial.asked()
    twice = asked.total() - len(asked)
    most = workers * UNDER_WAY * 256
    answered = f"{len(asked)} of {trial.items} pictures answered"
    print(f"kill of a {name}: {answered}, {twice} of them asked twice (at most {most})")
    return len(asked) == trial.items and twice <= most


def driver(folder: Path) -> bool:
    """Return whether a run whose driver is killed goes on where it was."""
    trial = Trial(folder, "driver", 800)
    code = "import sys; from mmbench.harness.cli.app import main; main()"
    command = [
        sys.executable,
        "-c",
        code,
        "run",
        "--model",
        f"{trial.model}:Sleepy",
        "--task",
        "digits",
        "--limit",
        "800",
    ]
    command += ["--engine", "ray", "--workers", "2", "--output", str(trial.folder / "results")]
    command += ["--store", str(trial.folder / "store.sqlite"), "--format", "json"]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    while len(trial.lines()) < 250 and first.poll() is None:
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.wait()
    until = time.monotonic() + 30
    while processes() and time.monotonic() < until:
        time.sleep(0.2)
    print(f"processes of Ray after its driver was killed: {len(processes())}, target 0")
    second = subprocess.run(command, capture_output=True, check=False)
    json.loads(second.stdout)
    return told("driver", trial, 2) and second.returncode == 0


def _worker(trial: Trial, machines: Machines) -> None:
    os.kill(int(trial.lines()[-1].split()[0]), signal.SIGKILL)


def _raylet(trial: Trial, machines: Machines) -> None:
    os.kill(machines.raylet, signal.SIGKILL)


def _node(trial: Trial, machines: Machines) -> None:
    raylet = machines.raylet
    below = [pid for pid, parent, _ in running() if parent == raylet]
    for pid in (raylet, *below):
        os.kill(pid, signal.SIGKILL)


def running() -> list[tuple[int, int, str]]:
    """Return process, parent and command of all that run."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
                found.append((int(folder.name), parent, (folder / "cmdline").read_text().replace("\0", " ")))
            except (OSError, IndexError, ValueError):
                continue
    return found


def processes() -> list[int]:
    """Return the processes of Ray of this environment."""
    here = str(Path(shutil.which("ray") or sys.executable).parent.parent)
    return [
        pid
        for pid, _, command in running()
        if here in command and ("raylet/raylet" in command or "gcs_server" in command)
    ]


if __name__ == "__main__":
    sys.exit(main())
