"""Rate, memory and what a kill costs of a served model, against a FAKE service on loopback; exits 1 when one is missed.

Run as `python tests/perf/api.py`. The service, in a process of its own, answers after 50 ms:
- rate: answers a second against what the concurrency allows: that of a bare client on the same machine;
- memory: how the peak grows from 1,000 questions to 10,000 at 64 under way, against that of a model of this machine;
- kills: 10,000 questions at 64 under way with 5 % faults, killed twice (`tests/adapters/api/test_kills.py` has fewer).
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.adapters.api.fake import Say, chat, failure, fake

LEAST_RATE = 0.9
MOST_GROWTH = 1.1
DELAY = 0.05
ITSELF = "from mmbench.harness.cli.app import main; main()"


def main() -> int:
    """Print each figure beside its target; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=10_000)
    n = parser.parse_args().n
    with tempfile.TemporaryDirectory(prefix="mmbench-api-") as made:
        return int(
            not all([rate(Path(made) / "rate"), memory(Path(made) / "memory", n), kills(Path(made) / "kills", n)])
        )


def rate(folder: Path, concurrency: int = 8, n: int = 1200) -> bool:
    """Return whether the rate is that which the concurrency allows, as a bare client in the same run finds it."""
    with served() as (port, heard):
        bare(port, n, concurrency)
        allowed = rate_of(heard())
    with served() as (port, heard):
        run(folder, port, n, concurrency)
        found = rate_of(heard())
    print(
        f"rate: {found:.1f} answers a second, {allowed:.1f} of a bare client, {concurrency / DELAY:.0f} of an idle "
        f"machine; ratio {found / allowed:.3f}, target {LEAST_RATE}"
    )
    return found / allowed >= LEAST_RATE


def rate_of(told: dict[str, Any]) -> float:
    """Return answers a second, from the first request to the last."""
    return float(told["answered"] / (told["last"] - told["first"]))


def bare(port: int, n: int, concurrency: int) -> None:
    """Ask in a process of its own by threads that do nothing else."""
    code = f"""
import http.client, json, threading
def ask():
    own = http.client.HTTPConnection("127.0.0.1", {port})
    body = json.dumps({{"model": "fake", "messages": [{{"role": "user", "content": "Is it?"}}]}})
    for _ in range({n // concurrency}):
        own.request("POST", "/v1/chat/completions", body)
        json.loads(own.getresponse().read())
threads = [threading.Thread(target=ask) for _ in range({concurrency})]
[each.start() for each in threads]
[each.join() for each in threads]
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def memory(folder: Path, n: int) -> bool:
    """Return whether memory grows by what a run holds of each item, and no more: that of a model of this machine."""
    peaks: dict[str, list[float]] = {"served": [], "local": []}
    own = folder / "own.py"
    folder.mkdir(parents=True)
    own.write_text(
        "class Yes:\n    fingerprint, takes_text_alone = 'yes', True\n"
        "    def generate(self, prompts, settings):\n        return ['yes'] * len(prompts)\n"
    )
    for questions in (n // 10, n):
        with served() as (port, _):
            peaks["served"].append(run(folder / f"served-{questions}", port, questions, 64))
        peaks["local"].append(run(folder / f"local-{questions}", 0, questions, 0, f"{own}:Yes"))
    grown = {name: last - first for name, (first, last) in peaks.items()}
    more = (grown["served"] - grown["local"]) / peaks["served"][0]
    print(
        f"memory: {peaks['served'][0]:.0f} MB for {n // 10:,} questions, {peaks['served'][1]:.0f} for {n:,}; grown by "
        f"{grown['served']:.0f} MB, by {grown['local']:.0f} MB with a model of this machine; difference {more:+.3f} of "
        f"the peak, target {MOST_GROWTH - 1:.1f}"
    )
    return more <= MOST_GROWTH - 1


def kills(folder: Path, n: int, concurrency: int = 64) -> bool:
    """Return whether a run that is killed twice loses nothing but what was under way."""
    with served(faults=0.05) as (port, heard):
        for part in (n // 3, 2 * n // 3):
            process = start(folder, port, n, concurrency)
            while heard()["answered"] < part and process.poll() is None:
                time.sleep(0.02)
            process.send_signal(signal.SIGKILL)
            process.wait()
        run(folder, port, n, concurrency)
        told = heard()
    (record,) = (folder / "results").rglob("*.json")
    held = json.loads(record.read_text())
    twice = told["answered"] - told["distinct"]
    most = 2 * (concurrency + 16)
    counted = held["tokens"] == {"input": 100 * n, "output": 5 * n}
    print(
        f"kills: {told['distinct']:,} of {n:,} answered, {twice} of them twice (those under way), at most {most}; "
        f"{held['errors']} errors; {told['requests']:,} requests; cost counted once: {counted}"
    )
    return told["distinct"] == n and twice <= most and counted and not held["errors"]


def start(folder: Path, port: int, n: int, concurrency: int, model: str = "") -> "subprocess.Popen[bytes]":
    """Start a run of `n` questions."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = ({"id": str(i), "question": f"Is {i} a number?", "target": "yes"} for i in range(n))
    (folder / "q.jsonl").write_text("\n".join(map(json.dumps, rows)))
    held = {"name": "q", "version": 1, "family": "yes-no", "source": {"kind": "jsonl", "path": "q.jsonl"}}
    (folder / "q.yaml").write_text(json.dumps({**held, "routes": ["generate"]}))
    model = (
        model or f"api:fake@http://127.0.0.1:{port}/v1,concurrency={concurrency},backoff=0.05,price_in=1,price_out=1"
    )
    given = ["run", "--model", model, "--task", str(folder / "q.yaml"), "--output", str(folder / "results"), "--yes"]
    surroundings = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", ITSELF, *given, "--store", str(folder / "store.sqlite")]
    return subprocess.Popen(command, env=surroundings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def run(folder: Path, port: int, n: int, concurrency: int, model: str = "") -> float:
    """Run `n` questions to the end; return the peak of its memory in MB."""
    process = start(folder, port, n, concurrency, model)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"the run of {n} questions ended with {process.returncode}")
    return used.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


@contextlib.contextmanager
def served(faults: float = 0.0) -> Any:
    """Run the fake in a process of its own; give its port, and a function that asks what it was asked."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=service, args=(theirs, faults), daemon=True)
    process.start()
    port = ours.recv()

    def heard() -> dict[str, Any]:
        ours.send("?")
        return ours.recv()

    try:
        yield port, heard
    finally:
        process.kill()
        process.join()


def service(pipe: Any, faults: float) -> None:
    """Serve, and tell what was asked."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
    draw = random.Random(0)
    times: list[float] = []
    ways = [
        Say(failure("slow down"), 429, {"Retry-After": "0"}),
        Say(failure("oops"), 500),
        Say(None, raw=b'{"choices": [{'),
        {"choices": []},
        Say(chat(), length=9000),
    ]

    def script(asked: Any) -> Any:
        times.append(time.monotonic())
        return draw.choice(ways) if draw.random() < faults else chat()

    with fake(script, keep=False, delay=DELAY) as server:
        pipe.send(server.port)
        while pipe.recv():
            answered = {"answered": server.answered.total(), "distinct": len(server.answered)}
            pipe.send(
                {
                    **answered,
                    "requests": len(times),
                    "first": times[0] - DELAY if times else 0,
                    "last": times[-1] if times else 0,
                }
            )


if __name__ == "__main__":
    sys.exit(main())
