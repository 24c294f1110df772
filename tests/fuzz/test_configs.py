"""Configurations of model folders: whatever they say, they are read within their bounds, or told in one line."""

import copy
import json
import random
import resource
from contextlib import suppress
from pathlib import Path
from typing import Any

from mmbench.adapters.open_clip.adapter import from_spec
from mmbench.harness.errors import MmbenchError
from tests.effort import within

CASES = 400
SLOWEST = 2.0
"""Of one configuration, in seconds of CPU time."""
MOST_MEMORY = 500_000
"""kB that all of them together may add to the process."""

GOOD: dict[str, Any] = {
    "model_cfg": {
        "embed_dim": 48,
        "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "head_width": 32, "patch_size": 8},
        "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
    },
    "preprocess_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "interpolation": "bicubic"},
}
KEYS = (
    "trust_remote_code", "tokenizer_kwargs", "hf_tokenizer_name", "hf_model_name", "timm_model_name", "custom_text",
    "act_kwargs", "norm_kwargs", "init_logit_scale", "pool_type", "quick_gelu", "multimodal_cfg", "model_cfg", "layers",
    "__class__", "os.system", "a" * 300, "", "\x1b[2J",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1, 10**9, 10**18, 10**400, 0.5, -0.0, float("nan"), float("inf"), "", "64", "hf-hub:a/b",
    "../../etc/passwd", "\x1b]0;x\x07", "x" * 100_000, [], [1, 2], [[[]]], {}, {"trust_remote_code": True},
    {"layers": {"layers": {}}}, ["a"] * 1000,
)  # fmt: skip


def damaged(rng: random.Random) -> object:
    made = copy.deepcopy(GOOD)
    for _ in range(rng.choice((1, 1, 2, 4))):
        section: Any = made
        while isinstance(section, dict) and section and rng.random() < 0.7:
            inner = section[rng.choice(list(section))]
            if not isinstance(inner, dict):
                break
            section = inner
        if rng.random() < 0.15 and section:
            section.pop(rng.choice(list(section)))
        else:
            key = rng.choice(list(section) or [""]) if rng.random() < 0.6 else rng.choice(KEYS)
            section[key] = copy.deepcopy(rng.choice(VALUES))
    return made


def test_a_damaged_configuration_is_read_or_told(tmp_path: Path) -> None:
    rng = random.Random(0)
    (tmp_path / "tokenizer.json").write_text("{}")
    with (tmp_path / "open_clip_model.safetensors").open("wb") as file:
        file.truncate(5_000_000)
    (tmp_path / "open_clip_config.json").write_text(json.dumps(GOOD))
    with suppress(MmbenchError):  # what is imported once is no memory of a case
        _ = from_spec(str(tmp_path), device="cpu", dtype="fp32", offline=True).fingerprint
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused = 0
    for _ in range(CASES):
        text = json.dumps(damaged(rng))
        if rng.random() < 0.2:
            at = rng.randrange(len(text))
            text = text[:at] + rng.choice(('"', "[" * 2000, "{", "\x00", "9" * 5000, "")) + text[at + 1 :]
        (tmp_path / "open_clip_config.json").write_text(text)
        try:
            with within(SLOWEST, text[:2000]):
                assert isinstance(from_spec(str(tmp_path), device="cpu", dtype="fp32", offline=True).fingerprint, str)
        except MmbenchError as error:
            refused += 1
            assert str(error).isprintable(), text[:2000]
            assert len(str(error)) < 800
    assert CASES // 3 < refused < CASES, "most are refused, and what is harmless passes"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_MEMORY
