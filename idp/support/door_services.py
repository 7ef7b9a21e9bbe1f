"""Opening a sign-in again from the desk: for anybody but oneself, and each look at an account is written down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .. import audit
from ..accounts import services as accounts
from ..accounts.services import CodeState, Door
from ..db import transaction
from ..errors import NotAllowedError, NotFoundError
from ..identifiers import UserCode
from .roles import OperatorView


@dataclass(frozen=True, slots=True)
class FoundDoor:
    """Somebody who calls the desk, and what keeps them from signing in."""

    person_id: str
    name: str
    user_code: UserCode
    door: Door


def find(user_code: UserCode, *, operator: OperatorView, now: datetime) -> FoundDoor:
    """Return what keeps the owner of *user_code* from signing in.

    Raises:
        NotFoundError: nobody has this code.
    """
    with transaction():
        found = _owner(user_code, now)
        audit.record(audit.Event.DOOR_READ, actor=operator.actor, person_id=found.person_id, now=now)
    return found


def unlock(user_code: UserCode, *, operator: OperatorView, now: datetime) -> FoundDoor:
    """Open the sign-in of the owner of *user_code* again.

    Raises:
        NotFoundError: nobody has this code.
        NotAllowedError: it is the operator's own.
        ConflictError: it was opened again too often within a day.
    """
    with transaction():
        found = _owner(user_code, now)
        if found.person_id == operator.person_id:
            raise NotAllowedError("one's own sign-in")
        accounts.unlock(found.person_id, by=operator.actor, now=now)
    return found


def _owner(user_code: UserCode, now: datetime) -> FoundDoor:
    known = accounts.user_codes([user_code.signs], now=now).get(user_code.signs)
    if known is None or known.state is CodeState.REVOKED:  # of somebody who left, or closed their account
        raise NotFoundError("no such user code")
    whom = accounts.person(known.person_id)
    return FoundDoor(whom.id, whom.name, user_code, accounts.door_of(whom.id, now=now))
