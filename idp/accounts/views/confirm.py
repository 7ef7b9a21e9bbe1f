"""The page that asks again who one is before an act that matters, and the page that goes on with what waited."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, current_app, flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from ...i18n import gettext as _
from ...limits import SIGN_IN, limiter
from ...web import now, see_other
from .. import cookies, services_kept_forms, services_step_up
from ..forms import OtpForm
from ..kept_forms import Wait
from ..services_sign_in import Refusal
from ..sessions import current_sign_in, open_to_weak_sign_in, page_of, safe_next, sign_in_required
from ..sign_ins import Signed, SignIn
from . import browser
from .sign_in import judged, refused_code

blueprint = Blueprint("confirm", __name__)
blueprint.before_request(browser.one_of_each)

Way = Callable[[SignIn], Markup | None]
_WAYS = "mandat.ways_to_confirm"


def add_way_to_confirm(app: Flask, render: Way) -> None:
    """Show another way beside the code of an application (a passkey…), to those for whom *render* answers something.

    Its own view verifies what was shown, calls ``services_step_up.make_fresh`` and answers :func:`go_on`.
    """
    app.extensions.setdefault(_WAYS, []).append(render)


@blueprint.route("/confirm", methods=["GET", "POST"])
@open_to_weak_sign_in
@limiter.limit(SIGN_IN, methods=["POST"])
@sign_in_required
def again() -> ResponseReturnValue:
    """Ask for the code of the application, and go on with what waited."""
    sign_in = current_sign_in()
    assert sign_in is not None  # noqa: S101 (sign_in_required)
    form = OtpForm()
    if not form.validate_on_submit():
        return _page(form, sign_in)
    answer = services_step_up.confirm_with_code(sign_in, form.otp.data, known=cookies.known_digest(), now=now())
    if answer.signed is not None:
        return go_on(answer.signed)
    if answer.refusal is Refusal.OVER:
        return make_response(redirect("/sign-in", code=303))
    form.otp.errors = (refused_code(answer),)
    return judged(_page(form, sign_in), answer)


@blueprint.get("/continue")
@sign_in_required
def waiting() -> ResponseReturnValue:
    """Give back a form that waited: by itself before an act, and on the person's word after a sign-in that lapsed."""
    sign_in = current_sign_in()
    assert sign_in is not None  # noqa: S101 (sign_in_required)
    kept = services_kept_forms.take(request.args.get("form", ""), sign_in, now=now())
    if kept is None:
        flash(_("What you had begun is no longer kept. Begin it again."), "warning")
        return redirect(_back())
    return render_template(
        "accounts/continue.html", kept=kept, by_itself=kept.wait is Wait.STEP_UP, back=page_of(kept.path)
    )


def go_on(signed: Signed) -> Response:
    """Lead a sign-in that was just made fresh to the form that waits, or to the page that asked."""
    browser.renew(signed)
    form_id = request.args.get("form")
    return see_other(f"/continue?{urlencode({'form': form_id, 'next': _back()})}" if form_id else _back())


def _back() -> str:
    path = safe_next(request.args.get("next"))
    return "/account" if path == "/" else path


def _page(form: OtpForm, sign_in: SignIn) -> Response:
    ways = [shown for way in current_app.extensions.get(_WAYS, ()) if (shown := way(sign_in)) is not None]
    page = render_template("accounts/confirm.html", form=form, ways=ways, back=_back(), is_weak=sign_in.is_weak)
    return make_response(page)
