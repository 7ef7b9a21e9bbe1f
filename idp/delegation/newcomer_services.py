"""People who join an enterprise: a PES creates users, the AR adds PES; each receives a code and a temporary password.

Whoever creates somebody hands over a temporary password and never sees a lasting one (decisions §4).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..accounts import services as accounts
from ..accounts.services import TemporaryPassword
from ..audit.services import Actor
from ..db import transaction
from ..errors import ConflictError, NotAllowedError
from ..i18n import Language
from ..identifiers import MembershipId, UserCode
from . import people_services, rules
from .people_services import MembershipView
from .roles import MembershipStatus, Role


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody who just received a role; ``temporary`` is None when they already had a code here."""

    membership_id: MembershipId
    person_id: str
    user_code: UserCode
    temporary: TemporaryPassword | None


def known_here(enterprise_id: str, email: str) -> tuple[MembershipView, ...]:
    """Return the memberships here of whoever has this e-mail address."""
    views = people_services.members(enterprise_id)
    people = accounts.people({view.person_id for view in views})
    wanted = email.strip().casefold()
    return tuple(
        view for view in views if view.person_id in people and people[view.person_id].email.casefold() == wanted
    )


def create_user(
    enterprise_id: str,
    *,
    given_name: str,
    family_name: str,
    email: str,
    language: Language,
    by: str,
    now: datetime,
) -> Newcomer:
    """Create a user of the enterprise, with a user code and a temporary password.

    Raises:
        NotAllowedError: the actor is not a PES here.
        ConflictError: somebody here already has this e-mail address.
    """
    with transaction():
        _require(by, enterprise_id, Role.USER)
        if known_here(enterprise_id, email):
            raise ConflictError("this address is already known here")
        return _create(enterprise_id, Role.USER, given_name, family_name, email, language, by, now)


def add_pes(
    enterprise_id: str,
    *,
    given_name: str,
    family_name: str,
    email: str,
    language: Language,
    by: str,
    now: datetime,
) -> Newcomer:
    """Add a PES; somebody already known here keeps their account and their code.

    Raises:
        NotAllowedError: the actor is not the authorized representative here.
        ConflictError: this person is already a PES here.
    """
    with transaction():
        _require(by, enterprise_id, Role.PES)
        known = known_here(enterprise_id, email)
        if any(view.role is Role.PES for view in known):
            raise ConflictError("already a PES here")
        if not known:
            return _create(enterprise_id, Role.PES, given_name, family_name, email, language, by, now)
        person_id = known[0].person_id
        membership_id = people_services.appoint(
            enterprise_id, person_id, Role.PES, user_code=None, actor=Actor.person(by), now=now
        )
        return Newcomer(membership_id, person_id, UserCode.parse(known[0].user_code), None)


def may_reissue(enterprise_id: str, membership_id: str, *, by: str) -> bool:
    """Tell whether somebody may issue a new temporary password for a member."""
    target = people_services.membership(enterprise_id, membership_id)
    roles = people_services.roles_in(by, enterprise_id)
    return bool(rules.may_add(roles, target.role)) and target.status is MembershipStatus.ACTIVE


def reissue(enterprise_id: str, membership_id: str, *, by: str, now: datetime) -> Newcomer:
    """Issue a new temporary password for a member who has not activated their code; the former one is dead.

    Raises:
        NotAllowedError: the actor may not, or the code is already activated.
    """
    with transaction():
        target = people_services.membership(enterprise_id, membership_id)
        if not may_reissue(enterprise_id, membership_id, by=by):
            raise NotAllowedError("may not issue a password for this member")
        code = UserCode.parse(target.user_code)
        temporary = accounts.reveal_temporary_password(code, actor=Actor.person(by), now=now)
        return Newcomer(target.id, target.person_id, code, temporary)


def _require(by: str, enterprise_id: str, role: Role) -> None:
    if not rules.may_add(people_services.roles_in(by, enterprise_id), role):
        raise NotAllowedError(f"may not add a {role}")


def _create(
    enterprise_id: str,
    role: Role,
    given_name: str,
    family_name: str,
    email: str,
    language: Language,
    by: str,
    now: datetime,
) -> Newcomer:
    actor = Actor.person(by)
    person_id = accounts.create_person(
        given_name=given_name, family_name=family_name, email=email, language=language, now=now
    )
    code = accounts.issue_user_code(person_id, now=now)
    membership_id = people_services.appoint(enterprise_id, person_id, role, user_code=code.signs, actor=actor, now=now)
    temporary = accounts.reveal_temporary_password(code, actor=actor, now=now)
    return Newcomer(membership_id, person_id, code, temporary)
