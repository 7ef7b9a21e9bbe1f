"""The pages of a forgotten password and of a lost user code: their responses never disclose what exists."""

from __future__ import annotations

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
)
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from ...http import bindings
from ...http.bindings import at
from ...http.limits import SIGN_IN, limiter
from ...http.web import now, see_other
from ...i18n import gettext as _
from ...i18n import ngettext
from .. import services
from ..forms import EmailCodeForm, LostCodeForm, NewPasswordForm, OtpForm, PasskeyForm, RecoverForm
from ..recovery import lost_code_services, recovery_passkey_services, recovery_services, reproofing_services
from ..recovery.domain.recovery_states import RecoveryState
from ..recovery.recovery_services import Recovery, RecoveryCheck, RecoveryOutcome
from ..sessions import cookies
from ..sessions.domain.sign_ins import SignIn
from . import browser
from .account import add_account_section
from .activation import password_sentence
from .sign_in import locked_sentence, too_many

blueprint = Blueprint("recovery", __name__, url_prefix="/recover")
blueprint.before_request(browser.one_of_each)

_PAGES = {
    RecoveryState.EMAIL_CODE: "/recover/code",
    RecoveryState.SECOND_FACTOR: "/recover/factor",
    RecoveryState.NEW_PASSWORD: "/recover/password",
}


def init_app(app: Flask) -> None:
    """Give *app* the pages of recovery."""
    app.register_blueprint(blueprint)
    add_account_section(app, contact_section)


def contact_section(sign_in: SignIn) -> Markup:
    """Say on the account page that messages come back, when they do."""
    person = services.person(sign_in.person_id)
    page = render_template("accounts/contact_section.html", contact=services.contact(person.email))
    return Markup(page)  # noqa: S704 (an escaping template)


@blueprint.route("", methods=["GET", "POST"])
@limiter.limit(SIGN_IN, methods=["POST"])
def start() -> ResponseReturnValue:
    """Ask for the user code whose password was forgotten."""
    form = RecoverForm()
    if not form.validate_on_submit() or form.user_code.code is None:
        return render_template("accounts/recover.html", form=form)
    former = bindings.secret(browser.RECOVERY, bindings.current_number())
    token = recovery_services.start(form.user_code.code, former=former, now=now())
    return see_other(browser.begin(browser.RECOVERY, token, "/recover/code"))


@blueprint.route("/code", methods=["GET", "POST"])
@limiter.limit(SIGN_IN, methods=["POST"])
def code() -> ResponseReturnValue:
    """Ask for the code that may have been sent."""
    recovery = _expect(RecoveryState.EMAIL_CODE)
    if isinstance(recovery, Response):
        return recovery
    form = EmailCodeForm()
    if not form.validate_on_submit():
        return render_template("accounts/recover_code.html", form=form)
    answer = recovery_services.check_code(
        browser.recovery_token(), form.email_code.data, known=cookies.known_digest(), now=now()
    )
    if answer.outcome in (RecoveryOutcome.RIGHT, RecoveryOutcome.OVER):
        return see_other(at("/recover/factor"))
    form.email_code.errors = (_code_sentence(answer),)
    return _with_wait(make_response(render_template("accounts/recover_code.html", form=form)), answer)


@blueprint.post("/code/again")
@limiter.limit(SIGN_IN)
def code_again() -> ResponseReturnValue:
    """Send another code, perhaps."""
    recovery = _expect(RecoveryState.EMAIL_CODE)
    if isinstance(recovery, Response):
        return recovery
    recovery_services.send_again(browser.recovery_token(), now=now())
    flash(
        _("If another code could be sent, the previous one no longer works. At most three are sent in an hour."),
        "success",
    )
    return see_other(at("/recover/code"))


@blueprint.route("/factor", methods=["GET", "POST"])
@limiter.limit(SIGN_IN, methods=["POST"])
def factor() -> ResponseReturnValue:
    """Ask for the second factor."""
    recovery = _expect(RecoveryState.SECOND_FACTOR)
    if isinstance(recovery, Response):
        return recovery
    form = OtpForm()
    if not form.validate_on_submit():
        return render_template("accounts/recover_factor.html", form=form)
    answer = recovery_services.check_factor(
        browser.recovery_token(), form.otp.data, known=cookies.known_digest(), now=now()
    )
    if answer.outcome in (RecoveryOutcome.RIGHT, RecoveryOutcome.OVER):
        return see_other(at("/recover/password"))
    form.otp.errors = (_factor_sentence(answer),)
    return _with_wait(make_response(render_template("accounts/recover_factor.html", form=form)), answer)


@blueprint.route("/factor/passkey", methods=["GET", "POST"])
@limiter.limit(SIGN_IN, methods=["POST"])
def passkey() -> ResponseReturnValue:
    """Ask for a passkey in the place of the code; the page is the same whether the person has one or not."""
    recovery = _expect(RecoveryState.SECOND_FACTOR)
    if isinstance(recovery, Response):
        return recovery
    form, token = PasskeyForm(), browser.recovery_token()
    if form.validate_on_submit():
        answer = recovery_passkey_services.check(token, browser.take_passkey(), form.credential.data or "", now=now())
        if answer.outcome in (RecoveryOutcome.RIGHT, RecoveryOutcome.OVER):
            return see_other(at("/recover/password"))
        form.credential.errors = (_("This passkey was not accepted. Try again, or type a code."),)
    asked = recovery_passkey_services.ask(token, now=now())
    ceremony = browser.hold_passkey(asked.token) if asked else None
    options = asked.options if asked else None
    return render_template("accounts/recover_passkey.html", form=form, options=options, ceremony=ceremony)


@blueprint.route("/password", methods=["GET", "POST"])
@limiter.limit(SIGN_IN, methods=["POST"])
def password() -> ResponseReturnValue:
    """Ask for the new password; it signs nobody in."""
    recovery = _expect(RecoveryState.NEW_PASSWORD)
    if isinstance(recovery, Response):
        return recovery
    form = NewPasswordForm()
    if not form.validate_on_submit():
        return render_template("accounts/recover_password.html", form=form, user_code=recovery.user_code)
    words = current_app.extensions.get("mandat.password_words")
    about = tuple(words(recovery.person_id)) if words else ()
    decision = recovery_services.choose_password(
        browser.recovery_token(), form.new_password.data, about=about, now=now()
    )
    if decision is None:
        return _over()
    if not decision:
        form.new_password.errors = tuple(password_sentence(fault) for fault in decision.reasons)
        return render_template("accounts/recover_password.html", form=form, user_code=recovery.user_code)
    return _changed()


@blueprint.route("/user-code", methods=["GET", "POST"])
@limiter.limit(SIGN_IN, methods=["POST"])
def user_code() -> ResponseReturnValue:
    """Ask for the e-mail address to which user codes are sent, masked."""
    form = LostCodeForm()
    if not form.validate_on_submit():
        return render_template("accounts/recover_user_code.html", form=form)
    lost_code_services.ask(form.email.data, now=now())
    return see_other(at("/recover/user-code/sent"))


@blueprint.get("/user-code/sent")
def user_code_sent() -> ResponseReturnValue:
    """Say what follows, the person who asked."""
    return render_template("accounts/recover_user_code_sent.html")


@blueprint.route("/objection", methods=["GET", "POST"])
@limiter.limit(SIGN_IN, methods=["POST"])
def objection() -> ResponseReturnValue:
    """Stop the replacement of a second factor; opening the link changes nothing, the button does."""
    if request.method == "GET" and request.args.get("token"):
        return redirect(browser.begin(browser.OBJECTION, request.args["token"][:64], "/recover/objection"))
    token = bindings.current_secret(browser.OBJECTION)
    if request.method == "GET":
        page = render_template("accounts/recover_objection.html", may=reproofing_services.may_object(token))
        return make_response(page)
    stopped = reproofing_services.object_to(token, now=now())
    bindings.release_current(browser.OBJECTION)
    return make_response(render_template("accounts/recover_objection.html", may=False, stopped=stopped))


@blueprint.get("/lost-factor")
def lost_factor() -> ResponseReturnValue:
    """Say who can help a person who lost every second factor."""
    return render_template("accounts/recover_lost_factor.html")


def _expect(state: RecoveryState) -> Recovery | Response:
    """Return the recovery when it waits for *state*; else lead to where it is, or back to the start."""
    recovery = recovery_services.find(browser.recovery_token(), now=now())
    if recovery is None:
        return _over()
    return recovery if recovery.state is state else see_other(at(_PAGES[recovery.state]))


def _over() -> Response:
    if recovery_services.find(browser.recovery_token(), RecoveryState.DONE, now=now()) is not None:
        return _changed()  # the last form, sent twice
    bindings.release_current(browser.RECOVERY)
    flash(_("This took too long, or was not begun in this browser. Begin again."), "warning")
    return see_other(at("/recover"))


def _changed() -> Response:
    bindings.release_current(browser.RECOVERY)
    browser.new_form_tokens()
    flash(_("Your password is changed, and you are signed out everywhere. Sign in with the new one."), "success")
    return see_other(browser.sign_in_page())


def _with_wait(page: Response, answer: RecoveryCheck) -> Response:
    return too_many(page, answer.locked_until) if answer.outcome is RecoveryOutcome.LOCKED else page


def _code_sentence(answer: RecoveryCheck) -> str:
    if answer.outcome is RecoveryOutcome.LOCKED:
        return locked_sentence(answer.locked_until)
    if answer.outcome is RecoveryOutcome.SPENT:
        return str(_("This code no longer works. Ask for a new one below."))
    return ngettext(
        "This code is wrong. %(num)s try is left.", "This code is wrong. %(num)s tries are left.", answer.tries_left
    )


def _factor_sentence(answer: RecoveryCheck) -> str:
    if answer.outcome is RecoveryOutcome.LOCKED:
        return locked_sentence(answer.locked_until)
    return ngettext(
        "This code is wrong or was already used. Wait for the next one; %(num)s try is left.",
        "This code is wrong or was already used. Wait for the next one; %(num)s tries are left.",
        answer.tries_left,
    )
