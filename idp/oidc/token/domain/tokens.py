"""What goes into tokens: access token, ID token, userinfo, logout token, all from one frozen ``Authority``. Pure.

The claims are the contract of docs/claims.md; what an agency receives about rights comes from ``delegation.claims``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ....delegation.rights.domain import rights_claims
from ....delegation.rights.domain.authority import Authority
from ...authorization.domain.requests import AskedBlocks
from ...claims.domain.asked_claims import NOTHING_ASKED, AskedClaims

ID_TOKEN_TYPE = "JWT"  # noqa: S105
ACCESS_TOKEN_TYPE = "at+jwt"  # noqa: S105 (RFC 9068 §2.1)
USERINFO_TYPE = "userinfo+jwt"  # not a JWT like any other: RFC 8725 §3.11, so that it never passes as an ID token
LOGOUT_TOKEN_TYPE = "logout+jwt"  # noqa: S105 (Back-Channel Logout §2.4)
INTROSPECTION_TYPE = "token-introspection+jwt"  # RFC 9701 §5
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
LOGOUT_LIFE = timedelta(minutes=2)  # Back-Channel Logout §2.4: "preferably at most two minutes"
_GRANT_ID = 32


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """What a person allowed a client once: the sign-in it rests on is frozen here, the rights never are."""

    id: str
    client_id: str
    agency_id: str
    person_id: str
    enterprise_id: str
    sid: str
    auth_time: datetime
    acr: str
    amr: tuple[str, ...]
    scopes: frozenset[str]
    nonce: str | None
    cnf: Mapping[str, str]  # what its tokens are bound to (RFC 7800); empty for bearers
    details: tuple[AskedBlocks, ...]
    claims: AskedClaims = NOTHING_ASKED
    offline_until: datetime | None = None  # until when it is valid while the person is away
    narrowed_to: frozenset[str] | None = None  # the codes to which one token was narrowed further


def pairwise_sub(salt: bytes, agency_id: str, person_id: str) -> str:
    """Return the identifier of a person at an agency: the same for all its clients, another elsewhere (OIDC Core §8.1).

    Each part is preceded by its length, so that no two pairs give the same message (decisions.md §15).
    """
    message = b"".join(len(part).to_bytes(4, "big") + part for part in (agency_id.encode(), person_id.encode()))
    return _base64url(hmac.new(salt, message, hashlib.sha256).digest())


def narrowed(authority: Authority, asked: tuple[AskedBlocks, ...]) -> Authority:
    """Return the authority with the blocks that were asked and nothing more; all of it when none were named."""
    if not asked:
        return authority
    wanted = {code for each in asked for code in each.privileges}
    kept = (replace(part, blocks=tuple(code for code in part.blocks if code in wanted)) for part in authority.held)
    return replace(authority, held=tuple(part for part in kept if part.blocks))


def without_others(authority: Authority, grant: TokenGrant) -> Authority:
    """Return the authority that a grant gives: the blocks that were asked, and of those the ones a token was narrowed to."""
    asked = narrowed(authority, grant.details)
    return asked if grant.narrowed_to is None else narrowed(asked, (AskedBlocks(tuple(grant.narrowed_to)),))


def unmet_needs(authority: Authority, asked: tuple[AskedBlocks, ...]) -> tuple[str, ...]:
    """Return the blocks without which the agency cannot go on: those missing of an object that needs all of its own,
    and those of one that needs any of its own when none is held (claims.md).
    """
    held, missing = set(authority.blocks), set[str]()
    for each in asked:
        lacking = set(each.privileges) - held
        if each.needs == "all" or (each.needs == "any" and lacking == set(each.privileges)):
            missing |= lacking
    return tuple(sorted(missing))


def expiry(authority: Authority, life: timedelta, now: datetime) -> datetime:
    """Return when a token ends: after its life, and never after the first right it carries."""
    end = authority.earliest_end
    return min(now + life, end) if end is not None else now + life


def new_token_id(grant_id: str) -> str:
    """Return a fresh ``jti`` from which the grant is found again."""
    return grant_id + secrets.token_hex(8)


def grant_of(jti: str) -> str:
    """Return the grant that a ``jti`` belongs to."""
    return jti[:_GRANT_ID]


def access_token(
    grant: TokenGrant, authority: Authority, *, issuer: str, sub: str, now: datetime, expires: datetime
) -> dict[str, Any]:
    """Return the claims of an access token (RFC 9068 §2.2) with the exact layer."""
    locations = authority.locations or (issuer,)
    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": sub,
        "aud": locations[0] if len(locations) == 1 else list(locations),
        "client_id": grant.client_id,
        "iat": _seconds(now),
        "exp": _seconds(expires),
        "jti": new_token_id(grant.id),
        "scope": scope_text(grant.scopes),
        "auth_time": _seconds(grant.auth_time),
        "acr": grant.acr,
    }
    if grant.cnf:
        claims["cnf"] = dict(grant.cnf)
    if grant.narrowed_to is not None:
        claims["narrowed_to"] = sorted(grant.narrowed_to)
    return claims | _exact(grant, authority)


def token_type(cnf: Mapping[str, str]) -> str:
    """Return how a token bound by *cnf* is presented (RFC 9449 §5; one bound to a certificate stays a Bearer, RFC 8705 §3)."""
    return "DPoP" if "jkt" in cnf else "Bearer"


def authorization_details(grant: TokenGrant, authority: Authority) -> list[dict[str, Any]] | None:
    """Return the exact layer, None when blocks were not asked for at all."""
    if rights_claims.SCOPE_BLOCKS not in grant.scopes and not grant.details:
        return None
    return rights_claims.authorization_details(authority)


def introspection(grant: TokenGrant, authority: Authority, claims: Mapping[str, Any]) -> dict[str, Any]:
    """Return what introspection says of an access token with *claims* (RFC 7662 §2.2): subject as issued, rights as of now.

    It says what a token made now would carry, and ends no later than the first right left.
    """
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    here = tuple(location for location in authority.locations if location in audience)
    authority = replace(authority, locations=here or authority.locations)
    kept = ("iss", "sub", "aud", "client_id", "iat", "jti", "auth_time", "acr")
    end = authority.earliest_end
    told: dict[str, Any] = {
        "active": True,
        **{name: claims[name] for name in kept},
        "exp": min(claims["exp"], _seconds(end)) if end is not None else claims["exp"],
        "scope": scope_text(grant.scopes),
        "token_type": token_type(grant.cnf),
        "sid": grant.sid,
    }
    if grant.cnf:
        told["cnf"] = dict(grant.cnf)
    return told | _exact(grant, authority) | rights_claims.project(authority, grant.scopes)


def refresh_introspection(grant: TokenGrant, *, issuer: str, sub: str) -> dict[str, Any]:
    """Return what is returned of a refresh token: no right, no audience, so that no resource takes it for an access token."""
    end = grant.offline_until
    told: dict[str, Any] = {
        "active": True,
        "iss": issuer,
        "sub": sub,
        "client_id": grant.client_id,
        "scope": scope_text(grant.scopes),
    }
    if end is not None:
        told["exp"] = _seconds(end)
    return told | ({"cnf": dict(grant.cnf)} if grant.cnf else {})


def signed_introspection(told: Mapping[str, Any], *, issuer: str, client_id: str, now: datetime) -> dict[str, Any]:
    """Return the claims of a signed answer: what is returned is one member, never claims of the answer itself (RFC 9701 §5)."""
    return {"iss": issuer, "aud": client_id, "iat": _seconds(now), "token_introspection": dict(told)}


def _exact(grant: TokenGrant, authority: Authority) -> dict[str, Any]:
    details = authorization_details(grant, authority)
    return {"authorization_details": details} if details is not None else {}


def id_token(
    grant: TokenGrant, told: Mapping[str, Any], *, issuer: str, sub: str, now: datetime, expires: datetime, access: str
) -> dict[str, Any]:
    """Return the claims of an ID token (OIDC Core §2): who, when, how, and what else *told* contains."""
    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": sub,
        "aud": grant.client_id,
        "iat": _seconds(now),
        "exp": _seconds(expires),
        "auth_time": _seconds(grant.auth_time),
        "sid": grant.sid,
        "acr": grant.acr,
        "amr": list(grant.amr),
        "at_hash": at_hash(access),
    }
    if grant.nonce is not None:
        claims["nonce"] = grant.nonce
    return {**told, **claims}


def sign_in_claims(grant: TokenGrant) -> dict[str, Any]:
    """Return what a grant says of its sign-in."""
    return {"auth_time": _seconds(grant.auth_time), "sid": grant.sid, "acr": grant.acr, "amr": list(grant.amr)}


def signed_userinfo(told: Mapping[str, Any], *, issuer: str, client_id: str, now: datetime) -> dict[str, Any]:
    """Return the claims of a signed userinfo answer: who made it, for whom (OIDC Core §5.3.2)."""
    return {**told, "iss": issuer, "aud": client_id, "iat": _seconds(now)}


def logout_token(*, issuer: str, client_id: str, sub: str, sid: str, now: datetime) -> dict[str, Any]:
    """Return the claims of a logout token: both ``sub`` and ``sid``, never a nonce (Back-Channel Logout §2.4)."""
    return {
        "iss": issuer,
        "sub": sub,
        "aud": client_id,
        "iat": _seconds(now),
        "exp": _seconds(now + LOGOUT_LIFE),
        "jti": secrets.token_hex(16),
        "sid": sid,
        "events": {LOGOUT_EVENT: {}},
    }


def scopes_of(text: str) -> frozenset[str]:
    """Return the scopes of one text."""
    return frozenset(text.split())


def scope_text(scopes: frozenset[str]) -> str:
    """Return scopes as one text, ``openid`` first."""
    return " ".join(sorted(scopes, key=lambda name: (name != "openid", name)))


def at_hash(access: str) -> str:
    """Return the left half of SHA-256, base64url without padding (OIDC Core §3.1.3.6)."""
    return _base64url(hashlib.sha256(access.encode("ascii")).digest()[:16])


def _seconds(instant: datetime) -> int:
    return int(instant.timestamp())  # floored: a client whose clock is a little late must not refuse it


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
