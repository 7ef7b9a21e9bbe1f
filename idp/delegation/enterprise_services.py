"""Enterprises: registered once verified, suspended and reinstated, and the record of their verification."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from .. import audit
from ..accounts import services as accounts
from ..audit.domain.events import Event
from ..audit.services import Actor
from ..db import db, new_id, sort_key, transaction
from ..errors import ConflictError, NotFoundError
from ..identifiers import EnterpriseId, PersonId, with_neq
from .models import Enterprise, EnterpriseVerification, Membership
from .people.domain.roles import EnterpriseStatus, MembershipStatus, Role
from .people.domain.verification import Assurance, HeldRole, VerificationMethod, VerificationRecord
from .rights.projection_services import RemovalReason, watching
from .subscriptions.models import Subscription


@dataclass(frozen=True, slots=True)
class EnterpriseView:
    """An enterprise as other contexts see it."""

    id: EnterpriseId
    neq: str
    name: str
    legal_form: str | None
    status: EnterpriseStatus
    registered_at: datetime


def register_enterprise(record: VerificationRecord, *, actor: Actor, now: datetime) -> EnterpriseId:
    """Register the enterprise that *record* verifies, and return its id.

    Registering the same NEQ again for the same authorized representative returns the existing id.

    Raises:
        ConflictError: the NEQ is registered with another authorized representative.
    """
    with transaction() as session:
        try:
            with session.begin_nested():
                return _write(record, actor, now)
        except IntegrityError:
            existing = _by_neq(record.neq)
            if existing is None or verification(existing).authorized_representative != record.authorized_representative:
                raise ConflictError("this NEQ is registered with another representative") from None
            return existing


def _write(record: VerificationRecord, actor: Actor, now: datetime) -> EnterpriseId:
    enterprise_id = EnterpriseId(new_id())
    proved = record if record.family_name else accounts.person(record.authorized_representative)
    db.session.execute(
        insert(Enterprise).values(
            id=enterprise_id,
            neq=record.neq,
            name=record.name,
            sort_name=sort_key(record.name),
            legal_form=record.legal_form,
            status=EnterpriseStatus.ACTIVE.value,
            registered_at=now,
            roster_revision=0,
        )
    )
    db.session.execute(
        insert(EnterpriseVerification).values(
            id=new_id(),
            enterprise_id=enterprise_id,
            method=record.method,
            verified_at=record.verified_at,
            verified_by=record.verified_by,
            evidence=list(record.evidence),
            file_id=record.file_id,
            authorized_representative=record.authorized_representative,
            given_name=proved.given_name,
            family_name=proved.family_name,
        )
    )
    audit.record(
        Event.ENTERPRISE_REGISTERED,
        actor=actor,
        now=now,
        enterprise_id=enterprise_id,
        file_id=record.file_id,
        person_id=record.authorized_representative,
        details={"neq": record.neq, "method": record.method},
    )
    return enterprise_id


def enterprise(enterprise_id: str) -> EnterpriseView:
    """Return an enterprise.

    Raises:
        NotFoundError: there is none with this id.
    """
    wanted = select(Enterprise).where(Enterprise.id == enterprise_id).execution_options(populate_existing=True)
    row = db.session.execute(wanted).scalar_one_or_none()
    if row is None:
        raise NotFoundError("no such enterprise")
    return EnterpriseView(
        EnterpriseId(row.id), row.neq, row.name, row.legal_form, EnterpriseStatus(row.status), row.registered_at
    )


def enterprise_of_neq(neq: str) -> EnterpriseId | None:
    """Return the id of the enterprise registered with this NEQ (ten digits), if any."""
    return _by_neq(neq)


def verification(enterprise_id: str) -> VerificationRecord:
    """Return how an enterprise was verified.

    Raises:
        NotFoundError: there is no such enterprise.
    """
    found = db.session.execute(
        select(EnterpriseVerification, Enterprise)
        .join(Enterprise, Enterprise.id == EnterpriseVerification.enterprise_id)
        .where(Enterprise.id == enterprise_id)
    ).first()
    if found is None:
        raise NotFoundError("no such enterprise")
    return _record(*found)


def proved_for(person_id: str) -> str | None:
    """Return the enterprise, by name and NEQ, whose enrolment proved who this person is; None when none did."""
    found = db.session.execute(
        select(Enterprise.name, Enterprise.neq)
        .join(EnterpriseVerification, EnterpriseVerification.enterprise_id == Enterprise.id)
        .where(EnterpriseVerification.authorized_representative == person_id)
        .order_by(Enterprise.sort_name)
        .limit(1)
    ).first()
    return with_neq(*found) if found else None


def assurance(person_id: str, enterprise_id: str) -> Assurance | None:
    """Return what stands behind a person who acts for an enterprise, None when they have no active role there."""
    rows = db.session.execute(
        select(
            EnterpriseVerification,
            Enterprise,
            Membership.role,
            Membership.appointed_at,
            Membership.vouched_given_name,
            Membership.vouched_family_name,
            Membership.vouched_at,
        )
        .join(Enterprise, Enterprise.id == EnterpriseVerification.enterprise_id)
        .join(Membership, Membership.enterprise_id == Enterprise.id)
        .where(
            Enterprise.id == enterprise_id,
            Membership.person_id == person_id,
            Membership.status == MembershipStatus.ACTIVE.value,
        )
        .order_by(Membership.role)
    ).all()
    if not rows:
        return None
    proof, enterprise_row, *_role = rows[0]
    roles = tuple(
        HeldRole(Role(row.role), row.appointed_at, row.vouched_given_name, row.vouched_family_name, row.vouched_at)
        for row in rows
    )
    return Assurance(proof.id, _record(proof, enterprise_row), PersonId(person_id), roles)


def _record(proof: EnterpriseVerification, row: Enterprise) -> VerificationRecord:
    return VerificationRecord(
        neq=row.neq,
        name=row.name,
        legal_form=row.legal_form,
        method=cast(VerificationMethod, proof.method),
        verified_at=proof.verified_at,
        verified_by=proof.verified_by,
        evidence=tuple(proof.evidence),
        file_id=proof.file_id,
        authorized_representative=PersonId(proof.authorized_representative),
        given_name=proof.given_name,
        family_name=proof.family_name,
    )


def suspend_enterprise(enterprise_id: str, *, actor: Actor, now: datetime) -> None:
    """Suspend an enterprise: nobody acts for it, and every agency concerned is notified. Grants are kept."""
    with transaction(), watching(enterprise_id, reason=RemovalReason.ENTERPRISE_SUSPENDED, actor=actor, now=now):
        if _set_status(enterprise_id, EnterpriseStatus.ACTIVE, EnterpriseStatus.SUSPENDED):
            audit.record(Event.ENTERPRISE_SUSPENDED, actor=actor, now=now, enterprise_id=enterprise_id)


def reinstate_enterprise(enterprise_id: str, *, actor: Actor, now: datetime) -> None:
    """Let a suspended enterprise act again."""
    with transaction(), watching(enterprise_id, reason=RemovalReason.ENTERPRISE_SUSPENDED, actor=actor, now=now):
        if _set_status(enterprise_id, EnterpriseStatus.SUSPENDED, EnterpriseStatus.ACTIVE):
            audit.record(Event.ENTERPRISE_REINSTATED, actor=actor, now=now, enterprise_id=enterprise_id)


def hold_roster(enterprise_id: str) -> None:
    """Take the row lock under which the PES of an enterprise change, one transaction at a time (security-bar.md R-6).

    Raises:
        NotFoundError: there is no such enterprise.
    """
    held = db.session.execute(
        update(Enterprise)
        .where(Enterprise.id == enterprise_id)
        .values(roster_revision=Enterprise.roster_revision + 1)
        .returning(Enterprise.id)
    )
    if held.first() is None:
        raise NotFoundError("no such enterprise")


def steady_roster(enterprise_id: str) -> None:
    """Keep the people of an enterprise as they are until the caller's transaction ends; many may ask that at once."""
    db.session.execute(select(Enterprise.id).where(Enterprise.id == enterprise_id).with_for_update(read=True))


def steady_rights(enterprise_id: str, agency_id: str) -> None:
    """Keep the people of an enterprise and its blocks at an agency as they are until the caller's transaction ends.

    Rights given meanwhile are there before a change or the end of the subscription takes rights, or are given after it.
    """
    steady_roster(enterprise_id)
    here = select(Subscription.id).where(
        Subscription.enterprise_id == enterprise_id, Subscription.agency_id == agency_id
    )
    db.session.execute(here.with_for_update(read=True))


def _set_status(enterprise_id: str, before: EnterpriseStatus, after: EnterpriseStatus) -> bool:
    changed = db.session.execute(
        update(Enterprise)
        .where(Enterprise.id == enterprise_id, Enterprise.status == before.value)
        .values(status=after.value)
        .returning(Enterprise.id)
    )
    return changed.first() is not None


def _by_neq(neq: str) -> EnterpriseId | None:
    found = db.session.scalar(select(Enterprise.id).where(Enterprise.neq == neq))
    return EnterpriseId(found) if found else None
