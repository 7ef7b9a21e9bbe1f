"""The authorized representative reminds the persons in charge that the enterprise needs something at an agency.

One reminder a day leaves for an enterprise and an agency; each active person in
charge receives it at the address that the enterprise knows. The journal keeps who reminded them, never the text.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ... import audit
from ...accounts import services as accounts
from ...accounts.throttling import allowance_services
from ...audit.domain.events import Event
from ...db import transaction
from ...errors import NotAllowedError
from ...notices import services as notices
from .. import enterprise_services
from .domain.roles import MembershipStatus, Role
from .people_services import MembershipView, members, require_role

REMINDED = "pes_reminded"  # a kind of notice: the value is stored
WINDOW = timedelta(days=1)


def reminded(enterprise_id: str) -> tuple[MembershipView, ...]:
    """Return the active persons in charge, to whom a reminder is addressed."""
    return tuple(view for view in members(enterprise_id, roles=(Role.PES,)) if view.status is MembershipStatus.ACTIVE)


def remind(enterprise_id: str, agency_id: str, *, message: str, by: str, now: datetime) -> datetime | None:
    """Send a reminder to each active person in charge, from the representative *by*; *message* may be empty.

    Return None when it was sent, or the instant from which the next one may be.

    Raises:
        NotAllowedError: *by* does not represent the enterprise, or no person in charge is active.
    """
    with transaction():
        enterprise_services.hold_roster(enterprise_id)
        actor = require_role(by, enterprise_id, Role.AUTHORIZED_REPRESENTATIVE)
        there = reminded(enterprise_id)
        if not there:
            raise NotAllowedError("no active person in charge")
        later = allowance_services.take(f"reminder:{enterprise_id}:{agency_id}", limit=1, window=WINDOW, now=now)
        if later is not None:
            return later
        people = accounts.people({view.person_id for view in there})
        for view in there:
            payload: dict[str, Any] = {
                "person_id": view.person_id,
                "to": view.known.email or people[view.person_id].email,
                "enterprise_id": enterprise_id,
                "agency_id": agency_id,
                "by": by,
                "message": message,
            }
            notices.enqueue(REMINDED, payload, now=now)
        audit.record(
            Event.PES_REMINDED,
            actor=actor,
            enterprise_id=enterprise_id,
            agency_id=agency_id,
            now=now,
        )
    return None
