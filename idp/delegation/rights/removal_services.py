"""What people lost, and whether the agency confirmed that it knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from ... import audit
from ...audit.domain.events import Event
from ...audit.services import SYSTEM
from ...db import db, transaction
from ..models import Removal


@dataclass(frozen=True, slots=True)
class RemovalView:
    """One loss of rights; ``sessions`` counts the sessions the agency was asked to end, None until confirmed."""

    id: str
    at: datetime
    agency_id: str
    person_id: str
    blocks: tuple[str, ...]
    reason: str
    version: int
    confirmed_at: datetime | None
    sessions: int | None


def removals(
    enterprise_id: str, *, agency_id: str | None = None, since: datetime | None = None, limit: int = 10
) -> tuple[RemovalView, ...]:
    """Return the latest removals of an enterprise, newest first."""
    wanted = select(
        Removal.id,
        Removal.at,
        Removal.agency_id,
        Removal.person_id,
        Removal.blocks,
        Removal.reason,
        Removal.version,
        Removal.confirmed_at,
        Removal.sessions,
    ).where(Removal.enterprise_id == enterprise_id)
    if agency_id is not None:
        wanted = wanted.where(Removal.agency_id == agency_id)
    if since is not None:
        wanted = wanted.where(Removal.at >= since)
    rows = db.session.execute(wanted.order_by(Removal.at.desc(), Removal.id).limit(limit)).all()
    return tuple(
        RemovalView(
            id=row.id,
            at=row.at,
            agency_id=row.agency_id,
            person_id=row.person_id,
            blocks=tuple(row.blocks),
            reason=row.reason,
            version=row.version,
            confirmed_at=row.confirmed_at,
            sessions=row.sessions,
        )
        for row in rows
    )


def confirm_removal(removal_id: str, *, confirmed_at: datetime, sessions: int) -> bool:
    """Note that the agency knows of a removal; *sessions* is how many of its sessions were concerned (0: none was open).

    The first confirmation counts; a later one, or an unknown id, changes nothing and returns False.
    """
    with transaction() as session:
        confirmed = session.execute(
            update(Removal)
            .where(Removal.id == removal_id, Removal.confirmed_at.is_(None))
            .values(confirmed_at=confirmed_at, sessions=sessions)
            .returning(Removal.enterprise_id, Removal.agency_id, Removal.person_id)
        ).first()
        if confirmed is None:
            return False
        audit.record(
            Event.REMOVAL_CONFIRMED,
            actor=SYSTEM,
            now=confirmed_at,
            enterprise_id=confirmed.enterprise_id,
            person_id=confirmed.person_id,
            agency_id=confirmed.agency_id,
            details={"removal": removal_id, "sessions": sessions},
        )
        return True
