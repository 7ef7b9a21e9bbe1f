"""The blueprints of delegation."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from flask import Flask

from . import journal_views, models, people_views, rights_views

__all__ = ["init_app", "models"]


def init_app(app: Flask) -> None:
    """Register the pages of people, rights, journal, agencies and the enterprise's home."""
    for pages in (people_views, rights_views, journal_views):
        app.register_blueprint(pages.blueprint)
    if find_spec("idp.delegation.subscription_views"):
        app.register_blueprint(import_module("idp.delegation.subscription_views").blueprint)
