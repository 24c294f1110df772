"""Spelling of served models by the names that they go by, in the words of `--model`."""

import re

_OPENAI = re.compile(r"(?:openai/)?((?:gpt-|chatgpt-|o[134](?:-|$))[\w.-]{0,60})")
"""Names of OpenAI's own models."""
_OTHERS = {
    "claude": ("https://api.anthropic.com/v1", "ANTHROPIC_API_KEY"),
    "gemini": ("https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY"),
    "grok": ("https://api.x.ai/v1", "XAI_API_KEY"),
}
"""Addresses of other makers, by how names of their models begin, and how the variable of a key is mostly called."""
_OTHER = re.compile(rf"({'|'.join(_OTHERS)})-[\w.-]{{1,60}}")


def spelled(typed: str) -> str | None:
    """Return how a served model is given, where a name is one that services are known by.

    >>> spelled("gpt-4o"), spelled("openai/gpt-4o"), spelled("clip-vitb32")
    ('api:gpt-4o', 'api:gpt-4o', None)
    >>> spelled("grok-4")
    'api:grok-4@https://api.x.ai/v1,key_env=XAI_API_KEY'
    """
    if found := _OPENAI.fullmatch(typed):
        return f"api:{found[1]}"
    if found := _OTHER.fullmatch(typed):
        address, key = _OTHERS[found[1]]
        return f"api:{typed}@{address},key_env={key}"
    return None
