"""A FAKE of an OpenAI-compatible service on loopback: it looks at no picture, and fails as it is told to."""

import hashlib
import http.server
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

USAGE = {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105}


def chat(text: str | None = "yes", end: str = "stop", model: str = "fake-2026-01-01", **more: Any) -> dict[str, Any]:
    """Return a chat completion as services send it."""
    message = {"role": "assistant", "content": text, **more.pop("message", {})}
    choices = [{"index": 0, "message": message, "finish_reason": end}]
    return {"object": "chat.completion", "model": model, "choices": choices, "usage": USAGE, **more}


def failure(message: str, **more: Any) -> dict[str, Any]:
    """Return an error as services send it."""
    return {"error": {"message": message, **more}}


@dataclass
class Say:
    """One answer."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    """Sent in place of the body."""
    length: int | None = None
    """Told in place of the true one: the connection is then cut."""


Script = Callable[["Asked"], "Say | Callable[[socket.socket], None] | dict[str, Any]"]


@dataclass
class Asked:
    """One request."""

    number: int
    """From 0."""
    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def text(self) -> str:
        """The words of the question."""
        content = self.body["messages"][-1]["content"]
        return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)

    @property
    def pictures(self) -> list[str]:
        """Data URLs, in order."""
        content = self.body["messages"][-1]["content"]
        return [] if isinstance(content, str) else [p["image_url"]["url"] for p in content if p["type"] == "image_url"]

    @property
    def identity(self) -> str:
        """What tells one question from another."""
        return hashlib.sha256(json.dumps(self.body.get("messages") or self.body).encode()).hexdigest()


class Fake:
    """What the service was asked, and how it answers."""

    def __init__(self, script: Script, port: int) -> None:
        self.script = script
        self.port = port
        self.asked: list[Asked] = []
        self.answered: Counter[str] = Counter()
        """Questions that were answered whole, by identity."""
        self.now = 0
        self.most = 0
        """Requests under way at a time."""
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def spec(self, more: str = "") -> str:
        """Return a spec of it that waits for little."""
        return f"api:fake@{self.url},backoff=0.01{more}"


@contextmanager
def fake(script: Script | None = None, keep: bool = True, delay: float = 0.0) -> Iterator[Fake]:
    """Run a fake on loopback in threads of this process. Without a script everything is answered with yes."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *message: object) -> None:
            pass

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with served.lock:
                asked = Asked(len(served.asked), self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                served.asked.append(asked if keep else None)
                served.now += 1
                served.most = max(served.most, served.now)
            try:
                if delay:
                    time.sleep(delay)
                said = served.script(asked)
            finally:
                with served.lock:  # before the answer, after which the next may be there at once
                    served.now -= 1
            try:
                self.answer(asked, said)
            except OSError:
                self.close_connection = True

        def answer(self, asked: Asked, said: Any) -> None:
            if callable(said):
                said(self.connection)
                self.close_connection = True
                return
            say = said if isinstance(said, Say) else Say(said)
            data = say.raw if say.raw is not None else json.dumps(say.body).encode()
            head = {"Content-Type": "application/json", **say.headers, "Content-Length": str(say.length or len(data))}
            lines = [f"HTTP/1.1 {say.status} Said", *(f"{name}: {value}" for name, value in head.items())]
            self.connection.sendall("\r\n".join([*lines, "", ""]).encode() + data)
            if say.length is not None:
                self.close_connection = True
            elif isinstance(said, dict) and said.get("choices"):
                with served.lock:
                    served.answered[asked.identity] += 1

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 512

        def handle_error(self, *of: object) -> None:
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        served = Fake(script or (lambda asked: chat()), server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
