"""Prices of models: what tokens cost, of those whose answers are paid for."""

from mmbench.harness.models.abilities import Priced
from mmbench.harness.models.reply import Usage
from mmbench.harness.store.budget import Price


def free(usage: Usage) -> float | None:
    """Return None: of a model on this machine no tokens are counted."""


def price_of(adapter: object) -> Price | None:
    """Return what tokens of a model cost; None for one that is not paid for."""
    if not isinstance(adapter, Priced):
        return None
    return lambda usage: adapter.token_cost(usage.input, usage.output)
