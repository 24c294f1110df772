"""The wire: TLS, proxies and consent, as a person's machine has them."""

import os
import pty
import select
import shutil
import socket
import ssl
import subprocess
import sys
import threading

import pytest

from mmbench.adapters.api.adapter import from_spec
from mmbench.harness.errors import Unavailable
from mmbench.harness.models.abilities import Generation
from tests.adapters.api.fake import Fake, fake

OPENING = dict(device="auto", dtype="auto", offline=False)
START = "from mmbench.harness.cli.app import main; main()"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of `localhost` with its key, as `openssl` makes them."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here")
    folder = tmp_path_factory.mktemp("tls")
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    made += ["-addext", "subjectAltName=DNS:localhost,DNS:models.example"]
    subprocess.run([*made, "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True)
    return folder


@pytest.fixture
def secure(certificate):
    """A fake behind TLS, and its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    with fake() as plain, socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_terminate, args=(listener, context, plain), daemon=True).start()
        yield plain, listener.getsockname()[1]


def _terminate(listener: socket.socket, context: ssl.SSLContext, plain: Fake) -> None:
    while True:
        try:
            raw, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_pass_on, args=(raw, context, plain), daemon=True).start()


def _pass_on(raw: socket.socket, context: ssl.SSLContext, plain: Fake) -> None:
    try:
        outer = context.wrap_socket(raw, server_side=True)
    except OSError:
        return
    _join(outer, socket.create_connection(("127.0.0.1", plain.port)))


def _join(one, other) -> None:
    """Carry bytes both ways until one side ends."""
    while True:
        waiting = [] if isinstance(one, ssl.SSLSocket) and one.pending() else select.select([one, other], [], [], 10)[0]
        for source in waiting or [one]:
            data = source.recv(65536)
            if not data:
                return
            (other if source is one else one).sendall(data)


def test_tls_is_verified(secure, certificate, monkeypatch):
    plain, port = secure
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    model = from_spec(f"m@https://localhost:{port}/v1", **OPENING)
    assert model.generate([([], "Why?")] * 3, Generation()) == ["yes"] * 3
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)
    with pytest.raises(Unavailable, match="not trusted"):
        from_spec(f"m@https://localhost:{port}/v1", **OPENING).generate([([], "Why?")], Generation())


def test_tls_goes_through_a_tunnel(secure, certificate, monkeypatch):
    plain, port = secure
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    heard = []

    def tunnel(listener: socket.socket) -> None:
        client, _ = listener.accept()
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1)
        heard.append(head.decode())
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        _join(client, socket.create_connection(("127.0.0.1", port)))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=tunnel, args=(listener,), daemon=True).start()
        monkeypatch.setenv("https_proxy", f"http://me:pw@127.0.0.1:{listener.getsockname()[1]}")
        monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-key")
        model = from_spec("m@https://models.example/v1", **OPENING)
        assert model.generate([([], "Why?")], Generation()) == ["yes"]
    assert heard[0].startswith("CONNECT models.example:443 HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic bWU6cHc=" in heard[0] and "sk-secret" not in heard[0]
    assert plain.asked[0].headers["authorization"] == "Bearer sk-secret-key"
    assert "proxy-authorization" not in plain.asked[0].headers


@pytest.mark.parametrize("said", ["y", "n"])
def test_a_person_is_asked_at_a_terminal(serve, questions, tmp_path, said):
    server = serve()
    run = [sys.executable, "-c", START, "run", "--model", server.spec(), "--task", str(questions(3))]
    run += ["--output", str(tmp_path / "r"), "--store", str(tmp_path / "s")]
    ours, theirs = pty.openpty()
    process = subprocess.Popen(run, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    shown = b""
    while b"[y/N]" not in shown:
        shown += os.read(ours, 1000)
    assert not server.asked and b"3 requests would be sent to" in shown
    os.write(ours, f"{said}\n".encode())
    out = process.communicate(timeout=60)[0]
    assert (process.returncode, len(server.asked)) == ((0, 3) if said == "y" else (2, 0))
    assert bool(out) == (said == "y")
