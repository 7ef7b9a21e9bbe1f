"""Failed attempts over many accounts at once: counted in rows, reported once a window (security-bar.md S-49; ASVS 6.3.5).

One counter cannot see one password attempted on every account. As five failures close an account, many failures within
minutes are many accounts. Nobody is locked out by the alarm: that would hand strangers a switch for the whole service.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from ... import audit
from ...db import db, transaction
from ...http.web import current_settings
from ...notices import services as notices
from ...notices.domain.messages import Email
from ...notices.email import from_template
from .models import AlarmRow, FailedTries

log = structlog.get_logger("mandat.alarm")

_KIND = "failed_tries"
_DOUBT = "log_doubted"
KEPT = timedelta(days=1)  # of the minutes
_DOUBTED_AGAIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm that lasts: since when, how many attempts failed within the window then, and until when unless it goes on."""

    raised_at: datetime
    tries: int
    until: datetime


def count_failure(now: datetime) -> None:
    """Count one more failed try, in the caller's transaction and in one statement; right ones cost nothing."""
    counted = _insert(FailedTries).values(minute=now.replace(second=0, microsecond=0), tries=1)
    db.session.execute(
        counted.on_conflict_do_update(index_elements=[FailedTries.minute], set_={"tries": FailedTries.tries + 1})
    )


def watch_failed_tries(now: datetime) -> bool:
    """Raise the alarm when too many attempts failed within the window; return whether this call did it, once a window."""
    settings = current_settings()
    window = timedelta(minutes=settings.alarm_minutes)
    with transaction() as session:
        session.execute(delete(FailedTries).where(FailedTries.minute < now - KEPT))
        tries = failed_within(window, now=now)
        if not settings.alarm_tries or tries < settings.alarm_tries:
            return False
        if not _raise(_KIND, tries, window, now):
            return False
        told = {"tries": tries, "minutes": settings.alarm_minutes}
        audit.record(audit.Event.ALARM_RAISED, actor=audit.SYSTEM, details=told, now=now)
        if settings.alarm_email:
            notices.enqueue("sign_in_alarm", {**told, "to": settings.alarm_email, "at": now.isoformat()}, now=now)
    log.error("many failed sign-ins", tries=tries, minutes=settings.alarm_minutes)
    return True


def doubt_log(place: str, now: datetime) -> bool:
    """Raise the alarm, once a day, that the log does not continue what was published in *place*; return whether this call did."""
    settings = current_settings()
    with transaction():
        if not _raise(_DOUBT, 0, _DOUBTED_AGAIN, now):
            return False
        audit.record(audit.Event.LOG_DOUBTED, actor=audit.SYSTEM, details={"place": place}, now=now)
        if settings.alarm_email:
            told = {"place": place, "to": settings.alarm_email, "at": now.isoformat()}
            notices.enqueue("log_alarm", told, now=now)
    return True


def current_alarm(now: datetime) -> Alarm | None:
    """Return the alarm that lasts at *now*, for the desk and for ``idp doctor``."""
    window = timedelta(minutes=current_settings().alarm_minutes)
    row = db.session.execute(
        select(AlarmRow.raised_at, AlarmRow.tries).where(AlarmRow.kind == _KIND, AlarmRow.raised_at > now - window)
    ).first()
    return Alarm(row.raised_at, row.tries, row.raised_at + window) if row else None


def failed_within(window: timedelta, *, now: datetime) -> int:
    """Return how many attempts failed within *window*, to the minute."""
    counted = select(func.sum(FailedTries.tries)).where(FailedTries.minute > now - window)
    return db.session.scalar(counted) or 0


def render(payload: dict[str, Any], _now: datetime) -> Email:
    """Return the message to the person who watches over the service; it names nobody."""
    return from_template(
        "accounts/mail_alarm.txt",
        to=payload["to"],
        language="fr",
        at=datetime.fromisoformat(payload["at"]),
        tries=payload["tries"],
        minutes=payload["minutes"],
    )


def render_doubt(payload: dict[str, Any], _now: datetime) -> Email:
    """Return the message about a log that is not what was published."""
    return from_template(
        "accounts/mail_log_alarm.txt",
        to=payload["to"],
        language="fr",
        at=datetime.fromisoformat(payload["at"]),
        place=payload["place"],
    )


def _raise(kind: str, tries: int, again_after: timedelta, now: datetime) -> bool:
    """Note an alarm in one statement; return whether it is a new one."""
    row = _insert(AlarmRow).values(kind=kind, raised_at=now, tries=tries)
    raised = db.session.execute(
        row.on_conflict_do_update(
            index_elements=[AlarmRow.kind],
            set_={"raised_at": now, "tries": tries},
            where=AlarmRow.raised_at <= now - again_after,
        ).returning(AlarmRow.kind)
    ).first()
    return raised is not None


def _insert(table: Any) -> Any:
    return (postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert)(table)
