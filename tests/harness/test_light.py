"""Light data classes compare, hash and print as frozen ones, and their fields are all that they have."""

from dataclasses import dataclass

import pytest

from mmbench.harness.light import light


@light(frozen=True, slots=True)
class Light:
    name: str
    places: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Frozen:
    name: str
    places: tuple[int, ...] = ()


def test_it_is_as_a_frozen_one() -> None:
    one, same, other = Light("a", (1,)), Light("a", (1,)), Light("b")
    assert one == same != other
    assert hash(one) == hash(same) == hash(Frozen("a", (1,)))
    assert repr(one) == repr(Frozen("a", (1,))).replace("Frozen", "Light")
    with pytest.raises(AttributeError):
        one.more = 1  # type: ignore[attr-defined]
