import contextlib
import http.server
import json
import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mmbench.adapters.shared import hub
from mmbench.harness.digest import digest_file
from mmbench.harness.hub.access import unreachable

SPEC = "ViT-B-32-quickgelu/openai"
REPO = "timm/vit_base_patch32_clip_224.openai"
ASK = """
import json, sys
import mmbench.adapters.open_clip.adapter as adapter
from huggingface_hub import constants, hf_hub_download, try_to_load_from_cache
model = adapter.from_spec(sys.argv[1], device="cpu", dtype="auto", offline=sys.argv[2] == "offline")
said = None
size = model.download_size()
try:
    model.fingerprint
except Exception as error:
    said = f"{type(error).__name__}: {error}"
print(json.dumps({"said": said, "size": size, "torch": "torch" in sys.modules}))
"""


def ask(tmp_path, mode="online", **env):
    clean = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and not k.startswith("HF_")}
    full = {**clean, "HF_HOME": str(tmp_path / "hf"), **env}
    command = [sys.executable, "-c", ASK, SPEC, mode]
    done = subprocess.run(command, env=full, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def silent():
    """A port that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def address(server):
    return f"http://127.0.0.1:{server.getsockname()[1]}"


def callers(server):
    """How many have called a port that accepts and never answers."""
    server.setblocking(False)
    count = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            count += 1
    return count


class Hub(http.server.BaseHTTPRequestHandler):
    """As much of a hub as the client asks of one: a file with its size, digest and commit."""

    files: dict[str, bytes] = {}
    status = 200

    def do_HEAD(self):
        self.do_GET(head=True)

    def do_GET(self, head=False):
        content = self.files.get(self.path)
        if self.path == "/" or content is not None:
            self.send_response(self.status)
        else:
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
        self.send_header("X-Repo-Commit", "a" * 40)
        self.send_header("ETag", '"' + "b" * 64 + '"')
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        if content and not head:
            self.wfile.write(content)

    def log_message(self, *args):
        pass


@pytest.fixture
def local_hub():
    handler = type("Local", (Hub,), {"files": {}})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield handler, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def test_unreachable_says_why_and_keeps_its_deadline(silent):
    assert "refused" in unreachable("http://127.0.0.1:9")
    with ThreadPoolExecutor() as pool:
        assert pool.submit(unreachable, address(silent), 0.5).result(timeout=60) is not None
    assert unreachable("nonsense") == "not an http address"


@pytest.mark.parametrize(("status", "reached"), [(200, True), (404, True), (403, True), (407, False), (503, False)])
def test_any_answer_below_500_is_an_answer(local_hub, status, reached):
    handler, url = local_hub
    handler.status = status
    assert (unreachable(url) is None) == reached


def test_dead_proxy_is_the_one_that_cannot_be_reached(local_hub, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert "refused" in unreachable("http://hub.invalid")


def test_closed_endpoint_fails_with_ways_out(tmp_path):
    answer = ask(tmp_path, HF_ENDPOINT="http://127.0.0.1:9")
    assert answer["size"] is None and not answer["torch"]
    assert answer["said"].startswith(f"WeightsUnavailable: open_clip:{SPEC}")
    for words in ("http://127.0.0.1:9 cannot be reached", "--offline", "open_clip:ARCH@FILE", "tiny-coca"):
        assert words in answer["said"]


def test_silent_endpoint_fails_within_its_deadline(tmp_path, silent):
    answer = ask(tmp_path, HF_ENDPOINT=address(silent))  # which waits no longer than `timeout=` for its end
    assert 1 <= callers(silent) <= 2, "one look for the size, one for the file"
    assert answer["said"].startswith("WeightsUnavailable")


def test_dead_proxy_is_named(tmp_path):
    proxy = {"http_proxy": "http://user:secret@127.0.0.1:9", "HF_ENDPOINT": "http://hub.invalid"}
    said = ask(tmp_path, **proxy)["said"]
    assert "through the proxy 127.0.0.1:9" in said and "secret" not in said


@pytest.mark.parametrize(("mode", "env"), [("offline", {}), ("online", {"HF_HUB_OFFLINE": "1"})])
def test_offline_asks_nobody(tmp_path, silent, mode, env):
    answer = ask(tmp_path, mode, HF_ENDPOINT=address(silent), **env)
    assert callers(silent) == 0 and answer["size"] is None
    assert answer["said"].startswith("WeightsUnavailable") and "offline" in answer["said"]


def test_file_is_fetched_once_and_then_known_without_traffic(tmp_path, local_hub):
    handler, url = local_hub
    handler.files[f"/{REPO}/resolve/main/open_clip_pytorch_model.bin"] = b"weights" * 100  # and no safetensors twin
    first = ask(tmp_path, HF_ENDPOINT=url)
    assert first["said"] is None and first["size"] == 700
    second = ask(tmp_path, "offline", HF_ENDPOINT="http://127.0.0.1:9")
    assert second["said"] is None and second["size"] == 0


def test_hub_without_the_file_says_so(tmp_path, local_hub):
    _, url = local_hub
    said = ask(tmp_path, HF_ENDPOINT=url)["said"]
    assert said.startswith("WeightsUnavailable") and REPO in said


def test_only_the_hubs_cache_is_believed_about_its_content(tmp_path: Path) -> None:
    def linked(folder: Path, name: str, content: bytes) -> Path:
        for part in ("blobs", "snapshots/abc"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / "blobs" / name).write_bytes(content)
        link = folder / "snapshots" / "abc" / f"{name[:4]}.bin"
        link.symlink_to(f"../../blobs/{name}")
        return link

    cache = tmp_path / "models--owner--name"
    held = linked(cache, "a" * 64, b"weights")
    assert hub.content_digest(held) == "a" * 32
    small = linked(cache, "b" * 40, b"weights")  # named by git
    mine = linked(tmp_path / "mine", "c" * 64, b"weights")
    other = tmp_path / "link.bin"
    other.symlink_to(cache / "blobs" / ("a" * 64))
    truth = digest_file(small)
    assert [hub.content_digest(file) for file in (small, mine, other)] == [truth] * 3
    later = held.lstat().st_mtime + 10
    os.utime(cache / "blobs" / ("a" * 64), (later, later))  # as after a training script that saved over the link
    assert hub.content_digest(held) == truth
