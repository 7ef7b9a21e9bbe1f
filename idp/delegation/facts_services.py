"""Reading the facts that decide rights: one joined select, for one person or for everybody in an enterprise.

System users are read by a select of their own, which gives the same facts.

This is the hot path of every token; it uses Core on the tables of :mod:`.models` (decisions §32).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, select

from ..db import db
from . import catalogue_services
from .authority import ApprovalFact, Facts, GrantFact, MembershipFact
from .models import BlockGrant, Enterprise, Membership, Projection, SoftwareApproval
from .roles import EnterpriseStatus, MembershipStatus, Role
from .subscription_models import Subscription

ACTIVE_SUBSCRIPTION = "active"


@dataclass(frozen=True, slots=True)
class Projected:
    """What was last projected, as it is stored."""

    digest: str
    version: int
    blocks: frozenset[str]
    changes_at: datetime | None


@dataclass(frozen=True, slots=True)
class Reading:
    """The facts about one person, read together with what was last projected for them."""

    facts: Facts
    projected: Projected | None


def read_person(
    person_id: str, enterprise_id: str, agency_id: str, *, now: datetime, whole_past: bool = False
) -> Reading | None:
    """Read the facts about one person, in one statement, else about a system user with this id; None when there is none."""
    wanted = _selected(enterprise_id, agency_id, now, whole_past).where(Membership.person_id == person_id)
    found = _gather(db.session.execute(wanted).all(), agency_id)
    if found:
        return found[0]
    return read_system(
        SoftwareApproval.id == person_id, SoftwareApproval.agency_id == agency_id, Enterprise.id == enterprise_id
    )


def read_system(*which: ColumnElement[bool]) -> Reading | None:
    """Read the facts about the one system user that fits, in one statement."""
    row = db.session.execute(_systems().where(*which)).first()
    return _system_reading(row) if row else None


def read_everybody(
    enterprise_id: str, agency_id: str, *, now: datetime, whole_past: bool = False
) -> tuple[Reading, ...]:
    """Read the facts about everybody who ever belonged to the enterprise, in one statement."""
    return _gather(db.session.execute(_selected(enterprise_id, agency_id, now, whole_past)).all(), agency_id)


def read_systems(enterprise_id: str, agency_id: str) -> tuple[Reading, ...]:
    """Read the facts about every system user that was not revoked, in one statement."""
    wanted = _systems().where(
        Enterprise.id == enterprise_id, SoftwareApproval.agency_id == agency_id, SoftwareApproval.revoked_at.is_(None)
    )
    return tuple(_system_reading(row) for row in db.session.execute(wanted.order_by(SoftwareApproval.id)))


def _selected(enterprise_id: str, agency_id: str, now: datetime, whole_past: bool) -> Select[*tuple[Any, ...]]:
    grant_counts = and_(BlockGrant.membership_id == Membership.id, BlockGrant.agency_id == agency_id)
    if not whole_past:
        grant_counts = and_(grant_counts, BlockGrant.revoked_at.is_(None), BlockGrant.not_after > now)
    return (
        select(
            Enterprise.id.label("enterprise_id"),
            Enterprise.neq,
            Enterprise.name,
            Enterprise.status.label("enterprise_status"),
            Membership.id.label("membership_id"),
            Membership.person_id,
            Membership.role,
            Membership.status.label("membership_status"),
            Subscription.state,
            Subscription.blocks.label("subscribed"),
            BlockGrant.id.label("grant_id"),
            BlockGrant.block,
            BlockGrant.not_before,
            BlockGrant.not_after,
            BlockGrant.granted_by,
            BlockGrant.granted_at,
            BlockGrant.revoked_at,
            BlockGrant.revoked_by,
            Projection.digest,
            Projection.version,
            Projection.blocks.label("projected"),
            Projection.changes_at,
        )
        .select_from(Enterprise)
        .join(Membership, Membership.enterprise_id == Enterprise.id)
        .outerjoin(Subscription, and_(Subscription.enterprise_id == Enterprise.id, Subscription.agency_id == agency_id))
        .outerjoin(BlockGrant, grant_counts)
        .outerjoin(
            Projection,
            and_(
                Projection.enterprise_id == Enterprise.id,
                Projection.person_id == Membership.person_id,
                Projection.agency_id == agency_id,
            ),
        )
        .where(Enterprise.id == enterprise_id)
        .order_by(Membership.person_id, Membership.id, BlockGrant.id)
    )


def _systems() -> Select[*tuple[Any, ...]]:
    of_this_agency = and_(
        Subscription.enterprise_id == Enterprise.id, Subscription.agency_id == SoftwareApproval.agency_id
    )
    of_this_one = and_(
        Projection.enterprise_id == Enterprise.id,
        Projection.person_id == SoftwareApproval.id,
        Projection.agency_id == SoftwareApproval.agency_id,
    )
    return (
        select(
            Enterprise.id.label("enterprise_id"),
            Enterprise.neq,
            Enterprise.name,
            Enterprise.status.label("enterprise_status"),
            SoftwareApproval.id.label("person_id"),
            SoftwareApproval.agency_id,
            SoftwareApproval.blocks.label("approved"),
            SoftwareApproval.not_after,
            SoftwareApproval.approved_at,
            SoftwareApproval.approved_by,
            SoftwareApproval.revoked_at,
            Subscription.state,
            Subscription.blocks.label("subscribed"),
            Projection.digest,
            Projection.version,
            Projection.blocks.label("projected"),
            Projection.changes_at,
        )
        .select_from(SoftwareApproval)
        .join(Enterprise, Enterprise.id == SoftwareApproval.enterprise_id)
        .outerjoin(Subscription, of_this_agency)
        .outerjoin(Projection, of_this_one)
    )


def _system_reading(row: Row[Any]) -> Reading:
    approval = ApprovalFact(frozenset(row.approved), row.not_after, row.approved_at, row.approved_by, row.revoked_at)
    return Reading(_facts(row, row.agency_id, (), approval), _projected(row))


def _gather(rows: Any, agency_id: str) -> tuple[Reading, ...]:
    """Turn the joined rows into one reading a person."""
    by_person: dict[str, list[Row[Any]]] = {}
    for row in rows:
        by_person.setdefault(row.person_id, []).append(row)
    return tuple(_reading(found, agency_id) for found in by_person.values())


def _reading(rows: list[Row[Any]], agency_id: str) -> Reading:
    return Reading(_facts(rows[0], agency_id, _memberships(rows)), _projected(rows[0]))


def _facts(
    first: Row[Any], agency_id: str, memberships: tuple[MembershipFact, ...], approval: ApprovalFact | None = None
) -> Facts:
    agency = catalogue_services.agency(agency_id)
    return Facts(
        person_id=first.person_id,
        enterprise_id=first.enterprise_id,
        neq=first.neq,
        enterprise_name=first.name,
        enterprise_status=EnterpriseStatus(first.enterprise_status),
        agency_id=agency_id,
        locations=tuple(agency.locations),
        catalogue_version=agency.catalogue_version,
        subscribed=frozenset(first.subscribed) if first.state == ACTIVE_SUBSCRIPTION else None,
        offered=frozenset(block.code for block in agency.blocks if not block.retired),
        memberships=memberships,
        approval=approval,
    )


def _projected(row: Row[Any]) -> Projected | None:
    if row.digest is None:
        return None
    return Projected(row.digest, row.version, frozenset(row.projected), row.changes_at)


def _memberships(rows: list[Row[Any]]) -> tuple[MembershipFact, ...]:
    grants: dict[str, list[GrantFact]] = {}
    kinds: dict[str, tuple[Role, MembershipStatus]] = {}
    for row in rows:
        kinds[row.membership_id] = (Role(row.role), MembershipStatus(row.membership_status))
        held = grants.setdefault(row.membership_id, [])
        if row.grant_id is not None:
            held.append(
                GrantFact(
                    id=row.grant_id,
                    block=row.block,
                    not_before=row.not_before,
                    not_after=row.not_after,
                    granted_by=row.granted_by,
                    granted_at=row.granted_at,
                    revoked_at=row.revoked_at,
                    revoked_by=row.revoked_by,
                )
            )
    return tuple(MembershipFact(id, role, status, tuple(grants[id])) for id, (role, status) in kinds.items())
