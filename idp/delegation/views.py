"""The blueprints of delegation."""

from __future__ import annotations

from flask import Flask

from . import journal_views, models, people_views, rights_views
from .subscription_views import blueprint as subscriptions

__all__ = ["init_app", "models"]


def init_app(app: Flask) -> None:
    """Register the pages of people, rights, journal, agencies and the enterprise's home."""
    for blueprint in (people_views.blueprint, rights_views.blueprint, journal_views.blueprint, subscriptions):
        app.register_blueprint(blueprint)
