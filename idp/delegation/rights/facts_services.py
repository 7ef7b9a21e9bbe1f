"""Reading the facts that decide rights: one joined select, for one person or for every person in an enterprise.

System users are read by a select of their own, which gives the same facts.

This is the hot path of every token; it uses Core on the tables of :mod:`.models` (decisions.md §32).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Row, Select, and_, bindparam, select

from ...db import db, table_of
from ..catalogue import catalogue_services
from ..models import BlockGrant, Enterprise, Membership, Projection, SoftwareApproval
from ..people.domain.roles import EnterpriseStatus, MembershipStatus, Role
from ..subscriptions.domain.states import COUNTING
from ..subscriptions.models import Subscription
from .domain.authority import ApprovalFact, AuthorityFacts, GrantFact, MembershipFact

_ENTERPRISES, _MEMBERS, _SUBSCRIPTIONS = map(table_of, (Enterprise, Membership, Subscription))
_GRANTS, _PROJECTED, _APPROVALS = map(table_of, (BlockGrant, Projection, SoftwareApproval))
_AGENCY: BindParameter[str] = bindparam("agency")
_COMMON = (  # what the facts about people and about system users are both read with
    _ENTERPRISES.c.id.label("enterprise_id"),
    _ENTERPRISES.c.neq,
    _ENTERPRISES.c.name,
    _ENTERPRISES.c.status.label("enterprise_status"),
    _SUBSCRIPTIONS.c.state,
    _SUBSCRIPTIONS.c.blocks.label("subscribed"),
    _PROJECTED.c.digest,
    _PROJECTED.c.version,
    _PROJECTED.c.blocks.label("projected"),
    _PROJECTED.c.changes_at,
)


@dataclass(frozen=True, slots=True)
class Projected:
    """What was last projected, as it is stored."""

    digest: str
    version: int
    blocks: frozenset[str]
    changes_at: datetime | None


@dataclass(frozen=True, slots=True)
class FactsReading:
    """The facts about one person, read together with what was last projected for them."""

    facts: AuthorityFacts
    projected: Projected | None


def read_person(
    person_id: str, enterprise_id: str, agency_id: str, *, now: datetime, whole_past: bool = False
) -> FactsReading | None:
    """Read the facts about one person, in one statement, else about a system user with this id; None when there is none."""
    asked = {"person": person_id, "enterprise": enterprise_id, "agency": agency_id, "instant": now}
    found = _gather(db.session.execute(_OF_PERSON[whole_past], asked).all(), agency_id)
    if found:
        return found[0]
    asked = {"id": person_id, "agency": agency_id, "enterprise": enterprise_id}
    return _system(_SYSTEM_HERE, asked)


def read_system(system_user_id: str) -> FactsReading | None:
    """Read the facts about a system user, in one statement."""
    return _system(_SYSTEM, {"id": system_user_id})


def read_software(client_id: str, neq: str, agency_id: str, *, now: datetime) -> FactsReading | None:
    """Read the facts about the system user that a client is for the enterprise called *neq*, in one statement."""
    return _system(_SOFTWARE, {"client": client_id, "neq": neq, "agency": agency_id, "instant": now})


def _system(statement: Select[*tuple[Any, ...]], asked: dict[str, object]) -> FactsReading | None:
    row = db.session.execute(statement, asked).first()
    return _system_reading(row) if row else None


def read_everybody(
    enterprise_id: str, agency_id: str, *, now: datetime, whole_past: bool = False
) -> tuple[FactsReading, ...]:
    """Read the facts about every person who ever belonged to the enterprise, in one statement."""
    asked = {"enterprise": enterprise_id, "agency": agency_id, "instant": now}
    return _gather(db.session.execute(_OF_EVERYBODY[whole_past], asked).all(), agency_id)


def read_members(
    enterprise_id: str, agency_id: str, membership_ids: Collection[str], *, now: datetime
) -> tuple[FactsReading, ...]:
    """Read the facts about the people of some memberships of the enterprise, in one statement."""
    asked = {"enterprise": enterprise_id, "agency": agency_id, "instant": now, "members": list(membership_ids)}
    return _gather(db.session.execute(_OF_MEMBERS, asked).all(), agency_id)


def read_systems(enterprise_id: str, agency_id: str) -> tuple[FactsReading, ...]:
    """Read the facts about every system user that was not revoked, in one statement."""
    rows = db.session.execute(_EVERY_SYSTEM, {"enterprise": enterprise_id, "agency": agency_id})
    return tuple(_system_reading(row) for row in rows)


def _selected(*, whole_past: bool) -> Select[*tuple[Any, ...]]:
    """Return the statement for every person of an *enterprise* at an *agency*: rights that count at an *instant*, or all."""
    grant_counts = and_(_GRANTS.c.membership_id == _MEMBERS.c.id, _GRANTS.c.agency_id == _AGENCY)
    if not whole_past:
        grant_counts = and_(grant_counts, _GRANTS.c.revoked_at.is_(None), _GRANTS.c.not_after > bindparam("instant"))
    return (
        select(
            *_COMMON,
            _MEMBERS.c.id.label("membership_id"),
            _MEMBERS.c.person_id,
            _MEMBERS.c.role,
            _MEMBERS.c.status.label("membership_status"),
            _GRANTS.c.id.label("grant_id"),
            _GRANTS.c.block,
            _GRANTS.c.not_before,
            _GRANTS.c.not_after,
            _GRANTS.c.granted_by,
            _GRANTS.c.granted_at,
            _GRANTS.c.revoked_at,
            _GRANTS.c.revoked_by,
        )
        .select_from(_ENTERPRISES)
        .join(_MEMBERS, _MEMBERS.c.enterprise_id == _ENTERPRISES.c.id)
        .outerjoin(
            _SUBSCRIPTIONS,
            and_(_SUBSCRIPTIONS.c.enterprise_id == _ENTERPRISES.c.id, _SUBSCRIPTIONS.c.agency_id == _AGENCY),
        )
        .outerjoin(_GRANTS, grant_counts)
        .outerjoin(
            _PROJECTED,
            and_(
                _PROJECTED.c.enterprise_id == _ENTERPRISES.c.id,
                _PROJECTED.c.person_id == _MEMBERS.c.person_id,
                _PROJECTED.c.agency_id == _AGENCY,
            ),
        )
        .where(_ENTERPRISES.c.id == bindparam("enterprise"))
        .order_by(_MEMBERS.c.person_id, _MEMBERS.c.id, _GRANTS.c.id)
    )


_OF_EVERYBODY = {whole_past: _selected(whole_past=whole_past) for whole_past in (False, True)}
_OF_PERSON = {
    whole_past: statement.where(_MEMBERS.c.person_id == bindparam("person"))
    for whole_past, statement in _OF_EVERYBODY.items()
}


_SOME = _MEMBERS.alias("some")
_OF_MEMBERS = _OF_EVERYBODY[False].where(
    _MEMBERS.c.person_id.in_(
        select(_SOME.c.person_id).where(
            _SOME.c.enterprise_id == bindparam("enterprise"), _SOME.c.id.in_(bindparam("members", expanding=True))
        )
    )
)


def _systems() -> Select[*tuple[Any, ...]]:
    of_this_agency = and_(
        _SUBSCRIPTIONS.c.enterprise_id == _ENTERPRISES.c.id, _SUBSCRIPTIONS.c.agency_id == _APPROVALS.c.agency_id
    )
    of_this_one = and_(
        _PROJECTED.c.enterprise_id == _ENTERPRISES.c.id,
        _PROJECTED.c.person_id == _APPROVALS.c.id,
        _PROJECTED.c.agency_id == _APPROVALS.c.agency_id,
    )
    return (
        select(
            *_COMMON,
            _APPROVALS.c.id.label("person_id"),
            _APPROVALS.c.agency_id,
            _APPROVALS.c.blocks.label("approved"),
            _APPROVALS.c.not_after,
            _APPROVALS.c.approved_at,
            _APPROVALS.c.approved_by,
            _APPROVALS.c.revoked_at,
        )
        .select_from(_APPROVALS)
        .join(_ENTERPRISES, _ENTERPRISES.c.id == _APPROVALS.c.enterprise_id)
        .outerjoin(_SUBSCRIPTIONS, of_this_agency)
        .outerjoin(_PROJECTED, of_this_one)
    )


_AT_AGENCY = _systems().where(_APPROVALS.c.agency_id == _AGENCY)
_SYSTEM = _systems().where(_APPROVALS.c.id == bindparam("id"))
_SYSTEM_HERE = _AT_AGENCY.where(_APPROVALS.c.id == bindparam("id"), _ENTERPRISES.c.id == bindparam("enterprise"))
_EVERY_SYSTEM = _AT_AGENCY.where(
    _ENTERPRISES.c.id == bindparam("enterprise"), _APPROVALS.c.revoked_at.is_(None)
).order_by(_APPROVALS.c.id)
_SOFTWARE = _AT_AGENCY.where(
    _APPROVALS.c.client_id == bindparam("client"),
    _APPROVALS.c.revoked_at.is_(None),
    _APPROVALS.c.not_after > bindparam("instant"),
    _ENTERPRISES.c.neq == bindparam("neq"),
)


def _system_reading(row: Row[Any]) -> FactsReading:
    approval = ApprovalFact(frozenset(row.approved), row.not_after, row.approved_at, row.approved_by, row.revoked_at)
    return FactsReading(_facts(row, row.agency_id, (), approval), _projected(row))


def _gather(rows: Any, agency_id: str) -> tuple[FactsReading, ...]:
    """Turn the joined rows into one reading a person."""
    by_person: dict[str, list[Row[Any]]] = {}
    for row in rows:
        by_person.setdefault(row.person_id, []).append(row)
    return tuple(_reading(found, agency_id) for found in by_person.values())


def _reading(rows: list[Row[Any]], agency_id: str) -> FactsReading:
    return FactsReading(_facts(rows[0], agency_id, _memberships(rows)), _projected(rows[0]))


def _facts(
    first: Row[Any], agency_id: str, memberships: tuple[MembershipFact, ...], approval: ApprovalFact | None = None
) -> AuthorityFacts:
    agency = catalogue_services.agency(agency_id)
    return AuthorityFacts(
        person_id=first.person_id,
        enterprise_id=first.enterprise_id,
        neq=first.neq,
        enterprise_name=first.name,
        enterprise_status=EnterpriseStatus(first.enterprise_status),
        agency_id=agency_id,
        locations=tuple(agency.locations),
        catalogue_version=agency.catalogue_version,
        subscribed=frozenset(first.subscribed) if first.state in COUNTING else None,
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
