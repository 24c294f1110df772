from collections.abc import Callable
from pathlib import Path

import pytest

from tests.adapters.hf import generative, tiny


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Saves a tiny model of a kind once; tests that change it copy it first."""
    pytest.importorskip("transformers")
    root, made = tmp_path_factory.mktemp("hf"), {}

    def save(kind: str, seed: int = 0) -> Path:
        if (kind, seed) not in made:
            written = {
                **dict.fromkeys(tiny.LANGUAGE, tiny.language),
                **dict.fromkeys(generative.CLASSES, generative.save),
            }
            made[kind, seed] = written.get(kind, tiny.save)(kind, root / f"{kind}-{seed}", seed)
        return made[kind, seed]

    return save
