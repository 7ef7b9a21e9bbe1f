"""The pages that ask again who one is before an act that matters, and the page that goes on with what waited.

A passkey needs a script in the browser; its page says so, and leads to the code where a code is accepted.
"""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from ...http.limits import SIGN_IN, limiter
from ...http.web import now, see_other
from ...i18n import gettext as _
from ..credentials import passkey_services
from ..credentials.domain.factor_policy import Ways
from ..credentials.domain.passkeys import CeremonyPurpose
from ..forms import OtpForm, PasskeyForm
from ..sessions import cookies
from ..sessions.domain.sign_ins import CompletedSignIn, SignIn
from ..sessions.sessions import (
    current_sign_in,
    open_to_weak_sign_in,
    page_of,
    safe_next,
    sign_in_address,
    sign_in_required,
    unfinished_sign_in,
)
from ..sign_in import kept_form_services, step_up_services
from ..sign_in.domain.kept_forms import Wait
from ..sign_in.sign_in_services import Refusal
from . import browser
from .sign_in import refused_code, with_outcome

blueprint = Blueprint("confirm", __name__)
blueprint.before_request(browser.one_of_each)


@blueprint.route("/confirm", methods=["GET", "POST"])
@open_to_weak_sign_in
@limiter.limit(SIGN_IN, methods=["POST"])
def again() -> ResponseReturnValue:
    """Ask for the code of the application, and go on with what waited."""
    sign_in = _whose()
    if sign_in is None:
        return redirect(sign_in_address())
    form, ways = OtpForm(), step_up_services.ways_to_confirm(sign_in.person_id)
    if not ways.code:
        return _another_way(ways)
    if not form.validate_on_submit():
        return _page("confirm", form, sign_in, ways)
    answer = step_up_services.confirm_with_code(sign_in, form.otp.data, known=cookies.known_digest(), now=now())
    if answer.signed is not None:
        return go_on(answer.signed)
    if answer.refusal is Refusal.OVER:
        return see_other(_sign_in_again())
    if answer.refusal is Refusal.PASSKEY_ONLY:  # since this request began
        return see_other(_at("/confirm/passkey"))
    form.otp.errors = (refused_code(answer),)
    return with_outcome(_page("confirm", form, sign_in, ways), answer)


@blueprint.route("/confirm/passkey", methods=["GET", "POST"])
@open_to_weak_sign_in
@limiter.limit(SIGN_IN, methods=["POST"])
def with_passkey() -> ResponseReturnValue:
    """Ask for a passkey of the person who is signed in, and go on with what waited."""
    sign_in = _whose()
    if sign_in is None:
        return redirect(sign_in_address())
    form, ways = PasskeyForm(), step_up_services.ways_to_confirm(sign_in.person_id)
    if form.validate_on_submit():
        ceremony, shown = browser.take_passkey(), form.credential.data or ""
        answer = step_up_services.confirm_with_passkey(sign_in, ceremony, shown, now=now())
        if answer.signed is not None:
            return go_on(answer.signed)
        if answer.refusal is Refusal.OVER:
            return see_other(_sign_in_again())
        form.credential.errors = (_("This passkey was not accepted. Try again, or use another way."),)
    asked = passkey_services.ask_person(sign_in.person_id, CeremonyPurpose.STEP_UP, now=now())
    if asked is None:
        return _another_way(ways)
    ceremony = browser.hold_passkey(asked.token)
    return _page("confirm_passkey", form, sign_in, ways, options=asked.options, ceremony=ceremony)


@blueprint.get("/continue")
@sign_in_required
def waiting() -> ResponseReturnValue:
    """Give back a form that waited: by itself before an act, and on the person's word after a sign-in that lapsed."""
    sign_in = current_sign_in()
    assert sign_in is not None  # noqa: S101 (sign_in_required)
    kept = kept_form_services.take(request.args.get("form", ""), sign_in, now=now())
    if kept is None:
        flash(_("What you had begun is no longer kept. Begin it again."), "warning")
        return redirect(_back())
    return render_template(
        "accounts/continue.html", kept=kept, by_itself=kept.wait is Wait.STEP_UP, back=page_of(kept.path)
    )


def go_on(signed: CompletedSignIn) -> Response:
    """Lead a sign-in that was just made fresh to the form that waits, or to the page that asked."""
    browser.renew(signed)
    return see_other(_onward())


def _whose() -> SignIn | None:
    """Return who is to confirm: also the person who shows less than they must, for here they show more."""
    return current_sign_in() or unfinished_sign_in()


def _another_way(ways: Ways) -> Response:
    """Lead from a page that does not apply to this person to one that does."""
    if ways.passkey:
        return see_other(_at("/confirm/passkey"))
    if ways.code:
        return see_other(_at("/confirm"))
    return see_other("/account/security/passkey" if unfinished_sign_in() else _sign_in_again())


def _onward() -> str:
    """Return the form that waits, or the page that asked."""
    form_id = request.args.get("form")
    return f"/continue?{urlencode({'form': form_id, 'next': _back()})}" if form_id else _back()


def _sign_in_again() -> str:
    """Return the sign-in that leads on too: the same person keeps their ``sid``, and with it the form that waits."""
    return f"/sign-in?{urlencode({'next': _onward()})}"


def _at(page: str) -> str:
    """Return another page of these, for the same act."""
    asked = {"next": _back(), **({"form": form_id} if (form_id := request.args.get("form")) else {})}
    return f"{page}?{urlencode(asked)}"


def _back() -> str:
    path = safe_next(request.args.get("next"))
    return "/account" if path == "/" else path


def _page(name: str, form: OtpForm | PasskeyForm, sign_in: SignIn, ways: Ways, **more: object) -> Response:
    page = render_template(
        f"accounts/{name}.html",
        form=form,
        ways=ways,
        back=_back(),
        other_way=_at("/confirm" if name == "confirm_passkey" else "/confirm/passkey"),
        sign_in_again=_sign_in_again(),
        is_weak=sign_in.is_weak,
        falls_short=unfinished_sign_in() is not None,
        **more,
    )
    return make_response(page)
