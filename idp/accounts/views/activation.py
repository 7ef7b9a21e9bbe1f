"""The pages of the first use of a user code, one for each step; a page out of its turn leads to the right one."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from ...http import bindings
from ...http.bindings import at
from ...http.limits import SIGN_IN, limiter
from ...http.web import now, see_other
from ...i18n import gettext as _
from ...i18n import long_datetime, ngettext
from ..challenges import enrolment_link_services
from ..challenges.email_code_services import CodeCheck, CodeOutcome
from ..credentials.domain.passwords import PasswordFault, read_temporary
from ..forms import ActivateForm, EmailCodeForm, NewPasswordForm, OtpForm
from ..sign_in.domain.steps import FlowStep
from ..user_codes import activation_services
from ..user_codes.activation_services import Activation, Start, StartRefusal
from . import browser
from .sign_in import locked_sentence, too_many, wanted_path

blueprint = Blueprint("activation", __name__, url_prefix="/activate")
blueprint.before_request(browser.one_of_each)

_PAGES = {
    FlowStep.EMAIL_CODE: "/activate/code",
    FlowStep.NEW_PASSWORD: "/activate/password",
    FlowStep.NEW_FACTOR: "/activate/factor",
}


@blueprint.route("", methods=["GET", "POST"])
@limiter.limit(SIGN_IN, methods=["POST"])
def slips() -> ResponseReturnValue:
    """Ask for what the two slips say."""
    form = ActivateForm()
    if not form.validate_on_submit() or form.user_code.code is None:
        return _page("activate", form)
    secret = read_temporary(form.temporary_password.data)
    answer = activation_services.start(
        form.user_code.code, secret, next_path=_leads_to() or "/home", browser=browser.held("csrf_token"), now=now()
    )
    if answer.token is not None:
        return see_other(browser.begin(browser.ACTIVATION, answer.token, "/activate/code", leads_to=_leads_to()))
    if answer.refusal is StartRefusal.LOCKED:
        form.user_code.errors = (locked_sentence(answer.locked_until),)
        return too_many(_page("activate", form), answer.locked_until)
    field = form.user_code if answer.refusal is StartRefusal.WRONG else form.temporary_password
    field.errors = (_start_sentence(answer),)
    return _page("activate", form)


@blueprint.route("/code", methods=["GET", "POST"])
@limiter.limit(SIGN_IN, methods=["POST"])
def email_code() -> ResponseReturnValue:
    """Ask for the code sent by e-mail."""
    activation = _expect(FlowStep.EMAIL_CODE)
    if isinstance(activation, Response):
        return activation
    form = EmailCodeForm()
    if not form.validate_on_submit():
        return _page("activate_code", form, activation)
    answer = activation_services.confirm_email(browser.activation_token(), form.email_code.data, now=now())
    if answer.outcome is CodeOutcome.LINKED:
        browser.note_linked()
        return see_other(at("/activate/linked"))
    if answer.outcome in (CodeOutcome.RIGHT, CodeOutcome.OVER):
        return see_other(at("/activate/password"))
    form.email_code.errors = (_email_sentence(answer),)
    return _page("activate_code", form, activation)


@blueprint.post("/code/again")
@limiter.limit(SIGN_IN)
def email_code_again() -> ResponseReturnValue:
    """Send another code by e-mail."""
    if activation_services.send_again(browser.activation_token(), now=now()):
        flash(_("A new code is on its way. The previous one no longer works."), "success")
    else:
        flash(_("No new code was sent: wait half a minute between two codes, and ask for five at most."), "warning")
    return see_other(at("/activate/code"))


@blueprint.route("/password", methods=["GET", "POST"])
@limiter.limit(SIGN_IN, methods=["POST"])
def password() -> ResponseReturnValue:
    """Ask for a password of one's own."""
    activation = _expect(FlowStep.NEW_PASSWORD)
    if isinstance(activation, Response):
        return activation
    form = NewPasswordForm()
    if not form.validate_on_submit():
        return _page("activate_password", form, activation)
    words = current_app.extensions.get("mandat.password_words")
    about: tuple[str, ...] = tuple(words(activation.person_id)) if words else ()
    decision = activation_services.choose_password(
        browser.activation_token(), form.new_password.data, about=about, now=now()
    )
    if decision is not None and not decision:
        form.new_password.errors = tuple(password_sentence(fault) for fault in decision.reasons)
        return _page("activate_password", form, activation)
    return see_other(at("/activate/factor"))


@blueprint.route("/factor", methods=["GET", "POST"])
@limiter.limit(SIGN_IN, methods=["POST"])
def factor() -> ResponseReturnValue:
    """Show the secret for the application and ask for its first code."""
    form, token = OtpForm(), browser.activation_token()
    if form.validate_on_submit():  # also when it is done: the same form may come twice
        finish = activation_services.confirm_factor(
            token, form.otp.data, former=browser.former_sign_in(), device=browser.device(), now=now()
        )
        if finish is not None and finish.signed is not None:
            codes = f"/account/security/recovery-codes?{urlencode({'next': finish.signed.next_path})}"
            entered = browser.enter(replace(finish.signed, next_path=codes))
            flash(_("Your account is ready. Next time, sign in with your password and your application."), "success")
            return entered
        if finish is not None and finish.linked:
            browser.note_linked()
            return see_other(at("/activate/linked"))
        if finish is not None and finish.replaced:
            flash(_("Your password and your second factor are replaced. Sign in with the new ones."), "success")
            return see_other(browser.sign_in_page())
        form.otp.errors = (_("This code is wrong. Check the time of your device, and type the code shown now."),)
    activation = _expect(FlowStep.NEW_FACTOR)
    if isinstance(activation, Response):
        return activation
    offer = activation_services.offered_factor(token, now=now())
    if offer is None:
        return over()
    page = render_template(
        "accounts/activate_factor.html",
        form=form,
        activation=activation,
        offer=offer,
        qr=Markup(offer.svg),  # noqa: S704
    )
    return make_response(page)


@blueprint.get("/linked")
def linked() -> ResponseReturnValue:
    """Say that the user code now belongs to an account that was there."""
    if not browser.is_linked():
        return over()
    return render_template("accounts/activate_linked.html")


@blueprint.route("/start", methods=["GET", "POST"])
@limiter.limit(SIGN_IN, methods=["POST"])
def opening() -> ResponseReturnValue:
    """Begin with a link that was handed over; opening it spends nothing, the button does."""
    if request.method == "GET" and request.args.get("token"):
        return redirect(browser.keep_opening(request.args["token"]))
    if not enrolment_link_services.is_open(browser.opening_token(), now=now()):
        return _page("activate_start", None, status=410)
    if request.method == "GET":
        return _page("activate_start", None, is_open=True)
    return see_other(browser.hold_activation(browser.opening_token() or ""))


def _leads_to() -> str | None:
    """Return where this activation leads: what the address asks for, or the agency that it is on the way to."""
    interaction = bindings.current_interaction()
    if interaction is not None:
        return bindings.resume_path(interaction)
    return wanted_path() if "next" in request.args else None


def _expect(step: FlowStep) -> Activation | Response:
    """Return the activation when it waits for *step*; else lead to where it is, or back to the start."""
    activation = activation_services.activation(browser.activation_token(), now=now())
    if activation is None:
        return see_other(at("/activate/linked")) if browser.is_linked() else over()
    return activation if activation.step is step else see_other(at(_PAGES[activation.step]))


def over() -> Response:
    """Lead back to the start, and say that this activation is over."""
    flash(
        _(
            "This activation is over, or was not begun in this browser. Ask for a new temporary password, then begin again."
        ),
        "warning",
    )
    return see_other(at("/activate"))


def _page(
    name: str, form: object, activation: Activation | None = None, *, status: int = 200, **more: object
) -> Response:
    page = render_template(f"accounts/{name}.html", form=form, activation=activation, **more)
    return make_response(page, status)


def _start_sentence(answer: Start) -> str:
    refusal = answer.refusal
    if refusal is StartRefusal.EARLY and answer.serves_from is not None:
        return str(
            _("This temporary password is valid from %(instant)s on.", instant=long_datetime(answer.serves_from))
        )
    if refusal is StartRefusal.EXPIRED:
        return str(_("This temporary password has expired. Ask the person who gave it to you for a new slip."))
    if refusal is StartRefusal.USED:
        return str(
            _("This temporary password was already used. If it was not you, tell the person who gave it to you.")
        )
    return str(_("The user code and the temporary password do not go together"))


def _email_sentence(answer: CodeCheck) -> str:
    if answer.outcome is CodeOutcome.SPENT:
        return str(_("This code no longer works. Ask for a new one below."))
    sentence = ngettext(
        "This code is wrong. %(num)s try is left.", "This code is wrong. %(num)s tries are left.", answer.tries_left
    )
    return str(sentence)


def password_sentence(fault: PasswordFault) -> str:
    """Say why a new password is refused."""
    sentences = {
        PasswordFault.TOO_SHORT: _("Choose a password of at least 12 characters"),
        PasswordFault.TOO_LONG: _("Choose a shorter password: this one is longer than a thousand characters"),
        PasswordFault.KNOWN: _("This password is on the lists of known passwords. Choose another."),
        PasswordFault.ABOUT_YOU: _(
            "Apart from your name, your codes, the year or our name, too little remains of this password. Add other words."
        ),
        PasswordFault.SAME_SIGN: _("This password repeats the same few characters. Choose another."),
        PasswordFault.TOO_LITTLE: _(
            "Apart from the figures and signs at either end, too little remains of this password. Use several words."
        ),
    }
    return str(sentences[fault])
