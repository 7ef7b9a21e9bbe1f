"""The page of a code by e-mail after the password, where the installation allows it (ADR 0014)."""

from __future__ import annotations

import secrets

from flask import Blueprint, Response, flash, make_response, render_template
from flask.typing import ResponseReturnValue

from ...http.bindings import at
from ...http.limits import SIGN_IN, limiter
from ...http.web import now, see_other
from ...i18n import gettext as _
from ...i18n import ngettext
from .. import services
from ..forms import EmailCodeForm
from ..sessions import cookies
from ..sessions.domain.sign_ins import mask_email
from ..sign_in import email_sign_in_services
from ..sign_in.email_sign_in_services import CodeRequestOutcome
from ..sign_in.sign_in_lookup_services import pending_sign_in
from ..sign_in.sign_in_services import Refusal, SecondStep
from . import browser
from .sign_in import closed_sentence, is_overtaken, leads_to, may_use_email, start_again, with_outcome

HOME = "/sign-in/code/email"

blueprint = Blueprint("email_sign_in", __name__, url_prefix=HOME)
blueprint.before_request(browser.one_of_each)


@blueprint.route("", methods=["GET", "POST"])
@limiter.limit(SIGN_IN, methods=["POST"])
def code() -> ResponseReturnValue:
    """Say what a code by e-mail opens and offer to send one; then ask for it."""
    person_id = _under_way()
    if isinstance(person_id, Response):
        return person_id
    form = EmailCodeForm()
    if not form.validate_on_submit():
        return _page(form, person_id)
    answer = email_sign_in_services.check(
        browser.sign_in_token(),
        form.email_code.data,
        page=browser.page_sent(),
        former=browser.former_sign_in(),
        device=browser.device(),
        known=cookies.known_digest(),
        now=now(),
    )
    if answer.signed is not None:
        flash(
            _("You signed in with a code received by e-mail: you can read. Anything else asks for your second factor."),
            "warning",
        )
    if (onward := leads_to(answer)) is not None:
        return onward
    form.email_code.errors = (_sentence(answer),)
    page = _page(form, person_id)
    return with_outcome(page, answer)


@blueprint.post("/send")
@limiter.limit(SIGN_IN)
def send() -> ResponseReturnValue:
    """Send a code, or another one, to the address the person confirmed."""
    elsewhere = _under_way()
    if isinstance(elsewhere, Response):
        return elsewhere
    sent = email_sign_in_services.send(browser.sign_in_token(), now=now())
    if sent is CodeRequestOutcome.OVER:
        return start_again()
    if sent is CodeRequestOutcome.TOO_SOON:
        flash(
            _("No code was sent: wait half a minute between two codes, and ask for three an hour at most."), "warning"
        )
    return see_other(at(HOME))


def _under_way() -> str | Response:
    """Return who goes on here after a right password, or where another person is led."""
    going_on = pending_sign_in(browser.sign_in_token(), now=now())
    if going_on is None:
        return start_again()
    if is_overtaken(going_on):
        return see_other(going_on.challenge.next_path)
    return going_on.person_id if may_use_email(going_on) else see_other(at("/sign-in/code"))


def _page(form: EmailCodeForm, person_id: str) -> Response:
    page = render_template(
        "accounts/sign_in_email.html",
        form=form,
        page=secrets.token_hex(8),
        email=mask_email(services.person(person_id).email),
        was_sent=email_sign_in_services.was_sent(browser.sign_in_token(), now=now()),
    )
    return make_response(page)


def _sentence(answer: SecondStep) -> str:
    closed = closed_sentence(answer.refusal, answer.locked_until)
    if closed is not None:
        return closed
    if answer.refusal is Refusal.CODE_OVER:
        return str(_("This code no longer works. Ask for another."))
    sentence = ngettext(
        "This code is wrong; %(num)s try is left.",
        "This code is wrong; %(num)s tries are left.",
        answer.tries_left or 0,
    )
    return str(sentence)
