"""Boxes of replies: as models write them, in every convention; what is not of it is no box; nothing is guessed."""

import json
from pathlib import Path

import numpy as np
import pytest

from mmbench import metrics
from mmbench.harness.replies.boxes import CONVENTIONS, written_boxes
from mmbench.harness.replies.coordinates import Seen, resized
from tests.effort import within

REFERENCE = Path(__file__).parents[4] / "shared" / "reference"
OF_MODEL = {
    "Qwen2.5-VL": "qwen2.5-vl",
    "Qwen3-VL": "thousand",
    "Qwen2-VL": "thousand",
    "InternVL2/2.5/3": "thousand",
    "Florence-2": "florence-2",
    "PaliGemma": "paligemma",
    "Kosmos-2": "kosmos-2",
    "Shikra/CogVLM style": "thousand",
    "unit floats": "unit",
    "Gemini / Gemma style": "thousand-yxyx",
}


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="the reference figures are not here")
def test_boxes_are_those_of_the_reference() -> None:
    cases = json.loads((REFERENCE / "boxes_points_counts.json").read_text(encoding="utf-8"))["formats"]
    for case in cases:
        made = metrics.read_boxes(case["reply"], OF_MODEL[case["model"]], case["width"], case["height"])
        assert np.allclose(made, case["expected_xyxy_pixels"], rtol=0, atol=6e-5)  # written with four digits


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="the reference figures are not here")
def test_sizes_are_those_of_the_reference() -> None:
    held = json.loads((REFERENCE / "frame_indices.json").read_text(encoding="utf-8"))["qwen_smart_resize"]
    for height, width, factor, (new_height, new_width) in held["rows"]:
        assert resized(width, height, factor=factor) == (new_width, new_height)


BOX = (100.0, 40.0, 300.0, 160.0)
"""In a picture of 400 x 200."""


def written(convention: str, box: tuple[float, ...] = BOX) -> str:
    """The numbers of a box of a picture of 400 x 200 in a convention of numbers."""
    full = {"qwen2.5-vl": (392, 196), "unit": (1, 1), "percent": (100, 100)}.get(convention, (1000, 1000))
    x1, y1, x2, y2 = (round(value / (400, 200)[i % 2] * full[i % 2], 9) for i, value in enumerate(box))
    order = (y1, x1, y2, x2) if convention == "thousand-yxyx" else (x1, y1, x2, y2)
    return ", ".join(f"{value:g}" for value in order)


NUMBERS = ["qwen2.5-vl", "thousand", "thousand-yxyx", "unit", "percent"]


@pytest.mark.parametrize("convention", NUMBERS)
def test_a_box_is_read_however_it_is_written(convention: str) -> None:
    a, b, c, d = written(convention).split(", ")
    for reply in (
        f"[{a}, {b}, {c}, {d}]",
        f"[[{a},{b},{c},{d}]]",
        f"({a},{b}),({c},{d})",
        f"<|object_ref_start|>the dog<|object_ref_end|><|box_start|>({a},{b}),({c},{d})<|box_end|><|im_end|>",
        f"<ref>the dog</ref><box>[[{a}, {b}, {c}, {d}]]</box>",
        f"<box>{a} {b} {c} {d}</box>",
        f'```json\n[\n\t{{"bbox_2d": [{a}, {b}, {c}, {d}], "label": "dog 2"}}\n]\n```',
        f'{{"label": "dog", "box_2d": [{a},\n  {b},\n  {c},\n  {d}\n]}}',
        f"Sure! The dog is at **[{a}, {b}, {c}, {d}]**, left of 2 cats.",
        f"The box is {a}, {b}, {c}, {d}.",
        f"<think>Maybe [1, 1, 2, 2]?</think>\n({a}, {b}, {c}, {d})",
        f"[{c}, {d}, {a}, {b}]",  # the other corners first
        f'[{{"label": "sign [1, 1, 1, 1]", "bbox_2d": [{a}, {b}, {c}, {d}]}}]',  # a name with numbers
        f'<box label="[1, 1, 1, 1]">({a}, {b}), ({c}, {d})</box>',
        f"It goes from ({a}, {b}) to ({c}, {d}).",
        f'{{"top_left": [{a}, {b}], "bottom_right": [{c}, {d}]}}',
    ):
        assert np.allclose(metrics.read_boxes(reply, convention, 400, 200), [BOX]), reply
    keys = ("y1", "x1", "y2", "x2") if convention.endswith("yxyx") else ("x1", "y1", "x2", "y2")
    named = json.dumps({key: float(value) for key, value in zip(keys, (a, b, c, d), strict=True)})
    assert np.allclose(metrics.read_boxes(named, convention, 400, 200), [BOX])


@pytest.mark.parametrize("convention", NUMBERS)
def test_several_boxes_stay_in_order_and_other_things_are_none(convention: str) -> None:
    other = (0.0, 0.0, 40.0, 20.0)
    two = f'[{{"bbox_2d": [{written(convention)}]}}, {{"bbox_2d": [{written(convention, other)}]}}]'
    assert np.allclose(metrics.read_boxes(two, convention, 400, 200), [BOX, other])
    for reply in (
        "",
        "There is no dog.",
        "I see 3 dogs and 4 cats.",
        "[0, 0, 1]",
        "[0, 0, 1, 1, 1]",
        "(0,0),(1,1),(1,0)",
        "[0.5, 0.5]",
        "[0, 0, 1, ",
        "<think>[0, 0, 1, 1]",
        "[a, b, c, d]",
        "<loc_1><loc_2><loc_3><loc_4>",
        "<loc0001><loc0002><loc0003><loc0004>",
    ):
        assert metrics.read_boxes(reply, convention, 400, 200) == [], reply


def test_numbers_beyond_the_scale_are_not_of_the_convention() -> None:
    assert metrics.read_boxes("[612, 441, 942, 999]", "unit", 400, 200) == []
    assert metrics.read_boxes("[612, 441, 942, 999]", "percent", 400, 200) == []
    assert metrics.read_boxes("[12, 10, 1200, 600]", "thousand", 1280, 720) == []
    assert metrics.read_boxes("[-50, 10, 120, 60]", "thousand", 400, 200) == []
    assert metrics.read_boxes("[10%, 10%, 20%, 20%]", "thousand", 400, 200) == []
    assert metrics.read_boxes("[0.25, 0.2, 0.75, 0.8]", "thousand", 400, 200)[0][2] < 1  # wrong, and never mended
    assert metrics.read_boxes("[-5, 0, 1005, 1000]", "thousand", 400, 200) == [(0, 0, 400, 200)]
    assert metrics.read_boxes("[10%, 20%, 30%, 40.5 %]", "percent", 400, 200) == [(40, 40, 120, 81)]
    assert metrics.read_boxes("[10, 10, 5000, 60]\n[0, 0, 500, 500]", "thousand", 400, 200) == [(0, 0, 200, 100)]


@pytest.mark.parametrize(
    ("convention", "reply"),
    [
        ("thousand", "<ref>the dog</ref><box>(250,200),(750,800)</box>"),  # Qwen-VL
        ("thousand", "the dog(250,200),(750,800)"),  # Qwen2-VL without its special tokens
        ("thousand", "<|ref|>the dog<|/ref|><|det|>[[250, 200, 750, 800]]<|/det|>"),  # DeepSeek-VL2
        ("thousand", "<|begin_of_box|>[[250,200,750,800]]<|end_of_box|>"),  # GLM-V
        ("thousand", "[[250,200,750,800;1,2,3,4]]"),  # CogVLM, several
        ("unit", "The dog [0.250,0.200,0.750,0.800;0.1,0.2,0.3,0.4] is left."),  # Shikra
        ("unit", "<box>(0.25,0.2),(0.75,0.8)</box>"),  # Ovis
        ("unit", "('the dog', (4, 11), [(0.25, 0.2, 0.75, 0.8)])"),  # Kosmos-2, as its processor gives it
        ("percent", "<p>dog</p> {<25><20><75><80>}"),  # MiniGPT-v2
        ("pixels", "{'bboxes': [[100.0, 40.0, 300.0, 160.0]], 'labels': ['dog']}"),  # Florence-2's processor
        ("pixels", '```json\n[\n  {"bbox_2d": [100, 40, 300, 160], "label": "dog"},\n  {"bbox_2d": [5, 6, 7'),
        ("pixels", '[{"bbox_2d": [\n      100,\n      40,\n      300,\n      160\n    ]}]'),
        ("pixels", '["100", "40", "300", "160"]'),
        ("pixels", '{"x": 100, "y": 40, "width": 200, "height": 120}'),
        ("pixels", '{"Left": "100", "top": 40, "width": 200.0, "height": 120, "image_width": 7}'),
        ("pixels", "left: 100px, top: 40px, right: 300px, bottom: 160px"),
        ("pixels", "<box><x1>100</x1><y1>40</y1><x2>300</x2><y2>160</y2></box>"),
        ("pixels", "x_min = 100, y_min = 40, x_max = 300, y_max = 160"),
        ("pixels", "Its top-left corner is at (100, 40) and its bottom-right corner is at (300, 160)."),
        ("pixels", "- **Upper left**: [100, 40]\n- **Lower right**: [300, 160]"),
        ("pixels", "（100，40），（300，160）"),
        ("pixels", "\\[100, 40, 300, 160\\]"),
        ("pixels", "$\\boxed{[100, 40, 300, 160]}$"),
        ("pixels", "100 40 300 160"),
        ("pixels", "[100px, 40px, 300px, 160 px]"),
        ("thousand-yxyx", '```json\n[\n  {"box_2d": [200, 250, 800, 750], "label": "dog"}\n]\n```'),  # Gemini
        ("thousand-yxyx", "top-left: (200, 250), bottom-right: (800, 750)"),
    ],
)
def test_boxes_as_models_write_them(convention: str, reply: str) -> None:
    assert np.allclose(metrics.read_boxes(reply, convention, 400, 200)[0], BOX)


@pytest.mark.parametrize(
    "reply",
    [
        '[{"bbox_2d": [100, 40, 300, 16',  # cut off within a number
        '{"x1": 100, "y1": 40, "x2": 300, "y2": 16',
        '{"cx": 200, "cy": 100, "w": 200, "h": 120}',  # a middle, which is no corner
        '{"x_center": 200, "y_center": 100, "width": 200, "height": 120}',
        '{"x": 100, "y": 40}',
        '{"width": 400, "height": 200}',
        "[100, 40, 300, 160, 0.98]",
        "[100;40;300;160;5]",
        "The picture has a width: 400 and a height: 200.",
        "top-left (100, 40)",
    ],
)
def test_what_may_mean_another_box_is_none(reply: str) -> None:
    assert metrics.read_boxes(reply, "pixels", 400, 200) == []


def test_boxes_beyond_the_scale_keep_their_place() -> None:
    made = written_boxes("[10, 10, 5000, 60]\n[0, 0, 500, 500]", "thousand", Seen(400, 200))
    assert made == [None, (0, 0, 200, 100)]


def test_location_tokens() -> None:
    def read(reply: str, convention: str) -> list[tuple[float, ...]]:
        return metrics.read_boxes(reply, convention, 640, 320)

    assert read("dog<loc_0><loc_0><loc_999><loc_999>", "florence-2") == [(0, 0, 639, 319)]
    four = "<loc_100><loc_200><loc_300><loc_400>"
    assert read(f"</s><s>dog{four}cat{four}</s>", "florence-2") == [(64, 64, 192, 128)] * 2
    assert read(f"dog{four}{four}<loc_1>", "florence-2") == [(64, 64, 192, 128)] * 2
    assert read(f"dog{four}", "paligemma") == read(f"dog{four}", "kosmos-2") == []
    assert read("<loc_1000><loc_0><loc_1><loc_1>", "florence-2") == read("<loc_1><loc_2><loc_3>", "florence-2") == []
    assert read("<loc0512><loc0256><loc1023><loc0512> dog ; ", "paligemma") == [(160, 160, 320, 319.6875)]
    assert read("<loc1024><loc0256><loc1023><loc0512>", "paligemma") == []
    one = "<patch_index_0033>"
    assert read(f"<object>{one}{one}</object>", "kosmos-2") == [(20, 10, 40, 20)]  # a patch is 20 x 10
    last = "<patch_index_0099>"  # row 3, column 3
    assert read(f"<object>{one}{last}</object>", "kosmos-2") == read(f"{last}{one}", "kosmos-2") == [(30, 15, 70, 35)]
    split = "</delimiter_of_multi_objects/>"
    assert read(f"<object>{one}{last}{split}{one}{one}</object>", "kosmos-2") == [(30, 15, 70, 35), (20, 10, 40, 20)]
    assert read(f"{one}<patch_index_1024>", "kosmos-2") == read(one, "kosmos-2") == []
    assert read(f"{one}<patch_index_0097>", "kosmos-2") == [(20, 10, 40, 40)]  # one column: whole patches


def test_sizes_bound_the_pixels_of_qwen() -> None:
    reply = "[0, 0, 700, 350]"
    (made,) = metrics.read_boxes(reply, "qwen2.5-vl", 5000, 2500)
    assert made == pytest.approx((0, 0, 5000 * 700 / 5012, 2500 * 350 / 2492))
    assert metrics.read_boxes(reply, "qwen2.5-vl", 5000, 2500, most_pixels=1_003_520) == [(0, 0, 2500, 1250)]
    assert resized(30, 20) == (84, 56)


@pytest.mark.parametrize(
    "reply",
    [
        "[" * 20_000,
        "[1 " * 20_000,
        "(1,2)," * 10_000,
        " " * 100_000,
        "{" * 20_000,
        "1," * 20_000,
        "<loc_1>" * 10_000,
        "[" + "1,2,3,4;" * 5_000,
        "x1: 1 " * 5_000,
        "top-left (1,2) " * 3_000,
        "\"'" * 10_000,
    ],
)
def test_hostile_replies_take_linear_time(reply: str) -> None:
    with within(20):
        for convention in CONVENTIONS:
            metrics.read_boxes(reply, convention, 400, 200)


def test_what_cannot_be_meant_is_refused() -> None:
    with pytest.raises(ValueError, match="no convention 'thousands'; did you mean 'thousand'"):
        metrics.read_boxes("[1, 2, 3, 4]", "thousands", 400, 200)
    with pytest.raises(ValueError, match="width is a whole number of pixels from 1, not 0"):
        metrics.read_boxes("[1, 2, 3, 4]", "thousand", 0, 200)
    with pytest.raises(ValueError, match="a reply is a text, not NoneType"):
        metrics.read_boxes(None, "thousand", 400, 200)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="over 200 times the other"):
        metrics.read_boxes("[1, 2, 3, 4]", "qwen2.5-vl", 4000, 10)
