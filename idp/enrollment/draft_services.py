"""Filling a file in: each task is saved once valid, bound to the browser that began the file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from .. import audit, names
from ..audit import Actor
from ..connectors.enterprise_register import RegisterEntry
from ..db import new_id, transaction
from ..identifiers import Neq, RevenuQuebecId
from . import notice_services
from .domain.files import missing
from .domain.names import fold
from .domain.positions import Basis, Position
from .domain.states import INITIAL, State, StateEvent, deadline
from .domain.terms import TERMS_VERSION, terms_digest
from .errors import FileIncompleteError, FileNotEditableError, NoSuchFileError
from .file_services import draw_number, lock, move, nominees_of, seal, view
from .models import EnrolmentFile, Nominee


@dataclass(frozen=True, slots=True)
class Representative:
    """The representative's answers; ``notice_number`` None keeps what is on file."""

    given_name: str
    family_name: str
    birth_date: date
    position: Position
    basis: Basis
    notice_number: str | None
    notice_year: int | None
    email: str
    phone: str


@dataclass(frozen=True, slots=True)
class NomineeFacts:
    """A person to be named in charge."""

    given_name: str
    family_name: str
    email: str
    phone: str


def start(*, language: str, now: datetime) -> str:
    """Open a draft and return its id."""
    file_id = new_id()
    with transaction() as session:
        number = draw_number()
        while session.scalar(select(EnrolmentFile.id).where(EnrolmentFile.number == number)):
            number = draw_number()
        session.add(
            EnrolmentFile(
                id=file_id,
                number=number,
                state=INITIAL.value,
                language=language,
                created_at=now,
                state_since=now,
                deadline_at=deadline(INITIAL, now),
                correction_asked=False,
                document_wanted=False,
                reasons=[],
                public_facts={},
            )
        )
        session.flush()
        audit.record(audit.Event.FILE_STARTED, actor=_actor(file_id), now=now, file_id=file_id)
    return file_id


def save_neq(file_id: str, neq: Neq, *, now: datetime) -> None:
    """Save the NEQ; a changed one must be confirmed again."""
    with transaction() as session:
        file = _editable(session, file_id, now)
        if file.neq != neq.digits:
            file.neq, file.neq_confirmed_at, file.enterprise_name, file.legal_form = neq.digits, None, None, None


def confirm_neq(file_id: str, entry: RegisterEntry | None, *, now: datetime) -> None:
    """Record that the representative recognized the enterprise, as the register names it."""
    with transaction() as session:
        file = _editable(session, file_id, now)
        if file.neq is None or (entry is not None and entry.neq.digits != file.neq):
            raise FileNotEditableError("another number was typed meanwhile")
        file.neq_confirmed_at = now
        file.enterprise_name = entry.name if entry else None
        file.legal_form = entry.legal_form_label if entry else None


def save_revenu_quebec_id(file_id: str, number: RevenuQuebecId | None, *, now: datetime) -> None:
    """Save the Revenu Québec number, sealed; None means that the enterprise has none."""
    with transaction() as session:
        file = _editable(session, file_id, now)
        file.has_revenu_quebec_id = number is not None
        file.revenu_quebec_id_sealed = seal(file_id, "revenu_quebec_id", number.digits if number else None)


def save_representative(file_id: str, facts: Representative, *, now: datetime) -> bool:
    """Save the representative's answers; return True when their address still has to be confirmed."""
    with transaction() as session:
        file = _editable(session, file_id, now)
        if file.email is None or file.email.casefold() != facts.email.casefold():
            if file.email_confirmed_at is not None:
                _forget_numbers(file)
            file.email_confirmed_at = None
        file.given_name, file.family_name = facts.given_name, facts.family_name
        file.birth_date_sealed = seal(file_id, "birth_date", facts.birth_date.isoformat())
        file.position, file.basis = facts.position.value, facts.basis.value
        file.email, file.phone = facts.email, facts.phone
        if facts.notice_number:
            file.notice_number_sealed = seal(file_id, "notice_number", facts.notice_number)
        if facts.notice_year is None:
            file.notice_number_sealed = None
        file.notice_year = facts.notice_year if file.notice_number_sealed else None
        return file.email_confirmed_at is None


def add_representative_as_nominee(file_id: str, *, now: datetime) -> None:
    """Name the representative in charge; repeating it changes nothing."""
    with transaction() as session:
        _editable(session, file_id, now)
        if not any(row.is_representative for row in nominees_of(session, file_id)):
            session.add(Nominee(id=new_id(), file_id=file_id, added_at=now, is_representative=True))


def is_named(file_id: str, facts: NomineeFacts, *, but: str | None = None, now: datetime) -> bool:
    """Return whether this person is already named in the file: same address or same name."""
    return any(
        other.id != but
        and (
            other.email.casefold() == facts.email.casefold()
            or fold(other.name) == fold(names.full(facts.given_name, facts.family_name))
        )
        for other in view(file_id, now=now).nominees
    )


def save_nominee(file_id: str, facts: NomineeFacts, *, nominee_id: str | None = None, now: datetime) -> None:
    """Name a person in charge, or correct one already named.

    Raises:
        NoSuchFileError: the person to correct is not named in this file.
    """
    with transaction() as session:
        _editable(session, file_id, now)
        values = {
            "given_name": facts.given_name,
            "family_name": facts.family_name,
            "email": facts.email,
            "phone": facts.phone,
        }
        if nominee_id is None:
            session.execute(
                insert(Nominee).values(id=new_id(), file_id=file_id, added_at=now, is_representative=False, **values)
            )
            return
        row = session.get(Nominee, nominee_id)
        if row is None or row.file_id != file_id or row.is_representative:
            raise NoSuchFileError(nominee_id)
        for name, value in values.items():
            setattr(row, name, value)


def remove_nominee(file_id: str, nominee_id: str, *, now: datetime) -> None:
    """Remove a person from the list; one who is not on it is no error (back button, double click)."""
    with transaction() as session:
        _editable(session, file_id, now)
        session.execute(delete(Nominee).where(Nominee.id == nominee_id, Nominee.file_id == file_id))


def submit(file_id: str, *, terms_version: str, language: str, now: datetime) -> bool:
    """Accept the terms and submit; return False when the file was already submitted (a second click).

    Raises:
        FileIncompleteError: a task is missing, or the terms changed meanwhile.
    """
    with transaction() as session:
        file = lock(session, file_id)
        if file.state != State.DRAFT:
            return False
        if missing(view(file_id, now=now)) or terms_version != TERMS_VERSION:
            raise FileIncompleteError(file_id)
        first = file.submitted_at is None
        file.terms_version, file.terms_language = TERMS_VERSION, language
        file.terms_digest, file.terms_accepted_at = terms_digest(language), now
        file.submitted_at, file.correction_asked, file.check_leased_until = now, False, None
        details: dict[str, object] = {"terms_version": TERMS_VERSION, "terms_digest": file.terms_digest}
        move(
            session,
            file,
            StateEvent.SUBMITTED,
            actor=_actor(file_id),
            now=now,
            audit_event=audit.Event.FILE_SUBMITTED,
            details=details,
        )
        if first:
            notice_services.enqueue_representative_email(file, "mail_submitted", now=now)
    return True


def withdraw(file_id: str, *, now: datetime) -> None:
    """Withdraw the file before it is active.

    Raises:
        ForbiddenTransitionError: it is too late.
    """
    with transaction() as session:
        file = lock(session, file_id)
        if file.state == State.WITHDRAWN:
            return
        if file.enterprise_id is not None:
            raise FileNotEditableError("the enterprise is registered")
        move(
            session, file, StateEvent.WITHDRAWN, actor=_actor(file_id), now=now, audit_event=audit.Event.FILE_WITHDRAWN
        )


def contest(file_id: str, because: str, *, now: datetime) -> None:
    """Contest a refusal: the file goes to an operator with the representative's explanation."""
    with transaction() as session:
        file = lock(session, file_id)
        if file.state == State.UNDER_REVIEW and file.contested_because is not None:
            return
        file.contested_because, file.document_wanted, file.decided_at = because, False, None
        file.proposed_by = file.proposed_at = None
        move(
            session, file, StateEvent.CONTESTED, actor=_actor(file_id), now=now, audit_event=audit.Event.FILE_CONTESTED
        )


def _editable(session: Session, file_id: str, now: datetime) -> EnrolmentFile:
    file = lock(session, file_id)
    if file.state != State.DRAFT or (file.deadline_at is not None and file.deadline_at <= now):
        raise FileNotEditableError(file_id)
    return file


def _forget_numbers(file: EnrolmentFile) -> None:
    """Delete the typed numbers: an address other than the confirmed one may belong to another person."""
    file.has_revenu_quebec_id = file.revenu_quebec_id_sealed = file.notice_number_sealed = None


def _actor(file_id: str) -> Actor:
    return Actor("file", file_id)
