"""The life of an enrolment file, as one table (domain.md §2.5, decisions.md §11).

A file is *submitted* by the authorized representative, checked against the enterprise register and the tax agency,
*verified* once the identity of the representative is proved, and becomes *active* when the slips for the persons in
charge are collected. Values are stored: never rename one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from ...errors import ConflictError


class State(StrEnum):
    """The state of a file."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    CODE_MAILED = "code_mailed"
    UNDER_REVIEW = "under_review"
    VERIFIED = "verified"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REFUSED = "refused"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    DEACTIVATED = "deactivated"


class StateEvent(StrEnum):
    """An event that changes the state of a file."""

    SUBMITTED = "submitted"
    CORRECTION_NEEDED = "correction_needed"
    CHECKS_PASSED = "checks_passed"
    CODE_ORDERED = "code_ordered"
    REVIEW_NEEDED = "review_needed"
    CHECKS_REFUSED = "checks_refused"
    CONNECTOR_UNAVAILABLE = "connector_unavailable"
    CODE_ACCEPTED = "code_accepted"
    TRIES_EXHAUSTED = "tries_exhausted"
    LETTER_RETURNED = "letter_returned"
    DOCUMENT_OFFERED = "document_offered"
    APPROVED = "approved"
    REJECTED = "rejected"
    SLIPS_COLLECTED = "slips_collected"
    REGISTER_CHANGED = "register_changed"
    CONTESTED = "contested"
    SUSPENDED = "suspended"
    REINSTATED = "reinstated"
    DEACTIVATED = "deactivated"
    REOPENING_ASKED = "reopening_asked"
    WITHDRAWN = "withdrawn"
    DEADLINE = "deadline"


TRANSITIONS: dict[tuple[State, StateEvent], State] = {
    (State.DRAFT, StateEvent.SUBMITTED): State.SUBMITTED,
    (State.DRAFT, StateEvent.WITHDRAWN): State.WITHDRAWN,
    (State.DRAFT, StateEvent.DEADLINE): State.EXPIRED,
    (State.SUBMITTED, StateEvent.CORRECTION_NEEDED): State.DRAFT,
    (State.SUBMITTED, StateEvent.CHECKS_PASSED): State.VERIFIED,
    (State.SUBMITTED, StateEvent.CODE_ORDERED): State.CODE_MAILED,
    (State.SUBMITTED, StateEvent.REVIEW_NEEDED): State.UNDER_REVIEW,
    (State.SUBMITTED, StateEvent.CHECKS_REFUSED): State.REFUSED,
    (State.SUBMITTED, StateEvent.WITHDRAWN): State.WITHDRAWN,
    (State.SUBMITTED, StateEvent.CONNECTOR_UNAVAILABLE): State.SUBMITTED,
    (State.SUBMITTED, StateEvent.DEADLINE): State.UNDER_REVIEW,
    (State.CODE_MAILED, StateEvent.CODE_ACCEPTED): State.VERIFIED,
    (State.CODE_MAILED, StateEvent.CODE_ORDERED): State.CODE_MAILED,
    (State.CODE_MAILED, StateEvent.TRIES_EXHAUSTED): State.UNDER_REVIEW,
    (State.CODE_MAILED, StateEvent.LETTER_RETURNED): State.UNDER_REVIEW,
    (State.CODE_MAILED, StateEvent.DOCUMENT_OFFERED): State.UNDER_REVIEW,
    (State.CODE_MAILED, StateEvent.WITHDRAWN): State.WITHDRAWN,
    (State.CODE_MAILED, StateEvent.DEADLINE): State.EXPIRED,
    (State.UNDER_REVIEW, StateEvent.APPROVED): State.VERIFIED,
    (State.UNDER_REVIEW, StateEvent.CODE_ORDERED): State.CODE_MAILED,
    (State.UNDER_REVIEW, StateEvent.CORRECTION_NEEDED): State.DRAFT,
    (State.UNDER_REVIEW, StateEvent.REJECTED): State.REFUSED,
    (State.UNDER_REVIEW, StateEvent.WITHDRAWN): State.WITHDRAWN,
    (State.UNDER_REVIEW, StateEvent.DEADLINE): State.EXPIRED,
    (State.VERIFIED, StateEvent.SLIPS_COLLECTED): State.ACTIVE,
    (State.VERIFIED, StateEvent.REGISTER_CHANGED): State.UNDER_REVIEW,
    (State.VERIFIED, StateEvent.WITHDRAWN): State.WITHDRAWN,
    (State.VERIFIED, StateEvent.DEADLINE): State.EXPIRED,
    (State.ACTIVE, StateEvent.SUSPENDED): State.SUSPENDED,
    (State.ACTIVE, StateEvent.DEACTIVATED): State.DEACTIVATED,
    (State.SUSPENDED, StateEvent.REINSTATED): State.ACTIVE,
    (State.SUSPENDED, StateEvent.DEACTIVATED): State.DEACTIVATED,
    (State.REFUSED, StateEvent.CONTESTED): State.UNDER_REVIEW,
    (State.DEACTIVATED, StateEvent.REOPENING_ASKED): State.UNDER_REVIEW,
}
INITIAL = State.DRAFT
ENDED = frozenset({State.REFUSED, State.EXPIRED, State.WITHDRAWN})  # a new file may be opened

OPERATOR_WORKING_DAYS = 5  # domain.md §2.5: an operator reads a file within five working days
LATE_AFTER = timedelta(hours=1)  # a submitted file is then shown as late
DEADLINES: dict[State, timedelta] = {
    State.DRAFT: timedelta(days=30),
    State.SUBMITTED: timedelta(days=5),
    State.CODE_MAILED: timedelta(days=30),
    State.UNDER_REVIEW: timedelta(days=30),  # only while a document is awaited: see ``deadline``
    State.VERIFIED: timedelta(days=30),
}


class ForbiddenTransitionError(ConflictError):
    """This event does not exist for a file in this state."""

    code = "forbidden_transition"


def after(state: State, event: StateEvent) -> State:
    """Return the state that follows *event* in *state*.

    Raises:
        ForbiddenTransitionError: the table has no such transition.
    """
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise ForbiddenTransitionError(f"{event} in {state}") from None


def deadline(state: State, since: datetime, *, awaits_document: bool = False) -> datetime | None:
    """Return when a file that entered *state* at *since* lapses; None when no delay ends it.

    A file under review lapses only while the representative owes a document: an operator's delay never costs a file.
    """
    if state is State.UNDER_REVIEW and not awaits_document:
        return None
    life = DEADLINES.get(state)
    return since + life if life else None


def operator_due(since: datetime) -> datetime:
    """Return the end of the five working days that follow *since* (Saturdays and Sundays do not count)."""
    day, left = since, OPERATOR_WORKING_DAYS
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < 5
    return day
