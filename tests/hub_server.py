"""A hub on loopback: as much of its HTTP interface as its clients use, with faults on demand."""

import hashlib
import http.server
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import unquote, urlparse

COMMIT = "a" * 40
_LARGE = (".parquet", ".tar", ".safetensors", ".bin")
"""Files that the hub keeps in LFS, and names by SHA-256."""


@dataclass
class Faults:
    """What goes wrong."""

    api: int = 0
    """Status of every answer about a repository."""
    headers: dict[str, str] = field(default_factory=dict)
    """Sent beside that status."""
    cut: dict[str, int] = field(default_factory=dict)
    """Path to the bytes after which the connection ends, once."""
    instead: dict[str, bytes] = field(default_factory=dict)
    """Path to what is sent in its place, under the digest of the true file."""
    seconds: float = 0.0
    """Waited before each answer but that to a look at the address itself."""
    token: str = ""
    """Asked of whoever wants a file or a list."""
    ranges: bool = True
    page: bytes = b""
    """Sent in the place of every answer, as proxies do."""


@dataclass
class Served:
    """What the server has, does and was asked."""

    url: str = ""
    repositories: dict[str, dict[str, dict[str, bytes]]] = field(default_factory=dict)
    """`datasets/ORG/NAME` or `models/ORG/NAME` to commit to path to content."""
    branches: dict[str, str] = field(default_factory=lambda: {"main": COMMIT})
    faults: Faults = field(default_factory=Faults)
    sent: int = 0
    """Bytes of files."""
    gated: dict[str, str] = field(default_factory=dict)
    """Repository to `auto` or `manual`: its files are for nobody."""
    licences: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """Method, path and range of each request but that for the address itself."""

    def put(self, name: str, files: dict[str, bytes], commit: str = COMMIT) -> None:
        self.repositories.setdefault(name, {})[commit] = dict(files)

    def fetched(self) -> list[str]:
        """Names of the files that were fetched, whole or from a range on."""
        return [
            line.split()[1].rpartition("/")[2]
            for line in self.asked
            if line.startswith("GET") and "/resolve/" in line and not re.search(r"bytes=\d+-\d", line)
        ]


def digest_of(path: str, content: bytes) -> str:
    return _sha256(content) if path.endswith(_LARGE) else _git(content)


@lru_cache
def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@lru_cache
def _git(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class _Handler(http.server.BaseHTTPRequestHandler):
    served: Served

    def do_HEAD(self) -> None:
        self._answer(head=True)

    def do_GET(self) -> None:
        self._answer(head=False)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        found = self._found(urlparse(self.path).path)
        if found is None or found[1] != "paths-info":
            return self._send(404, b"")
        asked = [unquote(part.partition("=")[2]) for part in body.split("&") if part.startswith("paths")]
        asked = json.loads(body)["paths"] if body.startswith("{") else asked
        rows = [row for row in self._rows(found[3]) if row["path"] in asked]
        return self._send(200, json.dumps(rows).encode())

    def _answer(self, *, head: bool) -> None:
        served, path = self.served, urlparse(self.path).path
        if path == "/":
            return self._send(200, b"", head)
        served.asked.append(f"{self.command} {unquote(path)} {self.headers.get('Range', '')}")
        time.sleep(served.faults.seconds)
        if served.faults.page:
            return self._send(200, served.faults.page, head)
        if served.faults.token and self.headers.get("Authorization") != f"Bearer {served.faults.token}":
            return self._send(401, b"", head, {"X-Error-Message": "Invalid username or password."})
        if served.faults.api:
            return self._send(served.faults.api, b"", head, served.faults.headers)
        found = self._found(path)
        if found is None:
            return self._send(404, b"", head, {"X-Error-Code": "RepoNotFound"})
        name, what, commit, rest = found[0], found[1], found[2], found[4]
        if commit is None:
            return self._send(404, b"", head, {"X-Error-Code": "RevisionNotFound"})
        files = found[3]
        full = ("datasets/" if "/datasets/" in path else "models/") + name
        if what == "resolve" and full in served.gated and not rest.endswith(".md"):
            return self._send(403, b"", head, {"X-Error-Code": "GatedRepo"})
        if what == "resolve":
            return self._file(files, rest, commit, head)
        if what == "tree":
            return self._send(200, json.dumps(self._under(files, rest, "recursive=true" in self.path.lower())).encode())
        rows = [
            {"rfilename": row["path"], "size": row["size"], "blobId": row["oid"]}
            | ({"lfs": {"sha256": row["lfs"]["oid"], "size": row["size"], "pointerSize": 130}} if "lfs" in row else {})
            for row in self._rows(files)
        ]
        told = {"id": name, "sha": commit, "siblings": rows, "private": False, "downloads": 0, "tags": []}
        told |= {"gated": served.gated.get(full, False), "cardData": {"license": served.licences.get(full)}}
        return self._send(200, json.dumps(told).encode(), head)

    def _found(self, path: str) -> tuple[str, str, str | None, dict[str, bytes], str] | None:
        """Return name, what is asked, commit, files and what follows."""
        asked = re.fullmatch(
            r"/api/(?P<kind>datasets|models)/(?P<name>[^/]+/[^/]+)(?:/(?P<what>revision|tree|paths-info)/(?P<rest>.*))?"
            r"|/(?P<set>datasets/)?(?P<repo>[^/]+/[^/]+)/resolve/(?P<path>.*)",
            path,
        )
        if asked is None:
            return None
        kind = asked["kind"] or ("datasets" if asked["set"] else "models")
        name = asked["name"] or asked["repo"]
        commits = self.served.repositories.get(f"{kind}/{name}")
        if commits is None:
            return None
        revision, _, rest = (asked["path"] or asked["rest"] or "main").partition("/")
        what = "resolve" if asked["path"] else asked["what"] or "revision"
        revision = self.served.branches.get(unquote(revision), unquote(revision))
        commit = revision if revision in commits else None
        return name, what, commit, commits.get(revision, {}), unquote(rest)

    def _under(self, files: dict[str, bytes], folder: str, recursive: bool) -> list[dict]:
        start = f"{folder}/" if folder else ""
        rows = [row for row in self._rows(files) if row["path"].startswith(start)]
        if recursive:
            return rows
        inner = {
            path[len(start) :].partition("/")[0]
            for path in files
            if path.startswith(start) and "/" in path[len(start) :]
        }
        made = [{"type": "directory", "path": start + name, "size": 0, "oid": "c" * 40} for name in sorted(inner)]
        return made + [row for row in rows if "/" not in row["path"][len(start) :]]

    def _rows(self, files: dict[str, bytes]) -> list[dict]:
        rows = []
        for path, content in files.items():
            large = {"lfs": {"oid": digest_of(path, content), "size": len(content), "pointerSize": 130}}
            row = {"type": "file", "path": path, "size": len(content), "oid": _git(content)}
            rows.append(row | (large if path.endswith(_LARGE) else {}))
        return rows

    def _file(self, files: dict[str, bytes], path: str, commit: str, head: bool) -> None:
        if path not in files:
            return self._send(404, b"", head, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit})
        faults = self.served.faults
        content = faults.instead.get(path, files[path])
        told = {"X-Repo-Commit": commit, "ETag": f'"{digest_of(path, files[path])}"', "Accept-Ranges": "bytes"}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        status = 200
        if asked is not None and faults.ranges:
            first, last = int(asked[1]), min(int(asked[2] or len(content) - 1), len(content) - 1)
            told["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
            content, status = content[first : last + 1], 206
        elif not head and path in faults.cut:
            self._send(status, content, head, told, faults.cut.pop(path))
            self.close_connection = True
            return None
        return self._send(status, content, head, told)

    def _send(
        self,
        status: int,
        content: bytes,
        head: bool = False,
        told: dict[str, str] | None = None,
        most: int | None = None,
    ) -> None:
        self.send_response(status)
        for key, value in (told or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if content and not head:
            self.served.sent += len(content[:most])
            self.wfile.write(content[:most])

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def hub_server() -> Iterator[Served]:
    served = Served()
    handler = type("Hub", (_Handler,), {"served": served})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        served.url = f"http://127.0.0.1:{server.server_port}"
        yield served
        server.shutdown()
