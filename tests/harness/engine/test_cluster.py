"""Joining a cluster: a missing token and a worker that fits nowhere are told in sentences, without what Ray prints."""

import json
import os
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from mmbench.harness.engine.ray import crew
from mmbench.harness.engine.ray.cluster import Cluster, Share
from mmbench.harness.engine.ray.worker import Ready
from mmbench.harness.engine.settings import EngineSettings
from mmbench.harness.errors import Unavailable

TRIED = (
    b"[2026-01-01 W 1 1] gcs_client.cc:210: Unauthenticated: RPC error: InvalidAuthToken: \x1b[31mtoken is missing\n"
)


def ray(**parts: Any) -> Any:
    return SimpleNamespace(is_initialized=lambda: False, shutdown=lambda: None, **parts)


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        (TRIED, "the Ray cluster wants a token, and none or another was sent"),
        (b"", "Ray cannot be used (ConnectionError"),
    ],
)
def test_why_a_cluster_cannot_be_joined_is_told_once_and_nothing_beside_it(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], printed: bytes, said: str
) -> None:
    tries = []

    def init(**options: Any) -> None:
        tries.append(options)
        os.write(2, printed)
        raise ConnectionError("Failed to connect to Ray cluster")

    monkeypatch.setitem(sys.modules, "ray", ray(init=init))
    made = Cluster(EngineSettings("ray", address="auto"), "cpu")
    for _ in range(2):  # the second model does not wait for it again
        with pytest.raises(Unavailable) as told:
            made.join()
        assert said in str(told.value)
    os.write(2, b"after")
    assert (len(tries), capfd.readouterr().err) == (1, "after")


@pytest.mark.parametrize(
    ("kinds", "gpus", "place"),
    [
        ({"node_a": 1}, 0.5, True),
        ({"node_a": 1}, 2, False),
        ({}, 2, False),
        ({"node_a": 1, "gpu_group": 0}, 2, True),  # a cluster that grows by this kind
    ],
)
def test_whether_a_worker_has_a_place(
    monkeypatch: pytest.MonkeyPatch, kinds: dict[str, int], gpus: float, place: bool
) -> None:
    pytest.importorskip("ray")
    status = json.dumps({"autoscaler_report": {"active_nodes": kinds}}).encode() if kinds else None
    monkeypatch.setattr("ray.experimental.internal_kv._internal_kv_get", lambda key: status)
    nodes = [{"Alive": True, "NodeID": "a", "Resources": {"CPU": 2.0, "GPU": 1.0}}]
    nodes.append({"Alive": False, "NodeID": "b", "Resources": {"CPU": 99.0, "GPU": 99.0}})
    made = Cluster(EngineSettings("ray"), "cpu")
    monkeypatch.setattr(made, "join", lambda: ray(nodes=lambda: nodes))
    assert made.has_place(Share(1, gpus, 1.0, 1)) == place


def test_a_worker_in_place_of_one_that_died_is_waited_for_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(crew, "time", SimpleNamespace(monotonic=lambda: now[0]))
    places = iter(range(9))
    actor = SimpleNamespace(
        place=SimpleNamespace(remote=lambda: f"place {next(places)}"),
        load=SimpleNamespace(remote=lambda *given: "load"),
    )
    made = SimpleNamespace(options=lambda **given: SimpleNamespace(remote=lambda threads: actor))
    loaded = {"load": Ready("a node", {}, {})}
    fake = ray(
        put=lambda held: held, remote=lambda kind: made, kill=lambda actor, no_restart: None,
        get=lambda reference: loaded.get(reference, "a node"), available_resources=lambda: {"CPU": 1.0},
        exceptions=SimpleNamespace(RayTaskError=KeyError, RayError=ValueError),
    )  # fmt: skip
    joined = SimpleNamespace(join=lambda: fake, share=lambda: Share(1, 0, 1, 1), has_place=lambda share: False)
    told: list[str] = []
    held = crew.Crew(joined, SimpleNamespace(label="m"), None, told.append)  # type: ignore[arg-type]
    held.arrive("place 0")
    held.arrive("load")
    now[0] = 7200.0
    held.check_place()
    held.lose(held.ready[0])
    held.check_place()
    assert (told, held.hardware["workers"]) == ([], 1)
    now[0] += 11
    held.check_place()
    assert (len(told), held.hardware["workers"]) == (1, 0)
    now[0] += 20
    with pytest.raises(Unavailable, match="no machine of the Ray cluster has 1 CPUs and 0 GPUs, which a worker needs"):
        held.check_place()
