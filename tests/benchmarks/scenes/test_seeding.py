"""Generators that are seeded many at a time are NumPy's own."""

import numpy as np
import pytest

from mmbench.benchmarks.scenes.seeding import generator


@pytest.mark.parametrize("before", [(), (7,), (1, 0, 0, 3_735_928_559), (1, 0, 0, 5, 3, 2**32 - 1)])
@pytest.mark.parametrize("after", [(), (0,), (2, 9)])
@pytest.mark.parametrize("number", [0, 1, 255, 256, 1000, 2**32 - 1, 2**32, 2**70])
def test_generator_is_that_of_numpy(before: tuple[int, ...], after: tuple[int, ...], number: int) -> None:
    ours, numpys = generator(before, number, after), np.random.default_rng((*before, number, *after))
    assert ours.bit_generator.state == numpys.bit_generator.state
    assert ours.random(3).tolist() == numpys.random(3).tolist()


def test_generators_of_one_seed_do_not_share_their_numbers() -> None:
    first, second = generator((1,), 5), generator((1,), 5)
    first.random(10)
    assert second.random() == np.random.default_rng((1, 5)).random()
