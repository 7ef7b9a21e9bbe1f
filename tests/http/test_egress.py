from __future__ import annotations

import contextlib
import gzip
import http.server
import threading
import time
from collections.abc import Iterator

import pytest

from idp.config import Settings, read_settings
from idp.http import egress
from idp.http.egress import ForbiddenAddressError, pinned_address, post_form

PUBLIC = read_settings(issuer="https://id.example")
LOCAL = read_settings(issuer="http://localhost:8000")


@pytest.mark.parametrize(
    "url",
    [
        "http://203.0.113.5/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://0.0.0.0/x",
        "https://2130706433/x",
        "https://0x7f000001/x",
        "https://0177.0.0.1/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://169.254.169.254/latest",
        "https://10.0.0.1/x",
        "https://192.168.1.1/x",
        "https://172.16.0.1/x",
        "https://100.64.0.1/x",
        "https://user:secret@8.8.8.8/x",
        "https://8.8.8.8:22/x",
        "https://8.8.8.8:25/x",
        "https://8.8.8.8/x#fragment",
        "ftp://8.8.8.8/x",
        "file:///etc/passwd",
        "gopher://8.8.8.8/",
        "https:///x",
        "https://localhost/x",
    ],
)
def test_a_deployment_calls_public_https_addresses_only(url: str) -> None:
    """Every private, disguised or odd address is refused before anything is sent (S-27)."""
    with pytest.raises(ForbiddenAddressError):
        pinned_address(url, PUBLIC)


def test_a_public_address_is_pinned() -> None:
    """The request goes to the address that was checked, with the name in the Host header."""
    assert pinned_address("https://8.8.8.8/logout?x=1", PUBLIC) == ("https://8.8.8.8:443/logout?x=1", "8.8.8.8")


def test_a_demonstration_may_call_loopback_but_no_private_network() -> None:
    """Loopback serves the demonstration; other private networks stay closed."""
    assert pinned_address("http://127.0.0.1:8001/logout", LOCAL)[0] == "http://127.0.0.1:8001/logout"
    with pytest.raises(ForbiddenAddressError):
        pinned_address("https://10.0.0.1/x", LOCAL)


class _Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        if self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", "/ok")
            self.end_headers()
            return
        if self.path == "/drip":
            self._drip()
            return
        if self.path == "/headers":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(str(self.headers).encode())
            return
        if self.path == "/bomb":
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            self.wfile.write(gzip.compress(b"x" * 50_000_000))
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body if self.path == "/ok" else b"x" * 400_000)

    def _drip(self) -> None:
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(OSError):  # the caller hung up, as it should
            for _ in range(1000):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.02)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Receiver)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def _local() -> Settings:
    return LOCAL


def test_a_form_is_posted(receiver: str) -> None:
    """The answer comes back with its status and body."""
    answer = post_form(f"{receiver}/ok", {"logout_token": "a.b.c"}, _local())

    assert (answer.status, answer.body) == (200, b"logout_token=a.b.c")


def test_a_body_is_posted_with_its_headers_and_our_host(receiver: str) -> None:
    """What is pushed arrives to the byte; the headers of the message never choose the Host (S-27)."""
    answer = egress.post(f"{receiver}/ok", b"a.b.c", {"Content-Type": "text/x", "Host": "elsewhere"}, _local())
    told = egress.post(
        f"{receiver}/headers", b"", {"Content-Type": "text/x", "Host": "elsewhere"}, _local()
    ).body.decode()

    assert (answer.status, answer.body) == (200, b"a.b.c")
    assert "Content-Type: text/x" in told
    assert [line for line in told.splitlines() if line.startswith("Host:")] == [
        f"Host: {receiver.removeprefix('http://')}"
    ]


def test_a_pushed_body_goes_to_public_addresses_only() -> None:
    """The same guard as for forms: nothing private, whatever a receiver registered (S-27)."""
    for url in (
        "https://10.0.0.1/events",
        "https://127.0.0.1/events",
        "http://8.8.8.8/events",
        "https://8.8.8.8:22/events",
    ):
        with pytest.raises(ForbiddenAddressError):
            egress.post(url, b"x", {}, PUBLIC)


def test_a_redirect_is_not_followed(receiver: str) -> None:
    """A 302 is an answer, never a second request."""
    assert post_form(f"{receiver}/elsewhere", {}, _local()).status == 302


def test_a_large_answer_is_cut(receiver: str) -> None:
    """More than 256 KiB is refused."""
    with pytest.raises(ForbiddenAddressError):
        post_form(f"{receiver}/large", {"x": "1"}, _local())


def test_an_answer_that_drips_is_cut(receiver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then keeps no worker longer than the whole exchange may last (S-27)."""
    monkeypatch.setattr(egress, "LONGEST", 0.2)

    begun = time.monotonic()
    with pytest.raises(ForbiddenAddressError, match="too long"):
        post_form(f"{receiver}/drip", {"x": "1"}, _local())

    assert time.monotonic() - begun < 10  # it would drip for twenty


def test_an_answer_is_never_unpacked(receiver: str) -> None:
    """A compressed answer counts for what was sent: no small answer fills the memory (S-27)."""
    assert len(post_form(f"{receiver}/bomb", {"x": "1"}, _local()).body) < 100_000
