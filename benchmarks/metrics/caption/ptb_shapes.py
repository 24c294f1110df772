"""Character shapes that Penn Treebank rules distinguish, so that those rules stay short and fast.

The ranges are those of the lexer in Stanford CoreNLP 3.4.1 (PTBLexer.flex), which knows no character beyond U+FFFF.
"""

import re
import unicodedata

LETTER, MARK, DIGIT, SYMBOL, CURRENCY = "é", "\u0301", "٣", "©", "¢"
DASH, HYPHEN, ELLIPSIS, COMMA = "–", "‐", "…", "、"
OPENING, CLOSING, OTHER_QUOTE = "‘", "’", "“"
FRACTION, FRACTION_SLASH, SUPERSCRIPT, SUBSCRIPT, RAISED_SIGN = "½", "⁄", "²", "₂", "⁺"
SEPARATOR, SOFT_HYPHEN, NO_BREAK, WIDE_SPACE, LINE_END = "٫", "\xad", "\xa0", "\u2003", "\v"
NOTHING, UNKNOWN = "\0", "\x01"

_ITSELF = (ELLIPSIS, COMMA, FRACTION_SLASH, SOFT_HYPHEN, NO_BREAK)

_NEWER = re.compile(  # letters of scripts as they grew after Unicode 6.2, on whose tables the lexer was built
    r"[\u037f-\u0383\u0528-\u0530\u0560\u0588\u05eb-\u05ef\u085f-\u088f\u08a1\u08ad-\u08c9\u0978\u0980\u09fc"
    r"\u0af2-\u0af9\u0c34\u0c5a-\u0c5f\u0c80\u0cd7-\u0cdd\u0d04\u0d50-\u0d5f\u0de0-\u0df1\u0e85\u0e86\u0e89\u0e8b"
    r"\u0e8c\u0e8e-\u0e93\u0e98\u0ea0\u0ea8\u0ea9\u0eac\u13f5-\u13ff\u16f1-\u16ff\u170d\u1716-\u171f\u1878-\u187f"
    r"\u191d-\u191f\u19ac-\u19c0\u19c8-\u19cf\u1b4c-\u1b4f\u1c80-\u1cbf\u1cf2\u1cf3\u1cfa-\u1cff\u2c2f\u2c5f"
    r"\u312e-\u3130\u31bb-\u31bf\u4db6-\u4dbf\u9fcd-\u9fff\ua698-\ua69d\ua78f\ua794-\ua79f\ua7ab-\ua7f7\ua8fd"
    r"\ua8fe\ua9e0-\ua9ff\uaa7e\uaa7f\uab2f-\uabbf]"
)
_RANGES = (  # the first that holds a character decides
    (OPENING, r"\x91\u2018\u201b"),
    (CLOSING, r"\x92\u2019"),
    (OTHER_QUOTE, r"\x93\x94\xab\xbb\u201a\u201c-\u201f\u2039\u203a"),
    (DASH, r"\x96\x97\u2013-\u2015"),
    (HYPHEN, r"\u058a\u2010\u2011"),
    (CURRENCY, r"\x80\xa2-\xa5\u060b\u0e3f\u20a0\u20a4\u20ac\uffe0\uffe1\uffe5\uffe6"),
    (FRACTION, r"\xbc-\xbe\u2153-\u215e"),
    (SUPERSCRIPT, r"\xb2\xb3\xb9\u2070\u2074-\u2079"),
    (SUBSCRIPT, r"\u2080-\u2089"),
    (RAISED_SIGN, r"\u207a\u207b\u208a\u208b"),
    (SEPARATOR, r"\u066b\u066c"),
    (WIDE_SPACE, r"\u2000-\u200a\u3000"),
    (LINE_END, r"\x85\u2028\u2029"),
    (NOTHING, r"\u200b\u200e\u200f\ufeff"),
    (
        MARK,
        r"\u02c2-\u02c5\u02d2-\u02df\u02e5-\u036f\u0375\u0378\u0379\u0384\u0385\u03f6\u0483-\u0487\u055a-\u055f"
        r"\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0615-\u061a\u064b-\u065e\u0670\u06d6-\u06ed\u06fd\u06fe"
        r"\u070f\u0711\u0730-\u074c\u07a6-\u07b0\u07eb-\u07f3\u0900-\u0903\u093c-\u094e\u0951-\u0955\u0962\u0963"
        r"\u0981-\u0983\u09bc-\u09c4\u09c7\u09c8\u09cb-\u09cd\u09d7\u09e2\u09e3\u0a01-\u0a03\u0a3c\u0a3e-\u0a4f"
        r"\u0a81-\u0a83\u0abc-\u0acf\u0b82\u0bbe-\u0bc2\u0bc6-\u0bc8\u0bca-\u0bcd\u0c01-\u0c03\u0c3e-\u0c56"
        r"\u0d3e-\u0d44\u0d46-\u0d48\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecd",
    ),
    (
        SYMBOL,
        r"\xa1\xa6-\xa9\xac\xae-\xb1\xb4\xb6-\xb8\xbf\xd7\xf7\u037e\u0387\u0589\u05be\u05c0\u05c3\u05c6\u05f3\u05f4"
        r"\u0600-\u0603\u0606-\u060a\u060c\u0614\u061b\u061e\u061f\u066a\u066d\u06d4\u0700-\u070d\u07f6-\u07f8"
        r"\u0964\u0965\u0e4f\u1fbd\u2016\u2017\u2020-\u2023\u2030-\u2038\u203b\u203e-\u2042\u207c-\u207e\u208c-\u208e"
        r"\u2100-\u214f\u2190-\u2bff\u3002\u3012\u30fb\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65",
    ),
)


class _Shapes(dict[int, str]):
    """Maps a code point to the character that stands for its kind; each is looked up once."""

    def __missing__(self, code: int) -> str:
        self[code] = shape = _shape(chr(code))
        return shape


def _shape(character: str) -> str:
    if character.isascii() or character in _ITSELF:
        return character
    if character > "\uffff" or _NEWER.match(character):
        return UNKNOWN
    category = unicodedata.category(character)
    if category[0] == "L":
        return LETTER
    if category == "Nd":
        return DIGIT
    return next((shape for shape, ranges in _RANGES if re.match(f"[{ranges}]", character)), UNKNOWN)


_SHAPES = _Shapes()


def shape_of(text: str) -> str:
    """Return a text of the same length in which one character stands for all that are lexed alike.

    >>> shape_of("Ünï 5€ ½")
    'éné 5¢ ½'
    """
    return text.translate(_SHAPES)
