"""Dual encoders of open_clip, named by a spec or handed over while they train."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import PIL.Image

from mmbench.adapters import device as devices
from mmbench.adapters import open_clip_recipe as recipes
from mmbench.adapters.open_clip_live import Live
from mmbench.adapters.open_clip_load import FromFiles
from mmbench.harness.abilities import ImageVectors, Prepared
from mmbench.harness.errors import OutOfMemory

T = TypeVar("T")
Vectors = npt.NDArray[np.float32]


class Source(Protocol):
    """Where model, transform and tokenizer come from: files, loaded when first asked, or memory."""

    @property
    def fingerprint(self) -> str:
        """Identity of the model."""

    @property
    def device(self) -> str:
        """Where the model runs: `cpu`, `cuda` or `cuda:N`."""

    @property
    def model(self) -> Any:
        """An open_clip model."""

    @property
    def preprocess(self) -> Callable[[Any], Any]:
        """PIL image to a (3, height, width) tensor."""

    @property
    def tokenizer(self) -> Any:
        """Texts to a (n, context) tensor of token ids."""

    def download_size(self) -> int | None:
        """Bytes still to be fetched."""


class OpenClip:
    """A dual encoder of open_clip: embeds pictures and texts.

    Vectors are raw outputs of `encode_image` and `encode_text`, float32 and not normalised. Made with a model, its
    inference transform and its tokenizer it describes their current state: parameters may change between calls, and
    training mode is restored after each. Made by `from_spec` it loads nothing until it must answer.
    """

    def __init__(self, model: Any, preprocess: Callable[[Any], Any], tokenizer: Any) -> None:
        self._source: Source = Live(model, preprocess, tokenizer)

    @classmethod
    def from_source(cls, source: Source) -> "OpenClip":
        """Return the adapter over a source; nothing is loaded."""
        adapter = cls.__new__(cls)
        adapter._source = source
        return adapter

    @property
    def fingerprint(self) -> str:
        """Identity of weights, architecture, preprocessing, tokenizer and dtype.

        Of a spec it is computed from files, fetched first where they are not here; raises WeightsUnavailable. Of a
        model in memory it is computed from the parameters each time it is read.
        """
        return self._source.fingerprint

    @property
    def device(self) -> str:
        """Where the model runs: `cpu`, `cuda` or `cuda:N`; known before it is loaded."""
        return self._source.device

    def download_size(self) -> int | None:
        """Return the bytes of weights still to be fetched, 0 when they are here, None when unknown."""
        return self._source.download_size()

    @property
    def logit_scale(self) -> float:
        """Factor of the cosines, the exponential of the learnt parameter; reading it loads the model."""
        return float(self._source.model.logit_scale.detach().float().exp())

    @property
    def logit_bias(self) -> float:
        """Added to the scaled cosines, 0 where the model has none; reading it loads the model."""
        bias = getattr(self._source.model, "logit_bias", None)
        return 0.0 if bias is None else float(bias.detach().float())

    def prepare_image(self, image: PIL.Image.Image) -> Prepared:
        """Return the (3, height, width) float32 tensor of a picture."""
        return self._source.preprocess(image)

    def embed_images(self, images: list[Prepared]) -> Vectors | ImageVectors:
        """Return (n, d) vectors of prepared pictures.

        A vision transformer with a projection also gives, from the same pass, the (n, width) vectors before it. Raises
        OutOfMemory, WeightsUnavailable and UsageError.
        """
        model = self._source.model
        return self._ask(lambda: _embed_images(model, images))

    def embed_texts(self, texts: list[str]) -> Vectors:
        """Return (n, d) vectors; texts beyond the context length are cut (see `truncates`).

        Raises OutOfMemory, WeightsUnavailable and UsageError.
        """
        model, tokenizer = self._source.model, self._source.tokenizer
        return self._ask(lambda: _embed_texts(model, tokenizer(texts)))

    def truncates(self, texts: list[str]) -> list[bool]:
        """Return True for each text with more tokens, start and end included, than the context length.

        A tokenizer that is a bare function cannot tell: False for all.
        """
        tokenizer = self._source.tokenizer
        inner = getattr(tokenizer, "tokenizer", None)
        if inner is not None:
            clips = tokenizer.tokenizer_mode == "clips"  # start, end and class token are then added by open_clip
            cleaned = [tokenizer.clean_fn(text) for text in texts]
            tokens = inner(cleaned, truncation=False, padding=False, add_special_tokens=not clips)["input_ids"]
            return [len(ids) + 3 * clips > tokenizer.context_length for ids in tokens]
        if not hasattr(tokenizer, "encode"):
            return [False] * len(texts)
        # A token covers at least one byte, and lower case makes no text longer than by half, so that short texts, which
        # are most, need no second look at their tokens.
        most = tokenizer.context_length - 2
        return [1.5 * len(text.encode()) > most and len(tokenizer.encode(text)) > most for text in texts]

    def _ask(self, question: Callable[[], T]) -> T:
        import torch

        modules = list(self._source.model.modules())
        training = [module for module in modules if module.training]
        if training:
            self._source.model.eval()
        try:
            with torch.inference_mode():
                return question()
        except RuntimeError as error:
            said = str(error)
            if not isinstance(error, torch.OutOfMemoryError) and not _is_cpu_memory(said):
                raise
        finally:
            # Module by module: a part that was frozen in eval mode must stay so.
            for module in training:
                module.training = True
        # Raised out here because a chained error would keep the frames, and with them the tensors, of the failed pass.
        raise OutOfMemory(said)


def from_spec(rest: str, *, device: str, dtype: str, offline: bool) -> OpenClip:
    """Return the adapter for what follows `open_clip:`; neither torch nor open_clip is imported.

    `rest` is `ARCH/TAG`, `ARCH/untrained`, `ARCH@CHECKPOINT` or a folder saved by open_clip; `device` is `auto`,
    `cpu`, `cuda` or `cuda:N`; `dtype` is `auto` (fp16 on a GPU), `fp32`, `fp16` or `bf16`. Raises UsageError.
    """
    recipe = recipes.parse(rest)
    device, dtype = devices.resolve(device, dtype)
    return OpenClip.from_source(FromFiles(recipe, device=device, dtype=dtype, offline=offline))


def _embed_images(model: Any, images: list[Prepared]) -> Vectors | ImageVectors:
    import torch

    visual = model.visual
    # The first convolution tells the input's device and dtype: at fp16 open_clip keeps other parameters float32.
    first = next((p for p in visual.parameters() if p.ndim == 4), None)
    like = next(visual.parameters()) if first is None else first
    batch = torch.empty((len(images), *images[0].shape), dtype=images[0].dtype, pin_memory=like.is_cuda)
    torch.stack(images, out=batch)
    batch = batch.to(like.device, non_blocking=True).to(like.dtype)
    if not _splits(visual):
        return _numpy(model.encode_image(batch, normalize=False))
    # The steps of VisionTransformer.forward, which gives only the projected vector; a test holds the two equal.
    pooled, _ = visual._pool(visual.transformer(visual._embeds(batch)))
    return ImageVectors(embedding=_numpy(pooled @ visual.proj), features=_numpy(pooled))


def _embed_texts(model: Any, tokens: Any) -> Vectors:
    from mmbench.adapters.open_clip_text import CausalTower

    tower = CausalTower.of(model)
    if tower is not None:
        return _numpy(tower.encode(tokens))
    return _numpy(model.encode_text(tokens.to(model.logit_scale.device), normalize=False))


def _splits(visual: Any) -> bool:
    from open_clip.transformer import VisionTransformer

    return type(visual) is VisionTransformer and visual.proj is not None


def _numpy(tensor: Any) -> Vectors:
    vectors: Vectors = tensor.float().cpu().numpy()
    return vectors


def _is_cpu_memory(message: str) -> bool:
    return "DefaultCPUAllocator" in message or "not enough memory" in message
