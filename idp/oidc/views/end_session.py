"""The end of the session, asked for by an agency: confirmed by the person unless the hint is of this very sign-in."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, make_response, render_template, request, session
from flask.typing import ResponseReturnValue

from ...accounts.sessions.sessions import current_sign_in
from ...accounts.views import leave
from ...crypto.sealing import SealError, current_sealing
from ...http.limits import AUTHORIZATIONS, limiter
from ...http.web import csrf, current_settings, error_page, now, see_other
from ...i18n import gettext as _
from ..authorization.domain.requests import Parameters, parameters, too_long
from ..clients import client_refusals, client_services
from ..domain import metadata, uris
from ..errors import UnprovenRequestError
from ..keys.signing_keys import UntrustedTokenError
from ..logout.domain import logout
from ..logout.domain.logout import LogoutRequest, Return
from ..token.domain import tokens
from ..token.issuing import key_ring
from . import browser, farewell

blueprint = Blueprint("oidc_end_session", __name__)
_PENDING = "oidc_logout"
_CARRIED = timedelta(minutes=1)  # from a post of another site to the request with our cookie that follows it


@blueprint.route("/end-session", methods=["GET", "POST"])
@csrf.exempt  # type: ignore[untyped-decorator]
@limiter.limit(AUTHORIZATIONS)
def end_session() -> ResponseReturnValue:
    """Sign the person out at the request of an agency."""
    try:
        asked = parameters([*request.args.items(multi=True), *request.form.items(multi=True)])
    except UnprovenRequestError as error:
        return _refusal(error.code, "a parameter is repeated or not text")
    if any(too_long(name, value) for name, value in asked.values.items()):
        return _refusal("invalid_request", "a parameter is too long", asked.get("client_id"))
    browser.speak(asked.language)
    if request.method == "GET" and asked.language:  # never on a POST: the cookie of another site's would replace ours
        browser.go_on_speaking(asked.language)
    carried = asked.get("asked") if request.method == "GET" else None
    wanted = _opened(carried) if carried is not None else _wanted(asked)
    if wanted is None:
        return _refusal("invalid_request", "what was posted is forged or too old")
    if request.method == "POST":  # another site posted it, without our cookie: come back with it
        spoken = {"ui_locales": locales} if (locales := asked.get("ui_locales")) else {}
        return see_other(f"/end-session?{urlencode({'asked': _carried(wanted), **spoken})}")
    client = client_services.find(wanted.named_client)
    place = logout.return_place(wanted, client)
    if wanted.post_logout_redirect_uri is not None and place is None and client is not None:
        rule = "post_logout_redirect_uri is not one that the client registered"
        return _refusal("invalid_post_logout_redirect_uri", rule, client.client_id)
    sign_in = current_sign_in()
    if logout.needs_confirmation(wanted, sign_in.sid if sign_in else None):
        return _ask(place, is_signed_in=sign_in is not None)
    return _end(place)


@blueprint.post("/end-session/confirm")
def confirm() -> ResponseReturnValue:
    """End the session: the person said so."""
    kept = session.pop(_PENDING, None)
    return _end(Return(**kept) if kept else None)


def _wanted(asked: Parameters) -> LogoutRequest:
    return LogoutRequest(
        _hint(asked.get("id_token_hint")),
        asked.get("client_id"),
        asked.get("post_logout_redirect_uri"),
        asked.get("state"),
    )


def _carried(wanted: LogoutRequest) -> str:
    """Seal what was posted for the address that follows: no token stands in it, and nothing that a proxy's log could read."""
    hint = {name: wanted.hint.get(name) for name in ("aud", "sid")} if wanted.hint is not None else None
    text = json.dumps({**asdict(wanted), "hint": hint, "at": now().isoformat()})
    return current_sealing().seal(text, _PENDING)


def _opened(carried: str) -> LogoutRequest | None:
    """Return what was posted a moment ago; None when it was forged or is too old."""
    try:
        told = json.loads(current_sealing().unseal(carried, _PENDING))
    except SealError:
        return None
    if now() - datetime.fromisoformat(told.pop("at")) > _CARRIED:
        return None
    return LogoutRequest(**told)


def _hint(token: str | None) -> dict[str, Any] | None:
    """Return the claims of the hint; one that is not our ID token counts for nothing."""
    if token is None:
        return None
    for alg in metadata.ID_TOKEN_ALGS:  # which client speaks is not known yet, so neither is its algorithm
        try:
            return key_ring().read(token, alg=alg, typ=tokens.ID_TOKEN_TYPE, issuer=current_settings().issuer)
        except UntrustedTokenError:
            continue
    return None


def _ask(place: Return | None, *, is_signed_in: bool) -> Response:
    if not is_signed_in and place is None:
        return see_other(farewell.PATH)
    session.pop(_PENDING, None)
    if place is not None:
        session[_PENDING] = asdict(place)
        g.form_action_origins = (uris.origin(place.uri),)
    return make_response(render_template("oidc/end_session.html"))


def _end(place: Return | None) -> Response:
    shown = None
    if current_sign_in() is not None:  # with nobody signed in, a link from elsewhere must not make a draft forgotten
        shown = leave()
    if place is None:
        return see_other(farewell.PATH)
    if not place.is_vouched:
        farewell.ask_before(place)
        return see_other(farewell.PATH)
    if shown is not None:  # clients are notified by the browser first
        farewell.then(place)
        return see_other(shown)
    return see_other(place.address)


def _refusal(code: str, rule: str, client_id: str | None = None) -> Response:
    client_refusals.note(code, rule, client_id or "")
    return error_page(
        400,
        code,
        _("We cannot do what the agency’s site asked"),
        _("You are still signed in here. To sign out, use the button at the top of the page."),
    )
