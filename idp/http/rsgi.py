"""How ``idp serve`` receives requests: the RSGI interface of its server around the WSGI application.

The body of a request is read by the event loop, with a deadline and bounds, before the request takes one of the threads
that run the WSGI application. A thousand connections that send one byte of a body each therefore occupy no thread
(docs/operations.md lists the bounds of the proxy).
"""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from .request_bodies import MAX_BODY

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

THREADS = 96  # in each process; more than the concurrency limit lets wait, to leave some for the token endpoint
DEADLINE = 15.0  # seconds for the whole body, plus the time that LEAST_RATE allows for its size
LEAST_RATE = 16 * 1024  # bytes a second: 5 MiB over a telephone may take five minutes, one byte may not
HELD_BODIES = 256 * 1024 * 1024  # bytes of bodies kept in memory by one process at once, over all connections
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})
_AS_THEY_ARE = frozenset({"content-type", "content-length"})

log = structlog.get_logger("mandat.rsgi")


class RefusedBodyError(Exception):
    """The body was not read to its end; ``status`` and ``sentence`` are the response."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


@dataclass(slots=True)
class BodyBudget:
    """The bytes used by bodies being received in this process."""

    limit: int = HELD_BODIES
    held: int = 0

    def take(self, size: int) -> None:
        """Reserve *size* bytes.

        Raises:
            RefusedBodyError: other bodies use too much memory; the sender may retry (503).
        """
        if self.held + size > self.limit:
            raise RefusedBodyError(503, "The service is busy. / Le service est très sollicité.")
        self.held += size

    def give_back(self, size: int) -> None:
        """Release *size* bytes."""
        self.held -= size


class RsgiApplication:
    """Run a WSGI application behind the RSGI interface of the server (RSGI specification 1.6)."""

    def __init__(
        self,
        application: WSGIApplication,
        *,
        threads: int = THREADS,
        deadline: float = DEADLINE,
        largest: int = MAX_BODY,
        budget: BodyBudget | None = None,
    ) -> None:
        self._application = application
        self._deadline = deadline
        self._largest = largest
        self._budget = budget or BodyBudget()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="request")

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Read the body, run the application in a thread, send the response."""
        chunks: list[bytes] = []
        try:
            if scope.method not in _BODILESS or "content-length" in scope.headers:
                await self._read(scope, protocol, chunks)
        except RefusedBodyError as error:
            log.info("body refused", status=error.status, path=scope.path)
            self._budget.give_back(sum(map(len, chunks)))
            headers = [("content-type", "text/plain; charset=utf-8"), ("connection", "close"), ("retry-after", "5")]
            protocol.response_str(error.status, headers, error.sentence + "\n")
            return
        try:
            body = b"".join(chunks)
            loop = asyncio.get_running_loop()
            status, headers, answer = await loop.run_in_executor(self._threads, self._answer, scope, body)
        finally:
            self._budget.give_back(sum(map(len, chunks)))
        if answer:
            protocol.response_bytes(status, headers, answer)
        else:
            protocol.response_empty(status, headers)

    async def _read(self, scope: Any, protocol: Any, chunks: list[bytes]) -> None:
        """Collect the body in *chunks*; the application refuses one that exceeds the largest size."""
        announced = scope.headers.get("content-length") or ""
        if announced.isdecimal() and int(announced) > self._largest:
            return  # the application refuses it by its announced length, on its own page
        size = 0
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._deadline) as limit:
                async for chunk in protocol:
                    self._budget.take(len(chunk))
                    chunks.append(bytes(chunk))
                    size += len(chunk)
                    if size > self._largest:
                        raise RefusedBodyError(413, "The request is too large. / La requête est trop volumineuse.")
                    limit.reschedule(began + self._deadline + size / LEAST_RATE)
        except TimeoutError:
            raise RefusedBodyError(408, "The request took too long. / La requête a pris trop de temps.") from None

    def _answer(self, scope: Any, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        """Run the WSGI application on the whole request (PEP 3333)."""
        begun: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Any:
            begun[:] = [int(status[:3]), headers]
            return None

        answer: Iterable[bytes] = self._application(_environ(scope, body), start_response)
        try:
            whole = b"".join(answer)
        finally:
            close = getattr(answer, "close", None)
            if close is not None:
                close()
        return begun[0], [(name.lower(), value) for name, value in begun[1]], whole


def _environ(scope: Any, body: bytes) -> dict[str, Any]:
    """Return the WSGI environment of a request whose *body* was read (PEP 3333)."""
    client, _, _ = scope.client.rpartition(":")
    server, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": server.strip("[]"),
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": client.strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if scope.authority:
        environ["HTTP_HOST"] = scope.authority  # HTTP/2 has no Host header (RFC 9113 §8.3.1)
    for name in scope.headers.keys():  # noqa: SIM118 (not a mapping)
        if "_" in name:
            continue  # it would be taken for the header written with hyphens, which a proxy may have set
        value = ("; " if name == "cookie" else ",").join(scope.headers.get_all(name))
        key = name.upper().replace("-", "_")
        environ[key if name in _AS_THEY_ARE else f"HTTP_{key}"] = value
    if body:
        environ["CONTENT_LENGTH"] = str(len(body))
    return environ
