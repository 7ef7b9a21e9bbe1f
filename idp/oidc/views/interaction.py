"""The pages of an interaction: choose an enterprise, consent, see why there is no right, cancel.

Each saves its answer and goes back to ``/authorize``; a page that is not the next step sends there at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import wraps
from urllib.parse import urlencode

from flask import Blueprint, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from ...accounts.sessions.domain.sign_ins import SignIn
from ...accounts.sessions.sessions import current_sign_in
from ...db import sort_key
from ...delegation import services as delegation
from ...delegation.catalogue import catalogue_services
from ...delegation.people.domain.finding import find
from ...delegation.people.domain.roles import EnterpriseStatus, Role
from ...delegation.requests import request_services
from ...delegation.rights.rights_services import EnterpriseChoice
from ...delegation.subscriptions.words import STATES
from ...http.bindings import own_address
from ...http.web import now, see_other
from ...http.web_forms import clean_line
from ...i18n import current_language
from .. import words
from ..authorization import consent_services, interaction_services, next_step_services, responses
from ..authorization.domain.disclosure import Disclosure
from ..authorization.domain.interactions import InteractionStep, Next
from ..authorization.domain.requests import OFFLINE
from ..authorization.interaction_services import Interaction
from ..clients.domain.clients import RelyingParty
from ..domain import uris
from ..errors import UnprovenRequestError
from ..token import issuing
from ..token.domain import narrowing
from ..way_on import PersonInCharge, WayOn, states_at, way_on
from ..way_on import in_charge as contacts_in_charge
from . import browser
from .authorize import client_of
from .over import leave, over_page, refusal_page

WAITS = timedelta(days=1)  # a request older than that is notified by the user's own list only
blueprint = Blueprint("oidc_interaction", __name__, url_prefix="/interaction")


@dataclass(frozen=True, slots=True)
class CurrentInteraction:
    """What a page of an interaction needs."""

    interaction: Interaction
    client: RelyingParty
    sign_in: SignIn
    following: Next

    @property
    def choices(self) -> tuple[EnterpriseChoice, ...]:
        """Return the enterprises the person may act for."""
        return delegation.choices(self.sign_in.person_id, self.client.agency_id, now())


Page = Callable[[CurrentInteraction], ResponseReturnValue]


def shown_again() -> str | None:
    """Return this page's own address, for a form that is too old: signing in, in another tab, makes every form so."""
    return own_address() if request.blueprint == blueprint.name else None


def during(*steps: InteractionStep) -> Callable[[Page], Callable[[], ResponseReturnValue]]:
    """Show the page only while one of *steps* is next; otherwise go back to ``/authorize``, which knows better."""

    def decorate(page: Page) -> Callable[[], ResponseReturnValue]:
        @wraps(page)
        def guarded() -> ResponseReturnValue:
            interaction = browser.find(request.args.get("interaction"))
            sign_in = current_sign_in()
            if interaction is None:
                return over_page(request.args.get("interaction"))
            try:
                client = client_of(interaction)
            except UnprovenRequestError as error:
                return refusal_page(error)
            interaction = replace(interaction, request=narrowing.request_for_client(interaction.request, client))
            following = next_step_services.following(interaction, client, sign_in, now=now())
            if sign_in is None or following.step not in steps:
                return redirect(browser.resume_path(interaction), code=303)
            return page(CurrentInteraction(interaction, client, sign_in, following))

        return guarded

    return decorate


@blueprint.route("/enterprise", methods=["GET", "POST"])
@during(InteractionStep.CHOOSE_ENTERPRISE, InteractionStep.ASK_FOR_BLOCK, InteractionStep.CONSENT)
def enterprise(way: CurrentInteraction) -> ResponseReturnValue:
    """Ask for which enterprise the person acts."""
    if request.method == "POST":
        wanted = request.form.get("enterprise")
        chosen = next((choice for choice in way.choices if choice.neq == wanted), None)
        if chosen is not None:
            interaction_services.choose(way.interaction, chosen.enterprise_id, person_id=way.sign_in.person_id)
            return see_other(browser.resume_path(way.interaction))
    typed = clean_line(request.args.get("q", ""))[:80]
    found = find(
        way.choices,
        typed,
        request.args.get("page", 1, type=int),
        text=lambda choice: f"{sort_key(choice.name)} {choice.neq}",
        fold=sort_key,
    )
    return make_response(
        render_template(
            "oidc/enterprise.html",
            agency=browser.agency_name(way.client),
            found=found,
            typed=typed,
            number=way.interaction.id,
            choices=[(choice, words.role(choice.role)) for choice in found.items],
            states={id: STATES[state][0] for id, state in states_at(way.client.agency_id, found.items).items()},
            cancel=browser.page_path("cancel", way.interaction),
            missing=request.method == "POST",
        ),
        400 if request.method == "POST" else 200,
    )


@blueprint.route("/consent", methods=["GET", "POST"])
@during(InteractionStep.CONSENT)
def consent(way: CurrentInteraction) -> ResponseReturnValue:
    """Ask whether the agency may know what it asks for, in plain words."""
    enterprise_id = way.following.enterprise_id or ""
    chosen = next(choice for choice in way.choices if choice.enterprise_id == enterprise_id)
    if request.method == "POST" and request.form.get("enterprise", chosen.neq) != chosen.neq:
        return see_other(
            browser.resume_path(way.interaction)
        )  # another page changed the enterprise: ask about that one
    if request.method == "POST" and request.form.get("answer") == "allow":
        consent_services.give(
            way.interaction,
            person_id=way.sign_in.person_id,
            enterprise_id=enterprise_id,
            agency_id=way.client.agency_id,
            is_remembered=way.client.remembers_consent,
            now=now(),
        )
        return see_other(browser.resume_path(way.interaction))
    if request.method == "POST":
        return _refuse(way.interaction, way.client, way.sign_in, enterprise_id)
    authority = delegation.authority(way.sign_in.person_id, enterprise_id, way.client.agency_id, now())
    asked = way.interaction.request
    held, disclosed = issuing.narrowed_for(authority, asked), Disclosure.of(asked)
    agency = catalogue_services.agency(way.client.agency_id)
    return make_response(
        render_template(
            "oidc/consent.html",
            agency=browser.agency_name(way.client),
            service=way.client.name_in(current_language()),
            unproven_host=uris.host(way.interaction.request.redirect_uri) if way.client.is_dynamic else None,
            is_remembered=way.client.remembers_consent,
            enterprise=chosen,
            way=None if authority and authority.blocks else _way_on(way, chosen),
            role=words.role(chosen.role),
            told=words.disclosure_lines(disclosed, agency),
            asks_blocks=bool(disclosed.blocks),
            blocks=words.blocks(agency, held.blocks if held else ()),
            keeps_access=OFFLINE in way.interaction.request.scopes,
            minutes=int(way.client.profile.token_life.total_seconds() // 60),
            several=len(way.choices) > 1 and way.interaction.request.named_enterprise is None,
            change=browser.page_path("enterprise", way.interaction),
        )
    )


@blueprint.get("/no-right")
@during(InteractionStep.EXPLAIN)
def no_right(way: CurrentInteraction) -> ResponseReturnValue:
    """Say why this person cannot go on, and lead them back to the agency."""
    browser.lead_on(way.interaction)
    views = delegation.memberships_of(way.sign_in.person_id)
    return make_response(
        render_template(
            "oidc/no_right.html",
            agency=browser.agency_name(way.client),
            suspended=[(view, _contacts(view)) for view in delegation.best_memberships(views) if not view.counts],
            memberships=bool(views),
            named=way.interaction.request.named_enterprise if way.choices else None,
            back=browser.page_path("cancel", way.interaction),
        ),
        403,
    )


@blueprint.get("/missing-block")
@during(InteractionStep.ASK_FOR_BLOCK)
def missing_block(way: CurrentInteraction) -> ResponseReturnValue:
    """Say which block is missing and who can grant it; when it was granted meanwhile, the same button goes on."""
    enterprise_id = way.following.enterprise_id or ""
    chosen = next(choice for choice in way.choices if choice.enterprise_id == enterprise_id)
    facts = next_step_services.situation(way.interaction, way.client, way.sign_in, now=now())
    in_charge = delegation.in_charge(enterprise_id)
    asked = request_services.latest(way.sign_in.person_id, enterprise_id, way.client.agency_id)
    is_user = chosen.role is Role.USER
    return make_response(
        render_template(
            "oidc/missing_block.html",
            asked=asked if is_user and asked and asked.asked_at > now() - WAITS else None,
            ask=_ask_path(way, facts.missing) if is_user else None,
            agency=browser.agency_name(way.client),
            enterprise=chosen,
            blocks=words.blocks(catalogue_services.agency(way.client.agency_id), facts.missing),
            in_charge=contacts_in_charge(enterprise_id),
            is_in_charge=way.sign_in.person_id in in_charge,
            way=None if is_user else _way_on(way, chosen),
            several=len(way.choices) > 1 and way.interaction.request.named_enterprise is None,
            change=browser.page_path("enterprise", way.interaction),
            again=browser.resume_path(way.interaction),
            back=browser.page_path("cancel", way.interaction),
        ),
        403,
    )


@blueprint.get("/cancel")
def cancel() -> ResponseReturnValue:
    """Give up: the client is answered, with its state, also when the interaction is over."""
    interaction = browser.find(request.args.get("interaction"))
    if interaction is None:
        number = request.args.get("interaction")
        return leave(number) if "over" in request.args else over_page(number)
    try:
        client = client_of(interaction)
    except UnprovenRequestError as error:
        return refusal_page(error)
    return _refuse(interaction, client, current_sign_in(), None)


def _way_on(way: CurrentInteraction, chosen: EnterpriseChoice) -> WayOn:
    browser.lead_on(way.interaction)
    agency = browser.agency_name(way.client)
    return way_on(chosen, way.client.agency_id, agency, several=len(way.choices) > 1)


def _ask_path(way: CurrentInteraction, missing: tuple[str, ...]) -> str:
    """Return where a user asks for the missing blocks; the form leads back to this interaction."""
    browser.lead_on(way.interaction)
    path = f"/agencies/{way.client.agency_id}/ask?{urlencode([('blocks', code) for code in missing])}"
    if len(way.choices) > 1:
        path = f"/enterprises?{urlencode({'next': path})}"
    return f"/~{way.interaction.id}{path}"


def _contacts(view: delegation.MembershipView) -> tuple[PersonInCharge, ...]:
    """Return whom a suspended person may ask; nobody of an enterprise that is suspended itself can help."""
    return contacts_in_charge(view.enterprise_id) if view.enterprise_status is EnterpriseStatus.ACTIVE else ()


def _refuse(
    interaction: Interaction, client: RelyingParty, sign_in: SignIn | None, enterprise_id: str | None
) -> ResponseReturnValue:
    if sign_in is None:
        ended = interaction_services.complete(interaction, now=now())
    else:
        ended = consent_services.refuse(
            interaction,
            person_id=sign_in.person_id,
            enterprise_id=enterprise_id,
            agency_id=client.agency_id,
            now=now(),
        )
    if not ended:
        return over_page(interaction.id)
    browser.forget(interaction)
    target = responses.target_of(interaction.request, client)
    return responses.error(target, "access_denied", "the person did not go on")
