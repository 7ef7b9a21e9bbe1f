"""What is known of an e-mail address: confirmed by its owner, or refused for good by its server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy.exc
from sqlalchemy import delete, func, insert, select, update

from ...db import db, transaction
from ..models import Person
from ..recovery.models import ContactPoint
from .domain.access_states import Access


@dataclass(frozen=True, slots=True)
class Contact:
    """An address; ``is_refused`` when the last that is known is that messages do not arrive."""

    address: str
    confirmed_at: datetime | None = None
    bounced_at: datetime | None = None

    @property
    def is_refused(self) -> bool:
        """Return whether messages come back from this address."""
        return self.bounced_at is not None


def note_confirmed(address: str, *, now: datetime) -> None:
    """Write that a person typed a code sent to *address*: messages arrive there, whatever was refused before."""
    _write(address, confirmed_at=now, bounced_at=None, bounce_status=None)


def note_refused(address: str, status: int, now: datetime) -> None:
    """Write that the server of *address* refused it for good (SMTP 5yz, RFC 5321 §4.2.1)."""
    _write(address, bounced_at=now, bounce_status=status)


def note_returned(address: str, *, now: datetime) -> bool:
    """Write that a message to *address* came back later, as an operator read; False when no account has it."""
    with transaction() as session:
        wanted = select(Person.id).where(
            func.lower(Person.email) == address.lower(), Person.access != Access.CLOSED.value
        )
        if session.scalar(wanted.limit(1)) is None:
            return False
        _write(address, bounced_at=now, bounce_status=None)
    return True


def forget(address: str) -> None:
    """Forget what is known of an address, in the caller's transaction."""
    db.session.execute(
        delete(ContactPoint)
        .where(ContactPoint.address == address.casefold())
        .execution_options(synchronize_session=False)
    )


def contacts(addresses: Iterable[str]) -> dict[str, Contact]:
    """Return what is known of *addresses*, by the text given, in one query."""
    wanted = {address: address.casefold() for address in addresses}
    rows = db.session.scalars(select(ContactPoint).where(ContactPoint.address.in_(set(wanted.values())))).all()
    known = {row.address: row for row in rows}
    return {
        address: Contact(address, known[key].confirmed_at, known[key].bounced_at) if key in known else Contact(address)
        for address, key in wanted.items()
    }


def contact(address: str) -> Contact:
    """Return what is known of one address."""
    return contacts((address,))[address]


def _write(address: str, **values: object) -> None:
    key = address.casefold()[:254]
    with transaction() as session:
        try:
            with session.begin_nested():
                session.execute(insert(ContactPoint).values(address=key, **values))
        except sqlalchemy.exc.IntegrityError:
            session.execute(
                update(ContactPoint)
                .where(ContactPoint.address == key)
                .values(**values)
                .execution_options(synchronize_session=False)
            )
