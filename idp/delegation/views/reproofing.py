"""The pages on which a PES or the representative helps a person who cannot sign in: proved again, or the door opened again."""

from __future__ import annotations

from flask import Blueprint, flash, render_template
from flask.typing import ResponseReturnValue

from ...accounts import services as accounts
from ...accounts.sign_in.confirming import fresh_sign_in_required
from ...errors import ConflictError, NotAllowedError
from ...http.web import now, see_other
from ...i18n import gettext as _
from ..acting import acting, ar_or_pes_required
from ..people import reproofing_services
from ..people.people_services import MembershipView
from .people import slips_of, visible

blueprint = Blueprint("reproofing", __name__, url_prefix="/people/<membership_id>")


@blueprint.get("/lost-factor")
@ar_or_pes_required
def confirm(membership_id: str) -> ResponseReturnValue:
    """Say what follows, before anything is begun."""
    view = _provable(membership_id)
    name = view.name
    return render_template("delegation/person_lost_factor.html", view=view, name=name)


@blueprint.post("/lost-factor")
@ar_or_pes_required
@fresh_sign_in_required
def start(membership_id: str) -> ResponseReturnValue:
    """Begin, and show the slips once; the person is notified."""
    view = _provable(membership_id)
    here = acting()
    try:
        newcomer = reproofing_services.reprove(here.enterprise_id, view.id, by=here.person.id, now=now())
    except ConflictError:
        flash(_("Too many slips were made for this person within the hour. Wait, then begin again."), "warning")
        return see_other(f"/people/{view.id}")
    return slips_of(newcomer, f"/people/{view.id}")


@blueprint.get("/unlock")
@ar_or_pes_required
def confirm_unlock(membership_id: str) -> ResponseReturnValue:
    """Say since when the sign-in waits and what opening it again does; a person who no longer waits has no such page."""
    view = visible(membership_id)
    if not reproofing_services.may_unlock(view.enterprise_id, view.id, by=acting().person.id, now=now()):
        return see_other(f"/people/{view.id}")
    lockout = accounts.lockout_of(view.person_id, now=now())
    name = view.name
    return render_template("delegation/person_unlock.html", view=view, name=name, lockout=lockout)


@blueprint.post("/unlock")
@ar_or_pes_required
@fresh_sign_in_required
def unlock(membership_id: str) -> ResponseReturnValue:
    """Open the sign-in again; doing it again changes nothing."""
    view, here = visible(membership_id), acting()
    try:
        reproofing_services.unlock(view.enterprise_id, view.id, by=here.person.id, now=now())
    except ConflictError:
        flash(_("This sign-in was opened again three times within a day. Wait, or replace the password."), "warning")
        return see_other(f"/people/{view.id}")
    name = view.name
    flash(_("%(name)s can sign in again. They were notified by e-mail.", name=name), "success")
    return see_other(f"/people/{view.id}")


def _provable(membership_id: str) -> MembershipView:
    view = visible(membership_id)
    if not reproofing_services.may_reprove(view.enterprise_id, view.id, by=acting().person.id):
        raise NotAllowedError("may not have this member proved anew")
    return view
