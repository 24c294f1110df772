"""Samplers of frames take what their sources take, to the index, and fail where those fail."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from mmbench import metrics
from mmbench.harness.media.samplers import SAMPLERS, _torch_arange, _torch_linspace
from tests.lazy import torch

REFERENCE = Path(__file__).parents[4] / "shared" / "reference" / "frame_indices.json"


@pytest.mark.skipif(not REFERENCE.is_file(), reason="the reference figures are not here")
def test_indices_are_those_of_the_reference() -> None:
    compared = 0
    for case in json.loads(REFERENCE.read_text(encoding="utf-8"))["cases"]:
        for sampler, expected in case["indices"].items():
            given = (sampler, case["total"], case["n"], case["fps"])
            compared += 1
            if isinstance(expected, str):  # its source raises
                with pytest.raises(ValueError, match="sampler"):
                    metrics.frame_indices(*given, bound=case.get("bound"))
                continue
            made = metrics.frame_indices(*given, bound=case.get("bound"))
            if isinstance(expected, list):
                assert made == expected, given
            else:
                digest = hashlib.sha1(",".join(map(str, made)).encode()).hexdigest()
                assert (len(made), made[:6], digest) == (expected["n"], expected["head"], expected["sha1"]), given
    assert compared > 1000


def test_the_plain_ones() -> None:
    def of(sampler: str, total: int, count: int) -> list[int]:
        return metrics.frame_indices(sampler, total, count, 30)

    assert of("linspace-floor", 10, 4) == [0, 3, 6, 9]
    assert of("linspace-floor", 2, 5) == [0, 0, 0, 0, 1]
    assert of("linspace-round", 2, 5) == [0, 0, 0, 1, 1]  # half to even
    assert of("centre", 10, 4) == [1, 3, 6, 8]
    assert of("inner", 10, 4) == [2, 4, 6, 8]
    assert of("internvl_mvbench", 60, 8) == [3, 10, 18, 25, 33, 40, 47, 55]
    assert of("mteb_num_frames", 3, 5) == [0, 1, 2, 0, 1]
    names = {"decord_linspace_int": "linspace-floor", "vlmevalkit_nframe": "inner", "tsn_center": "centre"}
    for name, plain in names.items():
        assert of(name, 301, 17) == of(plain, 301, 17)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_all_are_of_the_clip_and_in_order(sampler: str) -> None:
    for total in (1, 2, 3, 7, 59, 60, 300, 5000):
        for count in (1, 2, 8, 32):
            for fps in (1.0, 12.5, 29.97, 60):
                bound = (0.0, total / fps) if sampler.endswith("bound") else None
                try:
                    made = metrics.frame_indices(sampler, total, count, fps, bound=bound)
                except ValueError:
                    continue
                assert all(type(each) is int and 0 <= each < total for each in made)
                assert sampler.startswith("mteb") or made == sorted(made)
                assert made or sampler == "vlmevalkit_fps"


def test_a_rate_is_of_frames_a_second() -> None:
    assert metrics.frame_indices("vlmevalkit_fps", 120, 8, 30, rate=0.5) == [0, 60]
    assert metrics.frame_indices("qwen_vl_utils_fps", 300, 8, 30, rate=1) == metrics.frame_indices(
        "linspace-round", 300, 10, 30
    )
    assert len(metrics.frame_indices("hf_qwen3_vl_fps", 3000, 8, 30, rate=7)) == 700


def test_sums_in_single_precision_are_those_of_torch() -> None:
    draw = np.random.default_rng(0)
    for total, count in draw.integers((2, 2), (9000, 769), (600, 2)).tolist():
        count = min(total, count)
        assert _torch_linspace(total, count) == torch.linspace(0, total - 1, count).round().int().tolist()
        for start in (0.0, total / count / 2):
            step = total / count
            taken = torch.arange(start, total, step).int().tolist()
            assert _torch_arange(start, total, step) == [each for each in taken if each < total]


def test_what_cannot_be_meant_is_refused() -> None:
    for given, reason in (
        (("linspace", 10, 4, 30), "no sampler 'linspace'; did you mean 'linspace"),
        (("centre", 0, 4, 30), "total is a whole number from 1, not 0"),
        (("centre", 10, 2.5, 30), "count is a whole number from 1, not 2.5"),
        (("centre", 10, 4, 0), "fps is above 0, not 0"),
        (("centre", 10, 4, None), "fps is the number of frames a second of the clip"),
        (("centre", 10, 4, float("nan")), "fps is a number"),
        (("hf_qwen2_vl_fps", 10, 4, 30, -1), "rate is above 0"),
        (("hf_default", 3, 4, 30), "4 frames are asked of a clip of 3"),
        (("internvl_mvbench_bound", 10, 4, 30), "give bound=(start, end) in seconds"),
        (("internvl_mvbench_bound", 10, 4, 30, None, (2.0, 1.0)), "from a time to a later one"),
        (("internvl_mvbench_bound", 10, 4, 30, None, (2.0, 3.0)), "the part from 2 s starts behind the last frame"),
    ):
        with pytest.raises(ValueError, match=".") as caught:
            metrics.frame_indices(*given)  # type: ignore[arg-type]
        assert reason in str(caught.value)
