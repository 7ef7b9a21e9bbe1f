"""Codes sent by e-mail: eight digits, ten minutes, five attempts; at most five an hour for one file, ten for one
address over all files.

They confirm the representative's address, give access to a file again, and open the representative's account. Whether a
file exists is never disclosed: the caller responds the same in every case, after the same work; the file is looked up
when the message is sent.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from flask import Flask
from sqlalchemy import func, insert, select, update

from .. import audit
from ..accounts.throttling import allowance_services
from ..audit import Actor
from ..crypto.sealing import current_sealing
from ..db import new_id, transaction
from ..notices import services as notices
from . import browser_services, designation_services, notice_services
from .file_services import find_by_number, lock, read_number
from .models import EmailCode

CODE_LIFE = timedelta(minutes=10)  # domain.md §3.3
CODE_TRIES = 5
CODES_AN_HOUR = 5
CODES_TO_ADDRESS = (
    10  # an hour: an accountant enrols several enterprises, a stranger floods no mailbox (security-bar.md R-25)
)


class CodePurpose(StrEnum):
    """What a code is for; a code is never accepted for another purpose."""

    CONFIRM = "confirm"
    RETURN = "return"
    ACCOUNT = "account"


class CodeAnswer(StrEnum):
    """The result of checking a typed code."""

    ACCEPTED = "accepted"
    WRONG = "wrong"
    DEAD = "dead"


def send(file_id: str, purpose: CodePurpose, *, now: datetime) -> bool:
    """Send a new code, which revokes the older one; return False when too many were sent within an hour."""
    code = f"{secrets.randbelow(10**8):08d}"
    with transaction() as session:
        file = lock(session, file_id)
        if file.email is None or (purpose is not CodePurpose.CONFIRM and file.email_confirmed_at is None):
            return False  # an unconfirmed address may be a stranger's: it gives access to nothing
        recent = select(func.count()).select_from(EmailCode).where(EmailCode.file_id == file_id)
        if (session.scalar(recent.where(EmailCode.sent_at > now - timedelta(hours=1))) or 0) >= CODES_AN_HOUR:
            return False
        mailbox = current_sealing().keyed_digest(file.email.lower(), "allowance")
        if allowance_services.take(f"enrolment:{mailbox}", limit=CODES_TO_ADDRESS, now=now) is not None:
            return False
        session.execute(
            update(EmailCode)
            .where(EmailCode.file_id == file_id, EmailCode.purpose == purpose.value, EmailCode.used_at.is_(None))
            .values(used_at=now)
        )
        session.execute(
            insert(EmailCode).values(
                id=new_id(),
                file_id=file_id,
                purpose=purpose.value,
                digest=_digest(file_id, purpose, code),
                sent_to=file.email,
                sent_at=now,
                expires_at=now + CODE_LIFE,
                tries=0,
            )
        )
        notice_services.enqueue_email(
            "mail_code",
            to=file.email,
            language=file.language,
            now=now,
            code=f"{code[:4]} {code[4:]}",
            minutes=int(CODE_LIFE.total_seconds() // 60),
            number=file.number,
        )
    return True


def ask_to_return(number: str, *, now: datetime) -> None:
    """Have the worker send a code to the address of the file with this number, if it exists: no file is read here."""
    known_by = read_number(number)
    subject = f"return:{current_sealing().keyed_digest(known_by, 'allowance')}"
    with transaction():
        if allowance_services.take(subject, limit=CODES_AN_HOUR, now=now) is None:
            notice_services.ask_to_return(known_by, now=now)


def init_returning(app: Flask) -> None:
    """Have the worker of *app* look up the files requested by number."""
    notices.register_renderer(app, notice_services.RETURN_KIND, _send_to_return)


def _send_to_return(payload: dict[str, Any], now: datetime) -> None:
    file_id = find_by_number(str(payload["number"]))
    if file_id is not None:
        send(file_id, CodePurpose.RETURN, now=now)


def confirm(file_id: str, code: str, *, now: datetime) -> CodeAnswer:
    """Confirm the representative's address with the code typed."""
    with transaction() as session:
        answer, sent_to = _spend(file_id, CodePurpose.CONFIRM, code, now)
        file = lock(session, file_id)
        if answer is CodeAnswer.ACCEPTED and sent_to == file.email and file.email_confirmed_at is None:
            file.email_confirmed_at = now
            actor = Actor("file", file_id)
            audit.record(audit.Event.FILE_EMAIL_CONFIRMED, actor=actor, now=now, file_id=file_id)
    return answer


def come_back(number: str, code: str, *, device: str, now: datetime) -> str | None:
    """Return the secret of a browser that may open the file from now on; end the access of every other browser.

    None for a wrong code and for an unknown file alike.
    """
    file_id = find_by_number(number)
    with transaction() as session:
        answer, sent_to = _spend(file_id or "0" * 32, CodePurpose.RETURN, code, now)
        if file_id is None or answer is not CodeAnswer.ACCEPTED:
            return None
        if lock(session, file_id).email != sent_to:
            return None
        ended = browser_services.end_all(file_id, now=now)
        details = {"browsers_ended": ended}
        actor = Actor("file", file_id)
        audit.record(audit.Event.FILE_REOPENED, actor=actor, now=now, file_id=file_id, details=details)
        return browser_services.begin(file_id, device=device, now=now)


def open_account(file_id: str, code: str, *, now: datetime) -> tuple[CodeAnswer, str | None]:
    """Spend the code sent for the representative's account; return the result and the token of the first credential.

    No token comes with an accepted code when the file went to an operator instead
    (:func:`~idp.enrollment.designation_services.open_account`).
    """
    with transaction() as session:
        answer, sent_to = _spend(file_id, CodePurpose.ACCOUNT, code, now)
        if answer is CodeAnswer.ACCEPTED and lock(session, file_id).email != sent_to:
            answer = CodeAnswer.DEAD
    return answer, designation_services.open_account(file_id, now=now) if answer is CodeAnswer.ACCEPTED else None


def _spend(file_id: str, purpose: CodePurpose, code: str, now: datetime) -> tuple[CodeAnswer, str | None]:
    """Count one attempt on the current code and spend it when it is right: two conditional statements."""
    given = "".join(sign for sign in code if sign.isdigit())
    with transaction() as session:
        row = session.execute(
            update(EmailCode)
            .where(
                EmailCode.file_id == file_id,
                EmailCode.purpose == purpose.value,
                EmailCode.used_at.is_(None),
                EmailCode.expires_at > now,
                EmailCode.tries < CODE_TRIES,
            )
            .values(tries=EmailCode.tries + 1)
            .returning(EmailCode.id, EmailCode.digest, EmailCode.sent_to, EmailCode.tries)
            .execution_options(synchronize_session=False)
        ).first()
        wanted = _digest(file_id, purpose, given)
        if not hmac.compare_digest(row.digest if row else "0" * 64, wanted) or row is None:
            return (CodeAnswer.WRONG if row is not None and row.tries < CODE_TRIES else CodeAnswer.DEAD), None
        spent = session.execute(
            update(EmailCode)
            .where(EmailCode.id == row.id, EmailCode.used_at.is_(None))
            .values(used_at=now)
            .returning(EmailCode.id)
            .execution_options(synchronize_session=False)
        ).first()
        return (CodeAnswer.ACCEPTED, row.sent_to) if spent else (CodeAnswer.DEAD, None)


def _digest(file_id: str, purpose: CodePurpose, code: str) -> str:
    return current_sealing().keyed_digest(code, f"enrolment_email_code:{purpose}:{file_id}")
