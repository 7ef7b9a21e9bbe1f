"""The one writer of authorization answers, success and error, in every mode: ``state``, ``iss`` (RFC 9207), 303.

In the modes of JARM the parameters are the claims of one signed JWT, and ``response`` is the only parameter left.
"""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Response, g, make_response, render_template

from ..web import content_security_policy, current_settings, now, see_other
from . import jarm, uris
from .checks import Target, place
from .issuing import key_ring
from .parties.clients import RelyingParty
from .requests import AuthorizationRequest


def target_of(request: AuthorizationRequest, client: RelyingParty) -> Target:
    """Return where the answer to a checked request of *client* goes."""
    return place(request.redirect_uri, request.response_mode, request.state, client)


def success(target: Target, code: str) -> Response:
    """Give the client its code."""
    return _answer(target, {"code": code})


def error(target: Target, code: str, description: str) -> Response:
    """Tell the client why there is no code (RFC 6749 §4.1.2.1)."""
    return _answer(target, {"error": code, "error_description": description})


def _answer(target: Target, parameters: dict[str, str]) -> Response:
    if target.state is not None:
        parameters["state"] = target.state
    carrier = target.response_mode
    if target.sends_iss or carrier in jarm.CARRIERS:
        parameters["iss"] = current_settings().issuer
    if carrier in jarm.CARRIERS:
        carrier, parameters = jarm.CARRIERS[carrier], {"response": _signed(target, parameters)}
    if carrier == "form_post":
        return _form_post(target, parameters)
    if carrier == "fragment":  # a registered address has none of its own
        response = see_other(f"{target.redirect_uri}#{urlencode(parameters)}")
    else:
        response = see_other(uris.with_parameters(target.redirect_uri, parameters))
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _signed(target: Target, parameters: dict[str, str]) -> str:
    """Return *parameters* as a JWT for this client alone (JARM §2.1)."""
    claims = jarm.claims(parameters, issuer=current_settings().issuer, client_id=target.client_id, now=now())
    return key_ring().sign(claims, alg=target.signing_alg, typ=jarm.RESPONSE_TYPE)


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
