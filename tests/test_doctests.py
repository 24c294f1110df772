"""Every example in a docstring is true."""

import doctest
import importlib
import pkgutil

import pytest

import mmbench.adapters
import mmbench.benchmarks
import mmbench.harness

MODULES = [
    found.name
    for package in (mmbench.harness, mmbench.adapters, mmbench.benchmarks)
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


def test_modules_are_found() -> None:
    assert {
        "mmbench.harness.store.store",
        "mmbench.adapters.baselines.chance",
        "mmbench.benchmarks.families.retrieval",
    } <= {*MODULES}
