"""Opening the door again for a person whose sign-in waits after wrong attempts; who may is decided by the rooms above.

Only the pause is lifted. The failures stay counted: five more attempts, then a pause longer than the last one, and never more
than a hundred attempts in a row. So opening the door for a guesser gives them fifteen attempts a day, and no account.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ... import audit
from ...audit import Actor
from ...db import transaction
from ...errors import ConflictError
from ..credentials import security_notice_services
from ..people.access_services import frozen_among
from . import allowance_services, attempt_counter_services

UNLOCKS_PER_DAY = 3  # for one person, the person who opens
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Lockout:
    """What keeps a person from signing in, as the rooms above show it."""

    failures: int = 0
    locked_until: datetime | None = None
    is_spent: bool = False
    is_frozen: bool = False

    @property
    def is_open(self) -> bool:
        """Return whether nothing does."""
        return self.locked_until is None and not self.is_spent and not self.is_frozen


def lockouts_of(person_ids: Iterable[str], *, now: datetime) -> dict[str, Lockout]:
    """Return what keeps each of these people from signing in at *now*, in two queries."""
    wanted = set(person_ids)
    counters, frozen = attempt_counter_services.counters_of(wanted), frozen_among(wanted)
    found = {}
    for each in wanted:
        counter = counters.get(each, attempt_counter_services.Counter())
        until = counter.locked_until if counter.is_locked(now) else None
        found[each] = Lockout(counter.failures, until, counter.is_spent, each in frozen)
    return found


def lockout_of(person_id: str, *, now: datetime) -> Lockout:
    """Return what keeps a person from signing in at *now*."""
    return lockouts_of((person_id,), now=now)[person_id]


def unlock(person_id: str, *, by: Actor, now: datetime) -> bool:
    """Lift the pause of a person's sign-in and notify them; return whether there was one.

    Raises:
        ConflictError: it was lifted too often within a day.
    """
    with transaction():
        former = attempt_counter_services.lift_lockout(attempt_counter_services.subject_of(person_id), now=now)
        if former is None:
            return False
        if allowance_services.take(f"unlock:{person_id}", limit=UNLOCKS_PER_DAY, window=_DAY, now=now) is not None:
            raise ConflictError("opened again too often within a day")
        audit.record(
            audit.Event.UNLOCKED, actor=by, person_id=person_id, details={"failures": former.failures}, now=now
        )
        security_notice_services.note(person_id, "sign_in:unlocked", now=now)
    return True
