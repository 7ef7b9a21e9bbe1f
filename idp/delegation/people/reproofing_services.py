"""Help for a person who cannot sign in, from who answers for them: proved again, or the door opened again.

A PES does it for users, the AR for PES, nobody for more. For a person who acts for several enterprises, or is more here than
the helper may name, an operator does it.
"""

from __future__ import annotations

from datetime import datetime

from ...accounts import services as accounts
from ...accounts.recovery import reproofing_services
from ...accounts.user_codes.domain.states import CodeState
from ...audit.services import Actor
from ...db import transaction
from ...errors import Decision, NotAllowedError
from ...identifiers import UserCode
from ..rights.domain import rules
from . import people_services
from .newcomer_services import Newcomer
from .people_services import MembershipView


def may_reprove(enterprise_id: str, membership_id: str, *, by: str) -> bool:
    """Return whether a person may start the re-proofing of a member who has activated their code."""
    target = people_services.membership(enterprise_id, membership_id)
    code = accounts.user_codes([target.user_code]).get(target.user_code)
    if code is None or code.state is not CodeState.ACTIVATED:
        return False
    return bool(_may_vouch(target, by))


def reprove(enterprise_id: str, membership_id: str, *, by: str, now: datetime) -> Newcomer:
    """Start the re-proofing of a member, and return the slip that is valid after a day.

    Raises:
        NotAllowedError: the actor may not.
        ConflictError: too many were started within the hour.
    """
    with transaction():
        if not may_reprove(enterprise_id, membership_id, by=by):
            raise NotAllowedError("may not have this member proved anew")
        target = people_services.membership(enterprise_id, membership_id)
        code = UserCode.parse(target.user_code)
        temporary = reproofing_services.start(code, by=Actor.person(by), now=now)
        return Newcomer(target.id, target.person_id, code, temporary)


def may_unlock(enterprise_id: str, membership_id: str, *, by: str, now: datetime) -> bool:
    """Return whether a person may open the sign-in of a member again, which waits after wrong attempts."""
    target = people_services.membership(enterprise_id, membership_id)
    return accounts.lockout_of(target.person_id, now=now).locked_until is not None and bool(_may_vouch(target, by))


def unlock(enterprise_id: str, membership_id: str, *, by: str, now: datetime) -> bool:
    """Open the sign-in of a member again; return whether it waited.

    Raises:
        NotAllowedError: the actor may not.
        ConflictError: it was opened again too often within a day.
    """
    with transaction():
        target = people_services.membership(enterprise_id, membership_id)
        if not _may_vouch(target, by):
            raise NotAllowedError("may not open the sign-in of this member")
        return accounts.unlock(target.person_id, by=Actor.person(by), now=now)


def _may_vouch(target: MembershipView, by: str) -> Decision[rules.DenialReason]:
    everywhere = tuple(view.member for view in people_services.memberships_of(target.person_id))
    return rules.may_vouch(people_services.roles_in(by, target.enterprise_id), by, target.member, everywhere)
