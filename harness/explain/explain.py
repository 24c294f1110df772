"""Explanation: the model of a run is asked again, through the store, for the items that were chosen."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from mmbench.harness.ask.subject import Subject
from mmbench.harness.engine.engines import Engines
from mmbench.harness.engine.settings import EngineSettings
from mmbench.harness.errors import DataError, UsageError
from mmbench.harness.explain.chosen import Chosen, Item
from mmbench.harness.explain.heard import Question, question_of
from mmbench.harness.explain.maps import Asker, Figures, How, explain
from mmbench.harness.foreign import tamed
from mmbench.harness.hub.access import network
from mmbench.harness.models.models import Loading, Model
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.render.figures import count
from mmbench.harness.run.progress import Progress
from mmbench.harness.run.sitting import Sitting
from mmbench.harness.store.location import store_path
from mmbench.harness.store.meter import Meter
from mmbench.harness.store.store import Store
from mmbench.harness.types import Route


@dataclass(frozen=True, slots=True)
class Explained:
    """One item with its map."""

    item: Item
    figures: Figures
    unit: str
    """What its score is."""
    prefers: str | None
    """The option that scores best now, where that is not the one that the run chose."""


def told(chosen: Chosen, how: How) -> str:
    """Return how many inputs are asked at the most, as a sentence."""
    inputs = sum(how.inputs(*item.size) for item in chosen.items)
    return (
        f"{count(len(chosen.items), 'item')} by {how.method}: up to {count(inputs, 'picture')} to ask, and what is "
        "remembered is not asked again"
    )


def explained(
    chosen: Chosen,
    model: Model,
    how: How,
    *,
    store: Path | None,
    loading: Loading,
    progress: Progress,
    meter: Meter,
) -> Iterator[tuple[Explained, Floats] | DataError]:
    """Yield each item with its (height, width) map, or why it has none. Raises AdapterError where the model fails."""
    meter.on_progress = progress.advanced
    route: Route = "likelihood" if chosen.record.route == "likelihood" else "embed"
    with (
        network(allowed=False),
        closing(Store((store or store_path()).absolute(), meter)) as held,
        closing(Engines(EngineSettings(), loading)) as engines,
        closing(tamed(lambda: engines.of(model, None, progress.told))) as engine,
    ):
        subject = Subject(model.label, model.adapter, held, engine, fingerprint=model.fingerprint).sit([route])
        total = sum(how.inputs(*item.size) for item in chosen.items)
        progress.started(Sitting(chosen.record.model, chosen.task), total)
        for item in chosen.items:
            try:
                yield _explained(chosen, item, subject, how)
            except UsageError as error:
                yield DataError(f"item {item.sample.id}: {error}")


def _explained(chosen: Chosen, item: Item, subject: Subject, how: How) -> tuple[Explained, Floats]:
    question = question_of(chosen.task, subject, item.sample)
    place = question.place(item.outcome.prediction)
    if place is None:
        raise UsageError(f"the run chose '{item.outcome.prediction}', and not exactly one option is called so")
    made, figures = explain(Asker(subject, question, item.sample, place), item.picture, how, item.boxes)
    prefers = question.options[figures.best].label if figures.best != place else None
    return Explained(item, figures, _unit(chosen.record.route, question), prefers), made


def _unit(route: str, question: Question) -> str:
    """Return what the score of an option is."""
    several = any(len(option.phrasings) > 1 for option in question.options)
    if route == "embed":
        return f"cosine of picture and option{' (mean of its phrasings)' if several else ''}, before any softmax"
    how = {"sum": "", "mean": ", divided by its characters", "pmi": ", less that without the picture"}
    mean = ", mean of its phrasings" if several else ""
    return f"log-likelihood of the option{how[question.wording.likelihood]}{mean}, before any softmax"
