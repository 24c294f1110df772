"""What is exported of a dual encoder, whichever library it is of."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mmbench.adapters.onnx.manifest import Text
from mmbench.adapters.shared.preparation import Preparation


@dataclass(frozen=True, slots=True)
class Exportable:
    """Both towers as modules of torch, the preparation of pictures, and the tokenizer."""

    adapter: Any
    """The adapter that the exported folder must equal."""
    image: Any
    """(n, 3, height, width) to (n, d), or to that and the (n, e) vectors before the projection."""
    features: bool
    """Whether it gives both."""
    text: Any
    """(n, length) token ids, and the mask of them where `texts.mask`, to (n, d)."""
    preparation: Preparation
    prepared: Callable[[Any], Any]
    """Picture of PIL to the (3, height, width) array that the source makes of it."""
    tokenizer: str
    """The content of `tokenizer.json`."""
    texts: Text
    tokens: Callable[[list[str]], list[list[int]]]
    """Texts to the tokens that the source makes of them, with or without padding behind."""
    notes: tuple[str, ...] = ()
    """What a person should know of what is left out."""
