"""A forgotten password: the same page, headers, statements and number of hashes, whether the user code exists or not (S-46).

An unknown user code begins a recovery like any other; its code is drawn, and sent nowhere. The password changes only for the
bearer of the code issued for this person and this recovery, who also shows a second factor (security-bar.md S-58).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, insert, select, update

from ... import audit
from ...crypto.sealing import current_sealing, digest, random_token
from ...db import db, new_id, transaction
from ...errors import Decision
from ...identifiers import UserCode
from ...notices import services as notices
from ..credentials import factor_services, second_factors
from ..credentials.domain.passwords import PasswordFault, check
from ..credentials.hashing import current_hasher
from ..models import Challenge, Password, UserCodeRow
from ..people import contact_services
from ..people.person_services import person
from ..sessions import known_browser_services, session_services
from ..sign_in.domain.steps import EMAIL_CODE_DIGITS, FlowKind
from ..sign_in.sign_in_lookup_services import owner_of
from ..sign_in.sign_in_services import note_refusal
from ..throttling import allowance_services, attempt_counter_services
from ..throttling.domain.lockout import Counter
from ..user_codes.domain.states import CodeState
from .domain.recovery_states import (
    CODE_LIFE,
    CODE_PAUSE,
    CODE_TRIES,
    CODES_PER_HOUR,
    LIFE,
    TRANSITIONS,
    RecoveryEvent,
    RecoveryState,
)
from .models import PasswordRecovery


class RecoveryOutcome(StrEnum):
    """What became of an answer."""

    RIGHT = "right"
    WRONG = "wrong"
    SPENT = "spent"
    LOCKED = "locked"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class RecoveryCheck:
    """The outcome; how many attempts are left, or until when none is checked."""

    outcome: RecoveryOutcome
    tries_left: int = 0
    locked_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Recovery:
    """A recovery that still holds; without a person it leads nowhere, and does not say so."""

    id: str
    state: RecoveryState
    person_id: str | None
    user_code: UserCode
    code_sent_at: datetime | None = None


def start(user_code: UserCode, *, former: str | None, now: datetime) -> str:
    """Begin a recovery, send its code, and return the secret its bearer goes on with; *former* in this browser ends."""
    person_id, recovery_id, token = _recoverable(user_code), new_id(), random_token()
    give_up(former, now=now)
    with transaction() as session:
        session.execute(
            insert(PasswordRecovery).values(
                id=recovery_id,
                secret_digest=digest(token),
                person_id=person_id,
                user_code=user_code.signs,
                state=RecoveryState.EMAIL_CODE.value,
                code_tries=0,
                created_at=now,
                expires_at=now + LIFE,
            )
        )
        audit.record(audit.Event.RECOVERY_STARTED, actor=audit.ANONYMOUS, person_id=person_id, now=now)
        _send(Recovery(recovery_id, RecoveryState.EMAIL_CODE, person_id, user_code), now)
    return token


def send_again(token: str | None, *, now: datetime) -> None:
    """Send another code, which kills the previous one; too soon or too often, none leaves; the response does not say."""
    with transaction():
        recovery = find(token, RecoveryState.EMAIL_CODE, now=now)
        if recovery is not None:
            _send(recovery, now)


def check_code(token: str | None, typed: str, *, known: str | None = None, now: datetime) -> RecoveryCheck:
    """Check the code received by e-mail: counted first on the person's one counter and on the code, right once.

    A browser they are known by (*known*) has a counter of its own while strangers keep the other one locked (S-50).
    """
    with transaction():
        recovery = find(token, RecoveryState.EMAIL_CODE, now=now)
        if recovery is None:
            return RecoveryCheck(RecoveryOutcome.OVER)
        factor_services.hold(recovery.person_id or "")  # without a person too: the same work (S-46)
        may_try, counter, subject = _take_try(recovery, known, now)
        if not may_try:
            return RecoveryCheck(RecoveryOutcome.LOCKED, locked_until=counter.locked_until)
        left = _count_code_try(recovery, now)
        if left is None:
            attempt_counter_services.return_try(subject, counter, now=now)
            return RecoveryCheck(RecoveryOutcome.SPENT)
        digits = "".join(typed.split()) if len(typed) <= 64 else ""
        if advance(recovery, RecoveryEvent.CODE_RIGHT, now, code_digest=_code_digest(recovery.id, digits)):
            attempt_counter_services.return_try(subject, counter, now=now)
            if recovery.person_id is not None:
                contact_services.note_confirmed(person(recovery.person_id).email, now=now)
            return RecoveryCheck(RecoveryOutcome.RIGHT)
        note_refusal(owner_of(recovery.user_code), subject, counter, step="recovery_code", now=now)
        if counter.is_locked(now):
            return RecoveryCheck(RecoveryOutcome.LOCKED, locked_until=counter.locked_until)
    return RecoveryCheck(RecoveryOutcome.WRONG if left else RecoveryOutcome.SPENT, left)


def check_factor(token: str | None, typed: str, *, known: str | None = None, now: datetime) -> RecoveryCheck:
    """Check the second factor, on the same counter; it is spent with the step that it opens."""
    with transaction():
        recovery = find(token, RecoveryState.SECOND_FACTOR, now=now)
        if recovery is None or recovery.person_id is None:
            return RecoveryCheck(RecoveryOutcome.OVER)
        factor_services.hold(recovery.person_id)
        may_try, counter, subject = _take_try(recovery, known, now)
        if not may_try:
            return RecoveryCheck(RecoveryOutcome.LOCKED, locked_until=counter.locked_until)
        if not second_factors.spend(recovery.person_id, typed, now=now):
            note_refusal(recovery.person_id, subject, counter, step="recovery_factor", now=now)
            if counter.is_locked(now):
                return RecoveryCheck(RecoveryOutcome.LOCKED, locked_until=counter.locked_until)
            return RecoveryCheck(RecoveryOutcome.WRONG, counter.tries_left)
        attempt_counter_services.return_try(subject, counter, now=now)
        return RecoveryCheck(
            RecoveryOutcome.RIGHT if advance(recovery, RecoveryEvent.FACTOR_RIGHT, now) else RecoveryOutcome.OVER
        )


def choose_password(
    token: str | None, password: str, *, about: tuple[str, ...] = (), now: datetime
) -> Decision[PasswordFault] | None:
    """Check the new password and put it in the place of the forgotten one; None when the recovery is over.

    Everything opened with the previous password ends: sign-ins, sign-ins under way, other recoveries. No browser is known.

    Raises:
        BusyError: too many passwords are being hashed.
    """
    recovery = find(token, RecoveryState.NEW_PASSWORD, now=now)
    if recovery is None or recovery.person_id is None:
        return None
    whom = person(recovery.person_id)
    words = (whom.given_name, whom.family_name, recovery.user_code.signs, whom.email.partition("@")[0], *about)
    decision = check(password, about=words, year=now.year)
    if not decision:
        return decision
    hashed = current_hasher().hash(password)
    with transaction():
        factor_services.hold(whom.id)
        if _recoverable(recovery.user_code) != whom.id or not advance(recovery, RecoveryEvent.PASSWORD_CHOSEN, now):
            return None
        factor_services.reset_password(whom.id, hashed=hashed, now=now)
        session_services.end_sign_ins_of(whom.id, now=now)
        end_pending(whom.id, now=now)
        known_browser_services.forget(whom.id, now=now)
        attempt_counter_services.forget_failures(attempt_counter_services.subject_of(whom.id), now=now)
    return decision


def find(token: str | None, *states: RecoveryState, now: datetime) -> Recovery | None:
    """Return the recovery *token* goes on with, if it waits for one of *states* (any, when none is named)."""
    if not token:
        return None
    row = db.session.execute(
        select(
            PasswordRecovery.id,
            PasswordRecovery.state,
            PasswordRecovery.person_id,
            PasswordRecovery.user_code,
            PasswordRecovery.code_sent_at,
        ).where(
            PasswordRecovery.secret_digest == digest(token),
            PasswordRecovery.state.in_([state.value for state in states or _WAITING]),
            PasswordRecovery.expires_at > now,
        )
    ).first()
    if row is None:
        return None
    return Recovery(row.id, RecoveryState(row.state), row.person_id, UserCode(row.user_code), row.code_sent_at)


def give_up(token: str | None, *, now: datetime) -> None:
    """End a recovery that was begun in this browser."""
    recovery = find(token, now=now)
    if recovery is not None:
        with transaction():
            advance(recovery, RecoveryEvent.GIVEN_UP, now)


def advance(recovery: Recovery, event: RecoveryEvent, now: datetime, *, code_digest: str | None = None) -> bool:
    """Pass on in one statement, when the state is still the one read (and the code is right); the code dies with it."""
    statement = update(PasswordRecovery).where(
        PasswordRecovery.id == recovery.id,
        PasswordRecovery.state == recovery.state.value,
        PasswordRecovery.expires_at > now,
    )
    if event is RecoveryEvent.CODE_RIGHT:
        statement = statement.where(PasswordRecovery.code_digest == code_digest)
    passed = db.session.execute(
        statement.values(state=TRANSITIONS[recovery.state, event].value, code_digest=None)
        .returning(PasswordRecovery.id)
        .execution_options(synchronize_session=False)
    ).first()
    return passed is not None


def end_pending(person_id: str, *, now: datetime) -> None:
    """End the sign-ins that wait for a second factor and the recoveries of a person, in the caller's transaction."""
    db.session.execute(
        update(Challenge)
        .where(Challenge.person_id == person_id, Challenge.kind == FlowKind.SIGN_IN.value, Challenge.ended_at.is_(None))
        .values(ended_at=now)
        .execution_options(synchronize_session=False)
    )
    db.session.execute(
        update(PasswordRecovery)
        .where(PasswordRecovery.person_id == person_id, PasswordRecovery.state.in_([state.value for state in _WAITING]))
        .values(state=RecoveryState.ENDED.value, code_digest=None)
        .execution_options(synchronize_session=False)
    )


def forget(*, before: datetime) -> int:
    """Delete the recoveries that were over before *before*."""
    with transaction() as session:
        gone = session.scalars(
            delete(PasswordRecovery)
            .where(PasswordRecovery.expires_at < before)
            .returning(PasswordRecovery.id)
            .execution_options(synchronize_session=False)
        ).all()
    return len(gone)


_WAITING = (RecoveryState.EMAIL_CODE, RecoveryState.SECOND_FACTOR, RecoveryState.NEW_PASSWORD)


def _send(recovery: Recovery, now: datetime) -> None:
    """Draw a code and send it, in the caller's transaction; without a person it is digested, sealed and sent nowhere."""
    if recovery.code_sent_at is not None and recovery.code_sent_at + CODE_PAUSE > now:
        return
    if allowance_services.take(f"recovery:{_subject(recovery)}", limit=CODES_PER_HOUR, now=now) is not None:
        return
    code = f"{secrets.randbelow(10**EMAIL_CODE_DIGITS):0{EMAIL_CODE_DIGITS}d}"
    kept = code if recovery.person_id else random_token()
    drawn = db.session.execute(
        update(PasswordRecovery)
        .where(
            PasswordRecovery.id == recovery.id,
            PasswordRecovery.state == RecoveryState.EMAIL_CODE.value,
        )
        .values(code_digest=_code_digest(recovery.id, kept), code_sent_at=now, code_tries=0)
        .returning(PasswordRecovery.id)
        .execution_options(synchronize_session=False)
    ).first()
    if drawn is None:
        return
    minutes = int(CODE_LIFE.total_seconds() // 60)
    notices.enqueue("recovery_code", {"person_id": recovery.person_id, "code": code, "minutes": minutes}, now=now)


def _count_code_try(recovery: Recovery, now: datetime) -> int | None:
    """Count an attempt on the code, and return how many are left after it; None when none may be checked."""
    counted = db.session.execute(
        update(PasswordRecovery)
        .where(
            PasswordRecovery.id == recovery.id,
            PasswordRecovery.code_digest.is_not(None),
            PasswordRecovery.code_sent_at > now - CODE_LIFE,
            PasswordRecovery.code_tries < CODE_TRIES,
        )
        .values(code_tries=PasswordRecovery.code_tries + 1)
        .returning(PasswordRecovery.code_tries)
        .execution_options(synchronize_session=False)
    ).first()
    return CODE_TRIES - counted.code_tries if counted else None


def _take_try(recovery: Recovery, known: str | None, now: datetime) -> tuple[bool, Counter, str]:
    """Count an attempt, also beyond the life of the password: this is where another one is chosen."""
    own = known_browser_services.counters(recovery.person_id, known, now=now)
    return attempt_counter_services.take_try_on(_subject(recovery), own, renewing=True, now=now)


def _subject(recovery: Recovery) -> str:
    """Return the counter of the user code: the one of its owner, activated or not, as on every other page (S-48)."""
    owner = owner_of(recovery.user_code)
    return (
        attempt_counter_services.subject_of(owner)
        if owner
        else attempt_counter_services.subject_of_nobody(recovery.user_code)
    )


def _recoverable(user_code: UserCode) -> str | None:
    """Return whose password *user_code* may recover: a person's who activated it."""
    return db.session.scalar(
        select(UserCodeRow.person_id)
        .join(Password, Password.person_id == UserCodeRow.person_id)
        .where(UserCodeRow.code == user_code.signs, UserCodeRow.state == CodeState.ACTIVATED.value)
    )


def _code_digest(recovery_id: str, code: str) -> str:
    return current_sealing().keyed_digest(code, f"recovery:{recovery_id}")
