"""The one guarded way out: every request the provider makes to an address that somebody registered.

No redirect is followed, the answer is capped, the address is resolved first and must be public; loopback is allowed only
where the issuer itself is on loopback (a demonstration, tests). Source: security S-27.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import httpx2

from .config import LOOPBACK_HOSTS, Settings

TIMEOUT = httpx2.Timeout(3.0, connect=2.0)
LONGEST = 5.0  # seconds for a whole exchange, whatever the pace of its parts
MAX_ANSWER = 256 * 1024
_PORTS = frozenset({80, 443, 8443})


class ForbiddenAddressError(ValueError):
    """The address may not be called."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status and at most ``MAX_ANSWER`` bytes."""

    status: int
    body: bytes


def post_form(url: str, form: dict[str, str], settings: Settings) -> Answer:
    """POST *form* to *url*.

    Raises:
        ForbiddenAddressError: the address is not a public https one.
        httpx2.HTTPError: it does not answer in time.
    """
    body = urlencode(form).encode("ascii")
    return post(url, body, {"Content-Type": "application/x-www-form-urlencoded"}, settings)


def post(url: str, body: bytes, headers: Mapping[str, str], settings: Settings) -> Answer:
    """POST *body* to *url* with *headers*; ``Host`` is always the one of the address.

    Raises:
        ForbiddenAddressError: the address is not a public https one.
        httpx2.HTTPError: it does not answer in time.
    """
    target, host = pinned_address(url, settings)
    ends_at = time.monotonic() + LONGEST
    with httpx2.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False) as client:
        sent = {**headers, "Host": host}
        extensions = {"sni_hostname": host.partition(":")[0]}
        with client.stream("POST", target, content=body, headers=sent, extensions=extensions) as response:
            return Answer(response.status_code, _read(response, ends_at))


def _read(response: httpx2.Response, ends_at: float) -> bytes:
    """Read an answer as it was sent, never unpacked: a small one could unpack to gigabytes."""
    body = b""
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > MAX_ANSWER:
            raise ForbiddenAddressError("the answer is too large")
        if time.monotonic() > ends_at:  # a byte now and then would hold the worker for days
            raise ForbiddenAddressError("the answer takes too long")
    return body


def pinned_address(url: str, settings: Settings) -> tuple[str, str]:
    """Return *url* with its host replaced by a checked address, and the Host header to send.

    Raises:
        ForbiddenAddressError: wrong scheme, credentials, port, or an address that is not public.
    """
    parts = urlsplit(url)
    at_home = urlsplit(settings.issuer).hostname in LOOPBACK_HOSTS
    if parts.username or parts.password or parts.fragment or not parts.hostname:
        raise ForbiddenAddressError("credentials, fragment or no host")
    if parts.scheme != "https" and not (at_home and parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS):
        raise ForbiddenAddressError("only https")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if not at_home and port not in _PORTS:
        raise ForbiddenAddressError("port not allowed")
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ForbiddenAddressError("does not resolve") from error
    addresses = [ipaddress.ip_address(entry[4][0]) for entry in found]
    for address in addresses:
        if not (address.is_global or (at_home and address.is_loopback)):
            raise ForbiddenAddressError("not a public address")
    chosen = addresses[0]
    literal = f"[{chosen}]" if chosen.version == 6 else str(chosen)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return f"{parts.scheme}://{literal}:{port}{path}", parts.netloc
