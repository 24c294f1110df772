"""Tests of remembered probes: equal to those that were fitted, and fitted again where anything is not the same."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmbench.benchmarks.probes import remembered
from mmbench.benchmarks.probes.labelled import Labelled
from mmbench.benchmarks.probes.linear import Linear
from mmbench.benchmarks.probes.remembered import fitted
from mmbench.harness.errors import DataError
from mmbench.harness.store.made import make_room
from tests.benchmarks.probes.test_linear import clusters, multi_label

FEW = Linear(strengths=(0.1, 1.0, 10.0))


@pytest.fixture(autouse=True)
def fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Labelled]:
    """Give a home of its own, and tell of each fit."""
    done: list[Labelled] = []
    fit = Linear.fit

    def told(self: Linear, train: Labelled, validation: Labelled | None) -> object:
        done.append(train)
        return fit(self, train, validation)

    monkeypatch.setenv("MMBENCH_HOME", str(tmp_path))
    monkeypatch.setattr(Linear, "fit", told)
    return done


@pytest.mark.parametrize("swept", [False, True])
@pytest.mark.parametrize("made", [clusters(0, 40, 5, 3), clusters(0, 40, 5, 2), multi_label(0)])
def test_a_remembered_probe_is_the_one_that_was_fitted(made: list[Labelled], swept: bool, fits: list[Labelled]) -> None:
    train, validation, test = made
    first, second = (fitted(FEW, train, validation if swept else None) for _ in range(2))
    assert len(fits) == 1
    plain = FEW.fit(train, validation if swept else None)
    assert first.chosen == second.chosen == plain.chosen
    assert (first.scores(test.features) == plain.scores(test.features)).all()
    assert (second.scores(test.features) == plain.scores(test.features)).all()


def test_other_vectors_labels_and_settings_are_fitted_anew(fits: list[Labelled]) -> None:
    train, validation, _ = clusters(0, 40, 5, 3)
    moved = train.features.copy()
    moved[0, 0] += 1e-12
    labels = train.labels.copy()
    labels[0] = (labels[0] + 1) % 3
    ways = [
        (FEW, train, None),
        (FEW, train, validation),
        (replace(FEW, refit=False), train, validation),
        (replace(FEW, strength=2.0), train, None),
        (FEW, replace(train, features=moved), None),
        (FEW, replace(train, features=train.features.astype(np.float32)), None),
        (FEW, replace(train, labels=labels), None),
        (FEW, replace(train, classes=4), None),
        (FEW, validation, None),
    ]
    for way in ways * 2:
        fitted(*way)
    assert len(fits) == len(ways)


@pytest.mark.parametrize("harm", ["cut", "changed", "empty", "a folder", "of other code", "no source"])
def test_what_is_damaged_is_fitted_again(
    harm: str, tmp_path: Path, fits: list[Labelled], monkeypatch: pytest.MonkeyPatch
) -> None:
    train, _, test = clusters(0, 40, 5, 3)
    before = fitted(FEW, train, None).scores(test.features)
    (file,) = (tmp_path / "probes").iterdir()
    whole = file.read_bytes()
    if harm == "a folder":
        file.unlink()
        file.mkdir()
    elif harm == "of other code":
        monkeypatch.setattr(remembered, "_code", lambda: "another")
    elif harm == "no source":

        def gone() -> str:
            raise FileNotFoundError

        monkeypatch.setattr(remembered, "_code", gone)
    else:
        file.write_bytes({"cut": whole[:-9], "changed": whole[:-9] + b"otherwise", "empty": b""}[harm])
    assert (fitted(FEW, train, None).scores(test.features) == before).all()
    assert len(fits) == 2


def test_what_cannot_be_fitted_is_told_and_not_remembered(tmp_path: Path) -> None:
    nothing = Labelled(np.zeros((0, 3)), np.zeros(0, np.int64), 2)
    for _ in range(2):
        with pytest.raises(DataError, match="no training item"):
            fitted(FEW, nothing, None)
    assert not (tmp_path / "probes").exists()


def test_one_class_is_remembered_too(fits: list[Labelled]) -> None:
    only = Labelled(np.ones((3, 2)), np.ones(3, np.int64), 3)
    first, second = (fitted(FEW, only, None).scores(np.ones((1, 2))) for _ in range(2))
    assert (first == second).all()
    assert len(fits) == 1


def test_room_is_made_by_removing_the_oldest(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / str(number)).write_bytes(b"x" * 100)
    make_room(tmp_path, 250)
    assert len(list(tmp_path.iterdir())) == 2
    make_room(tmp_path / "none", 250)
