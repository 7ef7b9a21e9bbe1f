"""Vouching again for the name of a member who corrected it: what was vouched for before never covers the new name.

Agencies that ask for ``verified_claims`` receive the vouched name, with the instant of the vouch. The one who answers
for all the roles of the person here vouches again, for the name that the page showed and no other.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update

from ... import audit
from ...audit.domain.events import Event
from ...audit.services import Actor
from ...db import db, transaction
from ...errors import ConflictError, NotAllowedError
from .. import enterprise_services
from ..models import Membership
from . import newcomer_services, people_services
from .domain.roles import MembershipStatus
from .people_services import MembershipView


def may_vouch_name(enterprise_id: str, membership_id: str, *, by: str) -> bool:
    """Return whether a person may vouch for the present name of a member, which is another than the one vouched for."""
    target = people_services.membership(enterprise_id, membership_id)
    return _is_waiting(target) and bool(newcomer_services.may_answer_for(target, by))


def vouch_name(
    enterprise_id: str, membership_id: str, *, given_name: str, family_name: str, by: str, now: datetime
) -> None:
    """Vouch for the name of a member, in every role they have here; vouching for it twice is vouching once.

    Raises:
        NotAllowedError: the actor does not answer for the member.
        ConflictError: the member is not called so any more.
    """
    with transaction():
        enterprise_services.hold_roster(enterprise_id)
        target = people_services.membership(enterprise_id, membership_id)
        if not newcomer_services.may_answer_for(target, by):
            raise NotAllowedError("may not vouch for this member")
        if not _write(target, given_name, family_name, now):
            raise ConflictError("the member is called otherwise")
        if _is_waiting(target):
            audit.record(
                Event.MEMBER_VOUCHED,
                actor=Actor.person(by),
                now=now,
                enterprise_id=enterprise_id,
                person_id=target.person_id,
                details={"membership": target.id},
            )


def _is_waiting(target: MembershipView) -> bool:
    """Return whether the name of a member is another than the one vouched for; a name proved at enrolment is no vouch's."""
    proved = enterprise_services.verification(target.enterprise_id).authorized_representative
    known = (target.known.given_name, target.known.family_name)
    return target.person_id != proved and known != target.vouched_for


def _write(target: MembershipView, given_name: str, family_name: str, now: datetime) -> bool:
    """Write the vouch on every role of the person here, in one statement that finds them called so."""
    written = db.session.execute(
        update(Membership)
        .where(
            Membership.enterprise_id == target.enterprise_id,
            Membership.person_id == target.person_id,
            Membership.status != MembershipStatus.REMOVED.value,
            Membership.given_name == given_name,
            Membership.family_name == family_name,
        )
        .values(vouched_given_name=given_name, vouched_family_name=family_name, vouched_at=now)
        .returning(Membership.id)
        .execution_options(synchronize_session=False)
    ).all()
    return target.id in {row.id for row in written}
