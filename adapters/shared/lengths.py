"""Texts of like length computed together, so that little of a batch is padding."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

CPU_CALL_COST = 32
GPU_CALL_COST = 8192
"""Tokens, on the CPU tokens a thread, whose computation takes about as long as starting one more pass of the tower."""


def call_cost(device: Any) -> int:
    """Return what one more pass of a text tower costs on a device of torch, in tokens."""
    import torch

    return CPU_CALL_COST * torch.get_num_threads() if device.type == "cpu" else GPU_CALL_COST


def groups(lengths: Sequence[int], call_cost: int) -> list[tuple[list[int], int]]:
    """Split rows into groups of (row numbers, longest length) with the least total of tokens and calls.

    A call costs as much as `call_cost` tokens, so that a few short rows join the next longer ones.

    >>> groups([3, 9, 3, 3], 1)
    [([0, 2, 3], 3), ([1], 9)]
    >>> groups([3, 9, 3, 3], 100)
    [([0, 2, 3, 1], 9)]
    """
    count = Counter(lengths)
    sizes = sorted(count)
    best: list[tuple[int, int]] = [(0, 0)]  # least cost of the first i sizes, and where its last group starts
    for stop in range(1, len(sizes) + 1):
        rows, options = 0, []
        for start in range(stop - 1, -1, -1):
            rows += count[sizes[start]]
            options.append((best[start][0] + rows * sizes[stop - 1] + call_cost, start))
        best.append(min(options))
    cuts, stop = [], len(sizes)
    while stop:
        start = best[stop][1]
        cuts.append((sizes[start], sizes[stop - 1]))
        stop = start
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    return [([row for row in order if low <= lengths[row] <= high], high) for low, high in reversed(cuts)]
