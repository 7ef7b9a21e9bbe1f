"""From a verified file to people who can sign in: the representative's account, then one slip for each named person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import audit, names
from ..accounts import services as accounts
from ..accounts.credentials.domain.passwords import TemporaryPassword
from ..audit import Actor
from ..db import transaction
from ..delegation import contact_services
from ..delegation import services as delegation
from ..delegation.people.domain.roles import Role
from ..delegation.people.domain.verification import VerificationMethod, VerificationRecord
from ..errors import ConflictError, NotAllowedError
from ..i18n import Language
from ..identifiers import PersonId, UserCode, with_neq
from .domain.states import State, StateEvent
from .errors import FileNotEditableError, NoSuchFileError
from .file_services import lock, move, nominees_of
from .models import EnrolmentFile, Evidence, Nominee
from .referral_services import refer


@dataclass(frozen=True, slots=True)
class IssuedSlip:
    """A slip as shown, once."""

    user_code: UserCode
    temporary: TemporaryPassword
    person_name: str
    enterprise_name: str


def open_account(file_id: str, *, now: datetime) -> str | None:
    """Register the enterprise, its representative and the named persons; return the token of the first credential.

    Called again before the representative finished, it returns another token. None when the enterprise was enrolled
    meanwhile by another file: this one then goes to an operator, in neutral words.

    Raises:
        FileNotEditableError: the file is not verified.
    """
    try:
        with transaction() as session:
            file = lock(session, file_id)
            if file.state not in (State.VERIFIED, State.ACTIVE):
                raise FileNotEditableError(file_id)
            if file.representative_id is None:
                _register(session, file, now)
            person_id, code = file.representative_id or "", UserCode(file.representative_code or "")
            return accounts.open_first_credential(PersonId(person_id), code, now=now)
    except FileNotEditableError:
        raise
    except ConflictError:
        with transaction() as session:
            file = lock(session, file_id)
            if file.representative_id is not None:
                raise
            file.verification_method = file.verified_at = file.verified_by = file.decided_at = None
            file.reasons = [*file.reasons, "already_enrolled"]
            refer(session, file, StateEvent.REGISTER_CHANGED, now=now)
        return None


def slip(file_id: str, nominee_id: str, *, actor_id: str, now: datetime) -> IssuedSlip:
    """Create the temporary password of a named person, shown once; the previous slip, if any, is revoked.

    Raises:
        NotAllowedError: only the representative collects slips.
        ConflictError: the person already uses their code.
    """
    actor = Actor.person(actor_id)
    with transaction() as session:
        file = lock(session, file_id)
        if file.representative_id != actor_id:
            raise NotAllowedError("not the representative of this file")
        row = session.get(Nominee, nominee_id, populate_existing=True)
        if row is None or row.file_id != file_id or row.is_representative or row.user_code is None:
            raise NoSuchFileError(nominee_id)
        code = UserCode(row.user_code)
        temporary = accounts.reveal_temporary_password(code, actor=actor, now=now)
        row.slip_collected_at = now
        session.flush()
        _activate_when_collected(session, file, actor, now)
        return IssuedSlip(
            code,
            temporary,
            names.full(row.given_name, row.family_name),
            with_neq(_enterprise_name(file), file.neq or ""),
        )


def _register(session: Session, file: EnrolmentFile, now: datetime) -> None:
    actor = Actor("file", file.id)
    language = cast(Language, file.language)
    person_id = accounts.create_person(
        given_name=file.given_name or "",
        family_name=file.family_name or "",
        email=file.email or "",
        language=language,
        now=now,
    )
    code = accounts.issue_user_code(person_id, now=now)
    enterprise_id = delegation.register_enterprise(_record(session, file, person_id), actor=actor, now=now)
    representative = Role.AUTHORIZED_REPRESENTATIVE
    delegation.appoint(enterprise_id, person_id, representative, user_code=code.signs, actor=actor, now=now)
    file.enterprise_id, file.representative_id, file.representative_code = enterprise_id, person_id, code.signs
    file.deadline_at = None  # the enterprise is registered: nothing lapses any more, a slip can be made at any time
    for row in nominees_of(session, file.id):
        if row.is_representative:
            row.person_id, row.user_code = person_id, code.signs
            delegation.appoint(enterprise_id, person_id, Role.PES, user_code=None, actor=actor, now=now)
            continue
        row.person_id = accounts.create_person(
            given_name=row.given_name or "",
            family_name=row.family_name or "",
            email=row.email or "",
            language=language,
            now=now,
        )
        theirs = accounts.issue_user_code(PersonId(row.person_id), now=now)
        row.user_code = theirs.signs
        delegation.appoint(enterprise_id, row.person_id, Role.PES, user_code=theirs.signs, actor=actor, now=now)
        contact_services.declare(enterprise_id, row.person_id, position="", phone=row.phone or "")
    contact_services.declare(enterprise_id, person_id, position=file.position or "", phone=file.phone or "")
    session.flush()
    _activate_when_collected(session, file, actor, now)


def _activate_when_collected(session: Session, file: EnrolmentFile, actor: Actor, now: datetime) -> None:
    waiting = any(row.slip_collected_at is None for row in nominees_of(session, file.id) if not row.is_representative)
    if file.state == State.VERIFIED and not waiting:
        move(session, file, StateEvent.SLIPS_COLLECTED, actor=actor, now=now, audit_event=audit.Event.FILE_ACTIVATED)


def _record(session: Session, file: EnrolmentFile, person_id: PersonId) -> VerificationRecord:
    if file.verified_at is None:
        raise FileNotEditableError(file.id)
    documents = session.scalars(select(Evidence.kind).where(Evidence.file_id == file.id).order_by(Evidence.received_at))
    method = cast(VerificationMethod, file.verification_method)
    shared = {
        "online": ("tax_agency", "tax_officer", "tax_notice"),
        "mailed_code": ("tax_agency", "tax_officer", "mailed_code"),
    }
    register = ("register",) if file.enterprise_name else ()  # only the register gives its name
    return VerificationRecord(
        neq=file.neq or "",
        name=_enterprise_name(file),
        legal_form=file.legal_form,
        method=method,
        verified_at=file.verified_at,
        verified_by=file.verified_by or "system",
        evidence=(*register, *shared.get(method, tuple(documents))),
        file_id=file.id,
        authorized_representative=person_id,
        given_name=file.given_name or "",
        family_name=file.family_name or "",
    )


def _enterprise_name(file: EnrolmentFile) -> str:
    return file.enterprise_name or f"NEQ {file.neq}"
