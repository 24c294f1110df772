"""Tokenizer of open_clip as a `tokenizer.json`, so that its tokens are had without open_clip and torch."""

import json
import re
import sys
from functools import cache
from typing import Any

from mmbench.harness.errors import UsageError

_CONTRACTIONS = ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d")


def tokenizer_json(tokenizer: Any) -> str:
    """Return the file for a `SimpleTokenizer`, whose cleaning stays a matter of Python. Raises UsageError."""
    if tokenizer.reduction_fn is not None:
        raise UsageError("its tokenizer draws which words of a long text it keeps, and no file can say that")
    specials = [tokenizer.decoder[number] for number in tokenizer.all_special_ids]
    if not all(re.fullmatch(r"[\w<>/-]+", special, re.ASCII) for special in specials):
        raise UsageError(f"its tokenizer has special tokens that are patterns too: {', '.join(specials)[:80]}")
    vocabulary, merges = {**tokenizer.encoder}, [*tokenizer.bpe_ranks]
    for special in specials:
        _spell(special, vocabulary, merges)
    start, end = (_template(tokenizer.decoder[n], n) for n in (tokenizer.sot_token_id, tokenizer.eot_token_id))
    return json.dumps(
        {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [],
            "normalizer": None,
            "pre_tokenizer": {
                "type": "Sequence",
                "pretokenizers": [
                    {"type": "Split", "pattern": {"Regex": _pattern(specials)}, "behavior": "Removed", "invert": True},
                    {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False},
                ],
            },
            "post_processor": {
                "type": "TemplateProcessing",
                "single": [start[0], {"Sequence": {"id": "A", "type_id": 0}}, end[0]],
                "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
                "special_tokens": {**start[1], **end[1]},
            },
            "decoder": None,
            "model": {
                "type": "BPE",
                "dropout": None,
                "unk_token": None,
                "continuing_subword_prefix": None,
                "end_of_word_suffix": "</w>",
                "fuse_unk": False,
                "byte_fallback": False,
                "ignore_merges": False,
                "vocab": vocabulary,
                "merges": [list(pair) for pair in merges],
            },
        },
        ensure_ascii=False,
    )


def _template(token: str, number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    place = {"SpecialToken": {"id": token, "type_id": 0}}
    return place, {token: {"id": token, "ids": [number], "tokens": [token]}}


def _spell(special: str, vocabulary: dict[str, int], merges: list[tuple[str, str]]) -> None:
    """Add merges, after all others, that make a special token of its characters where a text spells it.

    open_clip reads it so only where its pattern begins a piece there, which tokens added in the usual way do not heed.
    No other piece can meet these merges: letters and marks stand together in no other.
    """
    whole = special + "</w>"
    parts = _merged([*special[:-1], special[-1] + "</w>"], {pair: rank for rank, pair in enumerate(merges)})
    while len(parts) > 1:
        joined = parts[0] + parts[1]
        vocabulary.setdefault(joined, len(vocabulary))
        merges.append((parts[0], parts[1]))
        parts = [joined, *parts[2:]]
    vocabulary[whole] = vocabulary[special]


def _merged(parts: list[str], ranks: dict[tuple[str, str], int]) -> list[str]:
    while True:
        pairs = [(ranks[pair], at) for at, pair in enumerate(zip(parts, parts[1:], strict=False)) if pair in ranks]
        if not pairs:
            return parts
        _, at = min(pairs)
        parts = [*parts[:at], parts[at] + parts[at + 1], *parts[at + 2 :]]


def _pattern(specials: list[str]) -> str:
    """Return open_clip's pattern with each of its classes written out.

    Unicode grows, and two libraries for patterns need not know the same one: which characters are letters is what the
    library of open_clip says on the day of the export.
    """
    words = ["".join(_class(character) for character in word) for word in (*specials, *_CONTRACTIONS)]
    classes = (_class(r"[\p{L}]") + "+", _class(r"[\p{N}]"), _class(r"[^\s\p{L}\p{N}]") + "+")
    return "|".join((*words, *classes))


@cache
def _class(pattern: str) -> str:
    """Return the characters that a pattern of one character matches, whatever their case, as ranges."""
    import regex

    ranges: list[list[int]] = []
    for match in regex.finditer(pattern, _characters(), regex.IGNORECASE):
        code = ord(match[0])
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "[" + "".join(f"\\x{{{low:x}}}-\\x{{{high:x}}}" for low, high in ranges) + "]"


@cache
def _characters() -> str:
    return "".join(map(chr, (*range(0xD800), *range(0xE000, sys.maxunicode + 1))))
