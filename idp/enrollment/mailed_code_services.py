"""The code mailed to the address on file: ten digits, thirty days, five attempts, three mailings (domain.md §2.4)."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from .. import audit, names
from ..audit import SYSTEM, Actor
from ..clock import local_date
from ..connectors.tax_agency import TaxAccount
from ..crypto.sealing import current_sealing
from ..db import db, new_id, transaction
from ..identifiers import Neq
from ..notices import services as notices
from .connector_services import ask_account
from .domain.rules import QUEBEC, Unavailable
from .domain.states import State, StateEvent
from .enrolled_services import is_enrolled, notify_enrolled
from .errors import NoSuchFileError
from .file_services import MAILED_CODE_TRIES, add_event, lock, move
from .models import EnrolmentFile, MailedCode
from .notice_services import LETTER_KIND, letter_language
from .referral_services import refer

CODE_LIFE = timedelta(days=30)
MAILINGS = 3


class CodeAnswer(StrEnum):
    """The result of checking a typed code."""

    ACCEPTED = "accepted"
    WRONG = "wrong"
    DEAD = "dead"  # expired or replaced: another letter may be requested
    EXHAUSTED = "exhausted"  # the file went to an operator


class LetterAnswer(StrEnum):
    """The result of a request for another letter."""

    ORDERED = "ordered"
    NO_MORE = "no_more"
    UNAVAILABLE = "unavailable"
    REFERRED = "referred"


def order(
    session: Session,
    file: EnrolmentFile,
    account: TaxAccount,
    *,
    actor: Actor = SYSTEM,
    details: dict[str, object] | None = None,
    now: datetime,
) -> None:
    """Create a code for a locked *file* and put its letter in the outbox; the older code is revoked."""
    code, code_id = f"{secrets.randbelow(10**10):010d}", new_id()
    session.execute(
        update(MailedCode)
        .where(MailedCode.file_id == file.id, MailedCode.used_at.is_(None), MailedCode.killed_at.is_(None))
        .values(killed_at=now)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        insert(MailedCode).values(
            id=code_id,
            file_id=file.id,
            digest=_digest(file.id, code),
            ordered_at=now,
            expires_at=now + CODE_LIFE,
            tries=0,
        )
    )
    file.document_wanted = False
    move(
        session,
        file,
        StateEvent.CODE_ORDERED,
        actor=actor,
        now=now,
        audit_event=audit.Event.FILE_CODE_MAILED,
        details={**(details or {}), "letter": code_id, "expires_at": (now + CODE_LIFE).isoformat()},
    )
    payload: dict[str, object] = {
        "code_id": code_id,
        "file_number": file.number,
        "code": code,
        "address": [names.full(file.given_name, file.family_name), account.legal_name, *_lines(account)],
        "language": letter_language(file),
        "sent_on": local_date(now).isoformat(),
        "expires_on": local_date(now + CODE_LIFE).isoformat(),
    }
    notices.enqueue(LETTER_KIND, payload, now=now)


def mailings(session: Session, file_id: str) -> int:
    """Return how many letters were ordered for a file."""
    return session.scalar(select(func.count()).select_from(MailedCode).where(MailedCode.file_id == file_id)) or 0


def order_again(file_id: str, *, now: datetime) -> LetterAnswer:
    """Order another letter at the representative's request, to the tax agency's current address."""
    file = db.session.get(EnrolmentFile, file_id)
    if file is None:
        raise NoSuchFileError(file_id)
    account = ask_account(file)
    db.session.commit()
    if isinstance(account, Unavailable):
        return LetterAnswer.UNAVAILABLE
    actor = Actor("file", file_id)
    with transaction() as session:
        file = lock(session, file_id)
        if file.state != State.CODE_MAILED or mailings(session, file_id) >= MAILINGS:
            return LetterAnswer.NO_MORE
        if account is None or not account.active or account.address_stale or account.mailing_region != QUEBEC:
            refer(session, file, StateEvent.LETTER_RETURNED, actor=actor, now=now)
            return LetterAnswer.REFERRED
        order(session, file, account, actor=actor, now=now)
    return LetterAnswer.ORDERED


def enter(file_id: str, code: str, *, now: datetime) -> CodeAnswer:
    """Check a typed code: one attempt is counted, and the code is spent at once when it is right.

    The count survives a refusal: the refusal is returned from the transaction, never raised through it.
    """
    given = "".join(sign for sign in code if sign.isdigit())
    actor = Actor("file", file_id)
    with transaction() as session:
        file = lock(session, file_id)
        if file.state != State.CODE_MAILED:
            return CodeAnswer.DEAD
        row = session.execute(
            update(MailedCode)
            .where(
                MailedCode.file_id == file_id,
                MailedCode.used_at.is_(None),
                MailedCode.killed_at.is_(None),
                MailedCode.expires_at > now,
                MailedCode.tries < MAILED_CODE_TRIES,
            )
            .values(tries=MailedCode.tries + 1)
            .returning(MailedCode.id, MailedCode.digest, MailedCode.tries)
            .execution_options(synchronize_session=False)
        ).first()
        if row is None:
            return CodeAnswer.DEAD
        if hmac.compare_digest(row.digest, _digest(file_id, given)):
            return _accept(session, file, row.id, actor, now)
        audit.record(audit.Event.FILE_CODE_REFUSED, actor=actor, now=now, file_id=file_id, details={"try": row.tries})
        if row.tries < MAILED_CODE_TRIES:
            add_event(session, file, "code_refused", now=now)
            return CodeAnswer.WRONG
        refer(session, file, StateEvent.TRIES_EXHAUSTED, actor=actor, now=now)
        return CodeAnswer.EXHAUSTED


def _accept(session: Session, file: EnrolmentFile, code_id: str, actor: Actor, now: datetime) -> CodeAnswer:
    spent = session.execute(
        update(MailedCode)
        .where(MailedCode.id == code_id, MailedCode.used_at.is_(None))
        .values(used_at=now)
        .returning(MailedCode.id)
        .execution_options(synchronize_session=False)
    ).first()
    if spent is None:
        return CodeAnswer.DEAD
    if is_enrolled(Neq(file.neq or ""), but=file.id):
        file.reasons = [*file.reasons, "already_enrolled"]
        refer(session, file, StateEvent.DOCUMENT_OFFERED, actor=actor, details={"code": "accepted"}, now=now)
        notify_enrolled(file, now=now)
        return CodeAnswer.EXHAUSTED
    file.verification_method, file.verified_at, file.verified_by = "mailed_code", now, "system"
    file.decided_at = now
    move(session, file, StateEvent.CODE_ACCEPTED, actor=actor, now=now, audit_event=audit.Event.FILE_CODE_ACCEPTED)
    return CodeAnswer.ACCEPTED


def _lines(account: TaxAccount) -> tuple[str, ...]:
    return tuple(line for line in account.mailing_lines if line)


def _digest(file_id: str, code: str) -> str:
    return current_sealing().keyed_digest(code, f"enrolment_mailed_code:{file_id}")
