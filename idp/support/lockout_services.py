"""Unlocking a person's sign-in from the desk: never the operator's own; each look at an account is logged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .. import audit
from ..accounts import services as accounts
from ..accounts.services import CodeState, Lockout
from ..db import transaction
from ..errors import NotAllowedError, NotFoundError
from ..identifiers import UserCode
from .roles import OperatorView


@dataclass(frozen=True, slots=True)
class FoundLockout:
    """A person who calls the desk, and what prevents their sign-in."""

    person_id: str
    name: str
    user_code: UserCode
    lockout: Lockout


def find(user_code: UserCode, *, operator: OperatorView, now: datetime) -> FoundLockout:
    """Return what prevents the owner of *user_code* from signing in.

    Raises:
        NotFoundError: the user code does not exist or was revoked.
    """
    with transaction():
        found = _owner(user_code, now)
        audit.record(audit.Event.DOOR_READ, actor=operator.actor, person_id=found.person_id, now=now)
    return found


def unlock(user_code: UserCode, *, operator: OperatorView, now: datetime) -> FoundLockout:
    """Unlock the sign-in of the owner of *user_code*.

    Raises:
        NotFoundError: the user code does not exist or was revoked.
        NotAllowedError: it is the operator's own.
        ConflictError: it was unlocked too often within a day.
    """
    with transaction():
        found = _owner(user_code, now)
        if found.person_id == operator.person_id:
            raise NotAllowedError("one's own sign-in")
        accounts.unlock(found.person_id, by=operator.actor, now=now)
    return found


def _owner(user_code: UserCode, now: datetime) -> FoundLockout:
    known = accounts.user_codes([user_code.signs], now=now).get(user_code.signs)
    if known is None or known.state is CodeState.REVOKED:  # of a person who left, or closed their account
        raise NotFoundError("no such user code")
    whom = accounts.person(known.person_id)
    return FoundLockout(whom.id, whom.name, user_code, accounts.lockout_of(whom.id, now=now))
