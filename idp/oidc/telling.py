"""What an agency is told under a grant: the facts are read when a claim needs them, then :mod:`.asked_claims` decides."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..accounts import services as accounts
from ..delegation import claims as rights
from ..delegation import services as delegation
from ..delegation.authority import Authority
from . import asked_claims, tokens, verified_claims, verified_requests
from .asked_claims import Place
from .tokens import Grant

_OF_THE_PERSON = asked_claims.brought_by({"profile", "email"})


def told(place: Place, grant: Grant, authority: Authority, *, now: datetime) -> dict[str, Any]:
    """Return the claims for *place* beside those that every token carries; rights and person as they are now."""
    names = asked_claims.names_told(place, grant.claims, grant.scopes)
    known = rights.project(authority, frozenset({rights.SCOPE_ENTERPRISE, rights.SCOPE_BLOCKS}))
    known |= tokens.sign_in_claims(grant)
    if names & _OF_THE_PERSON:
        known |= _person(grant)
    verified = _verified(place, grant, now)
    return asked_claims.resolve(place, known, grant.claims, grant.scopes, verified=verified)


def _person(grant: Grant) -> dict[str, Any]:
    person = accounts.person(grant.person_id)
    return {
        "name": person.name,
        "given_name": person.given_name,
        "family_name": person.family_name,
        "locale": f"{person.language}-CA",
        "email": person.email,
        "email_verified": True,  # confirmed by a code at activation
    }


def _verified(place: Place, grant: Grant, now: datetime) -> object:
    """Return the verified claims asked for *place*, None when none are, or none can be given."""
    asked = grant.claims.verified_at(place)
    assurance = delegation.assurance(grant.person_id, grant.enterprise_id) if asked else None
    if asked is None or assurance is None:
        return None
    person = accounts.person(grant.person_id)
    stored = verified_claims.known(assurance, given_name=person.given_name, family_name=person.family_name)
    return verified_requests.answer(asked, stored, now=now)
