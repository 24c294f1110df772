import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

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
    """Exports a model of a kind once, for all processes of the tests; tests that change the folder copy it first."""
    for library in ("onnxruntime", "onnx", "onnxscript", "tokenizers"):
        pytest.importorskip(library)
    from mmbench.adapters.onnx.export.folder import export
    from mmbench.harness.models.models import Loading, make_models

    base = tmp_path_factory.getbasetemp()
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "exported"
    root.mkdir(exist_ok=True)

    def write(kind: str) -> Path:
        folder = root / kind.replace("/", "-")
        with FileLock(f"{folder}.lock"):
            if not folder.exists():
                model = make_models([saved(kind)], Loading("cpu", "fp32", True))[0]
                export(model.adapter, model.label, folder)
        return folder

    return write
