"""What an agency receives under a grant: the facts are read when a claim needs them, then :mod:`.domain.asked_claims` decides."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ...accounts import services as accounts
from ...accounts.sessions.domain.sign_ins import PersonView
from ...delegation import services as delegation
from ...delegation.rights.domain import rights_claims
from ...delegation.rights.domain.authority import Authority
from ..token.domain import tokens
from ..token.domain.tokens import TokenGrant
from .domain import asked_claims, verified_claims, verified_requests
from .domain.asked_claims import Place

_OF_THE_PERSON = asked_claims.brought_by({"profile", "email"})


def released_claims(place: Place, grant: TokenGrant, authority: Authority, *, now: datetime) -> dict[str, Any]:
    """Return the claims for *place* beside those that every token carries; rights and person as they are now."""
    names = asked_claims.released_names(place, grant.claims, grant.scopes)
    known = rights_claims.project(authority, frozenset({rights_claims.SCOPE_ENTERPRISE, rights_claims.SCOPE_BLOCKS}))
    known |= tokens.sign_in_claims(grant)
    asked, verified = grant.claims.verified_at(place), None
    if asked or names & _OF_THE_PERSON:
        person = accounts.person(grant.person_id)
        known |= _of_the_person(person)
        verified = _verified(asked, grant, now) if asked else None
    return asked_claims.resolve(place, known, grant.claims, grant.scopes, verified=verified)


def names_of(person: PersonView) -> dict[str, str]:
    """Return the names a person has; who has a single name has no ``given_name`` (OIDC Core §5.3.2: no empty claim)."""
    names = {"name": person.name, "given_name": person.given_name, "family_name": person.family_name}
    return {claim: value for claim, value in names.items() if value}


def _of_the_person(person: PersonView) -> dict[str, Any]:
    return names_of(person) | {
        "locale": f"{person.language}-CA",
        "email": person.email,
        "email_verified": True,  # confirmed by a code at activation
    }


def _verified(asked: str, grant: TokenGrant, now: datetime) -> object:
    """Return the verified claims that can be given as they are asked, None when none can.

    The names are those of the evidence: what the account says today was perhaps never verified.
    """
    assurance = delegation.assurance(grant.person_id, grant.enterprise_id)
    if assurance is None:
        return None
    given_name, family_name = assurance.names
    stored = verified_claims.known(assurance, given_name=given_name, family_name=family_name)
    return verified_requests.answer(asked, stored, now=now)
