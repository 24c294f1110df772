"""Thoughts are taken off however models write them, and nothing is that a sentence only says of them."""

import time

import pytest

from mmbench.harness.replies.match import match_option
from mmbench.harness.replies.thoughts import spoken

SAY_CAT = (
    "<think>Four legs.</think>\n\ncat",
    "<think>\n\n</think>\n\ncat",
    "Four legs, so a cat.\n</think>\n\ncat",
    "Four legs.</think>cat",
    "</think>cat",
    "<THINK>Dog?</THINK>cat",
    "< think >dog< /think >cat",
    "<think type='x'>dog</think>cat",
    "<thinking>dog</thinking>cat",
    "<thinking>dog<reflection>no</reflection>hm</thinking>cat",
    "<reasoning>dog</reasoning>cat",
    "<thought_process>dog</thought_process>cat",
    "<Thought>dog</Thought><Output>cat</Output>",
    "<seed:think>dog<seed:cot_budget_reflect>3 left</seed:cot_budget_reflect>no</seed:think>cat",
    "<longcat_think>dog</longcat_think>cat",
    "[THINK]dog[/THINK]cat",
    "◁think▷dog◁/think▷cat",
    "<|begin_of_thought|>dog<|end_of_thought|>\n\n<|begin_of_solution|>cat<|end_of_solution|>",
    "<|START_THINKING|>dog<|END_THINKING|><|START_RESPONSE|>cat<|END_RESPONSE|>",
    "<unused94>thought\ndog<unused95>cat",
    "<|channel>thought\ndog<channel|>cat",
    "<|im_start|>assistant\n<think>dog</think>cat<|im_end|>",
    "<think>dog</think>cat<｜end▁of▁sentence｜>",
    "<think>dog</think><answer>cat</answer>",
    "<think>dog\n<answer>cat</answer>",
    "<think>dog</think>\n<|begin_of_box|>cat<|end_of_box|>",
    "<think>dog</thinking>cat",
    "<think>dog</reasoning>cat",
    "<think>dog<think>no</think>cat",
    "<think>dog</think>cat</think>",
    "<think>dog</think>a bird?</think>cat",
    "<think>dog</think>Let me see.<think>no</think>cat",
    "cat\n<think>Or a dog</think>",
    "cat\n<think>Or a dog",
    "<|channel|>analysis<|message|>dog<|end|><|start|>assistant<|channel|>final<|message|>cat<|return|>",
    "<|channel|>analysis<|message|>dog<|end|><|channel|>commentary<|message|>hm<|end|><|channel|>final<|message|>cat",
    "It may be a dog.<|end|><|start|>assistant<|channel|>final<|message|>cat",
    "<|start|>assistant<|channel|>final<|message|>cat",
    "analysisThe user asks for the animal. Not a dog.assistantfinalcat",
    "We see a dog? No.assistantfinalcat",
    "analysis We see whiskers. final cat",
    "analysis\nIt has whiskers.\nfinal\ncat",
    "analysisIt has whiskers.\nassistantfinal\ncat",
    "&lt;think&gt;dog&lt;/think&gt;cat",
    "&amp;lt;think&amp;gt;dog&amp;lt;/think&amp;gt;cat",
    "&#60;think&#62;dog&#60;/think&#62;cat",
    "\\u003cthink\\u003edog\\u003c/think\\u003e\\n\\ncat",
    "\\u003cthink\\u003edog\\u003c\\/think\\u003ecat",
    "<think>dog<\\/think>cat",
    "%3Cthink%3Edog%3C%2Fthink%3Ecat",
    "＜think＞dog＜/think＞cat",
    '<details type="reasoning" done="true"><summary>Thought for 3 seconds</summary>dog</details>\ncat',
    "Thinking...\nA dog?\n...done thinking.\n\ncat",
    "Here is my thought process:\nA dog?\n\nHere is my response:\ncat",
    "Here are my reasoning steps:\nA dog?\n[BEGIN FINAL RESPONSE]\ncat\n[END FINAL RESPONSE]",
    "## Thinking\n\nA dog?\n\n## Final Response\n\ncat",
    "```thinking\nA dog?\n```\ncat",
    "<SUMMARY>s</SUMMARY><CAPTION>c</CAPTION><REASONING>dog</REASONING><CONCLUSION>cat</CONCLUSION>",
)
SAY_NOTHING = (
    "<think>",
    "<think></think>",
    "<think>It has whiskers, so the answer is cat",
    "<think>So the answer is cat.</think>",
    "So the answer is cat.</think>",
    "<|im_start|>assistant\n<think>It has",
    "[THINK]cat",
    "<|channel|>analysis<|message|>We see a cat",
    "<|channel|>analysis",
    "<|channel|>commentary to=functions.look <|constrain|>json<|message|>{}<|call|>",
    "analysisWe need to look at the",
    "&lt;think&gt;cat",
    "\\u003cthink\\u003ecat",
    "Here is my thought process:\nIt has whiskers",
    "<think>a</think>\n<think>b",
)
AS_THEY_ARE = (
    "I think it is a cat.",
    "a man thinking",
    "thought",
    "analysis",
    "final",
    "analysis of blood in a final exam",
    "Analysis. Final answer: cat",
    "Thinking...",
    "reasoning: it has whiskers",
    "[thinking]",
    "The sign reads <think> different",
    "I see <think> on the wall",
    "The tag `<think>` opens and `</think>` closes.",
    'a sign that says "[THINK]"',
    "It uses the <think> and </think> tags.",
    "The text <think>hello</think> is on the sign",
    "a <b>bold</b> cat, x < y",
    "Tom &amp; Jerry",
    " cat \n",
    "",
)


@pytest.mark.parametrize("reply", SAY_CAT)
def test_what_is_said_beside_thoughts_is_the_reply(reply: str) -> None:
    assert spoken(reply) == ("cat", False)
    assert match_option(reply, ["dog", "cat", "bird"]).index == 1
    assert match_option(reply.replace("cat", "B"), ["dog", "cat", "bird"]).index == 1


@pytest.mark.parametrize(
    "reply",
    [
        "<think>The user wants the letter in <answer> tags. Looking at the ears, it is a cat",
        "<think>Format: <answer>dog</answer> or <answer>cat</answer>. Let me see",
        "<think>The output format is <think>...</think><answer>...</answer>. At first sight it is a cat, but the tail",
    ],
)
def test_a_thought_that_was_cut_off_answers_nothing(reply: str) -> None:
    assert spoken(reply) == ("", True)
    assert match_option(reply, ["dog", "cat"]).status == "unparsed"


@pytest.mark.parametrize("reply", ["<think>It barks.\n<answer>dog</answer>", "<think>It barks.\n<answer>dog"])
def test_an_answer_that_ends_a_thought_is_one(reply: str) -> None:
    assert match_option(reply, ["dog", "cat"]).index == 0


@pytest.mark.parametrize("reply", SAY_NOTHING)
def test_nothing_but_thoughts_says_nothing(reply: str) -> None:
    assert spoken(reply) == ("", True)
    match = match_option(reply, ["dog", "cat"])
    assert (match.status, match.reason) == ("unparsed", "the reply is nothing but thoughts")


@pytest.mark.parametrize("reply", AS_THEY_ARE)
def test_a_reply_without_thoughts_stays_as_it_is(reply: str) -> None:
    assert spoken(reply) == (reply, False)


def test_what_was_escaped_with_its_tags_is_no_longer() -> None:
    assert spoken("&lt;think&gt;mouse?&lt;/think&gt;Tom &amp; Jerry").text == "Tom & Jerry"
    assert spoken("<think>a fraction</think>\\theta").text == "\\theta"


@pytest.mark.parametrize(
    "unit",
    [
        "<think>", "</think>", "<think></think>", "<", "&", "\\", "\n", " ", "</s>", "<|start|>assistant\n", "<answer>",
        "<answer></answer>", "`<think>`", "the <think> ", "<|channel|>final<|message|>", "assistantfinal", "\nfinal",
        "<aaaaaaaaaaaaaaaa", "<think ", "<details ", "analysis We. final", "x </think> <think>", "The cat sat. ",
    ],
)  # fmt: skip
def test_time_is_linear_in_the_length(unit: str) -> None:
    """Twenty times the text takes about twenty times the time: nowhere near four hundred."""

    def seconds(length: int) -> float:
        reply = "<think>" + unit * (length // len(unit)) + "think cat"
        start = time.process_time()
        spoken(reply)
        return time.process_time() - start

    # What disturbs a measurement makes it longer alone: that of the long text is taken until it holds.
    short = min(seconds(20_000) for _ in range(2))
    assert any(seconds(400_000) < 100 * max(short, 1e-3) for _ in range(10))
