"""Adapter class for dual encoders of transformers."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import PIL.Image

from mmbench.adapters.hf import towers
from mmbench.adapters.hf.file_model import FileModel
from mmbench.adapters.shared import batches
from mmbench.adapters.shared.asking import ask
from mmbench.adapters.shared.lengths import call_cost, groups
from mmbench.harness.errors import AdapterError
from mmbench.harness.models.abilities import ImageVectors, Prepared

Vectors: TypeAlias = npt.NDArray[np.float32]


class DualEncoder(FileModel):
    """A dual encoder of transformers: embeds pictures and, unless it reads them beside a picture only, texts.

    Vectors are raw outputs of the towers, float32 and not normalised. Files are fetched and read when something of the
    model is first asked, the model is built when it must answer.
    """

    @property
    def logit_scale(self) -> float | None:
        """Factor of the cosines, None where the model has none; reading it loads the model."""
        return towers.logit_scale(self._source.model)

    @property
    def logit_bias(self) -> float:
        """Added to the scaled cosines, 0 where the model has none; reading it loads the model."""
        bias = getattr(self._source.model, "logit_bias", None)
        return 0.0 if bias is None else float(bias.detach().float())

    def prepare_image(self, image: PIL.Image.Image) -> Prepared:
        """Return the tensors that the checkpoint's own image processor makes of a picture."""
        made = self._source.pictures(images=[image], return_tensors="pt")
        # A processor of clips gives a clip of one frame.
        return {name: each.reshape(each.shape[-3:]) if each.ndim == 5 else each[0] for name, each in made.items()}

    def embed_images(self, images: list[Prepared]) -> Vectors | ImageVectors:
        """Return (n, d) vectors of prepared pictures, with the (n, e) ones before the projection where there is one.

        Raises OutOfMemory, WeightsUnavailable and UsageError.
        """
        model = self._source.model
        return ask(model, lambda: _embed_images(model, images))

    @property
    def embed_texts(self) -> Callable[[list[str]], Vectors] | None:
        """`(texts) -> (n, d)`; None where the model embeds texts only together with a picture.

        Texts beyond the context length are cut (see `truncates`). Raises OutOfMemory, WeightsUnavailable, UsageError.
        """
        kind = self._source.kind_at_once
        return self._embed_texts if kind is None or kind.texts is not None else None

    def truncates(self, texts: list[str]) -> list[bool]:
        """Return True for each text with more tokens, start and end included, than the model reads."""
        return [len(ids) > self._source.context for ids in self.tokens(texts, cut=False)]

    def _embed_texts(self, texts: list[str]) -> Vectors:
        model, rows = self._source.model, self.tokens(texts, cut=True)
        return ask(model, lambda: as_numpy(self.token_vectors(model, rows)))

    def tokens(self, texts: list[str], *, cut: bool) -> list[list[int]]:
        """Return the token ids of each text; where `cut`, no more than the model reads."""
        source = self._source
        given = [text.lower() for text in texts] if source.kind.lower else texts
        with self._tokenizing:  # whether it cuts is a state of the tokenizer
            found: list[list[int]] = source.texts(
                given,
                truncation=cut,
                max_length=source.context if cut else None,
                padding=False,
                return_attention_mask=False,
                return_token_type_ids=False,
                verbose=False,
            )["input_ids"]
        return found

    def token_vectors(self, model: Any, rows: list[list[int]]) -> Any:
        """Return a (n, d) tensor of the vectors of token ids; call it under `inference_mode`."""
        import torch

        source, device = self._source, model.device
        if max(map(max, filter(None, rows)), default=0) >= model.config.text_config.vocab_size:
            raise AdapterError(f"{source.label}: its tokenizer makes tokens that the model does not know")
        parts: list[Any] = []
        order: list[int] = []
        whole = source.kind.texts == "full"
        batches = [([*range(len(rows))], source.context)] if whole else groups([*map(len, rows)], call_cost(device))
        for chosen, longest in batches:
            ids = torch.full((len(chosen), longest), source.padding)
            for at, row in enumerate(chosen):
                ids[at, : len(rows[row])] = torch.tensor(rows[row])
            inputs = {"input_ids": ids.to(device)}
            if source.kind.texts == "masked":
                lengths = torch.tensor([len(rows[row]) for row in chosen])
                inputs["attention_mask"] = (torch.arange(longest) < lengths[:, None]).long().to(device)
            parts.append(towers.texts(model, inputs))
            order.extend(chosen)
        return torch.cat(parts)[torch.tensor(order).argsort().to(device)]


def _embed_images(model: Any, images: list[Prepared]) -> Vectors | ImageVectors:
    like = batches.first_filter(model)
    inputs = {name: batches.stacked([each[name] for each in images], like) for name in images[0]}
    inputs = {name: each.to(model.dtype) if each.is_floating_point() else each for name, each in inputs.items()}
    embedding, features = towers.images(model, inputs)
    if features is None:
        return as_numpy(embedding)
    return ImageVectors(embedding=as_numpy(embedding), features=as_numpy(features))


def as_numpy(tensor: Any) -> Vectors:
    """Return a tensor as float32 in main memory."""
    vectors: Vectors = tensor.float().cpu().numpy()
    return vectors
