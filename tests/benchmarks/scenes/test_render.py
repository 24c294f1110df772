"""Pictures of scenes: the very bytes, the nuisances, and that nothing is drawn that the scene does not say."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mmbench.benchmarks.scenes.render import draw_scene, render
from mmbench.benchmarks.scenes.scene import NUISANCES, SIDE, Bar, Blocks, Nuisance, Scene, Thing, Writing
from mmbench.benchmarks.scenes.vocabulary import COLOURS, LEVELS, SHAPES, TEXTURES
from mmbench.harness.digest import digest_bytes

GREY = (90, 95, 100)


def scene(shape: str = "circle", colour: str = "red", **more: object) -> Scene:
    thing = Thing(shape, colour, COLOURS[colour], 112, 100, 40, "large")
    return Scene(GREY, (replace(thing, **more),))  # type: ignore[arg-type]


PINNED = {
    "plain circle": (scene(), "444bdff00652c5f52e228e658f208896"),
    "turned, striped star": (scene("star", "blue", texture="striped", turn=10.0), "a241c9fa089d71a18a8e625a5516de7e"),
    "writing under noise": (
        Scene(GREY, writing=Writing("wolf", (250, 250, 250), 20, 60, 6), nuisance=Nuisance(noise=0.05, seed=7)),
        "2850cd3dca3acaf3fd040027af44affb",
    ),
    "all nuisances": (
        scene("heart", "pink", texture="dotted").under(Nuisance(0.2, 0.04, 1.2, 0.3, 0.3, 5.0, 11)),
        "4aaecf0c1fae4845750c99977783503e",
    ),
    "blocks and a bar": (
        Scene(GREY, blocks=Blocks(((0, 1), (1, 0)), (200, 40, 40), 50, 60, 30), bars=(Bar(0, 0, 20, 224, (9, 9, 9)),)),
        "c23d975f639a8a7f75a6db572e414f6f",
    ),
}


@pytest.mark.parametrize("name", PINNED)
def test_bytes_are_pinned(name: str) -> None:
    drawn, digest = PINNED[name]
    assert digest_bytes(render(drawn).tobytes()) == digest, "other bytes: raise VERSION in render.py, then pin anew"


def test_json_round_trip_draws_the_same() -> None:
    for drawn, _ in PINNED.values():
        plain = json.loads(json.dumps(drawn.as_json()))
        assert Scene.from_json(plain) == drawn
        assert np.array_equal(np.asarray(draw_scene(None, **plain)), render(drawn))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("texture", TEXTURES)
def test_a_thing_stays_within_its_radius(shape: str, texture: str) -> None:
    picture = render(scene(shape, texture=texture, turn=25.0)).astype(int)
    y, x = np.nonzero(np.abs(picture - GREY).max(axis=2) > 2)
    assert np.hypot(x - 112, y - 100).max() < 40 * 1.12 + 1
    # A shape that all but vanishes, or fills its box, would be no shape.
    assert 0.2 < len(x) / (np.pi * 40**2) < 1.01


def test_shapes_and_textures_differ() -> None:
    masks = [render(scene(shape, "white"))[..., 0] > 200 for shape in SHAPES]
    for i, one in enumerate(masks):
        for other in masks[:i]:
            assert (one & other).sum() < 0.9 * (one | other).sum()
    shades = {texture: render(scene("square", "white", texture=texture))[70:130, 85:140, 0] for texture in TEXTURES}
    assert (shades["plain"] == COLOURS["white"][0]).all()
    for texture in TEXTURES[1:]:
        assert 0.2 < (shades[texture] < 150).mean() < 0.65


def test_colour_is_the_tint_inside() -> None:
    for colour, tint in COLOURS.items():
        assert render(scene("square", colour))[100, 112].tolist() == list(tint)


@pytest.mark.parametrize("name", NUISANCES)
def test_each_rung_of_a_ladder_moves_the_picture_further(name: str) -> None:
    clean = render(scene("star")).astype(float)
    moved = [
        np.abs(render(scene("star").under(Nuisance(seed=3).alone(name, level))) - clean).mean()
        for level in LEVELS[name]
    ]
    assert moved[0] > 0
    assert moved == sorted(moved)


def test_nuisances_do_what_their_units_say() -> None:
    flat = Scene((128, 128, 128))
    noisy = render(flat.under(Nuisance(noise=0.1, seed=1))).astype(float)
    assert abs(noisy.std() - 25.5) < 0.3
    assert (noisy == noisy[..., :1]).all(), "noise is grey"
    assert np.ptp(render(scene("square", "white").under(Nuisance(contrast=0.5)))) == pytest.approx(
        np.ptp(render(scene("square", "white"))) / 2, abs=1
    )
    lit = render(Scene((200, 200, 200)).under(Nuisance(illumination=0.5, seed=2)))
    assert lit.max() == pytest.approx(200, abs=1)
    assert lit.min() == pytest.approx(100, abs=1)
    covered = render(flat.under(Nuisance(clutter=10, seed=5)))[..., 0] != 128
    assert covered.mean() == pytest.approx(0.1, abs=0.03)


def test_occlusion_hides_the_share_it_says() -> None:
    whole = (render(scene("square", "white"))[..., 2] > 200).sum()
    for share in (0.25, 0.5, 0.75):
        left = [
            (render(scene("square", "white").under(Nuisance(occlusion=share, seed=seed)))[..., 2] > 200).sum()
            for seed in range(8)
        ]
        # The square fills the middle 78 % of the box that the share is of.
        shown = (0.89 - share) / 0.78
        assert np.array(left) / whole == pytest.approx(shown, abs=0.04)


def test_equal_seeds_give_equal_noise_and_others_do_not() -> None:
    one, same, other = (render(Scene(GREY, nuisance=Nuisance(noise=0.1, seed=seed))) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    assert one.shape == (SIDE, SIDE, 3)
    assert one.dtype == np.uint8
