"""Who lost every second factor is proved again, as one table, pure (ASVS 6.4.4: at the level of the enrolment).

A person with authority over the person hands over a slip, which is valid only after a day: during it the person, notified at
once, may object. With the slip and a code sent to their e-mail address they choose a password and a factor of their own:
the person who started never learns nor chooses a secret that lasts (ASVS 6.4.6). A person who freezes their account stops it too;
one begun afterwards leads out of the freeze.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

WAIT = timedelta(hours=24)
LIFE = timedelta(days=7)  # of the slip, like any other (domain.md §3.3)


class ReproofingState(StrEnum):
    """Where a re-proofing is. Values are stored: never rename one."""

    PROPOSED = "proposed"
    WAITING = "waiting"
    UNDER_WAY = "under_way"
    DONE = "done"
    STOPPED = "stopped"
    EXPIRED = "expired"


class ReproofingEvent(StrEnum):
    """What happens to a re-proofing."""

    SLIP_SHOWN = "slip_shown"
    SLIP_USED = "slip_used"
    FACTOR_SET = "factor_set"
    OBJECTED = "objected"
    FROZEN = "frozen"
    REPLACED = "replaced"
    DEADLINE = "deadline"


_OPEN = (ReproofingState.PROPOSED, ReproofingState.WAITING, ReproofingState.UNDER_WAY)
TRANSITIONS: dict[tuple[ReproofingState, ReproofingEvent], ReproofingState] = {
    (ReproofingState.PROPOSED, ReproofingEvent.SLIP_SHOWN): ReproofingState.WAITING,
    (ReproofingState.WAITING, ReproofingEvent.SLIP_USED): ReproofingState.UNDER_WAY,
    (ReproofingState.UNDER_WAY, ReproofingEvent.FACTOR_SET): ReproofingState.DONE,
    **{
        (state, event): following
        for event, following in (
            (ReproofingEvent.OBJECTED, ReproofingState.STOPPED),
            (ReproofingEvent.FROZEN, ReproofingState.STOPPED),
            (ReproofingEvent.REPLACED, ReproofingState.EXPIRED),
            (ReproofingEvent.DEADLINE, ReproofingState.EXPIRED),
        )
        for state in _OPEN
    },
}


def sources(event: ReproofingEvent) -> tuple[ReproofingState, ...]:
    """Return the states in which *event* is possible."""
    return tuple(state for state, possible in TRANSITIONS if possible is event)
