"""From an interaction and the sign-in of its browser to the facts that decide the next step."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ...accounts import services as accounts
from ...accounts.sessions.domain.sign_ins import SignIn
from ...delegation import services as delegation
from ...http.web import current_settings
from ..claims.domain import assurance_levels
from ..clients.domain.clients import RelyingParty
from ..errors import AuthorizationRefusedError
from ..keys.signing_keys import UntrustedTokenError
from ..token.domain import tokens
from ..token.issuing import key_ring, sub_of
from . import consent_services
from .domain.disclosure import Disclosure
from .domain.interactions import EnterpriseOffer, Next, Situation, chosen_enterprise, next_step
from .domain.requests import AuthorizationRequest
from .interaction_services import Interaction


def following(
    interaction: Interaction, client: RelyingParty, sign_in: SignIn | None, *, now: datetime, hold: bool = False
) -> Next:
    """Return the next step of *interaction*."""
    return next_step(situation(interaction, client, sign_in, now=now, hold=hold))


def situation(
    interaction: Interaction, client: RelyingParty, sign_in: SignIn | None, *, now: datetime, hold: bool = False
) -> Situation:
    """Gather the facts; answers given by another person than the one signed in do not count.

    With *hold* the consents found last until the caller's transaction ends.
    """
    request = interaction.request
    if sign_in is None:
        return Situation(request, interaction.started_at, now)
    choices = delegation.choices(sign_in.person_id, client.agency_id, now)
    is_theirs = interaction.answered_by == sign_in.person_id
    chosen = interaction.chosen if is_theirs else None
    found = Situation(
        request,
        interaction.started_at,
        now,
        auth_time=sign_in.auth_time,
        acr=sign_in.acr,
        is_hinted_person=_is_hinted_person(request, client, sign_in),
        offers=tuple(EnterpriseOffer(choice.enterprise_id, choice.neq) for choice in choices),
        consented=_consented(request, client, sign_in, hold=hold),
        chosen=chosen,
        consent_given=is_theirs and _was_given(interaction, client, sign_in, hold=hold),
        reachable=_reachable(request, sign_in),
    )
    return replace(found, missing=_missing(found, client, sign_in, now))


def _reachable(request: AuthorizationRequest, sign_in: SignIn) -> int:
    """Return the level this person can show; nothing is read unless the request wishes for a level at all."""
    is_wished = bool(request.acr_values or request.claims.voluntary_acr())
    if is_wished and not accounts.has_passkey(sign_in.person_id):
        return assurance_levels.PASSKEY - 1
    return assurance_levels.REACHABLE


def _missing(found: Situation, client: RelyingParty, sign_in: SignIn, now: datetime) -> tuple[str, ...]:
    """Return what the agency needs and the person lacks for the enterprise chosen; no need, no reading of rights."""
    enterprise_id = chosen_enterprise(found) if any(each.needs for each in found.request.details) else None
    if enterprise_id is None:
        return ()
    authority = delegation.authority(sign_in.person_id, enterprise_id, client.agency_id, now)
    return tokens.unmet_needs(authority, found.request.details) if authority else ()


def _consented(request: AuthorizationRequest, client: RelyingParty, sign_in: SignIn, *, hold: bool) -> frozenset[str]:
    """Return where an earlier consent counts; never for a client that any program could play."""
    if not client.remembers_consent:
        return frozenset()
    asked = Disclosure.of(request).while_present
    return consent_services.covered(sign_in.person_id, client.agency_id, asked, hold=hold)


def _was_given(interaction: Interaction, client: RelyingParty, sign_in: SignIn, *, hold: bool) -> bool:
    """Return whether the person consented in this interaction to all that it asks, for the enterprise chosen."""
    if interaction.consented_for is None or interaction.consented_for != interaction.chosen:
        return False
    asked = Disclosure.of(interaction.request)
    return interaction.chosen in consent_services.covered_once(sign_in.person_id, client.agency_id, asked, hold=hold)


def _is_hinted_person(request: AuthorizationRequest, client: RelyingParty, sign_in: SignIn) -> bool | None:
    """Compare with whom the hint and a ``sub`` asked by value name, None when they name nobody."""
    sub, hinted = sub_of(client.agency_id, sign_in.person_id), hinted_sub(request, client)
    named = [request.claims.names_person(sub), None if hinted is None else hinted == sub]
    answers = [answer for answer in named if answer is not None]
    return all(answers) if answers else None


def check_hint(request: AuthorizationRequest, client: RelyingParty) -> None:
    """Refuse a hint that is not an ID token we gave to this client.

    Raises:
        AuthorizationRefusedError: so it is.
    """
    hinted_sub(request, client)


def hinted_sub(request: AuthorizationRequest, client: RelyingParty) -> str | None:
    """Return whom the hint names, None without a hint; an expired one still names (OIDC Core §3.1.2.1)."""
    if request.id_token_hint is None:
        return None
    try:
        claims = key_ring().read(
            request.id_token_hint, alg=client.id_token_alg, typ=tokens.ID_TOKEN_TYPE, issuer=current_settings().issuer
        )
    except UntrustedTokenError:
        claims = {}
    if claims.get("aud") != client.client_id or not isinstance(claims.get("sub"), str):
        raise AuthorizationRefusedError("invalid_request", "id_token_hint is not an ID token of this client")
    return str(claims["sub"])
