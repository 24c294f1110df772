"""Texts to tokens without a model's library: cleaned in Python, split by the tokenizer saved beside the model."""

import html
import string
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmbench.harness.errors import UsageError
from mmbench.harness.regular import read_regular

_MOST_BYTES = 200_000_000
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def _mended(text: str) -> str:
    import ftfy

    return ftfy.fix_text(text)


STEPS: Mapping[str, Callable[[str], str]] = {
    "mend": _mended,
    "unescape": lambda text: html.unescape(html.unescape(text)).strip(),
    "punctuation": lambda text: text.replace("_", " ").translate(_PUNCTUATION),
    "lower": str.lower,
    "whitespace": lambda text: " ".join(text.split()),
}
"""Ways to clean a text, by the names under which a file lists them: `mend` undoes wrong decoding by ftfy, `unescape`
HTML, `punctuation` leaves out that of ASCII, `whitespace` makes each gap one space."""


class Words:
    """A `tokenizer.json` with the steps before it and the length behind it."""

    def __init__(self, file: Path, steps: Sequence[str], context: int) -> None:
        """Read the file. Raises UsageError."""
        try:
            from tokenizers import Tokenizer

            content = read_regular(file, _MOST_BYTES).decode("utf-8")
        except ImportError as error:
            raise UsageError(f"{file}: needs tokenizers, which cannot be imported ({error})") from error
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{file}: cannot be read ({error})") from error
        try:
            self._tokenizer: Any = Tokenizer.from_str(content)
        # It raises the plain class on a file that makes no sense, as its parser does on one nested without end.
        except Exception as error:
            raise UsageError(f"{file}: is no tokenizer ({str(error)[:200]})") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._steps = [STEPS[step] for step in steps]
        self._context = context

    def rows(self, texts: Sequence[str], *, cut: bool) -> list[list[int]]:
        """Return the token ids of each text; where `cut`, no more than the context, what ends a text kept."""
        return [self._row(each, cut) for each in self._tokenizer.encode_batch([*map(self._cleaned, texts)])]

    def _cleaned(self, text: str) -> str:
        for step in self._steps:
            text = step(text)
        return text

    def _row(self, encoding: Any, cut: bool) -> list[int]:
        ids: list[int] = list(encoding.ids)
        spare = len(ids) - self._context
        if not cut or spare <= 0:
            return ids
        added = encoding.special_tokens_mask
        end = len(ids)
        while end and added[end - 1]:
            end -= 1
        return ids[: max(end - spare, 0)] + ids[end:]
