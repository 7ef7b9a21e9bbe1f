"""Subscriptions of enterprises to agencies: asked, decided, sent again, withdrawn.

One row a subscription, for its whole life; every change names the revision it saw, so that two people never decide twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from ...audit.domain.events import Event
from ...audit.services import SYSTEM, Actor
from ...db import db, new_id, transaction
from ...errors import ConflictError, NotAllowedError, NotFoundError
from ..catalogue import catalogue_services
from ..catalogue.domain import questionnaire
from ..catalogue.domain.catalogue import Agency
from ..models import Enterprise
from ..people.domain.roles import Role
from ..people.people_services import require_role
from ..rights.projection_services import RemovalReason, refresh_projections, remove_rights_of_agency
from . import change_services
from .domain.rules import Ruling, rule
from .domain.states import COUNTING, DECIDED_BY_OFFICER, FIRST, SENDING_AGAIN, SubscriptionEvent, SubscriptionState
from .models import Subscription, SubscriptionChange
from .record_services import COLUMNS, hold, move, note, notify_decision, record, view
from .record_services import NOTICE as NOTICE
from .record_services import SubscriptionView as SubscriptionView
from .record_services import history as history
from .record_services import subscription as subscription
from .record_services import subscription_by_id as subscription_by_id
from .record_services import subscriptions_of as subscriptions_of


@dataclass(frozen=True, slots=True)
class Awaiting:
    """A subscription, or a change of one, that waits for a person at the agency, with the enterprise it is for."""

    subscription: SubscriptionView
    neq: str
    enterprise_name: str
    since: datetime


def active_blocks(enterprise_id: str, agency_id: str) -> tuple[str, ...] | None:
    """Return the codes an enterprise is subscribed to at an agency; None without an active subscription."""
    found = subscription(enterprise_id, agency_id)
    return found.blocks if found is not None and found.counts else None


def states_at(agency_id: str, enterprise_ids: Iterable[str]) -> dict[str, SubscriptionState]:
    """Return the states of the subscriptions of enterprises at one agency, by enterprise id; none for one that has none."""
    rows = db.session.execute(
        select(Subscription.enterprise_id, Subscription.state).where(
            Subscription.agency_id == agency_id, Subscription.enterprise_id.in_(tuple(enterprise_ids))
        )
    )
    return {row.enterprise_id: SubscriptionState(row.state) for row in rows}


def awaiting_decision(agency_id: str) -> tuple[Awaiting, ...]:
    """Return the subscriptions, and the changes of subscriptions, that wait for a person at an agency, oldest first."""
    since = func.coalesce(SubscriptionChange.asked_at, Subscription.requested_at).label("since")
    rows = db.session.execute(
        select(*COLUMNS, Enterprise.neq, Enterprise.name, since)
        .join(Enterprise, Enterprise.id == Subscription.enterprise_id)
        .outerjoin(SubscriptionChange, change_services.is_waiting())
        .where(
            Subscription.agency_id == agency_id, Subscription.state.in_([state.value for state in DECIDED_BY_OFFICER])
        )
        .order_by(since, Subscription.id)
    ).all()
    return tuple(Awaiting(view(row), row.neq, row.name, row.since) for row in rows)


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
    subscription_id: str,
    *,
    accept: bool,
    reason_code: str | None = None,
    seen_revision: int | None = None,
    actor: Actor,
    now: datetime,
) -> SubscriptionView:
    """Accept or refuse a subscription that is in progress, or a change of one; *actor* is a person at the agency.

    *seen_revision* is the revision whose answers were read; None skips the comparison. Deciding the same again changes nothing.

    Raises:
        ConflictError: it was decided otherwise, withdrawn, or sent with other answers, meanwhile.
        NotAllowedError: a refusal without one of the agency's reasons.
        NotFoundError: there is no such subscription.
    """
    with transaction():
        there = subscription_by_id(subscription_id)
        seen = hold(there.enterprise_id, there.agency_id) or there
        agency = catalogue_services.agency(seen.agency_id)
        reason = None if accept else agency.refusal_reason(reason_code)
        if not accept and reason is None:
            raise NotAllowedError(f"{reason_code} is not a reason of {agency.id}")
        code = reason.code if reason else None
        if seen_revision not in (None, seen.revision) or seen.state not in DECIDED_BY_OFFICER:
            if _was_decided(seen, seen_revision, accept, code):
                return seen
            raise ConflictError("it was decided, withdrawn or sent again meanwhile")
        causes = (reason.question,) if reason is not None and reason.question else ()
        if seen.state is SubscriptionState.CHANGING:
            return change_services.decide(seen, accept, code, causes, actor, now)
        return _decide(seen, accept, code, causes, actor, now)


def withdraw(enterprise_id: str, agency_id: str, *, by: str, now: datetime) -> SubscriptionView:
    """Leave an agency: every right there ends now, for every person, and people who lost one are signalled.

    Withdrawing twice changes nothing.

    Raises:
        NotAllowedError: *by* is not a PES of the enterprise.
        NotFoundError: there is no subscription.
        ConflictError: it cannot be withdrawn in its state.
    """
    with transaction():
        seen = hold(enterprise_id, agency_id)  # a right given at the same moment is ended too, or refused
        actor = require_role(by, enterprise_id, Role.PES)
        if seen is None:
            raise NotFoundError("no subscription")
        if seen.state is SubscriptionState.WITHDRAWN:
            return seen
        remove_rights_of_agency(
            enterprise_id, agency_id, reason=RemovalReason.SUBSCRIPTION_WITHDRAWN, actor=actor, now=now
        )
        if seen.state is SubscriptionState.CHANGING:
            change_services.close(seen, change_services.ChangeOutcome.WITHDRAWN, now=now)
        left = move(seen, SubscriptionEvent.WITHDRAWN, {"reason": None, "causes": []}, actor, now)
        record(Event.SUBSCRIPTION_WITHDRAWN, left, actor, now)
        return left


def settle_catalogue(agency_ids: Iterable[str], *, now: datetime) -> int:
    """Bring every person's rights in line after agencies changed their catalogue; return how many enterprises were looked at.

    A block that was retired is a right removed: each person who had it is signalled.
    """
    found = db.session.execute(
        select(Subscription.enterprise_id, Subscription.agency_id)
        .where(
            Subscription.agency_id.in_(tuple(agency_ids)), Subscription.state.in_([state.value for state in COUNTING])
        )
        .order_by(Subscription.enterprise_id)
    ).all()
    for row in found:
        with transaction():
            refresh_projections(
                row.enterprise_id, row.agency_id, reason=RemovalReason.CATALOGUE_CHANGED, actor=SYSTEM, now=now
            )
    return len(found)


def _ask(
    enterprise_id: str, agency_id: str, content: dict[str, Any], actor: Actor, now: datetime
) -> SubscriptionView | None:
    """Write what is asked; None when a subscription is there that cannot be sent again."""
    seen = subscription(enterprise_id, agency_id)
    if seen is None:
        asked = _begin(enterprise_id, agency_id, content, actor, now)
    elif seen.may_send_again:
        asked = move(seen, SENDING_AGAIN[seen.state], content, actor, now)
    else:
        return None
    if asked is not None:
        details = {"blocks": list(asked.blocks), "consent": asked.consent_version, "sha256": asked.consent_digest}
        record(Event.SUBSCRIPTION_REQUESTED, asked, actor, now, details)
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
    note(subscription_id, 1, SubscriptionEvent.REQUESTED, actor, None, now)
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
    decided = move(seen, event, values, actor, now, reason=reason)
    if accepted:
        refresh_projections(
            seen.enterprise_id, seen.agency_id, reason=RemovalReason.CATALOGUE_CHANGED, actor=actor, now=now
        )
        record(Event.SUBSCRIPTION_ACCEPTED, decided, actor, now, {"blocks": list(decided.blocks)})
    else:
        record(Event.SUBSCRIPTION_REFUSED, decided, actor, now, {"reason": reason})
    notify_decision(decided, accepted=accepted, reason=reason, is_change=False, now=now)
    return decided


def _was_decided(seen: SubscriptionView, seen_revision: int | None, accept: bool, reason: str | None) -> bool:
    """Return whether the very decision that is asked was taken on the revision that was read (by default, the last one)."""
    decided = SubscriptionEvent.ACCEPTED if accept else SubscriptionEvent.REFUSED
    changed = SubscriptionEvent.CHANGE_ACCEPTED if accept else SubscriptionEvent.CHANGE_REFUSED
    revision = seen.revision if seen_revision is None else seen_revision + 1
    step = next((step for step in history(seen.id) if step.revision == revision), None)
    return step is not None and step.event in (decided, changed) and step.reason == reason
