"""A run whose answers are remembered must take a twentieth of the first one's CPU time; exits 1 where it does not.

Run as `python tests/perf/warm_run.py [--photos FOLDER]`. Each run is a process of its own.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from vit import ARCHITECTURE, photographs, tower

LEAST = 20.0


def main() -> int:
    """Print both times and their ratio; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    photos = Path(__file__).parents[3] / "shared" / "data" / "photos"
    parser.add_argument("--photos", type=Path, default=photos)
    files, labels = photographs(parser.parse_args().photos, 200)
    names = sorted(set(labels))[:20]
    import torch

    with tempfile.TemporaryDirectory(prefix="mmbench-warm-") as made:
        folder = Path(made)
        torch.save(tower().model.state_dict(), folder / "vit.pt")
        rows = [{"image": str(file.resolve()), "label": names[i % len(names)]} for i, file in enumerate(files)]
        (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        (folder / "task.yaml").write_text(
            "name: photos\nfamily: zero-shot-classification\nsource: {kind: jsonl, path: data.jsonl}\n"
            f"classes: {json.dumps(names)}\ntemplates: openai-imagenet\n"
        )
        cold, warm = timed(folder), timed(folder)
    print(f"CPU: cold {cold:.1f} s, warm {warm:.1f} s, {cold / warm:.1f} times less; {LEAST:.0f} wanted")
    return int(cold / warm < LEAST)


def timed(folder: Path) -> float:
    """Run the task once in a new process; return its CPU seconds."""
    model = f"open_clip:{ARCHITECTURE}@{folder / 'vit.pt'}"
    command = [sys.executable, "-m", "mmbench", "run", "--model", model, "--task", str(folder / "task.yaml")]
    command += ["--output", str(folder / "results"), "--store", str(folder / "store.sqlite")]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    raise SystemExit(main())
