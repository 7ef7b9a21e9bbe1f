"""Changes of the blocks and answers of an active subscription: asked, decided by the agency's rule or a person, withdrawn.

What stood before counts until a change is accepted. A block that goes takes the rights it carried with it, so that asking for
it again later does not bring them back; a block that comes is not given to people with unrestricted access unless the person
in charge said so, having seen who they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, insert, select, update

from ...audit.domain.events import Event
from ...audit.services import SYSTEM, Actor
from ...db import db, transaction
from ...errors import ConflictError, NotAllowedError, NotFoundError
from ..catalogue import catalogue_services
from ..catalogue.domain import questionnaire
from ..catalogue.domain.catalogue import Agency
from ..people.domain.roles import Role
from ..people.people_services import require_role
from ..rights import grant_services, system_user_services
from ..rights.grant_services import Here
from ..rights.projection_services import RemovalReason, watching
from .domain.changes import Content, Difference, difference, needs_consent
from .domain.rules import Ruling, rule
from .domain.states import SubscriptionEvent
from .models import Subscription, SubscriptionChange
from .record_services import SubscriptionView, hold, move, notify_decision, record


class ChangeOutcome(StrEnum):
    """How a change ended. Values are stored: never rename one."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A change of a subscription; ``outcome`` is None while the agency decides."""

    revision: int
    before: Content
    after: Content
    extends: bool
    questionnaire_version: str
    consent_version: str | None
    consent_digest: str | None
    asked_at: datetime
    asked_by: str
    outcome: ChangeOutcome | None
    reason: str | None
    causes: tuple[str, ...]

    @property
    def difference(self) -> Difference:
        """Return what it adds, removes and answers otherwise."""
        return difference(self.before, self.after)


def content_of(seen: SubscriptionView) -> Content:
    """Return what stands."""
    return Content(seen.blocks, seen.answers)


def consent_needed(seen: SubscriptionView, changed: Difference, agency: Agency) -> bool:
    """Return whether a change must be consented to."""
    return needs_consent(changed, consented=seen.consent_digest, consent_now=agency.consent.digest)


def changes(subscription_id: str) -> tuple[ChangeView, ...]:
    """Return every change of a subscription, oldest first."""
    rows = db.session.execute(
        select(*_COLUMNS)
        .where(SubscriptionChange.subscription_id == subscription_id)
        .order_by(SubscriptionChange.revision)
    )
    return tuple(_view(row) for row in rows)


def last(subscription_id: str) -> ChangeView | None:
    """Return the latest change of a subscription, whatever became of it."""
    found = changes(subscription_id)
    return found[-1] if found else None


def waiting(subscription_id: str) -> ChangeView | None:
    """Return the change that the agency is to decide."""
    wanted = select(*_COLUMNS).where(
        SubscriptionChange.subscription_id == subscription_id, SubscriptionChange.outcome.is_(None)
    )
    row = db.session.execute(wanted).first()
    return _view(row) if row else None


def is_waiting() -> ColumnElement[bool]:
    """Return the condition that joins a subscription to its change to decide."""
    return and_(SubscriptionChange.subscription_id == Subscription.id, SubscriptionChange.outcome.is_(None))


def ask(
    enterprise_id: str,
    agency_id: str,
    *,
    answers: Mapping[str, str],
    blocks: Iterable[str],
    extends: bool,
    by: str,
    seen_revision: int,
    seen_rights: int | None = None,
    consent_digest: str | None = None,
    now: datetime,
) -> SubscriptionView:
    """Change what an enterprise is subscribed to and what it answered; the agency's rule decides at once, or a person.

    *by* is a PES who saw the subscription at *seen_revision* and, unless None, the rights of users at *seen_rights*;
    *consent_digest* is the digest of the text they consented to, None when they were not asked. With *extends*, people with
    unrestricted access get the added blocks; without, they keep exactly what they have. Sending the same twice changes nothing.

    Raises:
        NotAllowedError: *by* is not a PES of the enterprise, the answers do not fit, or consent is missing.
        ConflictError: something changed meanwhile, the agency's consent text too, or the subscription cannot be changed now.
        NotFoundError: there is no such agency or subscription.
    """
    agency = catalogue_services.agency(agency_id)
    checked = questionnaire.check(agency.questionnaire, answers, blocks, offered=agency.offered)
    if not checked:
        raise NotAllowedError(f"answers that do not fit: {sorted(checked.faults)}")
    after = Content(checked.blocks, checked.answers)
    with transaction():
        seen = hold(enterprise_id, agency_id)
        actor = require_role(by, enterprise_id, Role.PES)
        if seen is None:
            raise NotFoundError("no subscription")
        if seen.revision != seen_revision:
            if after in (content_of(seen), *(change.after for change in (waiting(seen.id),) if change)):
                return seen
            raise ConflictError("the subscription changed since it was shown")
        if not seen.may_change:
            raise ConflictError(f"no change when {seen.state}")
        if seen_rights not in (None, grant_services.revision(enterprise_id, agency_id)):
            raise ConflictError("the rights changed since they were shown")
        changed = difference(content_of(seen), after)
        consent = consent_needed(seen, changed, agency)
        if not changed and not consent:
            return seen
        if consent and consent_digest is None:
            raise NotAllowedError("consent is missing")
        if consent and consent_digest != agency.consent.digest:
            raise ConflictError("the consent text changed")
        return _ask(seen, after, agency, extends=extends, consent=consent, actor=actor, now=now)


def withdraw(enterprise_id: str, agency_id: str, *, by: str, seen_revision: int, now: datetime) -> SubscriptionView:
    """Take back a change that the agency has not decided yet; what stood goes on counting. Twice changes nothing.

    Raises:
        NotAllowedError: *by* is not a PES of the enterprise.
        ConflictError: it was decided meanwhile.
        NotFoundError: there is no subscription.
    """
    with transaction():
        seen = hold(enterprise_id, agency_id)
        actor = require_role(by, enterprise_id, Role.PES)
        if seen is None:
            raise NotFoundError("no subscription")
        if seen.revision != seen_revision:
            asked = last(seen.id)
            if asked is not None and (asked.revision, asked.outcome) == (seen_revision, ChangeOutcome.WITHDRAWN):
                return seen
            raise ConflictError("the change was decided meanwhile")
        close(seen, ChangeOutcome.WITHDRAWN, now=now)
        left = move(seen, SubscriptionEvent.CHANGE_WITHDRAWN, {}, actor, now)
        record(Event.SUBSCRIPTION_CHANGE_WITHDRAWN, left, actor, now)
        return left


def decide(
    seen: SubscriptionView, accepted: bool, reason: str | None, causes: tuple[str, ...], actor: Actor, now: datetime
) -> SubscriptionView:
    """Accept or refuse the waiting change of a subscription that the caller's transaction holds."""
    change = waiting(seen.id)
    if change is None:
        raise ConflictError("no change waits")
    outcome = ChangeOutcome.ACCEPTED if accepted else ChangeOutcome.REFUSED
    close(seen, outcome, reason=reason, causes=causes, now=now)
    if accepted:
        decided = _apply(seen, change, actor, now)
    else:
        decided = move(seen, SubscriptionEvent.CHANGE_REFUSED, {}, actor, now, reason=reason)
        record(Event.SUBSCRIPTION_CHANGE_REFUSED, decided, actor, now, {"reason": reason})
    notify_decision(decided, accepted=accepted, reason=reason, is_change=True, now=now)
    return decided


def close(
    seen: SubscriptionView,
    outcome: ChangeOutcome,
    *,
    reason: str | None = None,
    causes: tuple[str, ...] = (),
    now: datetime,
) -> None:
    """End the waiting change of a subscription that the caller's transaction holds."""
    db.session.execute(
        update(SubscriptionChange)
        .where(SubscriptionChange.subscription_id == seen.id, SubscriptionChange.outcome.is_(None))
        .values(outcome=outcome.value, reason=reason, causes=list(causes), decided_at=now)
        .execution_options(synchronize_session=False)
    )


_COLUMNS = tuple(SubscriptionChange.__table__.c)


def _view(row: Any) -> ChangeView:
    return ChangeView(
        revision=row.revision,
        before=Content(tuple(row.former_blocks), dict(row.former_answers)),
        after=Content(tuple(row.blocks), dict(row.answers)),
        extends=row.extends,
        questionnaire_version=row.questionnaire_version,
        consent_version=row.consent_version,
        consent_digest=row.consent_digest,
        asked_at=row.asked_at,
        asked_by=row.asked_by,
        outcome=ChangeOutcome(row.outcome) if row.outcome else None,
        reason=row.reason,
        causes=tuple(row.causes),
    )


def _ask(
    seen: SubscriptionView,
    after: Content,
    agency: Agency,
    *,
    extends: bool,
    consent: bool,
    actor: Actor,
    now: datetime,
) -> SubscriptionView:
    asked = move(seen, SubscriptionEvent.CHANGE_ASKED, {}, actor, now)
    db.session.execute(
        insert(SubscriptionChange).values(
            subscription_id=seen.id,
            revision=asked.revision,
            former_blocks=list(seen.blocks),
            former_answers=dict(seen.answers),
            blocks=list(after.blocks),
            answers=dict(after.answers),
            extends=extends,
            questionnaire_version=agency.questionnaire.version,
            consent_version=agency.consent.version if consent else None,
            consent_digest=agency.consent.digest if consent else None,
            asked_at=now,
            asked_by=actor.id,
            causes=[],
        )
    )
    changed = difference(content_of(seen), after)
    details: dict[str, Any] = _in_log(changed, extends)
    if consent:
        details |= {"consent": agency.consent.version, "sha256": agency.consent.digest}
    record(Event.SUBSCRIPTION_CHANGE_ASKED, asked, actor, now, details)
    verdict = rule(agency.acceptance, after.answers)
    if verdict.ruling is Ruling.REVIEW:
        return asked
    return decide(asked, verdict.ruling is Ruling.ACCEPT, verdict.reason, verdict.causes, SYSTEM, now)


def _apply(seen: SubscriptionView, change: ChangeView, actor: Actor, now: datetime) -> SubscriptionView:
    """Put the new content in force: rights to removed blocks end, unrestricted access keeps to what was shown."""
    changed, asker = change.difference, Actor.person(change.asked_by)
    values: dict[str, Any] = {
        "blocks": list(change.after.blocks),
        "answers": dict(change.after.answers),
        "questionnaire_version": change.questionnaire_version,
    }
    if change.consent_digest is not None:
        values |= {
            "consent_version": change.consent_version,
            "consent_digest": change.consent_digest,
            "requested_at": change.asked_at,
            "requested_by": change.asked_by,
        }
    reason = RemovalReason.SUBSCRIPTION_CHANGED
    with watching(seen.enterprise_id, reason=reason, actor=asker, now=now, agency_id=seen.agency_id):
        if changed.added or changed.removed:
            _settle_rights(seen, change, changed, now)
        decided = move(seen, SubscriptionEvent.CHANGE_ACCEPTED, values, actor, now)
    record(Event.SUBSCRIPTION_CHANGE_ACCEPTED, decided, actor, now, _in_log(changed, change.extends))
    return decided


def _settle_rights(seen: SubscriptionView, change: ChangeView, changed: Difference, now: datetime) -> None:
    here = Here(seen.enterprise_id, seen.agency_id, change.asked_by, now)
    grant_services.raise_revision(here)
    if changed.removed:
        grant_services.end_blocks(frozenset(changed.removed), here)
        system_user_services.drop_blocks(frozenset(changed.removed), seen.enterprise_id, seen.agency_id)
    if changed.added:
        kept = frozenset(change.before.blocks) & frozenset(change.after.blocks)
        grant_services.confine(kept, here, after=change.asked_at if change.extends else None)


def _in_log(changed: Difference, extends: bool) -> dict[str, Any]:
    details = {"added": list(changed.added), "removed": list(changed.removed), "answers": list(changed.answers)}
    return {**details, "extends": extends} if changed.added else details
