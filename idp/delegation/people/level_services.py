"""The level that a role asks for, where the configuration now asks for more than on the day the role was given."""

from __future__ import annotations

from datetime import datetime

from flask import current_app
from sqlalchemy import select

from ...accounts import services as accounts
from ...db import db
from ...http.web import current_settings
from ..models import Membership
from .domain.roles import PRECEDENCE, MembershipStatus, Role

_BATCH = 500
_DONE = "mandat.levels_raised"


def raise_levels(_now: datetime) -> int:
    """Write on every person who has a role the level it asks for now; return on how many it was raised.

    The configuration is read when a process starts, so this is done once in each. A level is never lowered: who added a
    passkey for it keeps to it.
    """
    if current_app.extensions.get(_DONE):
        return 0
    raised = sum(_raise(role, current_settings().required_level(role.value)) for role in PRECEDENCE)
    current_app.extensions[_DONE] = True
    return raised


def _raise(role: Role, level: int) -> int:
    raised, after = 0, ""
    while ids := _holders(role, after):
        raised += accounts.raise_level(ids, level)
        after = ids[-1]
    return raised


def _holders(role: Role, after: str) -> tuple[str, ...]:
    """Return the next people who have *role* somewhere, suspended or not, by id."""
    wanted = (
        select(Membership.person_id)
        .where(Membership.role == role.value, Membership.status != MembershipStatus.REMOVED.value)
        .where(Membership.person_id > after)
        .distinct()
        .order_by(Membership.person_id)
        .limit(_BATCH)
    )
    return tuple(db.session.scalars(wanted))
