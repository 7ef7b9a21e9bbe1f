"""Once verified: the representative's account, then the slips, one person at a time."""

from __future__ import annotations

from flask import flash, render_template
from flask.typing import ResponseReturnValue

from ...accounts import services as accounts
from ...accounts.confirming import ask_again, asks_itself, is_fresh
from ...accounts.services import CodeState
from ...accounts.sessions import current_sign_in
from ...accounts.slips import slips_page
from ...accounts.views import hold_activation
from ...errors import ConflictError
from ...i18n import gettext as _
from ...web import now, see_other
from .. import services
from ..errors import NoSuchFileError
from ..files import FileView
from ..forms import EmptyForm
from ..states import State
from .blueprint import file_page, pages


@pages.post("/file/account")
@file_page
def account(file: FileView) -> ResponseReturnValue:
    """Register the enterprise and lead its representative to their first password and second factor."""
    if file.state not in (State.VERIFIED, State.ACTIVE):
        return see_other("/enrol/file")
    if file.representative_code is not None:
        code = file.representative_code.signs
        if accounts.user_codes([code], now=now())[code].state is CodeState.ACTIVATED:
            return see_other("/sign-in?next=/enrol/file")
    token = services.open_account(file.id, now=now())
    if token is None:
        return see_other("/enrol/file")
    hold_activation(token, "/enrol/file")
    return see_other("/activate/password")


@pages.route("/file/slips/<nominee_id>", methods=["GET", "POST"])
@file_page
@asks_itself
def slip(file: FileView, nominee_id: str) -> ResponseReturnValue:
    """Show the slips of a person named, once; asking again kills the former ones."""
    sign_in = current_sign_in()
    if sign_in is None:
        return see_other(f"/sign-in?next=/enrol/file/slips/{nominee_id}")
    nominee = file.nominee(nominee_id)
    if nominee is None or nominee.user_code is None or nominee.is_representative:
        raise NoSuchFileError(nominee_id)
    if sign_in.person_id != file.representative_id:
        raise NoSuchFileError(nominee_id)
    if not is_fresh(sign_in):  # after the refusals: whoever may not see a slip is not asked
        return ask_again(sign_in)
    form = EmptyForm()
    status = accounts.user_codes([nominee.user_code.signs], now=now())[nominee.user_code.signs]
    if form.validate_on_submit():
        try:
            made = services.slip(file.id, nominee_id, actor_id=sign_in.person_id, now=now())
        except ConflictError:
            flash(_("This person uses their code already: no slip is needed any more."), "info")
            return see_other("/enrol/file")
        return slips_page(
            user_code=made.user_code,
            person_name=made.person_name,
            enterprise_name=made.enterprise_name,
            temporary=made.temporary,
            back_href="/enrol/file",
            now=now(),
        )
    return render_template("enrollment/slip.html", form=form, file=file, nominee=nominee, status=status)
