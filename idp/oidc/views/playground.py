"""The token playground: a developer of an agency runs a real sign-in and reads all that comes of it.

Open where ``IDP_PLAYGROUND`` is on, to members of an enterprise and officers of agencies; to every person else there is no such
page. The tokens are shown in the answer to the callback, which nothing keeps, and are stored nowhere.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, current_app, make_response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from ...accounts.sessions.domain.sign_ins import SignIn
from ...accounts.sessions.sessions import current_sign_in, sign_in_address
from ...crypto.sealing import random_token
from ...delegation import services as delegation
from ...errors import NotFoundError
from ...http.web import absolute_url, csrf, current_settings, error_page, now, see_other
from ...i18n import gettext as _
from .. import playground_services, words
from ..authorization.domain.requests import Parameters, parameters
from ..domain.playground import PlaygroundTest, attempt
from ..errors import UnprovenRequestError
from ..forms import PlaygroundForm
from ..playground_services import CALLBACK, Redemption
from . import playground_result

blueprint = Blueprint("oidc_playground", __name__, url_prefix="/playground")
Guest = Callable[[str], bool]
_GUESTS = "mandat.playground_guests"
_TEST = "oidc_playground"


def admit_to_playground(app: Flask, guest: Guest) -> None:
    """Let another room say who else may enter: *guest* is asked with the person signed in."""
    app.extensions.setdefault(_GUESTS, []).append(guest)


@blueprint.before_request
def _guard() -> ResponseReturnValue | None:
    if not current_settings().has_playground:
        raise NotFoundError("the playground is closed")
    sign_in = current_sign_in()
    if sign_in is None:
        return redirect(sign_in_address())
    if not _may_enter(sign_in.person_id):
        raise NotFoundError("not a member of an enterprise, nor an officer of an agency")
    return None


def _may_enter(person_id: str) -> bool:
    if any(view.counts for view in delegation.memberships_of(person_id)):
        return True
    guests: list[Guest] = current_app.extensions.get(_GUESTS, [])
    return any(guest(person_id) for guest in guests)


@blueprint.route("", methods=["GET", "POST"])
def playground() -> ResponseReturnValue:
    """Choose what to ask, and begin."""
    form = PlaygroundForm()
    agencies = playground_services.agencies()
    form.agency.choices = [(agency.id, words.spoken(agency.name)) for agency in agencies]
    if len(agencies) == 1 and request.method == "GET":
        form.agency.data = agencies[0].id
    if form.validate_on_submit():
        test = attempt(
            form.agency.data,
            redirect_uri=absolute_url(CALLBACK),
            state=random_token(),
            nonce=random_token(),
            verifier=random_token(),
            chosen=form.chosen(),
        )
        session[_TEST] = test.to_json()
        return see_other(f"/authorize?{urlencode(test.parameters)}")
    page = render_template("oidc/playground.html", form=form, agencies=agencies)
    return make_response(page, 400 if request.method == "POST" else 200)


@blueprint.route("/callback", methods=["GET", "POST"])
@csrf.exempt  # type: ignore[untyped-decorator]
def callback() -> ResponseReturnValue:
    """Take the answer of ``/authorize``, redeem its code and show everything, once."""
    test = PlaygroundTest.from_json(session.get(_TEST))
    try:
        told = parameters((request.form if request.method == "POST" else request.args).items(multi=True))
    except UnprovenRequestError:
        return _over()
    sign_in = current_sign_in()
    client = playground_services.client_of(test.agency_id) if test else None
    if test is None or client is None or sign_in is None or not _answers(told, test):
        return _over()
    del session[_TEST]
    code = told.get("code")
    came = playground_services.redeem(test, client, code, now=now()) if code else Redemption(None, {})
    if came.grant is not None and came.grant.person_id != sign_in.person_id:
        came = Redemption(None, {})  # another person signed in meanwhile: these tokens are not theirs to see
    result = playground_result.of(test, told.values, came, now=now())
    return make_response(render_template("oidc/playground_result.html", result=result))


def _answers(told: Parameters, test: PlaygroundTest) -> bool:
    """Return whether an answer belongs to the test: its state (RFC 6749 §10.12), and its issuer (RFC 9207 §2.4)."""
    return told.get("state") == test.parameters["state"] and told.get("iss") == current_settings().issuer


def _over() -> Response:
    return error_page(
        400,
        "playground_over",
        _("This test is over"),
        _(
            "Its answer was shown once and is kept nowhere, or it was begun in another browser. Begin again at /playground."
        ),
    )


def account_section(sign_in: SignIn) -> Markup:
    """Return what the account page says of the playground, where there is one for this person."""
    if not current_settings().has_playground or not _may_enter(sign_in.person_id):
        return Markup("")
    return Markup(
        '<h2 class="govuk-heading-m">{}</h2><p class="govuk-body"><a class="govuk-link" href="/playground">{}</a></p>'
    ).format(_("For developers"), _("Try a sign-in and read its tokens"))
