"""Claim: a model of transformers writes batches of 16 at 3 times the rate of one by one at least, in CPU time.

A tiny Qwen2-VL with random weights, greedy, 32 tokens a reply, prompts and pictures of several lengths. Prints the
ratio of the smallest times and exits with 1 when it is missed:

    OMP_NUM_THREADS=1 uv run python tests/perf/hf_generation.py [ROUNDS]
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import PIL.Image

sys.path.insert(0, str(Path(__file__).parents[2]))

from mmbench.adapters.hf.adapter import from_spec
from mmbench.adapters.hf.generative import VisionLanguageModel
from mmbench.harness.models.abilities import Generation, Prepared
from tests.adapters.hf.generative import save

CLAIM = 3.0
BATCH = 16
SETTINGS = Generation(max_tokens=32)


def questions() -> list[tuple[list[Prepared], str]]:
    """Return a batch of pictures and prompts of several sizes."""
    noise = np.random.default_rng(0)
    sizes = [(56 + 7 * (number % 5), 84 - 6 * (number % 4)) for number in range(BATCH)]
    shown = [PIL.Image.fromarray(noise.integers(0, 256, (*size, 3), dtype=np.uint8)) for size in sizes]
    return [
        ([each], "what sits on the old wooden fence" + " today" * (number % 6)) for number, each in enumerate(shown)
    ]


def seconds(adapter: VisionLanguageModel, batches: Sequence[list[tuple[list[Prepared], str]]]) -> float:
    """Return the CPU time in which all batches are answered."""
    started = time.process_time()
    for batch in batches:
        adapter.generate(batch, SETTINGS)
    return time.process_time() - started


def main() -> int:
    """Measure and print; return 1 when the claim is missed."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory() as folder:
        adapter = from_spec(str(save("qwen2_vl", Path(folder) / "model")), device="cpu", dtype="fp32", offline=True)
        assert isinstance(adapter, VisionLanguageModel)
        asked = questions()
        alone = [adapter.generate([each], SETTINGS)[0] for each in asked]
        assert adapter.generate(asked, SETTINGS) == alone, "a batch gives other replies than its items one by one"
        singly, together = [], []
        for _ in range(rounds):
            singly.append(seconds(adapter, [[each] for each in asked]))
            together.append(seconds(adapter, [asked]))
    ratio = min(singly) / min(together)
    print(f"one by one {min(singly):.2f} s, in one batch of {BATCH} {min(together):.2f} s: {ratio:.1f} times the rate")
    return int(ratio < CLAIM)


if __name__ == "__main__":
    sys.exit(main())
