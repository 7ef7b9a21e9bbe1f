"""A code by e-mail after the password, where the installation allows it: it opens a sign-in that reads (ADR 0014).

The code belongs to the sign-in under way in this browser, is counted on the person's one counter, and is valid once. It is no
factor: it forgets no failure, thaws no account, makes no browser known, and is no proof anywhere else.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import select

from ... import audit
from ...db import db, transaction
from ...http.web import current_settings
from ..challenges import challenge_services, email_code_services
from ..credentials import security_notice_services
from ..credentials.domain.factor_policy import email_code_serves
from ..models import Person
from ..people import access_services
from ..people.contact_services import contact
from ..people.person_services import level_of, person
from ..sessions import known_browser_services, session_services
from ..sessions.domain.sign_ins import PASSWORD_AND_EMAIL, SignIn
from ..throttling import allowance_services, attempt_counter_services
from .domain.steps import FlowKind
from .sign_in_lookup_services import activated_person
from .sign_in_services import Refusal, SecondStep, came_twice, closed_by, note_refusal, secret_after, sent_again

PER_HOUR = 3  # messages of this sort to one person, however many sign-ins are begun (security-bar.md R-25)


class CodeRequestOutcome(StrEnum):
    """What became of the wish for a code."""

    SENT = "sent"
    TOO_SOON = "too_soon"
    OVER = "over"


def is_offered(person_id: str) -> bool:
    """Return whether this person may go on with a code by e-mail: to an address they confirmed, and that takes messages."""
    if not current_settings().email_code_fallback:  # the usual case reads nothing
        return False
    row = db.session.execute(
        select(Person.email, Person.required_level, Person.is_operator).where(Person.id == person_id)
    ).one()
    level = level_of(row.required_level, is_operator=row.is_operator)
    if not email_code_serves(level, is_operator=row.is_operator, is_on=True):
        return False
    address = contact(row.email)
    return address.confirmed_at is not None and not address.is_refused and access_services.is_open(person_id)


def was_sent(token: str | None, *, now: datetime) -> bool:
    """Return whether a code was sent for the sign-in that *token* goes on with."""
    pending = challenge_services.find(token, FlowKind.SIGN_IN, now=now)
    return pending is not None and email_code_services.was_sent(pending.id)


def send(token: str | None, *, now: datetime) -> CodeRequestOutcome:
    """Send a code to the person who showed a right password; a new one kills the previous one."""
    with transaction():
        pending = challenge_services.find(token, FlowKind.SIGN_IN, now=now)
        if pending is None or not is_offered(pending.person_id):
            return CodeRequestOutcome.OVER
        if not email_code_services.may_send(pending.id, now=now):
            return CodeRequestOutcome.TOO_SOON
        if allowance_services.take(f"sign_in:{pending.person_id}", limit=PER_HOUR, now=now) is not None:
            return CodeRequestOutcome.TOO_SOON
        email_code_services.send(pending.id, person(pending.person_id), now=now)
        actor = audit.Actor.person(pending.person_id)
        audit.record(audit.Event.SIGN_IN_CODE_SENT, actor=actor, person_id=pending.person_id, now=now)
    return CodeRequestOutcome.SENT


def check(
    token: str | None,
    typed: str,
    *,
    page: str = "",
    former: SignIn | None,
    device: str,
    known: str | None = None,
    now: datetime,
) -> SecondStep:
    """Check the code received by e-mail; a right one opens a sign-in that reads, and the person is notified of it."""
    form = challenge_services.SubmittedForm(typed, page)
    with transaction():
        pending = challenge_services.find(token, FlowKind.SIGN_IN, now=now)
        if pending is None:
            return sent_again(token, form, now=now)
        if not is_offered(pending.person_id):
            return SecondStep(refusal=Refusal.OVER)
        who = session_services.account_status(
            pending.person_id, pending.user_code
        )  # the person before all else (factors.hold)
        own = known_browser_services.counters(pending.person_id, known, now=now)
        may_try, counter, subject = attempt_counter_services.take_try_on(
            attempt_counter_services.subject_of(pending.person_id), own, now=now
        )
        if not may_try:
            return SecondStep(refusal=closed_by(counter, now), locked_until=counter.locked_until)
        if (twice := came_twice(token, form, subject, counter, now=now)) is not None:
            return twice
        answer = email_code_services.check(pending.id, typed, now=now)
        if answer.outcome is not email_code_services.CodeOutcome.RIGHT:
            challenge_services.note_answer(pending, form.mark(pending))
            note_refusal(pending.person_id, subject, counter, step="email_code", now=now)
            closed = closed_by(counter, now)
            if closed is not None:
                return SecondStep(refusal=closed, locked_until=counter.locked_until)
            is_over = answer.outcome is email_code_services.CodeOutcome.SPENT
            return SecondStep(refusal=Refusal.CODE_OVER if is_over else Refusal.WRONG, tries_left=answer.tries_left)
        mark = form.mark(pending)
        if (
            not challenge_services.advance(pending, now=now, answer_digest=mark)
            or activated_person(pending.user_code) != pending.person_id
        ):
            return SecondStep(refusal=Refusal.OVER)
        attempt_counter_services.return_try(subject, counter, now=now)  # the failures before it stay: it is no factor
        signed = session_services.begin_sign_in(
            who,
            shown=PASSWORD_AND_EMAIL,
            device=device,
            former=former,
            next_path=pending.next_path,
            token=secret_after(token, pending),
            now=now,
        )
        security_notice_services.note(pending.person_id, "sign_in:email_code", now=now)
    return SecondStep(signed=signed)
