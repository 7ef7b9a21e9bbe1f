"""The pages of the sign-in and of the sign-out."""

from __future__ import annotations

import secrets
from datetime import datetime
from urllib.parse import urlencode

from flask import Blueprint, Response, flash, g, make_response, render_template, request
from flask.typing import ResponseReturnValue

from ...http import bindings
from ...http.bindings import at
from ...http.limits import SIGN_IN, limiter
from ...http.page_cache import visitor_page
from ...http.web import now, see_other
from ...i18n import gettext as _
from ...i18n import long_datetime, ngettext
from ..credentials import passkey_services, recovery_code_services
from ..forms import OtpForm, RecoveryCodeForm, SignInForm
from ..sessions import cookies
from ..sessions.sessions import current_sign_in, safe_next
from ..sign_in import email_sign_in_services, sign_in_services
from ..sign_in.sign_in_lookup_services import PendingSignIn, pending_sign_in
from ..sign_in.sign_in_services import Refusal, SecondStep
from . import browser, freezing

blueprint = Blueprint("sign_in", __name__)
blueprint.before_request(browser.one_of_each)


@blueprint.route("/sign-in", methods=["GET", "POST"])
@limiter.limit(SIGN_IN, methods=["POST"])
def password() -> ResponseReturnValue:
    """Ask for the user code and the password."""
    if request.method != "POST":
        return _first_page()
    form = SignInForm()
    if not form.validate() or form.username.code is None:
        return _first_page(form)
    answer = sign_in_services.check_password(
        form.username.code, form.password.data, next_path=wanted_path(), known=cookies.known_digest(), now=now()
    )
    if answer.token is not None:
        page = "/sign-in/code/passkey" if answer.has_passkey else "/sign-in/code"
        return see_other(browser.begin(browser.SIGN_IN, answer.token, page, leads_to=wanted_path()))
    closed = closed_sentence(answer.refusal, answer.locked_until)
    if closed is not None:
        form.username.errors = (closed,)
        return too_many(_first_page(form), answer.locked_until)
    form.username.errors = (_("The user code or the password is wrong"),)
    return _first_page(form)


@blueprint.route("/sign-in/code", methods=["GET", "POST"])
@limiter.limit(SIGN_IN, methods=["POST"])
def second_factor() -> ResponseReturnValue:
    """Ask for the code of the application."""
    token, answer = browser.sign_in_token(), SecondStep()
    form = OtpForm() if request.method == "POST" else None
    if form is not None and form.validate():
        answer = sign_in_services.check_second_factor(
            token,
            form.otp.data,
            page=browser.page_sent(),
            former=browser.former_sign_in(),
            device=browser.device(),
            known=cookies.known_digest(),
            now=now(),
        )
        if (onward := leads_to(answer)) is not None:
            return onward
        form.otp.errors = (refused_code(answer),)
    going_on = pending_sign_in(token, now=now())
    if going_on is None:
        return start_again()
    if is_overtaken(going_on):
        return see_other(going_on.challenge.next_path)
    if going_on.wants_passkey:
        return see_other(at("/sign-in/code/passkey"))
    return with_outcome(_second_page(form, going_on), answer)


@blueprint.route("/sign-in/code/recovery", methods=["GET", "POST"])
@limiter.limit(SIGN_IN, methods=["POST"])
def recovery_code() -> ResponseReturnValue:
    """Ask for a recovery code in the place of the second factor."""
    token = browser.sign_in_token()
    going_on = pending_sign_in(token, now=now())
    if going_on is None:
        return start_again()
    if is_overtaken(going_on):
        return see_other(going_on.challenge.next_path)
    if going_on.wants_passkey:
        return see_other(at("/sign-in/code/passkey"))
    form = RecoveryCodeForm()
    if not form.validate_on_submit():
        return _recovery_page(form)
    answer = sign_in_services.check_recovery_code(
        token,
        form.recovery_code.data,
        page=browser.page_sent(),
        former=browser.former_sign_in(),
        device=browser.device(),
        known=cookies.known_digest(),
        now=now(),
    )
    if answer.signed is not None:
        flash(_say_left(recovery_code_services.left(going_on.person_id)), "warning")
    if (onward := leads_to(answer)) is not None:
        return onward
    form.recovery_code.errors = (_recovery_sentence(answer),)
    return with_outcome(_recovery_page(form), answer)


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the sign-in of this browser and forget what its pages kept."""
    farewell = browser.leave()
    if farewell is not None:
        return see_other(farewell)
    flash(_("You are signed out."), "success")
    return see_other("/")


def wanted_path() -> str:
    """Return where this sign-in leads: what the address asks for, when it is of this site, else the home of the signed-in."""
    path = safe_next(request.args.get("next")) if "next" in request.args else "/home"
    return "/home" if path.startswith(("/sign-in", "/sign-out")) else path


def locked_sentence(until: datetime | None) -> str:
    """Say until when no attempt is checked; the sign-in page says to every person who can open the door sooner."""
    return str(_("Too many tries. Wait until %(until)s, then try again.", until=long_datetime(until) if until else ""))


def closed_sentence(refusal: Refusal | None, until: datetime | None) -> str | None:
    """Say why no attempt is checked; None when it was, and was wrong."""
    if refusal is Refusal.LOCKED:
        return locked_sentence(until)
    if refusal is Refusal.SPENT:
        return str(
            _(
                "Too many tries in a row: this password no longer serves. Choose another one with “I have forgotten my"
                " password”, on the sign-in page."
            )
        )
    return None


def with_outcome(page: Response, answer: SecondStep) -> Response:
    """Answer with *page* after a second factor that was refused: 429 when none is checked any more."""
    closed = answer.refusal in (Refusal.LOCKED, Refusal.SPENT)
    return too_many(page, answer.locked_until) if closed else page


def too_many(page: Response, until: datetime | None) -> Response:
    """Answer with 429 and say in how many seconds to come back, when that helps."""
    page.status_code = 429
    if until is not None and until > now():
        page.headers["Retry-After"] = str(max(1, int((until - now()).total_seconds())))
    return page


def refused_code(answer: SecondStep) -> str:
    """Say why a code was refused."""
    closed = closed_sentence(answer.refusal, answer.locked_until)
    if closed is not None:
        return closed
    left = answer.tries_left or 0
    sentence = ngettext(
        "This code is wrong or was already used. Wait for the next one; %(num)s try is left.",
        "This code is wrong or was already used. Wait for the next one; %(num)s tries are left.",
        left,
    )
    return str(sentence)


def may_use_email(going_on: PendingSignIn) -> bool:
    """Return whether a code by e-mail is offered: never on the way to an agency, which gets nothing for it."""
    is_for_agency = g.get("sign_in_context") is not None or bindings.is_for_agency(going_on.challenge.next_path)
    return not is_for_agency and email_sign_in_services.is_offered(going_on.person_id)


def is_overtaken(going_on: PendingSignIn) -> bool:
    """Return whether the person has signed in since, in another tab of this browser: nothing more is asked here."""
    sign_in = current_sign_in()
    pending = going_on.challenge
    return sign_in is not None and sign_in.person_id == pending.person_id and sign_in.auth_time > pending.created_at


def leads_to(answer: SecondStep) -> Response | None:
    """Return where a second step leads: in, out of a freeze, or back to the start; None when it may be tried again."""
    if answer.signed is not None:
        return browser.enter(answer.signed)
    if answer.refusal is Refusal.FROZEN:
        return freezing.hold_thaw(answer.thaw_token, answer.locked_until)
    return start_again() if answer.refusal is Refusal.OVER else None


def start_again() -> Response:
    """Lead on to the agency when the person has signed in meanwhile, in another tab; else back to the first page."""
    interaction = bindings.current_interaction()
    if interaction is not None and current_sign_in() is not None:
        return see_other(bindings.resume_path(interaction))
    flash(_("This sign-in took too long or was not begun here. Begin again."), "warning")
    return see_other(browser.sign_in_page())


def _first_page(form: SignInForm | None = None) -> Response:
    """Ask for the user code and the password; *form* holds what was sent and is wrong."""
    passkey = f"/sign-in/passkey?{urlencode({'next': wanted_path()})}" if passkey_services.site() else None
    return make_response(
        visitor_page(
            "accounts/sign_in.html",
            form or SignInForm,
            passkey=passkey,
            at=bindings.prefix(),
            **browser.on_the_way(),
        )
    )


def _second_page(form: OtpForm | None, going_on: PendingSignIn) -> Response:
    page = visitor_page(
        "accounts/sign_in_code.html",
        form or OtpForm,
        has_passkey=going_on.held.passkeys > 0,
        may_use_email=may_use_email(going_on),
        at=bindings.prefix(),
        page=secrets.token_hex(8),
        back=browser.sign_in_page(),
        **browser.on_the_way(),
    )
    return make_response(page)


def _recovery_page(form: RecoveryCodeForm) -> Response:
    page = render_template(
        "accounts/sign_in_recovery.html", form=form, page=secrets.token_hex(8), **browser.on_the_way()
    )
    return make_response(page)


def _recovery_sentence(answer: SecondStep) -> str:
    closed = closed_sentence(answer.refusal, answer.locked_until)
    if closed is not None:
        return closed
    left = answer.tries_left or 0
    sentence = ngettext(
        "This code is wrong or was already used; %(num)s try is left.",
        "This code is wrong or was already used; %(num)s tries are left.",
        left,
    )
    return str(sentence)


def _say_left(left: int) -> str:
    sentence = ngettext(
        "You signed in with a recovery code; %(num)s is left. Add an application or a passkey now.",
        "You signed in with a recovery code; %(num)s are left. Add an application or a passkey now.",
        left,
    )
    return str(sentence)
