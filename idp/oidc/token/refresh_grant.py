"""Tokens again, by a refresh token: the sign-in stays what it was, the rights are those of now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from ..authorization.domain.requests import OFFLINE
from ..clients.domain.clients import RelyingParty
from . import grant_services, issuing, refresh_services
from .domain import narrowing, tokens
from .domain.tokens import TokenGrant
from .issuing import NoRightError
from .refresh_services import Family


class SpentTokenError(Exception):
    """A person else used the refresh token at the same moment."""


def still_fits(grant: TokenGrant, client: RelyingParty) -> bool:
    """Return whether the client may still have what the grant gave: it is checked by the policy it has now (protocol.md §6.5)."""
    return OFFLINE in client.scopes and (bool(grant.cnf) or not client.requires_bound_tokens)


def response(
    family: Family,
    client: RelyingParty,
    asked: Mapping[str, str],
    *,
    cnf: Mapping[str, str],
    resources: frozenset[str],
    now: datetime,
) -> dict[str, Any]:
    """Return new tokens and record them, in the caller's transaction; blocks that are gone are not in them.

    The access token is bound to what was shown with this request, *cnf* (RFC 9449 §5).

    Raises:
        NoRightError: the person acts for the enterprise no more, which ends the grant.
        SpentTokenError: the token was used at the same moment, which ends the grant too.
        WiderScopeError, WiderDetailsError: more is asked than was granted; the token stays as it was.
    """
    grant = replace(narrowing.for_client(family.grant, client), nonce=None, cnf=cnf)  # OIDC Core §12.2: no nonce again
    grant = narrowing.by_scope(grant, asked.get("scope"))
    held = issuing.authority_of(grant, now=now)
    if held is None:
        grant_services.revoke(grant.id, now=now)  # who comes back gives a new grant (S-71: revocation is monotone)
        raise NoRightError("the person has no right for this enterprise")
    text = asked.get("authorization_details")
    grant = narrowing.by_details(grant, text, neq=held.neq, locations=issuing.locations(client) if text else ())
    successor = refresh_services.take(family, client, cnf=cnf, now=now)
    if successor is None:
        raise SpentTokenError("the refresh token was used before")
    body = issuing.issued(grant, tokens.without_others(held, grant), client, now=now, resources=resources)
    return {**body, "refresh_token": successor}
