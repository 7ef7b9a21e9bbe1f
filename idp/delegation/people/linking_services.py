"""What a person holds in enterprises passes to the account they turn out to have; nobody gains a right nor loses one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update

from ... import audit
from ...accounts.leaving.domain.closing import Objection
from ...audit.domain.events import Event
from ...audit.services import Actor
from ...db import db, transaction
from ...errors import ConflictError
from ...i18n import gettext as _
from ...identifiers import UserCode
from ..enterprise_services import hold_roster
from ..models import EnterpriseVerification, Membership, Projection, Removal
from ..rights.projection_services import RemovalReason, watching
from . import people_services
from .people_services import MembershipView


def objections(newcomer: str, account: str) -> tuple[Objection, ...]:
    """Return the enterprises in which the account is already a person: one code an enterprise (decisions.md §2)."""
    return tuple(
        Objection(
            _("%(enterprise)s: your account already has a user code there.", enterprise=name),
            _("Sign in with that code. The person in charge can change your rights, and remove the new code."),
        )
        for name in _shared(newcomer, account)
    )


def hand_over(newcomer: str, account: str, now: datetime) -> None:
    """Give the memberships of *newcomer*, who never signed in, to *account*, in the caller's transaction.

    No agency ever heard of the newcomer: what was projected for them is forgotten, and nothing is signalled.

    Raises:
        ConflictError: the account is already a person in one of the enterprises.
    """
    with transaction():
        enterprises = sorted({view.enterprise_id for view in people_services.memberships_of(newcomer)})
        for enterprise_id in enterprises:
            hold_roster(enterprise_id)
        if _shared(newcomer, account):
            raise ConflictError("already somebody in this enterprise")
        _forget_projections(newcomer)
        for enterprise_id in enterprises:
            _move(enterprise_id, newcomer, account, now)
        _rename(newcomer, account)


def linked_at(view: MembershipView) -> datetime | None:
    """Return when a member added the user code given here to an account they had; None when they chose a password with it.

    It says nothing of the account but that there was one: the enterprise that gave the code reads so in its journal.
    """
    code = UserCode.parse(view.user_code).signs
    alike = select(Membership.id).where(
        Membership.enterprise_id == view.enterprise_id,
        Membership.person_id == view.person_id,
        Membership.user_code == code,
    )
    with_this_code = set(db.session.scalars(alike))
    told = audit.entries(enterprise_id=view.enterprise_id, person_id=view.person_id, event=Event.MEMBER_LINKED)
    return next((entry.at for entry in told if entry.details.get("membership") in with_this_code), None)


def _shared(newcomer: str, account: str) -> list[str]:
    theirs = {view.enterprise_id: view.enterprise for view in people_services.memberships_of(newcomer)}
    return sorted(
        {theirs[view.enterprise_id] for view in people_services.memberships_of(account) if view.enterprise_id in theirs}
    )


def _move(enterprise_id: str, newcomer: str, account: str, now: datetime) -> None:
    actor = Actor.person(account)
    with watching(enterprise_id, reason=RemovalReason.BLOCK_REMOVED, actor=actor, now=now, person_id=account):
        moved = db.session.execute(
            update(Membership)
            .where(Membership.enterprise_id == enterprise_id, Membership.person_id == newcomer)
            .values(person_id=account, changed_at=now)
            .returning(Membership.id, Membership.role)
            .execution_options(synchronize_session=False)
        ).all()
    for row in sorted(moved):
        audit.record(
            Event.MEMBER_LINKED,
            actor=actor,
            now=now,
            enterprise_id=enterprise_id,
            person_id=account,
            details={"role": row.role, "membership": row.id, "former_person": newcomer},
        )


def _forget_projections(newcomer: str) -> None:
    db.session.execute(
        delete(Projection).where(Projection.person_id == newcomer).execution_options(synchronize_session=False)
    )


def _rename(newcomer: str, account: str) -> None:
    """Write the account wherever else the newcomer was named as a person; what they did is nothing yet."""
    for column in (Removal.person_id, EnterpriseVerification.authorized_representative):
        db.session.execute(
            update(column.class_)
            .where(column == newcomer)
            .values({column: account})
            .execution_options(synchronize_session=False)
        )
