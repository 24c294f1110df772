"""A run's time and memory must grow with its items and no faster; prints both for each size; exits 1 where they do.

Run as `python tests/perf/growth.py [--most N]`. The model is `chance`, the task a choice of four about a picture of
one colour, so that what is measured is the harness. Each run is a process of its own; seconds are processor seconds,
and what a run of ten items takes is taken off both figures.
"""

import argparse
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq

SIZES = (1_000, 10_000, 100_000, 1_000_000)
MOST = 1.15
"""Of the figure of one item among 10,000: before, what is made once still weighs."""
TASK = "name: grown\nfamily: multiple-choice\nsource: {kind: parquet, path: data.parquet}\nroutes: [likelihood]\n"


def main() -> int:
    """Print the figures; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=SIZES[-1])
    most = parser.parse_args().most
    with tempfile.TemporaryDirectory(prefix="mmbench-growth-") as made:
        run(Path(made), 10)  # compiles
        idle = run(Path(made), 11)
        per_item: dict[int, tuple[float, float]] = {}
        for size in (size for size in SIZES if size <= most):
            seconds, kilobytes = run(Path(made), size)
            per_item[size] = (seconds - idle[0]) / size * 1e6, (kilobytes - idle[1]) / size
            print(
                f"{size:>9,} items: {seconds:7.2f} s, {per_item[size][0]:6.1f} µs an item; peak "
                f"{kilobytes / 1e3:,.0f} MB, {per_item[size][1]:.2f} kB an item",
                flush=True,
            )
    base = per_item[10_000]
    worst = [max(figures[i] / base[i] for size, figures in per_item.items() if size >= 10_000) for i in (0, 1)]
    print(f"of an item among 10,000: time {worst[0]:.2f}, memory {worst[1]:.2f} at the most; {MOST} allowed")
    return int(max(worst) > MOST)


def run(folder: Path, items: int) -> tuple[float, float]:
    """Run the task of so many items; return its processor seconds and its peak of memory in kilobytes."""
    own = folder / str(items)
    own.mkdir()
    texts = pa.list_(pa.string())
    columns = [("image", pa.binary()), ("question", pa.string()), ("options", texts), ("target", pa.int64())]
    schema = pa.schema(columns)
    with pq.ParquetWriter(own / "data.parquet", schema) as writer:
        for start in range(0, items, 10_000):
            writer.write_table(pa.Table.from_pylist([row(i) for i in range(start, min(items, start + 10_000))], schema))
    (own / "task.yaml").write_text(TASK)
    command = [sys.executable, "-m", "mmbench", "run", "--model", "chance", "--task", str(own / "task.yaml")]
    command += ["--output", str(own / "results"), "--store", str(own / "store.sqlite")]
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    kept["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=kept)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"the run of {items} items ended with {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime, float(usage.ru_maxrss)


def row(number: int) -> dict[str, object]:
    """Return one item, with a picture of its own."""
    picture = io.BytesIO()
    PIL.Image.new("RGB", (1, 1), (number & 255, number >> 8 & 255, number >> 16)).save(picture, "PNG")
    options = [f"{letter}{number}" for letter in "abcd"]
    return {"image": picture.getvalue(), "question": f"What is {number}?", "options": options, "target": number % 4}


if __name__ == "__main__":
    raise SystemExit(main())
