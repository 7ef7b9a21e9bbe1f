"""The coarse shield: requests per address. What guards a secret is counted in the database, never here."""

from __future__ import annotations

import math
import time
from ipaddress import IPv6Address, IPv6Network, ip_address

from flask import Flask, request
from flask_limiter import Limiter

from .config import Settings

SIGN_IN = "60 per minute"
FORMS = "120 per minute"
HOUSEHOLD = 64  # bits that name an IPv6 network: whoever has one has all addresses in it (RFC 6177, RFC 7421)
_WINDOW = 60  # seconds: both limits are per minute
_PATIENCE = 0.5  # seconds for the storage to answer, on the way of every request


def counted_address() -> str:
    """Return as whom the sender counts: an IPv4 address, or the network of an IPv6 one."""
    shown = request.remote_addr or ""
    try:
        address = ip_address(shown)
    except ValueError:
        return shown or "nobody"
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), HOUSEHOLD), strict=False))


limiter = Limiter(key_func=counted_address, headers_enabled=False)


def init_limits(app: Flask, settings: Settings) -> None:
    """Bind the shield to *app*; when its storage is down it opens (the guards in the database stay)."""
    app.config.update(
        RATELIMIT_STORAGE_URI=storage_of(settings.rate_limit_storage),
        RATELIMIT_STORAGE_OPTIONS=(
            {}
            if settings.rate_limit_storage == "memory://"
            else {"socket_connect_timeout": _PATIENCE, "socket_timeout": _PATIENCE}
        ),
        RATELIMIT_SWALLOW_ERRORS=True,
        RATELIMIT_ENABLED=not app.testing and not settings.demo,
    )
    limiter.init_app(app)


def storage_of(address: str) -> str:
    """Return the address for the one client installed: that of Valkey, which speaks to Redis as well."""
    return f"valkey{address.removeprefix('redis')}" if address.startswith("redis") else address


def storage_answers() -> bool:
    """Tell whether requests are counted: the storage answers, or there is nothing to count."""
    return not limiter.enabled or bool(limiter.storage.check())


def seconds_to_wait() -> int:
    """Return after how many seconds the sender of a request that was refused may come again."""
    refused = limiter.current_limit
    if refused is None:
        return _WINDOW
    return min(_WINDOW, max(1, math.ceil(refused.reset_at - time.time())))  # the library rounds the end up by a second
