"""Checking a submitted file: ask both connectors outside any transaction, decide in a second one (decisions.md §13).

A connector that is down leaves the file in its state; the worker checks it again. No other source replaces it, and the
file is never accepted meanwhile.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.orm import Session

from .. import audit
from ..audit import SYSTEM
from ..connectors.enterprise_register import RegisterEntry
from ..connectors.tax_agency import TaxAccount
from ..db import db, new_id, transaction
from ..identifiers import Neq, RevenuQuebecId
from . import enrolled_services, mailed_code_services, notice_services
from .connector_services import Account, Entry, ask_tax_agency, look_up
from .domain.positions import Basis
from .domain.rules import (
    TRIES,
    TRIES_WINDOW_HOURS,
    Application,
    Assessment,
    AssessmentOutcome,
    AssessmentReason,
    FileRefusalReason,
    assess,
)
from .domain.states import State, StateEvent
from .file_services import add_event, lock, move, unseal
from .models import Attempt, EnrolmentFile
from .referral_services import refer

CHECK_LEASE = timedelta(seconds=60)
NUMBERS, NOTICE = "numbers", "notice"


def check(file_id: str, *, now: datetime) -> None:
    """Check a submitted file and apply the decision; skip a file that is not waiting, or is already being checked."""
    if not _lease(file_id, now):
        return
    application, notice = _application(file_id)
    db.session.commit()
    entry = look_up(application.neq)
    account, matches = ask_tax_agency(application, notice)
    with transaction() as session:
        _hold_enterprise(session, application.neq)
        file = lock(session, file_id)
        if file.state != State.SUBMITTED:
            return
        known = replace(
            application,
            notice_matches=matches,
            already_enrolled=enrolled_services.is_enrolled(application.neq, but=file_id),
            tries_exhausted=_tries(session, file, NUMBERS, now) >= TRIES,
            notice_tries_exhausted=_tries(session, file, NOTICE, now) >= TRIES,
        )
        _apply(session, file, assess(known, entry, account, now), entry, account, now)


def _lease(file_id: str, now: datetime) -> bool:
    with transaction() as session:
        held = session.execute(
            update(EnrolmentFile)
            .where(
                EnrolmentFile.id == file_id,
                EnrolmentFile.state == State.SUBMITTED.value,
                or_(EnrolmentFile.check_leased_until.is_(None), EnrolmentFile.check_leased_until <= now),
            )
            .values(check_leased_until=now + CHECK_LEASE)
            .returning(EnrolmentFile.id)
            .execution_options(synchronize_session=False)
        ).first()
    return held is not None


def _application(file_id: str) -> tuple[Application, tuple[str, int] | None]:
    file = db.session.get(EnrolmentFile, file_id, populate_existing=True)
    if file is None or file.neq is None:
        raise LookupError(file_id)
    number, notice = unseal(file, "revenu_quebec_id"), unseal(file, "notice_number")
    application = Application(
        neq=Neq(file.neq),
        revenu_quebec_id=RevenuQuebecId(number) if number else None,
        given_name=file.given_name or "",
        family_name=file.family_name or "",
        birth_date=date.fromisoformat(unseal(file, "birth_date") or ""),
        position=file.position or "",
        basis=Basis(file.basis or ""),
        notice_year=file.notice_year if notice else None,
    )
    return application, (notice, file.notice_year) if notice and file.notice_year else None


def _hold_enterprise(session: Session, neq: Neq) -> None:
    """Lock the files of one enterprise, so that each decision sees the attempts of earlier files (S-48).

    Rows are always locked in the same order, so that two checks never deadlock.
    """
    session.execute(
        select(EnrolmentFile.id).where(EnrolmentFile.neq == neq.digits).order_by(EnrolmentFile.id).with_for_update()
    ).all()


def _tries(session: Session, file: EnrolmentFile, kind: str, now: datetime) -> int:
    """Return the failed attempts of this file or of this NEQ within the window, whichever is more."""
    recent = select(func.count()).select_from(Attempt).where(Attempt.kind == kind)
    recent = recent.where(Attempt.at > now - timedelta(hours=TRIES_WINDOW_HOURS))
    counts = (session.scalar(recent.where(place)) for place in (Attempt.file_id == file.id, Attempt.neq == file.neq))
    return max(count or 0 for count in counts)


def _apply(
    session: Session, file: EnrolmentFile, found: Assessment, entry: Entry, account: Account, now: datetime
) -> None:
    file.outcome, file.reasons = found.outcome.value, [reason.value for reason in found.reasons]
    details: dict[str, object] = {"outcome": found.outcome.value, "reasons": file.reasons}
    match found.outcome:
        case AssessmentOutcome.WAIT:
            add_event(session, file, StateEvent.CONNECTOR_UNAVAILABLE.value, now=now)
            audit.record(audit.Event.FILE_CHECKED, actor=SYSTEM, now=now, file_id=file.id, details=details)
        case AssessmentOutcome.REFUSED:
            _refuse(session, file, FileRefusalReason(found.reasons[0].value), entry, details, now)
        case AssessmentOutcome.CORRECTION:
            kind = NUMBERS if found.reasons[0] is AssessmentReason.NUMBERS_DISAGREE else NOTICE
            session.execute(insert(Attempt).values(id=new_id(), file_id=file.id, neq=file.neq, kind=kind, at=now))
            file.correction_asked = True
            _move(session, file, StateEvent.CORRECTION_NEEDED, audit.Event.FILE_SENT_BACK, details, now)
        case AssessmentOutcome.REVIEW:
            refer(session, file, StateEvent.REVIEW_NEEDED, details=details, now=now)
            if AssessmentReason.ALREADY_ENROLLED in found.reasons:
                enrolled_services.notify_enrolled(file, now=now)
        case AssessmentOutcome.VERIFIED_ONLINE:
            file.verification_method, file.verified_at, file.verified_by = "online", now, "system"
            file.decided_at = now
            _move(session, file, StateEvent.CHECKS_PASSED, audit.Event.FILE_VERIFIED, details, now)
        case AssessmentOutcome.CODE_MAILED:
            if not isinstance(account, TaxAccount):
                raise LookupError("a letter without an account")
            mailed_code_services.order(session, file, account, details=details, now=now)


def _refuse(
    session: Session,
    file: EnrolmentFile,
    why: FileRefusalReason,
    entry: Entry,
    details: dict[str, object],
    now: datetime,
) -> None:
    if isinstance(entry, RegisterEntry):
        file.public_facts = {
            "status": entry.status.value,
            "status_date": entry.status_date.isoformat() if entry.status_date else None,
            "status_label": entry.status_label,
            "merged_into": entry.merged_into.digits if entry.merged_into else None,
        }
    file.refusal_reason, file.decided_at = why.value, now
    _move(session, file, StateEvent.CHECKS_REFUSED, audit.Event.FILE_REFUSED, details, now)
    notice_services.enqueue_representative_email(file, "mail_refused", now=now)


def _move(
    session: Session,
    file: EnrolmentFile,
    event: StateEvent,
    audit_event: audit.Event,
    details: dict[str, object],
    now: datetime,
) -> None:
    move(session, file, event, actor=SYSTEM, now=now, audit_event=audit_event, details=details)
