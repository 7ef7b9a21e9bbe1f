"""How many messages of one sort may leave for one subject: rows of the database, never memory (security-bar.md R-25)."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy.exc
from sqlalchemy import delete, insert, select, update

from ...db import transaction
from ..recovery.models import Allowance

HOUR = timedelta(hours=1)  # the usual window


def take(subject: str, *, limit: int, now: datetime, window: timedelta = HOUR) -> datetime | None:
    """Count one more message for *subject*, in the caller's transaction.

    Return None when it may leave: at most *limit* do within any *window*; else the instant from which one more may.
    """
    with transaction() as session:
        recent = [at for at in _lock_row(subject, now) if datetime.fromisoformat(at) > now - window]
        if len(recent) >= limit:
            return datetime.fromisoformat(recent[-limit]) + window
        session.execute(
            update(Allowance)
            .where(Allowance.subject == subject)
            .values(taken=[*recent, now.isoformat()], changed_at=now)
            .execution_options(synchronize_session=False)
        )
    return None


def forget(*, before: datetime) -> int:
    """Delete what no longer counts."""
    with transaction() as session:
        gone = session.scalars(
            delete(Allowance)
            .where(Allowance.changed_at < before)
            .returning(Allowance.subject)
            .execution_options(synchronize_session=False)
        ).all()
    return len(gone)


def _lock_row(subject: str, now: datetime) -> list[str]:
    """Read the row and keep others from changing it until the transaction ends."""
    wanted = select(Allowance.taken).where(Allowance.subject == subject)
    with transaction() as session:
        found = session.scalar(wanted.with_for_update())
        if found is None:
            try:
                with session.begin_nested():
                    session.execute(insert(Allowance).values(subject=subject, taken=[], changed_at=now))
            except sqlalchemy.exc.IntegrityError:
                pass  # another person has just begun the same row
            found = session.scalar(wanted.with_for_update())
    return list(found or ())
