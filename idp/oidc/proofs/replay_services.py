"""Identifiers that may be used once (``jti`` of assertions and proofs), seen by all workers alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from ...crypto.sealing import digest
from ...db import db, transaction
from ..models import ReplayIdRow

Once = tuple[str, str, datetime]
"""Who uses an identifier, which one, and until when a second use must be known."""


def spend_all(once: Sequence[Once]) -> frozenset[str]:
    """Note uses in the caller's transaction and return the owners whose use was their first.

    One statement, so that of several workers one succeeds; kept until the proof itself is too old to be taken.
    """
    if not once:
        return frozenset()
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    rows = [
        {"owner": owner, "identifier_digest": digest(identifier), "expires_at": until}
        for owner, identifier, until in sorted(once)  # always in the same order: two workers never wait for each other
    ]
    spent = db.session.scalars(insert(ReplayIdRow).values(rows).on_conflict_do_nothing().returning(ReplayIdRow.owner))
    return frozenset(spent)


def spend(owner: str, identifier: str, *, until: datetime) -> bool:
    """Note one use, in the caller's transaction; only the first receives True."""
    return owner in spend_all([(owner, identifier, until)])


def is_spent(owner: str, identifier: str) -> bool:
    """Return whether a use was noted."""
    noted = select(ReplayIdRow.owner).where(
        ReplayIdRow.owner == owner, ReplayIdRow.identifier_digest == digest(identifier)
    )
    return db.session.scalar(noted) is not None


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
