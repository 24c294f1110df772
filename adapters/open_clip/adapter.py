"""Adapter class for open_clip models, named by a spec or passed in memory while they train."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image

from mmbench.adapters.open_clip import recipe as recipes
from mmbench.adapters.open_clip import towers
from mmbench.adapters.open_clip.coca.captioner import Captioner, ToScore, ToWrite
from mmbench.adapters.open_clip.coop.learner import PromptLearner
from mmbench.adapters.open_clip.live import Live
from mmbench.adapters.open_clip.load import FromFiles
from mmbench.adapters.open_clip.source import Source, stacked
from mmbench.adapters.shared import device as devices
from mmbench.adapters.shared.asking import ask
from mmbench.harness.digest import digest_json
from mmbench.harness.errors import UsageError
from mmbench.harness.models.abilities import Array, Generation, ImageVectors, Prepared

Vectors = npt.NDArray[np.float32]
TunePrompts = Callable[[Sequence[str], Array, Array, Mapping[str, float], int], Vectors]
EstimateTuning = Callable[[Sequence[str], int, Mapping[str, float]], float]

_OPTION = re.compile(r",(beams|weights|interpolate|compile)=([^,]*)$")


class OpenClip:
    """A dual encoder of open_clip: embeds pictures and texts. A CoCa also scores and writes texts (see `Captioner`).

    Prompts can be learnt through a causal text tower (see `PromptLearner`). Vectors are raw outputs of `encode_image`
    and `encode_text`, float32 and not normalised. Made with a model, its inference transform and its tokenizer it
    describes their current state: parameters may change between calls, and training mode is restored after each. Made
    by `from_spec` it loads nothing until it must answer. With more than one of `beams` CoCa's replies are found by beam
    search.
    """

    prepares_once = True
    """Prepared tensors are copied into batches, and nothing writes to them."""
    score_texts: Callable[[list[ToScore]], list[list[float]]] | None = None
    """`Captioner.score_texts` where the model is a CoCa, else None."""
    generate: Callable[[list[ToWrite], Generation], list[str]] | None = None
    """`Captioner.generate` where the model is a CoCa, else None."""
    takes_one_picture = False
    """True where the model is a CoCa."""
    tune_prompts: TunePrompts | None = None
    """`PromptLearner.tune_prompts` where the text tower is open_clip's own and causal, else None."""
    estimate_tuning: EstimateTuning | None = None
    """`PromptLearner.estimate_tuning` under the same condition, else None."""

    def __init__(self, model: Any, preprocess: Callable[[Any], Any], tokenizer: Any, *, beams: int = 1) -> None:
        self._begin(Live(model, preprocess, tokenizer), beams)

    @classmethod
    def from_source(cls, source: Source, beams: int = 1) -> "OpenClip":
        """Return the adapter over a source; nothing is loaded. Raises UsageError."""
        adapter = cls.__new__(cls)
        adapter._begin(source, beams)
        return adapter

    def _begin(self, source: Source, beams: int) -> None:
        if beams < 1:
            raise UsageError(f"beams is {beams}; it must be 1 (greedy decoding) or more")
        if beams > 1 and not source.captions:
            raise UsageError(f"beams is {beams}, and the model writes no texts; leave it out")
        self._source = source
        self._beams = beams
        self._whole: frozenset[str] = frozenset()
        """Texts last embedded that were not cut, as their tokens told; to make these again takes as long as before."""
        if source.captions:
            captioner = Captioner(source, beams)
            self.score_texts, self.generate = captioner.score_texts, captioner.generate
            self.cuts_answer = captioner.cuts_answer
            self.takes_one_picture = True
        if source.tunes:
            learner = PromptLearner(source)
            self.tune_prompts, self.estimate_tuning = learner.tune_prompts, learner.estimate_tuning

    @property
    def source(self) -> Source:
        """Model, transform and tokenizer."""
        return self._source

    @property
    def fingerprint(self) -> str:
        """Identity of weights, architecture, preprocessing, tokenizer, dtype and, where more than one, beams.

        Of a spec it is computed from files, fetched first where they are not here; raises WeightsUnavailable. Of a
        model in memory it is computed from all that it is made of each time it is read; where a part cannot be
        identified it is another one each time, and `notes` say so.
        """
        model = self._source.fingerprint
        return model if self._beams == 1 else digest_json({"model": model, "beams": self._beams})

    @property
    def notes(self) -> tuple[str, ...]:
        """What each record of the model says of it."""
        return self._source.notes

    @property
    def device(self) -> str:
        """Device of the model: `cpu`, `cuda` or `cuda:N`; known before it is loaded."""
        return self._source.device

    @property
    def parameters(self) -> int | None:
        """Number of weights of both towers and the decoder; None until the model is loaded."""
        return self._source.parameters

    def download_size(self) -> int | None:
        """Return the bytes of weights still to be fetched, 0 when they are here, None when unknown."""
        return self._source.download_size()

    def weight_files(self) -> list[Path]:
        """Return the checkpoint, where there is one. Raises WeightsUnavailable."""
        return self._source.weight_files()

    def hub_repository(self) -> str | None:
        """Return the repository of the hub that the weights come from, None for others."""
        return self._source.hub_repository()

    def load_weights(self) -> None:
        """Load model and tokenizer, if that was not done before. Raises WeightsUnavailable and UsageError."""
        _ = self._source.model, self._source.tokenizer

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
        return ask(model, lambda: _embed_images(model, images))

    def embed_texts(self, texts: list[str]) -> Vectors:
        """Return (n, d) vectors; texts beyond the context length are cut (see `truncates`).

        Raises OutOfMemory, WeightsUnavailable and UsageError.
        """
        model, tokenizer = self._source.model, self._source.tokenizer
        tokens = tokenizer(texts)
        self._whole = _whole(tokenizer, texts, tokens)
        return ask(model, lambda: _embed_texts(model, tokens))

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
        whole = self._whole
        return [
            1.5 * len(text.encode()) > most and text not in whole and len(tokenizer.encode(text)) > most
            for text in texts
        ]


def from_spec(rest: str, *, device: str, dtype: str, offline: bool) -> OpenClip:
    """Return the adapter for what follows `open_clip:`; neither torch nor open_clip is imported.

    `rest` is `ARCH/TAG`, `ARCH/untrained`, `ARCH@CHECKPOINT` or a folder saved by open_clip; `,beams=N` behind it makes
    a CoCa write by beam search, `,weights=NAME` chooses among the sets of weights of a checkpoint, and
    `,interpolate=true` takes one of another resolution or context length; `,compile=true` compiles the image tower,
    whose kernels then differ as those of another device do, so that it stays the same model. `device` is `auto`,
    `cpu`, `cuda` or `cuda:N`; `dtype` is `auto` (fp16 on a GPU), `fp32`, `fp16` or `bf16`. Raises UsageError.
    """
    named, asked = _options(rest)
    if not re.fullmatch(r"[0-9]{1,4}", asked.get("beams", "1")):
        raise UsageError(f"open_clip:{rest}: beams is a whole number, as in ,beams=6")
    for name in ("interpolate", "compile"):
        if asked.get(name, "true") not in ("true", "false"):
            raise UsageError(f"open_clip:{rest}: {name} is true or false, as in ,{name}=true")
    recipe = recipes.parse(named, chosen=asked.get("weights"), interpolate=asked.get("interpolate") == "true")
    device, dtype = devices.resolve(device, dtype)
    compiled = asked.get("compile") == "true"
    source = FromFiles(recipe, device=device, dtype=dtype, offline=offline, compiled=compiled)
    return OpenClip.from_source(source, int(asked.get("beams", "1")))


def _options(rest: str) -> tuple[str, dict[str, str]]:
    """Return a spec without the options behind it, and these.

    >>> _options("RN50@a.pt,weights=ema,beams=2")
    ('RN50@a.pt', {'beams': '2', 'weights': 'ema'})
    """
    found: dict[str, str] = {}
    while match := _OPTION.search(rest):
        if match[1] in found:
            raise UsageError(f"open_clip:{rest}: {match[1]} is given twice")
        found[match[1]] = match[2]
        rest = rest[: match.start()]
    return rest, found


def _embed_images(model: Any, images: list[Prepared]) -> Vectors | ImageVectors:
    embedding, features = towers.images(model, stacked(model.visual, images))
    if features is None:
        return _numpy(embedding)
    return ImageVectors(embedding=_numpy(embedding), features=_numpy(features))


def _embed_texts(model: Any, tokens: Any) -> Vectors:
    from mmbench.adapters.open_clip.text_tower import CausalTower

    tower = CausalTower.of(model)
    if tower is not None:
        return _numpy(tower.encode(tokens))
    return _numpy(model.encode_text(tokens.to(model.logit_scale.device), normalize=False))


def _whole(tokenizer: Any, texts: list[str], tokens: Any) -> frozenset[str]:
    """Return the texts behind whose tokens there is padding; none of a tokenizer that may cut otherwise."""
    from open_clip.tokenizer import SimpleTokenizer

    if type(tokenizer) is not SimpleTokenizer:
        return frozenset()
    padded = (tokens[:, -1] != tokenizer.eot_token_id).tolist()  # a text that fills its row ends with the end token
    return frozenset(text for text, is_padded in zip(texts, padded, strict=True) if is_padded)


def _numpy(tensor: Any) -> Vectors:
    vectors: Vectors = tensor.float().cpu().numpy()
    return vectors
