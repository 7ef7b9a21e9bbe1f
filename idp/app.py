"""The composition root: the only place where everything meets."""

from __future__ import annotations

from importlib import import_module

from flask import Flask

from .clock import Clock, SystemClock
from .config import Settings, folder, read_settings
from .db import init_db
from .i18n import init_i18n
from .limits import init_limits
from .sealing import Sealing
from .web import init_web

CONTEXTS = ("pages", "accounts", "enrollment", "delegation", "oidc", "support")


def create_app(
    settings: Settings | None = None,
    *,
    clock: Clock | None = None,
    testing: bool = False,
    contexts: tuple[str, ...] = CONTEXTS,
) -> Flask:
    """Build the application from *settings* (read from the environment when none are given)."""
    settings = settings or read_settings()
    app = Flask("idp", template_folder=str(folder("templates")), static_folder=str(folder("static")))
    app.testing = testing
    sealing = Sealing.load(settings.keys_dir)
    app.extensions["mandat.settings"] = settings
    app.extensions["mandat.clock"] = clock or SystemClock()
    app.extensions["mandat.sealing"] = sealing
    app.extensions["mandat.renderers"] = {}
    init_db(app, settings)
    init_i18n(app)
    init_web(app, settings, sealing)
    init_limits(app, settings)
    for context in contexts:
        import_module(f"idp.{context}.views").init_app(app)
    return app
