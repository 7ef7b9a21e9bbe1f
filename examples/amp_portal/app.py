"""The portal's application."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, request, session
from flask_wtf.csrf import CSRFProtect
from werkzeug.routing import IntegerConverter

from . import acts, application_views, formats, guard, kept, services, signals, views
from .applications import FEE_CENTS
from .database import Database
from .forms import BIGGEST_ROW
from .oidc import Provider
from .settings import PortalSettings
from .store import Store
from .words import WORDS, word

csrf = CSRFProtect()
MAX_BODY, MAX_TOKEN = 5 * 1024 * 1024, 128 * 1024  # a long field gets a message; a long token does not


class RowConverter(IntegerConverter):
    """The number of a row in an address; a number larger than any row number does not match (404)."""

    def __init__(self, map: Any) -> None:
        super().__init__(map, min=1, max=BIGGEST_ROW - 1)


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
        MAX_CONTENT_LENGTH=MAX_BODY,
        MAX_FORM_MEMORY_SIZE=MAX_BODY,
    )
    app.extensions["portal.settings"] = settings
    app.extensions["portal.database"] = database = Database(settings.database)
    app.extensions["portal.store"] = Store(database)
    app.extensions["portal.provider"] = provider = Provider(app, settings)
    app.url_map.converters["row"] = RowConverter
    app.before_request(_bound)
    csrf.init_app(app)
    views.register(app)
    services.register(app)
    application_views.register(app)
    acts.register(app)
    signals.register(app, provider, settings)
    for view in (views.backchannel_logout, views.initiate_login, signals.receive):
        csrf.exempt(view)
    app.context_processor(_frame)
    app.after_request(_headers)
    return app


def _bound() -> None:
    """Apply a tighter size limit to requests from programs than to forms."""
    if request.endpoint in ("events", "backchannel_logout"):
        request.max_content_length = MAX_TOKEN


def language() -> str:
    """Return the language of this request: French unless English was chosen."""
    wish = request.args.get("lang")
    if wish in ("fr", "en"):
        session["lang"] = wish
    return str(session.get("lang", "fr"))


def _frame() -> dict[str, Any]:
    chosen = language()
    other = {**request.args.to_dict(), "lang": "fr" if chosen == "en" else "en"}
    return {
        "lang": chosen,
        "w": lambda key, **values: word(key, chosen, **values),
        "has_word": WORDS.__contains__,
        "other_language_query": urlencode(other),
        "moment": lambda value: formats.moment(value, chosen),
        "day": lambda value: formats.day(value, chosen),
        "dollars": lambda cents: formats.dollars(cents, chosen),
        "cents": lambda text: formats.read_dollars(text or ""),
        "number_of": lambda value: formats.number(value, chosen),
        "kept_labels": kept.LABELS,
        "fee": FEE_CENTS,
        "once": lambda: secrets.token_urlsafe(12),
    }


def _headers(response: Response) -> Response:
    settings = guard.settings()
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self' {settings.issuer}"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response
