"""The portal's application."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, Response, request, session
from flask_wtf.csrf import CSRFProtect

from . import acts, signals, views
from .database import Database
from .oidc import Provider
from .settings import PortalSettings
from .store import Store
from .words import word

csrf = CSRFProtect()
_TORONTO = ZoneInfo("America/Toronto")


def create_app(settings: PortalSettings | None = None) -> Flask:
    """Build the portal from *settings*, read from the environment when none are given."""
    settings = settings or PortalSettings.from_environment()
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=hashlib.sha256(b"portal cookie:" + settings.client_secret.encode()).digest(),
        SESSION_COOKIE_NAME="portal-page",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.url.startswith("https:"),
        WTF_CSRF_TIME_LIMIT=None,
        MAX_CONTENT_LENGTH=128 * 1024,
    )
    app.extensions["portal.settings"] = settings
    app.extensions["portal.database"] = database = Database(settings.database)
    app.extensions["portal.store"] = Store(database)
    app.extensions["portal.provider"] = provider = Provider(app, settings)
    csrf.init_app(app)
    views.register(app)
    acts.register(app)
    signals.register(app, provider, settings)
    for view in (views.backchannel_logout, signals.receive):
        csrf.exempt(view)
    app.context_processor(_frame)
    app.after_request(_headers)
    app.jinja_env.filters.update(moment=_moment, dollars=_dollars)
    return app


def language() -> str:
    """Return the language of this request: French unless English was chosen."""
    wish = request.args.get("lang")
    if wish in ("fr", "en"):
        session["lang"] = wish
    return str(session.get("lang", "fr"))


def _frame() -> dict[str, Any]:
    chosen = language()
    return {"lang": chosen, "w": lambda key, **values: word(key, chosen, **values)}


def _headers(response: Response) -> Response:
    settings: PortalSettings = views.settings()
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self' {settings.issuer}"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response


def _moment(value: str | datetime) -> str:
    instant = datetime.fromisoformat(value) if isinstance(value, str) else value
    if instant.tzinfo is None:
        return f"{instant:%Y-%m-%d}"
    return f"{instant.astimezone(_TORONTO):%Y-%m-%d %H:%M:%S}"


def _dollars(cents: int) -> str:
    whole, rest = divmod(cents, 100)
    if language() == "en":
        return f"${whole:,}.{rest:02d}"
    return f"{whole:,}".replace(",", "\u00a0") + f",{rest:02d}\u00a0$"
