"""The portal's pages: one small real function per block, each re-checking its block on the server."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode

from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from flask import Flask, Response, current_app, make_response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.wrappers import Response as BaseResponse

from . import confirming, sessions, signals, step_up
from .access import BLOCKS, PATHS, Refusal, Rights
from .database import Database
from .oidc import Provider, RefusedTokenError
from .sessions import PortalSession
from .settings import PortalSettings
from .store import CATEGORIES, MAX_TEXT, RELATIONSHIP_KINDS, REQUEST_KINDS, Store, today

COOKIE = "portal"
Parameters = ParamSpec("Parameters")


def settings() -> PortalSettings:
    """Return the settings of the running portal."""
    found: PortalSettings = current_app.extensions["portal.settings"]
    return found


def _database() -> Database:
    found: Database = current_app.extensions["portal.database"]
    return found


def store() -> Store:
    """Return the business data of the running portal."""
    found: Store = current_app.extensions["portal.store"]
    return found


def _provider() -> Provider:
    found: Provider = current_app.extensions["portal.provider"]
    return found


def now() -> datetime:
    """Return the present instant."""
    return datetime.now(UTC)


def current_session() -> PortalSession | None:
    """Return the sign-in of this browser, even when it was ended."""
    return sessions.find_session(_database(), request.cookies.get(COOKIE))


def register(app: Flask) -> None:
    """Add the pages to *app*."""
    rules: tuple[tuple[str, str, Callable[..., ResponseReturnValue], tuple[str, ...]], ...] = (
        ("/", "home", home, ("GET",)),
        ("/sign-in", "sign_in", sign_in, ("GET",)),
        ("/callback", "callback", callback, ("GET",)),
        ("/sign-out", "sign_out", sign_out, ("POST",)),
        ("/signed-out", "signed_out", signed_out, ("GET",)),
        ("/backchannel-logout", "backchannel_logout", backchannel_logout, ("POST",)),
        ("/told", "told", told, ("GET",)),
        ("/messages", "messages", messages, ("GET",)),
        ("/messages/<int:message_id>", "message", message, ("GET",)),
        ("/requests", "requests", requests, ("GET", "POST")),
        ("/follow-up", "follow_up", follow_up, ("GET",)),
        ("/invoices", "invoices", invoices, ("GET",)),
        ("/application", "application", application, ("GET", "POST")),
        ("/relationships", "relationships", relationships, ("GET", "POST")),
        ("/client-file", "client_file", client_file, ("GET",)),
    )
    for path, name, view, methods in rules:
        app.add_url_rule(path, name, view, methods=list(methods))
    app.register_error_handler(404, lambda _error: (render_template("notice.html", title_key="not_found"), 404))
    app.register_error_handler(
        CSRFError, lambda _error: (render_template("notice.html", title_key="refused_again", text_key="bad_form"), 400)
    )


def home() -> ResponseReturnValue:
    """Show the public page, or the seven services of a signed-in person."""
    current = current_session()
    if current is None:
        return render_template("home.html")
    stale = _stale_answer(current)
    if stale is not None:
        return stale
    if current.rights is None:
        return render_template("notice.html", title_key="welcome", text_key="no_enterprise", session=current)
    store().welcome(current.rights.enterprise_id, today())
    return render_template("workspace.html", session=current, rights=current.rights, blocks=BLOCKS, paths=PATHS)


def sign_in() -> ResponseReturnValue:
    """Send the browser to Mandat.

    With ``again=silent`` nothing is asked, with ``again=choose`` the enterprise is, with ``again=confirm`` who is there.
    """
    extra: dict[str, str] = {"ui_locales": "en" if session.get("lang") == "en" else "fr"}
    again, following = request.args.get("again"), _place(request.args.get("next", "/"))
    confirming.forget()
    if again in ("silent", "choose"):
        extra["prompt"] = "none" if again == "silent" else "select_account"
    elif again == "confirm":
        extra |= _confirmation_of(following)
    session["next"] = following
    session["nonce"] = nonce = generate_token(32)
    try:
        _provider().metadata()
        answer = _provider().client.authorize_redirect(f"{settings().url}/callback", nonce=nonce, **extra)
    except Exception:
        current_app.logger.exception("the provider cannot be reached")
        return render_template("notice.html", title_key="failed_title", text_key="unreachable"), 503
    response: Response = answer
    return response


def _place(wanted: str) -> str:
    """Return where a sign-in leads: a page of ours, or home."""
    return wanted if wanted in {"/", *PATHS.values()} or confirming.is_act(wanted) else "/"


def _confirmation_of(path: str) -> dict[str, str]:
    """Ask for a fresh sign-in of whoever is here, for the enterprise they act for; nobody here just signs in."""
    current = current_session()
    if current is None or current.rights is None or current.ended_at is not None or not confirming.is_act(path):
        return {}
    confirming.ask(path, current.sub, current.rights, now())
    rights = {"type": "functional_blocks", "privileges": list(BLOCKS), "identifier": current.rights.enterprise_id}
    return {"authorization_details": json.dumps([rights]), **step_up.request_parameters(settings().needs)}


def callback() -> ResponseReturnValue:
    """Receive the answer of Mandat, verify it, and open a session."""
    provider, nonce, asked_at, asked = _provider(), session.pop("nonce", ""), now(), confirming.take()
    try:
        provider.check_answer(request.args.get("iss"))
        token = provider.client.authorize_access_token(claims_options={"iss": {"essential": True}})
        claims = provider.verify_id_token(token["id_token"], nonce)
    except OAuthError as error:
        if asked is not None:
            current_app.logger.info("confirmation refused: %s", error.error)
            return _not_confirmed("cancelled", asked.path)
        if error.error in ("login_required", "consent_required", "interaction_required", "account_selection_required"):
            return redirect(f"/sign-in?next={session.get('next', '/')}")
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
    """Open a session in the place of the one there was."""
    signals.listening().ensure()
    previous = request.cookies.get(COOKIE)
    if previous:
        sessions.close_session(_database(), previous)
    identifier = sessions.open_session(_database(), claims, id_token, asked_at=asked_at, now=now())
    response.set_cookie(
        COOKIE, identifier, httponly=True, samesite="Lax", secure=settings().url.startswith("https:"), path="/"
    )
    current_app.logger.info("signed in sub=%s enterprise=%s", claims["sub"], (claims.get("enterprise") or {}).get("id"))
    return response


def sign_out() -> ResponseReturnValue:
    """End the session here, then at Mandat (RP-initiated logout)."""
    identifier, current = request.cookies.get(COOKIE), current_session()
    if identifier:
        sessions.close_session(_database(), identifier)
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
    """Say that the person is signed out."""
    return render_template("notice.html", title_key="signed_out_title", retry=True)


def backchannel_logout() -> ResponseReturnValue:
    """Receive a logout token and end the sessions it names (OIDC Back-Channel Logout §2.5)."""
    try:
        claims = _provider().verify_logout_token(request.form.get("logout_token", ""))
    except RefusedTokenError as error:
        current_app.logger.warning("logout token refused: %s", error)
        return {"error": "invalid_request"}, 400
    ended = sessions.end_by_signal(_database(), claims, now())
    current_app.logger.info("signal jti=%s ended %d sessions", claims["jti"], ended)
    return "", 200


def told() -> ResponseReturnValue:
    """Show what Mandat told us about this sign-in, and the signals received since."""
    current = current_session()
    if current is None:
        return redirect("/")
    return render_template("told.html", session=current, events=sessions.events_of(_database(), current.sub))


def _stale_answer(current: PortalSession) -> ResponseReturnValue | None:
    if current.ended_at is not None:
        page = render_template("removed.html", ended_at=current.ended_at, next=request.path)
        return page, 403
    if not current.is_fresh(now()):
        if request.method == "GET" or confirming.is_act(request.path):  # an act is shown on the way back, never done
            return redirect("/sign-in?" + urlencode({"again": "silent", "next": request.path}), code=303)
        return render_template("notice.html", title_key="expired_title", text_key="expired_text", retry=True), 403
    return None


def for_block(
    block: str,
) -> Callable[
    [Callable[Concatenate[PortalSession, Rights, Parameters], ResponseReturnValue]],
    Callable[Parameters, ResponseReturnValue],
]:
    """Open the page only to a session that holds *block* now."""

    def decorate(
        view: Callable[Concatenate[PortalSession, Rights, Parameters], ResponseReturnValue],
    ) -> Callable[Parameters, ResponseReturnValue]:
        @wraps(view)
        def checked(*args: Parameters.args, **kwargs: Parameters.kwargs) -> ResponseReturnValue:
            current = current_session()
            if current is None:
                return redirect("/sign-in?" + urlencode({"next": PATHS[block]}))
            stale = _stale_answer(current)
            if stale is not None:
                return stale
            refusal = current.rights.refusal(block) if current.rights else Refusal.NO_ENTERPRISE
            if refusal is not None or current.rights is None:
                page = render_template(
                    "refused.html",
                    session=current,
                    rights=current.rights,
                    block=block,
                    refusal=refusal,
                    path=PATHS[block],
                )
                return page, 403
            store().welcome(current.rights.enterprise_id, today())
            return view(current, current.rights, *args, **kwargs)

        return checked

    return decorate


def block_page(name: str, current: PortalSession, block: str, status: int = 200, **values: Any) -> tuple[str, int]:
    """Show a page of a block."""
    page = render_template(name, session=current, rights=current.rights, block=block, **values)
    return page, status


def _typed(names: dict[str, tuple[str, ...] | None]) -> tuple[dict[str, str], dict[str, str]]:
    values = {name: request.form.get(name, "").strip() for name in names}
    faults = {}
    for name, choices in names.items():
        if not values[name]:
            faults[name] = "error_required" if choices is None else "error_choice"
        elif choices is not None and values[name] not in choices:
            faults[name] = "error_choice"
        elif len(values[name]) > MAX_TEXT:
            faults[name] = "error_long"
    return values, faults


@for_block("001")
def messages(current: PortalSession, rights: Rights) -> ResponseReturnValue:
    """List the messages."""
    return block_page("messages.html", current, "001", messages=store().messages(rights.enterprise_id))


@for_block("001")
def message(current: PortalSession, rights: Rights, message_id: int) -> ResponseReturnValue:
    """Read one message."""
    found = store().read_message(rights.enterprise_id, message_id, now())
    if found is None:
        return render_template("notice.html", title_key="not_found", session=current), 404
    return block_page("message.html", current, "001", message=found)


@for_block("005")
def requests(current: PortalSession, rights: Rights) -> ResponseReturnValue:
    """Ask something."""
    values: dict[str, str] = {}
    faults: dict[str, str] = {}
    number = request.args.get("number", "")
    if request.method == "POST":
        values, faults = _typed({"kind": REQUEST_KINDS, "subject": None, "text": None})
        if not faults:
            sent = store().send_request(
                rights.enterprise_id, values["kind"], values["subject"], values["text"], current.sub, now()
            )
            return redirect(f"/requests?number={sent}", code=303)
    known = {row["number"] for row in store().requests(rights.enterprise_id)}
    shown = number if number in known else ""
    status = 400 if faults else 200
    return block_page(
        "requests.html", current, "005", status, values=values, faults=faults, number=shown, kinds=REQUEST_KINDS
    )


@for_block("007")
def follow_up(current: PortalSession, rights: Rights) -> ResponseReturnValue:
    """Follow the requests."""
    return block_page("follow_up.html", current, "007", requests=store().requests(rights.enterprise_id))


@for_block("008")
def invoices(current: PortalSession, rights: Rights) -> ResponseReturnValue:
    """List the invoices."""
    found = store().invoices(rights.enterprise_id)
    receipt = request.args.get("receipt", "")
    shown = receipt if receipt in {row["receipt"] for row in found} else ""
    return block_page("invoices.html", current, "008", invoices=found, receipt=shown, before=request.args.get("before"))


@for_block("018")
def application(current: PortalSession, rights: Rights) -> ResponseReturnValue:
    """Draft the application for authorization."""
    draft = store().application(rights.enterprise_id)
    values = dict(draft) if draft else {}
    faults: dict[str, str] = {}
    if request.method == "POST":
        values, faults = _typed({"category": CATEGORIES, "respondent": None, "description": None})
        if not faults:
            saved = store().save_application(
                rights.enterprise_id, values["category"], values["respondent"], values["description"], now()
            )
            return redirect("/application?saved=" + ("1" if saved else "0"), code=303)
    closed = bool(draft and draft["validated_at"])
    return block_page(
        "application.html",
        current,
        "018",
        400 if faults else 200,
        values=values,
        faults=faults,
        categories=CATEGORIES,
        closed=closed,
        saved=request.args.get("saved") == "1",
    )


@for_block("019")
def relationships(current: PortalSession, rights: Rights) -> ResponseReturnValue:
    """Disclose relationships."""
    values: dict[str, str] = {}
    faults: dict[str, str] = {}
    if request.method == "POST":
        values, faults = _typed({"kind": RELATIONSHIP_KINDS, "name": None})
        if not faults:
            store().disclose(rights.enterprise_id, values["kind"], values["name"], now())
            return redirect("/relationships?told=disclosed", code=303)
    told_key = request.args.get("told")
    return block_page(
        "relationships.html",
        current,
        "019",
        400 if faults else 200,
        values=values,
        faults=faults,
        kinds=RELATIONSHIP_KINDS,
        relationships=store().relationships(rights.enterprise_id),
        application=store().application(rights.enterprise_id),
        told=told_key if told_key in ("disclosed", "validated", "cannot_validate") else None,
    )


@for_block("024")
def client_file(current: PortalSession, rights: Rights) -> ResponseReturnValue:
    """Read the client file."""
    kept, enterprise = store(), rights.enterprise_id
    return block_page(
        "client_file.html",
        current,
        "024",
        application=kept.application(enterprise),
        relationships=kept.relationships(enterprise),
        unpaid=[row for row in kept.invoices(enterprise) if row["paid_at"] is None],
        requests=kept.requests(enterprise),
    )
