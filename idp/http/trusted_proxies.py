"""Which headers about a request are trusted: those of configured proxies, by connection address (S-84, S-85).

Anyone can write ``X-Forwarded-For`` or ``Client-Cert``. These headers are kept when they come from a configured proxy,
and dropped otherwise; a client certificate is always moved from the headers to a key that no request can write to.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Any

from werkzeug.middleware.proxy_fix import ProxyFix

from ..config import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CERTIFICATE = "mandat.client_certificate"  # never begins with HTTP_: no header has such a name
_FORWARDING = ("HTTP_X_FORWARDED_", "HTTP_FORWARDED", "HTTP_X_REAL_IP")
_CERTIFYING = ("HTTP_CLIENT_CERT", "HTTP_X_CLIENT_CERT", "HTTP_X_SSL_", "HTTP_SSL_")
_FROM_SERVER = "SSL_CLIENT_CERT"  # the name used by Apache's mod_ssl, filled in by the server itself


class TrustedProxies:
    """The outermost layer of the application: untrusted headers do not reach the inner layers."""

    def __init__(self, application: WSGIApplication, settings: Settings) -> None:
        self._direct = application
        hops = settings.trusted_proxies
        self._proxied = ProxyFix(application, x_for=hops, x_proto=hops) if hops else application
        self._networks = settings.proxy_addresses
        self._from_server = settings.mtls_certificate_from_server
        name = settings.mtls_certificate_header
        self._header = f"HTTP_{name.upper().replace('-', '_')}" if name else None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Handle a request without the headers that its sender is not allowed to send."""
        is_proxy = self._is_proxy(environ.get("REMOTE_ADDR", ""))
        certificate = self._certificate(environ, is_proxy=is_proxy)
        doubtful = _CERTIFYING if is_proxy else (*_FORWARDING, *_CERTIFYING)
        for name in [name for name in environ if name.startswith(doubtful) or name == self._header]:
            del environ[name]
        environ.pop(CERTIFICATE, None)
        if certificate:
            environ[CERTIFICATE] = certificate
        return (self._proxied if is_proxy else self._direct)(environ, start_response)

    def _certificate(self, environ: dict[str, Any], *, is_proxy: bool) -> str | None:
        if self._from_server:
            return environ.get(_FROM_SERVER)
        return environ.get(self._header) if self._header and is_proxy else None

    def _is_proxy(self, address: str) -> bool:
        try:
            peer = _plain(ip_address(address))
        except ValueError:
            return False
        return any(peer.version == network.version and peer in network for network in self._networks)


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that a dual-stack socket wrote as an IPv6 one."""
    return getattr(address, "ipv4_mapped", None) or address
