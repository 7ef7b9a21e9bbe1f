"""Documents: received, sealed, read by operators, destroyed 90 days after the decision; the hash stays."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, insert, select, update

from .. import audit
from ..audit import Actor
from ..crypto.sealing import current_sealing
from ..db import db, new_id, transaction
from .domain.documents import DocumentKind, media_type, safe_name
from .domain.states import State, StateEvent, deadline
from .errors import FileNotEditableError, NoSuchFileError
from .file_services import add_event, lock, move
from .models import EnrolmentFile, Evidence

KEPT_AFTER_DECISION = timedelta(days=90)  # domain.md §2.4
MOST_DOCUMENTS = 5


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """A document in a list."""

    id: str
    kind: DocumentKind
    file_name: str
    media_type: str
    size: int
    sha256: str
    received_at: datetime
    wiped: bool


def receive(file_id: str, *, kind: DocumentKind, name: str, content: bytes, now: datetime) -> str:
    """Store a document, sealed; the same one sent twice is stored once.

    Raises:
        FileNotEditableError: no document is expected in this state, or there are too many.
    """
    digest = hashlib.sha256(content).hexdigest()
    actor = Actor("file", file_id)
    with transaction() as session:
        file = lock(session, file_id)
        if file.state not in (State.UNDER_REVIEW, State.CODE_MAILED):
            raise FileNotEditableError(file_id)
        same = select(Evidence.id).where(Evidence.file_id == file_id, Evidence.sha256 == digest)
        known = session.scalar(same)
        if known is not None:
            return known
        count = session.scalar(select(func.count()).select_from(Evidence).where(Evidence.file_id == file_id)) or 0
        if count >= MOST_DOCUMENTS:
            raise FileNotEditableError("too many documents")
        evidence_id = new_id()
        sealed = current_sealing().seal(base64.b64encode(content).decode(), _place(evidence_id))
        session.execute(
            insert(Evidence).values(
                id=evidence_id,
                file_id=file_id,
                kind=kind.value,
                file_name=safe_name(name),
                media_type=media_type(content) or "application/octet-stream",
                size=len(content),
                sha256=digest,
                content_sealed=sealed,
                received_at=now,
            )
        )
        file.document_wanted = False
        details: dict[str, object] = {"evidence": evidence_id, "kind": kind.value, "sha256": digest}
        if file.state == State.CODE_MAILED:
            told = audit.Event.FILE_DOCUMENT_RECEIVED
            move(session, file, StateEvent.DOCUMENT_OFFERED, actor=actor, now=now, audit_event=told, details=details)
            return evidence_id
        file.deadline_at = deadline(State.UNDER_REVIEW, now)
        add_event(session, file, "document_received", now=now)
        audit.record(audit.Event.FILE_DOCUMENT_RECEIVED, actor=actor, now=now, file_id=file_id, details=details)
    return evidence_id


def listed(file_id: str) -> tuple[EvidenceView, ...]:
    """Return the documents of a file, oldest first, without their content."""
    columns = (
        Evidence.id,
        Evidence.kind,
        Evidence.file_name,
        Evidence.media_type,
        Evidence.size,
        Evidence.sha256,
        Evidence.received_at,
        Evidence.wiped_at,
    )
    rows = db.session.execute(select(*columns).where(Evidence.file_id == file_id).order_by(Evidence.received_at))
    return tuple(
        EvidenceView(
            row.id,
            DocumentKind(row.kind),
            row.file_name,
            row.media_type,
            row.size,
            row.sha256,
            row.received_at,
            row.wiped_at is not None,
        )
        for row in rows
    )


def read(file_id: str, evidence_id: str, *, operator_id: str | None, now: datetime) -> tuple[str, bytes]:
    """Return the type and the bytes of a document; each reading is logged.

    Raises:
        NoSuchFileError: it does not exist, or was destroyed.
    """
    with transaction() as session:
        row = session.get(Evidence, evidence_id)
        if row is None or row.file_id != file_id or row.content_sealed is None:
            raise NoSuchFileError(evidence_id)
        actor = Actor("operator", operator_id)
        details: dict[str, object] = {"evidence": evidence_id}
        audit.record(audit.Event.FILE_READ, actor=actor, now=now, file_id=file_id, details=details)
        content = base64.b64decode(current_sealing().unseal(row.content_sealed, _place(evidence_id)))
        return row.media_type, content


def wipe_old(*, now: datetime) -> int:
    """Destroy the content of documents whose file was decided 90 days ago; return how many."""
    decided = select(EnrolmentFile.id).where(EnrolmentFile.decided_at <= now - KEPT_AFTER_DECISION)
    with transaction() as session:
        wiped = session.execute(
            update(Evidence)
            .where(Evidence.file_id.in_(decided), Evidence.content_sealed.is_not(None))
            .values(content_sealed=None, wiped_at=now)
            .returning(Evidence.id)
            .execution_options(synchronize_session=False)
        ).all()
    return len(wiped)


def _place(evidence_id: str) -> str:
    return f"enrolment_evidence:{evidence_id}"
