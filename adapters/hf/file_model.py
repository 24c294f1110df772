"""What every model of transformers tells of itself, from its files."""

from pathlib import Path
from threading import Lock

from mmbench.adapters.hf.source import FromFiles


class FileModel:
    """A model of transformers that is identified by its files, and loaded when it must answer."""

    def __init__(self, source: FromFiles) -> None:
        self._source = source
        self._tokenizing = Lock()

    @property
    def source(self) -> FromFiles:
        """Files, and the parts that are loaded from them."""
        return self._source

    @property
    def fingerprint(self) -> str:
        """Identity of weights, configuration, preparation of pictures, tokenizer, dtype and release of transformers.

        Computed from files, fetched first where they are not here; raises UsageError and WeightsUnavailable.
        """
        return self._source.fingerprint

    @property
    def device(self) -> str:
        """Device of the model: `cpu`, `cuda` or `cuda:N`; known before it is loaded."""
        return self._source.device

    @property
    def parameters(self) -> int | None:
        """Number of weights; None until the model is loaded."""
        return self._source.parameters

    def download_size(self) -> int | None:
        """Return the bytes still to be fetched, 0 when all is here, None when unknown."""
        return self._source.download_size()

    def weight_files(self) -> list[Path]:
        """Return the files of the weights. Raises UsageError and WeightsUnavailable."""
        return list(self._source.checkpoint.weights)

    def hub_repository(self) -> str | None:
        """Return the model on the hub, None for a folder."""
        return self._source.hub_repository()

    def load_weights(self) -> None:
        """Load the model, if that was not done before. Raises WeightsUnavailable and UsageError."""
        _ = self._source.model
