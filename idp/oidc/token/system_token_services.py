"""From the approval of a PES to a token for software: the approval is read each time, and held until the token is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from authlib.oauth2.rfc6749 import InvalidScopeError, UnauthorizedClientError
from werkzeug.datastructures import MultiDict

from ... import audit
from ...delegation.rights import system_user_services
from ...delegation.rights.domain.authority import Authority
from ...http.web import current_settings
from ..clients import client_services
from ..clients.domain.clients import RelyingParty
from ..domain.metadata import DETAILS_TYPES
from ..keys.signing_keys import ACCESS_TOKEN_ALG
from ..proofs import possession, replay_services
from ..proofs.possession import SenderProof
from . import issuing
from .domain import system_tokens, tokens
from .domain.system_tokens import NOT_APPROVED, MalformedDetailsError
from .grants import InvalidDetailsError, resources_of


def token_response(
    client: RelyingParty, form: MultiDict[str, str], shown: SenderProof, *, now: datetime
) -> dict[str, Any]:
    """Return the answer of the token endpoint to a program that acts for an enterprise (RFC 6749 §4.4, RFC 9396 §6).

    Raises:
        OAuth2Error: it may not; whatever the enterprise has not approved gets one and the same error (decisions.md §10).
    """
    if not client.offers_system_users:
        raise UnauthorizedClientError("no enterprise may approve this client")
    possession.require_always(client, shown)
    scopes, resources = _scopes(form, client), resources_of(form, client)
    try:
        asked = system_tokens.asked(form["authorization_details"], issuing.locations(client))
    except MalformedDetailsError as error:
        raise InvalidDetailsError(str(error)) from None
    if not client.may_ask_details(DETAILS_TYPES[0]):
        raise InvalidDetailsError("a type that the client did not register")
    held = system_user_services.of_software(client.client_id, asked.neq, client.agency_id, now=now)
    held = system_tokens.given(held, asked.privileges)
    if held is None or not system_user_services.note_use(held.person_id, now=now):
        raise InvalidDetailsError(NOT_APPROVED)
    if resources:
        held = replace(held, locations=tuple(each for each in held.locations if each in resources))
    return _issued(held, client, scopes, shown, now)


def _scopes(form: MultiDict[str, str], client: RelyingParty) -> frozenset[str]:
    """Return the scopes asked, all there are for a program when none are (S-32)."""
    may = system_tokens.SCOPES & client.scopes
    asked = tokens.scopes_of(form.get("scope", ""))
    if not asked <= may:
        raise InvalidScopeError()
    return asked or may


def _issued(
    held: Authority, client: RelyingParty, scopes: frozenset[str], shown: SenderProof, now: datetime
) -> dict[str, Any]:
    claims = system_tokens.access_token(
        held,
        client_id=client.client_id,
        sub=issuing.sub_of(held.agency_id, held.person_id),
        scopes=scopes,
        cnf=shown.cnf,
        issuer=current_settings().issuer,
        now=now,
        expires=tokens.expiry(held, client.profile.token_life, now),
    )
    access = issuing.key_ring().sign(claims, alg=ACCESS_TOKEN_ALG, typ=tokens.ACCESS_TOKEN_TYPE)
    audit.record(
        audit.Event.SYSTEM_TOKEN_ISSUED,
        actor=audit.Actor("client", client.client_id),
        now=now,
        enterprise_id=held.enterprise_id,
        person_id=held.person_id,
        agency_id=held.agency_id,
        details={
            **{"client_id": client.client_id, "system_user": held.person_id, "jti": claims["jti"]},
            **{"blocks": list(held.blocks), "version": held.version},
        },
    )
    return {
        "access_token": access,
        "token_type": tokens.token_type(shown.cnf),
        "expires_in": claims["exp"] - claims["iat"],
        "scope": claims["scope"],
        "authorization_details": claims["authorization_details"],
    }


def living(claims: Mapping[str, Any], *, now: datetime) -> Authority | None:
    """Return what is left now of what the token of a system user carries; None when it gives nothing any more.

    The approval, the subscription, the enterprise and the client are read again; a token given up by its client is dead.
    """
    client = client_services.find(str(claims["client_id"]))
    if client is None or not client.offers_system_users or replay_services.is_spent(*_given_up(claims)):
        return None
    held = system_user_services.of_system_user(system_tokens.system_user_of(claims), now=now)
    return system_tokens.left(held, claims)


def give_up(claims: Mapping[str, Any], client: RelyingParty, *, now: datetime) -> None:
    """Kill one token of a system user, in the caller's transaction (RFC 7009): the approval is the enterprise's, and stays."""
    held = living(claims, now=now)
    if held is None:
        return
    until = datetime.fromtimestamp(claims["exp"], UTC)
    if replay_services.spend(*_given_up(claims), until=until):
        audit.record(
            audit.Event.TOKEN_REVOKED,
            actor=audit.Actor("client", client.client_id),
            now=now,
            enterprise_id=held.enterprise_id,
            person_id=held.person_id,
            agency_id=held.agency_id,
            details={"client_id": client.client_id, "system_user": held.person_id, "jti": claims["jti"]},
        )


def _given_up(claims: Mapping[str, Any]) -> tuple[str, str]:
    return f"given_up:{system_tokens.system_user_of(claims)}", str(claims["jti"])
