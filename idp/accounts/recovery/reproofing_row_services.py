"""The rows of re-proofings: each passes on, or ends, in one statement of the caller's transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import update

from ...db import db
from ..models import Challenge
from .domain.reproofing_states import ReproofingEvent, ReproofingState, sources
from .models import Reproofing


def end(
    person_id: str, event: ReproofingEvent, to: ReproofingState, now: datetime, *, before: datetime | None = None
) -> int:
    """End what is open for a person, the challenges it began too; return how many."""
    statement = update(Reproofing).where(
        Reproofing.person_id == person_id, Reproofing.state.in_([state.value for state in sources(event)])
    )
    if before is not None:
        statement = statement.where(Reproofing.expires_at <= before)
    ended = db.session.execute(
        statement.values(state=to.value, ended_at=now, secret_digest=None, objection_digest=None)
        .returning(Reproofing.challenge_id)
        .execution_options(synchronize_session=False)
    ).all()
    pending = [row.challenge_id for row in ended if row.challenge_id]
    if not pending:
        return len(ended)
    db.session.execute(
        update(Challenge)
        .where(Challenge.id.in_(pending), Challenge.ended_at.is_(None))
        .values(ended_at=now, password_hash=None, totp_secret=None)
        .execution_options(synchronize_session=False)
    )
    return len(ended)


def move(*conditions: Any, event: ReproofingEvent, to: ReproofingState, now: datetime, **values: object) -> str | None:
    """Pass to the next state in one statement; return the user code of the one that did."""
    moved = db.session.execute(
        update(Reproofing)
        .where(*conditions, Reproofing.state.in_([state.value for state in sources(event)]))
        .where(Reproofing.expires_at > now)
        .values(state=to.value, **values)
        .returning(Reproofing.user_code)
        .execution_options(synchronize_session=False)
    ).first()
    return str(moved.user_code) if moved else None
