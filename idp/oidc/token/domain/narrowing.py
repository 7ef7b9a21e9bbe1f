"""Less than what was granted: what a refresh request may ask for, and what a narrowed token is worth. Pure.

A token that was narrowed says so itself (``narrowed_to``), for the grant is not: the next refresh may ask for all again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ....delegation.rights.domain.rights_claims import SCOPE_BLOCKS
from ...authorization.domain import checks
from ...authorization.domain.requests import AuthorizationRequest, details_list
from ...clients.domain.clients import RelyingParty
from .tokens import TokenGrant, scopes_of


class WiderScopeError(ValueError):
    """The scope holds more than what was granted (RFC 6749 §6)."""


class WiderDetailsError(ValueError):
    """The authorization details are not within those granted (RFC 9396 §6); the text says why."""


def for_client(grant: TokenGrant, client: RelyingParty) -> TokenGrant:
    """Return *grant* within what its client is registered for now: scopes, claims asked by name, blocks (RFC 6749 §3.3)."""
    details = grant.details if SCOPE_BLOCKS in client.scopes else ()
    return replace(
        grant, scopes=grant.scopes & client.scopes, claims=grant.claims.within(client.scopes), details=details
    )


def request_for_client(request: AuthorizationRequest, client: RelyingParty) -> AuthorizationRequest:
    """Return *request* within what its client is registered for now; it was, when it was checked."""
    scopes = tuple(sorted(set(request.scopes) & client.scopes))
    return replace(request, scopes=scopes, claims=request.claims.within(client.scopes))


def by_scope(grant: TokenGrant, scope: str | None) -> TokenGrant:
    """Return *grant* with the scopes asked, all of them when none are.

    Raises:
        WiderScopeError: one was not granted.
    """
    asked = scopes_of(scope or "")
    if not asked:
        return grant
    if not asked <= grant.scopes:
        raise WiderScopeError("the scope holds more than what was granted")
    return replace(grant, scopes=asked)


def by_details(grant: TokenGrant, text: str | None, *, neq: str, locations: tuple[str, ...]) -> TokenGrant:
    """Return *grant* with the blocks asked, within those granted; where no block was named, all of the person's were granted.

    Raises:
        WiderDetailsError: they are malformed, about another enterprise, or not all within the grant.
    """
    if not text:
        return grant
    listed = details_list(text)
    if listed is None:
        raise WiderDetailsError("authorization_details must be a list of objects")
    for detail in listed:
        fault = checks.detail_fault(detail, locations)
        if fault:
            raise WiderDetailsError(fault)
        if detail.get("identifier", f"neq:{neq}") != f"neq:{neq}":
            raise WiderDetailsError("the grant is for another enterprise")
    wanted = frozenset(code for detail in listed for code in detail["privileges"])
    named = frozenset(code for each in grant.details for code in each.privileges)
    if grant.details and not wanted <= named:
        raise WiderDetailsError("a privilege was not granted")
    if not grant.details and SCOPE_BLOCKS not in grant.scopes:
        raise WiderDetailsError("no privilege was granted")
    return replace(grant, narrowed_to=wanted)


def as_issued(grant: TokenGrant, claims: Mapping[str, Any]) -> TokenGrant:
    """Return *grant* as far as the access token with *claims* goes, bound as it is."""
    told = claims.get("narrowed_to")
    narrowed_to = frozenset(map(str, told)) if isinstance(told, list) else None
    scopes = grant.scopes & scopes_of(str(claims.get("scope", "")))
    return replace(grant, scopes=scopes, narrowed_to=narrowed_to, cnf=claims.get("cnf", {}))
