"""The revocation endpoint (RFC 7009): a client gives up what it holds.

Any token of a grant ends the whole grant: its refresh tokens, and its access tokens at userinfo and introspection. A token that
is unknown, over, or another client's gets the same 200, so that nobody learns here whether a token they found is alive.
"""

from __future__ import annotations

from .. import audit
from ..web import now
from . import grant_services, issuing, refresh_services, tokens
from .clients import RelyingParty
from .server import Answer, BackChannelRequest
from .tokens import Grant


def revoke(asked: BackChannelRequest, client: RelyingParty) -> Answer:
    """Revoke the grant of a token; the hint is of no use, for no token looks like one of another kind (RFC 7009 §2.1)."""
    grant = _grant_of(asked.form["token"], client)
    if grant is not None and grant_services.revoke(grant.id, now=now()):
        audit.record(
            audit.Event.TOKEN_REVOKED,
            actor=audit.Actor("client", client.client_id),
            now=now(),
            enterprise_id=grant.enterprise_id,
            person_id=grant.person_id,
            agency_id=grant.agency_id,
            details={"client_id": client.client_id, "grant": grant.id},
        )
    return 200, {}, []


def _grant_of(token: str, client: RelyingParty) -> Grant | None:
    """Return the grant of a token of this client that is alive."""
    family = refresh_services.find(token, client, now=now())
    if family is not None:
        return family.grant
    claims = issuing.living_claims(token, now=now())
    if claims is None or claims.get("client_id") != client.client_id:
        return None
    return grant_services.live_grant(tokens.grant_of(str(claims["jti"])), now=now())
