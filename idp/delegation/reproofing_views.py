"""The page on which a PES or the representative has somebody proved anew that lost every second factor."""

from __future__ import annotations

from flask import Blueprint, flash, render_template
from flask.typing import ResponseReturnValue

from ..accounts import services as accounts
from ..accounts.confirming import fresh_sign_in_required
from ..errors import ConflictError, NotAllowedError
from ..i18n import gettext as _
from ..web import now, see_other
from . import reproofing_services as services
from .acting import acting, ar_or_pes_required
from .people_services import MembershipView
from .people_views import slips_of, visible

blueprint = Blueprint("reproofing", __name__, url_prefix="/people/<membership_id>/lost-factor")


@blueprint.get("")
@ar_or_pes_required
def confirm(membership_id: str) -> ResponseReturnValue:
    """Say what follows, before anything is begun."""
    view = _provable(membership_id)
    name = accounts.person(view.person_id).name
    return render_template("delegation/person_lost_factor.html", view=view, name=name)


@blueprint.post("")
@ar_or_pes_required
@fresh_sign_in_required
def start(membership_id: str) -> ResponseReturnValue:
    """Begin, and show the slips once; the person is told."""
    view = _provable(membership_id)
    here = acting()
    try:
        newcomer = services.reprove(here.enterprise_id, view.id, by=here.person.id, now=now())
    except ConflictError:
        flash(_("Too many slips were made for this person within the hour. Wait, then begin again."), "warning")
        return see_other(f"/people/{view.id}")
    return slips_of(newcomer, f"/people/{view.id}")


def _provable(membership_id: str) -> MembershipView:
    view = visible(membership_id)
    if not services.may_reprove(view.enterprise_id, view.id, by=acting().person.id):
        raise NotAllowedError("may not have this member proved anew")
    return view
