"""Large modules that are imported when a test first uses them, so that to collect the tests takes no torch."""

from importlib import import_module
from typing import Any


class Lazy:
    """Stands for a module, and gives what that has."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("_", "pytest")):  # pytest looks at what a test module holds
            raise AttributeError(name)
        return getattr(import_module(self._name), name)


torch = Lazy("torch")
functional = Lazy("torch.nn.functional")
safetensors = Lazy("safetensors.torch")
open_clip = Lazy("open_clip")
timm = Lazy("timm")
pandas = Lazy("pandas")
stats = Lazy("scipy.stats")
special = Lazy("scipy.special")
optimize = Lazy("scipy.optimize")
linalg = Lazy("scipy.linalg")
sk_datasets = Lazy("sklearn.datasets")
sk_linear = Lazy("sklearn.linear_model")
sk_metrics = Lazy("sklearn.metrics")
sk_multiclass = Lazy("sklearn.multiclass")
sk_neighbors = Lazy("sklearn.neighbors")
sk_pairwise = Lazy("sklearn.metrics.pairwise")
sk_preprocessing = Lazy("sklearn.preprocessing")
