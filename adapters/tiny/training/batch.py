"""Training batch: rows of the embedded scenes as the tensors of one step."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from mmbench.adapters.open_clip.recipe import MERGES
from mmbench.adapters.tiny.training.recipe import GREY
from mmbench.harness.errors import DataError
from mmbench.harness.media.image import Image
from mmbench.harness.tasks.source import Row

CLASSES = 32
"""Kinds of a patch that the dense losses tell apart, background included; more than the scenes have."""
PATCHES = ("shapes", "colours", "textures", "sizes")
"""Cells that say what lies where."""
FACTS = 1024
"""Most facts of a picture; more than the scenes have."""
_PAD = 0
_WORDS = re.compile(r"[a-z]+|[0-9]|[^\sa-z0-9]+")
"""What CLIP's tokenizer takes for a word, in plain text without contractions."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One step's pictures and texts, as integers."""

    pixels: torch.Tensor
    """(n, 3, side, side) uint8: the evaluation's transform up to where it turns to fractions."""
    texts: torch.Tensor
    """(m, t) token ids of distinct texts, captions first, then hard negatives; each row ends in a pad or fills t."""
    own: torch.Tensor
    """(n,) number of each picture's caption among the texts."""
    written: torch.Tensor
    """(n, 2, t) token ids of the description, and of question and answer; empty where the picture has none."""
    given: torch.Tensor
    """(n, 2) how many tokens at the beginning of each are not to be foreseen."""
    patches: torch.Tensor
    """(n, 4, 64) class of each patch in each respect of `PATCHES`, 0 for background."""
    facts: torch.Tensor
    """(n, 1024) what holds of each picture: 1, 0, or -1 where it is not asked."""

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on a device, ids as int64."""
        moved = {field.name: getattr(self, field.name).to(device, non_blocking=True) for field in fields(self)}
        return Batch(moved.pop("pixels"), **{name: tensor.long() for name, tensor in moved.items()})


@dataclass(frozen=True, slots=True)
class Encoder:
    """Makes batches of rows with the transform and the tokenizer of a model's folder."""

    folder: Path
    """Holds `open_clip_config.json` and the merges file."""

    def __call__(self, rows: Sequence[Row]) -> Batch:
        """Return the batch of some rows. Raises DataError where a cell is not what training needs."""
        preprocess, tokenizer = _parts(self.folder)
        captions = [_text(row, "caption") or _lacks(row, "caption") for row in rows]
        negatives = [text for row in rows if (text := _text(row, "negative"))]
        distinct = {text: number for number, text in enumerate(dict.fromkeys((*captions, *negatives)))}
        written, given = [], []
        for row in rows:
            told, asked, answer = (_text(row, name) for name in ("description", "question", "answer"))
            written.append((tokenizer.ids(told), tokenizer.ids(f"{asked} {answer}" if asked and answer else None)))
            given.append((1, 1 + len(_encode(tokenizer.inner, asked)) if asked else 1))
        longest = max(len(ids) for pair in written for ids in pair)
        return Batch(
            pixels=torch.stack([preprocess(_picture(row).pil()) for row in rows]),
            texts=_padded([tokenizer.ids(text) for text in distinct], tokenizer.context),
            own=torch.tensor([distinct[text] for text in captions], dtype=torch.int16),
            written=torch.stack([_padded(pair, longest, exactly=True) for pair in written]),
            given=torch.tensor(given, dtype=torch.int16),
            patches=torch.stack([_patches(rows, name) for name in PATCHES], dim=1),
            facts=_facts(rows),
        )


@dataclass(frozen=True, slots=True)
class _Tokenizer:
    inner: Any
    context: int

    def ids(self, text: str | None) -> list[int]:
        if text is None:
            return []
        tokens = _encode(self.inner, text)[: self.context - 2]
        return [self.inner.sot_token_id, *tokens, self.inner.eot_token_id]


def _encode(inner: Any, text: str) -> list[int]:
    """Return the tokenizer's ids of a text; plain words one by one, each looked up once."""
    if not text.isascii():
        return list(inner.encode(text))
    return [token for word in _WORDS.findall(text.lower()) for token in _ids_of_word(inner, word)]


@lru_cache(maxsize=4096)
def _ids_of_word(inner: Any, word: str) -> tuple[int, ...]:
    return tuple(inner.encode(word))


@lru_cache(maxsize=1)
def _parts(folder: Path) -> tuple[Callable[[Any], torch.Tensor], _Tokenizer]:
    import json

    from open_clip.tokenizer import SimpleTokenizer

    config = json.loads((folder / "open_clip_config.json").read_text(encoding="utf-8"))
    text = config["model_cfg"]["text_cfg"]
    inner = SimpleTokenizer(bpe_path=str(folder / MERGES), context_length=text["context_length"])
    side = config["model_cfg"]["vision_cfg"]["image_size"]
    return whole_pixels({"size": side, **config["preprocess_cfg"]}), _Tokenizer(inner, text["context_length"])


def whole_pixels(preprocessing: Mapping[str, Any]) -> Callable[[Any], torch.Tensor]:
    """Return what open_clip's transform does to a picture before it turns to fractions: (3, side, side) uint8."""
    import numpy as np
    import PIL.Image
    from open_clip.transform import PreprocessCfg, image_transform_v2

    steps = []
    tried: Any = PIL.Image.new("RGB", (1, 1))
    for step in image_transform_v2(PreprocessCfg(**preprocessing), is_train=False).transforms:
        tried = step(tried)
        if isinstance(tried, torch.Tensor):  # fractions from here on
            break
        steps.append(step)

    def transform(picture: Any) -> torch.Tensor:
        for step in steps:
            picture = step(picture)
        return torch.from_numpy(np.array(picture)).permute(2, 0, 1)

    return transform


def fractions(pixels: torch.Tensor) -> torch.Tensor:
    """Return float32 pictures of uint8 ones, bit for bit as the rest of open_clip's transform makes them."""
    return pixels.float().div_(255).sub_(GREY).div_(GREY)


def _padded(rows: Sequence[Sequence[int]], most: int, *, exactly: bool = False) -> torch.Tensor:
    width = most if exactly else min(most, 1 + max(map(len, rows)))
    return torch.tensor([[*row, *[_PAD] * (width - len(row))] for row in rows], dtype=torch.int16)


def _picture(row: Row) -> Image:
    image = row.cells.get("image")
    if not isinstance(image, Image):
        raise DataError(f"{row.where}: the cell 'image' holds no picture")
    return image


def _text(row: Row, name: str) -> str | None:
    text = row.cells.get(name)
    return None if text is None or text == "" else str(text)


def _lacks(row: Row, name: str) -> str:
    raise DataError(f"{row.where}: the cell '{name}' is empty")


def _facts(rows: Sequence[Row]) -> torch.Tensor:
    held = [row.cells.get("facts") or () for row in rows]
    if max(map(len, held)) > FACTS:
        raise DataError(f"{rows[0].where}: 'facts' must be at most {FACTS}")
    return torch.tensor([[*each, *[-1] * (FACTS - len(each))] for each in held], dtype=torch.int16)


def _patches(rows: Sequence[Row], name: str) -> torch.Tensor:
    found = torch.tensor([row.cells[name] for row in rows], dtype=torch.int16)
    if found.amin() < 0 or found.amax() >= CLASSES:
        raise DataError(f"{rows[0].where}: '{name}' must lie in 0..{CLASSES - 1}")
    return found
