"""The one writer of authorization answers, success and error, in every mode: ``state``, ``iss`` (RFC 9207), 303.

In the modes of JARM the parameters are the claims of one signed JWT, and ``response`` is the only parameter left.
"""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Response, g, make_response, render_template

from ...http.web import content_security_policy, current_settings, now, see_other
from ..clients.domain.clients import RelyingParty
from ..domain import uris
from ..token.issuing import key_ring
from .domain import jarm
from .domain.checks import Target, place
from .domain.requests import AuthorizationRequest


def target_of(request: AuthorizationRequest, client: RelyingParty) -> Target:
    """Return where the answer to a checked request of *client* goes."""
    return place(request.redirect_uri, request.response_mode, request.state, client)


def success(target: Target, code: str) -> Response:
    """Give the client its code; the person has just agreed to that, on a page that names the host of an unvouched one."""
    return _answer(target, {"code": code})


def error(target: Target, code: str, description: str) -> Response:
    """Return to the client why there is no code (RFC 6749 §4.1.2.1).

    A link must not lead through us to an address that nobody vouched for: a page names it, and the person goes on or not
    (RFC 9700 §4.11.2). Whatever the error, also without a page (``prompt=none``).
    """
    return _answer(target, {"error": code, "error_description": description}, asks_first=not target.is_vouched)


def _answer(target: Target, parameters: dict[str, str], *, asks_first: bool = False) -> Response:
    if target.state is not None:
        parameters["state"] = target.state
    carrier = target.response_mode
    if target.sends_iss or carrier in jarm.CARRIERS:
        parameters["iss"] = current_settings().issuer
    if carrier in jarm.CARRIERS:
        carrier, parameters = jarm.CARRIERS[carrier], {"response": _signed(target, parameters)}
    if carrier == "form_post":
        return _leaving(target.redirect_uri, parameters) if asks_first else _form_post(target, parameters)
    if carrier == "fragment":  # a registered address has none of its own
        address = f"{target.redirect_uri}#{urlencode(parameters)}"
    else:
        address = uris.with_parameters(target.redirect_uri, parameters)
    response = _leaving(address) if asks_first else see_other(address)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _leaving(address: str, posted: dict[str, str] | None = None) -> Response:
    """Say where the person would go on to, and let them do it: by a link, or by a form with what is *posted*."""
    g.form_action_origins = (uris.origin(address),)
    page = render_template("oidc/leaving.html", host=uris.host(address), address=address, parameters=posted)
    response = make_response(page)
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
