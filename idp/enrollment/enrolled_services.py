"""Whether an enterprise is already enrolled, which no page discloses; its people are e-mailed (decisions.md §10)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from ..accounts import services as accounts
from ..db import db
from ..delegation import services as delegation
from ..delegation.people.domain.roles import MembershipStatus, Role
from ..identifiers import Neq
from . import notice_services
from .domain.rules import AssessmentReason
from .domain.states import State
from .models import EnrolmentFile

_HOLDING = (State.VERIFIED, State.ACTIVE, State.SUSPENDED)  # a file in these states blocks other files of its NEQ
_TOLD_ROLES = (Role.AUTHORIZED_REPRESENTATIVE, Role.PES)
_QUIET = timedelta(days=1)  # its people are notified at most once a day


def is_enrolled(neq: Neq, *, but: str) -> bool:
    """Return whether another file or delegation already has this NEQ."""
    if delegation.enterprise_of_neq(neq.digits) is not None:
        return True
    other = select(EnrolmentFile.id).where(
        EnrolmentFile.neq == neq.digits,
        EnrolmentFile.id != but,
        EnrolmentFile.state.in_([state.value for state in _HOLDING]),
    )
    return db.session.scalar(other.limit(1)) is not None


def notify_enrolled(file: EnrolmentFile, *, now: datetime) -> None:
    """Notify the representative and the PES of the enrolled enterprise of the attempt, at most once a day."""
    enterprise_id = delegation.enterprise_of_neq(file.neq or "")
    if enterprise_id is None or _notified_lately(file, now):
        return
    members = [
        member
        for member in delegation.members(enterprise_id, roles=_TOLD_ROLES)
        if member.status is MembershipStatus.ACTIVE
    ]
    people = accounts.people({member.person_id for member in members})
    name = members[0].enterprise if members else ""
    for person in people.values():
        notice_services.enqueue_email(
            "mail_already_enrolled", to=person.email, language=person.language, now=now, enterprise=name
        )


def _notified_lately(file: EnrolmentFile, now: datetime) -> bool:
    others = db.session.execute(
        select(EnrolmentFile.reasons).where(
            EnrolmentFile.neq == file.neq, EnrolmentFile.id != file.id, EnrolmentFile.submitted_at > now - _QUIET
        )
    )
    return any(AssessmentReason.ALREADY_ENROLLED.value in (reasons or []) for (reasons,) in others)
