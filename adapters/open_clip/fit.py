"""Fit of a state dict to a model: what differs is told by name, with the architecture that the weights are of."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmbench.adapters.open_clip import catalogue
from mmbench.adapters.open_clip.recipe import Recipe
from mmbench.harness.digest import Json
from mmbench.harness.errors import UsageError

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]

_GRIDS = ("visual.positional_embedding", "visual.trunk.pos_embed")
_PATCHES = ("visual.conv1.weight", "visual.trunk.patch_embed.proj.weight")
_POSITIONS = "positional_embedding"
_NAMED = 3
"""Names of a kind that are told; the others are counted."""


def check_fit(
    state: Mapping[str, Any], model: Mapping[str, Any], file: Path, recipe: Recipe, *, interpolate: bool
) -> None:
    """Raise UsageError where names or shapes of the weights are not those of the recipe's model.

    With `interpolate` other numbers of positions pass, which open_clip then interpolates.
    """
    held, wanted = _shapes(state), _shapes(model)
    missing, surplus = sorted(wanted.keys() - held.keys()), sorted(held.keys() - wanted.keys())
    other = [name for name in sorted(held.keys() & wanted.keys()) if held[name] != wanted[name]]
    if interpolate:
        other = [name for name in other if not _interpolates(name, held[name], wanted[name])]
    small = [name for name in sorted(held) if name in model and _is_scaled(state[name], model[name])]
    if small:
        raise UsageError(
            f"{file}: it holds {_counted(small, 'the {key} {}')} in {state[small[0]].dtype}, and no scale of these "
            "numbers; take weights that are not quantised"
        )
    if not (missing or surplus or other):
        return
    told = [*_sizes(held, wanted)] if other else []
    shapes = [] if told else [f"{name} is {_size(held[name])} and must be {_size(wanted[name])}" for name in other]
    told += [
        _counted(names, kind)
        for names, kind in (
            (missing, "it lacks the {key} {}"),
            (surplus, "it has the unknown {key} {}"),
            (shapes, "{}"),
        )
        if names
    ]
    use = [f"use open_clip:{' or '.join(names[:_NAMED])}"] if (names := _others(held, recipe.name)) else []
    if not (missing or surplus) and all(_interpolates(name, held[name], wanted[name]) for name in other):
        use.append("have the positions interpolated by ,interpolate=true behind the spec")
    remedy = [", or ".join(use)] if use else []
    raise UsageError(f"{file}: does not fit {recipe.label}: {'; '.join(told + remedy)}")


def _is_scaled(held: Any, wanted: Any) -> bool:
    """Tell whether weights are numbers that stand for others, which would be taken for what they say."""
    return bool(wanted.is_floating_point() and len(held.shape) > 1 and held.element_size() < 2)


def architectures_of(held: Shapes) -> list[str]:
    """Return the names of open_clip's architectures whose sizes are those of a state dict with towers of its own."""
    found = _features(held)
    if found is None:
        return []
    return [name for name in catalogue.architectures() if _asked(catalogue.config(name)) == found]


def _interpolates(name: str, held: Shape, wanted: Shape) -> bool:
    """Tell whether open_clip interpolates these positions: a square grid after a class token, or those of a text."""
    if len(held) != 2 or len(wanted) != 2 or held[1] != wanted[1]:
        return False
    return name in (_POSITIONS, f"text.{_POSITIONS}") or (
        name == f"visual.{_POSITIONS}" and math.isqrt(held[0] - 1) ** 2 == held[0] - 1
    )


def _sizes(held: Shapes, wanted: Shapes) -> Iterator[str]:
    """Yield what differs in a person's words."""
    for what, measure in (
        ("pictures of {} pixels", _pixels),
        ("patches of {} pixels", _patch),
        ("texts of {} tokens", lambda shapes: _rows(shapes, _POSITIONS)),
        ("a vocabulary of {} tokens", lambda shapes: _rows(shapes, "token_embedding.weight")),
        ("vectors of {} numbers", lambda shapes: _last(shapes, "visual.proj")),
        ("a picture tower {} wide", lambda shapes: _first(shapes, "visual.conv1.weight")),
        ("a text tower {} wide", lambda shapes: _last(shapes, "token_embedding.weight")),
    ):
        theirs, ours = measure(held), measure(wanted)
        if theirs is not None and ours is not None and theirs != ours:
            yield f"it was trained with {what.format(theirs)}, here are {ours}"


def _others(held: Shapes, name: str) -> list[str]:
    return [each for each in architectures_of(held) if each != name]


def _size(shape: Shape) -> str:
    return f"torch.Size({[*shape]})"


def _counted(names: list[str], kind: str) -> str:
    key = "key" if len(names) == 1 else f"{len(names)} keys"
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return kind.replace("{key}", key).replace("{}", ", ".join(names[:_NAMED]) + more)


def _shapes(state: Mapping[str, Any]) -> dict[str, Shape]:
    return {name: tuple(each.shape) for name, each in state.items()}


def _text(shapes: Shapes, name: str) -> Shape | None:
    return shapes.get(name) or shapes.get(f"text.{name}")


def _rows(shapes: Shapes, name: str) -> int | None:
    return (_text(shapes, name) or (None,))[0]


def _last(shapes: Shapes, name: str) -> int | None:
    return (_text(shapes, name) or (None,))[-1]


def _first(shapes: Shapes, name: str) -> int | None:
    return (shapes.get(name) or (None,))[0]


def _patch(shapes: Shapes) -> int | None:
    if "visual.attnpool.positional_embedding" in shapes:
        return None  # a ResNet, whose first convolution cuts no patches
    return next((shapes[name][-1] for name in _PATCHES if len(shapes.get(name, ())) == 4), None)


def _pixels(shapes: Shapes) -> int | None:
    """Return the side of a square picture, from the grid of positions; a class token may stand before it."""
    positions = next((shapes[name][-2] for name in _GRIDS if len(shapes.get(name, ())) >= 2), None)
    patch = _patch(shapes)
    if positions is None or patch is None:
        return None
    return next((math.isqrt(n) * patch for n in (positions - 1, positions) if n and math.isqrt(n) ** 2 == n), None)


def _layers(shapes: Shapes, start: str) -> int:
    return len({name.removeprefix(start).split(".")[0] for name in shapes if name.startswith(start)})


def _features(held: Shapes) -> tuple[Json, ...] | None:
    """Return the sizes of both towers; None where they are not open_clip's own transformers."""
    width, proj = _first(held, "visual.conv1.weight"), held.get("visual.proj")
    start = "text.transformer.resblocks." if "text.token_embedding.weight" in held else "transformer.resblocks."
    layers = _layers(held, start)
    if width is None or proj is None or not layers:
        return None
    sizes = (_pixels(held), _patch(held), width, _layers(held, "visual.transformer.resblocks."))
    return (*sizes, proj[-1], _rows(held, _POSITIONS), _rows(held, "token_embedding.weight"), layers)


def _asked(config: Mapping[str, Any]) -> tuple[Json, ...] | None:
    vision, text = config["vision_cfg"], config["text_cfg"]
    if vision.get("timm_model_name") or text.get("hf_model_name") or isinstance(vision.get("layers"), list):
        return None
    sizes = (vision.get("image_size", 224), vision.get("patch_size", 16), vision.get("width", 768))
    towers = (*sizes, vision.get("layers", 12), config["embed_dim"])
    return (*towers, text.get("context_length", 77), text.get("vocab_size", 49408), text.get("layers", 12))
