"""The life of a user code, as one table.

A code is *issued* without any secret; its temporary password is *revealed* on a slip, as often as its issuer must begin
again (each slip kills the previous one); it is *activated* once its person holds a password and a second factor of their own.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from ....errors import ConflictError

TEMPORARY_PASSWORD_LIFE = timedelta(days=7)  # domain.md §3.3
SLIP_LIFE = timedelta(minutes=15)  # decisions.md §12: how long the PDF of a slip may be asked for


class CodeState(StrEnum):
    """Where a user code is. Values are stored: never rename one."""

    ISSUED = "issued"
    REVEALED = "revealed"
    ACTIVATED = "activated"
    EXPIRED = "expired"
    REVOKED = "revoked"


class CodeEvent(StrEnum):
    """What happens to a user code."""

    REVEAL = "reveal"
    ACTIVATE = "activate"
    EXPIRE = "expire"
    REVOKE = "revoke"


TRANSITIONS: dict[tuple[CodeState, CodeEvent], CodeState] = {
    (CodeState.ISSUED, CodeEvent.REVEAL): CodeState.REVEALED,
    (CodeState.ISSUED, CodeEvent.ACTIVATE): CodeState.ACTIVATED,  # by a first-credential link: no slip was needed
    (CodeState.ISSUED, CodeEvent.REVOKE): CodeState.REVOKED,
    (CodeState.REVEALED, CodeEvent.REVEAL): CodeState.REVEALED,  # a reissue; the previous secret is dead
    (CodeState.REVEALED, CodeEvent.ACTIVATE): CodeState.ACTIVATED,
    (CodeState.REVEALED, CodeEvent.EXPIRE): CodeState.EXPIRED,
    (CodeState.REVEALED, CodeEvent.REVOKE): CodeState.REVOKED,
    (CodeState.EXPIRED, CodeEvent.REVEAL): CodeState.REVEALED,
    (CodeState.EXPIRED, CodeEvent.REVOKE): CodeState.REVOKED,
    (CodeState.ACTIVATED, CodeEvent.REVOKE): CodeState.REVOKED,
}


def after(state: CodeState, event: CodeEvent) -> CodeState:
    """Return the state after *event*.

    Raises:
        ConflictError: the event is not possible in this state.
    """
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise ConflictError(f"user code: {event.value} in {state.value}") from None


def sources(event: CodeEvent) -> tuple[CodeState, ...]:
    """Return the states in which *event* is possible."""
    return tuple(state for state, possible in TRANSITIONS if possible is event)


def as_of(state: CodeState, *, expires_at: datetime | None, used_at: datetime | None, now: datetime) -> CodeState:
    """Return the state at *now*: a temporary password that nobody used in time has expired."""
    if state is CodeState.REVEALED and used_at is None and expires_at is not None and expires_at <= now:
        return after(state, CodeEvent.EXPIRE)
    return state
