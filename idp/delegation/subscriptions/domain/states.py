"""The life of a subscription, as one table (domain.md §4.2).

A subscription starts *in progress*; the agency's rule decides in the same transaction, or a person at the agency does. It
is *active*, *refused* with a reason and sent again corrected, or left for good by *withdrawal*, until it is asked again.

An active subscription is *changing* while the agency decides a change of its blocks or answers: what stood before counts until
the change is accepted, and goes on counting when it is refused or withdrawn.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum


class SubscriptionState(StrEnum):
    """Where a subscription stands. Values are stored: never rename one."""

    IN_PROGRESS = "in_progress"
    TO_COMPLETE = "to_complete"
    ACTIVE = "active"
    CHANGING = "changing"
    REFUSED = "refused"
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"


class SubscriptionEvent(StrEnum):
    """What happens to a subscription. Values are stored: never rename one."""

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    MORE_NEEDED = "more_needed"
    ANSWERED = "answered"
    DEADLINE = "deadline"
    RESUBMITTED = "resubmitted"
    REOPENING_ASKED = "reopening_asked"
    CHANGE_ASKED = "change_asked"
    CHANGE_ACCEPTED = "change_accepted"
    CHANGE_REFUSED = "change_refused"
    CHANGE_WITHDRAWN = "change_withdrawn"
    SUSPENDED = "suspended"
    REINSTATED = "reinstated"
    WITHDRAWN = "withdrawn"


State, Event = SubscriptionState, SubscriptionEvent

FIRST = State.IN_PROGRESS
TIME_TO_COMPLETE = timedelta(days=30)

TRANSITIONS: dict[tuple[SubscriptionState, SubscriptionEvent], SubscriptionState] = {
    (State.IN_PROGRESS, Event.ACCEPTED): State.ACTIVE,
    (State.IN_PROGRESS, Event.REFUSED): State.REFUSED,
    (State.IN_PROGRESS, Event.MORE_NEEDED): State.TO_COMPLETE,
    (State.IN_PROGRESS, Event.WITHDRAWN): State.WITHDRAWN,
    (State.TO_COMPLETE, Event.ANSWERED): State.IN_PROGRESS,
    (State.TO_COMPLETE, Event.DEADLINE): State.REFUSED,
    (State.TO_COMPLETE, Event.WITHDRAWN): State.WITHDRAWN,
    (State.ACTIVE, Event.SUSPENDED): State.SUSPENDED,
    (State.ACTIVE, Event.WITHDRAWN): State.WITHDRAWN,
    (State.ACTIVE, Event.CHANGE_ASKED): State.CHANGING,
    (State.CHANGING, Event.CHANGE_ACCEPTED): State.ACTIVE,
    (State.CHANGING, Event.CHANGE_REFUSED): State.ACTIVE,
    (State.CHANGING, Event.CHANGE_WITHDRAWN): State.ACTIVE,
    (State.CHANGING, Event.SUSPENDED): State.SUSPENDED,
    (State.CHANGING, Event.WITHDRAWN): State.WITHDRAWN,
    (State.REFUSED, Event.RESUBMITTED): State.IN_PROGRESS,
    (State.SUSPENDED, Event.REINSTATED): State.ACTIVE,
    (State.SUSPENDED, Event.WITHDRAWN): State.WITHDRAWN,
    (State.WITHDRAWN, Event.REOPENING_ASKED): State.IN_PROGRESS,
}

COUNTING = frozenset({State.ACTIVE, State.CHANGING})  # the blocks of the subscription may be used
DECIDED_BY_OFFICER = frozenset({State.IN_PROGRESS, State.CHANGING})
SENDING_AGAIN = {State.REFUSED: Event.RESUBMITTED, State.WITHDRAWN: Event.REOPENING_ASKED}


def after(state: SubscriptionState, event: SubscriptionEvent) -> SubscriptionState | None:
    """Return the state that *event* leads to, None when it cannot happen in *state*."""
    return TRANSITIONS.get((state, event))


def may(state: SubscriptionState, event: SubscriptionEvent) -> bool:
    """Return whether *event* can happen in *state*."""
    return (state, event) in TRANSITIONS
