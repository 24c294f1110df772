"""Fields of clips: `video` stands wherever a family takes `image`, and `videos` for `images`, with segments of them."""

from collections.abc import Collection, Mapping

from mmbench.harness.errors import DataError

STANDS_FOR = {"video": "image", "videos": "images"}
"""The field of pictures that each field of clips stands for."""

SEGMENT = ("start", "end")
"""Fields of a clip's segment, in seconds."""


def with_clips(fields: Mapping[str, bool], columns: Collection[str], named: Collection[str]) -> Mapping[str, bool]:
    """Return a family's fields with those of clips where it takes pictures, and without those that are not used.

    `columns` are those of the data and `named` the fields that the task file names: what it names decides. Raises
    DataError where it names both `image` and `video`, or a segment of a picture, or where the data has both and it
    names neither.
    """
    video, image = next(((clip, own) for clip, own in STANDS_FOR.items() if own in fields), ("", ""))
    if not image:
        return fields
    clips = {key for key in (video, *SEGMENT) if key in named}
    if video not in named and clips:
        raise DataError(f"`{sorted(clips)[-1]}` is of a clip; name its column as `{video}` in `fields`")
    if image in named and video in named:
        raise DataError(f"`fields` names `{image}` and `{video}`; an item shows one of them")
    if image not in named and video not in named and image in columns and video in columns:
        raise DataError(f"the data has columns '{image}' and '{video}'; say which is shown: name it in `fields`")
    if video in named or (image not in named and video in columns):
        own = {name: needed for name, needed in fields.items() if name != image}
        return {video: fields[image], **dict.fromkeys(SEGMENT, False), **own}
    return {**fields, video: False}


def shows_clips(fields: Collection[str]) -> bool:
    """Tell whether the fields that are filled hold one of clips."""
    return any(name in fields for name in STANDS_FOR)


def shown_by(fields: Collection[str]) -> set[str]:
    """Return the fields that are filled, where a clip stands for a picture.

    >>> sorted(shown_by(["video", "label"]))
    ['image', 'label', 'video']
    """
    return {*fields, *(image for clip, image in STANDS_FOR.items() if clip in fields)}


def unused(fields: Mapping[str, object], frames: object) -> str | None:
    """Return what is wrong with a key `frames` of a task without clips; None where nothing is."""
    if frames is None or shows_clips(fields):
        return None
    return "`frames` is for clips; name their column as `video` in `fields`"
