"""Changing rights at one agency: all together or not at all, each change dated and signed by who made it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.exc import IntegrityError

from ... import audit
from ...audit.domain.events import Event
from ...audit.services import Actor
from ...clock import end_of_day, local_date
from ...db import db, new_id, transaction
from ...errors import ConflictError, NotAllowedError
from ..enterprise_services import steady_rights
from ..models import BlockGrant, Membership, RightsRevision
from ..people.people_services import membership
from .domain import rules
from .domain.authority import UNRESTRICTED
from .projection_services import RemovalReason, watching
from .rights_services import Matrix, Right, authority, matrix


def objections(
    enterprise_id: str, agency_id: str, wanted: tuple[Right, ...], *, granter_id: str, now: datetime
) -> dict[str, tuple[rules.DenialReason, ...]]:
    """Return what stands against each wanted right that differs from the present one, by membership id."""
    present = matrix(enterprise_id, agency_id, now, of=[right.membership_id for right in wanted])
    return _objections(present, wanted, enterprise_id, granter_id, now)


def set_rights(
    enterprise_id: str,
    agency_id: str,
    wanted: tuple[Right, ...],
    *,
    granter_id: str,
    seen_revision: int | None,
    now: datetime,
) -> tuple[Right, ...]:
    """Give users exactly the *wanted* rights at an agency; return those that changed.

    *seen_revision* is the revision the granter decided on; None skips the comparison. Saving again what is already so
    changes nothing and is no conflict.

    Raises:
        ConflictError: another person changed the rights at this agency since *seen_revision*.
        NotAllowedError: the granter may not give this (see ``rules.may_grant``).
        NotFoundError: a membership is not of this enterprise.
    """
    actor = Actor.person(granter_id)
    with transaction():
        steady_rights(enterprise_id, agency_id)  # who leaves now is gone before, or loses this too; a block too
        for right in wanted:
            membership(enterprise_id, right.membership_id)
        fresh = _take_revision(enterprise_id, agency_id, seen_revision, granter_id, now)
        present = matrix(enterprise_id, agency_id, now, of=[right.membership_id for right in wanted])
        changes = _changes(present, wanted)
        if not fresh:
            if not changes:
                return ()
            raise ConflictError("the rights changed since they were shown")
        against = _objections(present, wanted, enterprise_id, granter_id, now)
        if against:
            raise NotAllowedError(str(against))
        people = {user.person_id for right in changes if (user := present.user(right.membership_id))}
        with watching(
            enterprise_id,
            reason=RemovalReason.BLOCK_REMOVED,
            actor=actor,
            now=now,
            agency_id=agency_id,
            people=people,
        ):
            for right in changes:
                _replace(right, agency_id, granter_id, now)
        for right in changes:
            _record_change(present, right, enterprise_id, actor, now)
        return changes


def grant(
    enterprise_id: str,
    membership_id: str,
    agency_id: str,
    *,
    blocks: Iterable[str],
    until: date,
    granted_by: str,
    now: datetime,
) -> None:
    """Let one user use *blocks* (or ``*``) at an agency until the end of *until*, instead of what they held there.

    Raises:
        NotAllowedError: the granter does not hold these blocks, or may not pass them on.
    """
    wanted = (Right(membership_id, frozenset(blocks), until),)
    set_rights(enterprise_id, agency_id, wanted, granter_id=granted_by, seen_revision=None, now=now)


def revision(enterprise_id: str, agency_id: str) -> int:
    """Return the revision of the rights of an enterprise at an agency."""
    wanted = select(RightsRevision.revision).where(
        RightsRevision.enterprise_id == enterprise_id, RightsRevision.agency_id == agency_id
    )
    return db.session.scalar(wanted) or 0


@dataclass(frozen=True, slots=True)
class Here:
    """The rights of one enterprise at one agency, changed now by one person in charge."""

    enterprise_id: str
    agency_id: str
    by: str
    now: datetime


def raise_revision(here: Here) -> None:
    """Make every preview of rights that was shown before stale, in the caller's transaction."""
    _take_revision(here.enterprise_id, here.agency_id, None, here.by, here.now)


def end_blocks(blocks: frozenset[str], here: Here) -> None:
    """End every grant of *blocks* by name, in the caller's transaction and inside ``watching``."""
    db.session.execute(
        update(BlockGrant)
        .where(*_live(here), BlockGrant.block.in_(sorted(blocks)))
        .values(revoked_at=here.now, revoked_by=here.by)
        .execution_options(synchronize_session=False)
    )


def confine(blocks: frozenset[str], here: Here, *, after: datetime | None) -> None:
    """Replace unrestricted grants by grants of *blocks* with the same dates: those given after an instant, or all (None)."""
    unrestricted = [*_live(here), BlockGrant.block == UNRESTRICTED]
    if after is not None:
        unrestricted.append(BlockGrant.granted_at > after)
    ended = db.session.execute(
        update(BlockGrant)
        .where(*unrestricted)
        .values(revoked_at=here.now, revoked_by=here.by)
        .returning(BlockGrant.membership_id, BlockGrant.not_before, BlockGrant.not_after)
        .execution_options(synchronize_session=False)
    ).all()
    rows = [
        {
            **{"id": f"g_{new_id()}", "membership_id": row.membership_id, "agency_id": here.agency_id, "block": block},
            **{"not_before": max(row.not_before, here.now), "not_after": row.not_after},
            **{"granted_by": here.by, "granted_at": here.now},
        }
        for row in ended
        for block in sorted(blocks)
    ]
    if rows:
        db.session.execute(insert(BlockGrant), rows)


def _live(here: Here) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions on grants of an enterprise at an agency that count, or will."""
    return (
        BlockGrant.membership_id.in_(select(Membership.id).where(Membership.enterprise_id == here.enterprise_id)),
        BlockGrant.agency_id == here.agency_id,
        BlockGrant.revoked_at.is_(None),
        BlockGrant.not_after > here.now,
    )


def _changes(present: Matrix, wanted: tuple[Right, ...]) -> tuple[Right, ...]:
    changed = []
    for right in wanted:
        user = present.user(right.membership_id)
        if user is None or not right.same_as(user.right):
            changed.append(right)
    return tuple(changed)


def _objections(
    present: Matrix, wanted: tuple[Right, ...], enterprise_id: str, granter_id: str, now: datetime
) -> dict[str, tuple[rules.DenialReason, ...]]:
    granter = authority(granter_id, enterprise_id, present.agency_id, now)
    if granter is None:
        raise NotAllowedError("acts for no enterprise")
    found: dict[str, tuple[rules.DenialReason, ...]] = {}
    for right in _changes(present, wanted):
        target = membership(enterprise_id, right.membership_id).member
        if right.blocks:
            decision = rules.may_grant(
                granter,
                to=target,
                blocks=right.blocks,
                until=right.until or local_date(now),
                subscribed=present.subscribed,
                now=now,
            )
        else:
            decision = rules.may_clear(granter, target)
        if not decision:
            found[right.membership_id] = decision.reasons
    return found


def _take_revision(enterprise_id: str, agency_id: str, seen: int | None, granter_id: str, now: datetime) -> bool:
    """Raise the revision if it is still the one that was seen; this also holds the matrix until the commit."""
    claim = update(RightsRevision).where(
        RightsRevision.enterprise_id == enterprise_id, RightsRevision.agency_id == agency_id
    )
    if seen is not None:
        claim = claim.where(RightsRevision.revision == seen)
    values = {"revision": RightsRevision.revision + 1, "changed_at": now, "changed_by": granter_id}
    if db.session.execute(claim.values(values).returning(RightsRevision.revision)).first() is not None:
        return True
    if seen:
        return False
    first = {
        "enterprise_id": enterprise_id,
        "agency_id": agency_id,
        "revision": 1,
        "changed_at": now,
        "changed_by": granter_id,
    }
    try:
        with db.session.begin_nested():
            db.session.execute(insert(RightsRevision).values(first))
    except IntegrityError:
        return seen is None and _take_revision(enterprise_id, agency_id, None, granter_id, now)
    return True


def _replace(right: Right, agency_id: str, granter_id: str, now: datetime) -> None:
    """Revoke the live grants that do not fit *right*, and add those that are missing."""
    end = end_of_day(right.until) if right.until else now
    live = db.session.execute(
        select(BlockGrant.id, BlockGrant.block, BlockGrant.not_after).where(
            BlockGrant.membership_id == right.membership_id,
            BlockGrant.agency_id == agency_id,
            BlockGrant.revoked_at.is_(None),
            BlockGrant.not_after > now,
        )
    ).all()
    kept = {row.block: row.id for row in live if row.block in right.blocks and row.not_after == end}
    ended = [row.id for row in live if row.id not in kept.values()]
    if ended:
        db.session.execute(
            update(BlockGrant)
            .where(BlockGrant.id.in_(ended), BlockGrant.revoked_at.is_(None))
            .values(revoked_at=now, revoked_by=granter_id)
        )
    for block in sorted(right.blocks - kept.keys()):
        db.session.execute(
            insert(BlockGrant).values(
                id=f"g_{new_id()}",
                membership_id=right.membership_id,
                agency_id=agency_id,
                block=block,
                not_before=now,
                not_after=end,
                granted_by=granter_id,
                granted_at=now,
            )
        )


def _record_change(present: Matrix, right: Right, enterprise_id: str, actor: Actor, now: datetime) -> None:
    """Write what a change gave and what it took in the log, one entry each."""
    user = present.user(right.membership_id)
    if user is None:
        return
    before, after = user.right.blocks, right.blocks
    redated = after and user.right.until != right.until
    given = sorted(after if redated else after - before)
    for event, blocks in ((Event.GRANTED, given), (Event.REVOKED, sorted(before - after))):
        if not blocks:
            continue
        details: dict[str, object] = {"blocks": blocks, "membership": right.membership_id}
        if event is Event.GRANTED and right.until:
            details["until"] = right.until.isoformat()
        audit.record(
            event,
            actor=actor,
            now=now,
            enterprise_id=enterprise_id,
            person_id=user.person_id,
            agency_id=present.agency_id,
            details=details,
        )
