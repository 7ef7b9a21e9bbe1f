"""Another e-mail address: proved by a code before it is used, notified to the old one, which may undo it for three days.

A person who undoes did not change it: the account is then frozen as well, and comes back by the old address. Of several changes
the oldest that is undone wins: whatever came after it came from the same hand, the codes sent to other mailboxes too.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update

from ... import audit
from ...audit import Actor
from ...crypto.sealing import current_sealing
from ...db import db, transaction
from ...notices import services as notices
from ..challenges import challenge_services, email_code_services
from ..challenges.email_code_services import CodeCheck, CodeOutcome
from ..challenges.models import EmailChange
from ..credentials import factor_services
from ..credentials.domain.passwords import draw_temporary, group, read_temporary
from ..models import Person
from ..recovery.recovery_services import end_pending
from ..sessions import session_services
from ..sessions.domain.sign_ins import SignIn, mask_email
from ..sign_in.domain.steps import FlowKind, FlowStep
from ..throttling import allowance_services
from . import access_services
from .person_services import person

PER_HOUR = 3  # codes that one person has sent, to whatever address (security-bar.md R-25)
UNDO_WINDOW = timedelta(days=3)  # a long week-end


def begin(sign_in: SignIn, wanted: str, *, now: datetime) -> str | None:
    """Send a code to *wanted*; return the secret to go on with. Nothing changes yet.

    None: this person had as many sent as an hour allows.
    """
    whom = person(sign_in.person_id)
    with transaction() as session:
        if allowance_services.take(f"email_change:{whom.id}", limit=PER_HOUR, now=now) is not None:
            return None
        challenge_id, token = challenge_services.begin(
            FlowKind.EMAIL_CHANGE,
            FlowStep.EMAIL_CODE,
            person_id=whom.id,
            user_code=sign_in.user_code,
            next_path="/account",
            now=now,
        )
        session.execute(
            insert(EmailChange).values(
                id=challenge_id, person_id=whom.id, former=whom.email, wanted=wanted, created_at=now
            )
        )
        email_code_services.send(challenge_id, replace(whom, email=wanted), now=now)
    return token


def finish(sign_in: SignIn, token: str | None, typed: str, *, now: datetime) -> CodeCheck:
    """Check the code received at the new address; a right one makes it the person's, and the old one is notified.

    The person's other sign-ins end, and the recoveries that rest on a code sent to the old address.
    """
    with transaction() as session:
        pending = challenge_services.find(token, FlowKind.EMAIL_CHANGE, now=now)
        if pending is None or pending.person_id != sign_in.person_id:
            return CodeCheck(CodeOutcome.OVER)
        answer = email_code_services.check(pending.id, typed, now=now)
        if answer.outcome is not CodeOutcome.RIGHT:
            return answer
        factor_services.hold(
            pending.person_id
        )  # an undoing at the same moment sees this change, or this change sees the undoing
        change = session.execute(
            select(EmailChange.former, EmailChange.wanted).where(EmailChange.id == pending.id)
        ).one()
        moved = challenge_services.advance(pending, now=now) and _set(pending.person_id, change.former, change.wanted)
        if not moved:  # used twice, or the address was changed elsewhere meanwhile
            return CodeCheck(CodeOutcome.OVER)
        undo = draw_temporary()
        session.execute(
            update(EmailChange).where(EmailChange.id == pending.id).values(confirmed_at=now, undo_digest=_digest(undo))
        )
        audit.record(
            audit.Event.EMAIL_CHANGED, actor=Actor.person(pending.person_id), person_id=pending.person_id, now=now
        )
        told = {"to": change.former, "language": person(pending.person_id).language, "at": now.isoformat()}
        more = {"new": mask_email(change.wanted), "code": group(undo), "until": (now + UNDO_WINDOW).isoformat()}
        notices.enqueue("email_changed", told | more, now=now)
        session_services.leave_only(sign_in, now=now)
        end_pending(pending.person_id, now=now)
    return answer


def undo(typed: str, *, now: datetime) -> bool:
    """Put the old address back and freeze the account, for a person with the code that the old address received; once.

    The codes of later changes die with it, and what was begun with another address: an earlier one may still be undone.
    """
    code_digest = _digest(read_temporary(typed))
    with transaction() as session:
        person_id = session.scalar(select(EmailChange.person_id).where(EmailChange.undo_digest == code_digest))
        if person_id is None:
            return False
        factor_services.hold(person_id)  # of two at once, the second finds what the first has left
        undone = session.execute(
            update(EmailChange)
            .where(
                EmailChange.undo_digest == code_digest,
                EmailChange.undone_at.is_(None),
                EmailChange.confirmed_at > now - UNDO_WINDOW,
            )
            .values(undone_at=now)
            .returning(EmailChange.former, EmailChange.confirmed_at)
            .execution_options(synchronize_session=False)
        ).first()
        if undone is None:
            return False
        session.execute(update(Person).where(Person.id == person_id).values(email=undone.former))
        _kill_codes(person_id, since=undone.confirmed_at)
        challenge_services.end(
            person_id, FlowKind.EMAIL_CHANGE, FlowKind.THAW, now=now
        )  # also when the account is frozen already
        end_pending(person_id, now=now)
        audit.record(audit.Event.EMAIL_CHANGE_UNDONE, actor=audit.ANONYMOUS, person_id=person_id, now=now)
        access_services.freeze(person_id, actor=audit.ANONYMOUS, now=now)
    return True


def forget(person_id: str) -> None:
    """Delete the changes of a person, in the caller's transaction: nobody confirms or undoes one of a closed account."""
    db.session.execute(
        delete(EmailChange).where(EmailChange.person_id == person_id).execution_options(synchronize_session=False)
    )


def forget_old(now: datetime) -> int:
    """Delete the changes that nobody can confirm or undo any more; return how many."""
    with transaction() as session:
        gone = session.scalars(
            delete(EmailChange)
            .where(EmailChange.created_at < now - 2 * UNDO_WINDOW)
            .returning(EmailChange.id)
            .execution_options(synchronize_session=False)
        ).all()
    return len(gone)


def _kill_codes(person_id: str, *, since: datetime) -> None:
    """Make the codes of this change and of every later one worthless."""
    db.session.execute(
        update(EmailChange)
        .where(EmailChange.person_id == person_id, EmailChange.confirmed_at >= since)
        .values(undo_digest=None)
        .execution_options(synchronize_session=False)
    )


def _set(person_id: str, former: str, wanted: str) -> bool:
    changed = db.session.execute(
        update(Person)
        .where(Person.id == person_id, Person.email == former)
        .values(email=wanted)
        .returning(Person.id)
        .execution_options(synchronize_session=False)
    ).first()
    return changed is not None


def _digest(undo_code: str) -> str:
    return current_sealing().keyed_digest(undo_code, "email_undo")
