"""What persons in charge keep up to date: their position and contact details, and the enterprise as in the register."""

from __future__ import annotations

from flask import Blueprint, flash, render_template
from flask.typing import ResponseReturnValue
from wtforms import RadioField, SelectField, TelField
from wtforms.validators import Length, Optional

from ...accounts.sign_in.confirming import fresh_sign_in_required
from ...delegation import contact_services
from ...delegation.acting import acting, ar_or_pes_required
from ...errors import NotAllowedError
from ...http.web import now, see_other
from ...http.web_forms import MandatForm
from ...i18n import gettext as _
from ...i18n import lazy_gettext as _l
from .. import register_reading_services, words
from ..forms import is_a_phone

blueprint = Blueprint("details", __name__)
_POSITIONS = [("", _l("Not given")), *((place.value, label) for place, label in words.POSITIONS.items())]


class DetailsForm(MandatForm):
    """Position, telephone and e-mail address for messages of a person in charge."""

    position = SelectField(_l("Your position in the enterprise"), choices=_POSITIONS)
    phone = TelField(_l("Telephone"), [Optional(), Length(max=32, message=_l("Use at most 32 characters")), is_a_phone])
    email = RadioField(_l("E-mail address that this enterprise sees and writes to"))


@blueprint.route("/my-details", methods=["GET", "POST"])
@ar_or_pes_required
@fresh_sign_in_required
def mine() -> ResponseReturnValue:
    """Show and change the person's position, telephone and address here; name and language change elsewhere."""
    here = acting()
    present = contact_services.details(here.enterprise_id, here.person.id)
    if present is None:
        raise NotAllowedError("not in charge here")
    confirmed = contact_services.confirmed_address(here.person.id)
    form = DetailsForm(obj=present)
    addresses = dict.fromkeys(address for address in (present.email, confirmed) if address)
    form.email.choices = [(address, address) for address in addresses]
    if form.validate_on_submit():
        wanted = contact_services.Details(form.position.data or "", form.phone.data or "", form.email.data)
        if contact_services.change(here.enterprise_id, here.person.id, wanted, now=now()):
            flash(_("Your details are saved. The persons in charge of the enterprise see them."), "success")
        return see_other("/my-details")
    return render_template("enrollment/details.html", form=form, person=here.person)


@blueprint.get("/enterprise")
@ar_or_pes_required
def enterprise() -> ResponseReturnValue:
    """Show what the register says today beside what is on record, and what to do when they differ."""
    reading = register_reading_services.read(acting().enterprise_id, now=now())
    return render_template("enrollment/enterprise_today.html", reading=reading, statuses=words.REGISTER_STATUSES)
