"""Lexical rules of Penn Treebank tokenisation, kept as a table so that the lexer is one loop over it.

Rules, abbreviations and their order of precedence are those of the lexer in Stanford CoreNLP 3.4.1 (PTBLexer.flex) with
its default options. Patterns are written over shapes. Group 1 of a match is the token, the rest is context that must
follow. The lexer repeats the full stop of an abbreviation that ends a sentence; here it is not, as it would be dropped.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from mmbench.benchmarks.metrics.caption import ptb_shapes as shapes


class Rule(NamedTuple):
    """Lexical rule: the pattern of a token and its output form."""

    pattern: re.Pattern[str]
    """Over shapes; the longest match wins, then the earlier rule."""
    write: Callable[[str], str]
    """From the characters of the text to the token; an empty one is dropped."""


def _raw(text: str) -> str:
    return text


def _drop(_: str) -> str:
    return ""


def _word(text: str) -> str:
    return text.replace(shapes.SOFT_HYPHEN, "") or "-"


def _one_piece(text: str) -> str:
    return text.replace(" ", shapes.NO_BREAK)


def _round_brackets(text: str) -> str:
    return _one_piece(text).replace("(", "-LRB-").replace(")", "-RRB-")


def _ampersand(text: str) -> str:
    return re.sub("(?i)&amp;", "&", text)


_QUOTES = {
    **dict.fromkeys("\x91‘‛‹", "`"),
    **dict.fromkeys("\x92’›", "'"),
    **dict.fromkeys("\x93“«", "``"),
    **dict.fromkeys('\x94”»"', "''"),
}


def _quotes(text: str) -> str:
    plain = text.replace("&apos;", "'").replace("&quot;", '"')
    return "".join(_QUOTES.get(character, character) for character in plain)


_NAMES = {
    **{"(": "-LRB-", ")": "-RRB-", "[": "-LSB-", "]": "-RSB-", "{": "-LCB-", "}": "-RCB-", "&lt;": "<", "&gt;": ">"},
    **{"¼": "1/4", "½": "1/2", "¾": "3/4", "⅓": "1/3", "⅔": "2/3", "---": "--", "----": "--"},
    **{"¢": "cents", "£": "#", "€": "$", "¤": "$", "₠": "$", "\x80": "$"},
}


def _name(text: str) -> str:
    return _NAMES.get(text.lower(), text)


_LETTERS = f"A-Za-z{shapes.LETTER}"
_DIGITS = f"0-9{shapes.DIGIT}"
_IN_WORD = f"{_LETTERS}{shapes.MARK}{shapes.SOFT_HYPHEN}"
_ACCENTED = "&[aeiouAEIOU](?i:acute|grave|uml);"
_LETTER = f"(?:[{_IN_WORD}]|{_ACCENTED})"
_CHARACTER = f"(?:[{_IN_WORD}{_DIGITS}]|{_ACCENTED})"
# Groups are never repeated possessively (`(...)*+`): Python before 3.11.5 then keeps half of a failed repetition.
_REST = f"(?:[{_IN_WORD}{_DIGITS}]++|{_ACCENTED})*"
_WORD = rf"{_LETTER}{_REST}(?:[.!?]{_LETTER}{_REST})*"
_PLAIN = f"[{_LETTERS}{_DIGITS}]"
BLANK = rf"[ \t{shapes.NO_BREAK}{shapes.WIDE_SPACE}]"
_SPACE = rf"[ \t{shapes.NO_BREAK}{shapes.WIDE_SPACE}\r\n\v\f]"
_PAUSE = f"[,;:{shapes.COMMA}]"
_APOSTROPHE = f"(?:['{shapes.CLOSING}]|(?i:&apos;))"
_ANY_APOSTROPHE = f"(?:['`{shapes.CLOSING}{shapes.OPENING}]|(?i:&apos;))"
_CLITIC = f"{_APOSTROPHE}(?:[msdMSD]|(?i:re|ve|ll))"
_NOT = f"(?i:n){_ANY_APOSTROPHE}(?i:t)"
_TAG_NAME = r"[A-Za-z][A-Za-z0-9_:.\-]*"
_TAG = (
    rf"""<(?:[!?][A-Za-z\-][^>\r\n]*|{_TAG_NAME}(?: +{_TAG_NAME}(?: *= *(?:'[^']*'|"[^"]*"))?)* */?|/{_TAG_NAME}) *>"""
)
_URL_PATH = r"""/[^ \t\n\f\r"<>|()]+[^ \t\n\f\r"<>|.!?(){},\-]"""
_WWW = r"""(?i:www)\.(?:[^ \t\n\f\r"<>|.!?(){},]+\.)+[a-zA-Z]{2,4}"""
_DOMAIN = r"""(?:[^ \t\n\f\r"`'<>|.!?(){},-_$]+\.)+(?i:com|net|org|edu)"""  # `,-_` is a range: no capitals, no digits
_AT_HOST = rf"""[^ \t\n\f\r"<>|(){{}}.{shapes.NO_BREAK}]+"""
_GAP = f"[- {shapes.NO_BREAK}]"
_PHONE = (
    rf"(?:\([0-9]{{2,3}}\)[ {shapes.NO_BREAK}]?|(?:\+\+?)?(?:[0-9]{{2,4}}{_GAP})?[0-9]{{2,4}}{_GAP})"
    rf"[0-9]{{3,4}}{_GAP}?[0-9]{{3,5}}"
    r"|(?:(?:\+\+?)?[0-9]{2,4}\.)?[0-9]{2,4}\.[0-9]{3,4}\.[0-9]{3,5}"
)
_COMPOUND = (
    rf"[A-Za-z0-9][A-Za-z0-9.,{shapes.SOFT_HYPHEN}]*"
    rf"(?:-(?:[A-Za-z](?:\.[A-Za-z])+\.|[A-Za-z0-9{shapes.SOFT_HYPHEN}]+))+"
)
_PREFIXED = rf"(?:[dDoOlL]{_ANY_APOSTROPHE}{_PLAIN})?{_PLAIN}+"
_THING = f"{_PREFIXED}(?:[-_{shapes.HYPHEN}]{_PREFIXED})*"
_CAPITALS = "[A-Z]+(?:(?:(?i:&amp;)|[+&])[A-Z]+)+"
_EXTENSION = (
    "(?i:bat|bmp|c|class|cgi|cpp|dll|doc|docx|exe|gif|gz|h|htm|html|jar|java|jpeg|jpg|mov|mp3|pdf|php|pl|png|ppt|ps|py"
    "|sql|tar|txt|wav|x|xml|zip)"
)
_ACRONYM = r"(?:(?i:(?:Canada|Sino|Korean|EU|Japan|non)-U\.S|U\.S\.-U\.(?:K|S\.S\.R))|[A-Za-z](?:\.[A-Za-z])*)"
_SENTENCE_STARTS = (
    "About According Additionally After An A As At But Earlier He Her Here However If In It Last Many More Mr. Ms. Now "
    "Once One Other Our She Since So Some Such That The Their Then There These They This We When While What Yet You"
)
_NEW_SENTENCE = "(?:{}|{})".format(
    "|".join(f"{word[0]}(?i:{re.escape(word[1:])})" for word in _SENTENCE_STARTS.split()), _TAG
)
_ABBREVIATIONS = (
    "(?i:jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|mon|tues?|wed|thu|thurs|fri"
    "|ala|ariz|calif|colo|conn|ct|dak|fla|ga|ind|kans?|ky|md|mich|minn|mo|mont|neb|nev|okla|penn|tenn|va|vt|wisc?|wyo"
    "|inc|cos?|corp|ltd|plc|rt|bancorp|bhd|assn|univ|intl|sys|tel|est|ext|sq"
    r"|jr|sr|bros|(?:ed|ph)\.d|blvd|rd|esq|etc|al|seq|bldg)"
    "|A(?i:z|rk)|D(?i:el)|I(?i:ll)|L(?i:a)|M(?i:ass|iss)|O(?i:re)|P(?i:a)|T(?i:ex)|W(?i:ash)|(?i:pp?t)[ye][sS]?"
)
_TITLES = (
    "(?i:mr|mrs|ms|drs?|profs?|sens?|reps?|attys?|lt|col|gen|messrs|govs?|adm|rev|maj|sgt|cpl|pvt|capt|ste?|ave|pres"
    "|lieut|hon|brig|co?mdr|pfc|spc|supts?|det|mt|ft|adj|adv|asst|assoc|ens|insp|mlle|mme|msgr|sfc"
    "|vs|alex|wm|jos|cie|cf|treas|ph|invt|elec|natl|dept)|M(?i:iss)|(?i:m)[ft](?i:g)"
)
_TITLE = f"(?:{_ACRONYM}|{_TITLES})"
_BEFORE_NUMBERS = "(?i:ca|figs?|prop|nos?|art|bldg|pp|op)"

_TABLE: tuple[tuple[str, Callable[[str], str]], ...] = (
    # words of their own, markup, plain words
    (r"(?i:(c\+\+|[cf]#))", _raw),
    (r"(?i:(can)not|('t)was|('t)is|(gon)na|(got)ta|(lem)me|(gim)me|(wan)na)", _raw),
    (f"({_TAG})", _one_piece),
    (f"({BLANK}+)", _drop),
    (f"((?i:&md;|&mdash;|&ndash;|&nbsp;)|{shapes.DASH})", _drop),
    ("((?i:&amp;))", _ampersand),
    ("((?i:&(?:HT|TL|UR|LR|QC|QL|QR|odq|cdq|#[0-9]+);))", _raw),
    (f"({_WORD}){_CLITIC}", _word),
    (f"([A-Za-z{shapes.SOFT_HYPHEN}]*[A-MO-Za-mo-z]{shapes.SOFT_HYPHEN}*){_NOT}", _word),
    (f"({_WORD})", _word),
    # apostrophes within
    (f"({_APOSTROPHE}(?i:n){_APOSTROPHE}?)", _raw),
    (f"([lLdDjJ]{_APOSTROPHE}|(?i:dunkin|somethin|ol){_APOSTROPHE}|{_APOSTROPHE}(?i:em|[2-9]0s|till?|cause))", _raw),
    (f"([A-HJ-XZn]{_ANY_APOSTROPHE}[{_LETTERS}]{{2,}})", _raw),
    (f"([{_LETTERS}]+[aeiouyAEIOUY]{_ANY_APOSTROPHE}[aeiouA-Z][{_LETTERS}]*)", _raw),
    (rf"((?i:cont'd\.?|nor'easter|c'mon|e'er|s'mores|ev'ry|li'l|nat'l|o{_ANY_APOSTROPHE}o))", _raw),
    (f"((?i:y){_APOSTROPHE})[{_LETTERS}]", _raw),
    # addresses
    (r"""((?i:https?)://[^ \t\n\f\r"<>|(){}]+[^ \t\n\f\r"<>|.!?(){},\-])""", _raw),
    (f"((?:{_WWW}|{_DOMAIN}){_URL_PATH}|{_WWW}|{_DOMAIN})", _raw),
    (
        rf"""((?:(?i:&lt;)|<)?[a-zA-Z0-9][^ \t\n\f\r"<>|(){{}}{shapes.NO_BREAK}]*@"""
        rf"(?:{_AT_HOST}\.)*{_AT_HOST}(?:(?i:&gt;)|>)?)",
        _raw,
    ),
    (f"(@[a-zA-Z_][a-zA-Z_0-9]*|#{_LETTER}+)", _raw),
    # clitics
    (f"({_CLITIC})[^A-Za-z]", _quotes),
    (f"({_NOT})[^A-Za-z]", _quotes),
    # numbers, slashes, money
    (rf"([{_DIGITS}]{{1,2}}[-/][{_DIGITS}]{{1,2}}[-/][{_DIGITS}]{{2,4}})", _raw),
    (
        rf"([-+]?(?:[{_DIGITS}]+|[.:,{shapes.SOFT_HYPHEN}{shapes.SEPARATOR}][{_DIGITS}]+)"
        rf"(?:[.:,{shapes.SOFT_HYPHEN}{shapes.SEPARATOR}][{_DIGITS}]+)*)",
        _word,
    ),
    (f"({shapes.RAISED_SIGN}?(?:{shapes.SUPERSCRIPT}+|{shapes.SUBSCRIPT}+))", _raw),
    (
        rf"((?:[{_DIGITS}]{{1,4}}{_GAP})?[{_DIGITS}]{{1,4}}(?:\\?/|{shapes.FRACTION_SLASH})[{_DIGITS}]{{1,4}})",
        _one_piece,
    ),
    (f"({shapes.FRACTION})", _name),
    (
        r"((?i:-(?:RRB|LRB|RCB|LCB|RSB|LSB)-|C\.D\.s|pro-|anti-|S(?:&|&amp;)(?:P-500|Ls)"
        rf"|cap{_APOSTROPHE}n|c{_APOSTROPHE}est))",
        _ampersand,
    ),
    (r"([A-Za-z0-9]+(?:-[A-Za-z]+){0,2}(?:\\?/[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}){1,2})", _raw),
    (r"([A-Z]*\$|#)", _raw),
    (f"({shapes.CURRENCY})", _name),
    # abbreviations, and words that a full stop or a blank makes special
    (rf"([A-Za-z])\.{_SPACE}+{_NEW_SENTENCE}{_SPACE}", _raw),
    (rf"({_ACRONYM}\.){_SPACE}+{_NEW_SENTENCE}{_SPACE}", _raw),
    (rf"({_BEFORE_NUMBERS}\.){_SPACE}?[0-9{shapes.DIGIT}]", _raw),
    (rf"((?i:pt[ey]|co)\.){BLANK}(?i:ltd|lim)", _raw),
    (rf"((?:{_ABBREVIATIONS})\.)(?s:.{{2}}|$)", _raw),  # outdoes a word of one more letter
    (rf"({_TITLE}\.)", _raw),
    (f"({_TITLE}){BLANK}", _raw),
    (f"({_ACRONYM}){_SPACE}", _raw),
    (f"({_APOSTROPHE}[0-9][0-9]){_SPACE}", _raw),
    (rf"({_CHARACTER}+(?:\.{_CHARACTER}+)*\.{_EXTENSION})(?:{_SPACE}|[.?!,])", _raw),
    (rf"({_WORD}\.){_PAUSE}", _word),
    (f"({_PHONE})", _round_brackets),
    # marks
    ('("|(?i:&quot;))', _quotes),
    ("([<>]|(?i:&[lg]t;))", _name),
    (r"([<>]?[:;=][-o*']?[()DPdpO\\{@|\[\]])[^A-Za-z0-9]", _round_brackets),
    (
        r"([-^x=~<>']_[-^x=~<>']|\([-^x=~<>'][_.]?[-^x=~<>']\)|\([\^x=~<>']-[\^x=~<>'`]\))",
        _round_brackets,
    ),
    (r"([(){}\[\]])", _name),
    ("(-+)", _name),
    (rf"(\.{{3,5}}|(?:\.[ {shapes.NO_BREAK}]){{2,4}}\.|{shapes.ELLIPSIS})", _drop),
    (r"(@+|#+|_+|\*+|(?:\\\*){1,3}|[?!]+)", _raw),
    (rf"([,;:{shapes.COMMA}.=/+%&~^|\\{shapes.SYMBOL}{shapes.RAISED_SIGN}{shapes.FRACTION_SLASH}]|<<|>>)", _raw),
    # hyphens within
    (rf"({_COMPOUND}\.){_PAUSE}", _word),
    (f"({_COMPOUND})", _word),
    (rf"({_THING}\.){_PAUSE}", _raw),
    (f"({_THING})", _raw),
    (rf"({_CAPITALS}\.){_PAUSE}", _ampersand),
    (f"({_CAPITALS})", _ampersand),
    # what is left of apostrophes
    (r"(')[A-Za-z][^ \t\n\r\xa0]", _drop),
    (f"({_CLITIC}|{_NOT})", _quotes),
    (f"('{{2}}|[`{shapes.OPENING}{shapes.CLOSING}{shapes.OTHER_QUOTE}]{{1,2}}|{_APOSTROPHE})", _quotes),
)


@cache  # on first use: plain captions need none of them, and to compile them takes longer than to read these
def rules() -> tuple[Rule, ...]:
    """Return all rules in order of precedence; where none matches, the lexer skips one character."""
    return tuple(Rule(re.compile(pattern), write) for pattern, write in _TABLE)


ABBREVIATED = re.compile(rf"(?i:{_TITLE}|{_ABBREVIATIONS}|{_BEFORE_NUMBERS})\.")
"""What a full stop may belong to; knows no case, so it holds more than the rules do."""

TWO_IN_ONE = frozenset(["cannot", "'twas", "'tis", "gonna", "gotta", "lemme", "gimme", "wanna"])
"""Words, in lower case, of two tokens each."""
