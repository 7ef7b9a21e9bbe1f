"""The portal's front page, and the way in and out: signing in with Mandat, coming back, signing out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from flask import Flask, Response, current_app, make_response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from . import confirming, guard, kept, sessions, signals, step_up
from .access import BLOCKS, PATHS
from .guard import COOKIE, current_session, database, now, settings, store
from .oidc import Provider, RefusedTokenError
from .store import today

_SILENTLY_NOT = ("login_required", "consent_required", "interaction_required", "account_selection_required")


def _provider() -> Provider:
    found: Provider = current_app.extensions["portal.provider"]
    return found


def register(app: Flask) -> None:
    """Add the pages to *app*."""
    rules: tuple[tuple[str, str, Callable[..., ResponseReturnValue], tuple[str, ...]], ...] = (
        ("/", "home", home, ("GET",)),
        ("/sign-in", "sign_in", sign_in, ("GET",)),
        ("/initiate-login", "initiate_login", initiate_login, ("GET", "POST")),
        ("/callback", "callback", callback, ("GET",)),
        ("/sign-out", "sign_out", sign_out, ("POST",)),
        ("/signed-out", "signed_out", signed_out, ("GET",)),
        ("/backchannel-logout", "backchannel_logout", backchannel_logout, ("POST",)),
        ("/told", "told", told, ("GET",)),
    )
    for path, name, view, methods in rules:
        app.add_url_rule(path, name, view, methods=list(methods))
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(CSRFError, _bad_form)
    app.register_error_handler(500, _broken)


def _http_error(error: HTTPException) -> ResponseReturnValue:
    """Return the page for an error raised by Flask: unknown address, wrong method, body too large."""
    keys = {404: ("not_found", None), 405: ("not_found", None), 413: ("too_large_title", "too_large_text")}
    title, text = keys.get(error.code or 400, ("refused_request", "bad_form"))
    if error.code == 413:
        return render_template("notice.html", title_key=title, text_key=text, session=None), 413
    return render_template("notice.html", title_key=title, text_key=text), error.code or 400


def _bad_form(_error: CSRFError) -> ResponseReturnValue:
    """Return the page for a form without this browser's CSRF token; the person can copy their text from it."""
    page = render_template(
        "notice.html", title_key="refused_request", text_key="bad_form", typed=kept.typed(request.form)
    )
    return page, 400


def _broken(_error: Exception) -> ResponseReturnValue:
    return render_template("notice.html", title_key="broken_title", text_key="broken_text"), 500


def home() -> ResponseReturnValue:
    """Show the public page, or the seven services of a signed-in person."""
    current = current_session()
    if current is None:
        return render_template("home.html", blocks=BLOCKS, provider=settings().provider_pages)
    stale = guard.stale_answer(current)
    if stale is not None:
        return stale
    if current.rights is None:
        return render_template("no_enterprise.html", session=current, provider=settings().provider_pages)
    store().welcome(current.rights.enterprise_id, today())
    return render_template(
        "workspace.html",
        session=current,
        rights=current.rights,
        blocks=BLOCKS,
        paths=PATHS,
        unread=store().unread(current.rights.enterprise_id) if current.rights.refusal("001") is None else 0,
        provider=settings().provider_pages,
    )


def initiate_login() -> ResponseReturnValue:
    """Begin a sign-in initiated by Mandat, on the way back from it (OIDC Core §4)."""
    if request.values.get("iss") != settings().issuer:
        return render_template("notice.html", title_key="failed_title", text_key="failed_other", retry=True), 400
    target = request.values.get("target_link_uri", "")
    is_ours = target.startswith(f"{settings().url}/")
    place = _place(urlsplit(target).path) if is_ours else "/"
    return redirect("/sign-in?" + urlencode({"next": place}), code=303)


def sign_in() -> ResponseReturnValue:
    """Send the browser to Mandat.

    ``again=silent`` shows no page, ``again=choose`` asks for the enterprise and ``again=confirm`` authenticates the
    person again; with ``again=ask`` Mandat lets the person request the block that opens the page.
    """
    extra: dict[str, str] = {"ui_locales": "en" if session.get("lang") == "en" else "fr"}
    again, following = request.args.get("again"), _place(request.args.get("next", "/"))
    confirming.forget()
    if again in ("silent", "choose"):
        extra["prompt"] = "none" if again == "silent" else "select_account"
    elif again == "confirm":
        extra |= _confirmation_of(following)
    elif again == "ask":
        extra |= _wish_for(following)
    extra["claims"] = _with_name(extra.get("claims", "{}"))
    session["next"], session["asks"] = following, again == "ask"
    session["nonce"] = nonce = generate_token(32)
    try:
        _provider().metadata()
        answer = _provider().client.authorize_redirect(f"{settings().url}/callback", nonce=nonce, **extra)
    except Exception:
        current_app.logger.exception("the provider cannot be reached")
        return render_template("notice.html", title_key="failed_title", text_key="unreachable"), 503
    response: Response = answer
    return response


def _with_name(claims: str) -> str:
    """Request the person's name in the ID token (OIDC Core §5.5): colleagues see the author of each change."""
    asked = json.loads(claims)
    return json.dumps({**asked, "id_token": {**asked.get("id_token", {}), "name": None}})


def _place(wanted: str) -> str:
    """Return where a sign-in leads: a page of the portal, or home."""
    return wanted if wanted == "/" or guard.is_page(wanted) else "/"


def _confirmation_of(path: str) -> dict[str, str]:
    """Request a fresh sign-in of the person, for the enterprise they act for; without a session, an ordinary one."""
    current = current_session()
    if current is None or current.rights is None or current.ended_at is not None or not confirming.is_act(path):
        return {}
    confirming.ask(path, current.sub, current.rights, now())
    rights = {"type": "functional_blocks", "privileges": list(BLOCKS), "identifier": current.rights.enterprise_id}
    return {"authorization_details": json.dumps([rights]), **step_up.request_parameters(settings().needs)}


def _wish_for(path: str) -> dict[str, str]:
    """Request the block of *path* for the enterprise the person acts for (RFC 9396, ``needs``)."""
    current = current_session()
    block = next((code for code, place in PATHS.items() if place == path), None)
    if block is None or current is None or current.rights is None:
        return {}
    wish = {
        "type": "functional_blocks",
        "privileges": [block],
        "needs": "all",
        "identifier": current.rights.enterprise_id,
    }
    return {"authorization_details": json.dumps([wish])}


def callback() -> ResponseReturnValue:
    """Receive the authorization response of Mandat, verify it, and open a session."""
    provider, nonce, asked_at, asked = _provider(), session.pop("nonce", ""), now(), confirming.take()
    try:
        provider.check_answer(request.args.get("iss"))
        token = provider.client.authorize_access_token(claims_options={"iss": {"essential": True}})
        claims = provider.verify_id_token(token["id_token"], nonce)
    except OAuthError as error:
        if asked is not None:
            current_app.logger.info("confirmation refused: %s", error.error)
            return _not_confirmed("cancelled", asked.path)
        if error.error in _SILENTLY_NOT:
            return redirect("/sign-in?" + urlencode({"next": session.get("next", "/")}))
        if session.pop("asks", False) and current_session() is not None:
            return redirect(session.get("next", "/"))
        current_app.logger.info("sign-in refused: %s", error.error)
        text = "failed_denied" if error.error == "access_denied" else "failed_other"
        return render_template(
            "notice.html", title_key="failed_title", text_key=text, retry=True, code=error.error
        ), 403
    except RefusedTokenError as error:
        current_app.logger.warning("token refused: %s", error)
        return render_template("notice.html", title_key="failed_title", text_key="failed_other", retry=True), 400
    if asked is not None and step_up.challenge(claims, now(), replace(settings().needs, asked_at=asked.at)):
        current_app.logger.warning("the provider gave another sign-in than was asked for")
        return _not_confirmed("not_fresh", asked.path)
    place = session.pop("next", "/")
    if asked is None or asked.is_of(claims):
        if asked is not None:
            confirming.note(asked)
        return _enter(redirect(place), claims, token["id_token"], asked_at)
    return _enter(_not_confirmed("somebody_else"), claims, token["id_token"], asked_at)


def _not_confirmed(why: str, path: str = "") -> BaseResponse:
    return redirect("/not-confirmed?" + urlencode({"why": why, "next": path}))


def _enter(response: BaseResponse, claims: dict[str, Any], id_token: str, asked_at: datetime) -> BaseResponse:
    """Open a session that replaces the previous one."""
    signals.listening().ensure()
    previous = request.cookies.get(COOKIE)
    if previous:
        sessions.close_session(database(), previous)
    identifier = sessions.open_session(database(), claims, id_token, asked_at=asked_at, now=now())
    response.set_cookie(
        COOKIE, identifier, httponly=True, samesite="Lax", secure=settings().url.startswith("https:"), path="/"
    )
    current_app.logger.info("signed in sub=%s enterprise=%s", claims["sub"], (claims.get("enterprise") or {}).get("id"))
    return response


def sign_out() -> ResponseReturnValue:
    """End the session here, then at Mandat (RP-initiated logout)."""
    identifier, current = request.cookies.get(COOKIE), current_session()
    if identifier:
        sessions.close_session(database(), identifier)
    target = "/signed-out"
    if current is not None:
        query = {
            "id_token_hint": current.id_token,
            "client_id": settings().client_id,
            "post_logout_redirect_uri": f"{settings().url}/signed-out",
        }
        target = f"{_provider().metadata()['end_session_endpoint']}?{urlencode(query)}"
    response = make_response(redirect(target, code=303))
    response.delete_cookie(COOKIE, path="/")
    return response


def signed_out() -> ResponseReturnValue:
    """Show that the person is signed out."""
    return render_template("notice.html", title_key="signed_out_title", retry=True)


def backchannel_logout() -> ResponseReturnValue:
    """Receive a logout token and end the sessions it names (OIDC Back-Channel Logout §2.5)."""
    try:
        claims = _provider().verify_logout_token(request.form.get("logout_token", ""))
    except RefusedTokenError as error:
        current_app.logger.warning("logout token refused: %s", error)
        return {"error": "invalid_request"}, 400
    ended = sessions.end_by_signal(database(), claims, now())
    current_app.logger.info("signal jti=%s ended %d sessions", claims["jti"], ended)
    return "", 200


def told() -> ResponseReturnValue:
    """Show the claims Mandat sent at this sign-in, and the signals received since."""
    current = current_session()
    if current is None:
        return redirect("/")
    return render_template("told.html", session=current, events=sessions.events_of(database(), current.sub))
