"""The coarse shield: requests per address. What guards a secret is counted in the database, never here."""

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
AUTHORIZATIONS = "240 per minute"  # requests that a stranger can make us keep: an office may share one address
PUSHED = "600 per minute"  # the same, pushed by an agency's server, which has one address for all its people
REFUSALS = parse("600 per minute")  # of the endpoints for programs: what succeeds was proved and is not counted
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
    limit_refusals(app)


def limit_refusals(app: Flask) -> None:
    """Turn away an address whose requests the machine endpoints refused too often; in this process alone.

    A refused request costs the parsing of a body and perhaps one verification. What succeeds has a client, an agency and a
    log entry behind it, and an agency's server sends all its requests from one address: it is not counted.
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
    """Return the address for the one client installed: that of Valkey, which speaks to Redis as well."""
    return f"valkey{address.removeprefix('redis')}" if address.startswith("redis") else address


def storage_answers() -> bool:
    """Tell whether requests are counted: the storage answers, or there is nothing to count."""
    return not limiter.enabled or bool(limiter.storage.check())


def seconds_to_wait() -> int:
    """Return after how many seconds the sender of a request that was refused may come again."""
    refused = limiter.current_limit
    return _WINDOW if refused is None else _seconds_until(refused.reset_at)


def _seconds_until(ends_at: float) -> int:
    return min(_WINDOW, max(1, math.ceil(ends_at - time.time())))  # the library rounds the end up by a second
