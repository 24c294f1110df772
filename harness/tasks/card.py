"""Task card: what a person should know before trusting a score."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Verified = Literal["schema", "fixture", "run"]
"""How far a task of public data was checked, see `VERIFIED`."""

VERIFIED: Mapping[str, str] = {
    "schema": "its columns were read in a public source; no row of it was asked",
    "fixture": "asked of a few rows made after its schema, not of its own data",
    "run": "asked of its own data",
}
"""How far a task was checked, in words."""

_Count = Annotated[int, Field(ge=0, le=10**18)]


class _Facts(BaseModel):
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
    best: float | None = None
    """Best possible primary score; None: that of the metric."""
    human: float | None = None
    """Primary score of people."""
    primary: str = ""
    """The metric a board shows; empty: the first."""
    notes: str = ""
    """What else matters."""
    items: _Count | None = None
    """Rows of the split that is asked, as the source says; None: unknown."""
    classes: _Count | None = None
    """Classes among which is chosen, as the source says; None: unknown, or there are none."""
    bytes: _Count | None = None
    """Size of the download; None: unknown."""
    gate: str = ""
    """What must be accepted before the data can be had; empty: nothing that is known."""
    verified: Verified | None = None
    """How far it was checked; None: the data is embedded or a user's own."""
    sources: tuple[str, ...] = ()
    """Where these facts were read, as `OWNER/NAME@COMMIT:FILE`."""
    prompt_source: str = ""
    """Where the prompt or the templates were read."""


class Card(_Facts):
    """What a person should know before trusting a score of a task."""

    prompt: str = ""
    """The variant of the prompt by which it is asked; empty: that of the benchmark itself."""
    majority: float | None = None
    """Primary score of the best constant answer on the task's items; None: unknown, or there is no such answer."""


class WrittenCard(_Facts):
    """The key `card` of a task file, which may be asked in several splits."""

    majority: float | dict[str, float] | None = None
    """`Card.majority` of the file's own split, or of each split by its name."""

    def of(self, split: str | None, own: str | None) -> Card:
        """Return the card of a split, of the file's `own` where it is None.

        The share of the commonest answer differs from split to split: where it is not stated it is unknown.

        >>> card = WrittenCard(majority={"test": 0.51, "mini": 0.55})
        >>> card.of(None, "test").majority, card.of("mini", "test").majority, card.of("reserve", "test").majority
        (0.51, 0.55, None)
        """
        chosen = split or own
        if isinstance(self.majority, dict):
            majority = self.majority.get(chosen or "")
        else:
            majority = self.majority if chosen == own else None
        return Card(**self.model_dump(exclude={"majority"}), majority=majority)
