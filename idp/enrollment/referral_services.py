"""Sending a file to an operator, in the same words whatever the reason."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import audit
from ..audit import SYSTEM, Actor
from . import notice_services
from .domain.states import StateEvent
from .file_services import move
from .models import EnrolmentFile, Evidence


def refer(
    session: Session,
    file: EnrolmentFile,
    event: StateEvent,
    *,
    actor: Actor = SYSTEM,
    details: dict[str, object] | None = None,
    now: datetime,
) -> None:
    """Send a locked *file* to an operator; a document is requested when none was received, whatever the reason."""
    received = session.scalar(select(Evidence.id).where(Evidence.file_id == file.id).limit(1))
    file.document_wanted = received is None
    move(session, file, event, actor=actor, now=now, audit_event=audit.Event.FILE_UNDER_REVIEW, details=details)
    notice_services.enqueue_representative_email(file, "mail_under_review", now=now)
