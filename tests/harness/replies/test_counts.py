"""The reader of numbers: what is said for sure, and nothing where several could be meant."""

import pytest

from mmbench.harness.errors import ArgumentError
from mmbench.harness.replies.counts import read_count


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        ("There are 7 apples.", 7),
        ("seven", 7),
        ("Twelve", 12),
        ("I count three dogs and two cats, so five animals.", 5),
        ("about 1,204", 1204),
        ("None.", 0),
        ("no people", 0),
        ("There aren't any.", 0),
        ("a dozen", 12),
        ("A pair", 2),
        ("two dozen", 24),
        ("3.0", 3),
        ("twenty-one", 21),
        ("a hundred and five", 105),
        ("one thousand two hundred", 1200),
        ("<think>3 or 4? Let me see: 5.</think>4", 4),
        ("**7**", 7),
        ("5. There are three dogs and two cats.", 5),
        ("1. a dog\n2. a cat\nTotal: 2", 2),
        ("1. There are 3 cats.", 3),
        ("1. 5", 5),
        ("1.\nOnly the red one.", 1),
        ("2 + 3 = 5", 5),
        ("The answer is 8, not 9.", 8),
        ('{"count": 6}', 6),
        ("I see 3 (three) dogs.", 3),
        ("There is a total of 9 cars: 4 red and 5 blue.", 9),
        ("4 red and 5 blue cars, 9 in total", 9),
        ("\\boxed{12}", 12),
        ("５", 5),
        ("half a dozen", 6),
        ("2 million", 2_000_000),
        ("There is a single cat.", 1),
        ("Not a single cat.", 0),
        ("Not one cat is visible.", 0),
        ("图中有5个苹果。", 5),
        ("There are 5 apples and no other fruit.", 5),
        ("In total, there are 9 cars, 4 of them red.", 9),
        ('Counting the <points coords="1 1 073 160 2 173 600" alt="cups">cups</points> shows a total of 2.', 2),
    ],
)
def test_a_number_that_is_said_is_read(reply: str, value: int) -> None:
    assert read_count(reply).value == value


@pytest.mark.parametrize(
    "reply",
    [
        "between 4 and 6",
        "3-4",
        "3 to 5",
        "3 or 4",
        "at least 5",
        "more than 20",
        "5+",
        "-2",
        "3.5",
        "1/2",
        "10%",
        "1,5",
        "the 2nd",
        "1. a dog\n2. a cat\n3. a bird",
        "1. red 2. blue 3. green",
        "1. a red car",
        "4 dogs and 5 cats",
        "one of them is red",
        "the red one",
        "2 + 2",  # of equal numbers none is the sum
        "3 rows of 3",
        "4 by 4",
        "6 = 2 x 3",
        "2 men and 2 women",
        "So there are 3 dogs and 2 cats.",
        "There are no cats but 2 dogs.",
        "two pairs of shoes",
        "a pair of scissors",
        "two thirds",
        "50 percent",
        "greater than 5",
        "≥ 5",
        "第5个",
        "I have no idea",
        "I cannot tell.",
        "<think>it is 4",
        "",
    ],
)
def test_what_is_not_sure_is_no_number(reply: str) -> None:
    found = read_count(reply)
    assert found.value is None
    assert found.reason


def test_a_reply_is_a_text_and_a_long_one_takes_no_time() -> None:
    with pytest.raises(ArgumentError):
        read_count(None)  # type: ignore[arg-type]
    assert read_count("1 " * 50_000).value == 1
    assert read_count("a" * 200_000).value is None
