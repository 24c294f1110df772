"""What a run of the default suite costs besides its model, first and remembered; exits 1 when a target is missed.

Run as `python tests/perf/suite.py`. All figures are CPU seconds of processes of their own, one thread each:
- cold: a first run, start-up apart, against drawing and preparing each picture once and calling the model;
- warm: the whole command once all answers are remembered, against the whole command that asked for them;
- report: `mmbench report` of the baselines.
"""

import argparse
import functools
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

MOST_COLD = 1.08
MOST_WARM = 0.045
MOST_REPORT = 2.5
BASELINES = Path(__file__).parents[2] / "results" / "baselines"
ASKED = ("embed_images", "embed_texts", "score_texts", "generate")


def main() -> int:
    """Print the three figures beside their targets; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="tiny-coca")
    parser.add_argument("--suite", default="perception")
    parser.add_argument("--parts", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.parts:
        print(json.dumps(parts(given.model, given.suite, given.parts)))
        return 0
    with tempfile.TemporaryDirectory(prefix="mmbench-suite-") as made:
        folder = Path(made)
        # Bytecode is compiled before, as after any first use, also where the environment keeps Python from writing it.
        surroundings = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
        surroundings["MMBENCH_HOME"] = str(folder / "home")  # nothing is remembered but by the runs that are measured
        surroundings.pop("PYTHONDONTWRITEBYTECODE", None)
        itself = [sys.executable, str(Path(__file__)), "--model", given.model, "--suite", given.suite, "--parts", made]
        said = json.loads(subprocess.run(itself, check=True, env=surroundings, stdout=subprocess.PIPE).stdout)
        command = ["run", "--model", given.model, "--suite", given.suite, "--output", str(folder / "results")]
        command += ["--store", str(folder / "store.sqlite")]
        cold, warm = (spent(command, surroundings) for _ in range(2))
        shown = ["report", "--output", str(BASELINES), "--to", str(folder / "report.html")]
        spent(shown, surroundings)
        report = spent(shown, surroundings)
    needed = said["draw"] + said["prepare"] + said["model"]
    print(f"cold: {said['total']:.1f} s for draw {said['draw']:.1f} + prepare {said['prepare']:.1f} + model", end=" ")
    print(f"{said['model']:.1f}, ratio {said['total'] / needed:.3f}, target {MOST_COLD}")
    print(f"      of {said['pictures']} pictures {said['drawn']} drawn and {said['prepared']} prepared", end="; ")
    print(f"peak {said['peak']:.0f} MB")
    print(f"warm: {warm:.2f} s after {cold:.1f} s, ratio {warm / cold:.4f}, target {MOST_WARM}")
    print(f"report: {report:.2f} s, target {MOST_REPORT}")
    return int(said["total"] / needed > MOST_COLD or warm / cold > MOST_WARM or report > MOST_REPORT)


def spent(command: list[str], surroundings: dict[str, str]) -> float:
    """Run a command of mmbench; return its CPU seconds."""
    before = _cpu(resource.RUSAGE_CHILDREN)
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([sys.executable, "-m", "mmbench", *command], check=True, env=surroundings, **quiet)
    return _cpu(resource.RUSAGE_CHILDREN) - before


def parts(model: str, suite: str, folder: Path) -> dict[str, float]:
    """Run a suite in this process; return CPU seconds of all, and of each picture drawn and prepared once."""
    import PIL.Image
    import torch

    import mmbench
    from mmbench.benchmarks.scenes import cells, render
    from mmbench.benchmarks.sources import builtin
    from mmbench.harness.media import crop
    from mmbench.harness.models.models import Loading, make_models

    torch.set_num_threads(1)
    (made,) = make_models([model], Loading("cpu", "fp32", True), None)
    adapter: Any = made.adapter
    adapter.embed_texts(["a warm-up"])
    adapter.embed_images([adapter.prepare_image(PIL.Image.new("RGB", (64, 64)))])
    draw, prepare, asked = Clock(), Clock(), Clock()
    # Before any row is made, for rows hold the function that draws them.
    vars(cells)["draw_scene"] = render.draw_scene = draw.around_pictures(render.draw_scene)
    builtin._digit = draw.around_pictures(builtin._digit)
    crop.cropped = draw.around_pictures(crop.cropped)
    mmbench.run(
        "chance", suite=suite, limit=2, output=folder / "begun", store=folder / "begun.sqlite"
    )  # all is imported
    draw.forget()
    adapter.prepare_image = prepare.around_pictures(adapter.prepare_image, shown=True)
    for name in ASKED:
        if getattr(adapter, name, None):
            setattr(adapter, name, asked.around(getattr(adapter, name)))
    before = _cpu(resource.RUSAGE_SELF)
    mmbench.run(adapter, suite=suite, output=folder / "parts", store=folder / "parts.sqlite", name="parts")
    total = _cpu(resource.RUSAGE_SELF) - before - draw.looking - prepare.looking
    return {
        "total": total,
        "draw": draw.first,
        "prepare": prepare.first,
        "model": asked.seconds,
        "drawn": draw.calls,
        "prepared": prepare.calls,
        "pictures": len(prepare.seen),
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


class Clock:
    """Adds up the CPU seconds of calls, each of the thread that makes it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.seconds = self.first = self.looking = 0.0
        """Of all calls, of the first about each picture, and of telling pictures apart, which no run does."""
        self.calls = 0
        self.seen: set[int] = set()

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return `call` with its time added up."""

        @functools.wraps(call)
        def timed(*given: Any, **named: Any) -> Any:
            before = time.thread_time()
            try:
                return call(*given, **named)
            finally:
                with self._lock:
                    self.seconds += time.thread_time() - before
                    self.calls += 1

        return timed

    def around_pictures(self, call: Callable[..., Any], *, shown: bool = False) -> Callable[..., Any]:
        """Return `call`, which gives a picture or is `shown` one, with its time added up once for each picture."""

        @functools.wraps(call)
        def timed(*given: Any, **named: Any) -> Any:
            before = time.thread_time()
            made = call(*given, **named)
            done = time.thread_time()
            picture = given[0] if shown else made
            mark = zlib.crc32(repr(picture.size).encode(), zlib.crc32(picture.tobytes()))
            looked = time.thread_time()
            with self._lock:
                self.seconds += done - before
                self.looking += looked - done
                self.first += (done - before) * (mark not in self.seen)
                self.calls += 1
                self.seen.add(mark)
            return made

        return timed


def _cpu(whose: int) -> float:
    used = resource.getrusage(whose)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
