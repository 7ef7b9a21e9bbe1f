"""What a signal says of a person's rights: the same as a fresh token, and the way to say that there is none any more."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from .domain.rights_claims import project, project_nothing
from .facts_services import read_person
from .rights_services import authority


def current_claims(
    person_id: str, enterprise_id: str, agency_id: str, scopes: frozenset[str], *, now: datetime
) -> dict[str, Any] | None:
    """Return the compact layer of a person as it is now, None when the agency never received them (claims invariant 7)."""
    held = authority(person_id, enterprise_id, agency_id, now)
    if held is not None:
        return project(held, scopes)
    reading = read_person(person_id, enterprise_id, agency_id, now=now)
    if reading is None or reading.projected is None:
        return None
    facts = reading.facts
    return project_nothing(facts.neq, facts.enterprise_name, facts.enterprise_status, reading.projected.version, scopes)
