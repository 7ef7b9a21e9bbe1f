"""The JWT by which a client proves itself at the token endpoint: ``private_key_jwt`` (RFC 7523 §3, OIDC Core §9). Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from ...proofs.domain import foreign_jwts
from ...proofs.domain.foreign_jwts import ForeignJwt, RefusedJwtError
from .client_keys import ClientKey
from .clients import RelyingParty

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_TYPES = frozenset({"", "jwt", "client-authentication+jwt"})
_LONGEST_LIFE = timedelta(minutes=10)  # protocol.md §6.6
_TOLERANCE = timedelta(seconds=10)  # protocol.md §6.7, in both directions
_LONGEST_JTI = 255


@dataclass(frozen=True, slots=True)
class Assertion:
    """A proof that holds, once: ``jti`` must not have been seen from this client until ``until``."""

    client_id: str
    jti: str
    until: datetime


def claimed_client(token: ForeignJwt) -> str:
    """Return the client that an assertion says it comes from.

    Raises:
        RefusedJwtError: issuer and subject are not one text.
    """
    named = token.claims.get("sub")
    if not isinstance(named, str) or not named or token.claims.get("iss") != named:
        raise RefusedJwtError("iss and sub must both be the client_id")
    return named


def check(
    token: ForeignJwt,
    client: RelyingParty,
    *,
    keys: Collection[ClientKey],
    audiences: Collection[str],
    now: datetime,
) -> Assertion:
    """Verify an assertion of *client* with its *keys*, all but its single use.

    Raises:
        RefusedJwtError: with the rule that failed.
    """
    if str(token.header.get("typ", "")).lower() not in _TYPES:
        raise RefusedJwtError("typ")
    foreign_jwts.verify(token, keys, algorithms=client.assertion_algs)
    if claimed_client(token) != client.client_id:
        raise RefusedJwtError("sub")
    audience, jti = token.claims.get("aud"), token.claims.get("jti")
    if not isinstance(audience, str) or audience not in audiences:  # one text: RFC 10070, CVE-2025-27370
        raise RefusedJwtError("aud must be the issuer, as a string")
    if not isinstance(jti, str) or not 1 <= len(jti) <= _LONGEST_JTI or "\x00" in jti:
        raise RefusedJwtError("jti")
    return Assertion(client.client_id, jti, _checked_end(token, now) + _TOLERANCE)


def _checked_end(token: ForeignJwt, now: datetime) -> datetime:
    """Return when the assertion ends, having checked its times; ``iat`` may be left out (RFC 7523 §3)."""
    if "exp" not in token.claims:
        raise RefusedJwtError("exp is required")
    times = {name: foreign_jwts.instant(token.claims[name]) for name in ("exp", "iat", "nbf") if name in token.claims}
    ends, issued = times["exp"], times.get("iat")
    if any(times[name] > now + _TOLERANCE for name in ("iat", "nbf") if name in times):
        raise RefusedJwtError("iat or nbf is in the future")
    if ends <= now - _TOLERANCE:
        raise RefusedJwtError("exp is past")
    if ends > now + _LONGEST_LIFE + _TOLERANCE:
        raise RefusedJwtError("exp is more than ten minutes ahead")
    if issued is not None and not timedelta(0) < ends - issued <= _LONGEST_LIFE:
        raise RefusedJwtError("exp must come within ten minutes after iat")
    return ends
