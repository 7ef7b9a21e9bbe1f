"""The account page, and the slips handed to others."""

from __future__ import annotations

from collections.abc import Callable

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    flash,
    make_response,
    render_template,
    request,
    session,
)
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from ...http.limits import FORMS, limiter
from ...http.web import now, see_other
from ...i18n import LANGUAGES, ngettext
from ...i18n import gettext as _
from ...identifiers import InvalidIdentifierError, UserCode
from .. import services
from ..credentials.domain.passwords import read_temporary
from ..forms import LanguageForm
from ..recovery import reproofing_services
from ..sessions.domain.sign_ins import SignIn
from ..sessions.sessions import current_sign_in, open_to_weak_sign_in, sign_in_required
from ..user_codes import code_services, slips
from . import browser

blueprint = Blueprint("accounts", __name__)
blueprint.before_request(browser.one_of_each)

Section = Callable[[SignIn], Markup]
_SECTIONS = "mandat.account_sections"


def add_account_section(app: Flask, render: Section, *, after: Section | None = None) -> None:
    """Add a section to the account page (roles and enterprises, consents…): last, or right *after* another one."""
    sections: list[Section] = app.extensions.setdefault(_SECTIONS, [])
    sections.insert(len(sections) if after is None else sections.index(after) + 1, render)


@blueprint.get("/account")
@open_to_weak_sign_in
@sign_in_required
def account() -> ResponseReturnValue:
    """Show the account of a person who is signed in."""
    sign_in = _signed_in()
    sections: list[Section] = current_app.extensions.get(_SECTIONS, [])
    person = services.person(sign_in.person_id)
    return render_template(
        "accounts/account.html",
        person=person,
        sign_in=sign_in,
        codes=services.user_codes_of(sign_in.person_id, now=now()),
        sign_ins=services.open_sign_ins(sign_in.person_id, now=now()),
        sections=[render(sign_in) for render in sections],
        language_form=LanguageForm(formdata=None, language=person.language),
    )


@blueprint.post("/account/language")
@sign_in_required
def language() -> ResponseReturnValue:
    """Keep the language chosen, for pages and e-mails."""
    wanted = request.form.get("language")
    if wanted not in LANGUAGES:
        abort(400)
    services.choose_language(_signed_in().person_id, "en" if wanted == "en" else "fr")
    session["lang"] = wanted
    return see_other("/account")


@blueprint.post("/account/sign-out-elsewhere")
@open_to_weak_sign_in
@sign_in_required
def sign_out_elsewhere() -> ResponseReturnValue:
    """End the person's other sign-ins."""
    sign_in = _signed_in()
    ended = services.end_sign_ins_of(sign_in.person_id, but=sign_in.sid, now=now())
    flash(
        ngettext("%(num)s other sign-in was ended.", "%(num)s other sign-ins were ended.", ended)
        if ended
        else _("You were not signed in elsewhere."),
        "success",
    )
    return see_other("/account")


@blueprint.post("/slips")
@limiter.limit(FORMS)
def slip_pdf() -> ResponseReturnValue:
    """Return one of two slips as PDF to the person who holds the page that showed it, for fifteen minutes."""
    try:
        user_code = UserCode.parse(request.form.get("user_code", ""))
    except InvalidIdentifierError:
        abort(404)
    texts = slips.read_texts(request.form.get("about", ""), user_code)
    secret = read_temporary(request.form.get("secret", ""))
    temporary = code_services.slip(user_code, secret, now=now()) or reproofing_services.slip(
        user_code, secret, now=now()
    )
    which = request.form.get("which")
    if texts is None or which not in ("user_code", "secret"):
        abort(404)
    if temporary is None:
        return make_response(render_template("accounts/slip_gone.html"), 410)
    content = slips.code_slip(user_code, texts, temporary) if which == "user_code" else slips.secret_slip(temporary)
    response = Response(content, mimetype="application/pdf")
    response.headers["Content-Disposition"] = (
        f'attachment; filename="{which.replace("_", "-")}-{temporary.pairing}.pdf"'
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _signed_in() -> SignIn:
    sign_in = current_sign_in()
    if sign_in is None:
        abort(403)
    return sign_in
