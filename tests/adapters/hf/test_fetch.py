"""Weights had before a run: what is told of a model on the hub, fetched, gated, and refused offline."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from huggingface_hub import constants

from tests.hub_server import COMMIT, Served

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def served(hub: Served, saved: Any) -> Served:
    hub.put("models/some/model", {file.name: file.read_bytes() for file in saved("clip").iterdir()})
    hub.licences["models/some/model"] = "apache-2.0"
    return hub


def fetched(command: Command) -> tuple[int, dict[str, Any], str]:
    code, out, err = command("fetch", "--model", "hf:some/model", "--yes", "--format", "json")
    return code, json.loads(out)[0], err


def test_a_model_of_transformers_is_told_and_fetched(served: Served, command: Command) -> None:
    code, _, err = command("fetch", "--model", "hf:some/model")
    assert code == 2 and "give --yes" in err and served.fetched() == ["config.json"]  # which says what it is
    code, row, err = fetched(command)
    assert code == 0, err
    assert (row["what"], row["source"], row["missing"], row["licence"]) == ("model", "some/model", 0, "apache-2.0")
    assert "model.safetensors" in served.fetched()
    code, out, _ = command("fetch", "--list", "--format", "json")
    (listed,) = json.loads(out)
    assert (listed["what"], listed["name"], listed["commits"]) == ("model", "some/model", [COMMIT])
    served.asked.clear()
    assert fetched(command)[0] == 0 and served.asked == []


def test_a_gated_model_says_how_it_is_had(served: Served, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    served.gated["models/some/model"] = "auto"
    code, row, err = fetched(command)
    assert code == 1 and "accept its terms at" in row["gate"] and "/some/model" in row["gate"]
    assert (
        "hf auth login" in row["gate"] and "could not be downloaded" in err and "it is gated: accept its terms" in err
    )
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    served.asked.clear()
    code, row, err = fetched(command)
    assert code == 1 and "not in the hub's cache" in row["problem"] and served.asked == []
