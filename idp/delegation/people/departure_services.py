"""Leaving every enterprise at once, because one's account closes: no right outlives it, and nobody is left stuck."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from ... import audit
from ...audit.domain.events import Event
from ...audit.services import Actor
from ...db import transaction
from ...errors import ConflictError
from ...notices import services as notices
from ..enterprise_services import hold_roster
from ..rights.domain import rules
from ..rights.projection_services import RemovalReason, watching
from . import people_services
from .domain.roles import EnterpriseStatus, MembershipStatus, Role
from .people_services import MembershipView

ACCOUNT_CLOSED = "account_closed"  # stored in the log: never rename it
MEMBER_LEFT = "member_left"


@dataclass(frozen=True, slots=True)
class DepartureObstacle:
    """Why a person may not leave an enterprise."""

    reason: rules.DenialReason
    enterprise: str


def hindrances(person_id: str) -> tuple[DepartureObstacle, ...]:
    """Return what keeps a person in their enterprises."""
    return tuple(found for view in people_services.memberships_of(person_id) for found in _hindrances(view))


def leave(person_id: str, now: datetime) -> None:
    """End every membership of a person, in the caller's transaction: each right is revoked and signalled once.

    Raises:
        ConflictError: they may not leave one of their enterprises.
    """
    with transaction():
        for enterprise_id in sorted({view.enterprise_id for view in people_services.memberships_of(person_id)}):
            _leave(person_id, enterprise_id, now)


def is_somewhere(person_id: str) -> bool:
    """Return whether a person belongs to an enterprise."""
    return bool(people_services.memberships_of(person_id))


def _leave(person_id: str, enterprise_id: str, now: datetime) -> None:
    hold_roster(enterprise_id)
    views = [view for view in people_services.memberships_of(person_id) if view.enterprise_id == enterprise_id]
    if any(_hindrances(view) for view in views):
        raise ConflictError("may not leave this enterprise")
    actor = Actor.person(person_id)
    with watching(enterprise_id, reason=RemovalReason.MEMBER_REMOVED, actor=actor, now=now, person_id=person_id):
        for view in views:
            people_services.set_status(view, MembershipStatus.REMOVED, by=person_id, now=now)
    for view in views:
        audit.record(
            Event.MEMBER_REMOVED,
            actor=actor,
            now=now,
            enterprise_id=enterprise_id,
            person_id=person_id,
            details={"role": view.role.value, "membership": view.id, "reason": ACCOUNT_CLOSED},
        )
    _enqueue_notices(person_id, views, now)


def _enqueue_notices(person_id: str, views: list[MembershipView], now: datetime) -> None:
    """Write to the PES who remain, and to the representative when a PES leaves."""
    for enterprise, here in groupby(views, key=lambda view: (view.enterprise_id, view.enterprise)):
        enterprise_id, name = enterprise
        was_pes = any(view.role is Role.PES for view in here)
        for reader in who_answers_for(person_id, enterprise_id, is_pes=was_pes):
            payload = {
                "person_id": person_id,
                "enterprise_id": enterprise_id,
                "to": reader,
                "enterprise": name,
                "was_pes": was_pes,
            }
            notices.enqueue(MEMBER_LEFT, payload, now=now)


def who_answers_for(person_id: str, enterprise_id: str, *, is_pes: bool) -> tuple[str, ...]:
    """Return who is notified of a person here: the PES, and the representative when the person is a PES."""
    roles = {Role.PES, Role.AUTHORIZED_REPRESENTATIVE} if is_pes else {Role.PES}
    members = people_services.members(enterprise_id, roles=roles)
    return tuple(sorted({view.person_id for view in members if view.counts} - {person_id}))


def _hindrances(view: MembershipView) -> tuple[DepartureObstacle, ...]:
    decision = rules.may_leave(
        view.member,
        active_pes=people_services.active_pes(view.enterprise_id),
        is_enterprise_active=view.enterprise_status is EnterpriseStatus.ACTIVE,
    )
    return tuple(DepartureObstacle(reason, view.enterprise) for reason in decision.reasons)
