"""VQAv2 accuracy, equal to the official script, whose irregular rules decide which answers are equal."""

import re
from collections.abc import Sequence
from functools import lru_cache

from mmbench.benchmarks.metrics.answers import require_texts

# The tables of PythonEvaluationTools/vqaEvaluation/vqaEval.py in github.com/GT-Vision-Lab/VQA, odd entries included.

MARKS = frozenset(';/[]"{}()=+\\_-><@`,?!')
"""Punctuation that is replaced; any other, such as `: ' & % $ #` and all beyond ASCII, stays."""

ARTICLES = frozenset({"a", "an", "the"})
"""Words that are dropped."""

NUMBER_WORDS = {
    "none": "0",
    "zero": "0",
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "nine": "9",
    "ten": "10",
}
"""Words that become digits."""

CONTRACTIONS: dict[str, str] = dict(
    re.findall(
        r"(\S+):(\S+)",
        """
    aint:ain't arent:aren't cant:can't couldve:could've couldnt:couldn't couldn'tve:couldn't've
    couldnt've:couldn't've didnt:didn't doesnt:doesn't dont:don't hadnt:hadn't hadnt've:hadn't've hadn'tve:hadn't've
    hasnt:hasn't havent:haven't hed:he'd hed've:he'd've he'dve:he'd've hes:he's howd:how'd howll:how'll hows:how's
    Id've:I'd've I'dve:I'd've Im:I'm Ive:I've isnt:isn't itd:it'd itd've:it'd've it'dve:it'd've itll:it'll
    let's:let's maam:ma'am mightnt:mightn't mightnt've:mightn't've mightn'tve:mightn't've mightve:might've
    mustnt:mustn't mustve:must've neednt:needn't notve:not've oclock:o'clock oughtnt:oughtn't ow's'at:'ow's'at
    'ows'at:'ow's'at 'ow'sat:'ow's'at shant:shan't shed've:she'd've she'dve:she'd've she's:she's shouldve:should've
    shouldnt:shouldn't shouldnt've:shouldn't've shouldn'tve:shouldn't've somebody'd:somebodyd
    somebodyd've:somebody'd've somebody'dve:somebody'd've somebodyll:somebody'll somebodys:somebody's
    someoned:someone'd someoned've:someone'd've someone'dve:someone'd've someonell:someone'll someones:someone's
    somethingd:something'd somethingd've:something'd've something'dve:something'd've somethingll:something'll
    thats:that's thered:there'd thered've:there'd've there'dve:there'd've therere:there're theres:there's
    theyd:they'd theyd've:they'd've they'dve:they'd've theyll:they'll theyre:they're theyve:they've twas:'twas
    wasnt:wasn't wed've:we'd've we'dve:we'd've weve:we've werent:weren't whatll:what'll whatre:what're whats:what's
    whatve:what've whens:when's whered:where'd wheres:where's whereve:where've whod:who'd whod've:who'd've
    who'dve:who'd've wholl:who'll whos:who's whove:who've whyll:why'll whyre:why're whys:why's wont:won't
    wouldve:would've wouldnt:wouldn't wouldnt've:wouldn't've wouldn'tve:wouldn't've yall:y'all yall'll:y'all'll
    y'allll:y'all'll yall'd've:y'all'd've y'alld've:y'all'd've y'all'dve:y'all'd've youd:you'd youd've:you'd've
    you'dve:you'd've youll:you'll youre:you're youve:you've
    """,
    )
)
"""Contractions without some apostrophe, and what they become; keys with a capital never match a lower-cased word."""

COMMA_IN_NUMBER = re.compile(r"\d,\d")

PERIOD = re.compile(r"\.(?!\d)")
"""The script's look-behind `(?!<=\\d)` is misspelt and always holds: only a digit *after* it keeps a period."""

MOST_PERIODS = 32
"""The script passes `re.UNICODE`, which is 32, where `sub` takes how many to replace."""


def strip_whitespace(text: str) -> str:
    """Return `text` with newlines and tabs as spaces, and no white space at its ends.

    >>> strip_whitespace(" stop\\nsign\\t")
    'stop sign'
    """
    return text.replace("\n", " ").replace("\t", " ").strip()


def process_punctuation(text: str) -> str:
    """Return `text` with each of `MARKS` replaced by a space, or deleted, and at most 32 periods deleted.

    A mark is deleted everywhere if it stands beside a space anywhere in `text`; every mark is deleted if a comma stands
    between two digits anywhere. A period stays before a digit.

    >>> [process_punctuation(text) for text in ("t-shirt", "1,000", "U.S.A.", "2 - 3", "1,000-2,000", "No.1")]
    ['t shirt', '1000', 'USA', '2  3', '10002000', 'No.1']
    """
    delete_all = COMMA_IN_NUMBER.search(text) is not None
    replacements = {
        ord(mark): "" if delete_all or f"{mark} " in text or f" {mark}" in text else " "
        for mark in MARKS.intersection(text)
    }
    return PERIOD.sub("", text.translate(replacements), count=MOST_PERIODS)


def process_digits_and_articles(text: str) -> str:
    """Return the words of `text` in lower case, one space apart: digits for numbers, no articles, apostrophes put in.

    >>> process_digits_and_articles("The two dogs dont  bark")
    "2 dogs don't bark"
    """
    words = (NUMBER_WORDS.get(word, word) for word in text.lower().split())
    return " ".join(CONTRACTIONS.get(word, word) for word in words if word not in ARTICLES)


@lru_cache(maxsize=2**16)  # annotators repeat one another: ten answers to each of 200,000 questions, few distinct
def normalise(text: str) -> str:
    """Return `text` after the whole official processing: white space, punctuation, then digits and articles.

    >>> normalise("Yes!"), normalise("a T-shirt"), normalise("twenty-one"), normalise("the")
    ('yes', 't shirt', 'twenty 1', '')
    """
    return process_digits_and_articles(process_punctuation(strip_whitespace(text)))


def process(prediction: str, answers: Sequence[str]) -> tuple[str, list[str]]:
    """Return prediction and answers as the official script compares them.

    If the answers, white space stripped, are all the same, nothing else is done to either side.

    >>> process("Two ", ["two", "two"]), process("Two", ["two", "a dog"])
    (('Two', ['two', 'two']), ('2', ['2', 'dog']))
    """
    stripped = [strip_whitespace(answer) for answer in answers]
    if len(set(stripped)) > 1:
        return normalise(prediction), [normalise(answer) for answer in answers]
    return strip_whitespace(prediction), stripped


def vqa_accuracy(prediction: str, answers: Sequence[str]) -> float:
    """Return the VQAv2 accuracy of one question, 0..1, exactly as the official script computes it, unrounded.

    `answers` holds one answer per annotator, ten in VQAv2. Each annotator is left out in turn, min(1, matches among the
    others / 3) is taken, and the mean over annotators returned. With fewer than four annotators 1.0 is out of reach:
    three that match give 2/3, two 1/3, and a single one 0.0, for then there are no others.

    Source: Goyal et al. 2017, arXiv 1612.00837; vqaEval.py in github.com/GT-Vision-Lab/VQA. Raises ArgumentError if
    `answers` is empty.

    >>> [vqa_accuracy("dog", ["dog"] * matches + ["cat"] * (10 - matches)) for matches in (0, 1, 2, 3, 4, 10)]
    [0.0, 0.3, 0.6, 0.9, 1.0, 1.0]
    >>> vqa_accuracy("Yes", ["yes"] * 10), vqa_accuracy("Yes", ["yes"] * 9 + ["no"])  # only the latter is normalised
    (0.0, 1.0)
    """
    require_texts(prediction, answers)
    return _leave_one_out(*process(prediction, answers))


def vqa_accuracy_lenient(prediction: str, answers: Sequence[str]) -> float:
    """Return `vqa_accuracy` with both sides normalised even if the answers are all the same, as most harnesses do.

    Raises ArgumentError if `answers` is empty.

    >>> vqa_accuracy_lenient("Yes.", ["yes"] * 10)
    1.0
    """
    require_texts(prediction, answers)
    return _leave_one_out(normalise(prediction), [normalise(answer) for answer in answers])


def _leave_one_out(prediction: str, answers: Sequence[str]) -> float:
    matches, count = answers.count(prediction), len(answers)
    # Whole numbers until the last step: 3 of 10 is 0.9 and not the 0.8999999999999999 of a running sum.
    thirds = matches * min(3, matches - 1) + (count - matches) * min(3, matches)
    return thirds / (3 * count)
