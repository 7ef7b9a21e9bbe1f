"""Changing one's e-mail address, and undoing it from the old one."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from ...http import bindings
from ...http.limits import SIGN_IN, limiter
from ...http.web import now, see_other
from ...i18n import gettext as _
from ..challenges.email_code_services import CodeOutcome
from ..forms import EmailChangeForm, EmailCodeForm, UndoForm
from ..people import email_change_services
from ..sessions.domain.sign_ins import SignIn
from ..sessions.sessions import current_sign_in
from ..sign_in.confirming import fresh_sign_in_required
from . import browser
from .freezing import refused_email_code

blueprint = Blueprint("email_change", __name__)
blueprint.before_request(browser.one_of_each)


def account_section(_sign_in: SignIn) -> Markup:
    """Return what the account page says of the e-mail address."""
    return Markup(
        '<h2 class="govuk-heading-m">{}</h2><p class="govuk-body"><a class="govuk-link" href="/account/email">{}</a></p>'
    ).format(_("E-mail"), _("Change my e-mail address"))


@blueprint.route("/account/email", methods=["GET", "POST"])
@limiter.limit(SIGN_IN, methods=["POST"])
@fresh_sign_in_required
def ask() -> ResponseReturnValue:
    """Ask for the new address and send a code there."""
    form = EmailChangeForm()
    if not form.validate_on_submit():
        return render_template("accounts/email.html", form=form)
    token = email_change_services.begin(_signed_in(), form.email.data, now=now())
    if token is None:
        form.email.errors = (_("Three codes were sent within the hour. Wait a little, then ask again."),)
        return render_template("accounts/email.html", form=form)
    return see_other(browser.begin(browser.EMAIL_CHANGE, token, "/account/email/code"))


@blueprint.route("/account/email/code", methods=["GET", "POST"])
@limiter.limit(SIGN_IN, methods=["POST"])
@fresh_sign_in_required
def code() -> ResponseReturnValue:
    """Ask for the code received at the new address, then use it."""
    token = bindings.current_secret(browser.EMAIL_CHANGE)
    if token is None:
        return redirect("/account/email")
    form = EmailCodeForm()
    if form.validate_on_submit():
        answer = email_change_services.finish(_signed_in(), token, form.email_code.data, now=now())
        if answer.outcome is CodeOutcome.RIGHT:
            bindings.release_current(browser.EMAIL_CHANGE)
            browser.new_form_tokens()
            flash(
                _("Your e-mail address is changed, and the old one was notified. Your other sign-ins were ended."),
                "success",
            )
            return see_other("/account")
        form.email_code.errors = (refused_email_code(answer),)
    return render_template("accounts/email_code.html", form=form)


@blueprint.route("/undo-email", methods=["GET", "POST"])
@limiter.limit(SIGN_IN, methods=["POST"])
def undo() -> ResponseReturnValue:
    """Put the old address back for the person who holds the code it received, and freeze the account."""
    form = UndoForm()
    if form.validate_on_submit():
        if email_change_services.undo(form.undo_code.data, now=now()):
            return see_other("/frozen")
        form.undo_code.errors = (
            _("This code is wrong or no longer valid. Call us if another person uses your account."),
        )
    return render_template("accounts/email_undo.html", form=form)


def _signed_in() -> SignIn:
    sign_in = current_sign_in()
    assert sign_in is not None  # noqa: S101 (fresh_sign_in_required)
    return sign_in
