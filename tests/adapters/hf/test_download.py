"""A repository fetched from a stand-in for the hub on loopback: what is asked for, what refused before weights."""

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlparse

import pytest

from mmbench.harness.digest import digest_file

COMMIT = "a" * 40
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


class StandIn(http.server.BaseHTTPRequestHandler):
    """As much of a hub as its client asks for: a listing with sizes, and files with their digests."""

    folder: Path
    asked: list[str]

    def do_HEAD(self):
        self.do_GET(head=True)

    def do_GET(self, head=False):
        path = urlparse(self.path).path
        files = {each.name: each for each in self.folder.iterdir()}
        if path == "/":
            return self.reply(b"", head)
        if path.startswith("/api/models/some/model/tree/"):
            rows = [
                {"type": "file", "path": name, "size": file.stat().st_size, "oid": "b" * 40}
                for name, file in files.items()
            ]
            return self.reply(json.dumps(rows).encode(), head)
        if path.startswith("/api/models/some/model"):
            rows = [{"rfilename": name, "size": file.stat().st_size} for name, file in files.items()]
            return self.reply(json.dumps({"id": "some/model", "sha": COMMIT, "siblings": rows}).encode(), head)
        name = path.rpartition("/")[2]
        if name not in files:
            return self.reply(b"", head, 404)
        if not head:
            self.asked.append(name)
        return self.reply(files[name].read_bytes(), head, digest=digest_file(files[name]) * 2)

    def reply(self, content, head, status=200, digest="c" * 64):
        self.send_response(status)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{digest}"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if content and not head:
            self.wfile.write(content)

    def log_message(self, *args):
        pass


@pytest.fixture
def stand_in(saved, tmp_path) -> Iterator[tuple[type[StandIn], str]]:
    folder = shutil.copytree(saved("clip"), tmp_path / "there")
    (folder / "pytorch_model.bin").write_bytes(b"the same weights in another format")
    (folder / "flax_model.msgpack").write_bytes(b"and in a third")
    handler = type("Local", (StandIn,), {"folder": folder, "asked": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield handler, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def ask(url: str, tmp_path: Path, rest: str = "some/model") -> dict:
    clean = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and not k.startswith("HF_")}
    full = {**clean, "HF_HOME": str(tmp_path / "hf"), "HF_ENDPOINT": url, "HF_HUB_DISABLE_XET": "1"}
    done = subprocess.run([sys.executable, "-c", ASK, rest], env=full, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_one_format_of_the_weights_is_fetched_once(stand_in, tmp_path):
    handler, url = stand_in
    found = ask(url, tmp_path)
    assert found["said"] is None and found["left"] == 0
    needed = {"config.json", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"}
    assert sorted(handler.asked) == sorted(needed)
    assert found["size"] == sum((handler.folder / name).stat().st_size for name in needed)
    handler.asked.clear()
    assert ask(url, tmp_path)["fingerprint"] == found["fingerprint"]
    assert ask(url, tmp_path, f"some/model@{COMMIT}")["fingerprint"] == found["fingerprint"]
    assert handler.asked == []


def test_code_is_refused_before_the_weights_are_fetched(stand_in, tmp_path):
    handler, url = stand_in
    config = handler.folder / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "auto_map": {"AutoModel": "own.Own"}}))
    found = ask(url, tmp_path)
    assert "UsageError: hf:some/model: config.json names code of its own (auto_map)" in found["said"]
    assert "model.safetensors" not in handler.asked


def test_pickled_weights_where_there_are_no_others(stand_in, tmp_path):
    handler, url = stand_in
    (handler.folder / "model.safetensors").unlink()
    found = ask(url, tmp_path)
    assert found["said"] is None or "asks for more weights" in found["said"]
    assert "pytorch_model.bin" in handler.asked
