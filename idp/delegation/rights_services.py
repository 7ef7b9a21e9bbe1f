"""Rights at one agency: read in one place, changed together, each change dated and signed by who made it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from ..audit import services as audit
from ..audit.events import Event
from ..audit.services import Actor
from ..clock import end_of_day, local_date
from ..db import db, new_id, transaction
from ..errors import ConflictError, NotAllowedError
from ..identifiers import UserCode
from . import rules
from .authority import UNRESTRICTED, Authority, MembershipFact
from .explain import Explanation, explain
from .facts_services import Reading, read_everybody, read_person
from .models import BlockGrant, Enterprise, Membership, RightsRevision
from .people_services import membership
from .projection_services import RemovalReason, current, watching
from .roles import PRECEDENCE, EnterpriseStatus, MembershipStatus, Role


@dataclass(frozen=True, slots=True)
class Choice:
    """An enterprise somebody may act for."""

    enterprise_id: str
    neq: str
    name: str
    role: Role
    user_code: str


@dataclass(frozen=True, slots=True)
class Right:
    """What one user holds, or shall hold, at one agency: blocks (or ``*``) until the end of a day."""

    membership_id: str
    blocks: frozenset[str]
    until: date | None

    def same_as(self, other: Right) -> bool:
        """Tell whether both give the same; without blocks the end date means nothing."""
        return self.blocks == other.blocks and (self.until == other.until or not self.blocks)


@dataclass(frozen=True, slots=True)
class HeldByUser:
    """One user of the matrix, with what they hold now."""

    person_id: str
    status: MembershipStatus
    right: Right


@dataclass(frozen=True, slots=True)
class Matrix:
    """Users and their rights at one agency, as of one revision."""

    agency_id: str
    revision: int
    changed_at: datetime | None
    changed_by: str | None
    available: tuple[str, ...]
    subscribed: bool
    users: tuple[HeldByUser, ...]

    def user(self, membership_id: str) -> HeldByUser | None:
        """Return the user with this membership."""
        return next((user for user in self.users if user.right.membership_id == membership_id), None)

    def codes(self, right: Right) -> frozenset[str]:
        """Return the explicit codes *right* gives here; unrestricted is every block of the subscription."""
        available = frozenset(self.available)
        return available if UNRESTRICTED in right.blocks else right.blocks & available


def authority(person_id: str, enterprise_id: str, agency_id: str, now: datetime) -> Authority | None:
    """Return what a person may do for an enterprise at an agency: the single reading of rights, one statement.

    None: they act for no enterprise here (no active membership, or the enterprise is not active).
    """
    reading = read_person(person_id, enterprise_id, agency_id, now=now)
    return current(reading, now=now) if reading else None


def explanation(person_id: str, enterprise_id: str, agency_id: str, block: str, now: datetime) -> Explanation | None:
    """Explain why a person may or may not use a block; None when they never belonged to the enterprise."""
    reading = read_person(person_id, enterprise_id, agency_id, now=now, whole_past=True)
    return explain(reading.facts, block, now) if reading else None


def choices(person_id: str, agency_id: str, now: datetime) -> tuple[Choice, ...]:
    """Return the active enterprises a person may act for at an agency, by name, each once with the role that counts.

    An enterprise without a subscription there is offered too: the person then acts for it without any block.
    """
    del agency_id, now  # direct memberships hold at every agency and have no dates; mandates will
    rows = db.session.execute(
        select(Enterprise.id, Enterprise.neq, Enterprise.name, Membership.role, Membership.user_code)
        .join(Membership, Membership.enterprise_id == Enterprise.id)
        .where(
            Membership.person_id == person_id,
            Membership.status == MembershipStatus.ACTIVE.value,
            Enterprise.status == EnterpriseStatus.ACTIVE.value,
        )
        .order_by(Enterprise.sort_name, Enterprise.neq)
    ).all()
    best: dict[str, Choice] = {}
    for row in sorted(rows, key=lambda row: PRECEDENCE.index(Role(row.role))):
        choice = Choice(row.id, row.neq, row.name, Role(row.role), str(UserCode(row.user_code)))
        best.setdefault(row.id, choice)
    order = {row.id: place for place, row in enumerate(rows)}
    return tuple(sorted(best.values(), key=lambda choice: order[choice.enterprise_id]))


def matrix(enterprise_id: str, agency_id: str, now: datetime) -> Matrix:
    """Return every user of an enterprise with their rights at an agency."""
    revision = db.session.execute(
        select(RightsRevision.revision, RightsRevision.changed_at, RightsRevision.changed_by).where(
            RightsRevision.enterprise_id == enterprise_id, RightsRevision.agency_id == agency_id
        )
    ).first()
    readings = read_everybody(enterprise_id, agency_id, now=now)
    users = tuple(user for reading in readings for user in _users(reading, now))
    return Matrix(
        agency_id=agency_id,
        revision=revision.revision if revision else 0,
        changed_at=revision.changed_at if revision else None,
        changed_by=revision.changed_by if revision else None,
        available=tuple(sorted(readings[0].facts.available)) if readings else (),
        subscribed=bool(readings) and readings[0].facts.subscribed is not None,
        users=users,
    )


def rights_of_members(enterprise_id: str, now: datetime) -> dict[str, tuple[tuple[str, Right], ...]]:
    """Return what each member was granted, agency by agency, by membership id; in one statement."""
    rows = db.session.execute(
        select(BlockGrant.membership_id, BlockGrant.agency_id, BlockGrant.block, BlockGrant.not_after)
        .join(Membership, Membership.id == BlockGrant.membership_id)
        .where(Membership.enterprise_id == enterprise_id, BlockGrant.revoked_at.is_(None), BlockGrant.not_after > now)
        .order_by(BlockGrant.membership_id, BlockGrant.agency_id, BlockGrant.block)
    ).all()
    gathered: dict[str, dict[str, list[tuple[str, datetime]]]] = {}
    for row in rows:
        gathered.setdefault(row.membership_id, {}).setdefault(row.agency_id, []).append((row.block, row.not_after))
    return {
        membership_id: tuple((agency_id, _gathered(membership_id, held)) for agency_id, held in agencies.items())
        for membership_id, agencies in gathered.items()
    }


def _gathered(membership_id: str, held: list[tuple[str, datetime]]) -> Right:
    return Right(membership_id, frozenset(block for block, _ in held), local_date(min(end for _, end in held)))


def objections(
    enterprise_id: str, agency_id: str, wanted: tuple[Right, ...], *, granter_id: str, now: datetime
) -> dict[str, tuple[rules.Reason, ...]]:
    """Return what stands against each wanted right that differs from the present one, by membership id."""
    present = matrix(enterprise_id, agency_id, now)
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
        ConflictError: somebody else changed the rights at this agency since *seen_revision*.
        NotAllowedError: the granter may not give this (see ``rules.may_grant``).
        NotFoundError: a membership is not of this enterprise.
    """
    actor = Actor.person(granter_id)
    with transaction():
        for right in wanted:
            membership(enterprise_id, right.membership_id)
        fresh = _take_revision(enterprise_id, agency_id, seen_revision, granter_id, now)
        present = matrix(enterprise_id, agency_id, now)
        changes = _changes(present, wanted)
        if not fresh:
            if not changes:
                return ()
            raise ConflictError("the rights changed since they were shown")
        against = _objections(present, wanted, enterprise_id, granter_id, now)
        if against:
            raise NotAllowedError(str(against))
        with watching(enterprise_id, reason=RemovalReason.BLOCK_REMOVED, actor=actor, now=now, agency_id=agency_id):
            for right in changes:
                _replace(right, agency_id, granter_id, now)
        for right in changes:
            _tell(present, right, enterprise_id, actor, now)
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


def _users(reading: Reading, now: datetime) -> list[HeldByUser]:
    return [
        HeldByUser(reading.facts.person_id, fact.status, _right(fact, now))
        for fact in reading.facts.memberships
        if fact.role is Role.USER and fact.status is not MembershipStatus.REMOVED
    ]


def _right(fact: MembershipFact, now: datetime) -> Right:
    live = [grant for grant in fact.grants if grant.revoked_at is None and grant.not_after > now]
    until = min((local_date(grant.not_after) for grant in live), default=None)
    return Right(fact.id, frozenset(grant.block for grant in live), until)


def _changes(present: Matrix, wanted: tuple[Right, ...]) -> tuple[Right, ...]:
    changed = []
    for right in wanted:
        user = present.user(right.membership_id)
        if user is None or not right.same_as(user.right):
            changed.append(right)
    return tuple(changed)


def _objections(
    present: Matrix, wanted: tuple[Right, ...], enterprise_id: str, granter_id: str, now: datetime
) -> dict[str, tuple[rules.Reason, ...]]:
    granter = authority(granter_id, enterprise_id, present.agency_id, now)
    if granter is None:
        raise NotAllowedError("acts for no enterprise")
    found: dict[str, tuple[rules.Reason, ...]] = {}
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


def _tell(present: Matrix, right: Right, enterprise_id: str, actor: Actor, now: datetime) -> None:
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
