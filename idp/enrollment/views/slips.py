"""Once verified: the representative's account, then the slips, one person at a time."""

from __future__ import annotations

from flask import flash, render_template
from flask.typing import ResponseReturnValue

from ...accounts import services as accounts
from ...accounts.services import CodeState
from ...accounts.sessions.sessions import current_sign_in
from ...accounts.sign_in.confirming import ask_again, asks_itself, is_fresh
from ...accounts.user_codes.slips import slips_page
from ...accounts.views import hold_activation
from ...errors import ConflictError
from ...http.limits import FORMS, limiter
from ...http.web import now, see_other
from ...i18n import gettext as _
from .. import email_code_services, services
from ..domain.files import FileView
from ..domain.states import State
from ..email_code_services import CodeAnswer, CodePurpose
from ..errors import NoSuchFileError
from ..forms import CodeForm, EmptyForm
from .blueprint import file_page, pages
from .drafting import code_refusal, too_many_codes


@pages.post("/file/account")
@limiter.limit(FORMS)
@file_page
def account(file: FileView) -> ResponseReturnValue:
    """Send the code that opens the representative's account, or redirect to the existing account."""
    elsewhere = _instead_of_an_account(file)
    if elsewhere is not None:
        return see_other(elsewhere)
    if not email_code_services.send(file.id, CodePurpose.ACCOUNT, now=now()):
        flash(too_many_codes(), "warning")
    return see_other("/enrol/file/account/code")


@pages.route("/file/account/code", methods=["GET", "POST"])
@limiter.limit(FORMS, methods=["POST"])
@file_page
def account_code(file: FileView) -> ResponseReturnValue:
    """Ask for the code, register the enterprise and lead its representative to a first password and second factor."""
    elsewhere = _instead_of_an_account(file)
    if elsewhere is not None:
        return see_other(elsewhere)
    form = CodeForm()
    if form.validate_on_submit():
        answer, token = email_code_services.open_account(file.id, form.code.data, now=now())
        if token is not None:
            return see_other(hold_activation(token, "/enrol/file"))
        if answer is CodeAnswer.ACCEPTED:
            return see_other("/enrol/file")
        form.code.errors = [code_refusal(answer)]
    return render_template("enrollment/account_code.html", form=form, email=file.email)


def _instead_of_an_account(file: FileView) -> str | None:
    if file.state not in (State.VERIFIED, State.ACTIVE):
        return "/enrol/file"
    if file.representative_code is not None:
        code = file.representative_code.signs
        if accounts.user_codes([code], now=now())[code].state is CodeState.ACTIVATED:
            return "/sign-in?next=/enrol/file"
    return None


@pages.route("/file/slips/<nominee_id>", methods=["GET", "POST"])
@file_page
@asks_itself
def slip(file: FileView, nominee_id: str) -> ResponseReturnValue:
    """Show the slips of a named person, once; showing them again revokes the previous ones."""
    sign_in = current_sign_in()
    if sign_in is None:
        return see_other(f"/sign-in?next=/enrol/file/slips/{nominee_id}")
    nominee = file.nominee(nominee_id)
    if nominee is None or nominee.user_code is None or nominee.is_representative:
        raise NoSuchFileError(nominee_id)
    if sign_in.person_id != file.representative_id:
        raise NoSuchFileError(nominee_id)
    if not is_fresh(sign_in):  # after the refusals: a factor is not requested from a person who may not see a slip
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
