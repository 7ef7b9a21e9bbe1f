"""What operators may do with a file: the queue, one file with all its facts, the decision.

Approval needs a second operator: always when authority rests on a mandate, and by office unless
``IDP_OFFICE_OPERATORS`` is 1. An operator never approves their own proposal.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import audit, names
from ..audit import Actor
from ..db import db, transaction
from ..errors import ConflictError
from ..http.web import current_settings
from ..identifiers import Neq
from . import evidence_services, notice_services
from .connector_services import Account, Entry, ask_account, look_up
from .domain.files import FileView, TimelineEntry
from .domain.names import same_name
from .domain.positions import Basis
from .domain.rules import FileRefusalReason
from .domain.states import State, StateEvent, deadline, operator_due
from .enrolled_services import is_enrolled
from .errors import NoSuchFileError, SameOperatorError
from .evidence_services import EvidenceView
from .file_services import add_event, lock, move, timeline, view
from .models import EnrolmentFile


class Approval(StrEnum):
    """The result of an approval."""

    APPROVED = "approved"
    PROPOSED = "proposed"


@dataclass(frozen=True, slots=True)
class FileSummary:
    """One line of the queue."""

    id: str
    number: str
    neq: Neq | None
    enterprise_name: str | None
    representative_name: str
    since: datetime
    due_at: datetime
    reasons: tuple[str, ...]
    awaits_document: bool
    proposed_by: str | None
    contested: bool


@dataclass(frozen=True, slots=True)
class ReviewFile:
    """A file with the current answers of the register and the tax agency (or ``UNAVAILABLE``)."""

    file: FileView
    summary: FileSummary
    entry: Entry
    account: Account
    matching_officers: tuple[int, ...]  # indices of the officers on file whose name and birth date match
    already_enrolled: bool
    evidence: tuple[EvidenceView, ...]
    timeline: tuple[TimelineEntry, ...]
    needs_second_operator: bool
    contested_because: str | None
    note: str | None


def queue() -> tuple[FileSummary, ...]:
    """Return the files an operator may decide, oldest first; those that await a document come last."""
    rows = db.session.scalars(
        select(EnrolmentFile)
        .where(EnrolmentFile.state == State.UNDER_REVIEW.value)
        .order_by(EnrolmentFile.document_wanted, EnrolmentFile.state_since)
        .execution_options(populate_existing=True)
    )
    return tuple(_summary(row) for row in rows)


def file_for_review(file_id: str, *, operator_id: str | None = None, now: datetime) -> ReviewFile:
    """Return one file with all its facts; the reading is logged.

    Raises:
        NoSuchFileError: it does not exist.
    """
    row = _row(file_id)
    entry = look_up(Neq(row.neq)) if row.neq else None
    account = ask_account(row)
    file = view(file_id, now=now)
    with transaction():
        actor = Actor("operator", operator_id)
        audit.record(audit.Event.FILE_READ, actor=actor, now=now, file_id=file_id, details={})
    officers = getattr(account, "officers", ())
    return ReviewFile(
        file=file,
        summary=_summary(row),
        entry=entry,
        account=account,
        matching_officers=tuple(
            place
            for place, officer in enumerate(officers)
            if officer.birth_date == file.birth_date
            and same_name(file.given_name or "", file.family_name or "", officer.given_name, officer.family_name)
        ),
        already_enrolled=bool(row.neq) and is_enrolled(Neq(row.neq or ""), but=file_id),
        evidence=evidence_services.listed(file_id),
        timeline=timeline(file_id),
        needs_second_operator=_needs_second(row),
        contested_because=row.contested_because,
        note=row.review_note,
    )


def approve(file_id: str, *, operator_id: str, note: str, now: datetime) -> Approval:
    """Approve a file under review, or propose it when a second operator has to agree.

    Raises:
        SameOperatorError: the second approval comes from the first operator.
        ConflictError: the file is no longer under review, or its enterprise is already enrolled.
    """
    actor = Actor("operator", operator_id)
    with transaction() as session:
        file = _under_review(session, file_id)
        if file.neq is None or is_enrolled(Neq(file.neq), but=file_id):
            raise ConflictError("the enterprise is enrolled already")
        if _needs_second(file) and file.proposed_by is None:
            file.proposed_by, file.proposed_at, file.review_note = operator_id, now, note
            audit.record(audit.Event.FILE_APPROVAL_PROPOSED, actor=actor, now=now, file_id=file_id, details={})
            return Approval.PROPOSED
        if _needs_second(file) and file.proposed_by == operator_id:
            raise SameOperatorError(operator_id)
        details: dict[str, object] = {"first_operator": file.proposed_by} if file.proposed_by else {}
        file.verification_method, file.verified_at, file.verified_by = "document", now, operator_id
        file.decided_at, file.document_wanted, file.refusal_reason = now, False, None
        file.review_note = "\n".join(part for part in (file.review_note, note) if part)
        told = audit.Event.FILE_APPROVED
        move(session, file, StateEvent.APPROVED, actor=actor, now=now, audit_event=told, details=details)
        notice_services.enqueue_representative_email(file, "mail_verified", now=now)
    return Approval.APPROVED


def refuse(file_id: str, *, operator_id: str, reason: str, note: str, now: datetime) -> None:
    """Refuse a file under review, with a reason from the list.

    Raises:
        ConflictError: the file is no longer under review.
        ValueError: the reason is not in the list.
    """
    why = FileRefusalReason(reason)
    actor = Actor("operator", operator_id)
    with transaction() as session:
        file = _under_review(session, file_id)
        file.refusal_reason, file.decided_at, file.document_wanted = why.value, now, False
        file.review_note, file.proposed_by, file.proposed_at = note, None, None
        told = audit.Event.FILE_REFUSED
        move(session, file, StateEvent.REJECTED, actor=actor, now=now, audit_event=told, details={"reason": why.value})
        notice_services.enqueue_representative_email(file, "mail_refused", now=now)


def send_back(file_id: str, *, operator_id: str, note: str, now: datetime) -> None:
    """Send a file back to its representative for correction; it becomes a draft again."""
    actor = Actor("operator", operator_id)
    with transaction() as session:
        file = _under_review(session, file_id)
        file.correction_asked, file.review_note = True, note
        file.proposed_by = file.proposed_at = None
        told = audit.Event.FILE_SENT_BACK
        move(session, file, StateEvent.CORRECTION_NEEDED, actor=actor, now=now, audit_event=told)
        notice_services.enqueue_representative_email(file, "mail_correction", now=now)


def ask_document(file_id: str, *, operator_id: str, now: datetime) -> None:
    """Request a document, or another one, from the representative; they have thirty days."""
    actor = Actor("operator", operator_id)
    with transaction() as session:
        file = _under_review(session, file_id)
        file.document_wanted, file.deadline_at = True, deadline(State.UNDER_REVIEW, now, awaits_document=True)
        add_event(session, file, "document_asked", now=now)
        audit.record(
            audit.Event.FILE_UNDER_REVIEW, actor=actor, now=now, file_id=file_id, details={"event": "document_asked"}
        )
        notice_services.enqueue_representative_email(file, "mail_under_review", now=now)


def evidence(file_id: str, evidence_id: str, *, operator_id: str | None = None, now: datetime) -> tuple[str, bytes]:
    """Return the type and the bytes of a document (see ``evidence_services.read``)."""
    return evidence_services.read(file_id, evidence_id, operator_id=operator_id, now=now)


def _row(file_id: str) -> EnrolmentFile:
    row = db.session.get(EnrolmentFile, file_id, populate_existing=True)
    if row is None:
        raise NoSuchFileError(file_id)
    return row


def _under_review(session: Session, file_id: str) -> EnrolmentFile:
    file = lock(session, file_id)
    if file.state != State.UNDER_REVIEW:
        raise ConflictError("the file is no longer under review")
    return file


def _needs_second(file: EnrolmentFile) -> bool:
    return file.basis == Basis.MANDATE or current_settings().office_operators > 1


def _summary(row: EnrolmentFile) -> FileSummary:
    return FileSummary(
        id=row.id,
        number=row.number,
        neq=Neq(row.neq) if row.neq else None,
        enterprise_name=row.enterprise_name,
        representative_name=names.full(row.given_name, row.family_name),
        since=row.state_since,
        due_at=operator_due(row.state_since),
        reasons=tuple(row.reasons),
        awaits_document=row.document_wanted,
        proposed_by=row.proposed_by,
        contested=row.contested_because is not None,
    )
