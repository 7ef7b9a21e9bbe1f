"""The pages of the desk for a person who cannot sign in: what prevents it, by user code, and the unlocking."""

from __future__ import annotations

from flask import Blueprint, flash, render_template, url_for
from flask.typing import ResponseReturnValue

from ..accounts import services as accounts
from ..accounts.sign_in.confirming import fresh_sign_in_required
from ..errors import ConflictError, NotAllowedError, NotFoundError
from ..http.web import now, see_other
from ..i18n import gettext as _
from . import lockout_services
from .access import desk_role_required
from .forms import LostFactorForm
from .lockout_services import FoundLockout
from .roles import DeskRole, OperatorView

blueprint = Blueprint("desk_lockouts", __name__, url_prefix="/desk/sign-ins")


@blueprint.get("")
@desk_role_required(DeskRole.OPERATOR)
def ask(operator: OperatorView) -> ResponseReturnValue:
    """Ask for a user code."""
    return _page(operator, LostFactorForm())


@blueprint.post("")
@desk_role_required(DeskRole.OPERATOR)
def find(operator: OperatorView) -> ResponseReturnValue:
    """Show what prevents the owner of a user code from signing in."""
    form = LostFactorForm()
    if not form.validate_on_submit() or form.user_code.code is None:
        return _page(operator, form), 400
    try:
        found = lockout_services.find(form.user_code.code, operator=operator, now=now())
    except NotFoundError:
        form.user_code.errors = [_("Nobody has this user code")]
        return _page(operator, form), 400
    return _page(operator, LostFactorForm(formdata=None), found)


@blueprint.post("/unlock")
@desk_role_required(DeskRole.OPERATOR)
@fresh_sign_in_required
def unlock(operator: OperatorView) -> ResponseReturnValue:
    """Unlock the sign-in of the owner of a user code; repeating it changes nothing."""
    form = LostFactorForm()
    if not form.validate_on_submit() or form.user_code.code is None:
        return _page(operator, form), 400
    try:
        found = lockout_services.unlock(form.user_code.code, operator=operator, now=now())
    except NotAllowedError:
        flash(_("Another operator must open your own sign-in."), "warning")
    except ConflictError:
        flash(
            _(
                "This sign-in was opened again three times within a day. Wait, or prove the identity of the person again."
            ),
            "warning",
        )
    else:
        flash(_("%(name)s can sign in again. They were notified by e-mail.", name=found.name), "success")
    return see_other(url_for(".ask"))


def _page(operator: OperatorView, form: LostFactorForm, found: FoundLockout | None = None) -> str:
    own = found is not None and found.person_id == operator.person_id
    return render_template(
        "support/sign_ins.html", form=form, found=found, own=own, alarm=accounts.current_alarm(now())
    )
