"""Closing an account, for good: every right, session, consent and credential of its person ends in one transaction.

What is kept afterwards is what the log needs to be read, and no longer (docs/privacy.md). The user codes then answer like codes
that nobody has.
"""

from __future__ import annotations

from datetime import datetime

from flask import Flask, current_app
from sqlalchemy import delete, select, update

from ... import audit
from ...db import transaction
from ...errors import ConflictError
from ...notices import services as notices
from ..challenges import challenge_services
from ..credentials import factor_services
from ..models import NameChange, Person
from ..people import access_services, contact_services, email_change_services
from ..people.domain.access_states import Access, AccessEvent
from ..people.person_services import person
from ..recovery import recovery_services, reproofing_services
from ..sessions import known_browser_services, session_services
from ..sign_in import kept_form_services
from ..user_codes import code_services
from .domain.closing import ADDRESS_KEPT, NAME_KEPT, Departure, Objection

_DEPARTURES = "mandat.departures"


def add_departure(app: Flask, departure: Departure) -> None:
    """Let another room object to the closing of an account, and end what it holds when nobody does."""
    app.extensions.setdefault(_DEPARTURES, []).append(departure)


def objections(person_id: str) -> tuple[Objection, ...]:
    """Return everything that stands in the way, in the language of the page."""
    return tuple(each for departure in _departures() for each in departure.objections(person_id))


def close(person_id: str, *, now: datetime) -> None:
    """Close an account, in one transaction: rooms part with the person first, then nothing is left to come in with.

    Raises:
        ConflictError: something stands in the way, or something was given to the person meanwhile; nothing was done.
    """
    with transaction():
        for departure in _departures():
            departure.leave(person_id, now)
        _destroy_ways_in(person_id, now)
        if not access_services.change(person_id, AccessEvent.CLOSE, closed_at=now):
            raise ConflictError("the account is not open")
        if any(departure.holds(person_id) for departure in _departures()):
            raise ConflictError("something was given meanwhile")
        session_services.end_sign_ins_of(person_id, now=now)  # under the lock of the person: none begins unseen
        audit.record(audit.Event.CLOSED, actor=audit.Actor.person(person_id), person_id=person_id, now=now)
        whom = person(person_id)
        told = {"to": whom.email, "language": whom.language, "at": now.isoformat()}
        notices.enqueue("account_closed", told, now=now)


def _destroy_ways_in(person_id: str, now: datetime) -> None:
    """Delete or end all that leads to a sign-in, in the order in which a sign-in takes the same rows."""
    factor_services.hold(person_id)
    factor_services.destroy_all(person_id)
    email_change_services.forget(person_id)
    challenge_services.end_all(person_id, now=now)
    recovery_services.end_pending(person_id, now=now)
    reproofing_services.forget(person_id, now=now)
    kept_form_services.forget(person_id)
    known_browser_services.forget(person_id, now=now)
    code_services.revoke_all(person_id, now=now)


def sweep(now: datetime) -> int:
    """Forget the addresses, and much later the names, of those who closed their accounts; return how many."""
    with transaction() as session:
        wanted = select(Person.email).where(
            Person.access == Access.CLOSED.value, Person.closed_at <= now - ADDRESS_KEPT, Person.email != ""
        )
        addresses = set(session.scalars(wanted))
        emptied = session.execute(
            update(Person)
            .where(Person.access == Access.CLOSED.value, Person.closed_at <= now - ADDRESS_KEPT, Person.email != "")
            .values(email="")
            .returning(Person.id)
            .execution_options(synchronize_session=False)
        ).all()
        still = set(session.scalars(select(Person.email).where(Person.email.in_(addresses))))
        for address in addresses - still:
            contact_services.forget(address)
        unnamed = session.execute(
            update(Person)
            .where(Person.access == Access.CLOSED.value, Person.closed_at <= now - NAME_KEPT, Person.family_name != "")
            .values(given_name="", family_name="")
            .returning(Person.id)
            .execution_options(synchronize_session=False)
        ).all()
        session.execute(
            delete(NameChange)
            .where(NameChange.person_id.in_([row.id for row in unnamed]))
            .execution_options(synchronize_session=False)
        )
        if unnamed:
            for departure in _departures():
                departure.forget([row.id for row in unnamed])
    return len(emptied) + len(unnamed)


def _departures() -> list[Departure]:
    found: list[Departure] = current_app.extensions.get(_DEPARTURES, [])
    return found
