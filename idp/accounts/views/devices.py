"""My sessions and devices: where one is signed in, what rests on it, and how to end it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Flask, current_app, flash, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from ...http.web import now, see_other
from ...i18n import gettext as _
from ...i18n import ngettext
from .. import services
from ..sessions import known_browser_services, session_services
from ..sessions.cookies import presented_digest
from ..sessions.domain.sign_ins import OpenSignIn, SignIn
from ..sessions.sessions import current_sign_in, open_to_weak_sign_in, sign_in_required
from . import browser

blueprint = Blueprint("devices", __name__)
blueprint.before_request(browser.one_of_each)

Details = Callable[[str, tuple[OpenSignIn, ...]], dict[str, str]]
_DETAILS = "mandat.sign_in_details"


def add_sign_in_detail(app: Flask, heading: Any, read: Details) -> None:
    """Let another room add a detail to each sign-in of a person, by ``sid``, under *heading* (a lazy sentence)."""
    app.extensions.setdefault(_DETAILS, []).append((heading, read))


def account_section(_sign_in: SignIn) -> Markup:
    """Return what the account page says of sessions."""
    return Markup(
        '<h2 class="govuk-heading-m">{}</h2><p class="govuk-body"><a class="govuk-link" href="/account/sessions">{}</a></p>'
    ).format(_("Sessions and devices"), _("See where you are signed in, and end a session"))


@blueprint.get("/account/sessions")
@open_to_weak_sign_in
@sign_in_required
def sessions() -> ResponseReturnValue:
    """Show each open sign-in with what rests on it."""
    sign_in = _signed_in()
    found = services.open_sign_ins(sign_in.person_id, now=now())
    details = [
        (str(heading), read(sign_in.person_id, found)) for heading, read in current_app.extensions.get(_DETAILS, ())
    ]
    cards = [
        {
            "one": one,
            "is_here": one.sid == sign_in.sid,
            "details": [(heading, by_sid[one.sid]) for heading, by_sid in details if one.sid in by_sid],
        }
        for one in sorted(found, key=lambda one: one.sid != sign_in.sid)
    ]
    known = known_browser_services.of_person(sign_in.person_id, now=now())
    return render_template("accounts/sessions.html", cards=cards, known=known)


@blueprint.post("/account/sessions/forget")
@open_to_weak_sign_in
@sign_in_required
def forget() -> ResponseReturnValue:
    """Forget a browser in which the person was known; it opened nothing by itself."""
    known_browser_services.forget(_signed_in().person_id, request.form.get("browser", ""), now=now())
    flash(_("That browser is no longer known."), "success")
    return see_other("/account/sessions")


@blueprint.post("/account/sessions/end")
@open_to_weak_sign_in
@sign_in_required
def end() -> ResponseReturnValue:
    """End one of the person's sign-ins; ending this one signs out."""
    sign_in, sid = _signed_in(), request.form.get("sid", "")
    if sid == sign_in.sid:
        return see_other(browser.leave() or "/")
    if session_services.end_own_sign_in(sign_in.person_id, sid, now=now()):
        flash(_("That session was ended. The agencies concerned are being notified."), "success")
    else:
        flash(_("That session was already over."), "success")
    return see_other("/account/sessions")


@blueprint.post("/account/sessions/end-all")
@open_to_weak_sign_in
@sign_in_required
def end_all() -> ResponseReturnValue:
    """End every sign-in of the person, this one last."""
    sign_in = _signed_in()
    services.end_sign_ins_of(sign_in.person_id, but=sign_in.sid, now=now())
    farewell = browser.leave()
    flash(_("You are signed out everywhere."), "success")
    return see_other(farewell or "/")


@blueprint.post("/account/stay")
@open_to_weak_sign_in
@sign_in_required
def stay() -> ResponseReturnValue:
    """Note that the person is there, and say for how many seconds the sign-in lasts now."""
    session_services.note_seen(_signed_in().sid, now())
    found = session_services.active_session(presented_digest() or "", now=now())
    seconds = max(0, int((found.ends_at - now()).total_seconds())) if found else 0
    if request.accept_mimetypes.best_match(("text/html", "application/json")) == "application/json":
        return jsonify(seconds=seconds)
    flash(
        ngettext(
            "Your sign-in goes on for %(num)s minute.", "Your sign-in goes on for %(num)s minutes.", seconds // 60
        ),
        "success",
    )
    return see_other("/account")


def _signed_in() -> SignIn:
    sign_in = current_sign_in()
    assert sign_in is not None  # noqa: S101 (sign_in_required)
    return sign_in
