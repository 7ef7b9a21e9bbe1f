"""What the worker does for enrolment: check files that wait for a connector, apply deadlines, destroy old documents."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select

from .. import audit
from ..audit import SYSTEM
from ..db import db, transaction
from . import evidence_services
from .check_services import check
from .domain.states import TRANSITIONS, State, StateEvent
from .file_services import lock, move
from .models import EnrolmentFile
from .referral_services import refer


def take_up_submitted(now: datetime, limit: int = 50) -> int:
    """Check the submitted files that are not being checked; return how many were attempted."""
    waiting = select(EnrolmentFile.id).where(
        EnrolmentFile.state == State.SUBMITTED.value,
        or_(EnrolmentFile.check_leased_until.is_(None), EnrolmentFile.check_leased_until <= now),
    )
    ids = db.session.scalars(waiting.order_by(EnrolmentFile.submitted_at).limit(limit)).all()
    db.session.commit()
    for file_id in ids:
        check(file_id, now=now)
    return len(ids)


def sweep_deadlines(now: datetime, limit: int = 200) -> int:
    """Apply the deadlines that have passed, and destroy old documents; return how many files moved."""
    evidence_services.wipe_old(now=now)
    late = select(EnrolmentFile.id).where(EnrolmentFile.deadline_at <= now).order_by(EnrolmentFile.deadline_at)
    ids = db.session.scalars(late.limit(limit)).all()
    db.session.commit()
    return sum(_lapse(file_id, now) for file_id in ids)


def _lapse(file_id: str, now: datetime) -> bool:
    with transaction() as session:
        file = lock(session, file_id)
        if file.deadline_at is None or file.deadline_at > now:
            return False
        state = State(file.state)
        if (state, StateEvent.DEADLINE) not in TRANSITIONS:
            file.deadline_at = None
            return False
        if TRANSITIONS[state, StateEvent.DEADLINE] is State.UNDER_REVIEW:
            refer(session, file, StateEvent.DEADLINE, now=now)
            return True
        file.decided_at = now
        move(session, file, StateEvent.DEADLINE, actor=SYSTEM, now=now, audit_event=audit.Event.FILE_EXPIRED)
        return True
