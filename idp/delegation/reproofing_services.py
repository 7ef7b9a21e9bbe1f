"""Who may have somebody proved anew that lost every second factor: a PES for users, the AR for PES, nobody for more.

A slip opens the whole account. So whoever starts must answer for everything that the person is, here and elsewhere: for
somebody who acts for several enterprises, or is more here than the starter may name, an operator does it.
"""

from __future__ import annotations

from datetime import datetime

from ..accounts import services as accounts
from ..accounts import services_reproofing as reproofings
from ..accounts.states import CodeState
from ..audit.services import Actor
from ..db import transaction
from ..errors import NotAllowedError
from ..identifiers import UserCode
from . import people_services, rules
from .newcomer_services import Newcomer
from .roles import MembershipStatus


def may_reprove(enterprise_id: str, membership_id: str, *, by: str) -> bool:
    """Tell whether somebody may start the re-proofing of a member who has activated their code."""
    target = people_services.membership(enterprise_id, membership_id)
    code = accounts.user_codes([target.user_code]).get(target.user_code)
    if target.person_id == by or target.status is not MembershipStatus.ACTIVE:
        return False
    if code is None or code.state is not CodeState.ACTIVATED:
        return False
    roles = people_services.roles_in(by, enterprise_id)
    everything = [view for view in people_services.memberships_of(target.person_id) if view.counts]
    return all(view.enterprise_id == enterprise_id and bool(rules.may_add(roles, view.role)) for view in everything)


def reprove(enterprise_id: str, membership_id: str, *, by: str, now: datetime) -> Newcomer:
    """Start the re-proofing of a member, and return the slip that serves after a day.

    Raises:
        NotAllowedError: the actor may not.
        ConflictError: too many were started within the hour.
    """
    with transaction():
        if not may_reprove(enterprise_id, membership_id, by=by):
            raise NotAllowedError("may not have this member proved anew")
        target = people_services.membership(enterprise_id, membership_id)
        code = UserCode.parse(target.user_code)
        temporary = reproofings.start(code, by=Actor.person(by), now=now)
        return Newcomer(target.id, target.person_id, code, temporary)
