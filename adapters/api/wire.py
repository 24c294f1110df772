"""Wire: HTTP to one server over connections that stay open, with a deadline and a bound on every answer."""

import http.client
import socket
import ssl
import threading
import time
import urllib.request
import weakref
import zlib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlsplit

from mmbench.adapters.api.spec import Address
from mmbench.adapters.api.timed import TimedSocket
from mmbench.harness.errors import Unavailable, UsageError
from mmbench.harness.render.plain import plain

MOST_BYTES = 16 << 20
"""Of an answer, also once it is unpacked."""

_CHUNK = 1 << 16
_CONNECTING = 20.0
"""Seconds for a connection at the most."""


class Broken(Exception):
    """No whole answer came: the connection failed, was cut, took too long, or brought too much."""


@dataclass(frozen=True, slots=True)
class Response:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    """By names in lower case."""
    body: bytes


class Wire:
    """Connections to one address, or to the proxy that the environment names for it; loopback has none.

    A redirect is not followed, so that nothing goes to another host than was named.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._idle: list[_Connection] = []
        weakref.finalize(self, _kill_all, self._idle)  # else each would be closed some time, with a warning
        self._lock = threading.Lock()
        self._answered = False
        """True once anything was answered."""

    @cached_property
    def proxy(self) -> "Proxy | None":
        """The proxy on the way. Raises UsageError for one that is not of HTTP."""
        if self._address.loopback or urllib.request.proxy_bypass(self._address.host):
            return None
        named = urllib.request.getproxies()
        url = named.get("https" if self._address.secure else "http") or named.get("all")
        return None if not url else _proxy(url)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()

    def post(self, path: str, body: bytes, headers: Mapping[str, str], seconds: float) -> Response:
        """Return the answer to a request. Raises Broken within so many seconds where there is no whole one."""
        until = time.monotonic() + seconds
        connection = self._taken()
        try:
            response = connection.post(f"{self._address.path}{path}{self._address.query}", body, headers, until)
        except BaseException as error:
            connection.kill()
            if isinstance(error, OSError | http.client.HTTPException | ValueError):
                raise self._meant(error, seconds) from error
            raise
        self._answered = True
        if connection.sock is not None:
            with self._lock:
                self._idle.append(connection)
        return response

    def _meant(self, error: Exception, seconds: float) -> Broken | Unavailable:
        """Return what a failure means: what would fail each time ends the run."""
        if isinstance(error, ssl.SSLCertVerificationError):
            return Unavailable(f"the certificate of {self._address.origin} is not trusted ({_said(error)})")
        if isinstance(error, socket.gaierror | ConnectionRefusedError) and not self._answered:
            if self.proxy:
                return Unavailable(
                    f"nothing answers at the proxy {self.proxy!r} that the environment names ({_said(error)}); correct "
                    "it, or name the host in NO_PROXY"
                )
            return Unavailable(
                f"nothing answers at {self._address.origin} ({_said(error)}); start the server, or correct the address"
            )
        if isinstance(error, ssl.SSLError) and error.reason == "WRONG_VERSION_NUMBER":
            return Unavailable(f"{self._address.origin} does not speak https; is its address one of http://?")
        return Broken(f"no whole answer within {seconds:g} s" if isinstance(error, TimeoutError) else _said(error))

    def _taken(self) -> "_Connection":
        with self._lock:
            while self._idle:
                connection = self._idle.pop()
                if not connection.dropped():
                    return connection
                connection.kill()
        tls = self._tls if self._address.secure else None
        return _Connection(self._address, tls, self.proxy)


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy; its password is in no text that is shown."""

    host: str
    port: int
    _login: str

    def __repr__(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        """What it is told besides."""
        return {"Proxy-Authorization": f"Basic {b64encode(self._login.encode()).decode()}"} if self._login else {}


def _proxy(url: str) -> Proxy:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    try:
        port = parts.port or 80
    except ValueError as error:
        raise UsageError("the proxy that the environment names has no port that is a number") from error
    if parts.scheme != "http" or not parts.hostname:
        raise UsageError("the environment names a proxy that is not of http://; unset it, or name the host in NO_PROXY")
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else ""
    return Proxy(parts.hostname, port, login)


def _kill_all(connections: "list[_Connection]") -> None:
    for connection in connections:
        connection.kill()


class _Connection(http.client.HTTPConnection):
    """One connection, whose deadline covers connecting, sending and every read."""

    sock: Any

    def __init__(self, address: Address, tls: ssl.SSLContext | None, proxy: Proxy | None) -> None:
        super().__init__(address.host, address.port)
        self._address = address
        self._tls = tls
        self._proxy = proxy
        self._until = 0.0

    def connect(self) -> None:
        """Connect, through the proxy where there is one."""
        there = (self._proxy.host, self._proxy.port) if self._proxy else (self.host, self.port)
        left = min(max(self._until - time.monotonic(), 0.001), _CONNECTING)
        bare = socket.create_connection(there, timeout=left)
        try:
            bare.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sock = TimedSocket(bare, self._until)
            if self._tls is not None:
                if self._proxy is not None:
                    self._open_tunnel(self._proxy)
                self.sock = TimedSocket(self._tls.wrap_socket(bare, server_hostname=self.host), self._until)
        except BaseException:
            self.sock = None
            bare.close()
            raise

    def _open_tunnel(self, proxy: Proxy) -> None:
        place = f"{self.host}:{self.port}"
        lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}", *(f"{k}: {v}" for k, v in proxy.headers.items())]
        self.sock.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
        answer = http.client.HTTPResponse(self.sock, method="CONNECT")
        answer.begin()
        if 400 <= answer.status < 500:
            raise Unavailable(f"the proxy {proxy!r} answered {answer.status} {plain(answer.reason, 80)}")
        if answer.status != 200:
            raise OSError(f"the proxy {proxy!r} answered {answer.status}")

    def post(self, path: str, body: bytes, headers: Mapping[str, str], until: float) -> Response:
        """Return the whole answer to a request."""
        self._until = until
        if self.sock is not None:
            self.sock.until = until
        if self._proxy is not None and self._tls is None:
            path, headers = f"{self._address.origin}{path}", {**headers, **self._proxy.headers}
        self.request("POST", path, body, dict(headers))
        answer = self.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Response(answer.status, found, _unpacked(_read(answer), found.get("content-encoding", "")))

    def dropped(self) -> bool:
        """Tell of an idle connection whether the server has closed it, or says what nobody asked."""
        return self.sock is None or self.sock.readable()

    def kill(self) -> None:
        """Close, whatever is under way."""
        if self.sock is not None:
            self.sock.kill()
        self.close()


def _read(answer: http.client.HTTPResponse) -> bytes:
    parts, size = [], 0
    while part := answer.read(_CHUNK):
        size += len(part)
        if size > MOST_BYTES:
            raise ValueError(f"the answer has more than {MOST_BYTES >> 20} MB")
        parts.append(part)
    if answer.length:  # Python does not tell of a body that ends before its length
        raise ConnectionAbortedError("the server cut the connection within its answer")
    return b"".join(parts)


def _unpacked(body: bytes, encoding: str) -> bytes:
    """Return a body as it was before it was packed, which nobody asked for. Raises ValueError."""
    if encoding.strip().lower() in ("", "identity"):
        return body
    if encoding.strip().lower() not in ("gzip", "x-gzip", "deflate"):
        raise ValueError("the answer is packed in a way that was not asked for")
    reader = zlib.decompressobj(wbits=47)
    try:
        made = reader.decompress(body, MOST_BYTES + 1)
    except zlib.error as error:
        raise ValueError("the answer is packed and damaged") from error
    if len(made) > MOST_BYTES:
        raise ValueError(f"the answer has more than {MOST_BYTES >> 20} MB")
    return made


def _said(error: Exception) -> str:
    """Return what went wrong, without what the other side sent."""
    if isinstance(error, http.client.HTTPException):
        return "the server cut the connection or answered something else than HTTP"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split())[:200] or type(error).__name__
