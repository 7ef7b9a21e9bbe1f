"""The one writer of authorization answers, success and error, in every mode: ``state``, ``iss`` (RFC 9207), 303."""

from __future__ import annotations

from flask import Response, g, make_response, render_template

from ..web import content_security_policy, current_settings, see_other
from . import uris
from .checks import Target
from .requests import AuthorizationRequest


def target_of(request: AuthorizationRequest) -> Target:
    """Return where the answer to a checked request goes."""
    return Target(request.redirect_uri, request.response_mode, request.state)


def success(target: Target, code: str) -> Response:
    """Give the client its code."""
    return _answer(target, {"code": code})


def error(target: Target, code: str, description: str) -> Response:
    """Tell the client why there is no code (RFC 6749 §4.1.2.1)."""
    return _answer(target, {"error": code, "error_description": description})


def _answer(target: Target, parameters: dict[str, str]) -> Response:
    if target.state is not None:
        parameters["state"] = target.state
    parameters["iss"] = current_settings().issuer
    if target.response_mode == "form_post":
        return _form_post(target, parameters)
    response = see_other(uris.with_parameters(target.redirect_uri, parameters))
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _form_post(target: Target, parameters: dict[str, str]) -> Response:
    """Show a form that posts itself where scripts run, and has a button where they do not (OAuth Form Post 1.0)."""
    g.form_action_origins = (uris.origin(target.redirect_uri),)
    page = render_template("oidc/form_post.html", action=target.redirect_uri, parameters=parameters)
    response = make_response(page)
    response.headers["Content-Security-Policy"] = content_security_policy().replace(
        "form-action 'self' ", "form-action "
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
