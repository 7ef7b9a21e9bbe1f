"""Changing one's password: the current one, on a sign-in whose factors were shown in the last minutes (decisions.md §28)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ...db import transaction
from ..errors import BusyError
from ..people.person_services import person
from ..recovery.recovery_services import end_pending
from ..sessions import known_browser_services, session_services
from ..sessions.domain.sign_ins import SignIn
from ..sign_in.sign_in_services import closed_by, note_refusal
from ..throttling import attempt_counter_services
from ..throttling.domain.lockout import Counter
from . import factor_services
from .domain.passwords import PasswordFault, check, fits
from .hashing import current_hasher


class PasswordOutcome(StrEnum):
    """What became of a change of password."""

    CHANGED = "changed"
    WRONG = "wrong"
    LOCKED = "locked"
    SPENT = "spent"
    FAULTS = "faults"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class PasswordChange:
    """The outcome, the faults of the new password, and until when nothing is checked."""

    outcome: PasswordOutcome
    faults: tuple[PasswordFault, ...] = ()
    locked_until: datetime | None = None


def change_password(
    sign_in: SignIn, current: str, new: str, *, about: tuple[str, ...] = (), known: str | None = None, now: datetime
) -> PasswordChange:
    """Change the password of the person who knows the current one.

    Every other sign-in of theirs ends, and what was begun with the previous password: sign-ins under way, recoveries.
    Nor are they known any more in another browser than the present one (*known*, the digest of what it showed).
    A wrong current password counts like a wrong one at the sign-in: the same counter, the same lock.

    Raises:
        BusyError: too many passwords are being checked; the attempt does not count.
    """
    person_id, hasher = sign_in.person_id, current_hasher()
    faults = check(new, about=(*words_about(person_id, sign_in.user_code), *about), year=now.year).reasons
    if faults:
        return PasswordChange(PasswordOutcome.FAULTS, faults)
    subject = attempt_counter_services.subject_of(person_id)
    may_try, counter = attempt_counter_services.take_try(subject, now=now)
    if not may_try:
        return _not_checked(counter, now)
    former = factor_services.password_hash_of(person_id)
    try:
        is_right = fits(current) and hasher.verify(former, current)
        hashed = hasher.hash(new) if is_right else None
    except BusyError:
        attempt_counter_services.return_try(subject, counter, now=now)
        raise
    if former is None or hashed is None:
        note_refusal(person_id, subject, counter, step="current_password", now=now)
        return _not_checked(counter, now)
    with transaction():
        attempt_counter_services.return_try(subject, counter, now=now)
        if not factor_services.replace_password(person_id, former=former, hashed=hashed, now=now):
            return PasswordChange(PasswordOutcome.OVER)
        session_services.leave_only(sign_in, now=now)
        end_pending(person_id, now=now)
        known_browser_services.forget_others(person_id, known, now=now)
    return PasswordChange(PasswordOutcome.CHANGED)


def _not_checked(counter: Counter, now: datetime) -> PasswordChange:
    """Return why a current password was not taken: wrong, or no longer checked."""
    closed = closed_by(counter, now)
    outcome = PasswordOutcome(closed.value) if closed else PasswordOutcome.WRONG
    return PasswordChange(outcome, locked_until=counter.locked_until)


def words_about(person_id: str, user_code: str) -> tuple[str, ...]:
    """Return the words that a stranger would try first in a person's password."""
    whom = person(person_id)
    return (whom.given_name, whom.family_name, user_code, whom.email.partition("@")[0])
