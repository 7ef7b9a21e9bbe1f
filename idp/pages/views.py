"""The public pages that explain: home, help, accessibility and privacy."""

from __future__ import annotations

from flask import Blueprint, Flask, render_template

blueprint = Blueprint("pages", __name__)


def init_app(app: Flask) -> None:
    """Give *app* its public pages."""
    app.register_blueprint(blueprint)


@blueprint.get("/")
def home() -> str:
    """Say what Mandat does and where to begin."""
    return render_template("home.html")


@blueprint.get("/help")
def help_page() -> str:
    """Answer the usual questions, role by role, and say how to reach a person."""
    return render_template("pages/help.html")


@blueprint.get("/accessibility")
def accessibility() -> str:
    """State what was done for accessibility, what is not proved yet, and how to report a barrier."""
    return render_template("pages/accessibility.html")


@blueprint.get("/privacy")
def privacy() -> str:
    """Say which data is kept, why and how long."""
    return render_template("pages/privacy.html")
