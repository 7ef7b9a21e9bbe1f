"""Coarse rate limits: requests per address. Limits that protect a secret are counted in the database, never here."""

from __future__ import annotations

import math
import time
from ipaddress import IPv6Address, IPv6Network, ip_address

from flask import Flask, Response, current_app, request
from flask_limiter import Limiter
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

from ..config import Settings

SIGN_IN = "60 per minute"
FORMS = "120 per minute"
AUTHORIZATIONS = "240 per minute"  # requests by which a stranger makes us store rows: an office may share one address
PUSHED = "600 per minute"  # the same, pushed by an agency's server, which has one address for all its people
REFUSALS = parse("600 per minute")  # endpoints for programs; authenticated requests that succeed are not counted
HOUSEHOLD = 64  # bits of an IPv6 network: its owner has all the addresses in it (RFC 6177, RFC 7421)
_WINDOW = 60  # seconds: both limits are per minute
_PATIENCE = 0.5  # seconds for the storage to respond: every request waits for it


def counted_address() -> str:
    """Return the counted form of a sender's address: an IPv4 address, or the network of an IPv6 one."""
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
    """Bind the rate limits to *app*; when their storage is down, requests pass (the limits in the database stay)."""
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
    limit_refusals(app)


def limit_refusals(app: Flask) -> None:
    """Refuse an address whose requests the machine endpoints refused too often; counted per process.

    A refused request costs the parsing of a body and perhaps one verification. A successful request is not counted: it
    has a client, an agency and a log entry, and an agency's server sends all its requests from one address.
    """
    counted = FixedWindowRateLimiter(MemoryStorage())

    def is_machine() -> bool:
        view = current_app.view_functions.get(request.endpoint or "")
        return limiter.enabled and request.method != "OPTIONS" and bool(getattr(view, "machine", False))

    @app.before_request
    def check() -> None:
        if is_machine() and not counted.test(REFUSALS, counted_address()):
            ends_at = counted.get_window_stats(REFUSALS, counted_address()).reset_time
            raise TooManyRequests(retry_after=_seconds_until(ends_at))

    @app.after_request
    def count(response: Response) -> Response:
        if response.status_code >= 400 and is_machine():
            counted.hit(REFUSALS, counted_address())
        return response


def storage_of(address: str) -> str:
    """Return the storage address for the installed client: that of Valkey, which supports Redis as well."""
    return f"valkey{address.removeprefix('redis')}" if address.startswith("redis") else address


def storage_answers() -> bool:
    """Return whether requests are counted: the storage responds, or there is nothing to count."""
    return not limiter.enabled or bool(limiter.storage.check())


def seconds_to_wait() -> int:
    """Return after how many seconds the sender of a refused request may retry."""
    refused = limiter.current_limit
    return _WINDOW if refused is None else _seconds_until(refused.reset_at)


def _seconds_until(ends_at: float) -> int:
    return min(_WINDOW, max(1, math.ceil(ends_at - time.time())))  # the library rounds the end up by a second
