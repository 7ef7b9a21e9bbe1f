"""Codes sent by e-mail: eight digits, ten minutes, five attempts; a new one kills the previous one."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, insert, select, update

from ...crypto.sealing import current_sealing
from ...db import db, new_id, transaction
from ...notices import services as notices
from ..models import EmailCode
from ..sessions.domain.sign_ins import PersonView
from ..sign_in.domain.steps import (
    EMAIL_CODE_DIGITS,
    EMAIL_CODE_LIFE,
    EMAIL_CODE_PAUSE,
    EMAIL_CODE_SENDS,
    EMAIL_CODE_TRIES,
)


class CodeOutcome(StrEnum):
    """What became of a code that was typed."""

    RIGHT = "right"
    LINKED = "linked"
    WRONG = "wrong"
    SPENT = "spent"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class CodeCheck:
    """The outcome, and how many attempts this code still has."""

    outcome: CodeOutcome
    tries_left: int = 0


def send(challenge_id: str, whom: PersonView, *, now: datetime) -> bool:
    """Send a new code in the caller's transaction; False when it is too soon, or too many were sent."""
    with transaction() as session:
        if not may_send(challenge_id, now=now):
            return False
        _kill(challenge_id, now)
        code_id = new_id()
        code = f"{secrets.randbelow(10**EMAIL_CODE_DIGITS):0{EMAIL_CODE_DIGITS}d}"
        session.execute(
            insert(EmailCode).values(
                id=code_id,
                challenge_id=challenge_id,
                code_digest=_digest(code_id, code),
                created_at=now,
                expires_at=now + EMAIL_CODE_LIFE,
                tries=0,
            )
        )
        minutes = int(EMAIL_CODE_LIFE.total_seconds() // 60)
        payload = {"to": whom.email, "language": whom.language, "code": code, "minutes": minutes}
        notices.enqueue("email_code", payload, now=now)
    return True


def may_send(challenge_id: str, *, now: datetime) -> bool:
    """Return whether one more code may leave for a challenge, and so soon."""
    sent, latest = _sent(challenge_id)
    return sent < EMAIL_CODE_SENDS and (latest is None or latest + EMAIL_CODE_PAUSE <= now)


def was_sent(challenge_id: str) -> bool:
    """Return whether a code was sent for a challenge, still good or not."""
    return _sent(challenge_id)[0] > 0


def check(challenge_id: str, typed: str, *, now: datetime) -> CodeCheck:
    """Check a typed code: the attempt is counted first, in one statement, and a right code is valid once."""
    digits = "".join(typed.split()) if len(typed) <= 64 else ""
    with transaction() as session:
        counted = session.execute(
            update(EmailCode)
            .where(
                EmailCode.challenge_id == challenge_id,
                EmailCode.used_at.is_(None),
                EmailCode.expires_at > now,
                EmailCode.tries < EMAIL_CODE_TRIES,
            )
            .values(tries=EmailCode.tries + 1)
            .returning(EmailCode.id, EmailCode.tries)
            .execution_options(synchronize_session=False)
        ).first()
        if counted is None:
            return CodeCheck(CodeOutcome.SPENT)
        used = session.execute(
            update(EmailCode)
            .where(
                EmailCode.id == counted.id,
                EmailCode.code_digest == _digest(counted.id, digits),
                EmailCode.used_at.is_(None),
            )
            .values(used_at=now)
            .returning(EmailCode.id)
            .execution_options(synchronize_session=False)
        ).first()
    if used is not None:
        return CodeCheck(CodeOutcome.RIGHT)
    left = EMAIL_CODE_TRIES - counted.tries
    return CodeCheck(CodeOutcome.WRONG if left else CodeOutcome.SPENT, left)


def _sent(challenge_id: str) -> tuple[int, datetime | None]:
    counted = select(func.count(EmailCode.id), func.max(EmailCode.created_at))
    sent, latest = db.session.execute(counted.where(EmailCode.challenge_id == challenge_id)).one()
    return sent, latest


def _kill(challenge_id: str, now: datetime) -> None:
    db.session.execute(
        update(EmailCode)
        .where(EmailCode.challenge_id == challenge_id, EmailCode.used_at.is_(None))
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )


def _digest(code_id: str, code: str) -> str:
    return current_sealing().keyed_digest(code, f"email_code:{code_id}")
