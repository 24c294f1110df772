"""Served models are told how they write boxes, and count the pixels of the picture as it is sent."""

import PIL.Image
import pytest

from mmbench.adapters.api.adapter import from_spec
from mmbench.adapters.api.pictures import encoded, sent_size
from mmbench.adapters.api.spec import parse
from mmbench.harness.errors import UsageError
from mmbench.harness.models.places import Places, places_of
from mmbench.harness.replies.boxes import read_boxes


def test_a_convention_is_an_option_and_part_of_the_identity() -> None:
    plain, told = (
        from_spec(f"m@http://localhost:1/v1{more}", device="auto", dtype="auto", offline=False)
        for more in ("", ",boxes=thousand,points=percent")
    )
    assert places_of("m", plain).boxes is None
    assert (places_of("m", told).boxes, places_of("m", told).points) == ("thousand", "percent")
    assert plain.fingerprint != told.fingerprint
    with pytest.raises(UsageError, match="boxes is"):
        parse("m,boxes=thousands")
    assert Places().size is None


def test_pixels_are_those_of_the_picture_that_was_sent() -> None:
    model = from_spec("m@http://localhost:1/v1,boxes=pixels,max_side=512", device="auto", dtype="auto", offline=False)
    size = model.picture_size(1024, 300)
    assert size == sent_size(1024, 300, parse("m,max_side=512").pictures) == (512, 150)
    assert read_boxes("[0, 0, 256, 75]", "pixels", 1024, 300, size=size) == [(0, 0, 512, 150)]
    assert encoded(PIL.Image.new("RGB", (8, 8)), parse("m").pictures)
    qwen = from_spec("m@http://localhost:1/v1,boxes=qwen2.5-vl", device="auto", dtype="auto", offline=False)
    assert qwen.picture_size(1708, 845) == (1708, 840)
