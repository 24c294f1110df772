"""A sheet of items that a person looks at: pictures small, and beneath each what is asked and what is right."""

import base64
import html
import io
import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont

from mmbench.harness.errors import MmbenchError, UsageError
from mmbench.harness.media.video import pictures_of
from mmbench.harness.records.files import replaced
from mmbench.harness.tasks.task import Task
from mmbench.harness.types import Sample

ITEMS = 24
_COLUMNS = 6
_SIDE = 180
_TEXT = 66
_LETTERS = 30
_LINES = 4
_PAPER = (255, 255, 255)
_INK = (30, 30, 30)


def write_sheet(task: Task, size: int, file: Path, seed: int = 0) -> int:
    """Write the sheet of some items, drawn by a seed, as `.png` or `.html`; return how many. Raises UsageError."""
    kind = file.suffix.lower()
    if kind not in (".png", ".html"):
        raise UsageError(f"{file}: a sheet is written as .png or .html")
    chosen = set(np.random.default_rng(seed).permutation(size)[:ITEMS].tolist())
    shown = [(_thumbnail(s), _words(task, s)) for place, s in enumerate(task.family.samples()) if place in chosen]
    with replaced(file) as path:
        if kind == ".png":
            _drawn(shown).save(path, "PNG")
        else:
            path.write_text(_page(task, shown), encoding="utf-8")
    return len(shown)


def _thumbnail(sample: Sample) -> PIL.Image.Image:
    """Return the pictures of an item side by side, at most _SIDE wide and high; a grey one where none can be read."""
    made: list[PIL.Image.Image] = []
    for medium in sample.media:
        try:
            pictures = pictures_of(medium)
            picture = pictures[len(pictures) // 2].pil().copy()
        except MmbenchError:
            picture = PIL.Image.new("RGB", (_SIDE, _SIDE), (200, 200, 200))
        picture.thumbnail((_SIDE // len(sample.media), _SIDE))
        made.append(picture)
    sheet = PIL.Image.new("RGB", (sum(p.width for p in made) or 1, max((p.height for p in made), default=1)), _PAPER)
    left = 0
    for picture in made:
        sheet.paste(picture, (left, 0))
        left += picture.width
    return sheet


def _words(task: Task, sample: Sample) -> list[str]:
    """Return what is asked of an item, and what is right."""
    classes = getattr(task.family, "classes", None)
    names = [option.label for option in sample.options] or ([*classes.names] if classes is not None else [])
    said = [names[place] for place in sample.target if place < len(names)] or [*sample.references]
    return [sample.id, *([sample.question] if sample.question else []), " | ".join(said[:3])]


def _drawn(shown: Sequence[tuple[PIL.Image.Image, list[str]]]) -> PIL.Image.Image:
    rows = -(-len(shown) // _COLUMNS) or 1
    step = (_SIDE + 12, _SIDE + _TEXT)
    sheet = PIL.Image.new("RGB", (min(len(shown), _COLUMNS) * step[0] or 1, rows * step[1]), _PAPER)
    draw = PIL.ImageDraw.Draw(sheet)
    font = PIL.ImageFont.load_default(11)
    for number, (picture, words) in enumerate(shown):
        left, top = (number % _COLUMNS) * step[0] + 6, (number // _COLUMNS) * step[1] + 6
        sheet.paste(picture, (left, top))
        lines = [line for text in words for line in textwrap.wrap(text, _LETTERS)[:2]][:_LINES]
        draw.multiline_text((left, top + _SIDE + 4), "\n".join(lines), fill=_INK, font=font, spacing=2)
    return sheet


def _page(task: Task, shown: Sequence[tuple[PIL.Image.Image, list[str]]]) -> str:
    def figure(picture: PIL.Image.Image, words: list[str]) -> str:
        held = io.BytesIO()
        picture.save(held, "PNG")
        source = base64.b64encode(held.getvalue()).decode()
        said = "<br>".join(html.escape(text) for text in words)
        return f'<figure><img src="data:image/png;base64,{source}" alt=""><figcaption>{said}</figcaption></figure>'

    style = (
        "body{font:14px system-ui,sans-serif;margin:2em;color:#1e1e1e;background:#fff}"
        "main{display:grid;grid-template-columns:repeat(auto-fill,minmax(190px,1fr));gap:1.2em}"
        "figure{margin:0}figcaption{overflow-wrap:anywhere;margin-top:.3em}"
    )
    title = html.escape(f"{task.reference}: {len(shown)} items")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{style}</style>'
        f"<h1>{title}</h1><main>{''.join(figure(*each) for each in shown)}</main></html>\n"
    )
