"""What a person in charge keeps right about themselves in an enterprise: position, telephone, address of messages."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from .. import audit
from ..accounts import services as accounts
from ..accounts.people.contact_services import contact
from ..audit.domain.events import Event
from ..audit.services import Actor
from ..db import db, transaction
from ..errors import NotAllowedError
from .models import Enterprise, Membership
from .people import people_services
from .people.domain.roles import MembershipStatus, Role

_IN_CHARGE = (Role.AUTHORIZED_REPRESENTATIVE, Role.PES)


@dataclass(frozen=True, slots=True)
class Details:
    """What the enterprise knows of a person in charge beside the name; *position* may be empty, as the telephone."""

    position: str
    phone: str
    email: str


def details(enterprise_id: str, person_id: str) -> Details | None:
    """Return what an enterprise knows of a person in charge, or None when they are not."""
    for view in _roles(enterprise_id, person_id):
        return Details(view.position, view.phone, view.known.email)
    return None


def confirmed_address(person_id: str) -> str | None:
    """Return the address of a person's account, once a code sent there was typed."""
    address = accounts.person(person_id).email
    return address if contact(address).confirmed_at is not None else None


def change(enterprise_id: str, person_id: str, wanted: Details, *, now: datetime) -> bool:
    """Write what a person in charge says of themselves, in every role they have here; False when nothing changed.

    Raises:
        NotAllowedError: they are not in charge here, or the address is neither the present one nor confirmed.
    """
    with transaction() as session:
        people_services.hold_memberships(person_id)
        present = details(enterprise_id, person_id)
        if present is None:
            raise NotAllowedError("not in charge here")
        if wanted.email not in (present.email, confirmed_address(person_id)):
            raise NotAllowedError("an address that was not confirmed")
        changed = sorted(name for name, value in asdict(wanted).items() if value != getattr(present, name))
        if not changed:
            return False
        session.execute(
            update(Membership)
            .where(
                Membership.enterprise_id == enterprise_id,
                Membership.person_id == person_id,
                Membership.status != MembershipStatus.REMOVED.value,
            )
            .values(phone=wanted.phone, position=wanted.position, email=wanted.email)
            .execution_options(synchronize_session=False)
        )
        audit.record(
            Event.MEMBER_DETAILS_CHANGED,
            actor=Actor.person(person_id),
            enterprise_id=enterprise_id,
            person_id=person_id,
            details={"changed": changed},
            now=now,
        )
    return True


def declare(enterprise_id: str, person_id: str, *, position: str, phone: str) -> None:
    """Keep what the enrolment said of a person, in the caller's transaction."""
    db.session.execute(
        update(Membership)
        .where(Membership.enterprise_id == enterprise_id, Membership.person_id == person_id)
        .values(position=position, phone=phone)
        .execution_options(synchronize_session=False)
    )


def last_register_entry(enterprise_id: str) -> tuple[dict[str, Any], datetime] | None:
    """Return what the register said when it was last asked about an enterprise, and when."""
    row = db.session.execute(
        select(Enterprise.register_entry, Enterprise.register_read_at).where(Enterprise.id == enterprise_id)
    ).first()
    if row is None or row.register_entry is None or row.register_read_at is None:
        return None
    return row.register_entry, row.register_read_at


def note_register_entry(enterprise_id: str, entry: dict[str, Any], *, now: datetime) -> None:
    """Keep what the register says now."""
    with transaction() as session:
        session.execute(
            update(Enterprise)
            .where(Enterprise.id == enterprise_id)
            .values(register_entry=entry, register_read_at=now)
            .execution_options(synchronize_session=False)
        )


def _roles(enterprise_id: str, person_id: str) -> tuple[people_services.MembershipView, ...]:
    return tuple(
        view
        for view in people_services.memberships_of(person_id)
        if view.enterprise_id == enterprise_id and view.role in _IN_CHARGE and view.status is MembershipStatus.ACTIVE
    )
