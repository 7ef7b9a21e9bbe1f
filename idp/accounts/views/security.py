"""Security of my account: the password, applications, passkeys and recovery codes. Changes require a fresh sign-in."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, current_app, flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from ...http.limits import SIGN_IN, limiter
from ...http.web import now, see_other
from ...i18n import gettext as _
from ..credentials import passkey_services, password_change_services, recovery_code_services, security_services
from ..credentials.domain.factor_policy import RetentionReason
from ..credentials.domain.recovery_codes import FEW, shown
from ..credentials.password_change_services import PasswordChange, PasswordOutcome
from ..credentials.security_services import FactorKind, FactorView
from ..forms import ChangePasswordForm, NewApplicationForm, NewPasskeyForm, NicknameForm
from ..sessions import cookies
from ..sessions.domain.sign_ins import SignIn
from ..sessions.sessions import current_sign_in, safe_next, sign_in_address, sign_in_required, unfinished_sign_in
from ..sign_in.confirming import asks_itself, is_fresh
from ..sign_in.sign_in_services import Refusal
from . import browser
from .activation import password_sentence
from .sign_in import closed_sentence, too_many, wanted_path

View = TypeVar("View", bound=Callable[..., Any])
HOME = "/account/security"

blueprint = Blueprint("security", __name__, url_prefix=HOME)
blueprint.before_request(browser.one_of_each)


def fresh_sign_in_required(view: View) -> View:
    """Send the person who showed their factors some time ago (five minutes, by default) to the sign-in, and back (ASVS 7.5.1)."""

    @wraps(view)
    def guarded(*arguments: Any, **values: Any) -> Any:
        sign_in = current_sign_in() or unfinished_sign_in()
        if sign_in is None or not is_fresh(sign_in):
            flash(_("Confirm that it is you: sign in again before you change this."), "warning")
            return redirect(sign_in_address())
        return view(*arguments, **values)

    return asks_itself(guarded)  # type: ignore[return-value]


@blueprint.get("")
@sign_in_required
def security() -> ResponseReturnValue:
    """Show every way of signing in that the person has."""
    sign_in = _signed_in()
    return render_template(
        "accounts/security.html",
        security=security_services.security_of(sign_in.person_id),
        has_site=passkey_services.site() is not None,
        few=FEW,
    )


@blueprint.route("/password", methods=["GET", "POST"])
@limiter.limit(SIGN_IN, methods=["POST"])
@sign_in_required
@fresh_sign_in_required
def password() -> ResponseReturnValue:
    """Change the password: the current one, and the factors shown just before."""
    form, sign_in = ChangePasswordForm(), _signed_in()
    if not form.validate_on_submit():
        return _page("security_password", form)
    words = current_app.extensions.get("mandat.password_words")
    about: tuple[str, ...] = tuple(words(sign_in.person_id)) if words else ()
    change = password_change_services.change_password(
        sign_in,
        form.current_password.data,
        form.new_password.data,
        about=about,
        known=cookies.known_digest(),
        now=now(),
    )
    if change.outcome is PasswordOutcome.CHANGED:
        browser.new_form_tokens()
        flash(_("Your password was changed. Your other sign-ins were ended."), "success")
        return see_other(HOME)
    if change.outcome is PasswordOutcome.FAULTS:
        form.new_password.errors = tuple(password_sentence(fault) for fault in change.faults)
        return _page("security_password", form)
    form.current_password.errors = (_current_sentence(change),)
    page = _page("security_password", form)
    closed = change.outcome in (PasswordOutcome.LOCKED, PasswordOutcome.SPENT)
    return too_many(page, change.locked_until) if closed else page


@blueprint.route("/application", methods=["GET", "POST"])
@limiter.limit(SIGN_IN, methods=["POST"])
@sign_in_required
@fresh_sign_in_required
def application() -> ResponseReturnValue:
    """Add one more application: its secret, its name, its first code."""
    form, sign_in, token = NewApplicationForm(), _signed_in(), browser.new_application_token()
    if form.validate_on_submit():
        added = security_services.add_application(sign_in, token, form.otp.data, nickname=form.nickname.data, now=now())
        if added:
            browser.drop_new_application()
            browser.new_form_tokens()
            flash(_("The application was added. Your other sign-ins were ended."), "success")
            return see_other(HOME)
        form.otp.errors = (_("This code is wrong. Check the time of your device, and type the code shown now."),)
    offer = security_services.offered_application(sign_in, token, now=now())
    if offer is None:
        token = security_services.begin_application(sign_in, now=now())
        browser.hold_new_application(token)
        offer = security_services.offered_application(sign_in, token, now=now())
    assert offer is not None  # noqa: S101 (it was just begun)
    return _page("security_application", form, offer=offer, qr=Markup(offer.svg))  # noqa: S704 (drawn by us)


@blueprint.route("/passkey", methods=["GET", "POST"])
@limiter.limit(SIGN_IN, methods=["POST"])
@fresh_sign_in_required
def passkey() -> ResponseReturnValue:
    """Add a passkey; the one page that opens to a person who must show a passkey and has none yet.

    Who has one shows it: a password and a code, in whosever hands, add none beside it.
    """
    form, unfinished = NewPasskeyForm(), unfinished_sign_in()
    if unfinished is not None and passkey_services.has_passkey(unfinished.person_id):
        page = "/confirm/passkey" if passkey_services.may_show(unfinished.person_id) else "/sign-in"
        return see_other(f"{page}?{urlencode({'next': wanted_path()})}")
    sign_in = unfinished or _signed_in()
    if form.validate_on_submit():
        added = security_services.add_passkey(
            sign_in,
            browser.take_passkey(),
            form.credential.data or "",
            nickname=form.nickname.data,
            only_first=unfinished is not None,
            now=now(),
        )
        if added:
            browser.new_form_tokens()
            flash(
                _("The passkey was added: you can sign in with it alone. Your other sign-ins were ended."),
                "success",
            )
            return _sign_in_with_it() if unfinished or "next" in request.args else see_other(HOME)
        form.credential.errors = (_("This passkey could not be added. Try again, or choose another device."),)
    asked = passkey_services.ask_new(sign_in.person_id, sign_in.user_code, now=now())
    return _page(
        "security_passkey",
        form,
        options=asked.options if asked else None,
        ceremony=browser.hold_passkey(asked.token) if asked else None,
        is_required=unfinished is not None,
    )


@blueprint.route("/remove/<any(application,passkey):kind>/<factor_id>", methods=["GET", "POST"])
@sign_in_required
@fresh_sign_in_required
def remove(kind: str, factor_id: str) -> ResponseReturnValue:
    """Ask whether a factor is to go, then remove it, unless it must stay."""
    return _remove(security_services.find(_signed_in().person_id, FactorKind(kind), factor_id))


@blueprint.route("/rename/<any(application,passkey):kind>/<factor_id>", methods=["GET", "POST"])
@sign_in_required
def rename(kind: str, factor_id: str) -> ResponseReturnValue:
    """Give a factor another name. It is a label that opens and closes nothing: like the language, it asks for no code."""
    person_id = _signed_in().person_id
    factor = security_services.find(person_id, FactorKind(kind), factor_id)
    form = NicknameForm(nickname=factor.nickname)
    if form.validate_on_submit():
        if security_services.rename(person_id, factor, form.nickname.data, now=now()):
            flash(_("The name was changed."), "success")
            return see_other(HOME)
        form.nickname.errors = (_("You have given this name to another application or passkey: choose another"),)
    return _page("security_rename", form, factor=factor)


@blueprint.route("/recovery-codes", methods=["GET", "POST"])
@sign_in_required
@fresh_sign_in_required
def recovery_codes() -> ResponseReturnValue:
    """Make ten recovery codes and show them once; the previous ones die. The last page of an activation, which has a *next*."""
    sign_in = _signed_in()
    onward = safe_next(request.args["next"]) if "next" in request.args else None
    if request.method == "POST":
        codes = [shown(code) for code in security_services.make_recovery_codes(sign_in, now=now())]
        browser.new_form_tokens()
        is_first = onward is not None
        return _page("security_recovery_codes_shown", None, codes=codes, onward=onward or HOME, is_first=is_first)
    return _page("security_recovery_codes", None, left=recovery_code_services.left(sign_in.person_id), onward=onward)


def _remove(factor: FactorView) -> ResponseReturnValue:
    if request.method != "POST":
        return render_template("accounts/security_remove.html", factor=factor)
    decision = security_services.remove(_signed_in(), factor, now=now())
    if decision:
        browser.new_form_tokens()
        flash(_("It was removed. Your other sign-ins were ended."), "success")
    else:
        flash(_reason_sentence(decision.reasons[0]), "warning")
    return see_other(HOME)


def _sign_in_with_it() -> Response:
    return see_other(f"/sign-in/passkey?{urlencode({'next': wanted_path()})}")


def _reason_sentence(reason: RetentionReason) -> str:
    sentences = {
        RetentionReason.LAST_APPLICATION: _("This is your last application: add another before you remove it."),
        RetentionReason.LAST_PASSKEY: _(
            "This is your last passkey, and you must have one: add another before you remove it."
        ),
    }
    return str(sentences[reason])


def _current_sentence(change: PasswordChange) -> str:
    if change.outcome in (PasswordOutcome.LOCKED, PasswordOutcome.SPENT):
        return str(closed_sentence(Refusal(change.outcome.value), change.locked_until))
    if change.outcome is PasswordOutcome.OVER:
        return str(_("Your password was changed meanwhile, elsewhere. Nothing was saved."))
    return str(_("This is not your current password"))


def _page(name: str, form: object, **more: object) -> Response:
    return make_response(render_template(f"accounts/{name}.html", form=form, **more))


def _signed_in() -> SignIn:
    sign_in = current_sign_in()
    if sign_in is None:
        abort(403)
    return sign_in


def account_section(sign_in: SignIn) -> Markup:
    """Return what the account page says of these."""
    found = security_services.security_of(sign_in.person_id)
    return Markup(render_template("accounts/security_section.html", security=found, few=FEW))  # noqa: S704 (a template)
