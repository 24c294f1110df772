"""Times CoCa's captions with keys and values kept against all positions anew; exits 1 when a target is missed.

Run as `python tests/perf/captions.py [PICTURES]`. Both sides write captions of 20 tokens about the same pictures with a
CoCa ViT-B/32 of random weights, and must write the same. What is compared is processor time on one thread, preparation
apart; the picture's own tower, which both sides pass, is part of it.
"""

import sys
import time
from unittest.mock import patch

import numpy as np
import open_clip
import PIL.Image
import torch

from mmbench.adapters.open_clip.adapter import OpenClip
from mmbench.adapters.open_clip.coca.cache import Cache
from mmbench.harness.models.abilities import Generation

ARCHITECTURE = "coca_ViT-B-32"
PICTURES = 16
TOKENS = 20
LEAST_RATIO = 3.0


def main(count: int) -> int:
    """Print the ratio of each search; return the exit status."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model, _, preprocess = open_clip.create_model_and_transforms(ARCHITECTURE)
    with torch.no_grad():  # at this size each word depends on those before it
        model.text.token_embedding.weight.normal_(std=0.7)
        model.text_decoder.text_projection.normal_(std=0.7)
    noise = np.random.default_rng(0)
    pictures = [PIL.Image.fromarray(noise.integers(0, 256, (64, 64, 3), dtype=np.uint8)) for _ in range(count)]
    missed = False
    for beams in (1, 4):
        adapter = OpenClip(model.eval(), preprocess, open_clip.get_tokenizer(ARCHITECTURE), beams=beams)
        assert adapter.generate is not None
        asked = [([adapter.prepare_image(picture)], "") for picture in pictures]
        spent, replies = [], []
        adapter.generate(asked[:1], Generation(max_tokens=2))
        for serves in (Cache.serves, lambda model: False):
            with patch.object(Cache, "serves", serves):
                start = time.process_time()
                replies.append(adapter.generate(asked, Generation(max_tokens=TOKENS)))
                spent.append(time.process_time() - start)
        kept, anew = spent
        equal = replies[0] == replies[1]
        missed = missed or not equal or anew / kept < LEAST_RATIO
        print(
            f"{beams} beam(s): {anew / count:.3f} s a caption anew, {kept / count:.3f} s kept, ratio {anew / kept:.2f} "
            f"(at least {LEAST_RATIO:g}), {'equal' if equal else 'DIFFERENT'} replies"
        )
    return int(missed)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else PICTURES))
