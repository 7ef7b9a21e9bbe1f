"""The version of what agencies receive, and the signal when it shrinks.

A projection row remembers what was last projected for a person, an enterprise and an agency. A person who finds that it has
changed raises the version by one conditional UPDATE; the one whose UPDATE succeeds, and no other person, writes the removal and
the outbox row when rights were lost: exactly one signal for each loss, whichever path caused it (docs/claims.md).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import and_, insert, select, update
from sqlalchemy.exc import IntegrityError

from ... import audit
from ...audit.domain.events import Event
from ...audit.services import SYSTEM, Actor
from ...db import db, new_id, transaction
from ...errors import ConflictError
from ...notices import services as notices
from ..models import BlockGrant, Membership, Projection, Removal, SoftwareApproval
from ..subscriptions.models import Subscription
from .domain.authority import Authority, AuthorityFacts, assemble, next_change
from .domain.rights_claims import NOTHING, projection_digest
from .facts_services import FactsReading, read_everybody, read_person, read_systems

_TRIES = 5
_LOGGED_HERE = frozenset({"end_date", "catalogue_changed", "subscription_changed"})  # no act on a person is in the log


class RemovalReason(StrEnum):
    """Why a right ended. Values are stored: never rename one."""

    BLOCK_REMOVED = "block_removed"
    END_DATE = "end_date"
    MEMBER_SUSPENDED = "member_suspended"
    MEMBER_REMOVED = "member_removed"
    SUBSCRIPTION_WITHDRAWN = "subscription_withdrawn"
    SUBSCRIPTION_SUSPENDED = "subscription_suspended"
    SUBSCRIPTION_CHANGED = "subscription_changed"
    ENTERPRISE_SUSPENDED = "enterprise_suspended"
    CATALOGUE_CHANGED = "catalogue_changed"
    APPROVAL_REVOKED = "approval_revoked"


@dataclass(frozen=True, slots=True)
class _Cause:
    reason: str
    actor: Actor


def current(reading: FactsReading, *, now: datetime) -> Authority | None:
    """Return the authority of *reading*, raising its version first when the projection has changed.

    Nothing is written when what is stored agrees: the usual case costs no statement.
    """
    person, enterprise, agency = reading.facts.person_id, reading.facts.enterprise_id, reading.facts.agency_id
    authority = assemble(reading.facts, now, version=reading.projected.version if reading.projected else 0)
    if _agrees(reading, authority):
        return authority
    with transaction():
        return settle(person, enterprise, agency, now=now)


def settle(
    person_id: str,
    enterprise_id: str,
    agency_id: str,
    *,
    now: datetime,
    reason: str | None = None,
    actor: Actor = SYSTEM,
) -> Authority | None:
    """Bring the projection of one person up to date and return their authority, with its version.

    Raises:
        ConflictError: others changed it at every try.
    """
    for _ in range(_TRIES):
        reading = read_person(person_id, enterprise_id, agency_id, now=now)
        if reading is None:
            return None
        settled, authority = _settle(reading, reading.facts, now, reason, actor)
        if settled:
            return authority
    raise ConflictError(f"the projection of {person_id} for {enterprise_id} at {agency_id} never settled")


@contextmanager
def watching(
    enterprise_id: str,
    *,
    reason: str,
    actor: Actor,
    now: datetime,
    person_id: str | None = None,
    people: Collection[str] | None = None,
    agency_id: str | None = None,
) -> Iterator[None]:
    """Wrap a change of rights: what it takes away is signalled with *reason*, in the same transaction.

    Without *person_id* or *people* every person in the enterprise is watched, which a change of a few must not pay for;
    without *agency_id*, every agency it ever subscribed to.
    """
    agencies = (agency_id,) if agency_id else agencies_of(enterprise_id)
    watched = (person_id,) if person_id is not None else people
    _settle_all(enterprise_id, agencies, watched, now, None, SYSTEM)
    yield
    _settle_all(enterprise_id, agencies, watched, now, reason, actor)


def refresh_projections(
    enterprise_id: str, agency_id: str, *, reason: str, now: datetime, actor: Actor = SYSTEM
) -> None:
    """Bring every person's projection for an agency up to date after a change of the subscription or of the catalogue."""
    with transaction():
        _settle_all(enterprise_id, (agency_id,), None, now, reason, actor)


def remove_rights_of_agency(enterprise_id: str, agency_id: str, *, reason: str, actor: Actor, now: datetime) -> None:
    """End every grant and approval at an agency and signal what each one lost, the PES included, in the caller's transaction.

    The caller changes the state of the subscription in the same transaction, before or after this call: what remains is
    computed as if it were gone.
    """
    with transaction():
        members = select(Membership.id).where(Membership.enterprise_id == enterprise_id)
        db.session.execute(
            update(BlockGrant)
            .where(
                BlockGrant.membership_id.in_(members),
                BlockGrant.agency_id == agency_id,
                BlockGrant.revoked_at.is_(None),
                BlockGrant.not_after > now,
            )
            .values(revoked_at=now, revoked_by=actor.id or actor.kind)
        )
        readings = _readings(enterprise_id, agency_id, None, now)
        db.session.execute(
            update(SoftwareApproval)
            .where(
                SoftwareApproval.enterprise_id == enterprise_id,
                SoftwareApproval.agency_id == agency_id,
                SoftwareApproval.revoked_at.is_(None),
            )
            .values(revoked_at=now, revoked_by=actor.id or actor.kind)
            .execution_options(synchronize_session=False)
        )
        for reading in readings:
            _settle(reading, replace(reading.facts, subscribed=None, approval=None), now, reason, actor)


def sweep_dates(now: datetime, limit: int = 500) -> int:
    """Settle the projections that a date alone has changed (a grant started or ended); return how many."""
    due = db.session.execute(
        select(Projection.person_id, Projection.enterprise_id, Projection.agency_id)
        .where(Projection.changes_at <= now)
        .order_by(Projection.changes_at)
        .limit(limit)
    ).all()
    for person_id, enterprise_id, agency_id in due:
        with transaction():
            settle(person_id, enterprise_id, agency_id, now=now, reason=RemovalReason.END_DATE)
    return len(due)


def agencies_of(enterprise_id: str) -> tuple[str, ...]:
    """Return the agencies at which any person of the enterprise may hold rights."""
    subscribed = select(Subscription.agency_id).where(Subscription.enterprise_id == enterprise_id)
    projected = select(Projection.agency_id).where(Projection.enterprise_id == enterprise_id)
    return tuple(sorted(db.session.scalars(subscribed.union(projected))))


def _settle_all(
    enterprise_id: str,
    agencies: Iterable[str],
    people: Collection[str] | None,
    now: datetime,
    reason: str | None,
    actor: Actor,
) -> None:
    for agency_id in agencies:
        for reading in _readings(enterprise_id, agency_id, people, now):
            settled, _ = _settle(reading, reading.facts, now, reason, actor)
            if not settled:
                settle(reading.facts.person_id, enterprise_id, agency_id, now=now, reason=reason, actor=actor)


def _readings(
    enterprise_id: str, agency_id: str, people: Collection[str] | None, now: datetime
) -> tuple[FactsReading, ...]:
    """Read the facts about some *people*, always in the same order, or about all people and system users."""
    if people is None:
        systems = read_systems(enterprise_id, agency_id)
        return read_everybody(enterprise_id, agency_id, now=now) + systems
    found = (read_person(person_id, enterprise_id, agency_id, now=now) for person_id in sorted(people))
    return tuple(reading for reading in found if reading is not None)


def _agrees(reading: FactsReading, authority: Authority | None) -> bool:
    if reading.projected is None:
        return authority is None
    return reading.projected.digest == projection_digest(authority)


def _settle(
    reading: FactsReading, facts: AuthorityFacts, now: datetime, reason: str | None, actor: Actor
) -> tuple[bool, Authority | None]:
    """Write what *facts* project; False when another person wrote meanwhile."""
    stored = reading.projected
    authority = assemble(facts, now, version=stored.version if stored else 1)
    ahead = next_change(facts, now)
    if stored is None:
        return (True, None) if authority is None else (_first(authority, ahead), authority)
    digest = projection_digest(authority)
    if digest == stored.digest:
        if ahead != stored.changes_at:
            _write(facts, stored.digest, {"changes_at": ahead})
        return True, authority
    version = stored.version + 1
    blocks = frozenset(authority.blocks) if authority else frozenset()
    values = {"digest": digest, "version": version, "blocks": sorted(blocks), "changes_at": ahead}
    if not _write(facts, stored.digest, values):
        return False, None
    if stored.blocks - blocks or (authority is None and stored.digest != NOTHING):
        _signal(facts, stored.blocks - blocks, version, now, _cause(reading, reason, actor, now))
    return True, replace(authority, version=version) if authority else None


def _cause(reading: FactsReading, reason: str | None, actor: Actor, now: datetime) -> _Cause:
    """Name what took rights away when a reader finds it: a date that passed, else the catalogue."""
    if reason is not None:
        return _Cause(reason, actor)
    changes_at = reading.projected.changes_at if reading.projected else None
    dated = changes_at is not None and changes_at <= now
    return _Cause(RemovalReason.END_DATE if dated else RemovalReason.CATALOGUE_CHANGED, SYSTEM)


def _first(authority: Authority, ahead: datetime | None) -> bool:
    try:
        with db.session.begin_nested():
            db.session.execute(
                insert(Projection).values(
                    person_id=authority.person_id,
                    enterprise_id=authority.enterprise_id,
                    agency_id=authority.agency_id,
                    digest=projection_digest(authority),
                    version=authority.version,
                    blocks=list(authority.blocks),
                    changes_at=ahead,
                )
            )
    except IntegrityError:  # another reader was first
        return False
    return True


def _write(facts: AuthorityFacts, seen: str, values: dict[str, Any]) -> bool:
    changed = db.session.execute(
        update(Projection)
        .where(
            and_(
                Projection.person_id == facts.person_id,
                Projection.enterprise_id == facts.enterprise_id,
                Projection.agency_id == facts.agency_id,
                Projection.digest == seen,
            )
        )
        .values(**values)
        .returning(Projection.version)
    )
    return changed.first() is not None


def _signal(facts: AuthorityFacts, lost: frozenset[str], version: int, now: datetime, cause: _Cause) -> None:
    removal_id = new_id()
    db.session.execute(
        insert(Removal).values(
            id=removal_id,
            at=now,
            enterprise_id=facts.enterprise_id,
            agency_id=facts.agency_id,
            person_id=facts.person_id,
            blocks=sorted(lost),
            reason=cause.reason,
            actor={"kind": cause.actor.kind, "id": cause.actor.id},
            version=version,
        )
    )
    if cause.reason in _LOGGED_HERE:
        audit.record(
            Event.REVOKED,
            actor=cause.actor,
            now=now,
            enterprise_id=facts.enterprise_id,
            person_id=facts.person_id,
            agency_id=facts.agency_id,
            details={"blocks": sorted(lost), "reason": cause.reason},
        )
    notices.enqueue(
        "rights_removed",
        {
            "removal_id": removal_id,
            "person_id": facts.person_id,
            "enterprise_id": facts.enterprise_id,
            "agency_id": facts.agency_id,
            "version": version,
            "reason": cause.reason,
            "at": int(now.timestamp()),
        },
        now=now,
    )
