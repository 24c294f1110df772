"""Task card: what a person should know before trusting a score."""

from pydantic import BaseModel, ConfigDict


class Card(BaseModel):
    """What a person should know before trusting a score of a task; the key `card` of a task file."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    title: str = ""
    """One line for lists."""
    citation: str = ""
    """Who made the data."""
    licence: str = ""
    """Under what terms it may be used."""
    url: str = ""
    """Where it comes from."""
    dimension: str = ""
    """What it measures: colour, count, digits."""
    chance: float | None = None
    """Expected primary score of guessing; None: computed from the items."""
    majority: float | None = None
    """Primary score of the commonest answer."""
    best: float | None = None
    """Best possible primary score; None: that of the metric."""
    human: float | None = None
    """Primary score of people."""
    primary: str = ""
    """The metric a board shows; empty: the first."""
    notes: str = ""
    """What else matters."""
