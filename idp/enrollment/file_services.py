"""Reading, locking and moving a file: the basis of every other service of enrolment."""

from __future__ import annotations

import secrets
from datetime import date, datetime

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from .. import audit
from ..audit import Actor
from ..crypto.sealing import current_sealing
from ..db import db, new_id
from ..identifiers import USER_CODE_SIGNS, Neq, UserCode
from .domain.files import FileView, LetterView, NomineeView, TimelineEntry
from .domain.states import State, StateEvent, after, deadline
from .errors import NoSuchFileError
from .models import EnrolmentFile, FileEvent, MailedCode, Nominee

MAILED_CODE_TRIES = 5  # domain.md §2.4


def draw_number() -> str:
    """Draw the public number of a file, ``XXXX-XXXX``: enough to find the file, never enough to open it."""
    signs = "".join(secrets.choice(USER_CODE_SIGNS) for _ in range(8))
    return f"{signs[:4]}-{signs[4:]}"


def read_number(text: str) -> str:
    """Return *text* in the stored form of file numbers, ignoring case, spaces and hyphens."""
    signs = "".join(sign for sign in text.upper() if sign.isalnum())[:16]
    return f"{signs[:4]}-{signs[4:]}"


def seal(file_id: str, column: str, value: str | None) -> str | None:
    """Seal *value* for its column of its row."""
    return None if value is None else current_sealing().seal(value, f"enrolment_file:{column}:{file_id}")


def unseal(file: EnrolmentFile, column: str) -> str | None:
    """Unseal *column* of *file*."""
    sealed: str | None = getattr(file, f"{column}_sealed")
    return None if sealed is None else current_sealing().unseal(sealed, f"enrolment_file:{column}:{file.id}")


def lock(session: Session, file_id: str) -> EnrolmentFile:
    """Return the row of a file, locked until the transaction ends.

    Raises:
        NoSuchFileError: it does not exist.
    """
    file = session.get(EnrolmentFile, file_id, with_for_update=True, populate_existing=True)
    if file is None:
        raise NoSuchFileError(file_id)
    return file


def move(
    session: Session,
    file: EnrolmentFile,
    event: StateEvent,
    *,
    actor: Actor,
    now: datetime,
    audit_event: audit.Event,
    details: dict[str, object] | None = None,
) -> None:
    """Apply a transition of the table to a locked *file*, with its timeline line and its log entry.

    Raises:
        ForbiddenTransitionError: the table has no such transition.
    """
    came_from = State(file.state)
    state = after(came_from, event)
    file.state = state.value
    if state is not came_from or event is StateEvent.CODE_ORDERED:
        file.state_since = now
        file.deadline_at = deadline(state, now, awaits_document=file.document_wanted)
    add_event(session, file, event.value, now=now)
    audit.record(
        audit_event,
        actor=actor,
        now=now,
        file_id=file.id,
        enterprise_id=file.enterprise_id,
        details={"event": event.value, "from": came_from.value, "to": state.value, **(details or {})},
    )
    session.flush()


def add_event(session: Session, file: EnrolmentFile, event: str, *, now: datetime) -> None:
    """Add a line to the timeline of a locked *file*."""
    before = session.scalar(select(func.count()).select_from(FileEvent).where(FileEvent.file_id == file.id)) or 0
    session.execute(
        insert(FileEvent).values(id=new_id(), file_id=file.id, place=before + 1, at=now, event=event, state=file.state)
    )


def nominees_of(session: Session, file_id: str) -> list[Nominee]:
    """Return the persons named in a file, in the order in which they were named."""
    wanted = select(Nominee).where(Nominee.file_id == file_id).order_by(Nominee.added_at, Nominee.id)
    return list(session.scalars(wanted.execution_options(populate_existing=True)))


def view(file_id: str, *, now: datetime) -> FileView:
    """Return a file as pages read it.

    Raises:
        NoSuchFileError: it does not exist.
    """
    session = db.session()
    session.flush()
    file = session.get(EnrolmentFile, file_id, populate_existing=True)
    if file is None:
        raise NoSuchFileError(file_id)
    return _view(session, file, now)


def find_by_number(number: str) -> str | None:
    """Return the id of the file with this number."""
    return db.session.scalar(select(EnrolmentFile.id).where(EnrolmentFile.number == read_number(number)))


def file_of_representative(person_id: str) -> str | None:
    """Return the latest file with this person as representative."""
    wanted = select(EnrolmentFile.id).where(EnrolmentFile.representative_id == person_id)
    return db.session.scalar(wanted.order_by(EnrolmentFile.created_at.desc()).limit(1))


def timeline(file_id: str) -> tuple[TimelineEntry, ...]:
    """Return what happened to a file, oldest first."""
    wanted = select(FileEvent).where(FileEvent.file_id == file_id).order_by(FileEvent.place)
    return tuple(TimelineEntry(row.at, row.event, State(row.state)) for row in db.session.scalars(wanted))


def _view(session: Session, file: EnrolmentFile, now: datetime) -> FileView:
    born = unseal(file, "birth_date")
    return FileView(
        id=file.id,
        number=file.number,
        state=State(file.state),
        language=file.language,
        created_at=file.created_at,
        state_since=file.state_since,
        deadline_at=file.deadline_at,
        neq=Neq(file.neq) if file.neq else None,
        enterprise_name=file.enterprise_name,
        neq_confirmed=file.neq_confirmed_at is not None,
        has_revenu_quebec_id=file.has_revenu_quebec_id,
        given_name=file.given_name,
        family_name=file.family_name,
        birth_date=date.fromisoformat(born) if born else None,
        position=file.position,
        basis=file.basis,
        has_notice=file.notice_number_sealed is not None,
        notice_year=file.notice_year,
        email=file.email,
        phone=file.phone,
        email_confirmed=file.email_confirmed_at is not None,
        terms_version=file.terms_version,
        submitted_at=file.submitted_at,
        correction_asked=file.correction_asked,
        document_wanted=file.document_wanted,
        public_facts=dict(file.public_facts),
        verification_method=file.verification_method,
        verified_at=file.verified_at,
        refusal_reason=file.refusal_reason,
        contested=file.contested_because is not None,
        enterprise_id=file.enterprise_id,
        representative_id=file.representative_id,
        representative_code=UserCode(file.representative_code) if file.representative_code else None,
        nominees=tuple(_nominee(file, row) for row in nominees_of(session, file.id)),
        letter=_letter(session, file.id, now),
    )


def _nominee(file: EnrolmentFile, row: Nominee) -> NomineeView:
    """Return a named person; the representative's own facts are read from the file, so that they never differ."""
    own = row.is_representative
    return NomineeView(
        id=row.id,
        is_representative=own,
        given_name=(file.given_name if own else row.given_name) or "",
        family_name=(file.family_name if own else row.family_name) or "",
        email=(file.email if own else row.email) or "",
        phone=(file.phone if own else row.phone) or "",
        person_id=row.person_id,
        user_code=UserCode(row.user_code) if row.user_code else None,
        slip_collected_at=row.slip_collected_at,
    )


def _letter(session: Session, file_id: str, now: datetime) -> LetterView | None:
    wanted = select(MailedCode).where(MailedCode.file_id == file_id).order_by(MailedCode.ordered_at.desc()).limit(1)
    last = session.scalar(wanted.execution_options(populate_existing=True))
    if last is None:
        return None
    count = session.scalar(select(func.count()).select_from(MailedCode).where(MailedCode.file_id == file_id)) or 0
    alive = last.used_at is None and last.killed_at is None and last.expires_at > now
    left = max(0, MAILED_CODE_TRIES - last.tries)
    return LetterView(last.ordered_at, last.printed_at, last.expires_at, left, alive and left > 0, count)
