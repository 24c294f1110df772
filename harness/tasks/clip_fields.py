"""Fields of clips: `video` stands wherever a family takes `image`, with `start` and `end` of a segment in seconds."""

from collections.abc import Collection, Mapping

from mmbench.harness.errors import DataError

IMAGE = "image"
VIDEO = "video"
SEGMENT = ("start", "end")


def with_clips(fields: Mapping[str, bool], columns: Collection[str], named: Collection[str]) -> Mapping[str, bool]:
    """Return a family's fields with those of clips where it takes pictures, and without those that are not used.

    `columns` are those of the data and `named` the fields that the task file names: what it names decides. Raises
    DataError where it names both `image` and `video`, or a segment of a picture, or where the data has both and it
    names neither.
    """
    if IMAGE not in fields:
        return fields
    clips = {key for key in (VIDEO, *SEGMENT) if key in named}
    if VIDEO not in named and clips:
        raise DataError(f"`{sorted(clips)[-1]}` is of a clip; name its column as `video` in `fields`")
    if IMAGE in named and VIDEO in named:
        raise DataError("`fields` names `image` and `video`; an item shows one of them")
    if IMAGE not in named and VIDEO not in named and IMAGE in columns and VIDEO in columns:
        raise DataError("the data has columns 'image' and 'video'; say which is shown: name it in `fields`")
    if VIDEO in named or (IMAGE not in named and VIDEO in columns):
        own = {name: needed for name, needed in fields.items() if name != IMAGE}
        return {VIDEO: fields[IMAGE], **dict.fromkeys(SEGMENT, False), **own}
    return {**fields, VIDEO: False}


def shown_by(fields: Collection[str]) -> set[str]:
    """Return the fields that are filled, where a clip stands for a picture.

    >>> sorted(shown_by(["video", "label"]))
    ['image', 'label', 'video']
    """
    return {*fields, IMAGE} if VIDEO in fields else {*fields}


def unused(fields: Mapping[str, object], frames: object) -> str | None:
    """Return what is wrong with a key `frames` of a task without clips; None where nothing is."""
    if frames is None or VIDEO in fields:
        return None
    return "`frames` is for clips; name their column as `video` in `fields`"
