"""The page after a sign-out: it loads each client's own sign-out in a frame, and leads back to the agency that asked.

OIDC Front-Channel Logout 1.0. What the page needs is kept in the page session for five minutes, so that it can be shown
again in the other language; the person who signs in meanwhile finds nothing of it.
"""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, g, make_response, render_template, session

from ...accounts.sessions.sessions import current_sign_in
from ...http.web import now
from ..domain import uris
from ..logout import logout_services
from ..logout.domain.logout import Return

blueprint = Blueprint("oidc_farewell", __name__)
PATH = "/end-session/done"
LIFE = timedelta(minutes=5)
_KEPT = "oidc_farewell"


def begin(sid: str) -> str | None:
    """Return where the farewell of a sign-in that has just ended is, None when no client is to be notified by the browser."""
    if not logout_services.front_channel_addresses(sid):
        return None
    session[_KEPT] = {"sid": sid, "until": int((now() + LIFE).timestamp())}
    return PATH


def then(place: Return) -> None:
    """Have the farewell that has begun lead to *place*."""
    session[_KEPT] |= {"to": place.address}
    session.modified = True


def ask_before(place: Return) -> None:
    """Have the farewell name the host of *place* and lead there by its button alone: nobody vouched for it."""
    until = int((now() + LIFE).timestamp())
    kept = {"sid": "", "until": until, **session.get(_KEPT, {})}
    session[_KEPT] = {**kept, "to": place.address, "host": uris.host(place.uri)}


@blueprint.get(PATH)
def done() -> Response:
    """Say that the session is over; there is always a way out."""
    kept = session.get(_KEPT)
    if kept is not None and (kept["until"] <= now().timestamp() or current_sign_in() is not None):
        kept = session.pop(_KEPT) and None
    addresses = logout_services.front_channel_addresses(kept["sid"]) if kept and kept["sid"] else ()
    g.frame_origins = tuple(sorted({uris.origin(address) for address in addresses}))
    page = render_template(
        "oidc/signed_out.html",
        addresses=addresses,
        back=kept.get("to") if kept else None,
        host=kept.get("host") if kept else None,
    )
    response = make_response(page)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
