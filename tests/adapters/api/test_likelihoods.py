"""Likelihoods by completions: exact where a service tells each token of a prompt, else refused in a sentence."""

import re
from functools import partial

import pytest

from mmbench.adapters.api.adapter import from_spec
from mmbench.adapters.api.completions import score
from mmbench.harness.errors import Unanswered, Unavailable
from tests.adapters.api.fake import chat

OPENING = dict(device="auto", dtype="auto", offline=False)


def logprob(token):
    return -0.25 * len(token)


def echoed(asked, pattern=r"\s?\S+", **more):
    """Answer as vLLM does: each token of the prompt and one more, the first without a log-probability."""
    tokens = [*re.findall(pattern, asked.body["prompt"]), " more"]
    offsets = [sum(map(len, tokens[:i])) for i in range(len(tokens))]
    told = {"tokens": tokens, "token_logprobs": [None, *map(logprob, tokens[1:])], "text_offset": offsets, **more}
    return {"model": "fake", "choices": [{"text": "".join(tokens), "logprobs": told, "finish_reason": "length"}]}


def scored(server, prompt="Is it so?", texts=("yes indeed", "no")):
    model = from_spec(server.spec(",likelihood=completions,retries=0").removeprefix("api:"), **OPENING)
    return model.score_texts([([], prompt, list(texts))])


def test_a_text_is_the_sum_of_its_tokens(serve):
    server = serve(echoed)
    assert scored(server) == [[logprob(" yes") + logprob(" indeed"), logprob(" no")]]
    assert server.asked[0].path == "/v1/completions"
    assert server.asked[0].body["echo"] is True and server.asked[0].body["prompt"] == "Is it so? yes indeed"


def test_without_a_prompt_the_first_token_has_nothing_before_it(serve):
    assert scored(serve(echoed), "", ["yes indeed"]) == [[logprob(" indeed")]]
    with pytest.raises(Unanswered, match="one token"):
        scored(serve(echoed), "", ["yes"])


IGNORING = {
    "all": lambda asked: chat(),
    "the echo": lambda asked: {
        "choices": [{"text": " yes", "logprobs": {"tokens": [" yes"], "token_logprobs": [-1.0]}}]
    },
    "logprobs": lambda asked: {"choices": [{"text": asked.body["prompt"] + " x", "logprobs": None}]},
    "a count": lambda asked: echoed(asked, token_logprobs=[-1.0]),
    "a token's": lambda asked: echoed(asked, token_logprobs=[None] * 6),
    "a number": lambda asked: echoed(asked, token_logprobs=["-1"] * 6),
}


@pytest.mark.parametrize("ignored", IGNORING)
def test_what_is_ignored_is_refused_and_scores_nothing(serve, questions, ask, ignored):
    with pytest.raises(Unavailable, match="leave out ,likelihood=completions"):
        scored(serve(IGNORING[ignored]))
    server = serve(IGNORING[ignored])
    made = ask(server.spec(",likelihood=completions"), questions(4, routes=["likelihood"]))
    assert (made.exit_code, made.records, len(server.asked)) == (1, [], 1)


TOLD = {
    "a start token that offsets count (vLLM)": (["<s>", "Is", " it", "?", " yes"], [None, -1, -2, -3, -4.0], -4.0),
    "tokens without their spaces (SentencePiece)": (["<s>", "Is", "it", "?", "yes"], [None, -1, -2, -3, -4.0], -4.0),
    "a text of two tokens": (["Is", " it?", " y", "es"], [None, -2, -4.0, -1.5], -5.5),
    "half a letter": (["Is", " it?", " y\ufffd", "\ufffds"], [None, -2, -4.0, -1.5], "do not spell"),
    "a token that goes on": (["Is", " it?", " yesterday"], [None, -2, -4.0], "goes on behind"),
}


@pytest.mark.parametrize("case", TOLD)
def test_places_of_tokens_are_read_off_their_letters(case):
    tokens, logprobs, expected = TOLD[case]
    told = {"tokens": [*tokens, " more"], "token_logprobs": [*logprobs, -9.0], "text_offset": [-1] * len(tokens)}
    ask = partial(
        score, "m", [], "Is it?", ["yes"], lambda body: {"choices": [{"text": "Is it? yes", "logprobs": told}]}
    )
    if isinstance(expected, float):
        assert ask() == [expected]
    else:
        with pytest.raises(Unanswered, match=expected):
            ask()


def test_tokens_across_the_end_of_the_prompt_have_no_exact_sum(serve):
    with pytest.raises(Unanswered, match="where the prompt ends"):
        scored(serve(lambda asked: echoed(asked, r"\S+\s?")))


def test_completions_show_no_pictures():
    model = from_spec("m@http://127.0.0.1:1/v1,likelihood=completions", **OPENING)
    with pytest.raises(Unanswered, match="pictures"):
        model.score_texts([([b"data:"], "Is it?", ["yes"])])


def test_it_is_offered_where_it_is_asked_for(serve, questions, ask):
    assert from_spec("m@http://127.0.0.1:1/v1", **OPENING).score_texts is None
    made = ask(serve(echoed).spec(",likelihood=completions"), questions(4, routes=["likelihood", "generate"]))
    assert (made.exit_code, made.records[0].route, made.records[0].errors) == (0, "likelihood", 0)
