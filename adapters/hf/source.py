"""Model named by an `hf:` spec: files found or fetched, identity told from them, parts loaded when asked."""

import importlib.metadata
from functools import cached_property
from threading import Lock
from typing import Any

from mmbench.adapters.hf import load
from mmbench.adapters.hf.checkpoint import Checkpoint
from mmbench.adapters.hf.kinds import WRITERS, Kind
from mmbench.adapters.hf.spec import Asked, Place
from mmbench.adapters.shared.asking import count_parameters
from mmbench.harness.digest import digest_json
from mmbench.harness.errors import UsageError, WeightsUnavailable

ADAPTER_VERSION = 1
"""Raised whenever the same files would give other vectors, replies or likelihoods: which tokens of an option count, and
where it stands, is part of it."""

_LARGEST = 2
"""The id of the end token that configurations of CLIP had by mistake: the vector is then read at the largest id."""


class FromFiles:
    """A checkpoint of transformers: identified from files, loaded when first asked."""

    def __init__(self, place: Place, asked: Asked, *, device: str, dtype: str, offline: bool) -> None:
        self._place = place
        self.asked = asked
        self.device = device
        self.dtype = dtype
        self._offline = offline
        self._lock = Lock()
        self._model: Any = None

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """The files, fetched if need be and checked. Raises UsageError and WeightsUnavailable."""
        found = Checkpoint(self._place.find(self._offline), self._place.label)
        found.check()
        return found

    @property
    def label(self) -> str:
        """Name in messages."""
        return self._place.label

    @property
    def kind(self) -> Kind:
        """The model's kind."""
        return self.checkpoint.kind

    def check_here(self) -> None:
        """Raise UsageError where a folder on this machine cannot be used, before anything else is done."""
        installed()
        if self._place.folder is not None:
            self.checkpoint.check()
        kind = self.kind_at_once
        if kind is not None:
            _check_asked(self.label, kind, self.asked)

    @cached_property
    def kind_at_once(self) -> Kind | None:
        """The model's kind before its files are fetched; None where the hub cannot tell now. Raises UsageError."""
        if "checkpoint" in vars(self):
            return self.kind
        try:
            folder = self._place.described(self._offline)
        except WeightsUnavailable:
            return None  # told when the model is asked
        return Checkpoint(folder, self.label).kind

    @cached_property
    def fingerprint(self) -> str:
        """Identity of the model. Raises UsageError and WeightsUnavailable."""
        return digest_json(
            {
                "adapter": ["hf", ADAPTER_VERSION],
                # Minor releases rewrite the preparation of pictures, and with it the numbers.
                "transformers": ".".join(installed().split(".")[:2]),
                "backend": self.backend if self.kind.sees else None,
                "dtype": self.dtype,
                **self.checkpoint.identity(),
                **self.asked.given,
                **({"video": self.checkpoint.clips} if self.takes_clips else {}),
            }
        )

    @property
    def backend(self) -> str:
        """What prepares pictures, `pil` or `torchvision`: as asked for, as the checkpoint says, else `pil`.

        The plain name of a class says neither: it meant PIL where it was saved before transformers 5, as most were.
        """
        named = str(self.checkpoint.pictures.get("image_processor_type", ""))
        return self.asked.backend or ("torchvision" if named.endswith("Fast") else "pil")

    @property
    def takes_clips(self) -> bool:
        """True where it is shown a clip by its own input for clips, and not as pictures."""
        kind = self.kind_at_once
        own = kind is not None and kind.writes is not None and kind.writes.clips is not None
        return own and self.asked.video != "frames"

    @property
    def parameters(self) -> int | None:
        """Number of weights, None until the model is loaded."""
        return None if self._model is None else count_parameters(self._model)

    def download_size(self) -> int | None:
        """Bytes still to be fetched, None when unknown."""
        return self._place.missing_bytes(self._offline)

    def hub_repository(self) -> str | None:
        """Return the model on the hub, None for a folder."""
        return self._place.repository or None

    @property
    def model(self) -> Any:
        """The model, on its device and in eval mode. Raises MmbenchError."""
        with self._lock:
            if self._model is None:
                self._model = load.model(self.checkpoint, device=self.device, dtype=self.dtype)
            return self._model

    @cached_property
    def pictures(self) -> Any:
        """The image processor. Raises UsageError."""
        return load.image_processor(self.checkpoint, self.backend)

    @cached_property
    def processor(self) -> Any:
        """What prepares the pictures and the prompt of a model that writes. Raises UsageError."""
        return load.processor(self.checkpoint, self.backend, self.asked)

    @cached_property
    def texts(self) -> Any:
        """The tokenizer. Raises UsageError, also where the model would not find the end of its texts."""
        made = load.tokenizer(self.checkpoint)
        if self.kind.texts == "causal" or self.kind.beside:
            self._check_end(made)
        return made

    @property
    def padding(self) -> int:
        """Token that fills a text up. Raises UsageError where it matters and there is none."""
        found = self.texts.pad_token_id
        if found is None and self.kind.texts == "full":
            raise UsageError(f"{self.label}: its tokenizer has no padding token, which the model was trained with")
        return int(found or 0)  # elsewhere it is masked, or behind what is read

    def _check_end(self, tokenizer: Any) -> None:
        # The vector is read at the first end token or, in a configuration of before its id was mended, at the largest
        # id. Without an end token that would be the start token, the same for every text.
        ids = tokenizer("a", padding=False)["input_ids"]
        end = load.configuration(self.checkpoint).text_config.eos_token_id
        # X-CLIP reads at the largest id whatever its configuration says.
        largest = self.kind.beside or (end == _LARGEST and self.checkpoint.config["model_type"] == "clip")
        found = bool(ids) and (ids[-1] == max(ids) if largest else ids[-1] == end and ids.index(end) > 0)
        if not found:
            token = "of the largest id" if largest else str(end)
            raise UsageError(
                f"{self.label}: its tokenizer ends no text with the token {token}, at which the model reads; "
                f"save the tokenizer that it was trained with"
            )

    @cached_property
    def context(self) -> int:
        """Most tokens of a text."""
        config = load.configuration(self.checkpoint)
        told = getattr(getattr(config, "text_config", config), "max_position_embeddings", None)
        positions = int(told or self.texts.model_max_length)  # positions may be relative, without a last one
        most = min(positions, self.kind.most_tokens or positions)
        # A tokenizer that was saved without a length says one of 10^30.
        return most if self.kind.texts == "full" else min(most, int(self.texts.model_max_length))


def _check_asked(label: str, kind: Kind, asked: Asked) -> None:
    """Raise UsageError for an option that the model has no use for."""
    writes = kind.writes
    if asked.system is not None and not (writes and writes.chat):
        raise UsageError(f"{label}: no chat begins with a system prompt here; leave out system")
    if (asked.boxes or asked.points) and not writes:
        raise UsageError(f"{label}: only a model that writes writes boxes and points; leave out boxes and points")
    if asked.video and not (writes and writes.clips):
        own = ", ".join(name for name, each in WRITERS.items() if each.clips)
        raise UsageError(f"{label}: an input of their own for clips have {own}; leave out video")
    if (asked.max_pixels or asked.min_pixels) and not (writes and writes.sized):
        sized = ", ".join(name for name, each in WRITERS.items() if each.sized)
        raise UsageError(f"{label}: max_pixels and min_pixels are for {sized}; leave them out")


def installed() -> str:
    """Return the version of transformers, which is not imported. Raises UsageError where it is not installed."""
    try:
        return importlib.metadata.version("transformers")
    except importlib.metadata.PackageNotFoundError as error:
        raise UsageError("hf: models need transformers; pip install 'mmbench[hf]'") from error
