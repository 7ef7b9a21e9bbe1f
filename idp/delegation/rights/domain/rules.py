"""Who may give, take and change what in an enterprise; each answer with every reason (security-bar.md S-66). Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from ....clock import end_of_day, local_date
from ....errors import Decision
from ...people.domain.roles import BY_POWER, MembershipStatus, Role
from .authority import UNRESTRICTED, Authority

MAX_YEARS = 2  # decisions.md §14
DEFAULT_YEARS = 1


class DenialReason(StrEnum):
    """Why an act is refused."""

    NOT_A_PES = "not_a_pes"
    NOT_SUBSCRIBED = "not_subscribed"
    BLOCK_NOT_HELD = "block_not_held"
    TO_SELF = "to_self"
    OTHER_ENTERPRISE = "other_enterprise"
    NOT_A_USER = "not_a_user"
    MEMBER_SUSPENDED = "member_suspended"
    MEMBER_REMOVED = "member_removed"
    END_PAST = "end_past"
    END_TOO_LATE = "end_too_late"
    LAST_PES = "last_pes"
    ROLE_TOO_LOW = "role_too_low"
    ALREADY_SO = "already_so"
    NOTHING_GRANTED = "nothing_granted"
    ALREADY_APPROVED = "already_approved"
    REPRESENTATIVE = "representative"


@dataclass(frozen=True, slots=True)
class Member:
    """A membership as the rules see it."""

    id: str
    person_id: str
    enterprise_id: str
    role: Role
    status: MembershipStatus


def years_after(day: date, years: int) -> date:
    """Return the same day *years* later; February 29 becomes February 28."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def default_end(now: datetime) -> date:
    """Return the end date offered for a new grant: one year."""
    return years_after(local_date(now), DEFAULT_YEARS)


def latest_end(now: datetime) -> date:
    """Return the latest end date a grant may have: two years."""
    return years_after(local_date(now), MAX_YEARS)


def may_grant(
    granter: Authority, *, to: Member, blocks: frozenset[str], until: date, subscribed: bool, now: datetime
) -> Decision[DenialReason]:
    """Decide whether *granter* may let *to* use *blocks* at the granter's agency until the end of *until*."""
    return Decision(tuple(_objections(granter, to, blocks, until, subscribed, now)))


def _objections(
    granter: Authority, to: Member, blocks: frozenset[str], until: date, subscribed: bool, now: datetime
) -> Iterator[DenialReason]:
    if granter.role is not Role.PES:
        yield DenialReason.NOT_A_PES
    if not subscribed:
        yield DenialReason.NOT_SUBSCRIBED
    elif not blocks - {UNRESTRICTED} <= frozenset(granter.blocks):
        yield DenialReason.BLOCK_NOT_HELD
    if not blocks:
        yield DenialReason.NOTHING_GRANTED
    if to.enterprise_id != granter.enterprise_id:
        yield DenialReason.OTHER_ENTERPRISE
    if to.person_id == granter.person_id:
        yield DenialReason.TO_SELF
    if to.role is not Role.USER:
        yield DenialReason.NOT_A_USER
    if to.status is MembershipStatus.SUSPENDED:
        yield DenialReason.MEMBER_SUSPENDED
    if to.status is MembershipStatus.REMOVED:
        yield DenialReason.MEMBER_REMOVED
    yield from end_objections(until, now)


def end_objections(until: date, now: datetime) -> Iterator[DenialReason]:
    """Yield what is wrong with the end date of a grant made at *now*."""
    if until > latest_end(now):  # first: the end of the last day there is cannot be computed
        yield DenialReason.END_TOO_LATE
    elif end_of_day(until) <= now:
        yield DenialReason.END_PAST


def may_suspend(
    actor_roles: frozenset[Role], actor_id: str, member: Member, *, active_pes: int
) -> Decision[DenialReason]:
    """Decide whether a person with *actor_roles* may suspend *member*; *active_pes* counts the PES active now.

    A PES may only suspend or reactivate another PES; the AR suspends PES; nobody suspends themself or the last active PES
    (domain.md §3.1).
    """
    return Decision(tuple(_suspension_objections(actor_roles, actor_id, member, active_pes)))


def _suspension_objections(
    actor_roles: frozenset[Role], actor_id: str, member: Member, active_pes: int
) -> Iterator[DenialReason]:
    yield from _standing(actor_roles, member)
    if member.person_id == actor_id:
        yield DenialReason.TO_SELF
    if member.status is not MembershipStatus.ACTIVE:
        yield DenialReason.MEMBER_REMOVED if member.status is MembershipStatus.REMOVED else DenialReason.ALREADY_SO
    elif member.role is Role.PES and active_pes <= 1:
        yield DenialReason.LAST_PES


def may_reactivate(actor_roles: frozenset[Role], actor_id: str, member: Member) -> Decision[DenialReason]:
    """Decide whether a person may make a suspended *member* active again."""
    reasons = [*_standing(actor_roles, member)]
    if member.person_id == actor_id:
        reasons.append(DenialReason.TO_SELF)
    if member.status is not MembershipStatus.SUSPENDED:
        removed = member.status is MembershipStatus.REMOVED
        reasons.append(DenialReason.MEMBER_REMOVED if removed else DenialReason.ALREADY_SO)
    return Decision(tuple(reasons))


def may_remove(actor_roles: frozenset[Role], actor_id: str, member: Member) -> Decision[DenialReason]:
    """Decide whether a person may end *member* for good: a PES, for a user only (a PES is never removed by a PES)."""
    reasons = []
    if Role.PES not in actor_roles:
        reasons.append(DenialReason.NOT_A_PES)
    if member.role is not Role.USER:
        reasons.append(DenialReason.NOT_A_USER)
    if member.person_id == actor_id:
        reasons.append(DenialReason.TO_SELF)
    if member.status is MembershipStatus.REMOVED:
        reasons.append(DenialReason.MEMBER_REMOVED)
    return Decision(tuple(reasons))


def may_leave(member: Member, *, active_pes: int, is_enterprise_active: bool) -> Decision[DenialReason]:
    """Decide whether *member* may leave by closing their account, so that nobody is stuck.

    The representative never may: no other person could name a PES. The last active PES may not while the enterprise is active.
    """
    if member.role is Role.AUTHORIZED_REPRESENTATIVE:
        return Decision((DenialReason.REPRESENTATIVE,))
    is_active_pes = member.role is Role.PES and member.status is MembershipStatus.ACTIVE
    return Decision((DenialReason.LAST_PES,) if is_active_pes and is_enterprise_active and active_pes <= 1 else ())


def may_add(actor_roles: frozenset[Role], role: Role) -> Decision[DenialReason]:
    """Decide whether a person may add a person as *role*: the AR adds PES, a PES adds users."""
    needed = {Role.PES: Role.AUTHORIZED_REPRESENTATIVE, Role.USER: Role.PES}.get(role)
    return Decision(() if needed in actor_roles else (DenialReason.ROLE_TOO_LOW,))


def may_answer_for(
    actor_roles: frozenset[Role], actor_id: str, member: Member, roles: frozenset[Role]
) -> Decision[DenialReason]:
    """Decide whether a person hands the slip of *member* over, or vouches for their name.

    A slip opens every role behind the code, and one name is that of all of them: it takes authority over the highest of the
    *roles* that the member has here, suspended ones too, whichever of them the page is about.
    """
    reasons = []
    if member.person_id == actor_id:
        reasons.append(DenialReason.TO_SELF)
    if member.status is not MembershipStatus.ACTIVE:
        reasons.append(_not_active(member))
    strongest = next((role for role in BY_POWER if role in roles | {member.role}), member.role)
    return Decision((*reasons, *may_add(actor_roles, strongest).reasons))


def may_vouch(
    actor_roles: frozenset[Role], actor_id: str, member: Member, everywhere: tuple[Member, ...]
) -> Decision[DenialReason]:
    """Decide whether a person answers for all that *member* is: has them proved again, or opens their sign-in again.

    Both open the whole account. So it takes authority over each of the roles they have (*everywhere*, those that are
    suspended too: they come back), here and nowhere else: a PES answers for users, the AR for PES, an operator for the others.
    """
    reasons = []
    if member.person_id == actor_id:
        reasons.append(DenialReason.TO_SELF)
    if member.status is not MembershipStatus.ACTIVE:
        reasons.append(_not_active(member))
    if any(each.enterprise_id != member.enterprise_id for each in everywhere):
        reasons.append(DenialReason.OTHER_ENTERPRISE)
    if not all(may_add(actor_roles, each.role) for each in (member, *everywhere)):
        reasons.append(DenialReason.ROLE_TOO_LOW)
    return Decision(tuple(reasons))


def _not_active(member: Member) -> DenialReason:
    return DenialReason.MEMBER_SUSPENDED if member.status is MembershipStatus.SUSPENDED else DenialReason.MEMBER_REMOVED


def _standing(actor_roles: frozenset[Role], member: Member) -> Iterator[DenialReason]:
    allowed = {
        Role.USER: frozenset({Role.PES}),
        Role.PES: frozenset({Role.PES, Role.AUTHORIZED_REPRESENTATIVE}),
    }
    if not actor_roles & allowed.get(member.role, frozenset()):
        yield DenialReason.ROLE_TOO_LOW


def may_clear(granter: Authority, to: Member) -> Decision[DenialReason]:
    """Decide whether *granter* may take every block of their agency from *to*; a suspended user may lose rights."""
    reasons = []
    if granter.role is not Role.PES:
        reasons.append(DenialReason.NOT_A_PES)
    if to.enterprise_id != granter.enterprise_id:
        reasons.append(DenialReason.OTHER_ENTERPRISE)
    if to.role is not Role.USER:
        reasons.append(DenialReason.NOT_A_USER)
    if to.status is MembershipStatus.REMOVED:
        reasons.append(DenialReason.MEMBER_REMOVED)
    return Decision(tuple(reasons))
