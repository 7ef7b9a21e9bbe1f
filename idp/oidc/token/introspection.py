"""The introspection endpoint (RFC 7662), signed on demand (RFC 9701): is this token alive, and what is it worth now.

A client may ask about the access tokens of its own agency, and about its own refresh tokens. Nothing is remembered between two
calls (S-82): rights are read again each time, and every token that gives nothing gets exactly ``{"active": false}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from werkzeug.http import parse_accept_header

from ...http.web import current_settings, now
from ..clients import client_services
from ..clients.client_auth import UnknownClientError
from ..clients.domain.clients import RelyingParty
from . import grant_services, issuing, refresh_services, system_token_services
from .domain import narrowing, system_tokens, tokens
from .domain.refresh_tokens import Use
from .server import Answer, BackChannelRequest

SIGNED = "application/token-introspection+jwt"  # RFC 9701 §4
_INACTIVE = {"active": False}


def introspect(asked: BackChannelRequest, client: RelyingParty) -> Answer:
    """Return what a token is worth; a client that proves nothing receives nothing (RFC 7662 §2.1, RFC 9701 §5)."""
    if not client.is_confidential:
        raise UnknownClientError("introspection is for clients with a secret or a key")
    told = _introspect(asked.form["token"], client)
    if not _wants_signed(asked):
        return 200, told, []
    claims = tokens.signed_introspection(told, issuer=current_settings().issuer, client_id=client.client_id, now=now())
    signed = issuing.key_ring().sign(claims, alg=client.introspection_alg, typ=tokens.INTROSPECTION_TYPE)
    return 200, signed, [("Content-Type", SIGNED)]


def _introspect(token: str, client: RelyingParty) -> dict[str, Any]:
    family = refresh_services.find(token, client, now=now())
    if family is not None:
        return _refresh_token(family.grant, client) if family.use is Use.FIRST else _INACTIVE
    claims = issuing.living_claims(token, now=now())
    if claims is None:
        return _INACTIVE
    if system_tokens.is_of_system_user(claims):
        return _of_system_user(claims, client)
    grant = grant_services.live_grant(tokens.grant_of(str(claims["jti"])), now=now())
    holder = client_services.find(grant.client_id) if grant else None
    if grant is None or holder is None or grant.agency_id != client.agency_id:
        return _INACTIVE
    grant = narrowing.as_issued(narrowing.for_client(grant, holder), claims)
    authority = issuing.authority_of(grant, now=now())
    return tokens.introspection(grant, authority, claims) if authority is not None else _INACTIVE


def _of_system_user(claims: Mapping[str, Any], client: RelyingParty) -> dict[str, Any]:
    held = system_token_services.living(claims, now=now())
    if held is None or held.agency_id != client.agency_id:
        return _INACTIVE
    return system_tokens.introspection(held, claims)


def _refresh_token(grant: tokens.TokenGrant, client: RelyingParty) -> dict[str, Any]:
    if issuing.authority_of(grant, now=now()) is None:
        return _INACTIVE
    sub = issuing.sub_of(grant.agency_id, grant.person_id)
    if client.is_confidential:  # bound to its client, to no key (RFC 9449 §5)
        grant = replace(grant, cnf={})
    return tokens.refresh_introspection(grant, issuer=current_settings().issuer, sub=sub)


def _wants_signed(asked: BackChannelRequest) -> bool:
    """Return whether the caller names the signed form; ``*/*`` names nothing."""
    accepted = parse_accept_header(asked.headers.get("Accept"))
    return any(kind.lower() == SIGNED and quality > 0 for kind, quality in accepted)
