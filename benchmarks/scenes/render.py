"""Renderer of scenes: the same numbers give the same bytes."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import PIL.ImageFilter

from mmbench.benchmarks.scenes.glyphs import line
from mmbench.benchmarks.scenes.scene import RGB, SIDE, Blocks, Nuisance, Scene, Thing, Writing
from mmbench.benchmarks.scenes.shapes import DISTANCES
from mmbench.harness.media.pixels import Pixels

VERSION = 1
"""Raised whenever the same scene would give other bytes; part of every picture's digest."""

Canvas = npt.NDArray[np.float32]

_DARK = 0.3
"""What a texture's dark parts keep of the colour's light."""
_OCCLUDER: RGB = (90, 90, 90)
_STROKES = 12
"""Pixels across a stroke of clutter."""
_NOISE = 1 << 20
"""Numbers in the table that noise is cut from: drawing anew for each picture would take longer than all the rest."""


def draw_scene(parent: Pixels | None, /, **params: Any) -> Pixels:
    """Return the picture of a scene given as JSON; the operation behind `Image.render`."""
    return PIL.Image.fromarray(render(Scene.from_json(params)))


def render(scene: Scene) -> npt.NDArray[np.uint8]:
    """Return the (224, 224, 3) sRGB picture of a scene."""
    # In memory channel by channel, which steps over whole rows where a pixel at a time would be slower by half.
    canvas = np.empty((3, SIDE, SIDE), np.float32).transpose(1, 2, 0)
    canvas[:] = scene.background
    nuisance = scene.nuisance
    random = np.random.default_rng(nuisance.seed)
    if nuisance.clutter:
        _clutter(canvas, nuisance.clutter, scene.background, random)
    for thing in scene.things:
        _thing(canvas, thing)
    if scene.writing is not None:
        _writing(canvas, scene.writing)
    if scene.blocks is not None:
        _blocks(canvas, scene.blocks)
    for bar in scene.bars:
        canvas[max(bar.top, 0) : bar.bottom, max(bar.left, 0) : bar.right] = bar.tint
    if nuisance.occlusion:
        _occlude(canvas, scene.things, nuisance.occlusion, random)
    return _seen(canvas, nuisance, random)


def _thing(canvas: Canvas, thing: Thing) -> None:
    drawn = _field(thing)
    if drawn is None:
        return
    (top, bottom, left, right), x, y, inside = drawn
    cover = np.clip(inside, 0, 1)
    light = cover if thing.texture == "plain" else cover * _texture(thing, x, y)
    window = canvas[top:bottom, left:right]
    window *= (1 - cover)[:, :, None]
    for channel, level in enumerate(thing.tint):
        window[:, :, channel] += light * np.float32(level)


def _field(thing: Thing) -> tuple[tuple[int, int, int, int], Canvas, Canvas, Canvas] | None:
    """Return first and last rows and columns, the places in units of the radius, and how far inside each pixel is.

    That is in pixels, and one half on the edge, so that between 0 and 1 it is the share that is covered.
    """
    reach = thing.radius * 1.12 + 1
    left, right = max(int(thing.x - reach), 0), min(int(thing.x + reach) + 2, SIDE)
    top, bottom = max(int(thing.y - reach), 0), min(int(thing.y + reach) + 2, SIDE)
    if left >= right or top >= bottom:
        return None
    across = np.arange(left, right, dtype=np.float32) - np.float32(thing.x)
    up = np.float32(thing.y) - np.arange(top, bottom, dtype=np.float32)
    angle = math.radians(thing.turn)
    cosine, sine = np.float32(math.cos(angle) / thing.radius), np.float32(math.sin(angle) / thing.radius)
    x = cosine * across[None, :] + sine * up[:, None]
    y = -sine * across[None, :] + cosine * up[:, None]
    inside = np.float32(0.5) - DISTANCES[thing.shape](x, y) * np.float32(thing.radius)
    return (top, bottom, left, right), x, y, inside


def box(thing: Thing) -> list[int]:
    """Return the box of a thing, x1 y1 x2 y2: the pixels of which it covers half or more. Raises ValueError outside."""
    drawn = _field(thing)
    covered = np.zeros((1, 1), np.bool_) if drawn is None else drawn[3] >= 0.5
    rows, columns = np.flatnonzero(covered.any(axis=1)), np.flatnonzero(covered.any(axis=0))
    if drawn is None or not len(rows):
        raise ValueError("a thing outside of the picture has no box")
    top, _, left, _ = drawn[0]
    return [left + int(columns[0]), top + int(rows[0]), left + int(columns[-1]) + 1, top + int(rows[-1]) + 1]


def _texture(thing: Thing, x: Canvas, y: Canvas) -> Canvas:
    """Return what share of the colour's light each point has."""
    period = min(max(0.5 * thing.radius, 9.0), 16.0) / thing.radius
    turns = np.float32(2 * math.pi / period)
    if thing.texture == "striped":
        wave = np.sin(turns * x)
    elif thing.texture == "checkered":
        # Period and a half: the checks of a small thing would else be finer than a small model's pixels.
        wave = 1.4 * np.sin(turns / 1.5 * x) * np.sin(turns / 1.5 * y)
    else:
        wave = np.cos(turns * x) + np.cos(turns * y) - np.float32(0.6)
    slope = np.float32(period * thing.radius / 5)  # an edge is about one pixel wide
    dark = np.clip(np.float32(0.5) + slope * wave, 0, 1)
    return np.asarray(1 - (1 - np.float32(_DARK)) * dark, np.float32)


def _writing(canvas: Canvas, writing: Writing) -> None:
    _dots(canvas, line(writing.text), writing.tint, writing.x, writing.y, writing.dot)


def _blocks(canvas: Canvas, blocks: Blocks) -> None:
    _dots(canvas, np.array(blocks.filled, np.float32), blocks.tint, blocks.x, blocks.y, blocks.dot)


def _dots(canvas: Canvas, dots: Canvas, tint: RGB, x: int, y: int, side: int) -> None:
    cover = np.kron(dots, np.ones((side, side), np.float32)).astype(bool)
    window = canvas[y : y + cover.shape[0], x : x + cover.shape[1]]
    window[cover[: window.shape[0], : window.shape[1]]] = tint


def _clutter(canvas: Canvas, percent: float, background: RGB, random: np.random.Generator) -> None:
    length = 40
    strokes = round(percent / 100 * SIDE * SIDE / (_STROKES * length))
    for _ in range(strokes):
        x, y = random.integers(0, SIDE, 2)
        wide, tall = (length, _STROKES) if random.random() < 0.5 else (_STROKES, length)
        change = random.choice([-1, 1]) * random.uniform(15, 40)
        canvas[y : y + tall, x : x + wide] = np.clip(np.array(background, np.float32) + np.float32(change), 0, 255)


def _occlude(canvas: Canvas, things: tuple[Thing, ...], share: float, random: np.random.Generator) -> None:
    for thing in things:
        reach = thing.radius
        left, top = thing.x - reach, thing.y - reach
        right, bottom = thing.x + reach, thing.y + reach
        side = random.integers(4)
        hidden = 2 * reach * share
        if side == 0:
            right = left + hidden
        elif side == 1:
            left = right - hidden
        elif side == 2:
            bottom = top + hidden
        else:
            top = bottom - hidden
        box = [max(round(edge), 0) for edge in (top - 3 * (side < 2), bottom + 3 * (side < 2))]
        span = [max(round(edge), 0) for edge in (left - 3 * (side > 1), right + 3 * (side > 1))]
        canvas[box[0] : box[1], span[0] : span[1]] = _OCCLUDER


def _seen(canvas: Canvas, nuisance: Nuisance, random: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Return the picture after what light, lens and sensor do to it, in this order."""
    if nuisance.illumination:
        _illuminate(canvas, nuisance.illumination, random)
    if nuisance.contrast:
        canvas *= np.float32(1 - nuisance.contrast)
        canvas += np.float32(127.5 * nuisance.contrast)
    if nuisance.blur:
        sharp = PIL.Image.fromarray(_levels(canvas))
        canvas = np.asarray(sharp.filter(PIL.ImageFilter.GaussianBlur(nuisance.blur)), np.float32)
    if nuisance.noise:
        start = int(random.integers(_NOISE - SIDE * SIDE))
        table = _noise_table()[start : start + SIDE * SIDE].reshape(SIDE, SIDE, 1)
        canvas += table * np.float32(255 * nuisance.noise)
    return _levels(canvas)


def _illuminate(canvas: Canvas, lost: float, random: np.random.Generator) -> None:
    angle = random.uniform(0, 2 * math.pi)
    ramp = np.linspace(-0.5, 0.5, SIDE, dtype=np.float32)
    across, up = np.float32(math.cos(angle)), np.float32(math.sin(angle))
    # The farthest corner loses all of `lost`, the nearest nothing.
    light = (across * ramp[None, :] + up * ramp[:, None]) / np.float32(abs(math.cos(angle)) + abs(math.sin(angle)))
    canvas *= (1 - np.float32(lost) * (np.float32(0.5) + light))[:, :, None]


def _levels(canvas: Canvas) -> npt.NDArray[np.uint8]:
    """Return a canvas, which is spent, as bytes."""
    np.clip(canvas, 0, 255, out=canvas)
    canvas += np.float32(0.5)
    return canvas.astype(np.uint8, order="C")


_TABLES: list[Canvas] = []


def _noise_table() -> Canvas:
    # The ratio of uniforms' sum: twelve of them have variance 1, and integer steps are the same on every machine.
    if not _TABLES:
        draws = np.random.default_rng(20).integers(0, 1 << 16, (12, _NOISE), dtype=np.uint16)
        # Exact: sums of twelve have 20 bits.
        _TABLES.append(draws.sum(axis=0, dtype=np.uint32).astype(np.float32) / np.float32(65536) - np.float32(6))
    return _TABLES[0]
