"""What enrolment sends to people: rows of the outbox, and how each becomes an e-mail or a letter."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from flask import Flask
from sqlalchemy import update

from ..db import db
from ..i18n import Language
from ..notices import services as notices
from ..notices.domain.messages import Email, Letter
from ..notices.email import from_template
from .models import EnrolmentFile, MailedCode

EMAIL_KIND = "enrolment_email"
LETTER_KIND = "mailed_code"
RETURN_KIND = "enrolment_return"
TEMPLATES = frozenset(
    {
        "mail_code",
        "mail_submitted",
        "mail_verified",
        "mail_under_review",
        "mail_refused",
        "mail_correction",
        "mail_already_enrolled",
    }
)


def init_notices(app: Flask) -> None:
    """Register the renderers of this context."""
    notices.register_renderer(app, EMAIL_KIND, _email)
    notices.register_renderer(app, LETTER_KIND, _letter, _printed)


def ask_to_return(number: str, *, now: datetime) -> None:
    """Have the worker find a file by its number and send it a code, inside the caller's transaction."""
    notices.enqueue(RETURN_KIND, {"number": number}, now=now)


def enqueue_email(template: str, *, to: str, language: str, now: datetime, **values: object) -> None:
    """Put an e-mail in the outbox, inside the caller's transaction."""
    if template not in TEMPLATES:
        raise ValueError(template)
    payload: dict[str, Any] = {"template": template, "to": to, "language": language, "values": values}
    notices.enqueue(EMAIL_KIND, payload, now=now)


def enqueue_representative_email(file: EnrolmentFile, template: str, *, now: datetime) -> None:
    """Write to the representative of *file*, at the address they confirmed."""
    if file.email and file.email_confirmed_at:
        enqueue_email(template, to=file.email, language=file.language, now=now, number=file.number)


def letter_language(file: EnrolmentFile) -> str:
    """Return the language of a letter: French to legal persons, groups and public bodies (domain.md §10)."""
    return file.language if (file.neq or "").startswith("22") else "fr"


def _email(payload: dict[str, Any], now: datetime) -> Email:
    template = payload["template"]
    if template not in TEMPLATES:
        raise ValueError(template)
    language = cast(Language, payload["language"])
    return from_template(f"enrollment/{template}.txt", to=payload["to"], language=language, **payload["values"])


def _letter(payload: dict[str, Any], now: datetime) -> Letter:
    return Letter(
        name=f"letter-{payload['code_id']}",
        template="mailed_code",
        data={
            "address": payload["address"],
            "file_number": payload["file_number"],
            "code": payload["code"],
            "expires_on": payload["expires_on"],
            "sent_on": payload["sent_on"],
            "reference": payload["code_id"][:8].upper(),
        },
        language=payload["language"],
    )


def _printed(payload: dict[str, Any], now: datetime) -> None:
    db.session.execute(
        update(MailedCode)
        .where(MailedCode.id == payload["code_id"], MailedCode.printed_at.is_(None))
        .values(printed_at=now)
        .execution_options(synchronize_session=False)
    )
