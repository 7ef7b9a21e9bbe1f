"""Whether an account may be used at all, as one table; pure.

Its person *freezes* it when something is wrong, and *thaws* it by showing every factor and a code sent by e-mail. A person
who no longer has them all is proved again (:mod:`.reproofing_states`), which thaws. Its person *closes* an account that is
open, for good.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from ....errors import ConflictError

FREEZE_LINKS = 3  # codes sent to one person in an hour by the page that asks no sign-in
FREEZE_WINDOW = timedelta(hours=1)
THAW_CODES = 3  # codes sent to one person in an hour after both factors were shown (security-bar.md R-25)


class Access(StrEnum):
    """Whether an account may be used. Values are stored: never rename one."""

    OPEN = "open"
    FROZEN = "frozen"
    CLOSED = "closed"


class AccessEvent(StrEnum):
    """What happens to the use of an account."""

    FREEZE = "freeze"
    THAW = "thaw"
    CLOSE = "close"


TRANSITIONS: dict[tuple[Access, AccessEvent], Access] = {
    (Access.OPEN, AccessEvent.FREEZE): Access.FROZEN,
    (Access.FROZEN, AccessEvent.THAW): Access.OPEN,
    (Access.OPEN, AccessEvent.CLOSE): Access.CLOSED,  # never from frozen: who froze it may not be its person
}


def after(access: Access, event: AccessEvent) -> Access:
    """Return the access after *event*.

    Raises:
        ConflictError: the event is not possible now.
    """
    try:
        return TRANSITIONS[access, event]
    except KeyError:
        raise ConflictError(f"access: {event.value} in {access.value}") from None


def sources(event: AccessEvent) -> tuple[Access, ...]:
    """Return the accesses in which *event* is possible."""
    return tuple(access for access, possible in TRANSITIONS if possible is event)
