"""Approving software to act for an enterprise, taking that back, and reading what it may do now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from ... import audit
from ...audit.domain.events import Event
from ...audit.services import Actor
from ...clock import end_of_day
from ...db import db, new_id, table_of, transaction
from ...errors import ConflictError, NotAllowedError, NotFoundError
from ..catalogue import catalogue_services
from ..enterprise_services import steady_rights
from ..models import SoftwareApproval
from ..people.domain.roles import Role
from ..people.people_services import roles_in
from ..subscriptions.domain.states import COUNTING
from ..subscriptions.models import Subscription
from .domain import rules
from .domain.authority import Authority
from .domain.system_users import SystemUserState, Wanted, may_approve, state_of
from .facts_services import read_software, read_system
from .projection_services import RemovalReason, current, watching

_ROWS = table_of(SoftwareApproval)
_NOTE_USE = (
    update(_ROWS)
    .where(_ROWS.c.id == bindparam("of"), _ROWS.c.revoked_at.is_(None), _ROWS.c.not_after > bindparam("now"))
    .values(last_used_at=bindparam("now"))
    .returning(_ROWS.c.id)
)


@dataclass(frozen=True, slots=True)
class SystemUserView:
    """One system user of an enterprise as its page shows it; ``blocks`` are those approved."""

    id: str
    agency_id: str
    client_id: str
    name: str
    blocks: tuple[str, ...]
    not_after: datetime
    approved_at: datetime
    approved_by: str
    revoked_at: datetime | None
    last_used_at: datetime | None
    state: SystemUserState


def usable_blocks(enterprise_id: str, agency_id: str) -> frozenset[str] | None:
    """Return the codes the enterprise may use at an agency now, None without an active subscription."""
    row = db.session.execute(
        select(Subscription.state, Subscription.blocks).where(
            Subscription.enterprise_id == enterprise_id, Subscription.agency_id == agency_id
        )
    ).first()
    if row is None or row.state not in COUNTING:
        return None
    offered = frozenset(block.code for block in catalogue_services.agency(agency_id).blocks if not block.retired)
    return frozenset(row.blocks) & offered


def objections(
    enterprise_id: str, agency_id: str, wanted: Wanted, *, by: str, now: datetime
) -> tuple[rules.DenialReason, ...]:
    """Return what stands against the approval of *wanted*."""
    return may_approve(
        roles_in(by, enterprise_id),
        wanted,
        subscribed=usable_blocks(enterprise_id, agency_id),
        is_approved=_is_approved(enterprise_id, wanted.client_id, now),
        now=now,
    ).reasons


def approve(enterprise_id: str, agency_id: str, wanted: Wanted, *, by: str, now: datetime) -> str:
    """Let a program act for an enterprise at an agency until the end of a day; return the id of the system user.

    Whether *wanted.client_id* is a client of the agency that may be approved is for the caller to know.

    Raises:
        NotAllowedError: the rules object (see ``system_users.may_approve``).
        ConflictError: another person approved the same software meanwhile.
    """
    with transaction() as session:
        steady_rights(enterprise_id, agency_id)
        against = objections(enterprise_id, agency_id, wanted, by=by, now=now)
        if against:
            raise NotAllowedError(str(against))
        _close_ended(enterprise_id, wanted.client_id, now)
        id = new_id()
        values = {
            **{"id": id, "enterprise_id": enterprise_id, "agency_id": agency_id, "client_id": wanted.client_id},
            **{"name": wanted.name, "blocks": sorted(wanted.blocks), "not_after": end_of_day(wanted.until)},
            **{"approved_at": now, "approved_by": by},
        }
        try:
            with session.begin_nested():
                session.execute(insert(SoftwareApproval).values(values))
        except IntegrityError:
            raise ConflictError("this software was approved meanwhile") from None
        audit.record(
            Event.SYSTEM_USER_APPROVED,
            actor=Actor.person(by),
            now=now,
            enterprise_id=enterprise_id,
            person_id=id,
            agency_id=agency_id,
            details={
                "client_id": wanted.client_id,
                "blocks": sorted(wanted.blocks),
                "until": wanted.until.isoformat(),
            },
        )
        return id


def revoke(enterprise_id: str, system_user_id: str, *, by: str, now: datetime) -> bool:
    """Take an approval back at once; the agency is notified. False when it was over already.

    Raises:
        NotAllowedError: *by* is no PES of the enterprise.
        NotFoundError: the enterprise has no such system user.
    """
    if Role.PES not in roles_in(by, enterprise_id):
        raise NotAllowedError("only a PES revokes")
    found = system_user(enterprise_id, system_user_id, now=now)
    actor = Actor.person(by)
    with (
        transaction() as session,
        watching(
            enterprise_id,
            reason=RemovalReason.APPROVAL_REVOKED,
            actor=actor,
            now=now,
            person_id=found.id,
            agency_id=found.agency_id,
        ),
    ):
        revoked = session.execute(
            update(SoftwareApproval)
            .where(
                SoftwareApproval.id == found.id, SoftwareApproval.revoked_at.is_(None), SoftwareApproval.not_after > now
            )
            .values(revoked_at=now, revoked_by=by)
            .returning(SoftwareApproval.id)
            .execution_options(synchronize_session=False)
        ).first()
        if revoked is not None:
            audit.record(
                Event.SYSTEM_USER_REVOKED,
                actor=actor,
                now=now,
                enterprise_id=enterprise_id,
                person_id=found.id,
                agency_id=found.agency_id,
                details={"client_id": found.client_id, "blocks": list(found.blocks)},
            )
    return revoked is not None


def drop_blocks(blocks: frozenset[str], enterprise_id: str, agency_id: str) -> None:
    """Take *blocks* from every approval, in the caller's transaction and inside ``watching``; one may be left without any."""
    rows = db.session.execute(
        select(SoftwareApproval.id, SoftwareApproval.blocks).where(
            SoftwareApproval.enterprise_id == enterprise_id,
            SoftwareApproval.agency_id == agency_id,
            SoftwareApproval.revoked_at.is_(None),
        )
    ).all()
    for row in rows:
        if blocks.isdisjoint(row.blocks):
            continue
        db.session.execute(
            update(SoftwareApproval)
            .where(SoftwareApproval.id == row.id)
            .values(blocks=sorted(frozenset(row.blocks) - blocks))
            .execution_options(synchronize_session=False)
        )


def system_users(enterprise_id: str, agency_id: str, *, now: datetime) -> tuple[SystemUserView, ...]:
    """Return every system user that the enterprise ever approved at an agency, the newest first."""
    wanted = _views().where(SoftwareApproval.enterprise_id == enterprise_id, SoftwareApproval.agency_id == agency_id)
    rows = db.session.execute(wanted.order_by(SoftwareApproval.approved_at.desc(), SoftwareApproval.id)).all()
    return tuple(_view(row, now) for row in rows)


def system_user(enterprise_id: str, system_user_id: str, *, now: datetime) -> SystemUserView:
    """Return one system user of an enterprise.

    Raises:
        NotFoundError: it has none with this id.
    """
    wanted = _views().where(SoftwareApproval.enterprise_id == enterprise_id, SoftwareApproval.id == system_user_id)
    row = db.session.execute(wanted).first()
    if row is None:
        raise NotFoundError(f"no system user {system_user_id} of {enterprise_id}")
    return _view(row, now)


def names(ids: Iterable[str]) -> dict[str, str]:
    """Return the names of system users by id."""
    rows = db.session.execute(
        select(SoftwareApproval.id, SoftwareApproval.name).where(SoftwareApproval.id.in_(sorted(ids)))
    )
    return {row.id: row.name for row in rows}


def names_of(enterprise_id: str) -> dict[str, str]:
    """Return the names of every system user that an enterprise ever had, by id."""
    rows = db.session.execute(
        select(SoftwareApproval.id, SoftwareApproval.name).where(SoftwareApproval.enterprise_id == enterprise_id)
    )
    return {row.id: row.name for row in rows}


def was_notified(system_user_id: str) -> bool:
    """Return whether an agency ever heard of a system user: a token was made for it."""
    used = select(SoftwareApproval.last_used_at).where(SoftwareApproval.id == system_user_id)
    return db.session.scalar(used) is not None


def of_software(client_id: str, neq: str, agency_id: str, *, now: datetime) -> Authority | None:
    """Return what a client may do for the enterprise called *neq*; one statement, the same for any *neq* it may not act for."""
    reading = read_software(client_id, neq, agency_id, now=now)
    return current(reading, now=now) if reading else None


def of_system_user(system_user_id: str, *, now: datetime) -> Authority | None:
    """Return what a system user may do now, None when it may act no more; one statement."""
    reading = read_system(system_user_id)
    return current(reading, now=now) if reading else None


def note_use(system_user_id: str, *, now: datetime) -> bool:
    """Note in the caller's transaction that a token is made; False when the approval was taken back meanwhile.

    The condition holds the row until the commit: a revocation comes before the token, or after it and ends it.
    """
    noted = db.session.execute(_NOTE_USE, {"of": system_user_id, "now": now}).first()
    return noted is not None


def _is_approved(enterprise_id: str, client_id: str, now: datetime) -> bool:
    found = select(SoftwareApproval.id).where(
        SoftwareApproval.enterprise_id == enterprise_id,
        SoftwareApproval.client_id == client_id,
        SoftwareApproval.revoked_at.is_(None),
        SoftwareApproval.not_after > now,
    )
    return db.session.scalar(found.limit(1)) is not None


def _close_ended(enterprise_id: str, client_id: str, now: datetime) -> None:
    """Make room for a new approval where the last one has reached its end."""
    db.session.execute(
        update(SoftwareApproval)
        .where(
            SoftwareApproval.enterprise_id == enterprise_id,
            SoftwareApproval.client_id == client_id,
            SoftwareApproval.revoked_at.is_(None),
            SoftwareApproval.not_after <= now,
        )
        .values(revoked_at=now, revoked_by="system")
        .execution_options(synchronize_session=False)
    )


def _views() -> Select[*tuple[Any, ...]]:
    row = SoftwareApproval
    return select(
        *(row.id, row.agency_id, row.client_id, row.name, row.blocks, row.not_after),
        *(row.approved_at, row.approved_by, row.revoked_at, row.last_used_at),
    )


def _view(row: Row[Any], now: datetime) -> SystemUserView:
    return SystemUserView(
        id=row.id,
        agency_id=row.agency_id,
        client_id=row.client_id,
        name=row.name,
        blocks=tuple(row.blocks),
        not_after=row.not_after,
        approved_at=row.approved_at,
        approved_by=row.approved_by,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
        state=state_of(row.not_after, row.revoked_at, now),
    )
