"""The pages of a request that leads no further, and the way from each of them back to the agency.

The browser that began an interaction may have the client answered, with its ``state``, also after the interaction is over;
another browser is shown the way to the client's site and learns nothing of the request.
"""

from __future__ import annotations

from datetime import timedelta

from flask import Response, request

from ...accounts.sessions.sessions import current_sign_in
from ...http import bindings, refusals
from ...http.web import ReturnLink, error_page, now
from ...i18n import gettext as _
from ..authorization import interaction_services, responses
from ..authorization.domain import checks
from ..authorization.domain.checks import Target
from ..authorization.domain.requests import Parameters
from ..authorization.interaction_services import ResponseTarget
from ..clients import client_refusals, client_services
from ..clients.domain.clients import RelyingParty
from ..domain import uris
from ..errors import UnprovenRequestError
from ..token import grant_services
from . import browser

AGAIN = timedelta(minutes=1)  # a form sent twice, or a browser that repeats it: the answer is the one given just before


def refusal_page(error: UnprovenRequestError) -> Response:
    """Say on a page why nothing can be answered: nothing is sent to an address that is not proven.

    The operator's log has what the page keeps to itself: the address asked for beside those registered.
    """
    client_refusals.note(error.code, error.code, request.values.get("client_id", ""))
    refusals.note(error.code, detail=error.detail)
    words = {
        "missing_client_id": _("The agency’s site did not say which service it is."),
        "unknown_client": _("The service that sent you here is not registered with us."),
        "missing_redirect_uri": _("The agency’s site did not say where to send you back."),
        "invalid_request_uri": _("The agency’s site sent a request that was answered already, or that is too old."),
        "invalid_redirect_uri": _("The address to which the agency’s site wants to send you back is not registered."),
    }
    message = words.get(error.code, _("The agency’s site sent a request that we cannot read."))
    help_text = _("You did nothing wrong. Go back to the agency’s site; if it happens again, give it the code below.")
    return error_page(400, error.code, _("We cannot send you back to the agency"), f"{message} {help_text}")


def over_page(interaction_id: str | None) -> Response:
    """Answer for an interaction that is not open here by a page that leads to the agency; a form sent twice, as just before."""
    back, client = _way_back(interaction_id)
    if back is None or client is None:
        return _page(_("It took too long, or it was begun in another browser."), None)
    target = _target(back, client)
    if target is None:
        return _page(_("The service that sent you here is no longer registered as it was."), None)
    if back.is_own:
        again = _again(interaction_id or "", back, target) if request.method == "POST" else None
        said = (
            _("You were already sent back to the agency from here.")
            if back.completed_at
            else _("It took longer than 30 minutes.")
        )
        return again or _page(
            said, ReturnLink(_label(client, back), bindings.cancel_path(interaction_id or "", is_over=True))
        )
    said = _("It was begun in another browser, or this browser has forgotten it.")
    return _page(said, ReturnLink(_label(client, back), f"{uris.origin(back.redirect_uri)}/"))


def leave(interaction_id: str | None) -> Response:
    """Lead from an interaction that is over back to the agency: its own browser answers the client, with an error."""
    back, client = _way_back(interaction_id)
    target = _target(back, client) if back and client else None
    if back is None or target is None or not back.is_own:
        return over_page(interaction_id)
    again = _again(interaction_id or "", back, target)
    return again or responses.error(target, "access_denied", "the sign-in is over: it was answered, or took too long")


def _way_back(interaction_id: str | None) -> tuple[ResponseTarget | None, RelyingParty | None]:
    back = interaction_services.way_back(interaction_id, browser_digest=browser.digest_of(interaction_id))
    return back, client_services.find(back.client_id) if back else None


def _target(back: ResponseTarget, client: RelyingParty) -> Target | None:
    """Return where an answer goes, None when the client no longer has this address."""
    try:
        checks.target(Parameters({"redirect_uri": back.redirect_uri}), client)
    except UnprovenRequestError:
        return None
    return checks.place(back.redirect_uri, back.response_mode, back.state, client)


def _again(interaction_id: str, back: ResponseTarget, target: Target) -> Response | None:
    """Give the answer that was given a moment ago: the same code as long as nothing has used it, or the same refusal."""
    if back.completed_at is None or back.completed_at + AGAIN <= now():
        return None
    code, sign_in = browser.code_of(interaction_id), current_sign_in()
    issued = grant_services.is_waiting(code, sign_in.sid if sign_in else None, now=now()) if code else None
    if issued is None:
        return responses.error(target, "access_denied", "the person did not go on")
    return responses.success(target, code or "") if issued else None


def _label(client: RelyingParty, back: ResponseTarget) -> str:
    """Name the agency; the name that a client gave itself is no proof of who it is, so its host is named."""
    name = uris.host(back.redirect_uri) if client.is_dynamic else browser.agency_name(client)
    return str(_("Return to %(agency)s", agency=name))


def _page(why: str, way_back: ReturnLink | None) -> Response:
    advice = _("Nothing was lost. Go back to the agency’s site and begin again.")
    return error_page(
        400,
        "interaction_over",
        _("This sign-in is over"),
        f"{why} {advice}",
        way_back=way_back or ReturnLink(_("Help and contact"), "/help"),
    )
