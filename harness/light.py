"""Data classes that are made by the hundred thousand: frozen to those who check types, and not as they run.

The guard of a frozen class has each of its fields set by a call, so that a question takes six times as long to make.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as light
else:

    def light(*, frozen: bool, slots: bool) -> Any:
        """Return the decorator of a data class that compares and hashes as a frozen one; nobody sets its fields."""
        return dataclass(slots=slots, unsafe_hash=frozen)


__all__ = ["light"]
