"""The roles of the desk. Values are stored: never rename one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ..audit import Actor


class DeskRole(StrEnum):
    """An operator of the provider reads files; an officer of an agency decides its subscriptions."""

    OPERATOR = "operator"
    AGENCY_OFFICER = "agency_officer"


DESKS = {DeskRole.OPERATOR: "/desk", DeskRole.AGENCY_OFFICER: "/desk/subscriptions"}


@dataclass(frozen=True, slots=True)
class OperatorView:
    """A person at the desk; *agency_id* is set for an officer only."""

    person_id: str
    role: DeskRole
    agency_id: str | None

    @property
    def actor(self) -> Actor:
        """Return this person as the actor of their acts at the desk."""
        return Actor(self.role.value, self.person_id)


def wrong_agency(role: DeskRole, agency_id: str | None) -> bool:
    """Return whether the agency does not match the role: an officer has one, an operator has none."""
    return (role is DeskRole.AGENCY_OFFICER) != (agency_id is not None)
