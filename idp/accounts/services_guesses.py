"""Counters of guesses: rows of the database, never memory; a try is counted before it is judged."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy.exc
from sqlalchemy import delete, insert, select, update

from ..db import transaction
from ..identifiers import UserCode
from ..sealing import current_sealing
from .lockout import Counter, count_try, give_back
from .models import GuessCounter

_PERSON = "person:"
_NOBODY = "code:"


def subject_of(person_id: str) -> str:
    """Return whose counter guards the secrets of a person: the same for all their codes and factors."""
    return f"{_PERSON}{person_id}"


def subject_of_nobody(user_code: UserCode) -> str:
    """Return the counter of a code nobody has: it locks like any other, so that nothing can be told from it."""
    return f"{_NOBODY}{current_sealing().keyed_digest(user_code.signs, 'guess')}"


def take_try(subject: str, *, now: datetime) -> tuple[bool, Counter]:
    """Count one more try on *subject* and tell whether it may be judged, with the counter as it now stands."""
    with transaction():
        counter = _lock_row(subject, now)
        if counter.is_locked(now):
            return False, counter
        taken = count_try(counter, now)
        _write(subject, taken, now)
        return True, taken


def take_try_on(subject: str, others: tuple[str, ...], *, now: datetime) -> tuple[bool, Counter, str]:
    """Count a try on *subject*, or when that is locked on the first of *others* that is not; also say on which."""
    may_judge, counter = take_try(subject, now=now)
    for other in others:
        if may_judge:
            break
        subject = other
        may_judge, counter = take_try(subject, now=now)
    return may_judge, counter, subject


def return_try(subject: str, taken: Counter, *, now: datetime) -> None:
    """Take back the try that made *taken*: it was right, or it was never judged."""
    with transaction():
        _write(subject, give_back(_lock_row(subject, now), taken), now)


def forget_failures(subject: str, *, now: datetime) -> None:
    """Begin again from zero, after every factor was shown."""
    with transaction():
        _write(subject, Counter(), now)


def forget_nobody(*, before: datetime) -> int:
    """Delete the counters of codes nobody has that were last touched before *before*."""
    with transaction() as session:
        gone = session.scalars(
            delete(GuessCounter)
            .where(GuessCounter.subject.startswith(_NOBODY), GuessCounter.changed_at < before)
            .returning(GuessCounter.subject)
            .execution_options(synchronize_session=False)
        ).all()
    return len(gone)


def _lock_row(subject: str, now: datetime) -> Counter:
    """Read the counter and keep others from changing it until the transaction ends."""
    wanted = select(GuessCounter.failures, GuessCounter.locked_until).where(GuessCounter.subject == subject)
    with transaction() as session:
        row = session.execute(wanted.with_for_update()).first()
        if row is None:
            try:
                with session.begin_nested():
                    session.execute(insert(GuessCounter).values(subject=subject, failures=0, changed_at=now))
            except sqlalchemy.exc.IntegrityError:
                pass  # somebody else has just begun the same row
            row = session.execute(wanted.with_for_update()).one()
    return Counter(row.failures, row.locked_until)


def _write(subject: str, counter: Counter, now: datetime) -> None:
    with transaction() as session:
        session.execute(
            update(GuessCounter)
            .where(GuessCounter.subject == subject)
            .values(failures=counter.failures, locked_until=counter.locked_until, changed_at=now)
        )
