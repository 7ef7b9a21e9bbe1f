"""Rows of subscriptions: read, held, moved from one state to the next, each step noted; the services decide."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from ... import audit
from ...audit.domain.events import Event
from ...audit.services import Actor
from ...db import db
from ...errors import ConflictError, NotFoundError
from ...notices import services as notices
from ..enterprise_services import steady_roster
from ..people.domain.roles import Role
from ..people.people_services import members
from .domain.states import COUNTING, SENDING_AGAIN, SubscriptionEvent, SubscriptionState, after, may
from .models import Subscription, SubscriptionStep

NOTICE = "subscription_decided"


@dataclass(frozen=True, slots=True)
class SubscriptionView:
    """A subscription. ``reason`` and ``causes`` say why it was refused and which answers caused it."""

    id: str
    enterprise_id: str
    agency_id: str
    state: SubscriptionState
    revision: int
    blocks: tuple[str, ...]
    answers: dict[str, str]
    questionnaire_version: str
    consent_version: str
    consent_digest: str
    reason: str | None
    causes: tuple[str, ...]
    requested_at: datetime
    requested_by: str
    decided_at: datetime | None
    changed_at: datetime

    @property
    def counts(self) -> bool:
        """Return whether its blocks may be used now."""
        return self.state in COUNTING

    @property
    def may_change(self) -> bool:
        """Return whether its blocks and answers can be changed now."""
        return may(self.state, SubscriptionEvent.CHANGE_ASKED)

    @property
    def may_withdraw(self) -> bool:
        """Return whether it can be left now."""
        return may(self.state, SubscriptionEvent.WITHDRAWN)

    @property
    def may_send_again(self) -> bool:
        """Return whether it can be corrected, or asked again, and sent."""
        return self.state in SENDING_AGAIN


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One thing that happened to a subscription."""

    revision: int
    at: datetime
    event: SubscriptionEvent
    actor: Actor
    reason: str | None


def subscription(enterprise_id: str, agency_id: str) -> SubscriptionView | None:
    """Return the subscription of an enterprise to an agency, whatever its state."""
    return one(Subscription.enterprise_id == enterprise_id, Subscription.agency_id == agency_id)


def subscription_by_id(subscription_id: str) -> SubscriptionView:
    """Return a subscription by its id.

    Raises:
        NotFoundError: there is none.
    """
    found = one(Subscription.id == subscription_id)
    if found is None:
        raise NotFoundError("no such subscription")
    return found


def subscriptions_of(enterprise_id: str) -> dict[str, SubscriptionView]:
    """Return the subscriptions of an enterprise by agency id, whatever their state."""
    rows = db.session.execute(select(*COLUMNS).where(Subscription.enterprise_id == enterprise_id)).all()
    return {row.agency_id: view(row) for row in rows}


def hold(enterprise_id: str, agency_id: str) -> SubscriptionView | None:
    """Return a subscription and keep it, and the rights under it, as they are until the caller's transaction ends.

    The one order of locks: the enterprise (``steady_roster``), its subscription, the revision of its rights, projections.
    """
    steady_roster(enterprise_id)
    return one(Subscription.enterprise_id == enterprise_id, Subscription.agency_id == agency_id, hold=True)


def history(subscription_id: str) -> tuple[HistoryEntry, ...]:
    """Return what happened to a subscription, oldest first."""
    rows = db.session.execute(
        select(
            SubscriptionStep.revision,
            SubscriptionStep.at,
            SubscriptionStep.event,
            SubscriptionStep.actor_kind,
            SubscriptionStep.actor_id,
            SubscriptionStep.reason,
        )
        .where(SubscriptionStep.subscription_id == subscription_id)
        .order_by(SubscriptionStep.revision)
    ).all()
    return tuple(
        HistoryEntry(
            row.revision, row.at, SubscriptionEvent(row.event), Actor(row.actor_kind, row.actor_id), row.reason
        )
        for row in rows
    )


COLUMNS = tuple(Subscription.__table__.c)


def one(*conditions: Any, hold: bool = False) -> SubscriptionView | None:
    """Return the subscription that meets the *conditions*; *hold* locks its row."""
    wanted = select(*COLUMNS).where(*conditions)
    row = db.session.execute(wanted.with_for_update() if hold else wanted).first()
    return view(row) if row else None


def view(row: Any) -> SubscriptionView:
    """Return a row of ``COLUMNS`` as a value."""
    return SubscriptionView(
        id=row.id,
        enterprise_id=row.enterprise_id,
        agency_id=row.agency_id,
        state=SubscriptionState(row.state),
        revision=row.revision,
        blocks=tuple(row.blocks),
        answers=dict(row.answers),
        questionnaire_version=row.questionnaire_version,
        consent_version=row.consent_version,
        consent_digest=row.consent_digest,
        reason=row.reason,
        causes=tuple(row.causes),
        requested_at=row.requested_at,
        requested_by=row.requested_by,
        decided_at=row.decided_at,
        changed_at=row.changed_at,
    )


def move(
    seen: SubscriptionView,
    event: SubscriptionEvent,
    values: dict[str, Any],
    actor: Actor,
    now: datetime,
    *,
    reason: str | None = None,
) -> SubscriptionView:
    """Take a subscription to its next state, if it is still as it was seen; *reason* is noted with the step.

    Raises:
        ConflictError: *event* cannot happen in its state, or it changed meanwhile.
    """
    state = after(seen.state, event)
    if state is None:
        raise ConflictError(f"{event} cannot happen when {seen.state}")
    moved = db.session.execute(
        update(Subscription)
        .where(Subscription.id == seen.id, Subscription.revision == seen.revision)
        .values(state=state.value, revision=seen.revision + 1, changed_at=now, **values)
        .returning(*COLUMNS)
    ).first()
    if moved is None:
        raise ConflictError("the subscription changed meanwhile")
    note(seen.id, seen.revision + 1, event, actor, reason, now)
    return view(moved)


def note(
    subscription_id: str, revision: int, event: SubscriptionEvent, actor: Actor, reason: str | None, now: datetime
) -> None:
    """Write one step of the history."""
    db.session.execute(
        insert(SubscriptionStep).values(
            subscription_id=subscription_id,
            revision=revision,
            at=now,
            event=event.value,
            actor_kind=actor.kind,
            actor_id=actor.id,
            reason=reason,
        )
    )


def record(
    event: Event, about: SubscriptionView, actor: Actor, now: datetime, details: dict[str, Any] | None = None
) -> None:
    """Write one entry of the log about a subscription."""
    audit.record(
        event,
        actor=actor,
        now=now,
        enterprise_id=about.enterprise_id,
        agency_id=about.agency_id,
        details={"subscription": about.id, **(details or {})},
    )


def notify_decision(
    about: SubscriptionView, *, accepted: bool, reason: str | None, is_change: bool, now: datetime
) -> None:
    """Send what was decided to each active person in charge."""
    for member in members(about.enterprise_id, roles=(Role.PES,)):
        if member.counts:
            payload = {
                "person_id": member.person_id,
                "enterprise_id": about.enterprise_id,
                "agency_id": about.agency_id,
                "accepted": accepted,
                "reason": reason,
                "is_change": is_change,
            }
            notices.enqueue(NOTICE, payload, now=now)
