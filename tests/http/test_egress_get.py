"""S-27: whatever the address looks like, nothing reaches a loopback canary; and what answers is held to its place."""

from __future__ import annotations

import contextlib
import http.server
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from idp.config import read_settings
from idp.http import egress
from idp.http.egress import ForbiddenAddressError

PUBLIC = read_settings(issuer="https://id.example")
LOCAL = read_settings(issuer="http://localhost:8000")
PORT = 8443

PRIVATE_HOSTS = (
    *("127.0.0.1", "127.1", "127.0.1", "127.255.255.254", "2130706433", "0x7f000001", "0x7f.1", "0x7f.0x0.0x0.0x1"),
    *("0177.0.0.1", "017700000001", "0177.0x0.0.1", "0", "0.0.0.0", "0x0", "00.0.0.0"),  # noqa: S104
    *("10.0.0.1", "10.1", "167772161", "0xa000001", "172.16.0.1", "172.31.255.255", "192.168.0.1", "0300.0250.0.1"),
    *("169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.1", "100.64.0.1", "198.18.0.1"),
    *("192.0.2.1", "198.51.100.1", "203.0.113.1", "240.0.0.1", "255.255.255.255", "224.0.0.1", "239.255.255.250"),
    *("192.88.99.1", "192.0.0.1"),
    *("[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]"),
    *("[::ffff:10.0.0.1]", "[::ffff:169.254.169.254]", "[::ffff:0:127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b::a00:1]"),
    *("[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::]", "[2001:0:1::1]", "[fe80::1]", "[fc00::1]"),
    *("[fd00:ec2::254]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]", "[100::1]", "[::ffff:0.0.0.0]", "[5f00::1]"),
    *("localhost", "LOCALHOST", "LocalHost"),
)
ODD_URLS = (
    *(f"{scheme}://8.8.8.8/x" for scheme in ("http", "ftp", "gopher", "ws", "wss", "ldap", "dict", "tftp", "jar")),
    *("file:///etc/passwd", "file://127.0.0.1/etc/passwd", "data:text/plain,x", "javascript:alert(1)", "urn:x", ""),
    *("//8.8.8.8/x", "/x", "https:/8.8.8.8/x", "https:8.8.8.8", "https://", "https:///x", "https://?x", "8.8.8.8"),
    *(f"https://8.8.8.8:{port}/x" for port in (0, 1, 22, 25, 53, 110, 389, 3306, 5432, 6379, 8000, 9200, 11211, 65535)),
    *("https://8.8.8.8:99999/x", "https://8.8.8.8:-1/x", "https://8.8.8.8:8x/x", "https://8.8.8.8:٤٤٣٤٤/x"),
    *("https://u@8.8.8.8/x", "https://u:p@8.8.8.8/x", "https://@8.8.8.8/x", "https://8.8.8.8@127.0.0.1/x"),
    *(
        "https://127.0.0.1@8.8.8.8/",
        "https://8.8.8.8/#x",
        "https://8.8.8.8\\@127.0.0.1/",
        "https://[::1",
        "https://::1/",
    ),
    *("https://[8.8.8.8]/", "https://[v1.x]/", "https://8.8.8.8.8/", "https://%31%32%37.0.0.1/"),
    *("https://" + "a" * 64 + ".example/", "https://a..example/", "https://.example/", "https://127。0。0。1/"),
    *("https://ⓛocalhost/", "https://\u200blocalhost/", "https://local host/", "https://localhost\t/"),
)


class _Host(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.calls.append(self.path)  # type: ignore[attr-defined]
        with contextlib.suppress(OSError):  # the caller hung up, as it should
            getattr(self, f"_{self.path.strip('/')}", self._document)()

    def _document(self) -> None:
        if self.headers.get("If-None-Match") == '"1"':
            self.send_response(304)
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("ETag", '"1"')
        self.end_headers()
        self.wfile.write(b'["x"]')

    def _moved(self) -> None:
        self.send_response(302)
        self.send_header("Location", f"http://127.0.0.1:{self.server.server_address[1]}/private")
        self.end_headers()

    def _endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(b"x" * 8192)

    def _slow(self) -> None:
        self.send_response(200)
        self.end_headers()
        for _ in range(1000):
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.02)

    def _slowhead(self) -> None:
        for sign in b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1000:
            self.wfile.write(bytes([sign]))
            self.wfile.flush()
            time.sleep(0.02)

    def _mute(self) -> None:
        time.sleep(20)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def canary() -> Iterator[http.server.ThreadingHTTPServer]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Host)
    server.calls = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def no_connection(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Note every socket that would connect, and let none."""
    tried: list[Any] = []

    def connect(_: socket.socket, address: Any) -> None:
        tried.append(address)
        raise OSError("closed")

    monkeypatch.setattr(socket.socket, "connect", connect)
    return tried


def answering(*addresses: str) -> Callable[..., list[Any]]:
    """Return a resolver that knows these addresses only."""

    def resolve(_host: str, port: int, *_: object, **_options: object) -> list[Any]:
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in addresses
        ]

    return resolve


def test_no_odd_address_is_ever_called(no_connection: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """S-27: over 120 addresses; each is refused before a socket is opened, and the machine's resolver decides nothing."""
    resolve = socket.getaddrinfo

    def here_only(host: str, port: int, **options: Any) -> list[Any]:
        try:
            return list(resolve(host, port, flags=socket.AI_NUMERICHOST, **options))
        except OSError:
            return answering("127.0.0.1")(host, port)

    monkeypatch.setattr(socket, "getaddrinfo", here_only)
    urls = [f"https://{host}{port}/x" for host in PRIVATE_HOSTS for port in ("", f":{PORT}")] + list(ODD_URLS)
    assert len(urls) >= 120

    called = []
    for url in urls:
        try:
            egress.get(url, PUBLIC)
        except ForbiddenAddressError:
            continue
        except Exception as error:  # noqa: BLE001 (a socket was opened, or something else broke)
            called.append((url, repr(error)))

    assert (called, no_connection) == ([], [])


@pytest.mark.parametrize(
    "addresses",
    [
        ("8.8.8.8", "127.0.0.1"),
        ("127.0.0.1", "8.8.8.8"),
        ("2606:4700::1111", "::1"),
        ("8.8.8.8", "::ffff:10.0.0.1"),
        ("8.8.8.8", "8.8.4.4", "169.254.169.254"),
        ("64:ff9b::808:808", "64:ff9b::7f00:1"),
        (),
    ],
)
def test_one_private_answer_condemns_the_name(
    addresses: tuple[str, ...], no_connection: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """S-27: a resolver that mixes public and private answers opens nothing."""
    monkeypatch.setattr(socket, "getaddrinfo", answering(*addresses))

    with pytest.raises(ForbiddenAddressError):
        egress.get("https://portal.example/jwks", PUBLIC)

    assert no_connection == []


def test_the_address_called_is_the_one_that_was_checked(
    no_connection: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """S-27, rebinding: the second answer of the resolver, a private one, is never asked for."""
    asked: list[str] = []

    def rebinding(host: str, port: int, *_: object, **_options: object) -> list[Any]:
        asked.append(host)
        return answering("8.8.8.8" if host == "portal.example" or len(asked) == 1 else host)(host, port)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)

    with pytest.raises((httpx2.HTTPError, OSError)):
        egress.get("https://portal.example/jwks", PUBLIC)

    assert asked.count("portal.example") == 1
    assert {address[0] for address in no_connection} == {"8.8.8.8"}


def test_a_deployment_never_reaches_its_own_machine(canary: http.server.ThreadingHTTPServer) -> None:
    """The canary is called while the issuer is on loopback, and by nobody else."""
    port = canary.server_address[1]
    for url in (f"http://127.0.0.1:{port}/x", f"https://127.0.0.1:{port}/x", f"http://localhost:{port}/x"):
        with pytest.raises(ForbiddenAddressError):
            egress.get(url, PUBLIC)
    assert canary.calls == []  # type: ignore[attr-defined]

    answer = egress.get(f"http://127.0.0.1:{port}/x", LOCAL)

    assert (answer.status, answer.body, answer.headers["etag"]) == (200, b'["x"]', '"1"')
    again = egress.get(f"http://127.0.0.1:{port}/x", LOCAL, etag='"1"')
    assert (again.status, again.body) == (304, b"")


def test_a_redirect_is_an_answer(canary: http.server.ThreadingHTTPServer) -> None:
    """S-27: 30x is not followed, wherever it leads."""
    answer = egress.get(f"http://127.0.0.1:{canary.server_address[1]}/moved", LOCAL)

    assert (answer.status, canary.calls) == (302, ["/moved"])  # type: ignore[attr-defined]


@contextlib.contextmanager
def certified(name: str, folder: Path) -> Iterator[tuple[int, ssl.SSLContext]]:
    """Serve over TLS with a certificate for *name*; give the port, and the context of a caller who trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "host.pem"
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Host)
    server.calls = []  # type: ignore[attr-defined]
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server.server_port, ssl.create_default_context(cafile=path)
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_certificate_must_be_that_of_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call goes to an address, the proof is asked for the name: another name's certificate, or nobody's, is refused."""
    monkeypatch.setattr(socket, "getaddrinfo", answering("127.0.0.1"))
    with certified("portal.example", tmp_path) as (port, trusting):
        with pytest.raises(httpx2.HTTPError):
            egress.get(f"https://portal.example:{port}/x", LOCAL)
        monkeypatch.setattr(httpx2, "create_ssl_context", lambda **_: trusting)

        assert egress.get(f"https://portal.example:{port}/x", LOCAL).status == 200
        with pytest.raises(httpx2.HTTPError):
            egress.get(f"https://other.example:{port}/x", LOCAL)


@pytest.mark.parametrize("place", ["endless", "slow", "slowhead", "mute"])
def test_what_answers_too_much_or_too_slowly_is_left(
    canary: http.server.ThreadingHTTPServer, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S-27: 64 KiB and one deadline for the whole, headers included; a byte now and then holds nobody."""
    monkeypatch.setattr(egress, "LONGEST", 0.3)
    begun = time.monotonic()

    with pytest.raises((ForbiddenAddressError, httpx2.HTTPError)):
        egress.get(f"http://127.0.0.1:{canary.server_address[1]}/{place}", LOCAL)

    assert time.monotonic() - begun < 10  # each would go on for twenty, or for ever
