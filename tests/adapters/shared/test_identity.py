"""Objects in memory are told apart by all that an answer may depend on, alike in every process."""

import array
import inspect
import operator
import os
import random
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mmbench.adapters.shared.identity import identify
from tests.lazy import torch


class Hidden:
    """Its slot is found by a name that Python makes."""

    __slots__ = ("__value", "empty")

    def __init__(self, value: object) -> None:
        self.__value = value


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Hidden(1), Hidden(2)),
        (operator.itemgetter(0), operator.itemgetter(1)),
        (operator.methodcaller("lower"), operator.methodcaller("upper")),
        (array.array("b", [1]), array.array("b", [2])),
        (struct.Struct("<b"), struct.Struct("<h")),
        (random.Random(1), random.Random(2)),
    ],
)
def test_what_code_in_c_keeps_is_seen_or_told(one: object, other: object) -> None:
    (first, unknown), (second, _) = identify(one), identify(other)
    assert unknown or first != second


def test_the_order_of_layers_counts() -> None:
    layers: list[Any] = [torch.nn.Linear(2, 2), torch.nn.ReLU()]
    made = torch.nn.Sequential(*layers)
    before = identify(made)
    made._modules = dict(reversed(made._modules.items()))
    assert identify(made) != before
    assert before[1] == []


CODE = """
import operator, random
from hidden import Hidden
from mmbench.adapters.shared.identity import identify
print(identify([Hidden({"a", "b", "c"}), operator.itemgetter(0), random.Random(1)]))
"""


def test_hidden_state_is_alike_in_every_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hidden.py").write_text(inspect.getsource(Hidden))
    monkeypatch.syspath_prepend(tmp_path)
    exec(CODE, {})
    other = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    elsewhere = subprocess.run(
        [sys.executable, "-c", CODE],
        env={**os.environ, "PYTHONHASHSEED": other, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert capsys.readouterr().out == elsewhere.stdout != ""
