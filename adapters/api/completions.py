"""Likelihoods of texts by a service's completions, where it echoes a prompt with each token's log-probability."""

from collections.abc import Callable
from typing import Any

from mmbench.adapters.api.answers import Again
from mmbench.harness.errors import Unanswered, Unavailable

_REFUSED = (
    "the service does not tell the log-probabilities of a prompt's tokens ({}), so that texts cannot be scored by it; "
    "leave out ,likelihood=completions, and the model is asked to write"
)


def score(
    model: str, shown: list[Any], prompt: str, texts: list[str], post: Callable[[dict[str, Any]], Any]
) -> list[float]:
    """Return the log-probability of each text behind the prompt and one space.

    Raises Unavailable where the service ignores what it is asked, and Unanswered for an item with pictures, which
    completions cannot show, or one whose tokens do not end where the prompt does.
    """
    if shown:
        raise Unanswered("completions show no pictures; leave out ,likelihood=completions for tasks with pictures")
    found = []
    for text in texts:
        whole = f"{prompt} {text}" if prompt else text
        body = {"model": model, "prompt": whole, "max_tokens": 1, "temperature": 0, "echo": True, "logprobs": 1}
        found.append(_sum(post(body), whole, len(prompt)))
    return found


def _sum(held: Any, whole: str, start: int) -> float:
    """Return the sum over the tokens of `whole` that begin at `start`, behind which the text stands."""
    choices = held.get("choices")
    first = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else None
    if first is None:
        raise Again("the answer has no choices")
    told = first.get("logprobs")
    if not isinstance(told, dict):
        raise Unavailable(_REFUSED.format("it sends no logprobs"))
    if not str(first.get("text", "")).startswith(whole):
        raise Unavailable(_REFUSED.format("it does not echo the prompt"))
    found = [told.get(name) for name in ("tokens", "token_logprobs", "text_offset")]
    lists = [each for each in found if isinstance(each, list)]
    if len(lists) < len(found):
        raise Unavailable(_REFUSED.format("it sends no tokens with token_logprobs and text_offset"))
    tokens, logprobs, offsets = lists
    if not len(tokens) == len(logprobs) == len(offsets) or any(type(each) is not int for each in offsets):
        raise Unavailable(_REFUSED.format("its tokens, token_logprobs and text_offset do not fit each other"))
    values = _own(tokens, logprobs, offsets, whole, start)
    if any(isinstance(each, bool) or not isinstance(each, int | float) for each in values):
        raise Unavailable(_REFUSED.format("a token of the prompt has none"))
    return float(sum(values))


def _own(tokens: list[Any], logprobs: list[Any], offsets: list[int], whole: str, start: int) -> list[Any]:
    """Return the log-probabilities of the tokens of the text. Raises Unanswered where their sum is not the text's."""
    own = [i for i, at in enumerate(offsets) if start <= at < len(whole)]
    if not own or offsets[own[0]] != start:
        raise Unanswered("the service's tokens do not begin a new one where the prompt ends, so that no sum is exact")
    if offsets[own[-1]] + len(str(tokens[own[-1]])) > len(whole):
        raise Unanswered("the service's last token goes on behind the text, so that no sum is exact")
    values = [logprobs[i] for i in own]
    if own[0] == 0 and values[0] is None:
        values = values[1:]  # a first token has nothing before it
        if not values:
            raise Unanswered("a text of one token has no likelihood without a prompt before it")
    return values
