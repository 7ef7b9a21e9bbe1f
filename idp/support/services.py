"""The people who work at the desk, and the log of what they read."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, func, insert, select

from .. import audit, names
from ..accounts import services as accounts
from ..accounts.leaving.domain.closing import Objection
from ..audit import SYSTEM, Actor, Event
from ..db import db, transaction
from ..errors import ConflictError
from ..http.web import absolute_url
from ..i18n import Language
from ..i18n import gettext as _
from ..identifiers import PersonId, UserCode
from .models import Operator
from .roles import DESKS, DeskRole, OperatorView, wrong_agency


class Added(NamedTuple):
    """A new person at the desk, their user code, and the single-use link where they choose their credentials."""

    person_id: PersonId
    user_code: UserCode
    link: str


def add_operator(
    *,
    name: str,
    email: str,
    role: str,
    agency_id: str | None,
    now: datetime,
    language: Language = "fr",
    has_one_name: bool = False,
) -> Added:
    """Create a person who works at the desk; *has_one_name* says that *name* is a family name alone.

    Raises:
        ValueError: the name has one word only, or is not a name; or the agency does not match the role.
    """
    given_name, _space, family_name = (
        ("", "", names.normal(name)) if has_one_name else names.normal(name).partition(" ")
    )
    if not family_name:
        raise ValueError("a given name and a family name")
    if any(names.fault(part) for part in (given_name, family_name) if part):
        raise ValueError("letters, spaces, hyphens, apostrophes and periods only, at most 100 of each name")
    with transaction():
        person_id = accounts.create_person(
            given_name=given_name, family_name=family_name, email=email, language=language, now=now
        )
        user_code = accounts.issue_user_code(person_id, now=now)
        appoint(person_id, role=role, agency_id=agency_id, actor=SYSTEM, now=now)
        token = accounts.open_first_credential(person_id, user_code, now=now, next_path=DESKS[DeskRole(role)])
    return Added(person_id, user_code, absolute_url(f"/activate/start?token={token}"))


def appoint(person_id: str, *, role: str, agency_id: str | None, actor: Actor, now: datetime) -> None:
    """Let an existing person work at the desk.

    Raises:
        ValueError: the role is unknown, or the agency does not match it.
        ConflictError: the person already works at the desk.
    """
    wanted = DeskRole(role)
    if wrong_agency(wanted, agency_id):
        raise ValueError("an agency officer has one agency, an operator has none")
    with transaction() as session:
        if operator_of(person_id) is not None:
            raise ConflictError("already at the desk")
        session.execute(
            insert(Operator).values(person_id=person_id, role=wanted.value, agency_id=agency_id, added_at=now)
        )
        accounts.mark_operator(person_id)
        audit.record(
            Event.OPERATOR_ADDED,
            actor=actor,
            now=now,
            person_id=person_id,
            agency_id=agency_id,
            details={"role": wanted.value},
        )


def objections(person_id: str) -> tuple[Objection, ...]:
    """Return why a person of the desk may not close their account: another person must remain in the same role."""
    operator = operator_of(person_id)
    if operator is None or not _is_alone(operator):
        return ()
    if operator.role is DeskRole.OPERATOR:
        return (Objection(_("You are the last operator."), _("Have another one added first (idp operator add).")),)
    return (
        Objection(
            _("You are the last officer of your agency."), _("Have an operator of Mandat add another one first.")
        ),
    )


def leave(person_id: str, now: datetime) -> None:
    """Remove a person from the desk, in the caller's transaction, because they close their account.

    Raises:
        ConflictError: no person with the same role would be left.
    """
    with transaction() as session:
        session.execute(
            select(Operator.person_id).with_for_update()
        )  # two people who leave at once must not each count on the other
        operator = operator_of(person_id)
        if operator is None:
            return
        if _is_alone(operator):
            raise ConflictError("the last one at the desk")
        session.execute(delete(Operator).where(Operator.person_id == person_id))
        audit.record(
            Event.OPERATOR_LEFT,
            actor=operator.actor,
            now=now,
            person_id=person_id,
            agency_id=operator.agency_id,
            details={"role": operator.role.value},
        )


def _is_alone(operator: OperatorView) -> bool:
    alike = select(func.count()).where(Operator.role == operator.role.value, Operator.person_id != operator.person_id)
    if operator.agency_id is not None:
        alike = alike.where(Operator.agency_id == operator.agency_id)
    return not db.session.scalar(alike)


def operator_of(person_id: str) -> OperatorView | None:
    """Return the desk role of *person_id*, or None."""
    row = db.session.execute(
        select(Operator.person_id, Operator.role, Operator.agency_id).where(Operator.person_id == person_id)
    ).first()
    return OperatorView(row.person_id, DeskRole(row.role), row.agency_id) if row else None
