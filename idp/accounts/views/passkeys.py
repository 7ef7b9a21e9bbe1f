"""Signing in with a passkey: alone from the first page, or after the password.

A passkey needs a script in the browser; each page says so, and leads to another way.
"""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue

from ...http.bindings import at
from ...http.limits import SIGN_IN, limiter
from ...http.web import now, see_other
from ...i18n import gettext as _
from ..credentials import passkey_services
from ..credentials.passkey_services import PasskeyChallenge
from ..forms import PasskeyForm
from ..sessions import cookies
from ..sign_in import passkey_sign_in_services, sign_in_services
from ..sign_in.sign_in_lookup_services import pending_sign_in
from ..sign_in.sign_in_services import SecondStep
from . import browser
from .sign_in import closed_sentence, is_overtaken, leads_to, may_use_email, start_again, wanted_path, with_outcome

blueprint = Blueprint("passkeys", __name__, url_prefix="/sign-in")
blueprint.before_request(browser.one_of_each)


@blueprint.route("/passkey", methods=["GET", "POST"])
@limiter.limit(SIGN_IN)
def alone() -> ResponseReturnValue:
    """Ask for whichever passkey the person has; the page is the same for every person."""
    form = PasskeyForm()
    if form.validate_on_submit():
        answer = passkey_sign_in_services.sign_in_with_passkey(
            browser.take_passkey(),
            form.credential.data or "",
            next_path=wanted_path(),
            former=browser.former_sign_in(),
            device=browser.device(),
            now=now(),
        )
        if (onward := leads_to(answer)) is not None:
            return onward
        form.credential.errors = (_refused_sentence(),)
    return _page("sign_in_passkey", form, passkey_services.ask_anybody(now=now()), add=_add_path())


@blueprint.route("/code/passkey", methods=["GET", "POST"])
@limiter.limit(SIGN_IN, methods=["POST"])
def second_factor() -> ResponseReturnValue:
    """Ask for a passkey of the person whose password was right."""
    token = browser.sign_in_token()
    going_on = pending_sign_in(token, now=now())
    if going_on is None:
        return start_again()
    if is_overtaken(going_on):
        return see_other(going_on.challenge.next_path)
    form, answer = PasskeyForm(), SecondStep()
    if form.validate_on_submit():
        answer = sign_in_services.check_passkey(
            token,
            browser.take_passkey(),
            form.credential.data or "",
            page=browser.page_sent(),
            former=browser.former_sign_in(),
            device=browser.device(),
            known=cookies.known_digest(),
            now=now(),
        )
        if (onward := leads_to(answer)) is not None:
            return onward
        closed = closed_sentence(answer.refusal, answer.locked_until)
        form.credential.errors = (closed or _refused_sentence(),)
    asked = passkey_services.ask_person(going_on.person_id, now=now())
    if asked is None:
        return see_other(at("/sign-in/code"))
    page = _page(
        "sign_in_code_passkey",
        form,
        asked,
        has_application=going_on.held.applications > 0 and not going_on.wants_passkey,
        is_only_way=going_on.wants_passkey,
        may_use_email=may_use_email(going_on),
    )
    return with_outcome(page, answer)


def _page(name: str, form: PasskeyForm, asked: PasskeyChallenge | None, **more: object) -> Response:
    page = render_template(
        f"accounts/{name}.html",
        form=form,
        options=asked.options if asked else None,
        ceremony=browser.hold_passkey(asked.token) if asked else None,
        back=browser.sign_in_page(),
        **browser.on_the_way(),
        other_way=f"/sign-in?{request.query_string.decode('ascii', 'ignore')}".rstrip("?"),
        **more,
    )
    return make_response(page)


def _add_path() -> str:
    """Return where a passkey is added, with the way back here."""
    return f"/account/security/passkey?{urlencode({'next': wanted_path()})}"


def _refused_sentence() -> str:
    return str(_("This passkey was not accepted. Try again, or sign in another way."))
