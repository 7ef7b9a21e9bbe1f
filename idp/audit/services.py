"""Writing, ordering, reading and verifying the log.

An entry is inserted in the transaction of its change, without a position, so that writers never queue on the end of the
chain; one sequencer, holding the head row, gives position and hash within a second (decisions.md §33).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, insert, literal, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..db import db, in_transaction, new_id, release_connection, table_of, transaction
from .domain.chain import GENESIS, Entry, link
from .domain.events import Event
from .models import AuditEntry, AuditHead

_BATCH = 500
_LOG, _HEAD = table_of(AuditEntry), table_of(AuditHead)
_INSERT = insert(_LOG)  # compiled once: every act executes it
_COLUMNS = tuple(_LOG.c[member.name] for member in fields(Entry))


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person, an operator, an agency's officer, a visitor (``file``), or the provider itself."""

    kind: str
    id: str | None = None

    @classmethod
    def person(cls, person_id: str) -> Actor:
        """Return a signed-in person as the actor."""
        return cls("person", person_id)


SYSTEM = Actor("system")
ANONYMOUS = Actor("anonymous")


class Published(NamedTuple):
    """A position and its hash that were recorded elsewhere earlier, and where."""

    position: int
    hash: str
    where: str = "elsewhere"


@dataclass(frozen=True, slots=True)
class Verification:
    """What ``verify`` found: the entries that are valid, those without a position, the last hash, the first fault."""

    verified: int
    unsequenced: int
    head: str = GENESIS
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
    """Add one entry to the log, inside the transaction of the act it records, and return its id.

    *person_id* is the person the act is about. *details* contains ids, codes and dates; never a name, a secret, an
    address or a Revenu Québec number.

    Raises:
        RuntimeError: no transaction is open: an act and its entry are committed together or not at all.
    """
    if not in_transaction():
        raise RuntimeError("audit.record outside a transaction")
    entry_id = new_id()
    db.session.execute(
        _INSERT,
        {
            "id": entry_id,
            "at": now,
            "event": event.value,
            "actor_kind": actor.kind,
            "actor_id": actor.id,
            "enterprise_id": enterprise_id,
            "file_id": file_id,
            "person_id": person_id,
            "agency_id": agency_id,
            "details": details or {},
        },
    )
    return entry_id


def sequence(limit: int = _BATCH) -> int:
    """Give the waiting entries their position and hash; return how many were placed."""
    if not _waits():
        return 0
    with transaction() as session:
        position, previous = _hold_head(session)
        waiting = session.execute(
            select(*_COLUMNS).where(_LOG.c.position.is_(None)).order_by(_LOG.c.at, _LOG.c.id).limit(limit)
        ).all()
        for row in waiting:
            position += 1
            previous = link(previous, position, _entry(row))
            session.execute(update(_LOG).where(_LOG.c.id == row.id).values(position=position, hash=previous))
        session.execute(update(_HEAD).where(_HEAD.c.id == 1).values(position=position, hash=previous))
        return len(waiting)


def verify(published: Collection[Published] = ()) -> Verification:
    """Recompute the chain from its first entry and compare it with what is stored.

    *published* was recorded elsewhere earlier: only it reveals a log that was truncated together with its head, or
    recomputed.
    """
    noted: dict[int, list[Published]] = {}
    for each in published:
        noted.setdefault(each.position, []).append(each)
    with _snapshot() as connection:
        waiting = select(func.count()).select_from(_LOG).where(_LOG.c.position.is_(None))
        unsequenced = connection.execute(waiting).scalar_one()
        head = connection.execute(select(_HEAD.c.position, _HEAD.c.hash).where(_HEAD.c.id == 1)).first()
        return _recompute(connection, tuple(head) if head else (0, GENESIS), noted, unsequenced)


def _recompute(
    connection: Connection, head: tuple[int, str], noted: dict[int, list[Published]], unsequenced: int
) -> Verification:
    previous, reached = GENESIS, 0
    for entry in _in_order(connection):
        if entry.position != reached + 1:
            return Verification(reached, unsequenced, previous, f"position {reached + 1} is missing")
        wanted = link(previous, reached + 1, entry)
        if entry.hash != wanted:
            fault = f"entry {entry.id} at position {reached + 1} was altered"
            return Verification(reached, unsequenced, previous, fault)
        previous, reached = wanted, reached + 1
        for each in noted.get(reached, ()):
            if each.hash != previous:
                fault = f"position {reached} does not bear the hash that was published ({each.where})"
                return Verification(reached, unsequenced, previous, fault)
    if (reached, previous) != head:
        return Verification(reached, unsequenced, previous, f"the log ends at {reached}, its head says {head[0]}")
    if noted and (furthest := noted[max(noted)][0]).position > reached:
        fault = f"the log ends at {reached}, before what was published: {furthest.position} entries ({furthest.where})"
        return Verification(reached, unsequenced, previous, fault)
    return Verification(reached, unsequenced, previous)


def entries(
    *,
    enterprise_id: str | None = None,
    file_id: str | None = None,
    person_id: str | None = None,
    limit: int = 100,
    before: datetime | None = None,
    event: Event | None = None,
    without: Collection[Event] = (),
) -> tuple[Entry, ...]:
    """Return the latest entries about an enterprise, a file or a person, newest first.

    Only those of the kind *event* when one is given; none of the kinds *without*.
    """
    wanted = select(*_COLUMNS).order_by(_LOG.c.at.desc(), _LOG.c.id.desc()).limit(limit)
    if enterprise_id is not None:
        wanted = wanted.where(_LOG.c.enterprise_id == enterprise_id)
    if file_id is not None:
        wanted = wanted.where(_LOG.c.file_id == file_id)
    if person_id is not None:
        wanted = wanted.where(_LOG.c.person_id == person_id)
    if before is not None:
        wanted = wanted.where(_LOG.c.at < before)
    if event is not None:
        wanted = wanted.where(_LOG.c.event == event.value)
    if without:
        wanted = wanted.where(_LOG.c.event.not_in(sorted(without)))
    return tuple(_entry(row) for row in db.session.execute(wanted))


def in_order() -> Iterator[Entry]:
    """Yield every entry that has a position, in order, as the log is at this instant."""
    with _snapshot() as connection:
        yield from _in_order(connection)


def whole_of(person_id: str) -> Iterator[Entry]:
    """Yield every entry about a person, newest first, one page at a time."""
    wanted = select(*_COLUMNS).where(_LOG.c.person_id == person_id).order_by(_LOG.c.at.desc(), _LOG.c.id.desc())
    page = db.session.execute(wanted.limit(_BATCH)).all()
    while page:
        yield from map(_entry, page)
        last = tuple_(literal(page[-1].at, _LOG.c.at.type), literal(page[-1].id))
        page = db.session.execute(wanted.where(tuple_(_LOG.c.at, _LOG.c.id) < last).limit(_BATCH)).all()


def _waits() -> bool:
    """Return whether an entry waits for its position, without taking the write lock."""
    found = db.session.scalar(select(_LOG.c.id).where(_LOG.c.position.is_(None)).limit(1))
    if not in_transaction():
        db.session.commit()  # an idle sequencer must not keep a snapshot open
    return found is not None


def _hold_head(session: Session) -> tuple[int, str]:
    """Lock the end of the chain until the transaction ends, and return its position and hash."""
    wanted = select(_HEAD.c.position, _HEAD.c.hash).where(_HEAD.c.id == 1).with_for_update()
    head = session.execute(wanted).first()
    if head is None:
        try:
            with session.begin_nested():
                session.execute(insert(_HEAD).values(id=1, position=0, hash=GENESIS))
        except IntegrityError:  # another sequencer created it meanwhile
            head = session.execute(wanted).one()
    return (head.position, head.hash) if head else (0, GENESIS)


@contextmanager
def _snapshot() -> Iterator[Connection]:
    """Read the log as it is at one instant, while writers and the sequencer continue."""
    release_connection()
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


def _in_order(connection: Connection) -> Iterator[Entry]:
    wanted = select(*_COLUMNS).where(_LOG.c.position.is_not(None)).order_by(_LOG.c.position)
    with connection.execute(wanted, execution_options={"yield_per": 1000}) as rows:
        for row in rows:
            yield _entry(row)


def _entry(row: Row[Any]) -> Entry:
    return Entry(**row._mapping)
