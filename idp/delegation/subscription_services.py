"""Subscriptions of enterprises to agencies: asked, decided, sent again, withdrawn (domain §4).

One row a subscription, for its whole life; every change names the revision it saw, so that two people never decide twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from ..audit import services as audit
from ..audit.events import Event
from ..audit.services import SYSTEM, Actor
from ..db import db, new_id, transaction
from ..errors import ConflictError, NotAllowedError, NotFoundError
from ..notices import services as notices
from . import catalogue_services, questionnaire
from .catalogue import Agency
from .models import Enterprise
from .people_services import members, require_role
from .projection_services import RemovalReason, refresh_projections, remove_rights_of_agency
from .roles import Role
from .subscription_models import Subscription, SubscriptionStep
from .subscription_rules import Ruling, rule
from .subscription_states import FIRST, SENDING_AGAIN, SubscriptionEvent, SubscriptionState, after, may

NOTICE = "subscription_decided"


@dataclass(frozen=True, slots=True)
class SubscriptionView:
    """A subscription. ``reason`` and ``causes`` tell why it was refused and which answers caused it."""

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
    def may_withdraw(self) -> bool:
        """Tell whether it can be left now."""
        return may(self.state, SubscriptionEvent.WITHDRAWN)

    @property
    def may_send_again(self) -> bool:
        """Tell whether it can be corrected, or asked again, and sent."""
        return self.state in SENDING_AGAIN


@dataclass(frozen=True, slots=True)
class Awaiting:
    """A subscription that waits for a person at the agency, with the enterprise it is for."""

    subscription: SubscriptionView
    neq: str
    enterprise_name: str


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to a subscription."""

    at: datetime
    event: SubscriptionEvent
    actor: Actor
    reason: str | None


def subscription(enterprise_id: str, agency_id: str) -> SubscriptionView | None:
    """Return the subscription of an enterprise to an agency, whatever its state."""
    return _one(Subscription.enterprise_id == enterprise_id, Subscription.agency_id == agency_id)


def subscription_by_id(subscription_id: str) -> SubscriptionView:
    """Return a subscription by its id.

    Raises:
        NotFoundError: there is none.
    """
    found = _one(Subscription.id == subscription_id)
    if found is None:
        raise NotFoundError("no such subscription")
    return found


def subscriptions_of(enterprise_id: str) -> dict[str, SubscriptionView]:
    """Return the subscriptions of an enterprise by agency id, whatever their state."""
    rows = db.session.execute(select(*_COLUMNS).where(Subscription.enterprise_id == enterprise_id)).all()
    return {row.agency_id: _view(row) for row in rows}


def active_blocks(enterprise_id: str, agency_id: str) -> tuple[str, ...] | None:
    """Return the codes an enterprise is subscribed to at an agency; None without an active subscription."""
    found = subscription(enterprise_id, agency_id)
    return found.blocks if found is not None and found.state is SubscriptionState.ACTIVE else None


def awaiting_decision(agency_id: str) -> tuple[Awaiting, ...]:
    """Return the subscriptions that wait for a person at an agency, oldest first."""
    rows = db.session.execute(
        select(*_COLUMNS, Enterprise.neq, Enterprise.name)
        .join(Enterprise, Enterprise.id == Subscription.enterprise_id)
        .where(Subscription.agency_id == agency_id, Subscription.state == SubscriptionState.IN_PROGRESS.value)
        .order_by(Subscription.requested_at, Subscription.id)
    ).all()
    return tuple(Awaiting(_view(row), row.neq, row.name) for row in rows)


def history(subscription_id: str) -> tuple[Step, ...]:
    """Return what happened to a subscription, oldest first."""
    rows = db.session.execute(
        select(
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
        Step(row.at, SubscriptionEvent(row.event), Actor(row.actor_kind, row.actor_id), row.reason) for row in rows
    )


def subscribe(
    enterprise_id: str,
    agency_id: str,
    *,
    answers: Mapping[str, str],
    blocks: Iterable[str],
    by: str,
    now: datetime,
    consent_digest: str | None = None,
) -> SubscriptionView:
    """Subscribe an enterprise to an agency, or send a refused or withdrawn subscription again; the rule decides at once.

    *by* is a PES who read the consent text; *consent_digest* is the digest of the text they were shown (None: today's).
    Sending the same twice changes nothing.

    Raises:
        NotAllowedError: *by* is not a PES of the enterprise, or the answers do not fit the questions.
        ConflictError: there is a subscription already, or the agency changed its consent text meanwhile.
        NotFoundError: there is no such agency.
    """
    agency = catalogue_services.agency(agency_id)
    checked = questionnaire.check(agency.questionnaire, answers, blocks, offered=agency.offered)
    if not checked:
        raise NotAllowedError(f"answers that do not fit: {sorted(checked.faults)}")
    if consent_digest not in (None, agency.consent.digest):
        raise ConflictError("the consent text changed")
    content = {
        "blocks": list(checked.blocks),
        "answers": checked.answers,
        "questionnaire_version": agency.questionnaire.version,
        "consent_version": agency.consent.version,
        "consent_digest": agency.consent.digest,
        "requested_at": now,
        "requested_by": by,
        "decided_at": None,
        "reason": None,
        "causes": [],
    }
    with transaction():
        actor = require_role(by, enterprise_id, Role.PES)
        asked = _ask(enterprise_id, agency_id, content, actor, now)
        return _apply_rule(asked, agency, now) if asked is not None else _there(enterprise_id, agency_id, content)


def decide(
    subscription_id: str, *, accept: bool, reason_code: str | None = None, actor: Actor, now: datetime
) -> SubscriptionView:
    """Accept or refuse a subscription that is in progress; *actor* is a person at the agency.

    Deciding the same again changes nothing.

    Raises:
        ConflictError: it was decided otherwise, or withdrawn, meanwhile.
        NotAllowedError: a refusal without one of the agency's reasons.
        NotFoundError: there is no such subscription.
    """
    with transaction():
        seen = subscription_by_id(subscription_id)
        agency = catalogue_services.agency(seen.agency_id)
        reason = None if accept else agency.refusal_reason(reason_code)
        if not accept and reason is None:
            raise NotAllowedError(f"{reason_code} is not a reason of {agency.id}")
        wanted = SubscriptionState.ACTIVE if accept else SubscriptionState.REFUSED
        if seen.state is wanted and seen.reason == (reason.code if reason else None):
            return seen
        causes = (reason.question,) if reason is not None and reason.question else ()
        return _decide(seen, accept, reason.code if reason else None, causes, actor, now)


def withdraw(enterprise_id: str, agency_id: str, *, by: str, now: datetime) -> SubscriptionView:
    """Leave an agency: every right there ends now, for everybody, and people who lost one are signalled.

    Withdrawing twice changes nothing.

    Raises:
        NotAllowedError: *by* is not a PES of the enterprise.
        NotFoundError: there is no subscription.
        ConflictError: it cannot be withdrawn in its state.
    """
    with transaction():
        actor = require_role(by, enterprise_id, Role.PES)
        seen = subscription(enterprise_id, agency_id)
        if seen is None:
            raise NotFoundError("no subscription")
        if seen.state is SubscriptionState.WITHDRAWN:
            return seen
        remove_rights_of_agency(
            enterprise_id, agency_id, reason=RemovalReason.SUBSCRIPTION_WITHDRAWN, actor=actor, now=now
        )
        left = _move(seen, SubscriptionEvent.WITHDRAWN, {"reason": None, "causes": []}, actor, now)
        _record(Event.SUBSCRIPTION_WITHDRAWN, left, actor, now)
        return left


def settle_catalogue(agency_ids: Iterable[str], *, now: datetime) -> int:
    """Bring everybody's rights in line after agencies changed their catalogue; return how many enterprises were looked at.

    A block that was retired is a right removed: whoever held it is signalled.
    """
    found = db.session.execute(
        select(Subscription.enterprise_id, Subscription.agency_id)
        .where(Subscription.agency_id.in_(tuple(agency_ids)), Subscription.state == SubscriptionState.ACTIVE.value)
        .order_by(Subscription.enterprise_id)
    ).all()
    for row in found:
        with transaction():
            refresh_projections(
                row.enterprise_id, row.agency_id, reason=RemovalReason.CATALOGUE_CHANGED, actor=SYSTEM, now=now
            )
    return len(found)


_COLUMNS = tuple(Subscription.__table__.c)


def _one(*conditions: Any) -> SubscriptionView | None:
    row = db.session.execute(select(*_COLUMNS).where(*conditions)).first()
    return _view(row) if row else None


def _view(row: Any) -> SubscriptionView:
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


def _ask(
    enterprise_id: str, agency_id: str, content: dict[str, Any], actor: Actor, now: datetime
) -> SubscriptionView | None:
    """Write what is asked; None when a subscription is there that cannot be sent again."""
    seen = subscription(enterprise_id, agency_id)
    if seen is None:
        asked = _begin(enterprise_id, agency_id, content, actor, now)
    elif seen.may_send_again:
        asked = _move(seen, SENDING_AGAIN[seen.state], content, actor, now)
    else:
        return None
    if asked is not None:
        details = {"blocks": list(asked.blocks), "consent": asked.consent_version, "sha256": asked.consent_digest}
        _record(Event.SUBSCRIPTION_REQUESTED, asked, actor, now, details)
    return asked


def _begin(
    enterprise_id: str, agency_id: str, content: dict[str, Any], actor: Actor, now: datetime
) -> SubscriptionView | None:
    subscription_id = new_id()
    values = {
        "id": subscription_id,
        "enterprise_id": enterprise_id,
        "agency_id": agency_id,
        "state": FIRST.value,
        "revision": 1,
        "changed_at": now,
        **content,
    }
    try:
        with db.session.begin_nested():
            db.session.execute(insert(Subscription).values(values))
    except IntegrityError:  # asked by another request at the same moment
        return None
    _note(subscription_id, 1, SubscriptionEvent.REQUESTED, actor, None, now)
    return subscription_by_id(subscription_id)


def _there(enterprise_id: str, agency_id: str, content: dict[str, Any]) -> SubscriptionView:
    """Return the subscription that is there when it is the very one that was asked; otherwise it is in the way."""
    seen = subscription(enterprise_id, agency_id)
    if seen is None or seen.blocks != tuple(content["blocks"]) or seen.answers != content["answers"]:
        raise ConflictError("there is a subscription already")
    return seen


def _apply_rule(asked: SubscriptionView, agency: Agency, now: datetime) -> SubscriptionView:
    verdict = rule(agency.acceptance, asked.answers)
    if verdict.ruling is Ruling.REVIEW:
        return asked
    accepted = verdict.ruling is Ruling.ACCEPT
    return _decide(asked, accepted, verdict.reason, verdict.causes, SYSTEM, now)


def _decide(
    seen: SubscriptionView, accepted: bool, reason: str | None, causes: tuple[str, ...], actor: Actor, now: datetime
) -> SubscriptionView:
    event = SubscriptionEvent.ACCEPTED if accepted else SubscriptionEvent.REFUSED
    values = {"decided_at": now, "reason": reason, "causes": list(causes)}
    decided = _move(seen, event, values, actor, now)
    if accepted:
        refresh_projections(
            seen.enterprise_id, seen.agency_id, reason=RemovalReason.CATALOGUE_CHANGED, actor=actor, now=now
        )
        _record(Event.SUBSCRIPTION_ACCEPTED, decided, actor, now, {"blocks": list(decided.blocks)})
    else:
        _record(Event.SUBSCRIPTION_REFUSED, decided, actor, now, {"reason": reason})
    for member in members(seen.enterprise_id):
        if member.role is Role.PES and member.counts:
            payload = {
                "person_id": member.person_id,
                "enterprise_id": seen.enterprise_id,
                "agency_id": seen.agency_id,
                "accepted": accepted,
                "reason": reason,
            }
            notices.enqueue(NOTICE, payload, now=now)
    return decided


def _move(
    seen: SubscriptionView, event: SubscriptionEvent, values: dict[str, Any], actor: Actor, now: datetime
) -> SubscriptionView:
    """Take a subscription to its next state, if it is still as it was seen.

    Raises:
        ConflictError: *event* cannot happen in its state, or somebody changed it meanwhile.
    """
    state = after(seen.state, event)
    if state is None:
        raise ConflictError(f"{event} cannot happen when {seen.state}")
    moved = db.session.execute(
        update(Subscription)
        .where(Subscription.id == seen.id, Subscription.revision == seen.revision)
        .values(state=state.value, revision=seen.revision + 1, changed_at=now, **values)
        .returning(*_COLUMNS)
    ).first()
    if moved is None:
        raise ConflictError("the subscription changed meanwhile")
    _note(seen.id, seen.revision + 1, event, actor, values.get("reason"), now)
    return _view(moved)


def _note(
    subscription_id: str, revision: int, event: SubscriptionEvent, actor: Actor, reason: str | None, now: datetime
) -> None:
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


def _record(
    event: Event, view: SubscriptionView, actor: Actor, now: datetime, details: dict[str, Any] | None = None
) -> None:
    audit.record(
        event,
        actor=actor,
        now=now,
        enterprise_id=view.enterprise_id,
        agency_id=view.agency_id,
        details={"subscription": view.id, **(details or {})},
    )
