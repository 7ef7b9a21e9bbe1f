"""What a program asks for an enterprise, and the token it is given: the exact layer, and no person anywhere. Pure.

The token differs from a person's by ``representation.role``; its ``jti`` begins with the id of the system user, as that of a
person's token begins with the id of the grant.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ....delegation.people.domain.roles import Role
from ....delegation.rights.domain import rights_claims
from ....delegation.rights.domain.authority import Authority
from ...authorization.domain import checks
from ...authorization.domain.requests import LONGEST, AskedBlocks, details_list
from . import tokens
from .tokens import scope_text, scopes_of

SCOPES = frozenset({rights_claims.SCOPE_ENTERPRISE, rights_claims.SCOPE_BLOCKS})
NOT_APPROVED = (
    "the enterprise has not approved this"  # the one answer to all that is not approved: it discloses nothing else
)


class MalformedDetailsError(ValueError):
    """The authorization details do not name one enterprise as they should; the text says why."""


@dataclass(frozen=True, slots=True)
class RequestedAccess:
    """What a program asks: one enterprise, these blocks or all that were approved."""

    neq: str
    privileges: frozenset[str] | None


def asked(text: str, locations: tuple[str, ...]) -> RequestedAccess:
    """Read the ``authorization_details`` of a token request (RFC 9396 §6): the enterprise is required, the blocks are not.

    Raises:
        MalformedDetailsError: they cannot be read so.
    """
    if len(text.encode("utf-8", "replace")) > LONGEST["authorization_details"]:
        raise MalformedDetailsError("authorization_details is too long")
    listed = details_list(text)
    if listed is None:
        raise MalformedDetailsError("authorization_details must be a list of objects")
    for detail in listed:
        fault = checks.detail_fault(detail, locations, needs_privileges=False)
        if fault:
            raise MalformedDetailsError(fault)
        if "identifier" not in detail:
            raise MalformedDetailsError("identifier must name the enterprise")
    if len({detail["identifier"] for detail in listed}) > 1:
        raise MalformedDetailsError("a token speaks for one enterprise only")
    neq = str(listed[0]["identifier"]).removeprefix("neq:")
    if any("privileges" not in detail for detail in listed):
        return RequestedAccess(neq, None)
    return RequestedAccess(neq, frozenset(code for detail in listed for code in detail["privileges"]))


def given(authority: Authority | None, privileges: frozenset[str] | None) -> Authority | None:
    """Return the authority with what was asked, None when it does not hold all of that or holds nothing."""
    if authority is None or authority.role is not Role.SYSTEM or not authority.blocks:
        return None
    if privileges is None:
        return authority
    return _only(authority, privileges) if privileges <= frozenset(authority.blocks) else None


def access_token(
    authority: Authority,
    *,
    client_id: str,
    sub: str,
    scopes: frozenset[str],
    cnf: Mapping[str, str],
    issuer: str,
    now: datetime,
    expires: datetime,
) -> dict[str, Any]:
    """Return the claims of the access token of a system user (RFC 9068 §2.2), bound and never a bearer's."""
    locations = authority.locations or (issuer,)
    compact = rights_claims.project(authority, frozenset({rights_claims.SCOPE_ENTERPRISE}))
    return {
        "iss": issuer,
        "sub": sub,
        "aud": locations[0] if len(locations) == 1 else list(locations),
        "client_id": client_id,
        "iat": int(now.timestamp()),
        "exp": int(expires.timestamp()),
        "jti": authority.person_id + secrets.token_hex(8),
        "scope": scope_text(scopes),
        "cnf": dict(cnf),
        "authorization_details": rights_claims.authorization_details(authority),
        **compact,
    }


def is_of_system_user(claims: Mapping[str, Any]) -> bool:
    """Return whether a token of ours with *claims* speaks for a system user."""
    told = claims.get("representation")
    return isinstance(told, Mapping) and told.get("role") == Role.SYSTEM.value


def system_user_of(claims: Mapping[str, Any]) -> str:
    """Return the system user whose token has *claims*."""
    return tokens.grant_of(str(claims["jti"]))


def left(authority: Authority | None, claims: Mapping[str, Any]) -> Authority | None:
    """Return what is left now of what the token with *claims* carries, None when that is nothing."""
    if authority is None:
        return None
    kept = _only(authority, rights_claims.blocks_in(list(claims["authorization_details"])))
    return kept if kept.blocks else None


def introspection(authority: Authority, claims: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is returned of a token with *claims* (RFC 7662 §2.2): the token's own, and the rights as they are now."""
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    here = tuple(location for location in authority.locations if location in audience)
    authority = replace(authority, locations=here or authority.locations)
    end = authority.earliest_end
    kept = ("iss", "sub", "aud", "client_id", "iat", "jti", "scope", "cnf")
    return {
        "active": True,
        **{name: claims[name] for name in kept},
        "exp": min(claims["exp"], int(end.timestamp())) if end is not None else claims["exp"],
        "token_type": tokens.token_type(claims["cnf"]),
        "authorization_details": rights_claims.authorization_details(authority),
        **rights_claims.project(authority, scopes_of(str(claims["scope"]))),
    }


def _only(authority: Authority, codes: frozenset[str]) -> Authority:
    return tokens.narrowed(authority, (AskedBlocks(tuple(sorted(codes))),))
