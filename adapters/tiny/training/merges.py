"""Vocabulary of whole words, so that a model with a few hundred tokens can read and write the scenes' grammar."""

import gzip
import io
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

_HEADER = "#version: 0.2"
_END = "</w>"


def words_of(texts: Iterable[str]) -> list[str]:
    """Return the distinct words of some texts as open_clip's tokenizer splits them, sorted."""
    import re

    from open_clip.tokenizer import SimpleTokenizer

    tokenizer = SimpleTokenizer()
    found: set[str] = set()
    for text in set(texts):
        found.update(match.group() for match in tokenizer.pat.finditer(tokenizer.clean_fn(text)))
    return sorted(word for word in found if not re.fullmatch(r"<.*_of_text>", word))


def merges_of(words: Iterable[str]) -> list[tuple[str, str]]:
    """Return byte pair merges, in order, after which every word is one token (Sennrich et al. 2016).

    The pair that most words share is merged first, ties by the pair itself. Bytes stay tokens, so that other words can
    still be spelled.

    >>> merges_of(["red", "read"])
    [('r', 'e'), ('a', 'd</w>'), ('re', 'ad</w>'), ('re', 'd</w>')]
    """
    from open_clip.tokenizer import bytes_to_unicode

    letters = bytes_to_unicode()
    spelled = []
    for word in sorted(set(words)):
        symbols = [letters[byte] for byte in word.encode()]
        spelled.append([*symbols[:-1], symbols[-1] + _END])
    merges = []
    while pairs := Counter(pair for word in spelled for pair in set(zip(word, word[1:], strict=False))):
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        spelled = [_joined(word, best) for word in spelled]
    return merges


def _joined(word: list[str], pair: tuple[str, str]) -> list[str]:
    joined: list[str] = []
    rest = iter(range(len(word)))
    for at in rest:
        if tuple(word[at : at + 2]) == pair:
            joined.append(word[at] + word[at + 1])
            next(rest)
        else:
            joined.append(word[at])
    return joined


def write(texts: Iterable[str], file: Path) -> int:
    """Write the merges of all words of some texts, the same bytes for the same words, and return how many there are."""
    merges = merges_of(words_of(texts))
    content = "\n".join((_HEADER, *map(" ".join, merges)))
    packed = io.BytesIO()
    # A time stamp or a file name in the header would change the digest of an equal vocabulary.
    with gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=0) as stream:
        stream.write(content.encode())
    file.write_bytes(packed.getvalue())
    return len(merges)
