"""Signing in: user code and password, then a second factor. No session exists before both were right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ... import audit
from ...crypto.sealing import current_sealing
from ...db import transaction
from ...identifiers import UserCode
from ...notices import services as notices
from ..challenges import challenge_services
from ..challenges.challenge_services import SubmittedForm
from ..credentials import factor_services, passkey_services, recovery_code_services, security_notice_services
from ..credentials.domain.passkeys import CeremonyPurpose
from ..credentials.domain.passwords import fits
from ..credentials.domain.totp import read_code
from ..credentials.hashing import current_hasher
from ..errors import BusyError
from ..people import access_services
from ..people.person_services import reader
from ..sessions import known_browser_services, session_services
from ..sessions.domain.sign_ins import (
    PASSKEY_ACR,
    PASSWORD_AND_CODE,
    PASSWORD_AND_PASSKEY,
    PASSWORD_AND_RECOVERY,
    AuthenticationContext,
    CompletedSignIn,
    SignIn,
)
from ..throttling import alarm_services, attempt_counter_services
from ..throttling.domain.lockout import LIFE_TRIES, Counter
from .domain.steps import FlowKind, FlowStep
from .sign_in_lookup_services import activated_person, holder_of, pending_sign_in


class Refusal(StrEnum):
    """Why a step of the sign-in does not advance."""

    WRONG = "wrong"
    LOCKED = "locked"
    SPENT = "spent"
    OVER = "over"
    PASSKEY_ONLY = "passkey_only"
    FROZEN = "frozen"
    CODE_OVER = "code_over"


@dataclass(frozen=True, slots=True)
class FirstStep:
    """The answer to a user code and a password: the secret to go on with and by which page, or the refusal."""

    token: str | None = field(default=None, repr=False)
    has_passkey: bool = False
    refusal: Refusal | None = None
    locked_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class SecondStep:
    """The answer to a second factor: the completed sign-in, or the refusal."""

    signed: CompletedSignIn | None = None
    refusal: Refusal | None = None
    locked_until: datetime | None = None
    tries_left: int | None = None
    thaw_token: str | None = field(default=None, repr=False)  # with FROZEN: to go on with the code, if one was sent


def check_password(
    user_code: UserCode, password: str, *, next_path: str, known: str | None = None, now: datetime
) -> FirstStep:
    """Check a user code and a password: one hash and one answer, whether the code exists or not.

    *known* is the digest of what the browser shows of earlier sign-ins: a way in while strangers lock the account (S-50).

    Raises:
        BusyError: too many passwords are being checked; the attempt does not count.
    """
    with transaction():
        holder = holder_of(user_code)
        owner, person_id, stored = holder.owner, holder.person_id, holder.password_hash
        # the owner's is the activation page's counter too: else the pages would distinguish codes
        subject = (
            attempt_counter_services.subject_of(owner)
            if owner
            else attempt_counter_services.subject_of_nobody(user_code)
        )
        own = known_browser_services.counters(owner, known, now=now)
        may_try, counter, subject = attempt_counter_services.take_try_on(subject, own, now=now)
    if not may_try:
        return FirstStep(refusal=closed_by(counter, now), locked_until=counter.locked_until)
    try:
        is_right = fits(password) and current_hasher().verify(stored, password)
    except BusyError:
        attempt_counter_services.return_try(subject, counter, now=now)
        raise
    if person_id is None or stored is None or not is_right:
        note_refusal(owner, subject, counter, step="password", now=now)
        return FirstStep(refusal=closed_by(counter, now) or Refusal.WRONG, locked_until=counter.locked_until)
    with transaction():
        attempt_counter_services.return_try(subject, counter, now=now)
        latest, token = challenge_services.begin(
            FlowKind.SIGN_IN,
            FlowStep.SECOND_FACTOR,
            person_id=person_id,
            user_code=user_code.signs,
            next_path=next_path,
            now=now,
        )
        if holder.pending_sign_ins >= challenge_services.MOST:
            challenge_services.keep_latest(person_id, FlowKind.SIGN_IN, latest, now=now)
    factor_services.refresh_hash(person_id, former=stored, password=password)
    return FirstStep(token=token, has_passkey=holder.has_passkey)


def check_second_factor(
    token: str | None,
    code: str,
    *,
    page: str = "",
    former: SignIn | None,
    device: str,
    known: str | None = None,
    now: datetime,
) -> SecondStep:
    """Check the code of an application; when it is right, the sign-in begins, all in one transaction."""

    def proves(person_id: str) -> bool:
        digits = read_code(code)
        return digits is not None and factor_services.spend_code(person_id, digits, now=now)

    return _second_step(
        token, SubmittedForm(code, page), proves, PASSWORD_AND_CODE, former=former, device=device, known=known, now=now
    )


def check_recovery_code(
    token: str | None,
    code: str,
    *,
    page: str = "",
    former: SignIn | None,
    device: str,
    known: str | None = None,
    now: datetime,
) -> SecondStep:
    """Check a recovery code in the place of the second factor; it is counted like any other guess."""

    def proves(person_id: str) -> bool:
        return recovery_code_services.spend(person_id, code, now=now)

    return _second_step(
        token,
        SubmittedForm(code, page),
        proves,
        PASSWORD_AND_RECOVERY,
        former=former,
        device=device,
        known=known,
        now=now,
    )


def check_passkey(
    token: str | None,
    ceremony: str | None,
    answer: str,
    *,
    page: str = "",
    former: SignIn | None,
    device: str,
    known: str | None = None,
    now: datetime,
) -> SecondStep:
    """Check a passkey in the place of the second factor."""

    def proves(person_id: str) -> bool:
        return (
            passkey_services.accept(ceremony, answer, CeremonyPurpose.SECOND_FACTOR, person_id=person_id, now=now)
            is not None
        )

    return _second_step(
        token,
        SubmittedForm(answer, page),
        proves,
        PASSWORD_AND_PASSKEY,
        former=former,
        device=device,
        known=known,
        now=now,
    )


def _second_step(
    token: str | None,
    sent: SubmittedForm,
    proves: Callable[[str], bool],
    shown: AuthenticationContext,
    *,
    former: SignIn | None,
    device: str,
    known: str | None = None,
    now: datetime,
) -> SecondStep:
    """Check a second factor; when it is right, the sign-in begins, all in one transaction."""
    with transaction():
        going_on = pending_sign_in(token, now=now)
        if going_on is None:
            return sent_again(token, sent, now=now)
        if shown.acr != PASSKEY_ACR and going_on.wants_passkey:
            return SecondStep(refusal=Refusal.PASSKEY_ONLY)
        pending = going_on.challenge
        who = session_services.account_status(
            pending.person_id, pending.user_code
        )  # the person before all else (factors.hold)
        subject = attempt_counter_services.subject_of(pending.person_id)
        own = known_browser_services.counters(pending.person_id, known, now=now)
        may_try, counter, subject = attempt_counter_services.take_try_on(subject, own, now=now)
        if not may_try:
            return SecondStep(refusal=closed_by(counter, now), locked_until=counter.locked_until)
        mark = sent.mark(pending)
        if not proves(pending.person_id):
            if (twice := came_twice(token, sent, subject, counter, now=now)) is not None:
                return twice
            challenge_services.note_answer(pending, mark)
            note_refusal(pending.person_id, subject, counter, step="second_factor", now=now)
            return refused(counter, now)
        if not challenge_services.advance(pending, now=now, answer_digest=mark):
            return sent_again(token, sent, now=now)
        if activated_person(pending.user_code) != pending.person_id:
            return SecondStep(refusal=Refusal.OVER)
        attempt_counter_services.forget_failures(subject, now=now)
        if not who.is_open:
            return frozen(access_services.begin_thaw(pending.person_id, pending.user_code, now=now))
        signed = session_services.begin_sign_in(
            who,
            shown=shown,
            device=device,
            former=former,
            next_path=pending.next_path,
            token=secret_after(token, pending),
            now=now,
        )
    return SecondStep(signed=signed)


def secret_after(token: str | None, pending: challenge_services.PendingChallenge) -> str:
    """Return the secret of the sign-in that follows from a challenge: new, and the same when its last form comes twice."""
    return current_sealing().derived_token(token or "", f"sign_in:{pending.id}")


def sent_again(token: str | None, sent: SubmittedForm, *, now: datetime) -> SecondStep:
    """Answer a form that came twice as it was answered a moment ago; anything else for a challenge that is over is refused.

    A browser gives up the first answer when a form is sent again: the second one must bring the same cookie.
    """
    pending = challenge_services.answered(token, sent, now=now)
    again = session_services.given_again(secret_after(token, pending), pending.next_path, now=now) if pending else None
    return SecondStep(signed=again) if again else SecondStep(refusal=Refusal.OVER)


def came_twice(
    token: str | None, sent: SubmittedForm, subject: str, taken: Counter, *, now: datetime
) -> SecondStep | None:
    """Return the answer to a form that was checked before, or by a request just ahead; it does not count again."""
    standing = challenge_services.find(token, FlowKind.SIGN_IN, now=now)
    if standing is not None and (not sent.page or standing.answer_digest != sent.mark(standing)):
        return None
    attempt_counter_services.return_try(subject, taken, now=now)
    if standing is None:
        return sent_again(token, sent, now=now)
    return SecondStep(refusal=Refusal.WRONG, tries_left=Counter(taken.failures - 1).tries_left)


def closed_by(counter: Counter, now: datetime) -> Refusal | None:
    """Return why no attempt is checked at *now*: the password is spent, or there is a pause; None when the door is open."""
    if counter.is_spent:
        return Refusal.SPENT
    return Refusal.LOCKED if counter.is_locked(now) else None


def refused(counter: Counter, now: datetime) -> SecondStep:
    """Return the answer to a wrong second factor, with the attempts left or why there are none."""
    closed = closed_by(counter, now)
    if closed is not None:
        return SecondStep(refusal=closed, locked_until=counter.locked_until)
    return SecondStep(refusal=Refusal.WRONG, tries_left=counter.tries_left)


def frozen(thawing: access_services.Thawing) -> SecondStep:
    """Return the answer to a person who has shown both factors of a frozen account: a code was sent, or when one may be."""
    return SecondStep(refusal=Refusal.FROZEN, thaw_token=thawing.token, locked_until=thawing.wait_until)


def note_refusal(person_id: str | None, subject: str, counter: Counter, *, step: str, now: datetime) -> None:
    """Write down that an attempt failed, and notify the person when it locked the sign-in, or was the last their password had."""
    with transaction():
        alarm_services.count_failure(now)
        audit.record(
            audit.Event.SIGN_IN_REFUSED, actor=audit.ANONYMOUS, person_id=person_id, details={"step": step}, now=now
        )
        if person_id is not None and counter.total == LIFE_TRIES:
            audit.record(audit.Event.PASSWORD_SPENT, actor=audit.SYSTEM, person_id=person_id, now=now)
            security_notice_services.note(person_id, "password:spent", now=now)
        if counter.locked_until is None:
            return
        audit.record(
            audit.Event.LOCKED,
            actor=audit.SYSTEM,
            person_id=person_id,
            details={"until": counter.locked_until.isoformat(), "failures": counter.failures},
            now=now,
        )
        whom = reader(person_id)
        notices.enqueue(
            "account_locked",
            {"to": whom.email, "language": whom.language, "until": counter.locked_until.isoformat()},
            now=now,
        )
