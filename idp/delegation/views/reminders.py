"""The page on which the authorized representative reminds the persons in charge about an agency."""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, Flask, flash, render_template
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from wtforms import TextAreaField
from wtforms.validators import Length

from ...accounts import services as accounts
from ...errors import NotAllowedError
from ...http.limits import FORMS, limiter
from ...http.web import now, see_other
from ...http.web_forms import MandatForm
from ...i18n import gettext as _
from ...i18n import lazy_gettext as _l
from ...i18n import long_datetime
from ...identifiers import with_neq
from ...notices.domain.messages import Email
from ...notices.email import from_template
from ...notices.services import register_renderer
from ..acting import acting, authorized_representative_required
from ..catalogue import catalogue_services
from ..people import reminder_services
from ..people.people_services import names_here
from ..presenting import text
from ..services import enterprise

blueprint = Blueprint("reminders", __name__)


class ReminderForm(MandatForm):
    """What the representative adds to the reminder; it may be empty."""

    message = TextAreaField(
        _l("What the enterprise needs (optional)"),
        [Length(max=600, message=_l("Use at most 600 characters"))],
        description=_l("For example: subscribe the enterprise, or give me access to the invoices"),
    )


@blueprint.record_once
def _register_mail(state: BlueprintSetupState) -> None:
    register_renderer(cast(Flask, state.app), reminder_services.REMINDED, mail)


@blueprint.route("/agencies/<agency_id>/remind", methods=["GET", "POST"])
@authorized_representative_required
@limiter.limit(FORMS, methods=["POST"])
def remind(agency_id: str) -> ResponseReturnValue:
    """Show who receives the reminder, then send it."""
    here, agency = acting(), catalogue_services.agency(agency_id)
    people = reminder_services.reminded(here.enterprise_id)
    if not people:
        flash(_("No person in charge of electronic services is active. Name one first."), "warning")
        return see_other("/roster/new")
    form = ReminderForm()
    if not form.validate_on_submit():
        return render_template("delegation/remind.html", form=form, people=people, agency=agency, text=text)
    try:
        later = reminder_services.remind(
            here.enterprise_id, agency.id, message=form.message.data or "", by=here.person.id, now=now()
        )
    except NotAllowedError:  # the last person in charge left meanwhile
        return see_other("/roster/new")
    if later is None:
        flash(_("An e-mail was sent to the persons in charge."), "success")
    else:
        flash(
            _("A reminder was sent already. The next one can be sent from %(instant)s.", instant=long_datetime(later)),
            "info",
        )
    return see_other(f"/agencies/{agency.id}")


def mail(payload: dict[str, Any], _now: Any) -> Email:
    """Return the e-mail of one person in charge."""
    reader, by = accounts.person(payload["person_id"]), payload["by"]
    about, agency = enterprise(payload["enterprise_id"]), catalogue_services.agency(payload["agency_id"])
    return from_template(
        "delegation/mail_reminder.txt",
        to=payload["to"],
        language=reader.language,
        name=names_here(about.id, [by]).get(by) or accounts.person(by).name,
        enterprise=with_neq(about.name, about.neq),
        agency=agency.name.fr if reader.language == "fr" else agency.name.en,
        agency_id=agency.id,
        message=payload["message"],
    )
