"""From a grant to signed tokens: rights are read again each time, and the signature is made before anything is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import current_app

from ... import audit
from ...crypto.sealing import current_sealing
from ...delegation import services as delegation
from ...delegation.catalogue import catalogue_services
from ...delegation.rights.domain.authority import Authority
from ...http.web import current_settings
from ..authorization.domain.requests import AuthorizationRequest
from ..claims import released_claims
from ..clients import client_services
from ..clients.domain.clients import RelyingParty
from ..keys.live_keys import LiveKeyRing
from ..keys.signing_keys import ACCESS_TOKEN_ALG, UntrustedTokenError
from . import grant_services
from .domain import narrowing, tokens
from .domain.tokens import TokenGrant


class NoRightError(Exception):
    """The person may no longer act for this enterprise, or is no longer signed in."""


def key_ring() -> LiveKeyRing:
    """Return the keys of the running application."""
    ring: LiveKeyRing = current_app.extensions["mandat.key_ring"]
    return ring


def sub_of(agency_id: str, person_id: str) -> str:
    """Return how the agency knows the person."""
    return tokens.pairwise_sub(current_sealing().pairwise_salt, agency_id, person_id)


def locations(client: RelyingParty) -> tuple[str, ...]:
    """Return the resources of the client's agency (RFC 8707)."""
    return tuple(catalogue_services.agency(client.agency_id).locations)


def token_response(
    grant: TokenGrant, client: RelyingParty, *, now: datetime, resources: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Return the answer of the token endpoint to a code, for *resources* or all of the agency's (RFC 8707).

    Raises:
        NoRightError: nothing may be issued any more.
    """
    if not grant_services.still_rests(grant, now=now, hold=True):
        raise NoRightError("the sign-in is over")
    grant = narrowing.for_client(grant, client)
    authority = authority_of(grant, now=now)
    if authority is None or tokens.unmet_needs(authority, grant.details):
        raise NoRightError("the person has no right for this enterprise")
    return issued(grant, authority, client, now=now, resources=resources)


def issued(
    grant: TokenGrant, authority: Authority, client: RelyingParty, *, now: datetime, resources: frozenset[str]
) -> dict[str, Any]:
    """Sign the tokens of a grant and record them, in the caller's transaction; the ID token comes with ``openid``."""
    if resources:
        authority = replace(authority, locations=tuple(each for each in authority.locations if each in resources))
    expires = tokens.expiry(authority, client.profile.token_life, now)
    if grant.offline_until is not None:
        expires = min(expires, grant.offline_until)
    issuer, ring, sub = current_settings().issuer, key_ring(), sub_of(grant.agency_id, grant.person_id)
    claims = tokens.access_token(grant, authority, issuer=issuer, sub=sub, now=now, expires=expires)
    access = ring.sign(claims, alg=ACCESS_TOKEN_ALG, typ=tokens.ACCESS_TOKEN_TYPE)
    body = {
        "access_token": access,
        "token_type": tokens.token_type(grant.cnf),
        "expires_in": claims["exp"] - claims["iat"],
        "scope": claims["scope"],
    }
    if "openid" in grant.scopes:
        told = released_claims.released_claims("id_token", grant, authority, now=now)
        identity = tokens.id_token(grant, told, issuer=issuer, sub=sub, now=now, expires=expires, access=access)
        body["id_token"] = ring.sign(identity, alg=client.id_token_alg, typ=tokens.ID_TOKEN_TYPE)
    if "authorization_details" in claims:
        body["authorization_details"] = claims["authorization_details"]
    audit.record(
        audit.Event.TOKEN_ISSUED,
        actor=audit.Actor("client", client.client_id),
        now=now,
        enterprise_id=grant.enterprise_id,
        person_id=grant.person_id,
        agency_id=grant.agency_id,
        details={"client_id": client.client_id, "grant": grant.id, "jti": claims["jti"], "version": authority.version},
    )
    return body


def userinfo(claims: Mapping[str, Any], *, now: datetime) -> dict[str, Any] | str:
    """Return the userinfo response for a token with *claims*: the rights as of now; a JWT if the client requires it.

    Raises:
        NoRightError: the grant was revoked, its sign-in is over, or the person may no longer act for the enterprise.
    """
    grant = grant_services.live_grant(tokens.grant_of(str(claims.get("jti"))), now=now)
    client = client_services.find(grant.client_id) if grant else None
    if grant is None or client is None:
        raise NoRightError("the grant is revoked")
    grant = narrowing.as_issued(narrowing.for_client(grant, client), claims)
    authority = authority_of(grant, now=now)
    if authority is None:
        raise NoRightError("the person has no right for this enterprise")
    told = {
        "sub": sub_of(grant.agency_id, grant.person_id),
        **released_claims.released_claims("userinfo", grant, authority, now=now),
    }
    if client.userinfo_alg is None:
        return told
    issuer = current_settings().issuer
    signed = tokens.signed_userinfo(told, issuer=issuer, client_id=client.client_id, now=now)
    return key_ring().sign(signed, alg=client.userinfo_alg, typ=tokens.USERINFO_TYPE)


def living_claims(token: str, *, now: datetime) -> dict[str, Any] | None:
    """Return the claims of an access token of ours that has not ended, None for anything else; its grant is another matter."""
    issuer = current_settings().issuer
    try:
        claims = key_ring().read(token, alg=ACCESS_TOKEN_ALG, typ=tokens.ACCESS_TOKEN_TYPE, issuer=issuer)
    except UntrustedTokenError:
        return None
    return claims if isinstance(claims.get("exp"), int) and claims["exp"] > now.timestamp() else None


def authority_of(grant: TokenGrant, *, now: datetime) -> Authority | None:
    """Return the rights of a grant as they are now, narrowed to what was asked."""
    authority = delegation.authority(grant.person_id, grant.enterprise_id, grant.agency_id, now)
    return tokens.without_others(authority, grant) if authority else None


def narrowed_for(authority: Authority | None, request: AuthorizationRequest) -> Authority | None:
    """Return the rights that a request would give, for its consent page."""
    return tokens.narrowed(authority, request.details) if authority else None
