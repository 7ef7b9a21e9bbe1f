"""The life of a request for access, as one table, and the rules of who may make one. Pure.

A user asks for functional blocks of one agency, with a reason and a last day. Another person, who is in charge of
electronic services, grants them, grants a part, or refuses with a reason. The user may withdraw the request before.
A request that is not answered expires; it ends with the user's membership.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from ....errors import Decision
from ...rights.domain import rules

ANSWERED_WITHIN = timedelta(days=30)
KEPT = timedelta(days=365)  # after the end of a request; the journal keeps what was granted
MOST_OPEN = 5  # requests of one person that wait for an answer
MOST_A_WEEK = 20  # requests of one person within seven days
WEEK = timedelta(days=7)


class RequestState(StrEnum):
    """Where a request stands. Values are stored: never rename one."""

    OPEN = "open"
    GRANTED = "granted"
    GRANTED_IN_PART = "granted_in_part"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    ENDED = "ended"


class RequestEvent(StrEnum):
    """What happens to a request."""

    GRANT = "grant"
    GRANT_IN_PART = "grant_in_part"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"
    LEAVE = "leave"


TRANSITIONS: dict[tuple[RequestState, RequestEvent], RequestState] = {
    (RequestState.OPEN, RequestEvent.GRANT): RequestState.GRANTED,
    (RequestState.OPEN, RequestEvent.GRANT_IN_PART): RequestState.GRANTED_IN_PART,
    (RequestState.OPEN, RequestEvent.REFUSE): RequestState.REFUSED,
    (RequestState.OPEN, RequestEvent.WITHDRAW): RequestState.WITHDRAWN,
    (RequestState.OPEN, RequestEvent.EXPIRE): RequestState.EXPIRED,
    (RequestState.OPEN, RequestEvent.LEAVE): RequestState.ENDED,
}


class AskObjection(StrEnum):
    """Why a request is not taken."""

    NOT_A_USER = "not_a_user"
    NOT_SUBSCRIBED = "not_subscribed"
    NOTHING_ASKED = "nothing_asked"
    BLOCK_NOT_OFFERED = "block_not_offered"
    ALREADY_HELD = "already_held"
    ALREADY_ASKED = "already_asked"
    TOO_MANY_OPEN = "too_many_open"
    TOO_MANY_THIS_WEEK = "too_many_this_week"
    END_PAST = "end_past"
    END_TOO_LATE = "end_too_late"


@dataclass(frozen=True, slots=True)
class Asking:
    """What decides whether a request is taken.

    *available* is None without an active subscription; *asked_here* says that a request of the same user at the same
    agency is open.
    """

    is_user: bool
    available: frozenset[str] | None
    held: frozenset[str]
    asked_here: bool
    open_requests: int
    requests_this_week: int


def may_ask(asking: Asking, blocks: frozenset[str], until: date, now: datetime) -> Decision[AskObjection]:
    """Decide whether a user may ask for *blocks* until the end of *until*."""
    return Decision(tuple(_objections(asking, blocks, until, now)))


def _objections(asking: Asking, blocks: frozenset[str], until: date, now: datetime) -> Iterator[AskObjection]:
    if not asking.is_user:
        yield AskObjection.NOT_A_USER
    if asking.available is None:
        yield AskObjection.NOT_SUBSCRIBED
    elif not blocks <= asking.available:
        yield AskObjection.BLOCK_NOT_OFFERED
    if not blocks:
        yield AskObjection.NOTHING_ASKED
    elif blocks <= asking.held:
        yield AskObjection.ALREADY_HELD
    if asking.asked_here:
        yield AskObjection.ALREADY_ASKED
    if asking.open_requests >= MOST_OPEN:
        yield AskObjection.TOO_MANY_OPEN
    if asking.requests_this_week >= MOST_A_WEEK:
        yield AskObjection.TOO_MANY_THIS_WEEK
    yield from (AskObjection(objection.value) for objection in rules.end_objections(until, now))


def answer_event(asked: frozenset[str], held: frozenset[str]) -> RequestEvent | None:
    """Return what an answer amounts to when the user then holds *held*; None when it grants nothing of what was asked."""
    if asked <= held:
        return RequestEvent.GRANT
    return RequestEvent.GRANT_IN_PART if asked & held else None
