"""The desk for a person without any second factor whom no enterprise can prove again: two operators, one slip."""

from __future__ import annotations

from flask import Blueprint, flash, render_template, url_for
from flask.typing import ResponseReturnValue

from ..accounts import services as accounts
from ..accounts.recovery.reproofing_services import proposed
from ..accounts.sign_in.confirming import fresh_sign_in_required
from ..accounts.user_codes import slips
from ..errors import ConflictError, NotAllowedError
from ..http.web import now, see_other
from ..i18n import gettext as _
from . import reproofing_services
from .access import desk_role_required
from .forms import LostFactorForm
from .roles import DeskRole, OperatorView

blueprint = Blueprint("desk_reproofing", __name__, url_prefix="/desk/lost-factors")


@blueprint.get("")
@desk_role_required(DeskRole.OPERATOR)
def queue(operator: OperatorView) -> ResponseReturnValue:
    """Show the proposals that wait for a second operator, and the form to propose one."""
    return _page(operator, LostFactorForm())


@blueprint.post("")
@desk_role_required(DeskRole.OPERATOR)
@fresh_sign_in_required
def propose(operator: OperatorView) -> ResponseReturnValue:
    """Propose to prove a person again; no secret exists yet."""
    form = LostFactorForm()
    if not form.validate_on_submit() or form.user_code.code is None:
        return _page(operator, form), 400
    try:
        reproofing_services.propose(form.user_code.code, operator=operator, now=now())
    except ConflictError:
        form.user_code.errors = [_("The identity behind this user code cannot be proved again now")]
        return _page(operator, form), 400
    flash(_("Proposed. Another operator must agree and make the slip."), "success")
    return see_other(url_for(".queue"))


@blueprint.post("/<reproofing_id>")
@desk_role_required(DeskRole.OPERATOR)
@fresh_sign_in_required
def agree(reproofing_id: str, operator: OperatorView) -> ResponseReturnValue:
    """Approve another operator's proposal, and show the slip once."""
    try:
        found, temporary = reproofing_services.agree(reproofing_id, operator=operator, now=now())
    except NotAllowedError:
        flash(_("Another operator must agree: you proposed it yourself."), "warning")
        return see_other(url_for(".queue"))
    return slips.slips_page(
        user_code=found.user_code,
        person_name=accounts.person(found.person_id).name,
        enterprise_name="Mandat",
        temporary=temporary,
        back_href=url_for(".queue"),
        now=now(),
    )


def _page(operator: OperatorView, form: LostFactorForm) -> str:
    waiting = proposed(now())
    lockouts = accounts.lockouts_of({each.person_id for each in waiting}, now=now())
    people = accounts.people({each.person_id for each in waiting} | {each.started_by for each in waiting})
    lines = [
        {
            "one": each,
            "name": people[each.person_id].name,
            "is_frozen": lockouts[each.person_id].is_frozen,
            "by": people[each.started_by].name if each.started_by in people else "",
            "own": each.started_by == operator.person_id,
        }
        for each in waiting
    ]
    return render_template("support/lost_factors.html", form=form, lines=lines)
