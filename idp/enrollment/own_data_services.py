"""What enrolment stores about one person, for the copy of their data (:mod:`idp.my_data`)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import or_, select

from ..db import db
from ..identifiers import UserCode
from ..own_data import OwnDataPart, Parts
from .file_services import unseal
from .models import Attempt, EmailCode, EnrolmentFile, Evidence, FileBrowser, FileEvent, MailedCode, Nominee


def enrolments(person_id: str, _now: datetime) -> list[dict[str, Any]]:
    """Return the files of a person as representative; for tax agency numbers, only whether they are stored."""
    files = db.session.scalars(
        select(EnrolmentFile)
        .where(EnrolmentFile.representative_id == person_id)
        .order_by(EnrolmentFile.created_at)
        .execution_options(populate_existing=True)
    ).all()
    return [_file(file) for file in files]


def nominations(person_id: str, _now: datetime) -> list[dict[str, Any]]:
    """Return what representatives wrote about a person they put in charge."""
    rows = db.session.execute(
        select(Nominee, EnrolmentFile.neq, EnrolmentFile.enterprise_name)
        .join(EnrolmentFile, EnrolmentFile.id == Nominee.file_id)
        .where(
            or_(
                Nominee.person_id == person_id,
                Nominee.is_representative & (EnrolmentFile.representative_id == person_id),
            )
        )
        .order_by(Nominee.added_at)
    )
    return [
        {
            "neq": neq,
            "enterprise_name": name,
            "named_at": nominee.added_at,
            "given_name": nominee.given_name,
            "family_name": nominee.family_name,
            "email": nominee.email,
            "phone": nominee.phone,
            "user_code": _code(nominee.user_code),
            "slip_collected_at": nominee.slip_collected_at,
        }
        for nominee, neq, name in rows
    ]


PARTS: Parts = {
    "enrolments": OwnDataPart(
        enrolments,
        (
            "enrolment_file",
            "enrolment_evidence",
            "enrolment_mailed_code",
            "enrolment_email_code",
            "enrolment_attempt",
            "enrolment_event",
            "enrolment_browser",
        ),
    ),
    "nominations": OwnDataPart(nominations, ("enrolment_nominee",)),
}  # each with the tables it is read from


def _file(file: EnrolmentFile) -> dict[str, Any]:
    same = (
        *("number", "state", "language", "created_at", "submitted_at", "decided_at", "neq", "enterprise_name"),
        *("given_name", "family_name", "position", "basis", "notice_year", "email", "email_confirmed_at", "phone"),
        *("terms_version", "terms_accepted_at", "outcome", "reasons", "refusal_reason", "contested_because"),
        *("verification_method", "verified_at"),
    )
    return {
        **{name: getattr(file, name) for name in same},
        "birth_date": unseal(file, "birth_date"),
        "has_revenu_quebec_number": file.revenu_quebec_id_sealed is not None,
        "has_notice_number": file.notice_number_sealed is not None,
        "user_code": _code(file.representative_code),
        "documents": _each(
            Evidence, "received_at", file.id, "kind", "file_name", "media_type", "size", "received_at", "wiped_at"
        ),
        "letters": _each(MailedCode, "ordered_at", file.id, "ordered_at", "printed_at", "expires_at", "used_at"),
        "emailed_codes": _each(EmailCode, "sent_at", file.id, "purpose", "sent_to", "sent_at", "used_at"),
        "attempts": _each(Attempt, "at", file.id, "at", "kind"),
        "browsers": _each(
            FileBrowser, "started_at", file.id, "device", "started_at", "seen_at", "expires_at", "ended_at"
        ),
        "steps": _each(FileEvent, "place", file.id, "at", "event", "state"),
    }


def _each(model: type[Any], order: str, file_id: str, *columns: str) -> list[dict[str, Any]]:
    """Return the named *columns* of the rows that belong to a file, in order."""
    wanted = select(*(getattr(model, name) for name in columns)).where(model.file_id == file_id)
    return [dict(row._mapping) for row in db.session.execute(wanted.order_by(getattr(model, order)))]


def _code(signs: str | None) -> str | None:
    return None if signs is None else str(UserCode(signs))
