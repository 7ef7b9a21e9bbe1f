"""Rights at one agency, read in one place."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, distinct, func, select

from ...clock import local_date
from ...db import db
from ...identifiers import UserCode
from ..models import BlockGrant, Enterprise, Membership, RightsRevision
from ..people.domain.roles import PRECEDENCE, EnterpriseStatus, MembershipStatus, Role
from .domain.authority import UNRESTRICTED, Authority, MembershipFact
from .domain.explain import Explanation, explain
from .facts_services import FactsReading, read_everybody, read_members, read_person
from .projection_services import current


@dataclass(frozen=True, slots=True)
class EnterpriseChoice:
    """An enterprise a person may act for."""

    enterprise_id: str
    neq: str
    name: str
    role: Role
    user_code: str


@dataclass(frozen=True, slots=True)
class Right:
    """What one user holds, or shall hold, at one agency: blocks (or ``*``) until the end of a day."""

    membership_id: str
    blocks: frozenset[str]
    until: date | None

    def same_as(self, other: Right) -> bool:
        """Return whether both give the same; without blocks the end date means nothing."""
        return self.blocks == other.blocks and (self.until == other.until or not self.blocks)


@dataclass(frozen=True, slots=True)
class HeldByUser:
    """One user of the matrix, with what they hold now."""

    person_id: str
    status: MembershipStatus
    right: Right


@dataclass(frozen=True, slots=True)
class Matrix:
    """Users and their rights at one agency, as of one revision."""

    agency_id: str
    revision: int
    changed_at: datetime | None
    changed_by: str | None
    available: tuple[str, ...]
    subscribed: bool
    users: tuple[HeldByUser, ...]

    def user(self, membership_id: str) -> HeldByUser | None:
        """Return the user with this membership."""
        return next((user for user in self.users if user.right.membership_id == membership_id), None)

    def codes(self, right: Right) -> frozenset[str]:
        """Return the explicit codes *right* gives here; unrestricted is every block of the subscription."""
        available = frozenset(self.available)
        return available if UNRESTRICTED in right.blocks else right.blocks & available


def authority(person_id: str, enterprise_id: str, agency_id: str, now: datetime) -> Authority | None:
    """Return what a person may do for an enterprise at an agency: the single reading of rights, one statement.

    None: they act for no enterprise here (no active membership, or the enterprise is not active).
    """
    reading = read_person(person_id, enterprise_id, agency_id, now=now)
    return current(reading, now=now) if reading else None


def explanation(person_id: str, enterprise_id: str, agency_id: str, block: str, now: datetime) -> Explanation | None:
    """Explain why a person may or may not use a block; None when they never belonged to the enterprise."""
    reading = read_person(person_id, enterprise_id, agency_id, now=now, whole_past=True)
    return explain(reading.facts, block, now) if reading else None


def choices(person_id: str, agency_id: str, now: datetime) -> tuple[EnterpriseChoice, ...]:
    """Return the active enterprises a person may act for at an agency, by name, each once with the role that counts.

    An enterprise without a subscription there is offered too: the person then acts for it without any block.
    """
    del agency_id, now  # direct memberships hold at every agency and have no dates; mandates will
    rows = db.session.execute(
        select(Enterprise.id, Enterprise.neq, Enterprise.name, Membership.role, Membership.user_code)
        .join(Membership, Membership.enterprise_id == Enterprise.id)
        .where(
            Membership.person_id == person_id,
            Membership.status == MembershipStatus.ACTIVE.value,
            Enterprise.status == EnterpriseStatus.ACTIVE.value,
        )
        .order_by(Enterprise.sort_name, Enterprise.neq)
    ).all()
    best: dict[str, EnterpriseChoice] = {}
    for row in sorted(rows, key=lambda row: PRECEDENCE.index(Role(row.role))):
        choice = EnterpriseChoice(row.id, row.neq, row.name, Role(row.role), str(UserCode(row.user_code)))
        best.setdefault(row.id, choice)
    order = {row.id: place for place, row in enumerate(rows)}
    return tuple(sorted(best.values(), key=lambda choice: order[choice.enterprise_id]))


def matrix(enterprise_id: str, agency_id: str, now: datetime, *, of: Collection[str] | None = None) -> Matrix:
    """Return the users of an enterprise with their rights at an agency: all of them, or those of the memberships *of*.

    What the enterprise itself may use is read with them: without a user, it is empty.
    """
    revision = db.session.execute(
        select(RightsRevision.revision, RightsRevision.changed_at, RightsRevision.changed_by).where(
            RightsRevision.enterprise_id == enterprise_id, RightsRevision.agency_id == agency_id
        )
    ).first()
    readings = (
        read_everybody(enterprise_id, agency_id, now=now)
        if of is None
        else read_members(enterprise_id, agency_id, of, now=now)
    )
    users = tuple(user for reading in readings for user in _users(reading, now))
    return Matrix(
        agency_id=agency_id,
        revision=revision.revision if revision else 0,
        changed_at=revision.changed_at if revision else None,
        changed_by=revision.changed_by if revision else None,
        available=tuple(sorted(readings[0].facts.available)) if readings else (),
        subscribed=bool(readings) and readings[0].facts.subscribed is not None,
        users=users,
    )


def rights_of_members(
    enterprise_id: str, now: datetime, *, of: Collection[str] | None = None
) -> dict[str, tuple[tuple[str, Right], ...]]:
    """Return what each member was granted, agency by agency, by membership id; in one statement.

    *of* are the memberships to read; None reads them all.
    """
    wanted = (
        select(BlockGrant.membership_id, BlockGrant.agency_id, BlockGrant.block, BlockGrant.not_after)
        .join(Membership, Membership.id == BlockGrant.membership_id)
        .where(Membership.enterprise_id == enterprise_id, BlockGrant.revoked_at.is_(None), BlockGrant.not_after > now)
    )
    if of is not None:
        wanted = wanted.where(BlockGrant.membership_id.in_(of))
    rows = db.session.execute(wanted.order_by(BlockGrant.membership_id, BlockGrant.agency_id, BlockGrant.block)).all()
    gathered: dict[str, dict[str, list[tuple[str, datetime]]]] = {}
    for row in rows:
        gathered.setdefault(row.membership_id, {}).setdefault(row.agency_id, []).append((row.block, row.not_after))
    return {
        membership_id: tuple((agency_id, _gathered(membership_id, held)) for agency_id, held in agencies.items())
        for membership_id, agencies in gathered.items()
    }


def users_with_access(enterprise_id: str, now: datetime) -> dict[str, int]:
    """Return how many active users have a grant that counts at each agency, in one statement."""
    rows = db.session.execute(
        select(BlockGrant.agency_id, func.count(distinct(BlockGrant.membership_id)))
        .join(Membership, Membership.id == BlockGrant.membership_id)
        .where(*_counting(enterprise_id, now))
        .group_by(BlockGrant.agency_id)
    ).all()
    return {row[0]: row[1] for row in rows}


def ending_access(
    enterprise_id: str, agencies: Collection[str], *, before: datetime, now: datetime, limit: int
) -> tuple[tuple[str, str, Right], ...]:
    """Return the first *limit* accesses of active users that end *before* an instant: agency, person and right."""
    ends = func.min(BlockGrant.not_after)
    first = db.session.execute(
        select(BlockGrant.agency_id, BlockGrant.membership_id, Membership.person_id, ends.label("ends"))
        .join(Membership, Membership.id == BlockGrant.membership_id)
        .where(*_counting(enterprise_id, now), BlockGrant.agency_id.in_(agencies), BlockGrant.not_after < before)
        .group_by(BlockGrant.agency_id, BlockGrant.membership_id, Membership.person_id)
        .order_by(ends, BlockGrant.membership_id)
        .limit(limit)
    ).all()
    held = rights_of_members(enterprise_id, now, of={row.membership_id for row in first})
    return tuple(
        (row.agency_id, row.person_id, right)
        for row in first
        for agency_id, right in held.get(row.membership_id, ())
        if agency_id == row.agency_id
    )


def _counting(enterprise_id: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions on grants of an enterprise that count now, of users who are active."""
    return (
        Membership.enterprise_id == enterprise_id,
        Membership.status == MembershipStatus.ACTIVE.value,
        BlockGrant.revoked_at.is_(None),
        BlockGrant.not_before <= now,
        BlockGrant.not_after > now,
    )


def _gathered(membership_id: str, held: list[tuple[str, datetime]]) -> Right:
    return Right(membership_id, frozenset(block for block, _ in held), local_date(min(end for _, end in held)))


def _users(reading: FactsReading, now: datetime) -> list[HeldByUser]:
    return [
        HeldByUser(reading.facts.person_id, fact.status, _right(fact, now))
        for fact in reading.facts.memberships
        if fact.role is Role.USER and fact.status is not MembershipStatus.REMOVED
    ]


def _right(fact: MembershipFact, now: datetime) -> Right:
    live = [grant for grant in fact.grants if grant.revoked_at is None and grant.not_after > now]
    until = min((local_date(grant.not_after) for grant in live), default=None)
    return Right(fact.id, frozenset(grant.block for grant in live), until)
