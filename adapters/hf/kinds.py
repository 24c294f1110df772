"""Kinds of models that transformers builds: dual encoders, models that write about pictures, and language models."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mmbench.harness.digest import Json
from mmbench.harness.errors import UsageError


@dataclass(frozen=True, slots=True)
class Clips:
    """Input of its own for clips, with tokens of its own in the chat template."""

    timed: bool = False
    """True where it is told when each frame is shown."""
    apiece: bool = False
    """True where its processor takes clips or pictures in a question, and not both."""
    any_length: bool = False
    """True where clips of one question may differ in how many frames they have."""
    as_one: bool = False
    """True where limits of size are of all frames together, and not of each."""


@dataclass(frozen=True, slots=True)
class Writes:
    """How a model that writes about pictures is asked, and which of its questions may share a pass."""

    picture: str | None = "image_token"
    """Member of its processor that says which text stands for a picture; None where a prompt holds none."""
    chat: bool = True
    """True where the checkpoint's chat template puts pictures and prompt into words, False where the prompt is asked as
    it is. Only with a template can it be asked without a picture."""
    one: bool = False
    """True where a question shows exactly one picture."""
    padded: bool = True
    """True where prompts filled up to a common length get the replies that they get alone. Else only prompts of one
    length share a pass."""
    apart: bool = False
    """True where the tokens of an answer do not depend on the prompt, from which it was read apart in training. What
    an encoder reads is always apart."""
    sized: bool = False
    """True where pictures are shrunk to at most so many pixels, which `max_pixels` sets."""
    clips: Clips | None = None
    """Its input for clips; None where it has none, so that it is shown their frames as pictures."""
    boxes: str | None = None
    """Convention by which it was trained to write boxes; None where that is not known."""


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
    beside: bool = False
    """True where texts have a vector only beside a clip, on which it depends."""
    likelihood: Literal["causal", "masked"] | None = None
    """How a language model tells the likelihood of a text; None for any other."""
    writes: Writes | None = None
    """How a model that writes about pictures is asked; None for any other."""

    @property
    def sees(self) -> bool:
        """True where it takes pictures."""
        return self.likelihood is None

    @property
    def reads(self) -> bool:
        """True where it takes texts or a prompt, so that a tokenizer is needed."""
        return self.texts is not None or self.beside or self.likelihood is not None or self.writes is not None


KINDS: Mapping[str, Kind] = {
    "clip": Kind("causal"),
    "metaclip_2": Kind("causal"),
    "siglip": Kind("full", lower=True),
    "siglip2": Kind("full", lower=True),
    "align": Kind("masked", most_tokens=64),
    "chinese_clip": Kind("masked"),
    "blip": Kind("masked", built_by="BlipForImageTextRetrieval"),
    "xclip": Kind(None, beside=True),
}
"""Dual encoders."""

_QWEN_3 = Clips(timed=True, any_length=True, as_one=True)

WRITERS: Mapping[str, Writes] = {
    "llava": Writes(boxes="unit"),
    "llava_next": Writes(),
    "llava_onevision": Writes(clips=Clips()),
    "llava_next_video": Writes(clips=Clips()),
    "video_llava": Writes(clips=Clips()),
    "qwen2_vl": Writes(sized=True, clips=Clips(any_length=True), boxes="thousand"),
    "qwen2_5_vl": Writes(sized=True, clips=Clips(timed=True, any_length=True), boxes="qwen2.5-vl"),
    "qwen3_vl": Writes(sized=True, clips=_QWEN_3, boxes="thousand"),
    "qwen3_vl_moe": Writes(sized=True, clips=_QWEN_3, boxes="thousand"),
    "smolvlm": Writes(clips=Clips(timed=True, apiece=True)),
    "idefics3": Writes(),
    "internvl": Writes(clips=Clips(), boxes="thousand"),
    "gemma3": Writes(picture="boi_token", boxes="thousand-yxyx"),
    "paligemma": Writes(chat=False, apart=True, boxes="paligemma"),
    "blip-2": Writes(picture=None, chat=False, one=True),
    "blip": Writes(picture=None, chat=False, one=True, padded=False, apart=True),
    "florence2": Writes(picture=None, chat=False, one=True, boxes="florence-2"),
}
"""Models that write about pictures."""
_WRITER = "ForConditionalGeneration"

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
    if isinstance(name, str) and name in WRITERS and (name not in KINDS or any(_WRITER in each for each in made)):
        if "vision_config" not in config or not all(each.endswith(_WRITER) for each in made):
            raise UsageError(
                f"{label}: holds {', '.join(made)[:80] or 'weights in a form of their own'}; of {name}, hf: reaches "
                f"the class that ends in {_WRITER}, with its vision_config"
            )
        return name, Kind(None, "AutoModelForImageTextToText", writes=WRITERS[name])
    if isinstance(name, str) and name in KINDS:
        kind = KINDS[name]
        if name == "blip" and made and kind.built_by not in made:
            raise UsageError(
                f"{label}: holds {', '.join(made)[:80]}; of BLIP, hf: reaches {kind.built_by} and Blip{_WRITER}"
            )
        return name, kind
    for end, kind in _LANGUAGE:
        if isinstance(name, str) and "vision_config" not in config and made and made[0].endswith(end):
            return name, kind
    held = f" ({', '.join(made)[:80]})" if made else ""
    raise UsageError(
        f"{label}: a model of the type {str(name)[:80]!r}{held}; hf: reaches dual encoders, {', '.join(KINDS)}, models "
        f"that write about pictures, {', '.join(WRITERS)}, and language models whose class ends in "
        f"{', '.join(end for end, _ in _LANGUAGE)}; ask any other through a server of its own, as api:MODEL"
    )
