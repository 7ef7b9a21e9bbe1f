"""The coarse shield: requests per address. What guards a secret is counted in the database, never here."""

from __future__ import annotations

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from .config import Settings

limiter = Limiter(key_func=get_remote_address, headers_enabled=False)

SIGN_IN = "60 per minute"
FORMS = "120 per minute"


def init_limits(app: Flask, settings: Settings) -> None:
    """Bind the shield to *app*; when its storage is down it opens (the guards in the database stay)."""
    app.config.update(
        RATELIMIT_STORAGE_URI=settings.rate_limit_storage,
        RATELIMIT_SWALLOW_ERRORS=True,
        RATELIMIT_ENABLED=not app.testing and not settings.demo,
    )
    limiter.init_app(app)
