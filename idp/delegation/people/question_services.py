"""“I do not know who my PES is”: a message that reaches those in charge of an enterprise, if it is enrolled.

The page answers the same and does the same work whatever exists: the worker looks the enterprise up. The person who asks learns
nothing; those in charge decide whether they answer, by the address or the telephone that was left.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from ... import audit
from ...accounts import services as accounts
from ...accounts.throttling import allowance_services
from ...audit.domain.events import Event
from ...audit.services import Actor
from ...crypto.sealing import current_sealing
from ...db import db, new_id, transaction
from ...i18n import Language
from ...identifiers import Neq
from ...notices import services as notices
from ..enterprise_services import enterprise_of_neq
from ..models import QuestionRow
from .domain.roles import MembershipStatus, Role
from .people_services import members

ASKED, QUESTION = "pes_asked", "pes_question"  # kinds of notices: values are stored
KEPT = timedelta(days=30)
PER_ENTERPRISE = 3  # an hour, the person who asks
PER_ADDRESS = 3  # an hour, for one address or telephone left, whatever the enterprise
PER_SENDER = 10  # an hour, from one network address
_IN_CHARGE = (Role.AUTHORIZED_REPRESENTATIVE, Role.PES)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, how to reach them, and what they say; one of *email* and *phone* may be empty."""

    name: str
    email: str
    phone: str
    message: str
    language: Language


@dataclass(frozen=True, slots=True)
class QuestionView:
    """A question as those in charge read it."""

    id: str
    asker: Asker
    asked_at: datetime
    answered_at: datetime | None
    answered_by: str | None


def ask(neq: Neq, asker: Asker, *, sender: str, now: datetime) -> bool:
    """Have *asker* reach those in charge of the enterprise with *neq*, if it is enrolled.

    False when *sender* (a network address) asked too often; beyond the other bounds nothing leaves, in silence.
    """
    with transaction():
        if allowance_services.take(_allowance("sender", sender), limit=PER_SENDER, now=now) is not None:
            return False
        bounds = [
            allowance_services.take(_allowance("enterprise", neq.digits), limit=PER_ENTERPRISE, now=now),
            allowance_services.take(
                _allowance("asker", (asker.email or asker.phone).lower()), limit=PER_ADDRESS, now=now
            ),
        ]
        if not any(bounds):
            notices.enqueue(ASKED, {"id": new_id(), "neq": neq.digits, "asker": asdict(asker)}, now=now)
    return True


def pass_on(payload: dict[str, Any], now: datetime) -> None:
    """Keep a question for the enterprise it names, if it is enrolled, and write to each person in charge; twice is once."""
    enterprise_id = enterprise_of_neq(payload["neq"])
    if enterprise_id is None:
        return
    asker, question_id = payload["asker"], payload["id"]
    with transaction() as session:
        if session.scalar(select(QuestionRow.id).where(QuestionRow.id == question_id)) is not None:
            return
        sealed = current_sealing().seal(json.dumps(asker, ensure_ascii=False), _place(question_id))
        row = {"id": question_id, "enterprise_id": enterprise_id, "said": sealed, "asked_at": now}
        session.execute(insert(QuestionRow).values(row))
        audit.record(Event.QUESTION_ASKED, actor=audit.ANONYMOUS, enterprise_id=enterprise_id, now=now)
        for person_id, address in _in_charge(enterprise_id).items():
            notices.enqueue(QUESTION, {"person_id": person_id, "to": address, **payload}, now=now)


def questions(enterprise_id: str) -> tuple[QuestionView, ...]:
    """Return the questions of an enterprise that are kept, the latest first, those without an answer before the others."""
    rows = db.session.scalars(
        select(QuestionRow)
        .where(QuestionRow.enterprise_id == enterprise_id)
        .order_by(QuestionRow.answered_at.is_not(None), QuestionRow.asked_at.desc(), QuestionRow.id)
        .limit(100)
        .execution_options(populate_existing=True)
    )
    return tuple(
        QuestionView(row.id, _asker(row), row.asked_at, row.answered_at, row.answered_by) for row in rows.all()
    )


def count_open(enterprise_id: str) -> int:
    """Return how many questions of an enterprise wait for an answer."""
    wanted = select(func.count()).where(QuestionRow.enterprise_id == enterprise_id, QuestionRow.answered_at.is_(None))
    return db.session.scalar(wanted) or 0


def note_answered(enterprise_id: str, question_id: str, *, by: str, now: datetime) -> bool:
    """Write that a person in charge answered a question; False when another one did, or it is gone."""
    with transaction() as session:
        done = session.scalar(
            update(QuestionRow)
            .where(
                QuestionRow.id == question_id,
                QuestionRow.enterprise_id == enterprise_id,
                QuestionRow.answered_at.is_(None),
            )
            .values(answered_at=now, answered_by=by)
            .returning(QuestionRow.id)
            .execution_options(synchronize_session=False)
        )
        if done is not None:
            audit.record(Event.QUESTION_ANSWERED, actor=Actor.person(by), enterprise_id=enterprise_id, now=now)
    return done is not None


def forget_old(now: datetime) -> int:
    """Delete the questions whose time has passed; return how many."""
    with transaction() as session:
        old = delete(QuestionRow).where(QuestionRow.asked_at <= now - KEPT).returning(QuestionRow.id)
        return len(session.scalars(old.execution_options(synchronize_session=False)).all())


def _in_charge(enterprise_id: str) -> dict[str, str]:
    """Return where each person in charge is written to, by person: the address that the enterprise knows."""
    there = [view for view in members(enterprise_id, roles=_IN_CHARGE) if view.status is MembershipStatus.ACTIVE]
    people = accounts.people({view.person_id for view in there})
    return {view.person_id: view.known.email or people[view.person_id].email for view in there}


def _asker(row: QuestionRow) -> Asker:
    return Asker(**json.loads(current_sealing().unseal(row.said, _place(row.id))))


def _allowance(kind: str, subject: str) -> str:
    return f"question:{kind}:{current_sealing().keyed_digest(subject, 'allowance')}"


def _place(question_id: str) -> str:
    return f"question:{question_id}"
