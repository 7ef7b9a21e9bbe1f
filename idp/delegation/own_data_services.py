"""What delegation keeps about one person, for the file that they may take away (:mod:`idp.my_data`)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, or_, select

from ..db import db, table_of
from ..identifiers import UserCode
from ..own_data import OwnDataPart, Parts, by_word
from . import services
from .models import BlockGrant, Enterprise, EnterpriseVerification, Membership, Projection, Removal, SoftwareApproval
from .requests import request_services
from .subscriptions.models import Subscription, SubscriptionStep

_ENTERPRISES, _MEMBERS, _GRANTS = table_of(Enterprise), table_of(Membership), table_of(BlockGrant)
_REMOVALS, _PROJECTIONS, _SOFTWARE = table_of(Removal), table_of(Projection), table_of(SoftwareApproval)
_SUBSCRIPTIONS, _STEPS = table_of(Subscription), table_of(SubscriptionStep)
_VERIFICATIONS = table_of(EnterpriseVerification)


def enterprises(person_id: str, now: datetime) -> list[dict[str, Any]]:
    """Return every role of a person, those that ended too, with the rights that count and every grant there was."""
    members = db.session.execute(
        select(_MEMBERS, _ENTERPRISES.c.neq, _ENTERPRISES.c.name)
        .join(_ENTERPRISES, _ENTERPRISES.c.id == _MEMBERS.c.enterprise_id)
        .where(_MEMBERS.c.person_id == person_id)
        .order_by(_MEMBERS.c.appointed_at, _MEMBERS.c.id)
    ).all()
    rights = {id: services.rights_of_members(id, now) for id in {member.enterprise_id for member in members}}
    return [
        {
            "enterprise": member.enterprise_id,
            "neq": member.neq,
            "name": member.name,
            "role": member.role,
            "status": member.status,
            "user_code": str(UserCode(member.user_code)),
            "appointed_at": member.appointed_at,
            "changed_at": member.changed_at,
            "known_as": {
                "given_name": member.given_name,
                "family_name": member.family_name,
                "email": member.email,
                "phone": member.phone,
                "position": member.position,
            },
            "vouched_for": {
                "given_name": member.vouched_given_name,
                "family_name": member.vouched_family_name,
                "at": member.vouched_at,
            },
            "rights": [
                {"agency": agency_id, "blocks": sorted(right.blocks), "until": right.until}
                for agency_id, right in rights[member.enterprise_id].get(member.id, ())
            ],
            "grants": _grants(member.id, person_id),
        }
        for member in members
    ]


def removals(person_id: str, _now: datetime) -> list[dict[str, Any]]:
    """Return the rights that a person lost, oldest first."""
    wanted = select(_REMOVALS).where(_REMOVALS.c.person_id == person_id).order_by(_REMOVALS.c.at)
    return [
        {
            "enterprise": row.enterprise_id,
            "at": row.at,
            "agency": row.agency_id,
            "blocks": row.blocks,
            "reason": row.reason,
            "confirmed_at": row.confirmed_at,
        }
        for row in db.session.execute(wanted)
    ]


def projections(person_id: str, _now: datetime) -> list[dict[str, Any]]:
    """Return what each agency last received about a person's blocks."""
    wanted = select(_PROJECTIONS).where(_PROJECTIONS.c.person_id == person_id)
    return [
        {
            "enterprise": row.enterprise_id,
            "agency": row.agency_id,
            "blocks": row.blocks,
            "version": row.version,
            "changes_at": row.changes_at,
        }
        for row in db.session.execute(wanted.order_by(_PROJECTIONS.c.enterprise_id, _PROJECTIONS.c.agency_id))
    ]


def verifications(person_id: str, _now: datetime) -> list[dict[str, Any]]:
    """Return how a person was verified as the representative of enterprises."""
    rows = db.session.execute(
        select(_VERIFICATIONS, _ENTERPRISES.c.neq)
        .join(_ENTERPRISES, _ENTERPRISES.c.id == _VERIFICATIONS.c.enterprise_id)
        .where(_VERIFICATIONS.c.authorized_representative == person_id)
        .order_by(_VERIFICATIONS.c.verified_at)
    )
    return [
        {
            "neq": row.neq,
            "method": row.method,
            "verified_at": row.verified_at,
            "given_name": row.given_name,
            "family_name": row.family_name,
            "evidence": row.evidence,
        }
        for row in rows
    ]


def subscriptions(person_id: str, _now: datetime) -> list[dict[str, Any]]:
    """Return what a person did about the subscriptions of their enterprises, oldest first."""
    rows = db.session.execute(
        select(_STEPS.c.event, _STEPS.c.at, _SUBSCRIPTIONS.c.agency_id, _ENTERPRISES.c.neq)
        .join(_SUBSCRIPTIONS, _SUBSCRIPTIONS.c.id == _STEPS.c.subscription_id)
        .join(_ENTERPRISES, _ENTERPRISES.c.id == _SUBSCRIPTIONS.c.enterprise_id)
        .where(
            _STEPS.c.actor_kind == "person",
            _STEPS.c.actor_id == person_id,
            _ENTERPRISES.c.id.in_(_where_a_member(person_id)),
        )
        .order_by(_STEPS.c.at, _STEPS.c.revision)
    )
    return [{"neq": row.neq, "agency": row.agency_id, "event": row.event, "at": row.at} for row in rows]


def software(person_id: str, _now: datetime) -> list[dict[str, Any]]:
    """Return the software that a person approved or stopped for their enterprises, oldest first."""
    rows = db.session.execute(
        select(_SOFTWARE, _ENTERPRISES.c.neq)
        .join(_ENTERPRISES, _ENTERPRISES.c.id == _SOFTWARE.c.enterprise_id)
        .where(
            or_(_SOFTWARE.c.approved_by == person_id, _SOFTWARE.c.revoked_by == person_id),
            _ENTERPRISES.c.id.in_(_where_a_member(person_id)),
        )
        .order_by(_SOFTWARE.c.approved_at)
    )
    return [
        {
            "neq": row.neq,
            "agency": row.agency_id,
            "name": row.name,
            "blocks": row.blocks,
            "approved_at": row.approved_at,
            "approved_by": by_word(row.approved_by, person_id),
            "revoked_at": row.revoked_at,
            "revoked_by": _by(row.revoked_by, person_id),
        }
        for row in rows
    ]


def access_requests(person_id: str, _now: datetime) -> list[dict[str, Any]]:
    """Return the requests for access that a person made, oldest first, with the answers they received."""
    neqs = {
        row.id: row.neq
        for row in db.session.execute(
            select(_ENTERPRISES.c.id, _ENTERPRISES.c.neq).where(_ENTERPRISES.c.id.in_(_where_a_member(person_id)))
        )
    }
    return [
        {
            "neq": neqs[asked.enterprise_id],
            "agency": asked.agency_id,
            "blocks": list(asked.blocks),
            "until": asked.until,
            "reason": asked.reason,
            "state": asked.state,
            "asked_at": asked.asked_at,
            "ended_at": asked.ended_at,
            "granted": list(asked.granted),
            "answer": asked.answer,
        }
        for asked in request_services.all_requests_by(person_id)
    ]


PARTS: Parts = {
    "enterprises": OwnDataPart(enterprises, ("membership", "block_grant")),
    "removals": OwnDataPart(removals, ("removal",)),
    "projections": OwnDataPart(projections, ("projection",)),
    "verifications": OwnDataPart(verifications, ("enterprise_verification",)),
    "subscriptions": OwnDataPart(subscriptions, ("subscription_event",)),
    "software": OwnDataPart(software, ("software_approval",)),
    "access_requests": OwnDataPart(access_requests, ("access_request",)),
}  # each with the tables that it is read from


def _grants(membership_id: str, person_id: str) -> list[dict[str, Any]]:
    wanted = select(_GRANTS).where(_GRANTS.c.membership_id == membership_id)
    return [_grant(row, person_id) for row in db.session.execute(wanted.order_by(_GRANTS.c.granted_at, _GRANTS.c.id))]


def _grant(row: Row[Any], person_id: str) -> dict[str, Any]:
    return {
        "agency": row.agency_id,
        "block": row.block,
        "serves_from": row.not_before,
        "serves_until": row.not_after,
        "given_at": row.granted_at,
        "given_by": by_word(row.granted_by, person_id),
        "ended_at": row.revoked_at,
    }


def _where_a_member(person_id: str) -> Select[str]:
    """Select the enterprises where a person has or had a role: the index by which the others are found."""
    return select(_MEMBERS.c.enterprise_id).where(_MEMBERS.c.person_id == person_id)


def _by(actor_id: str | None, person_id: str) -> str | None:
    return None if actor_id is None else by_word(actor_id, person_id)
