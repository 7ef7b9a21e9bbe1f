"""Correcting one's own name, or why it cannot be done here."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, render_template
from flask.typing import ResponseReturnValue

from ...http.limits import SIGN_IN, limiter
from ...http.web import now, see_other
from ...i18n import gettext as _
from .. import services
from ..forms import NameForm
from ..people import name_services
from ..people.name_services import NameOutcome
from ..sessions.sessions import current_sign_in
from ..sign_in.confirming import fresh_sign_in_required
from . import browser

blueprint = Blueprint("names", __name__)
blueprint.before_request(browser.one_of_each)


@blueprint.route("/account/name", methods=["GET", "POST"])
@limiter.limit(SIGN_IN, methods=["POST"])
@fresh_sign_in_required
def correct() -> ResponseReturnValue:
    """Show the name and take its correction; a name that an enrolment proved is shown with what to do."""
    sign_in = current_sign_in()
    assert sign_in is not None  # noqa: S101 (fresh_sign_in_required)
    person = services.person(sign_in.person_id)
    form = NameForm(given_name=person.given_name, family_name=person.family_name)
    proved_for = name_services.proved_for(person.id)
    if proved_for is None and form.validate_on_submit():
        names = {"given_name": form.given_name.data or "", "family_name": form.family_name.data}
        outcome = name_services.change(person.id, **names, now=now())
        if outcome is not NameOutcome.TOO_OFTEN:
            changed = outcome is NameOutcome.CHANGED
            flash(
                _("Your name is corrected.") if changed else _("Your name is as it was: nothing was changed."),
                "success",
            )
            return see_other("/account")
        form.family_name.errors = (
            _("You have corrected your name three times today. Try again tomorrow, or call us."),
        )
    return make_response(render_template("accounts/name.html", form=form, person=person, proved_for=proved_for))
