"""Which agencies know what: the person's own list, from which each can be withdrawn."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, render_template, request
from flask.typing import ResponseReturnValue

from ...accounts.sessions.sessions import current_sign_in, sign_in_required
from ...delegation import services as delegation
from ...delegation.catalogue import catalogue_services
from ...delegation.catalogue.domain.catalogue import Agency
from ...errors import NotFoundError
from ...http.web import now, see_other
from ...i18n import gettext as _
from .. import words
from ..authorization import consent_services

blueprint = Blueprint("oidc_consents", __name__)


@blueprint.route("/consents", methods=["GET", "POST"])
@sign_in_required
def consents() -> ResponseReturnValue:
    """List the consents of the person, and withdraw one."""
    sign_in = current_sign_in()
    assert sign_in is not None  # noqa: S101 (sign_in_required)
    if request.method == "POST":
        enterprise_id, agency_id = request.form.get("enterprise", ""), request.form.get("agency", "")
        is_text = "\x00" not in enterprise_id + agency_id  # PostgreSQL refuses it in a text
        if is_text and consent_services.withdraw(
            person_id=sign_in.person_id, enterprise_id=enterprise_id, agency_id=agency_id, now=now()
        ):
            flash(_("Consent withdrawn. Your open sessions there end within seconds."), "success")
        return see_other("/consents")
    listed = [
        {
            "consent": consent,
            "agency": agency_name(consent.agency_id),
            "enterprise": delegation.enterprise(consent.enterprise_id),
            "told": words.disclosure_lines(consent.disclosure, _agency(consent.agency_id)),
        }
        for consent in consent_services.of_person(sign_in.person_id)
    ]
    return make_response(render_template("oidc/consents.html", listed=listed))


def _agency(agency_id: str) -> Agency | None:
    try:
        return catalogue_services.agency(agency_id)
    except NotFoundError:
        return None


def agency_name(agency_id: str) -> str:
    """Return how an agency is called, its id when the catalogue no longer has it."""
    agency = _agency(agency_id)
    return words.spoken(agency.name) if agency else agency_id
