"""The public pages that explain: home, help, accessibility and privacy."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, abort, render_template

from ..http.web import current_settings, now
from .domain import security_txt

blueprint = Blueprint("pages", __name__)


def init_app(app: Flask) -> None:
    """Give *app* its public pages."""
    app.register_blueprint(blueprint)


@blueprint.get("/")
def home() -> str:
    """Show what Mandat does and where to begin."""
    return render_template("home.html")


@blueprint.get("/help")
def help_page() -> str:
    """Answer the usual questions, role by role, and give the ways to reach a person."""
    return render_template("pages/help.html")


@blueprint.get("/accessibility")
def accessibility() -> str:
    """Show what was done for accessibility, what is not proved yet, and how to report a barrier."""
    return render_template("pages/accessibility.html")


@blueprint.get("/privacy")
def privacy() -> str:
    """Show which data is kept, why and how long."""
    return render_template("pages/privacy.html")


@blueprint.get(security_txt.PATH)
def security_contact() -> Response:
    """Show where to report a vulnerability (RFC 9116)."""
    text = security_txt.written(current_settings(), now())
    if text is None:
        abort(404)
    answer = Response(text, content_type="text/plain; charset=utf-8")
    answer.headers["Cache-Control"] = "public, max-age=86400"
    return answer
