"""Requests for access: made by a user, withdrawn, answered by a person in charge, expired; and who is notified.

The answer and the rights it gives are one transaction. The persons in charge receive one digest for the requests that
gather within a minute, and at most one an hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from ... import audit
from ...accounts import services as accounts
from ...accounts.throttling import allowance_services
from ...audit.domain.events import Event
from ...audit.services import SYSTEM, Actor
from ...crypto.sealing import current_sealing
from ...db import db, new_id, transaction
from ...errors import ConflictError, Decision, NotAllowedError, NotFoundError
from ...notices import services as notices
from ..enterprise_services import steady_rights
from ..models import Membership
from ..people.domain.roles import MembershipStatus, Role
from ..people.people_services import members, membership, memberships_of, require_role
from ..rights import grant_services
from ..rights.facts_services import read_person
from ..rights.rights_services import Right, authority, matrix
from .domain.states import (
    ANSWERED_WITHIN,
    KEPT,
    TRANSITIONS,
    WEEK,
    Asking,
    AskObjection,
    RequestEvent,
    RequestState,
    answer_event,
    may_ask,
)
from .models import AccessRequest

WAITING, ANSWERED = "requests_waiting", "request_answered"  # kinds of notices: values are stored
GATHERED = timedelta(minutes=1)
BETWEEN_DIGESTS = timedelta(hours=1)
PER_HOUR = 10  # requests of one person
PAGE = 25
_EVENTS = {
    RequestEvent.GRANT: Event.REQUEST_GRANTED,
    RequestEvent.GRANT_IN_PART: Event.REQUEST_GRANTED,
    RequestEvent.REFUSE: Event.REQUEST_REFUSED,
    RequestEvent.WITHDRAW: Event.REQUEST_WITHDRAWN,
    RequestEvent.EXPIRE: Event.REQUEST_EXPIRED,
    RequestEvent.LEAVE: Event.REQUEST_EXPIRED,
}


class AnsweredError(ConflictError):
    """The request was answered, withdrawn or expired meanwhile."""


@dataclass(frozen=True, slots=True)
class RequestView:
    """A request as its user and the persons in charge read it; ``answer`` is the reason of a refusal, or empty."""

    id: str
    enterprise_id: str
    membership_id: str
    person_id: str
    agency_id: str
    blocks: tuple[str, ...]
    until: date
    reason: str
    state: RequestState
    asked_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    decided_by: str | None
    answer: str
    granted: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        """Return whether the request waits for an answer."""
        return self.state is RequestState.OPEN


def user_membership(person_id: str, enterprise_id: str) -> str | None:
    """Return the id of the person's active membership as a user of the enterprise, or None."""
    found = (
        view
        for view in memberships_of(person_id)
        if view.enterprise_id == enterprise_id and view.role is Role.USER and view.counts
    )
    return next((str(view.id) for view in found), None)


def askable(person_id: str, enterprise_id: str, agency_id: str, now: datetime) -> tuple[str, ...] | None:
    """Return the codes that a person may ask for: available to the enterprise and not held; None without subscription."""
    reading = read_person(person_id, enterprise_id, agency_id, now=now)
    if reading is None or reading.facts.subscribed is None:
        return None
    return tuple(sorted(reading.facts.available - _held(person_id, enterprise_id, agency_id, now)))


def ask(
    enterprise_id: str,
    agency_id: str,
    *,
    person_id: str,
    blocks: frozenset[str],
    until: date,
    reason: str,
    now: datetime,
) -> Decision[AskObjection]:
    """Make a request for *blocks* at an agency until the end of *until*; nothing is written when the decision refuses.

    Raises:
        TooManyTriesError: the person made too many requests within an hour.
    """
    with transaction():
        later = allowance_services.take(
            f"request:{person_id}", limit=PER_HOUR, now=now
        )  # and locks the person's bounds
        steady_rights(enterprise_id, agency_id)
        own = user_membership(person_id, enterprise_id)
        decision = may_ask(_asking(own, person_id, enterprise_id, agency_id, now), blocks, until, now)
        if later is not None:
            return Decision((*decision.reasons, AskObjection.TOO_MANY_THIS_WEEK))
        if not decision or own is None:
            return decision
        request_id = new_id()
        row = {
            **{"id": request_id, "enterprise_id": enterprise_id, "membership_id": own, "person_id": person_id},
            **{"agency_id": agency_id, "blocks": sorted(blocks), "until": until, "granted": []},
            **{"reason": _seal(reason, request_id, "reason"), "state": RequestState.OPEN.value},
            **{"asked_at": now, "expires_at": now + ANSWERED_WITHIN},
        }
        try:
            with db.session.begin_nested():
                db.session.execute(insert(AccessRequest).values(row))
        except IntegrityError:  # the same form, sent twice at once
            return Decision((AskObjection.ALREADY_ASKED,))
        _record(Event.REQUEST_MADE, _find(request_id), Actor.person(person_id), now, {"until": until.isoformat()})
        return decision


def withdraw(request_id: str, *, person_id: str, now: datetime) -> RequestView:
    """Withdraw an open request of the person.

    Raises:
        NotFoundError: the person made no such request.
        AnsweredError: it is no longer open.
    """
    with transaction():
        found = _find(request_id)
        if found.person_id != person_id:
            raise NotFoundError("a request of another person")
        return _end(found, RequestEvent.WITHDRAW, Actor.person(person_id), now)


def grant(
    request_id: str, right: Right, *, enterprise_id: str, by: str, seen_revision: int | None, now: datetime
) -> RequestView:
    """Give the user of a request exactly *right* at its agency, and answer the request with it, in one transaction.

    Raises:
        NotFoundError: the enterprise has no such request.
        NotAllowedError: the granter may not give this, made the request, or grants nothing of what was asked.
        AnsweredError: the request is no longer open.
        ConflictError: the rights at this agency changed since *seen_revision*.
    """
    with transaction():
        found = request_of(enterprise_id, request_id)
        if found.membership_id != right.membership_id or found.person_id == by:
            raise NotAllowedError("not an answer of another person to this request")
        if not found.is_open:
            raise AnsweredError("no longer open")
        grant_services.set_rights(
            enterprise_id, found.agency_id, (right,), granter_id=by, seen_revision=seen_revision, now=now
        )
        held = _held(found.person_id, enterprise_id, found.agency_id, now)
        event = answer_event(frozenset(found.blocks), held)
        if event is None:
            raise NotAllowedError("grants nothing of what was asked")
        granted = sorted(frozenset(found.blocks) & held)
        ended = _end(found, event, Actor.person(by), now, decided_by=by, granted=granted)
        _notify(ended, now)
        return ended


def refuse(request_id: str, *, enterprise_id: str, by: str, reason: str, now: datetime) -> RequestView:
    """Refuse a request, with a reason that its user reads.

    Raises:
        NotFoundError: the enterprise has no such request.
        NotAllowedError: *by* is not in charge of electronic services here, or made the request.
        AnsweredError: the request is no longer open.
    """
    with transaction():
        found = request_of(enterprise_id, request_id)
        steady_rights(enterprise_id, found.agency_id)
        actor = require_role(by, enterprise_id, Role.PES)
        if found.person_id == by:
            raise NotAllowedError("one's own request")
        answer = _seal(reason, request_id, "answer")
        ended = _end(found, RequestEvent.REFUSE, actor, now, decided_by=by, answer=answer)
        _notify(ended, now)
        return ended


def present_right(request: RequestView, now: datetime) -> Right | None:
    """Return what the user of a request holds at its agency; None for a user who left."""
    of = matrix(request.enterprise_id, request.agency_id, now, of=[request.membership_id])
    user = of.user(request.membership_id)
    return user.right if user else None


def proposed(request: RequestView, blocks: frozenset[str], until: date, now: datetime) -> Right:
    """Return the right of the user once *blocks* are added to what they hold at the agency, all until *until*."""
    right = present_right(request, now)
    present = right.blocks if right else frozenset()
    return Right(request.membership_id, present | blocks, until)


def request_of(enterprise_id: str, request_id: str) -> RequestView:
    """Return a request made in the enterprise.

    Raises:
        NotFoundError: the enterprise has no such request.
    """
    found = _find(request_id)
    if found.enterprise_id != enterprise_id:
        raise NotFoundError("a request of another enterprise")
    return found


def requests_of(enterprise_id: str, *, is_open: bool, page: int = 1) -> tuple[tuple[RequestView, ...], bool]:
    """Return one page of the requests of an enterprise, the oldest open or the latest ended first, and whether more follow."""
    wanted = select(AccessRequest).where(AccessRequest.enterprise_id == enterprise_id)
    if is_open:
        wanted = wanted.where(AccessRequest.state == RequestState.OPEN.value).order_by(
            AccessRequest.asked_at, AccessRequest.id
        )
    else:
        wanted = wanted.where(AccessRequest.state != RequestState.OPEN.value).order_by(
            AccessRequest.ended_at.desc(), AccessRequest.id
        )
    rows = db.session.scalars(
        wanted.offset((page - 1) * PAGE).limit(PAGE + 1).execution_options(populate_existing=True)
    ).all()
    return tuple(_view(row) for row in rows[:PAGE]), len(rows) > PAGE


def requests_by(person_id: str, enterprise_id: str, *, limit: int = 50) -> tuple[RequestView, ...]:
    """Return the latest requests that a person made in an enterprise, the open ones first."""
    rows = db.session.scalars(
        select(AccessRequest)
        .where(AccessRequest.person_id == person_id, AccessRequest.enterprise_id == enterprise_id)
        .order_by(AccessRequest.state != RequestState.OPEN.value, AccessRequest.asked_at.desc(), AccessRequest.id)
        .limit(limit)
        .execution_options(populate_existing=True)
    ).all()
    return tuple(_view(row) for row in rows)


def all_requests_by(person_id: str) -> tuple[RequestView, ...]:
    """Return every request that a person made and that is kept, oldest first."""
    wanted = select(AccessRequest).where(AccessRequest.person_id == person_id)
    rows = db.session.scalars(
        wanted.order_by(AccessRequest.asked_at, AccessRequest.id).execution_options(populate_existing=True)
    ).all()
    return tuple(_view(row) for row in rows)


def latest(person_id: str, enterprise_id: str, agency_id: str) -> RequestView | None:
    """Return the latest request of a person at an agency, or None."""
    row = db.session.scalars(
        select(AccessRequest)
        .where(
            AccessRequest.person_id == person_id,
            AccessRequest.enterprise_id == enterprise_id,
            AccessRequest.agency_id == agency_id,
        )
        .order_by(AccessRequest.asked_at.desc(), AccessRequest.id)
        .limit(1)
        .execution_options(populate_existing=True)
    ).first()
    return _view(row) if row else None


def count_open(enterprise_id: str) -> int:
    """Return how many requests of an enterprise wait for an answer."""
    return _count(AccessRequest.enterprise_id == enterprise_id, AccessRequest.state == RequestState.OPEN.value)


def sweep(now: datetime) -> int:
    """End the requests that expired or whose user left, delete those kept long enough; return how many."""
    ended = 0
    for condition, event in (
        (AccessRequest.expires_at <= now, RequestEvent.EXPIRE),
        (
            AccessRequest.membership_id.in_(
                select(Membership.id).where(Membership.status == MembershipStatus.REMOVED.value)
            ),
            RequestEvent.LEAVE,
        ),
    ):
        wanted = select(AccessRequest.id).where(AccessRequest.state == RequestState.OPEN.value, condition)
        for request_id in db.session.scalars(wanted.limit(200)).all():
            with transaction():
                try:
                    _end(_find(request_id), event, SYSTEM, now)
                except AnsweredError:
                    continue  # answered or withdrawn at this moment
            ended += 1
    with transaction() as session:
        old = delete(AccessRequest).where(AccessRequest.ended_at <= now - KEPT).returning(AccessRequest.id)
        gone = session.scalars(old.execution_options(synchronize_session=False)).all()
    return ended + len(gone)


def notify_waiting(now: datetime) -> int:
    """Send the persons in charge one digest of the requests that gathered; return to how many enterprises."""
    wanted = (
        select(AccessRequest.enterprise_id)
        .where(
            AccessRequest.state == RequestState.OPEN.value,
            AccessRequest.notified_at.is_(None),
            AccessRequest.asked_at <= now - GATHERED,
        )
        .group_by(AccessRequest.enterprise_id)
        .limit(100)
    )
    return sum(_digest(enterprise_id, now) for enterprise_id in db.session.scalars(wanted).all())


def _digest(enterprise_id: str, now: datetime) -> bool:
    with transaction() as session:
        last = select(func.max(AccessRequest.notified_at)).where(AccessRequest.enterprise_id == enterprise_id)
        notified = session.scalar(last)
        if notified is not None and notified > now - BETWEEN_DIGESTS:
            return False
        taken = session.scalars(
            update(AccessRequest)
            .where(
                AccessRequest.enterprise_id == enterprise_id,
                AccessRequest.state == RequestState.OPEN.value,
                AccessRequest.notified_at.is_(None),
            )
            .values(notified_at=now)
            .returning(AccessRequest.id)
            .execution_options(synchronize_session=False)
        ).all()
        if not taken:
            return False
        there = [view for view in members(enterprise_id, roles=(Role.PES,)) if view.counts]
        people = accounts.people({view.person_id for view in there})
        for view in there:
            address = view.known.email or people[view.person_id].email
            payload = {"person_id": view.person_id, "to": address, "enterprise_id": enterprise_id}
            notices.enqueue(WAITING, payload, now=now)
    return True


def _notify(ended: RequestView, now: datetime) -> None:
    """Send the answer to the user who asked, in the caller's transaction."""
    view = membership(ended.enterprise_id, ended.membership_id)
    address = view.known.email or accounts.person(ended.person_id).email
    payload = {"person_id": ended.person_id, "to": address, "request": ended.id}
    notices.enqueue(ANSWERED, payload, now=now)


def find(request_id: str) -> RequestView | None:
    """Return a request, or None when it is no longer kept."""
    row = db.session.get(AccessRequest, request_id, populate_existing=True)
    return _view(row) if row else None


def _find(request_id: str) -> RequestView:
    found = find(request_id)
    if found is None:
        raise NotFoundError("no such request")
    return found


def _asking(own: str | None, person_id: str, enterprise_id: str, agency_id: str, now: datetime) -> Asking:
    reading = read_person(person_id, enterprise_id, agency_id, now=now)
    subscribed = reading is not None and reading.facts.subscribed is not None
    is_open = AccessRequest.state == RequestState.OPEN.value
    mine = AccessRequest.person_id == person_id
    return Asking(
        is_user=own is not None,
        available=reading.facts.available if reading is not None and subscribed else None,
        held=_held(person_id, enterprise_id, agency_id, now),
        asked_here=_count(AccessRequest.membership_id == own, AccessRequest.agency_id == agency_id, is_open) > 0,
        open_requests=_count(mine, is_open),
        requests_this_week=_count(mine, AccessRequest.asked_at > now - WEEK),
    )


def _held(person_id: str, enterprise_id: str, agency_id: str, now: datetime) -> frozenset[str]:
    found = authority(person_id, enterprise_id, agency_id, now)
    return frozenset(found.blocks) if found else frozenset()


def _count(*conditions: ColumnElement[bool]) -> int:
    return db.session.scalar(select(func.count()).select_from(AccessRequest).where(*conditions)) or 0


def _end(
    found: RequestView,
    event: RequestEvent,
    actor: Actor,
    now: datetime,
    *,
    decided_by: str | None = None,
    answer: str | None = None,
    granted: list[str] | None = None,
) -> RequestView:
    """End an open request, in the caller's transaction: the one statement that finds it open decides."""
    state = TRANSITIONS[RequestState.OPEN, event]
    done = db.session.scalar(
        update(AccessRequest)
        .where(AccessRequest.id == found.id, AccessRequest.state == RequestState.OPEN.value)
        .values(state=state.value, ended_at=now, decided_by=decided_by, answer=answer, granted=granted or [])
        .returning(AccessRequest.id)
        .execution_options(synchronize_session=False)
    )
    if done is None:
        raise AnsweredError("no longer open")
    ended = _find(found.id)
    _record(_EVENTS[event], ended, actor, now, {"state": state.value, "granted": list(ended.granted)})
    return ended


def _record(event: Event, about: RequestView, actor: Actor, now: datetime, details: dict[str, object]) -> None:
    audit.record(
        event,
        actor=actor,
        now=now,
        enterprise_id=about.enterprise_id,
        person_id=about.person_id,
        agency_id=about.agency_id,
        details={"request": about.id, "blocks": list(about.blocks), **details},
    )


def _view(row: AccessRequest) -> RequestView:
    return RequestView(
        id=row.id,
        enterprise_id=row.enterprise_id,
        membership_id=row.membership_id,
        person_id=row.person_id,
        agency_id=row.agency_id,
        blocks=tuple(row.blocks),
        until=row.until,
        reason=current_sealing().unseal(row.reason, _place(row.id, "reason")),
        state=RequestState(row.state),
        asked_at=row.asked_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
        decided_by=row.decided_by,
        answer=current_sealing().unseal(row.answer, _place(row.id, "answer")) if row.answer else "",
        granted=tuple(row.granted),
    )


def _seal(text: str, request_id: str, field: str) -> str:
    return current_sealing().seal(text, _place(request_id, field))


def _place(request_id: str, field: str) -> str:
    return f"access_request:{request_id}:{field}"
