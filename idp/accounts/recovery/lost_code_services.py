"""A lost user code: asked for by e-mail address, answered by e-mail only, and never in full.

The page answers the same in every case, and does the same work: who has the address is looked up when the message leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from flask import Flask, current_app
from sqlalchemy import func, select

from ... import audit
from ...crypto.sealing import current_sealing
from ...db import db, transaction
from ...identifiers import UserCode
from ...notices import services as notices
from ...notices.domain.messages import Email
from ...notices.email import from_template
from ..models import Person, UserCodeRow
from ..people.person_services import people
from ..throttling import allowance_services
from ..user_codes.domain.states import CodeState

PER_HOUR = 3  # messages to one address, the person who asks (security-bar.md R-25)
_ENTERPRISES = "mandat.enterprises_of_codes"


class EnterpriseOfCode(NamedTuple):
    """The enterprise of a user code: its name, and its name with the number that distinguishes it from its namesakes."""

    name: str = ""
    with_number: str = ""


Enterprises = Callable[[str], Mapping[str, EnterpriseOfCode]]


def set_enterprise_lookup(app: Flask, enterprises: Enterprises) -> None:
    """Let another room say of which enterprise each user code of a person is (by code as it is stored)."""
    app.extensions[_ENTERPRISES] = enterprises


def ask(address: str, *, now: datetime) -> None:
    """Have the user codes of a person who has *address* sent there, masked; too often, nothing leaves and nobody is notified."""
    subject = f"codes:{current_sealing().keyed_digest(address.lower(), 'allowance')}"
    with transaction():
        audit.record(audit.Event.USER_CODES_ASKED, actor=audit.ANONYMOUS, now=now)
        if allowance_services.take(subject, limit=PER_HOUR, now=now) is None:
            notices.enqueue("user_codes_asked", {"address": address}, now=now)


def render(payload: dict[str, Any], _now: datetime) -> Email | None:
    """Return the message that lists the codes of an address, to the address on file; None when nobody has it."""
    ids = db.session.scalars(
        select(Person.id).where(func.lower(Person.email) == str(payload["address"]).lower()).order_by(Person.created_at)
    ).all()
    known = people(ids)
    codes = [each for person_id in ids for each in _codes(person_id)]
    if not codes:
        return None
    whom = known[ids[0]]
    return from_template("accounts/mail_user_codes.txt", to=whom.email, language=whom.language, codes=codes)


def enterprises_of_codes(person_id: str) -> Mapping[str, EnterpriseOfCode]:
    """Return of which enterprise each user code of a person is, as another room says it."""
    enterprises: Enterprises | None = current_app.extensions.get(_ENTERPRISES)
    return enterprises(person_id) if enterprises else {}


def _codes(person_id: str) -> list[tuple[str, str]]:
    names = enterprises_of_codes(person_id)
    rows = db.session.scalars(
        select(UserCodeRow.code)
        .where(UserCodeRow.person_id == person_id, UserCodeRow.state != CodeState.REVOKED.value)
        .order_by(UserCodeRow.issued_at, UserCodeRow.code)
    )
    return [(UserCode(code).masked, names.get(code, EnterpriseOfCode()).with_number) for code in rows]
