"""Texts of a task that say what its pictures show: those of each picture, or the prompts of classes for all."""

from typing import Any

from mmbench.harness.errors import DataError
from mmbench.harness.types import Option, Sample


def descriptions(family: Any, sample: Sample) -> tuple[tuple[str, ...], ...]:
    """Return the true texts of each picture and clip of a sample; none where its texts describe no picture.

    They are what the family itself says, which has a method `described` where it has captions. Raises DataError where
    it does not say it of each picture.
    """
    if not has_descriptions(family):
        return ((),) * len(sample.media)
    found = tuple(map(tuple, family.described(sample)))
    if len(found) != len(sample.media):
        raise DataError(f"item {sample.id} has {len(sample.media)} pictures, and its family describes {len(found)}")
    return found


def has_descriptions(family: Any) -> bool:
    """Tell whether pictures of a task have texts of their own."""
    return getattr(family, "described", None) is not None


def class_options(family: Any) -> list[Option]:
    """Return each class of a task with its filled templates; none of a task that shows no model such prompts."""
    classes, templates = (getattr(family, name, None) for name in ("classes", "templates"))
    if classes is None or templates is None:
        return []
    return [Option(name, tuple(each.replace("{}", name) for each in templates)) for name in classes.names]
