"""Harness, the core: tasks, subjects, the store, the engine, records, boards and the command line."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmbench.harness.ask.examinee import Answers as Answers
    from mmbench.harness.ask.examinee import Choice as Choice
    from mmbench.harness.ask.examinee import Examinee as Examinee
    from mmbench.harness.ask.wording import Wording as Wording
    from mmbench.harness.errors import DataError as DataError
    from mmbench.harness.errors import MmbenchError as MmbenchError
    from mmbench.harness.errors import OnePicture as OnePicture
    from mmbench.harness.errors import OutOfMemory as OutOfMemory
    from mmbench.harness.errors import TooLong as TooLong
    from mmbench.harness.errors import Unanswered as Unanswered
    from mmbench.harness.errors import Unavailable as Unavailable
    from mmbench.harness.errors import Unreadable as Unreadable
    from mmbench.harness.errors import Unsupported as Unsupported
    from mmbench.harness.errors import UsageError as UsageError
    from mmbench.harness.media.image import Image as Image
    from mmbench.harness.models.abilities import Frames as Frames
    from mmbench.harness.models.abilities import Generation as Generation
    from mmbench.harness.models.abilities import ImageVectors as ImageVectors
    from mmbench.harness.models.reply import Reply as Reply
    from mmbench.harness.models.reply import Told as Told
    from mmbench.harness.models.reply import Usage as Usage
    from mmbench.harness.tasks.family import Family as Family
    from mmbench.harness.tasks.family import Outcomes as Outcomes
    from mmbench.harness.tasks.metric import Metric as Metric
    from mmbench.harness.tasks.source import Data as Data
    from mmbench.harness.tasks.source import PathSpec as PathSpec
    from mmbench.harness.tasks.source import Row as Row
    from mmbench.harness.tasks.source import Source as Source
    from mmbench.harness.tasks.source import SourceSpec as SourceSpec
    from mmbench.harness.types import Failure as Failure
    from mmbench.harness.types import Option as Option
    from mmbench.harness.types import Outcome as Outcome
    from mmbench.harness.types import Sample as Sample

_PUBLIC = {
    "Answers": "mmbench.harness.ask.examinee",
    "Choice": "mmbench.harness.ask.examinee",
    "Data": "mmbench.harness.tasks.source",
    "DataError": "mmbench.harness.errors",
    "Examinee": "mmbench.harness.ask.examinee",
    "Failure": "mmbench.harness.types",
    "Family": "mmbench.harness.tasks.family",
    "Frames": "mmbench.harness.models.abilities",
    "Generation": "mmbench.harness.models.abilities",
    "Image": "mmbench.harness.media.image",
    "ImageVectors": "mmbench.harness.models.abilities",
    "Metric": "mmbench.harness.tasks.metric",
    "MmbenchError": "mmbench.harness.errors",
    "Option": "mmbench.harness.types",
    "OutOfMemory": "mmbench.harness.errors",
    "Outcome": "mmbench.harness.types",
    "Outcomes": "mmbench.harness.tasks.family",
    "PathSpec": "mmbench.harness.tasks.source",
    "Reply": "mmbench.harness.models.reply",
    "Row": "mmbench.harness.tasks.source",
    "Sample": "mmbench.harness.types",
    "Source": "mmbench.harness.tasks.source",
    "SourceSpec": "mmbench.harness.tasks.source",
    "Told": "mmbench.harness.models.reply",
    "OnePicture": "mmbench.harness.errors",
    "TooLong": "mmbench.harness.errors",
    "Unanswered": "mmbench.harness.errors",
    "Unavailable": "mmbench.harness.errors",
    "Unreadable": "mmbench.harness.errors",
    "Unsupported": "mmbench.harness.errors",
    "Usage": "mmbench.harness.models.reply",
    "UsageError": "mmbench.harness.errors",
    "Wording": "mmbench.harness.ask.wording",
}

__all__ = [
    "Answers",
    "Choice",
    "Data",
    "DataError",
    "Examinee",
    "Failure",
    "Family",
    "Frames",
    "Generation",
    "Image",
    "ImageVectors",
    "Metric",
    "MmbenchError",
    "OnePicture",
    "Option",
    "OutOfMemory",
    "Outcome",
    "Outcomes",
    "PathSpec",
    "Reply",
    "Row",
    "Sample",
    "Source",
    "SourceSpec",
    "Told",
    "TooLong",
    "Unanswered",
    "Unavailable",
    "Unreadable",
    "Unsupported",
    "Usage",
    "UsageError",
    "Wording",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that `mmbench --help` does not wait for NumPy."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'mmbench.harness' has no attribute '{name}'")
    return getattr(import_module(_PUBLIC[name]), name)
