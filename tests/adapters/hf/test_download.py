"""A repository fetched from a stand-in for the hub on loopback: what is asked for, what refused before weights."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hub_server import COMMIT, Served, hub_server

ASK = """
import json, sys
from mmbench.adapters.hf.adapter import from_spec
model = from_spec(sys.argv[1], device="cpu", dtype="fp32", offline=False)
size, said, told = model.download_size(), None, None
try:
    told = model.fingerprint
except Exception as error:
    said = f"{type(error).__name__}: {error}"
print(json.dumps({"size": size, "said": said, "fingerprint": told, "left": model.download_size()}))
"""


@pytest.fixture
def stand_in(saved: Any) -> Iterator[Served]:
    files = {file.name: file.read_bytes() for file in saved("clip").iterdir()}
    others = {"pytorch_model.bin": b"the same weights in another format", "flax_model.msgpack": b"and in a third"}
    with hub_server() as served:
        served.put("models/some/model", files | others)
        yield served


def ask(url: str, tmp_path: Path, rest: str = "some/model") -> dict:
    clean = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and not k.startswith("HF_")}
    full = {**clean, "HF_HOME": str(tmp_path / "hf"), "HF_ENDPOINT": url, "HF_HUB_DISABLE_XET": "1"}
    done = subprocess.run([sys.executable, "-c", ASK, rest], env=full, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_one_format_of_the_weights_is_fetched_once(stand_in, tmp_path):
    found = ask(stand_in.url, tmp_path)
    assert found["said"] is None and found["left"] == 0
    needed = {"config.json", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"}
    files = stand_in.repositories["models/some/model"][COMMIT]
    assert sorted(stand_in.fetched()) == sorted(needed)
    assert found["size"] == sum(len(files[name]) for name in needed)
    stand_in.asked.clear()
    assert ask(stand_in.url, tmp_path)["fingerprint"] == found["fingerprint"]
    assert ask(stand_in.url, tmp_path, f"some/model@{COMMIT}")["fingerprint"] == found["fingerprint"]
    assert stand_in.asked == []


def test_code_is_refused_before_the_weights_are_fetched(stand_in, tmp_path):
    files = stand_in.repositories["models/some/model"][COMMIT]
    told = {**json.loads(files["config.json"]), "auto_map": {"AutoModel": "own.Own"}}
    files["config.json"] = json.dumps(told).encode()
    found = ask(stand_in.url, tmp_path)
    assert "UsageError: hf:some/model: config.json names code of its own (auto_map)" in found["said"]
    assert "model.safetensors" not in stand_in.fetched()


def test_pickled_weights_where_there_are_no_others(stand_in, tmp_path):
    del stand_in.repositories["models/some/model"][COMMIT]["model.safetensors"]
    found = ask(stand_in.url, tmp_path)
    assert found["said"] is None or "asks for more weights" in found["said"]
    assert "pytorch_model.bin" in stand_in.fetched()
