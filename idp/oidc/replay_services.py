"""Identifiers that may be used once (``jti`` of assertions), seen by all workers alike."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite

from ..db import db, transaction
from ..sealing import digest
from .models import ReplayIdRow


def spend(owner: str, identifier: str, *, until: datetime) -> bool:
    """Note, in the caller's transaction, that *owner* used *identifier*; only its first use is told True.

    One statement, so that of several workers one succeeds; kept until the proof itself is too old to be taken.
    """
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    spent = db.session.execute(
        insert(ReplayIdRow)
        .values(owner=owner, identifier_digest=digest(identifier), expires_at=until)
        .on_conflict_do_nothing()
        .returning(ReplayIdRow.owner)
    ).first()
    return spent is not None


def forget_old(now: datetime) -> int:
    """Delete the identifiers whose proofs are over; return how many."""
    with transaction() as session:
        gone = session.scalars(
            delete(ReplayIdRow)
            .where(ReplayIdRow.expires_at < now)
            .returning(ReplayIdRow.owner)
            .execution_options(synchronize_session=False)
        )
        return len(gone.all())
