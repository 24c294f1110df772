"""Kinds of models that transformers builds: what sets a dual encoder apart from the others, and language models."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mmbench.harness.digest import Json
from mmbench.harness.errors import UsageError, nearest


@dataclass(frozen=True, slots=True)
class Kind:
    """One architecture, named by `model_type` in its configuration."""

    texts: Literal["causal", "masked", "full"] | None
    """How far texts are padded. `causal`: read at the end token, behind which nothing matters. `masked`: padding is
    hidden from attention. `full`: always to the context length, without a mask, as it was trained. None: texts are
    embedded only together with a picture."""
    built_by: str = "AutoModel"
    """Name of the class in transformers."""
    most_tokens: int | None = None
    """Length to which texts were cut in training, where it is less than the model's positions."""
    lower: bool = False
    """True where texts were lower case in training, which not every saved tokenizer sees to."""
    likelihood: Literal["causal", "masked"] | None = None
    """How a language model tells the likelihood of a text; None for a dual encoder."""

    @property
    def sees(self) -> bool:
        """True where it takes pictures."""
        return self.likelihood is None

    @property
    def reads(self) -> bool:
        """True where it takes texts alone, so that a tokenizer is needed."""
        return self.texts is not None or self.likelihood is not None


KINDS: Mapping[str, Kind] = {
    "clip": Kind("causal"),
    "metaclip_2": Kind("causal"),
    "siglip": Kind("full", lower=True),
    "siglip2": Kind("full", lower=True),
    "align": Kind("masked", most_tokens=64),
    "chinese_clip": Kind("masked"),
    "blip": Kind("masked", built_by="BlipForImageTextRetrieval"),
    "xclip": Kind(None),
}

_LANGUAGE = (
    ("ForMaskedLM", Kind(None, "AutoModelForMaskedLM", likelihood="masked")),
    ("ForCausalLM", Kind(None, "AutoModelForCausalLM", likelihood="causal")),
    ("LMHeadModel", Kind(None, "AutoModelForCausalLM", likelihood="causal")),
)
"""Language models, by the end of the name of their class."""


def kind_of(config: Mapping[str, Json], label: str) -> tuple[str, Kind]:
    """Return the `model_type` of a configuration and what is known of it. Raises UsageError for one that is not."""
    name, classes = config.get("model_type"), config.get("architectures")
    made = [str(each) for each in classes] if isinstance(classes, list) else []
    if isinstance(name, str) and name in KINDS:
        kind = KINDS[name]
        if name == "blip" and made and kind.built_by not in made:
            raise UsageError(f"{label}: holds {', '.join(made)[:80]}; of BLIP, hf: reaches {kind.built_by}")
        return name, kind
    for end, kind in _LANGUAGE:
        if isinstance(name, str) and "vision_config" not in config and made and made[0].endswith(end):
            return name, kind
    hint = nearest(name, KINDS) if isinstance(name, str) else ""
    raise UsageError(
        f"{label}: a model of the type {str(name)[:80]!r}{hint}; hf: reaches dual encoders, {', '.join(KINDS)}, and "
        f"language models whose class ends in {', '.join(end for end, _ in _LANGUAGE)}"
    )
