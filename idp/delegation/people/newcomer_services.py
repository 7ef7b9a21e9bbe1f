"""People who join an enterprise: a PES creates users, the AR adds PES; each receives a code and a temporary password.

The person who creates an account hands over a temporary password and never sees a lasting one (decisions.md §4).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ...accounts import services as accounts
from ...accounts.services import TemporaryPassword
from ...accounts.user_codes.domain.states import CodeState
from ...audit.services import Actor
from ...db import transaction
from ...errors import ConflictError, Decision, NotAllowedError
from ...i18n import Language
from ...identifiers import MembershipId, UserCode
from ..enterprise_services import hold_roster
from ..rights.domain import rules
from . import people_services
from .domain.roles import Role
from .people_services import EnterpriseContact, MembershipView


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A person who just received a role; ``temporary`` is None when they already had a code here."""

    membership_id: MembershipId
    person_id: str
    user_code: UserCode
    temporary: TemporaryPassword | None


def known_here(enterprise_id: str, email: str) -> tuple[MembershipView, ...]:
    """Return the memberships here that were given this e-mail address; one given elsewhere, or chosen since, does not count."""
    wanted = email.strip().casefold()
    return tuple(view for view in people_services.members(enterprise_id) if view.known.email.casefold() == wanted)


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
        ConflictError: a person here already has this e-mail address.
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
    """Add a PES; a person already known here keeps their account and their code.

    While this code is not activated, its former slip dies with the previous role, and a new one is made.

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
        person_id, actor, code = known[0].person_id, Actor.person(by), UserCode.parse(known[0].user_code)
        membership_id = people_services.appoint(
            enterprise_id,
            person_id,
            Role.PES,
            user_code=None,
            known=EnterpriseContact(given_name, family_name, known[0].known.email),
            actor=actor,
            now=now,
        )
        return Newcomer(membership_id, person_id, code, _new_slip(code, actor, now))


def _new_slip(code: UserCode, actor: Actor, now: datetime) -> TemporaryPassword | None:
    """Return a new temporary password, which ends the previous one and what it began; None once the code is activated."""
    status = accounts.user_codes([code.signs]).get(code.signs)
    if status is None or status.state is CodeState.ACTIVATED:
        return None
    return accounts.reveal_temporary_password(code, actor=actor, now=now)


def may_reissue(enterprise_id: str, membership_id: str, *, by: str) -> bool:
    """Return whether a person may issue a new temporary password for a member."""
    target = people_services.membership(enterprise_id, membership_id)
    return bool(may_answer_for(target, by))


def may_answer_for(target: MembershipView, by: str) -> Decision[rules.DenialReason]:
    """Decide whether a person hands over the slip of a member, or vouches for their name, whatever roles both have here."""
    here = target.enterprise_id
    return rules.may_answer_for(
        people_services.roles_in(by, here), by, target.member, people_services.all_roles_in(target.person_id, here)
    )


def reissue(enterprise_id: str, membership_id: str, *, by: str, now: datetime) -> Newcomer:
    """Issue a new temporary password for a member who has not activated their code; the previous one is dead.

    Raises:
        NotAllowedError: the actor may not.
        ConflictError: the code is already activated.
    """
    with transaction():
        hold_roster(enterprise_id)  # no role is given between the decision and the slip
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
    known = EnterpriseContact(given_name, family_name, email)
    membership_id = people_services.appoint(
        enterprise_id, person_id, role, user_code=code.signs, known=known, actor=actor, now=now
    )
    temporary = accounts.reveal_temporary_password(code, actor=actor, now=now)
    return Newcomer(membership_id, person_id, code, temporary)
