"""Scorer: the second model that some metrics need, behind the same store."""

from collections.abc import Iterator
from contextlib import contextmanager

from mmbench.harness.ask.subject import Subject
from mmbench.harness.engine.engines import Engines
from mmbench.harness.engine.local import LocalEngine
from mmbench.harness.errors import UsageError
from mmbench.harness.foreign import tamed
from mmbench.harness.models.abilities import abilities
from mmbench.harness.models.models import Model
from mmbench.harness.store.store import Store


@contextmanager
def scorer_subject(model: Model | None, store: Store, engines: Engines | None = None) -> Iterator[Subject | None]:
    """Give the second model that some metrics need, behind the store. Raises UsageError when it cannot embed both."""
    if model is None:
        yield None
        return
    missing = {"embed_images", "embed_texts"} - abilities(model.adapter)
    if missing:
        raise UsageError(f"the scorer {model.label} has no {' and no '.join(sorted(missing))}; it must embed both")
    engine = engines.of(model) if engines else LocalEngine(model.adapter)
    try:
        scorer = tamed(
            lambda: Subject(model.label, model.adapter, store, engine, pinned="embed", fingerprint=model.fingerprint)
        )
        store.name(scorer.fingerprint, model.label)
        yield scorer
    finally:
        engine.close()
