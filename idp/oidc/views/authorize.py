"""The authorization endpoint: prove the client, check the request, take the next step, answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue

from ...accounts.sessions.sessions import current_sign_in
from ...http.limits import AUTHORIZATIONS, limiter
from ...http.web import csrf, now, see_other
from ..authorization import interaction_services, issue_services, next_step_services, request_parsing, responses
from ..authorization.domain import checks
from ..authorization.domain.interactions import InteractionStep
from ..authorization.domain.requests import AuthorizationRequest, Parameters, parameters
from ..authorization.interaction_services import Interaction
from ..claims.domain import assurance_levels
from ..clients import client_refusals
from ..clients.domain.clients import RelyingParty
from ..errors import AuthorizationRefusedError, OverError, UnprovenRequestError
from ..token.domain import narrowing
from . import browser
from .over import over_page, refusal_page

blueprint = Blueprint("oidc", __name__)


@blueprint.route("/authorize", methods=["GET", "POST"])
@csrf.exempt  # type: ignore[untyped-decorator]
@limiter.limit(AUTHORIZATIONS)
def authorize() -> ResponseReturnValue:
    """Begin an authorization, or go on with one."""
    if request.method == "GET" and request.args.get("interaction"):
        return _resume(request.args["interaction"])
    try:
        asked = parameters([*request.args.items(multi=True), *request.form.items(multi=True)])
        browser.speak(asked.language)
        client = request_parsing.client_of(asked.get("client_id"))
        if request_parsing.is_reference(asked):
            return _begin(request_parsing.pushed(asked, client, now=now()), client)
        try:
            asked = request_parsing.opened(asked, client, now=now())
            browser.speak(asked.language)
        except AuthorizationRefusedError as error:
            return _unopened(asked, client, error)
        target = checks.target(asked, client)
    except UnprovenRequestError as error:
        return refusal_page(error)
    try:
        checked = request_parsing.checked(asked, client)
    except AuthorizationRefusedError as error:
        client_refusals.note(error.error, error.description, client.client_id, client=client)
        return responses.error(target, error.error, error.description)
    return _begin(checked, client)


def _unopened(asked: Parameters, client: RelyingParty, error: AuthorizationRefusedError) -> Response:
    """Refuse a request object that does not hold: no address of its own is believed, only a registered one beside it."""
    try:
        target = checks.target(asked, client)
    except UnprovenRequestError:
        return refusal_page(UnprovenRequestError(error.error, f"client {client.client_id}: {error.description}"))
    client_refusals.note(error.error, error.description, client.client_id, client=client)
    return responses.error(target, error.error, error.description)


def _begin(checked: AuthorizationRequest, client: RelyingParty) -> ResponseReturnValue:
    if request.method == "POST":  # without our cookie: another site posted it (decisions.md §24)
        waiting = interaction_services.begin(checked, browser_digest=None, now=now())
        return see_other(browser.resume_path(waiting))
    return _advance(Interaction("", checked, now()), client)


def _resume(interaction_id: str) -> ResponseReturnValue:
    """Go on with an interaction of this browser, by the policy its client has now."""
    interaction = browser.find(interaction_id)
    if interaction is None and interaction_services.is_unbound(interaction_id):
        browser.take(interaction_id)
        interaction = browser.find(interaction_id)
    if interaction is None:
        return over_page(interaction_id)
    try:
        client = client_of(interaction)
    except UnprovenRequestError as error:
        return refusal_page(error)
    browser.keep_language(interaction)
    return _advance(interaction, client)


def client_of(interaction: Interaction) -> RelyingParty:
    """Return the client of an interaction, loaded again: what it may do is what it may do now.

    Raises:
        UnprovenRequestError: it is gone, or could not ask this now.
    """
    client = request_parsing.client_of(interaction.request.client_id)
    checks.check_still_allowed(interaction.request, client)
    return client


def _advance(interaction: Interaction, client: RelyingParty) -> ResponseReturnValue:
    """Take the next step; an interaction not yet kept (no id) is kept when a page is needed."""
    interaction = replace(interaction, request=narrowing.request_for_client(interaction.request, client))
    sign_in = current_sign_in()
    following = next_step_services.following(interaction, client, sign_in, now=now())
    while following.step is InteractionStep.ISSUE and sign_in is not None:
        try:
            code, enterprise_id = browser.code_of(interaction.id), following.enterprise_id or ""
            outcome = issue_services.issue(interaction, sign_in, enterprise_id, code=code, now=now())
        except OverError:
            return over_page(interaction.id)
        except UnprovenRequestError as error:
            return refusal_page(error)
        if isinstance(outcome, str):
            browser.forget(interaction)
            return responses.success(responses.target_of(interaction.request, client), outcome)
        following = outcome
    if following.step is InteractionStep.REFUSE:
        if not interaction_services.complete(interaction, now=now()):
            return over_page(interaction.id)
        target = responses.target_of(interaction.request, client)
        return responses.error(target, following.error, following.description)
    if not interaction.id:
        interaction = browser.begin(interaction.request)
        browser.keep_language(interaction)
    return redirect(PAGES[following.step](interaction), code=303)


def _sign_in_path(interaction: Interaction) -> str:
    """Return where the person signs in: with a passkey when nothing less will do."""
    demanded = assurance_levels.demanded(interaction.request.claims.essential_acr())
    page = "/sign-in/passkey" if demanded == assurance_levels.PASSKEY else "/sign-in"
    return f"{page}?{urlencode({'next': browser.resume_path(interaction)})}"


PAGES: dict[InteractionStep, Callable[[Interaction], str]] = {
    InteractionStep.LOG_IN: _sign_in_path,
    InteractionStep.CHOOSE_ENTERPRISE: lambda interaction: browser.page_path("enterprise", interaction),
    InteractionStep.CONSENT: lambda interaction: browser.page_path("consent", interaction),
    InteractionStep.ASK_FOR_BLOCK: lambda interaction: browser.page_path("missing-block", interaction),
    InteractionStep.EXPLAIN: lambda interaction: browser.page_path("no-right", interaction),
}
