"""Who would lose, or get, something by a change of a subscription: counted, and read one page at a time.

Each kind of holder has its reader: people, and software. A kind that comes later, such as mandates, adds its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from ...db import db
from ..catalogue import catalogue_services
from ..models import BlockGrant, Membership, SoftwareApproval
from ..people.domain.roles import MembershipStatus, Role
from ..rights.domain.authority import UNRESTRICTED
from .domain.changes import Difference

PAGE = 25
_IN_PLACE = (MembershipStatus.ACTIVE.value, MembershipStatus.SUSPENDED.value)


@dataclass(frozen=True, slots=True)
class AffectedHolder:
    """A person or a software concerned, with the codes they would lose or get."""

    id: str
    blocks: tuple[str, ...]
    role: Role
    is_suspended: bool = False


@dataclass(frozen=True, slots=True)
class Holders:
    """One page of those concerned, out of *total*."""

    total: int
    shown: tuple[AffectedHolder, ...]
    page: int = 1

    @property
    def pages(self) -> int:
        """Return how many pages there are."""
        return max(1, -(-self.total // PAGE))


@dataclass(frozen=True, slots=True)
class Impact:
    """What a change does to those who hold rights.

    ``losing`` and ``software`` hold less; ``unrestricted`` would get the added blocks if the person in charge says so.
    """

    losing: Holders
    software: Holders
    unrestricted: Holders


NONE = Holders(0, ())


def of_change(
    enterprise_id: str, agency_id: str, changed: Difference, now: datetime, *, page: int = 1, further: int = 1
) -> Impact:
    """Return who is concerned by a change: *page* of those who lose, page *further* of those with unrestricted access."""
    lost = frozenset(changed.removed) & catalogue_services.agency(agency_id).offered
    here = _Rights(enterprise_id, agency_id, now)
    return Impact(
        losing=_people(here, lost, frozenset({*lost, UNRESTRICTED}), page, with_pes=True) if lost else NONE,
        software=_software(here, lost) if lost else NONE,
        unrestricted=_people(here, frozenset(changed.added), frozenset({UNRESTRICTED}), further, with_pes=False)
        if changed.added
        else NONE,
    )


@dataclass(frozen=True, slots=True)
class _Rights:
    """The rights of one enterprise at one agency that count at an instant, or will once a person is reactivated."""

    enterprise_id: str
    agency_id: str
    now: datetime

    @property
    def members(self) -> ColumnElement[bool]:
        return and_(Membership.enterprise_id == self.enterprise_id, Membership.status.in_(_IN_PLACE))

    def granted(self, blocks: Iterable[str]) -> ColumnElement[bool]:
        """Return the condition on grants of a membership to one of *blocks*."""
        return and_(
            BlockGrant.membership_id == Membership.id,
            BlockGrant.agency_id == self.agency_id,
            BlockGrant.block.in_(sorted(blocks)),
            BlockGrant.revoked_at.is_(None),
            BlockGrant.not_after > self.now,
        )


def _people(here: _Rights, codes: frozenset[str], by: frozenset[str], page: int, *, with_pes: bool) -> Holders:
    """Return a page of the people whose grants (of the blocks *by*) give *codes*; with the PES, who come first."""
    has_grant = select(BlockGrant.id).where(here.granted(by)).exists()
    is_pes = Membership.role == Role.PES.value
    concerned = [here.members, or_(is_pes, has_grant) if with_pes else has_grant]
    total = db.session.scalar(select(func.count(func.distinct(Membership.person_id))).where(*concerned)) or 0
    page = min(max(page, 1), max(1, -(-total // PAGE)))
    first = func.min(case((is_pes, 0), else_=1))
    ids = db.session.scalars(
        select(Membership.person_id)
        .where(*concerned)
        .group_by(Membership.person_id)
        .order_by(first, func.min(Membership.appointed_at), Membership.person_id)
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    ).all()
    rows = db.session.execute(
        select(Membership.person_id, Membership.role, Membership.status, BlockGrant.block)
        .outerjoin(BlockGrant, here.granted(by))
        .where(here.members, Membership.person_id.in_(ids))
    ).all()
    shown = []
    for id in ids:
        own = [row for row in rows if row.person_id == id]
        as_pes = with_pes and any(row.role == Role.PES.value for row in own)
        granted = {row.block for row in own if row.block}
        held = codes if as_pes or UNRESTRICTED in granted else codes & granted
        suspended = all(row.status == MembershipStatus.SUSPENDED.value for row in own)
        shown.append(AffectedHolder(id, tuple(sorted(held)), Role.PES if as_pes else Role.USER, suspended))
    return Holders(total, tuple(shown), page)


def _software(here: _Rights, lost: frozenset[str]) -> Holders:
    rows = db.session.execute(
        select(SoftwareApproval.id, SoftwareApproval.blocks)
        .where(
            SoftwareApproval.enterprise_id == here.enterprise_id,
            SoftwareApproval.agency_id == here.agency_id,
            SoftwareApproval.revoked_at.is_(None),
            SoftwareApproval.not_after > here.now,
        )
        .order_by(SoftwareApproval.approved_at, SoftwareApproval.id)
    )
    losing = [
        AffectedHolder(row.id, tuple(sorted(lost & set(row.blocks))), Role.SYSTEM)
        for row in rows
        if lost & set(row.blocks)
    ]
    return Holders(len(losing), tuple(losing[:PAGE]))
