"""The RSGI application on the real server: what it hands to the WSGI application, and what it refuses without a thread."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from tests.flows.installation import free_port

SLOW = 110  # more connections than the application has threads
SERVER = """
import sys, time
from granian import Granian
from granian.constants import Interfaces

if __name__ == "__main__":
    Granian("seen:application", address="127.0.0.1", port=int(sys.argv[1]), interface=Interfaces.RSGI, workers=1,
            backpressure=1024, websockets=False).serve()
"""
SEEN = """
import json, time
from idp.http.rsgi import BodyBudget, RsgiApplication

def show(environ, start_response):
    body = environ["wsgi.input"].read()
    if environ["PATH_INFO"] == "/slow":
        time.sleep(1.0)
    if environ["PATH_INFO"] == "/empty":
        start_response("204 No Content", [("X-One", "1"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
        return []
    shown = {name: value for name, value in environ.items() if isinstance(value, str)} | {"read": len(body)}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(shown).encode()]

application = RsgiApplication(show, threads=4, deadline=1.0, largest=200_000, budget=BodyBudget(500_000))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    folder = tmp_path_factory.mktemp("rsgi")
    (folder / "serve.py").write_text(textwrap.dedent(SERVER))
    (folder / "seen.py").write_text(textwrap.dedent(SEEN))
    port = free_port()
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "serve.py", str(port)], cwd=folder, env=environment, stdout=log, stderr=log
        )
    try:
        _await(port, process, folder / "log")
        yield port, process
    finally:
        process.terminate()
        process.wait(timeout=20)


def _await(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        if process.poll() is not None:
            raise AssertionError(log.read_text())
        try:
            httpx2.get(f"http://127.0.0.1:{port}/", trust_env=False)
            return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise AssertionError(log.read_text())


def _ask(port: int, head: str, body: bytes = b"") -> bytes:
    """Send a request written by hand on a connection of its own, and return all that comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode() + body)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
        return answer


def test_the_application_sees_the_request_as_it_was_sent(server: tuple[int, object]) -> None:
    """Path, query, repeated headers and the whole body arrive as PEP 3333 says; a header with an underscore does not."""
    port, _process = server

    shown = httpx2.post(
        f"http://127.0.0.1:{port}/a%20b/%C3%A9?x=%20y&z=1",
        content=b"x" * 70_000,
        headers=[("X-Two", "1"), ("X-Two", "2"), ("X_Forwarded_For", "9.9.9.9"), ("Cookie", "a=1"), ("Cookie", "b=2")],
        trust_env=False,
    ).json()

    assert shown["PATH_INFO"] == "/a b/é".encode().decode("latin-1")
    assert (shown["QUERY_STRING"], shown["REQUEST_METHOD"], shown["read"]) == ("x=%20y&z=1", "POST", 70_000)
    assert (shown["HTTP_X_TWO"], shown["HTTP_COOKIE"], shown["REMOTE_ADDR"]) == ("1,2", "a=1; b=2", "127.0.0.1")
    assert (shown["CONTENT_LENGTH"], shown["SERVER_PORT"]) == ("70000", str(port))
    assert "HTTP_X_FORWARDED_FOR" not in shown


def test_a_body_in_chunks_is_whole(server: tuple[int, object]) -> None:
    """A body of unknown length reaches the application with the length that was read."""
    port, _process = server

    shown = httpx2.post(f"http://127.0.0.1:{port}/", content=iter([b"a" * 10, b"b" * 20]), trust_env=False).json()

    assert (shown["read"], shown["CONTENT_LENGTH"]) == (30, "30")


def test_an_answer_without_a_body_keeps_its_headers(server: tuple[int, object]) -> None:
    """Status and repeated headers are sent as they are."""
    port, _process = server

    answer = httpx2.get(f"http://127.0.0.1:{port}/empty", trust_env=False)

    assert (answer.status_code, answer.headers["x-one"]) == (204, "1")
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]


@pytest.mark.bar("S-78")
def test_bodies_that_never_end_hold_nothing(server: tuple[int, object]) -> None:
    """While 110 connections have sent one byte of a body, another request is answered; each of them then gets 408."""
    port, _process = server
    with ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30)) for _ in range(SLOW)]
        for connection in slow:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx")

        answered = httpx2.post(f"http://127.0.0.1:{port}/", content=b"ok", timeout=10, trust_env=False)

        assert answered.json()["read"] == 2
        assert all(connection.recv(64).startswith(b"HTTP/1.1 408 ") for connection in slow)


def test_a_body_that_is_too_long_is_cut_off(server: tuple[int, object]) -> None:
    """Announced, it is left to the application, which reads nothing; sent without a length, it is refused on the way."""
    port, _process = server
    head = "POST / HTTP/1.1\nHost: a\nConnection: close\nContent-Length: 200001\n\n"

    announced = _ask(port, head)
    streamed = httpx2.post(f"http://127.0.0.1:{port}/", content=iter([b"a" * 150_000] * 2), trust_env=False)

    assert json.loads(announced.rpartition(b"\r\n\r\n")[2])["read"] == 0
    assert streamed.status_code == 413


def test_bodies_of_all_connections_have_one_bound(server: tuple[int, object]) -> None:
    """When bodies under way hold all that a process may hold, the next one is told to come back; afterwards all is free."""
    port, _process = server
    with ExitStack() as stack:
        for _ in range(3):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
            connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + b"x" * 160_000)
        time.sleep(0.3)

        refused = httpx2.post(f"http://127.0.0.1:{port}/", content=b"y" * 100_000, trust_env=False)

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    time.sleep(1.2)
    assert httpx2.post(f"http://127.0.0.1:{port}/", content=b"y" * 200_000, trust_env=False).json()["read"] == 200_000


def test_a_stopped_server_answers_what_it_has_begun(server: tuple[int, subprocess.Popen[bytes]]) -> None:
    """SIGTERM lets the request under way end (the last test: the server is gone afterwards)."""
    port, process = server
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(b"GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        time.sleep(0.3)

        process.terminate()

        assert connection.recv(64).startswith(b"HTTP/1.1 200 ")
