"""Closing one's account: what it does, what stands in the way, and the act itself."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template
from flask.typing import ResponseReturnValue

from ...http.limits import SIGN_IN, limiter
from ...http.web import now, see_other
from ..forms import CloseForm
from ..leaving import closing_services
from ..sessions.sessions import current_sign_in, sign_in_required
from ..sign_in.confirming import fresh_sign_in_required
from . import browser

blueprint = Blueprint("closing", __name__)
blueprint.before_request(browser.one_of_each)


@blueprint.get("/account/close")
@sign_in_required
def about() -> ResponseReturnValue:
    """Say what closing does and what is kept; or what stands in the way, and the way out."""
    return _page(CloseForm())


@blueprint.post("/account/close")
@limiter.limit(SIGN_IN)
@fresh_sign_in_required
def close() -> ResponseReturnValue:
    """Close the account of a person who has just shown who they are and ticked that they mean it."""
    form = CloseForm()
    if closing_services.objections(_person_id()) or not form.validate_on_submit():
        return _page(form)
    closing_services.close(_person_id(), now=now())
    browser.leave()
    return see_other("/closed")


@blueprint.get("/closed")
def closed() -> ResponseReturnValue:
    """Say that the account is closed; the page knows nothing of whose it was."""
    return render_template("accounts/closed.html")


def _page(form: CloseForm) -> Response:
    objections = closing_services.objections(_person_id())
    return make_response(render_template("accounts/close.html", form=form, objections=objections))


def _person_id() -> str:
    sign_in = current_sign_in()
    assert sign_in is not None  # noqa: S101 (sign_in_required)
    return sign_in.person_id
