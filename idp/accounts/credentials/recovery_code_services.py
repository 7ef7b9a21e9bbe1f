"""Recovery codes as rows: ten made at once, each spent by one statement, all dead when new ones are made."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, insert, select, update

from ... import audit
from ...crypto.sealing import current_sealing
from ...db import db, new_id, transaction
from ...notices import services as notices
from ..models import RecoveryCode
from ..people.person_services import person
from . import factor_services
from .domain import recovery_codes


def make(person_id: str, *, now: datetime) -> tuple[str, ...]:
    """Make ten new codes and return them, the only time they exist; the previous ones no longer work."""
    drawn = recovery_codes.draw()
    with transaction() as session:
        factor_services.hold(person_id)  # two pages at once make ten codes, not twenty
        session.execute(
            update(RecoveryCode)
            .where(RecoveryCode.person_id == person_id, RecoveryCode.revoked_at.is_(None))
            .values(revoked_at=now)
            .execution_options(synchronize_session=False)
        )
        session.execute(
            insert(RecoveryCode),
            [
                {"id": new_id(), "person_id": person_id, "code_digest": _digest(person_id, code), "created_at": now}
                for code in drawn
            ],
        )
        audit.record(audit.Event.RECOVERY_CODES_MADE, actor=audit.Actor.person(person_id), person_id=person_id, now=now)
        factor_services.notify_credential_change(person_id, "recovery_codes", "create", now=now)
    return drawn


def spend(person_id: str, typed: str, *, now: datetime) -> bool:
    """Use a code of a person up, and notify them by e-mail; return whether it was good."""
    with transaction() as session:
        used = session.execute(
            update(RecoveryCode)
            .where(
                RecoveryCode.person_id == person_id,
                RecoveryCode.code_digest == _digest(person_id, recovery_codes.read(typed)),
                RecoveryCode.used_at.is_(None),
                RecoveryCode.revoked_at.is_(None),
            )
            .values(used_at=now)
            .returning(RecoveryCode.id)
            .execution_options(synchronize_session=False)
        ).first()
        if used is None:
            return False
        remaining = left(person_id)
        audit.record(
            audit.Event.RECOVERY_CODE_USED,
            actor=audit.Actor.person(person_id),
            person_id=person_id,
            details={"left": remaining},
            now=now,
        )
        whom = person(person_id)
        told = {"to": whom.email, "language": whom.language, "at": now.isoformat(), "left": remaining}
        notices.enqueue("recovery_code_used", told, now=now)
    return True


def left(person_id: str) -> int:
    """Return how many codes of a person still work."""
    wanted = select(func.count(RecoveryCode.id)).where(
        RecoveryCode.person_id == person_id, RecoveryCode.used_at.is_(None), RecoveryCode.revoked_at.is_(None)
    )
    return db.session.scalar(wanted) or 0


def _digest(person_id: str, code: str) -> str:
    return current_sealing().keyed_digest(code, f"recovery_code:{person_id}")
