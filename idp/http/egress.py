"""The one guarded way out: every request the provider makes to a registered address.

No redirect is followed, the response is capped, the whole exchange has one deadline; the host is resolved first, every
resolved address must be public, and the call goes to a checked address. Loopback is allowed only where the issuer
itself is on loopback (a demonstration, tests). Source: security-bar.md S-27.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpcore2
import httpx2

from ..config import LOOPBACK_HOSTS, Settings

TIMEOUT = httpx2.Timeout(3.0, connect=2.0)
LONGEST = 5.0  # seconds for a whole exchange, whatever the pace of its parts
MAX_ANSWER = 256 * 1024
MAX_DOCUMENT = 64 * 1024  # protocol.md §6.14
_PORTS = frozenset({80, 443, 8443})
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address in its last 32 bits
_RELAYS = ipaddress.ip_network("192.88.99.0/24")  # RFC 7526

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class ForbiddenAddressError(ValueError):
    """The address may not be called, or its server misbehaves."""


@dataclass(frozen=True, slots=True)
class EgressResponse:
    """A response: the status, the headers and the capped body, as sent."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


Call = Callable[[], EgressResponse]


def post_form(url: str, form: dict[str, str], settings: Settings) -> EgressResponse:
    """POST *form* to *url*.

    Raises:
        ForbiddenAddressError: the address is not a public https one, or the response is too large or too slow.
        httpx2.HTTPError: no response in time.
    """
    body = urlencode(form).encode("ascii")
    return post(url, body, {"Content-Type": "application/x-www-form-urlencoded"}, settings)


def post(url: str, body: bytes, headers: Mapping[str, str], settings: Settings) -> EgressResponse:
    """POST *body* to *url* with *headers*; ``Host`` is always that of the address.

    Raises:
        ForbiddenAddressError: the address is not a public https one, or the response is too large or too slow.
        httpx2.HTTPError: no response in time.
    """
    return _exchange("POST", url, settings, largest=MAX_ANSWER, body=body, headers=headers)


def put(url: str, body: bytes, headers: Mapping[str, str], settings: Settings) -> EgressResponse:
    """PUT *body* to *url* with *headers*, as :func:`post` does.

    Raises:
        ForbiddenAddressError: the address is not a public https one, or the response is too large or too slow.
        httpx2.HTTPError: no response in time.
    """
    return _exchange("PUT", url, settings, largest=MAX_ANSWER, body=body, headers=headers)


def get(
    url: str, settings: Settings, *, etag: str | None = None, headers: Mapping[str, str] | None = None
) -> EgressResponse:
    """GET a small document from *url*; with *etag* the response may be 304 without a body.

    Raises:
        ForbiddenAddressError: the address is not a public https one, or the response is too large or too slow.
        httpx2.HTTPError: no response in time.
    """
    asked = {"Accept": "application/json", "Accept-Encoding": "identity"} | ({"If-None-Match": etag} if etag else {})
    return _exchange("GET", url, settings, largest=MAX_DOCUMENT, headers={**asked, **(headers or {})})


def _exchange(
    method: str,
    url: str,
    settings: Settings,
    *,
    largest: int,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> EgressResponse:
    target, host = pinned_address(url, settings)
    ends_at = time.monotonic() + LONGEST
    extensions = {"sni_hostname": urlsplit(url).hostname}
    with (
        httpx2.Client(
            timeout=TIMEOUT, follow_redirects=False, transport=_Transport(ends_at, settings.egress_ca_file)
        ) as client,
        client.stream(
            method, target, content=body, headers={**(headers or {}), "Host": host}, extensions=extensions
        ) as response,
    ):
        return EgressResponse(response.status_code, _read(response, largest), dict(response.headers))


def _read(response: httpx2.Response, largest: int) -> bytes:
    """Read a response as sent, never decompressed: a small one could expand to gigabytes."""
    body = b""
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > largest:
            raise ForbiddenAddressError("the answer is too large")
    return body


class _Transport(httpx2.HTTPTransport):
    """One exchange on streams with a deadline: without it, one byte now and then would block a worker for days."""

    def __init__(self, ends_at: float, authorities: Path | None) -> None:
        context = httpx2.create_ssl_context(trust_env=False)
        if authorities is not None:
            context.load_verify_locations(cafile=authorities)
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore2.ConnectionPool(ssl_context=context, network_backend=_Backend(ends_at))


class _Backend(httpcore2.SyncBackend):
    def __init__(self, ends_at: float) -> None:
        self._ends_at = ends_at

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect."""
        return _Stream(super().connect_tcp(host, port, timeout, local_address, socket_options), self._ends_at)


class _Stream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream, ends_at: float) -> None:
        self._stream = stream
        self._ends_at = ends_at

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read within the time left for the exchange."""
        try:
            return self._stream.read(max_bytes, self._left(timeout))
        except httpcore2.ReadTimeout:
            self._left(timeout)
            raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write within the time left for the exchange."""
        self._stream.write(buffer, self._left(timeout))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        """Continue under TLS, with the same deadline."""
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, self._left(timeout)), self._ends_at)

    def get_extra_info(self, info: str) -> Any:
        """Return information about the connection."""
        return self._stream.get_extra_info(info)

    def _left(self, timeout: float | None) -> float:
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise ForbiddenAddressError("the answer takes too long")
        return min(left, timeout or left)


def pinned_address(url: str, settings: Settings) -> tuple[str, str]:
    """Return *url* with its host replaced by a checked address, and the Host header to send.

    Raises:
        ForbiddenAddressError: wrong scheme, credentials, port, or an address that is not public.
    """
    try:
        parts = urlsplit(url)
        given_port = parts.port
    except ValueError as error:
        raise ForbiddenAddressError("cannot be read") from error
    at_home = urlsplit(settings.issuer).hostname in LOOPBACK_HOSTS
    if "@" in parts.netloc or parts.fragment or not parts.hostname:
        raise ForbiddenAddressError("credentials, fragment or no host")
    if parts.scheme != "https" and not (at_home and parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS):
        raise ForbiddenAddressError("only https")
    port = given_port if given_port is not None else 443 if parts.scheme == "https" else 80
    if not at_home and port not in _PORTS:
        raise ForbiddenAddressError("port not allowed")
    addresses = _resolved(parts.hostname, port)
    for address in addresses:
        if not (is_public(address) or (at_home and address.is_loopback)):
            raise ForbiddenAddressError("not a public address")
    chosen = addresses[0]
    literal = f"[{chosen}]" if chosen.version == 6 else str(chosen)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return f"{parts.scheme}://{literal}:{port}{path}", parts.netloc


def is_public(address: Address) -> bool:
    """Return whether *address*, and any IPv4 address embedded in it, is on the public network."""
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not address.is_multicast and address not in _RELAYS
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address.is_reserved or address.is_multicast or address.is_site_local or not address.is_global:
        return False
    carried = address.sixtofour
    if address in _TRANSLATED:
        carried = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return carried is None or is_public(carried)


def _resolved(host: str, port: int) -> list[Address]:
    """Return every address of *host*; a single non-public address refuses the whole name."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses: list[Address] = [ipaddress.ip_address(entry[4][0]) for entry in found]
    except (OSError, ValueError) as error:  # UnicodeError is a ValueError: a label that no name may have
        raise ForbiddenAddressError("does not resolve") from error
    if not addresses:
        raise ForbiddenAddressError("does not resolve")
    return addresses
