"""Writing the log, giving it its order, reading it, proving it.

An entry is inserted in the transaction of its change, without a position, so that writers never queue on the end of the
chain; one sequencer, holding the head row, gives position and hash within a second (decisions §33).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from ..db import db, in_transaction, new_id, transaction
from .chain import GENESIS, Entry, link
from .events import Event
from .models import AuditEntry, AuditHead

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person, an operator, an agency's officer, somebody not signed in (``file``), or the provider itself."""

    kind: str
    id: str | None = None

    @classmethod
    def person(cls, person_id: str) -> Actor:
        """Return a signed-in person as the actor."""
        return cls("person", person_id)


SYSTEM = Actor("system")
ANONYMOUS = Actor("anonymous")


@dataclass(frozen=True, slots=True)
class Verification:
    """What ``verify`` found: how many entries hold, how many wait for their place, and the first fault."""

    verified: int
    unsequenced: int
    fault: str | None = None


def record(
    event: Event,
    *,
    actor: Actor,
    now: datetime,
    enterprise_id: str | None = None,
    file_id: str | None = None,
    person_id: str | None = None,
    agency_id: str | None = None,
    details: dict[str, Any] | None = None,
) -> str:
    """Add one entry to the log, inside the transaction of the act it tells of, and return its id.

    *person_id* is the person the act is about. *details* hold ids, codes and dates; never a name, a secret, an address
    or a Revenu Québec number.

    Raises:
        RuntimeError: no transaction is open: an act and its entry stand or fall together.
    """
    if not in_transaction():
        raise RuntimeError("audit.record outside a transaction")
    entry_id = new_id()
    db.session.execute(
        insert(AuditEntry).values(
            id=entry_id,
            at=now,
            event=event.value,
            actor_kind=actor.kind,
            actor_id=actor.id,
            enterprise_id=enterprise_id,
            file_id=file_id,
            person_id=person_id,
            agency_id=agency_id,
            details=details or {},
        )
    )
    return entry_id


def sequence(limit: int = _BATCH) -> int:
    """Give the entries that wait their position and hash; return how many were placed."""
    with transaction() as session:
        head = session.execute(select(AuditHead).where(AuditHead.id == 1).with_for_update()).scalar_one_or_none()
        if head is None:
            head = AuditHead(id=1, position=0, hash=GENESIS)
            session.add(head)
            session.flush()
        waiting = session.scalars(
            select(AuditEntry).where(AuditEntry.position.is_(None)).order_by(AuditEntry.at, AuditEntry.id).limit(limit)
        ).all()
        position, previous = head.position, head.hash
        for row in waiting:
            position += 1
            previous = link(previous, position, _entry(row))
            session.execute(update(AuditEntry).where(AuditEntry.id == row.id).values(position=position, hash=previous))
        head.position, head.hash = position, previous
        return len(waiting)


def verify() -> Verification:
    """Recompute the chain from its first entry and compare it with what is stored."""
    previous, expected = GENESIS, 0
    for entry in _in_order():
        expected += 1
        if entry.position != expected:
            return Verification(expected - 1, _unsequenced(), f"position {expected} is missing")
        wanted = link(previous, expected, entry)
        if entry.hash != wanted:
            return Verification(expected - 1, _unsequenced(), f"entry {entry.id} at position {expected} was altered")
        previous = wanted
    head = db.session.get(AuditHead, 1)
    if (head.position if head else 0) != expected:
        return Verification(expected, _unsequenced(), "entries are missing at the end")
    if head is not None and head.hash != previous:
        return Verification(expected, _unsequenced(), "the head does not match the last entry")
    return Verification(expected, _unsequenced())


def entries(
    *,
    enterprise_id: str | None = None,
    file_id: str | None = None,
    person_id: str | None = None,
    limit: int = 100,
    before: datetime | None = None,
) -> tuple[Entry, ...]:
    """Return the latest entries about an enterprise, a file or a person, newest first."""
    wanted = select(AuditEntry).order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(limit)
    if enterprise_id is not None:
        wanted = wanted.where(AuditEntry.enterprise_id == enterprise_id)
    if file_id is not None:
        wanted = wanted.where(AuditEntry.file_id == file_id)
    if person_id is not None:
        wanted = wanted.where(AuditEntry.person_id == person_id)
    if before is not None:
        wanted = wanted.where(AuditEntry.at < before)
    return tuple(_entry(row) for row in db.session.scalars(wanted))


def _in_order() -> Iterator[Entry]:
    wanted = select(AuditEntry).where(AuditEntry.position.is_not(None)).order_by(AuditEntry.position)
    for row in db.session.scalars(wanted.execution_options(yield_per=1000)):
        yield _entry(row)


def _unsequenced() -> int:
    return len(db.session.scalars(select(AuditEntry.id).where(AuditEntry.position.is_(None))).all())


def _entry(row: AuditEntry) -> Entry:
    return Entry(
        id=row.id,
        at=row.at,
        event=row.event,
        actor_kind=row.actor_kind,
        actor_id=row.actor_id,
        enterprise_id=row.enterprise_id,
        file_id=row.file_id,
        person_id=row.person_id,
        agency_id=row.agency_id,
        details=row.details,
        position=row.position,
        hash=row.hash,
    )
