"""The page that adds a new user code to the account its person has; the sign-in and its proof are the ordinary pages."""

from __future__ import annotations

from flask import Blueprint, Response, flash, make_response, render_template
from flask.typing import ResponseReturnValue

from ...errors import ConflictError
from ...http.limits import SIGN_IN, limiter
from ...http.web import now, see_other
from ...i18n import gettext as _
from ..forms import LinkForm
from ..sessions.domain.sign_ins import SignIn, mask_email
from ..sessions.sessions import current_sign_in
from ..sign_in.confirming import fresh_sign_in_required
from ..user_codes import linking_services
from ..user_codes.domain.linking import LinkingObstacle
from ..user_codes.linking_services import Prospect
from . import browser
from .activation import over

blueprint = Blueprint("linking", __name__, url_prefix=browser.LINKING)
blueprint.before_request(browser.one_of_each)


@blueprint.route("", methods=["GET", "POST"])
@limiter.limit(SIGN_IN, methods=["POST"])
@fresh_sign_in_required
def link() -> ResponseReturnValue:
    """Say which code would join which account, and link them."""
    token, sign_in = browser.activation_token(), _sign_in()
    form = LinkForm()
    if not form.validate_on_submit():
        found = linking_services.prospect(token, sign_in, now=now())
        return over() if found is None else _page(form, found)
    try:
        found = linking_services.link(token, sign_in, now=now())
    except ConflictError:
        found = linking_services.prospect(token, sign_in, now=now())
        return over() if found is None else _page(form, found)
    if found is None:
        return over()
    if not found.is_possible:
        return _page(form, found)
    browser.drop_activation()
    flash(_("The user code was added to your account. You sign in with any of your codes."), "success")
    return see_other(found.next_path)


@blueprint.post("/other")
@limiter.limit(SIGN_IN)
def other_account() -> ResponseReturnValue:
    """End the sign-in of this browser, keep the activation, and ask for another account."""
    return browser.sign_in_to_link()


def _page(form: LinkForm, found: Prospect) -> Response:
    page = render_template(
        "accounts/activate_link.html",
        form=form,
        found=found,
        rows=_rows(found),
        hindrances=[_sentence(each) for each in found.hindrances],
    )
    return make_response(page)


def _rows(found: Prospect) -> list[dict[str, str]]:
    """Say what would be added to what; the code is masked, the address too (the person who looks on learns neither)."""
    rows = [
        (_("User code"), found.user_code.masked),
        (_("Enterprise"), found.enterprise_with_number),
        (_("Given to"), found.named.name),
        (_("Your account"), f"{found.account.name}, {mask_email(found.account.email)}"),
    ]
    return [{"key": str(name), "value": value} for name, value in rows if value]


def _sign_in() -> SignIn:
    sign_in = current_sign_in()
    assert sign_in is not None  # noqa: S101 (fresh_sign_in_required)
    return sign_in


def _sentence(hindrance: LinkingObstacle) -> str:
    sentences = {
        LinkingObstacle.WEAK_SIGN_IN: _("A sign-in with a code by e-mail is not enough."),
        LinkingObstacle.SAME_PERSON: _("This user code is already one of this account."),
        LinkingObstacle.ACCOUNT_NOT_OPEN: _("This account is frozen or closed."),
        LinkingObstacle.HAS_CREDENTIAL: _(
            "This user code already has an account of its own: two accounts are never merged."
        ),
        LinkingObstacle.OPERATOR: _(
            "An account of the desk never acts for an enterprise. Choose a password for this code."
        ),
    }
    return str(sentences[hindrance])
