"""What people are told of their credentials: every change, never dropped; many at once are told in one message.

A change writes a row, in its own transaction, and a message. The first message to leave takes every row not told yet: those
that follow find nothing and say nothing. Beyond a number an hour, what is left waits and leaves together.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update

from ..db import db, new_id, transaction
from ..identifiers import UserCode
from ..notices import services as notices
from ..notices.email import from_template
from ..notices.errors import PostponedError
from ..notices.messages import Email
from . import services_allowances as allowances
from .devices import asking_device
from .models import UserCodeRow
from .recovery_models import SecurityNotice
from .services_people import person
from .states import CodeState

PER_HOUR = 3  # messages a person receives of this sort, however much happens (security R-25)
KEPT = timedelta(days=30)


def note(person_id: str, what: str, *, now: datetime) -> None:
    """Tell a person *what* happened (``credential:change``, or ``reproofing:…``), in the caller's transaction."""
    db.session.execute(
        insert(SecurityNotice).values(id=new_id(), person_id=person_id, what=what, device=asking_device(), at=now)
    )
    notices.enqueue("security_notice", {"person_id": person_id, "batch": new_id()}, now=now)


def render(payload: dict[str, Any], now: datetime) -> Email | None:
    """Return the message about everything that was not told yet, the same at each attempt; None when all was told.

    Raises:
        PostponedError: enough was sent within the hour.
    """
    person_id, batch = str(payload["person_id"]), str(payload["batch"])
    with transaction():
        if not _taken(batch) and _take(person_id, batch, now):
            following = allowances.take(f"notice:{person_id}", limit=PER_HOUR, now=now)
            if following is not None:
                raise PostponedError(following)
    told = _taken(batch)
    if not told:
        return None
    whom = person(person_id)
    return from_template(
        "accounts/mail_security.txt",
        html="accounts/mail_security.html",
        to=whom.email,
        language=whom.language,
        changes=[(row.what, row.device, row.at) for row in told],
        codes=_masked_codes(person_id),
    )


def forget(*, before: datetime) -> int:
    """Delete what was told before *before*."""
    with transaction() as session:
        gone = session.scalars(
            delete(SecurityNotice)
            .where(SecurityNotice.at < before, SecurityNotice.batch.is_not(None))
            .returning(SecurityNotice.id)
            .execution_options(synchronize_session=False)
        ).all()
    return len(gone)


def _take(person_id: str, batch: str, now: datetime) -> bool:
    taken = db.session.scalars(
        update(SecurityNotice)
        .where(SecurityNotice.person_id == person_id, SecurityNotice.batch.is_(None))
        .values(batch=batch)
        .returning(SecurityNotice.id)
        .execution_options(synchronize_session=False)
    ).all()
    return bool(taken)


def _taken(batch: str) -> list[Any]:
    rows = db.session.execute(
        select(SecurityNotice.what, SecurityNotice.device, SecurityNotice.at)
        .where(SecurityNotice.batch == batch)
        .order_by(SecurityNotice.at, SecurityNotice.id)
    )
    return list(rows.all())


def _masked_codes(person_id: str) -> list[str]:
    codes = db.session.scalars(
        select(UserCodeRow.code)
        .where(UserCodeRow.person_id == person_id, UserCodeRow.state == CodeState.ACTIVATED.value)
        .order_by(UserCodeRow.issued_at, UserCodeRow.code)
    )
    return [UserCode(code).masked for code in codes]
