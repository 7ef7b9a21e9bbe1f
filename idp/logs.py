"""Logs: one JSON line per event, with the request's number, and nothing secret.

A value whose name suggests a secret is replaced before it is written; Authlib's own loggers, which would write
live tokens at DEBUG, start at INFO (security-bar.md §0.1).
"""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from typing import Any

import structlog
import structlog.tracebacks

from .config import Settings

HIDDEN = "…"
_NAMES = frozenset(
    {
        *("password", "secret", "token", "code", "otp", "authorization", "cookie", "set-cookie", "client_secret"),
        *("access_token", "refresh_token", "id_token", "code_verifier", "client_assertion", "logout_token"),
        *("revenu_quebec_id", "notice_number", "totp_secret", "temporary_password", "birth_date"),
    }
)

_TRACEBACKS = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)  # a local variable may be a secret


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the value of every member whose name suggests a secret, at any depth."""
    for name, value in event.items():
        if name.lower() in _NAMES:
            event[name] = HIDDEN
        elif isinstance(value, MutableMapping):
            redact(None, "", value)
    return event


def init_logs(settings: Settings) -> None:
    """Set up structured logs on standard output and the floor of Authlib's loggers."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            structlog.processors.ExceptionRenderer(_TRACEBACKS),
            structlog.processors.JSONRenderer(ensure_ascii=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, settings.log_level)),
        logger_factory=structlog.PrintLoggerFactory(),
    )
    logging.getLogger("authlib").setLevel(logging.INFO)
