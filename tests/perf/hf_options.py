"""Times options by likelihood with a shared prompt against one plain pass an option; exits 1 below 3 times the rate.

Run as `python tests/perf/hf_options.py [ITEMS]`. Each item is a picture, a long prompt and five options of a small
Qwen2-VL with random weights. What is compared is processor time on one thread, the sides taking turns at each item.
"""

import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

sys.path.insert(0, str(Path(__file__).parents[2]))

from mmbench.adapters.hf.options import Option, likelihoods
from tests.adapters.hf import generative

ITEMS = 8
WIDTH = 128
"""Of the text model, so that most of the time goes into its layers, as in models that people use."""
OPTIONS = (2, 3, 5, 8, 4)
WORDS = 400
LEAST = 3.0


def main(count: int) -> int:
    """Print both times, their ratio and the largest difference; return the exit status."""
    import torch
    import transformers

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="mmbench-hf-options-") as folder:
        _save(Path(folder))
        model = transformers.AutoModelForImageTextToText.from_pretrained(folder).eval()
        processor = transformers.AutoProcessor.from_pretrained(folder)
    random = np.random.default_rng(0)
    seconds: list[list[float]] = [[], []]
    worst = 0.0
    for item in range(count + 1):
        inputs = _inputs(processor, random)
        options = [Option(tuple(random.integers(60, 320, length).tolist())) for length in OPTIONS]
        found = []
        for which, side in enumerate((_shared, _plain)):
            start = time.process_time()
            with torch.inference_mode():
                found.append(side(model, inputs, options))
            if item:  # the first is for loading, threads and allocator
                seconds[which].append(time.process_time() - start)
        worst = max(worst, float(np.abs(np.subtract(*found)).max()))
    short, long = (statistics.median(each) for each in seconds)
    tokens = inputs["input_ids"].shape[1]
    print(f"{len(OPTIONS)} options behind {tokens} tokens: shared {short:.3f} s, apart {long:.3f} s an item")
    print(f"{long / short:.2f} times as fast (at least {LEAST}); largest difference {worst:.1e}")
    return int(long / short < LEAST or worst > 1e-4)


def _save(folder: Path) -> None:
    made = generative.CLASSES["qwen2_vl"]
    config = dict(made.config())
    text, vision = config["text_config"], config["vision_config"]
    config["text_config"] = {**text, "hidden_size": WIDTH, "intermediate_size": 4 * WIDTH, "num_attention_heads": 8}
    config["vision_config"] = {**vision, "hidden_size": WIDTH}
    generative.write(replace(made, config=lambda: config), folder)


def _inputs(processor: Any, random: np.random.Generator) -> Any:
    picture = PIL.Image.fromarray(random.integers(0, 256, (120, 160, 3), dtype=np.uint8))
    words = " ".join(random.choice(["bird", "fence", "chair", "books", "gate"], WORDS))
    turns = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": words}]}]
    text = processor.apply_chat_template(turns, add_generation_prompt=True)
    return processor(images=[picture], text=text, return_tensors="pt")


def _shared(model: Any, inputs: Any, options: list[Option]) -> list[float]:
    return likelihoods(model, inputs, options)


def _plain(model: Any, inputs: Any, options: list[Option]) -> list[float]:
    import torch

    scores = []
    for option in options:
        row = torch.tensor([option.ids])
        whole = {**inputs, "input_ids": torch.cat([inputs["input_ids"], row], 1)}
        whole["attention_mask"] = torch.ones_like(whole["input_ids"])
        whole["mm_token_type_ids"] = torch.cat([inputs["mm_token_type_ids"], torch.zeros_like(row)], 1)
        logits = model(**whole, use_cache=False, logits_to_keep=row.shape[1] + 1).logits[0, :-1]
        scores.append(float(logits.log_softmax(-1).gather(-1, row.T).sum()))
    return scores


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else ITEMS))
