from collections.abc import Callable
from pathlib import Path

import pytest

from tests.adapters.hf import tiny


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Returns the spec of a model: a tiny one of transformers of this kind, saved once, or one that is here already."""
    root, made = tmp_path_factory.mktemp("saved"), {}

    def spec(kind: str, seed: int = 0) -> str:
        if kind not in (*tiny.KINDS, *tiny.LANGUAGE):
            return f"open_clip:{kind}"
        pytest.importorskip("transformers")
        if (kind, seed) not in made:
            write = tiny.language if kind in tiny.LANGUAGE else tiny.save
            made[kind, seed] = write(kind, root / f"{kind}-{seed}", seed)
        return f"hf:{made[kind, seed]}"

    return spec


@pytest.fixture(scope="session")
def exported(saved: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Exports a model of a kind once; tests that change the folder copy it first."""
    for library in ("onnxruntime", "onnx", "onnxscript", "tokenizers"):
        pytest.importorskip(library)
    from mmbench.adapters.onnx.export.folder import export
    from mmbench.harness.models.models import Loading, make_models

    root, made = tmp_path_factory.mktemp("exported"), {}

    def write(kind: str) -> Path:
        if kind not in made:
            model = make_models([saved(kind)], Loading("cpu", "fp32", True))[0]
            made[kind] = root / kind.replace("/", "-")
            export(model.adapter, model.label, made[kind])
        return made[kind]

    return write
