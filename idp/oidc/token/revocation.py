"""The revocation endpoint (RFC 7009): a client gives up what it holds.

Any token of a grant ends the whole grant: its refresh tokens, and its access tokens at userinfo and introspection. The token of a
system user ends alone: what it rests on is the enterprise's approval, which is not the software's to take back. A token that
is unknown, over, or another client's gets the same 200, so that nobody learns here whether a token they found is alive.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import audit
from ...http.web import now
from ..clients.domain.clients import RelyingParty
from . import grant_services, issuing, refresh_services, system_token_services
from .domain import system_tokens, tokens
from .domain.tokens import TokenGrant
from .server import Answer, BackChannelRequest


def revoke(asked: BackChannelRequest, client: RelyingParty) -> Answer:
    """Revoke the grant of a token; the hint is of no use, for no token looks like one of another kind (RFC 7009 §2.1)."""
    claims = _claims_of(asked.form["token"], client)
    if claims is not None and system_tokens.is_of_system_user(claims):
        system_token_services.give_up(claims, client, now=now())
        return 200, {}, []
    grant = _grant_of(asked.form["token"], claims, client)
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


def _claims_of(token: str, client: RelyingParty) -> Mapping[str, Any] | None:
    """Return the claims of an access token of this client that has not ended."""
    claims = issuing.living_claims(token, now=now())
    return claims if claims is not None and claims.get("client_id") == client.client_id else None


def _grant_of(token: str, claims: Mapping[str, Any] | None, client: RelyingParty) -> TokenGrant | None:
    """Return the grant of a token of this client that is alive."""
    family = refresh_services.find(token, client, now=now())
    if family is not None:
        return family.grant
    if claims is None:
        return None
    return grant_services.live_grant(tokens.grant_of(str(claims["jti"])), now=now())
