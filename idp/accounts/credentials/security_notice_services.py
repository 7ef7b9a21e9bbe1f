"""What people are notified of about their credentials: every change, never dropped; many at once share one message.

A change writes a row, in its own transaction, and a message. The first message to leave takes every row not sent yet: those
that follow find nothing and say nothing. Beyond a number an hour, what is left waits and leaves together. Where messages come
back, a letter says the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, current_app, get_template_attribute
from sqlalchemy import delete, insert, select, update

from ...db import db, new_id, transaction
from ...i18n import in_language, long_datetime
from ...identifiers import UserCode
from ...notices import services as notices
from ...notices.domain.messages import Email, Letter
from ...notices.email import from_template
from ...notices.errors import PostponedError
from ..models import UserCodeRow
from ..people.contact_services import contact
from ..people.person_services import person
from ..recovery.models import SecurityNotice
from ..sessions.devices import asking_device
from ..sessions.domain.sign_ins import PersonView
from ..throttling import allowance_services
from ..user_codes.domain.states import CodeState

PostalLines = Callable[[str], Sequence[str]]

PER_HOUR = 3  # messages a person receives of this sort, however much happens (security-bar.md R-25)
_POSTAL = "mandat.postal_addresses"
KEPT = timedelta(days=30)


def note(person_id: str, what: str, *, now: datetime) -> None:
    """Notify a person of *what* happened (``credential:change``, or ``reproofing:…``), in the caller's transaction.

    The kind of device is named for what one does oneself; for ``sign_in:…``, which others do, it is left out.
    """
    db.session.execute(
        insert(SecurityNotice).values(id=new_id(), person_id=person_id, what=what, device=asking_device(), at=now)
    )
    notices.enqueue("security_notice", {"person_id": person_id, "batch": new_id()}, now=now)


def set_postal_lines(app: Flask, lines: PostalLines) -> None:
    """Let another room say where a person is reached by post: the lines below their name."""
    app.extensions[_POSTAL] = lines


def enqueue_letter(payload: dict[str, Any], now: datetime) -> None:
    """Write the same again, in the caller's transaction, once the address is known to be refused: it becomes a letter."""
    notices.enqueue("security_notice", payload, now=now)


def render(payload: dict[str, Any], now: datetime) -> Email | Letter | None:
    """Return the message about everything that was not sent yet, the same at each attempt; None when all was sent.

    Raises:
        PostponedError: enough was sent within the hour.
    """
    person_id, batch = str(payload["person_id"]), str(payload["batch"])
    with transaction():
        if not _taken(batch) and _take(person_id, batch, now):
            following = allowance_services.take(f"notice:{person_id}", limit=PER_HOUR, now=now)
            if following is not None:
                raise PostponedError(following)
    told = _taken(batch)
    if not told:
        return None
    whom = person(person_id)
    if contact(whom.email).is_refused:
        return _letter(whom, batch, told, now)
    return from_template(
        "accounts/mail_security.txt",
        to=whom.email,
        language=whom.language,
        changes=[(row.what, row.device, row.at) for row in told],
        codes=_masked_codes(person_id),
    )


def _letter(whom: PersonView, batch: str, told: list[Any], now: datetime) -> Letter:
    """Return the same as a letter: the words of the e-mail, in the person's language."""
    lines: PostalLines | None = current_app.extensions.get(_POSTAL)
    with in_language(whom.language):
        words = get_template_attribute("accounts/_security_words.txt", "words")
        changes = [[str(words(row.what)), long_datetime(row.at)] for row in told]
    data: dict[str, object] = {
        "address": [whom.name, *(lines(whom.id) if lines else ())],
        "changes": changes,
        "codes": _masked_codes(whom.id),
        "sent_on": now,
    }
    return Letter(f"security-{batch}", "security_notice", data, language=whom.language)


def forget(*, before: datetime) -> int:
    """Delete the notices sent before *before*."""
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
