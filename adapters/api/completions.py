"""Likelihoods of texts by a service's completions, where it echoes a prompt with each token's log-probability."""

from collections.abc import Callable
from typing import Any

from mmbench.adapters.api.failures import Again
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
    found = [told.get(name) for name in ("tokens", "token_logprobs")]
    lists = [each for each in found if isinstance(each, list)]
    if len(lists) < len(found):
        raise Unavailable(_REFUSED.format("it sends no tokens with token_logprobs"))
    tokens, logprobs = lists
    if len(tokens) != len(logprobs) or any(not isinstance(each, str) for each in tokens):
        raise Unavailable(_REFUSED.format("its tokens and token_logprobs do not fit each other"))
    values = _own(_begins(tokens, whole), logprobs, start)
    if any(isinstance(each, bool) or not isinstance(each, int | float) for each in values):
        raise Unavailable(_REFUSED.format("a token of the prompt has none"))
    return float(sum(values))


def _begins(tokens: list[str], whole: str) -> dict[int, int]:
    """Return at which character of `whole` each of its tokens begins, by number. Raises Unanswered.

    The tokens' own letters tell it: offsets count the start token, which is not in the text (vLLM), or are not told
    (SGLang). A token may lack the space that it begins with, as those of SentencePiece do that are decoded alone.
    """
    found: dict[int, int] = {}
    at = 0
    for number, token in enumerate(tokens):
        if at == len(whole):
            return found
        space = 1 if not whole.startswith(token, at) and whole.startswith(f" {token}", at) else 0
        if space or whole.startswith(token, at):
            found[number] = at
            at += space + len(token)
        elif whole[at:].startswith(token[: len(whole) - at]) and len(token) > len(whole) - at:
            raise Unanswered("the service's last token goes on behind the text, so that no sum is exact")
        elif found or number > 1:
            break
    if at == len(whole):
        return found
    raise Unanswered("the service's tokens do not spell the text, so that no sum is exact")


def _own(begins: dict[int, int], logprobs: list[Any], start: int) -> list[Any]:
    """Return the log-probabilities of the tokens of the text. Raises Unanswered where their sum is not the text's."""
    own = [number for number, at in begins.items() if at >= start]
    if not own or begins[own[0]] != start:
        raise Unanswered("the service's tokens do not begin a new one where the prompt ends, so that no sum is exact")
    values = [logprobs[number] for number in own]
    if own[0] == 0 and values[0] is None:
        values = values[1:]  # a first token has nothing before it
        if not values:
            raise Unanswered("a text of one token has no likelihood without a prompt before it")
    return values
