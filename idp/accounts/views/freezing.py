"""“Something is wrong: freeze my access”, from the account or from an e-mail, and the way back."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, Response, flash, make_response, redirect, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from ... import audit
from ...crypto.sealing import random_token
from ...http import bindings
from ...http.bindings import at
from ...http.limits import SIGN_IN, limiter
from ...http.web import now, see_other
from ...i18n import gettext as _
from ...i18n import long_datetime, ngettext
from ..challenges.email_code_services import CodeCheck, CodeOutcome
from ..forms import EmailCodeForm, FreezeForm
from ..people import access_services
from ..sessions.domain.sign_ins import SignIn
from ..sessions.sessions import current_sign_in, open_to_weak_sign_in, sign_in_required
from ..sign_in.domain.steps import FlowKind
from . import browser

blueprint = Blueprint("freezing", __name__)
blueprint.before_request(browser.one_of_each)


def account_section(_sign_in: SignIn) -> Markup:
    """Return what the account page says of freezing."""
    return Markup(
        '<h2 class="govuk-heading-m">{}</h2><p class="govuk-body"><a class="govuk-link" href="/account/freeze">{}</a></p>'
    ).format(_("Something is wrong"), _("Freeze my access at once"))


@blueprint.route("/account/freeze", methods=["GET", "POST"])
@open_to_weak_sign_in
@sign_in_required
def own() -> ResponseReturnValue:
    """Say what freezing does, and do it at one button; no factor is asked, haste is the point."""
    form = FreezeForm()
    sign_in = current_sign_in()
    assert sign_in is not None  # noqa: S101 (sign_in_required)
    if not form.validate_on_submit():
        return render_template("accounts/freeze.html", form=form, signed_in=True)
    actor = audit.Actor.person(sign_in.person_id)
    access_services.freeze(sign_in.person_id, actor=actor, now=now())
    browser.leave()
    return see_other("/frozen")


@blueprint.route("/freeze", methods=["GET", "POST"])
@limiter.limit(SIGN_IN, methods=["POST"])
def stranger() -> ResponseReturnValue:
    """Let a person who cannot sign in freeze their account: the user code, then a code by e-mail; same answer for any code."""
    form = FreezeForm.of_a_stranger()
    if not form.validate_on_submit() or form.user_code.code is None:
        return render_template("accounts/freeze.html", form=form, signed_in=False)
    token = access_services.begin_freeze(form.user_code.code, now=now()) or random_token()
    return see_other(browser.begin(browser.FREEZE, token, "/freeze/code"))


@blueprint.route("/freeze/code", methods=["GET", "POST"])
@limiter.limit(SIGN_IN, methods=["POST"])
def code() -> ResponseReturnValue:
    """Ask for the code received by e-mail, then freeze."""
    return _code_page(FlowKind.FREEZE, browser.FREEZE, begin_at=at("/freeze"), done_at="/frozen")


@blueprint.get("/frozen")
def frozen() -> ResponseReturnValue:
    """Say that the account is frozen, what that means and how to come back."""
    return render_template("accounts/frozen.html")


@blueprint.route("/unfreeze", methods=["GET", "POST"])
@limiter.limit(SIGN_IN, methods=["POST"])
def thaw() -> ResponseReturnValue:
    """Ask a person who has shown password and second factor for the code sent by e-mail, then thaw."""
    return _code_page(FlowKind.THAW, browser.THAW, begin_at=browser.sign_in_page(), done_at=browser.sign_in_page())


def hold_thaw(token: str | None, wait_until: datetime | None) -> Response:
    """Lead a person who has shown both factors of a frozen account to the code sent to them, or say when one may be."""
    if token is None:
        until = long_datetime(wait_until) if wait_until else ""
        flash(
            _(
                "Your access is frozen. Three codes were sent to you within an hour: no other was sent. Sign in again"
                " from %(until)s to receive one.",
                until=until,
            ),
            "warning",
        )
        return see_other(browser.sign_in_page())
    return see_other(browser.begin(browser.THAW, token, "/unfreeze"))


def _code_page(kind: FlowKind, binding: bindings.BindingKind, *, begin_at: str, done_at: str) -> ResponseReturnValue:
    token = bindings.current_secret(binding)
    if token is None:
        return redirect(begin_at)
    form = EmailCodeForm()
    if form.validate_on_submit():
        answer = access_services.finish(kind, token, form.email_code.data, now=now())
        if answer.outcome is CodeOutcome.RIGHT:
            bindings.release_current(binding)
            if kind is FlowKind.THAW:
                flash(_("Your access is open again. Sign in."), "success")
            return see_other(done_at)
        told = (
            answer if kind is FlowKind.THAW else CodeCheck(CodeOutcome.OVER)
        )  # attempts left would disclose that a person has the code
        form.email_code.errors = (refused_email_code(told),)
    return make_response(
        render_template("accounts/freeze_code.html", form=form, thawing=kind is FlowKind.THAW, back=begin_at)
    )


def refused_email_code(answer: CodeCheck) -> str:
    """Say why a code received by e-mail was refused."""
    if answer.outcome is CodeOutcome.WRONG:
        return ngettext(
            "This code is wrong; %(num)s try is left.", "This code is wrong; %(num)s tries are left.", answer.tries_left
        )
    return _("This code is wrong or no longer valid. Begin again.")
