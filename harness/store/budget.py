"""Budget: what the answers of a run may cost, kept by not asking further."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mmbench.harness.errors import LimitReached
from mmbench.harness.models.reply import Reply, Usage
from mmbench.harness.types import Failure

Price = Callable[[Usage], float | None]
"""What so many tokens cost; None where that is not known."""


@dataclass(slots=True)
class Budget:
    """Limits on what is spent from now on, and what was spent so far.

    Nothing is asked that, at the mean of the answers so far, would exceed a limit together with what is under way; it
    is exceeded by no more than answers differ from their mean.
    """

    most_tokens: int | None = None
    most_cost: float | None = None
    tokens: int = 0
    cost: float = 0.0
    answers: int = 0
    """Of which tokens and cost are the sums."""
    _price: Price = lambda usage: None
    _open: int = 0
    """Questions under way."""
    _deaf: bool = False
    """True where it was not told what an answer took."""

    def admit(self) -> None:
        """Take one question more. Raises LimitReached where nothing more is to be asked."""
        if self._deaf and (self.most_tokens, self.most_cost) != (None, None):
            raise LimitReached(
                "the server does not tell how many tokens its answers take, so that no limit of them can be kept",
                step="leave out --max-cost and --max-total-tokens; what was answered is kept",
            )
        share = (self._open + 1) / max(self.answers, 1)
        for name, most, spent in (
            ("max-total-tokens", self.most_tokens, float(self.tokens)),
            ("max-cost", self.most_cost, self.cost),
        ):
            if most is not None and (spent >= most or spent * (1 + share) > most):
                paid = f" for {self.cost:.6g}" if self.cost else ""
                raise LimitReached(
                    f"stopped by --{name} {most:g}: {self.tokens:,} tokens{paid} were spent on "
                    f"{self.answers:,} answers, which are kept"
                )
        self._open += 1

    def settle(self, values: Iterable[object]) -> None:
        """Count what came of questions that were admitted."""
        for value in values:
            self._open = max(self._open - 1, 0)
            if isinstance(value, Failure):
                continue
            usage = value.told.usage if isinstance(value, Reply) else None
            cost = None if usage is None else self._price(usage)
            self._deaf |= usage is None or (cost is None and self.most_cost is not None)
            self.answers += 1
            self.tokens += sum(usage or ())
            self.cost += cost or 0.0

    def begin(self, price: Price) -> "Budget":
        """Return the same budget, for a task of a model with these prices."""
        self._price = price
        self._open = 0
        return self
