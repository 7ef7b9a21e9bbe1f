"""Counters of guesses: rows of the database, never memory; an attempt is counted before it is checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ...crypto.sealing import current_sealing
from ...db import db, table_of, transaction
from ...identifiers import UserCode
from ..models import AttemptCounter
from .domain.lockout import Counter as Counter
from .domain.lockout import count_elsewhere, count_try, give_back, lift_pause

_PERSON = "person:"
_NOBODY = "code:"
_BROWSER = "browser:"
_COUNTERS = table_of(AttemptCounter)
_OF = _COUNTERS.c.subject == bindparam("of")
_LOCK = {  # one statement, whether the counter is there or begins: else the work would disclose who has a code (S-46)
    name: insert(_COUNTERS)
    .values(subject=bindparam("of"), failures=0, changed_at=bindparam("now"))
    .on_conflict_do_update(index_elements=["subject"], set_={"changed_at": bindparam("now")})
    .returning(_COUNTERS.c.failures, _COUNTERS.c.locked_until)
    for name, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}
_WRITE = update(_COUNTERS).where(_OF)


def subject_of(person_id: str) -> str:
    """Return whose counter guards the secrets of a person: the same for all their codes and factors."""
    return f"{_PERSON}{person_id}"


def subject_of_nobody(user_code: UserCode) -> str:
    """Return the counter of a code that does not exist: it locks like any other, so that it discloses nothing."""
    return f"{_NOBODY}{current_sealing().keyed_digest(user_code.signs, 'guess')}"


def subject_of_browser(person_id: str, browser_id: str) -> str:
    """Return the counter of the attempts against a person from a browser they are known by."""
    return f"{_BROWSER}{person_id}:{browser_id}"


def take_try(subject: str, *, now: datetime, renewing: bool = False) -> tuple[bool, Counter]:
    """Count one more attempt on *subject* and return whether it may be checked, with the counter as it now stands.

    Once the password is spent, only what leads to another one (*renewing*) is checked.
    """
    with transaction():
        counter = _lock_row(subject, now)
        if counter.is_locked(now) or (counter.is_spent and not renewing):
            return False, counter
        taken = count_try(counter, now)
        _write(subject, taken, now)
        return True, taken


def take_try_on(
    subject: str, browsers: tuple[str, ...], *, now: datetime, renewing: bool = False
) -> tuple[bool, Counter, str]:
    """Count an attempt on *subject*, or when that is locked on the first of *browsers* that is not; also say on which.

    An attempt from a known browser counts in the person's total too: a hundred is a hundred, from everywhere together.
    """
    with transaction():
        may_try, counter = take_try(subject, now=now, renewing=renewing)
        if may_try or (counter.is_spent and not renewing):
            return may_try, counter, subject
        own, on = counter, subject
        for on in browsers:
            may_try, own = take_try(on, now=now, renewing=True)
            if may_try:
                total = count_elsewhere(counter)
                _write(subject, total, now)
                return True, replace(own, in_all=total.failures), on
    return False, own, on


def return_try(subject: str, taken: Counter, *, now: datetime) -> None:
    """Take back the attempt that made *taken*: it was right, or it was never checked."""
    with transaction():
        if subject.startswith(_BROWSER):
            person = subject_of(subject.split(":")[1])
            _write(person, count_elsewhere(_lock_row(person, now), -1), now)
        _write(subject, give_back(_lock_row(subject, now), taken), now)


def counters_of(person_ids: Iterable[str]) -> dict[str, Counter]:
    """Return the counters of people by id, in one query; who was never guessed at is absent."""
    subjects = {subject_of(each): each for each in person_ids}
    if not subjects:
        return {}
    rows = db.session.execute(
        select(AttemptCounter.subject, AttemptCounter.failures, AttemptCounter.locked_until).where(
            AttemptCounter.subject.in_(subjects)
        )
    )
    return {subjects[row.subject]: Counter(row.failures, row.locked_until) for row in rows}


def lift_lockout(subject: str, *, now: datetime) -> Counter | None:
    """Lift the pause of *subject* and return the counter as it was; None when there was no pause."""
    with transaction():
        counter = _lock_row(subject, now)
        if not counter.is_locked(now):
            return None
        _write(subject, lift_pause(counter), now)
    return counter


def forget_failures(subject: str, *, now: datetime) -> None:
    """Begin again from zero, after every factor was shown."""
    with transaction():
        _write(subject, Counter(), now)


def forget_nobody(*, before: datetime) -> int:
    """Delete the counters of codes that do not exist that were last touched before *before*."""
    with transaction() as session:
        gone = session.scalars(
            delete(AttemptCounter)
            .where(AttemptCounter.subject.startswith(_NOBODY), AttemptCounter.changed_at < before)
            .returning(AttemptCounter.subject)
            .execution_options(synchronize_session=False)
        ).all()
    return len(gone)


def _lock_row(subject: str, now: datetime) -> Counter:
    """Read the counter and keep others from changing it until the caller's transaction ends."""
    row = db.session.execute(_LOCK[db.engine.dialect.name], {"of": subject, "now": now}).one()
    return Counter(row.failures, row.locked_until)


def _write(subject: str, counter: Counter, now: datetime) -> None:
    values = {"failures": counter.failures, "locked_until": counter.locked_until, "changed_at": now}
    db.session.execute(_WRITE, {"of": subject, **values})
