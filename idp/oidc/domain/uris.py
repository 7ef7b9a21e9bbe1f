"""Addresses that a client registers, and the one way to compare them: byte for byte (RFC 9700 §2.1). Pure."""

from __future__ import annotations

import re
from urllib.parse import urlencode, urlsplit

from ...config import LOOPBACK_HOSTS

LONGEST_URI = 2048
_LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::([1-9][0-9]{0,4}))?([/?].*)?")
_SIGNS = re.compile(r"[!#-&(-;=?-Z\[\]_a-z~]+")  # RFC 3986 §2: no space, quote, <, >, \, ^, `, {, | or }
_HOST = re.compile(
    r"[a-z0-9_.-]+|[0-9a-f:.]+"
)  # it is written into a policy header: no sign that means something there


def fault(uri: object, *, issuer: str, is_native: bool = False) -> str | None:
    """Say why *uri* may not be registered, or None.

    ``http`` is for loopback only: at any time for a native client, by address (RFC 8252 §7.3), and for the others while the
    issuer itself is http on loopback (decisions.md §22).
    """
    if not isinstance(uri, str) or not uri:
        return "is not a text"
    if len(uri) > LONGEST_URI:
        return f"is longer than {LONGEST_URI} signs"
    if not _SIGNS.fullmatch(uri):
        return "holds a sign that a URI may not hold"
    if "#" in uri:
        return "has a fragment"
    if "*" in uri:
        return "has a wildcard"
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "cannot be read"
    if "@" in parts.netloc:
        return "holds a user name"
    if not _HOST.fullmatch(host) or port == 0:
        return "names no host"
    if any(segment in (".", "..") for segment in parts.path.split("/")) or "%2e" in uri.lower():
        return "has a dot segment"
    if is_native and _LOOPBACK.fullmatch(uri):
        return None
    return _scheme_fault(parts.scheme, host, issuer)


def lacks_path(uri: str) -> bool:
    """Return whether *uri* names a host and nothing more: some libraries add a slash, which breaks (protocol.md §9.19)."""
    return urlsplit(uri).path == ""


def fits(asked: str, registered: str, *, any_port: bool) -> bool:
    """Compare to the byte; with *any_port* an address of this machine may be at another port (RFC 8252 §7.3)."""
    if asked == registered:
        return True
    there, here = _LOOPBACK.fullmatch(asked), _LOOPBACK.fullmatch(registered)
    if not any_port or there is None or here is None:
        return False
    return (there[1], there[3]) == (here[1], here[3]) and int(there[2] or 80) < 65536


def _scheme_fault(scheme: str, host: str, issuer: str) -> str | None:
    if scheme == "https":
        return None
    if scheme != "http":
        return "is not https"
    home = urlsplit(issuer)
    at_home = home.scheme == "http" and home.hostname in LOOPBACK_HOSTS
    if at_home and host in LOOPBACK_HOSTS:
        return None
    return "is http, which only loopback may be, while the issuer itself is http on loopback"


def with_parameters(uri: str, parameters: dict[str, str]) -> str:
    """Return *uri* with parameters added; its own query is kept to the letter."""
    if not parameters:
        return uri
    joint = "&" if "?" in uri else "?"
    return f"{uri}{joint}{urlencode(parameters)}"


def origin(uri: str) -> str:
    """Return scheme, host and port of *uri*."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"


def is_same_site(uri: str, other: str) -> bool:
    """Return whether two addresses are of one scheme, host and port, however they are written."""
    return _site(uri) == _site(other)


def _site(uri: str) -> tuple[str, str, int]:
    parts = urlsplit(uri)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").rstrip("."), parts.port or (443 if scheme == "https" else 80)


def host(uri: str) -> str:
    """Return the host of *uri*, as a person may compare it: in ASCII, so that no letter imitates another."""
    return urlsplit(uri).hostname or ""


def is_origin(text: object, *, issuer: str) -> bool:
    """Return whether *text* is an acceptable origin and nothing more."""
    return isinstance(text, str) and fault(text, issuer=issuer) is None and origin(text) == text
