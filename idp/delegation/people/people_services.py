"""People of an enterprise: appointed, suspended, reactivated, removed; the last active PES is guarded."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, false, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from ... import audit, names
from ...accounts import services as accounts
from ...accounts.sessions.domain.sign_ins import PersonView
from ...audit.domain.events import Event
from ...audit.services import Actor
from ...db import db, new_id, sort_key, transaction
from ...errors import ConflictError, Decision, NotAllowedError, NotFoundError
from ...http.web import current_settings
from ...identifiers import MembershipId, UserCode, with_neq
from .. import departure_hooks
from ..enterprise_services import hold_roster
from ..models import BlockGrant, Enterprise, EnterpriseVerification, Membership
from ..rights.domain import rules
from ..rights.projection_services import RemovalReason, watching
from .domain.roles import PRECEDENCE, EnterpriseStatus, MembershipStatus, Role, highest

_NAMED = (
    "given_name",
    "family_name",
    "vouched_given_name",
    "vouched_family_name",
    "email",
    "phone",
    "sort_name",
)  # what names a person
_IN_PLACE = (MembershipStatus.ACTIVE.value, MembershipStatus.SUSPENDED.value)


@dataclass(frozen=True, slots=True)
class EnterpriseContact:
    """The name and the address by which an enterprise knows a person."""

    given_name: str
    family_name: str
    email: str


@dataclass(frozen=True, slots=True)
class MembershipView:
    """One role of a person in an enterprise, with the name and the address that this enterprise knows."""

    id: MembershipId
    enterprise_id: str
    neq: str
    enterprise_name: str
    enterprise_status: EnterpriseStatus
    person_id: str
    role: Role
    user_code: str
    status: MembershipStatus
    appointed_at: datetime
    changed_at: datetime
    known: EnterpriseContact
    vouched_for: tuple[str, str]
    phone: str = ""
    position: str = ""

    @property
    def enterprise(self) -> str:
        """Return the name of the enterprise with its NEQ, for pages and messages."""
        return with_neq(self.enterprise_name, self.neq)

    @property
    def name(self) -> str:
        """Return the name in full, as the enterprise knows it; empty once it was forgotten."""
        return names.full(self.known.given_name, self.known.family_name)

    @property
    def vouched_name(self) -> str:
        """Return the name in full for which the enterprise vouched."""
        return names.full(*self.vouched_for)

    @property
    def is_removed(self) -> bool:
        """Return whether the person left: nothing of their account is for this enterprise any more."""
        return self.status is MembershipStatus.REMOVED

    @property
    def counts(self) -> bool:
        """Return whether the person may act by this membership now."""
        return self.status is MembershipStatus.ACTIVE and self.enterprise_status is EnterpriseStatus.ACTIVE

    @property
    def member(self) -> rules.Member:
        """Return the membership as the rules see it."""
        return rules.Member(self.id, self.person_id, self.enterprise_id, self.role, self.status)


def appoint(
    enterprise_id: str,
    person_id: str,
    role: Role,
    *,
    user_code: str | None,
    known: EnterpriseContact | None = None,
    actor: Actor,
    now: datetime,
) -> MembershipId:
    """Give a person a role in an enterprise and return the membership's id.

    *user_code* is None when the person already has a code there, which is then valid for this role too. *known* is the name
    that is vouched for and the address that is given with it; without it, what the enterprise knows already, or else the
    account. A re-proofing that is open ends: its slip was made by who answers for the roles of before. Giving the same role
    again returns the membership that exists.

    Raises:
        ConflictError: the enterprise has another authorized representative, no code is known for the person, or they
            closed their account.
    """
    with transaction() as session:
        existing = _in_place(enterprise_id, person_id)
        same = next((row for row in existing if row.role == role.value), None)
        if same is not None:
            return MembershipId(same.id)
        code = UserCode.parse(user_code).signs if user_code else next((row.user_code for row in existing), None)
        if code is None:
            raise ConflictError("no user code is known for this person here")
        hold_roster(enterprise_id)
        if accounts.is_closed(person_id):
            raise ConflictError("the person closed their account")
        accounts.end_reproofings(person_id, now=now)
        given = known or _known_here(existing) or _known_of(accounts.person(person_id))
        membership_id = MembershipId(new_id())
        with watching(enterprise_id, reason=RemovalReason.BLOCK_REMOVED, actor=actor, now=now, person_id=person_id):
            try:
                with session.begin_nested():
                    session.execute(
                        insert(Membership).values(
                            id=membership_id,
                            enterprise_id=enterprise_id,
                            person_id=person_id,
                            role=role.value,
                            status=MembershipStatus.ACTIVE.value,
                            user_code=code,
                            appointed_at=now,
                            changed_at=now,
                            given_name=given.given_name,
                            family_name=given.family_name,
                            email=given.email,
                            sort_name=folded(given.given_name, given.family_name),
                            vouched_given_name=given.given_name,
                            vouched_family_name=given.family_name,
                            vouched_at=now,
                        )
                    )
            except IntegrityError:
                raise ConflictError("this role is taken") from None
        accounts.require_level(person_id, current_settings().required_level(role.value))
        audit.record(
            Event.MEMBER_APPOINTED,
            actor=actor,
            now=now,
            enterprise_id=enterprise_id,
            person_id=person_id,
            details={"role": role.value, "membership": membership_id},
        )
        return membership_id


def _known_here(existing: list[Membership]) -> EnterpriseContact | None:
    return next((EnterpriseContact(row.given_name, row.family_name, row.email) for row in existing), None)


def _known_of(person: PersonView) -> EnterpriseContact:
    return EnterpriseContact(person.given_name, person.family_name, person.email)


def memberships_of(person_id: str) -> tuple[MembershipView, ...]:
    """Return every membership of a person that was not removed, by enterprise name."""
    return _views(
        _joined()
        .where(Membership.person_id == person_id, Membership.status.in_(_IN_PLACE))
        .order_by(Enterprise.sort_name, Membership.appointed_at)
    )


def members(
    enterprise_id: str, *, roles: Collection[Role] | None = None, removed: bool = False
) -> tuple[MembershipView, ...]:
    """Return the memberships of an enterprise in the order they were given, of all *roles* or of some.

    Those removed are included only when asked. An enterprise has thousands of users: a page names the roles it needs, or
    reads a page of members.
    """
    wanted = _joined().where(Membership.enterprise_id == enterprise_id)
    if roles is not None:
        wanted = wanted.where(Membership.role.in_([role.value for role in roles]))
    if not removed:
        wanted = wanted.where(Membership.status.in_(_IN_PLACE))
    return _views(wanted.order_by(Membership.appointed_at, Membership.id))


def folded(given_name: str, family_name: str) -> str:
    """Return a name as it is sorted and searched: family name first, without case or accents."""
    return sort_key(f"{family_name} {given_name}".strip())


def page_of_members(
    enterprise_id: str,
    *,
    words: str = "",
    status: MembershipStatus | None = None,
    roles: Collection[Role] | None = None,
    page: int = 1,
    size: int = 25,
) -> tuple[tuple[MembershipView, ...], bool]:
    """Return one page of the members of an enterprise by name, and whether more follow.

    *words* are parts of a name, or a user code; every one of them must be found.
    """
    wanted = _joined().where(Membership.enterprise_id == enterprise_id, Membership.status.in_(_IN_PLACE))
    if status is not None:
        wanted = wanted.where(Membership.status == status.value)
    if roles is not None:
        wanted = wanted.where(Membership.role.in_([role.value for role in roles]))
    for word in sort_key(words).split()[:8]:
        code = word.replace("-", "").upper()
        wanted = wanted.where(
            or_(
                Membership.sort_name.contains(word, autoescape=True),
                Membership.user_code.startswith(code, autoescape=True) if code else false(),
            )
        )
    found = _views(wanted.order_by(Membership.sort_name, Membership.id).offset((page - 1) * size).limit(size + 1))
    return found[:size], len(found) > size


def count_members(enterprise_id: str, role: Role) -> int:
    """Return how many members of an enterprise have a role, suspended ones too."""
    wanted = select(func.count()).select_from(Membership)
    return (
        db.session.scalar(
            wanted.where(
                Membership.enterprise_id == enterprise_id,
                Membership.role == role.value,
                Membership.status.in_(_IN_PLACE),
            )
        )
        or 0
    )


def membership(enterprise_id: str, membership_id: str) -> MembershipView:
    """Return one membership of an enterprise.

    Raises:
        NotFoundError: there is none, or it belongs to another enterprise; both look the same.
    """
    found = _views(_joined().where(Membership.id == membership_id, Membership.enterprise_id == enterprise_id))
    if not found:
        raise NotFoundError("no such membership here")
    return found[0]


def names_here(enterprise_id: str, person_ids: Iterable[str]) -> dict[str, str]:
    """Return the names by which an enterprise knows people, those who left too; people it never had are absent."""
    wanted = select(Membership.person_id, Membership.given_name, Membership.family_name).where(
        Membership.enterprise_id == enterprise_id, Membership.person_id.in_(set(person_ids))
    )
    latest_last = wanted.order_by(Membership.status != MembershipStatus.REMOVED.value, Membership.appointed_at)
    return {row.person_id: names.full(row.given_name, row.family_name) for row in db.session.execute(latest_last).all()}


def hold_memberships(person_id: str) -> None:
    """Hold the roles of a person until the caller's transaction ends: before the person, as a removal does."""
    wanted = select(Membership.id).where(Membership.person_id == person_id).order_by(Membership.id)
    db.session.execute(wanted.with_for_update(key_share=True)).all()


def rename(person_id: str, given_name: str, family_name: str) -> None:
    """Write the corrected name of a person in each enterprise they are in, in the caller's transaction; no vouch covers it."""
    db.session.execute(
        update(Membership)
        .where(Membership.person_id == person_id, Membership.status.in_(_IN_PLACE))
        .values(given_name=given_name, family_name=family_name, sort_name=folded(given_name, family_name))
        .execution_options(synchronize_session=False)
    )


def forget_names(person_ids: Collection[str]) -> None:
    """Forget the names of people whose accounts were closed long ago, in the caller's transaction."""
    db.session.execute(
        update(EnterpriseVerification)
        .where(EnterpriseVerification.authorized_representative.in_(person_ids))
        .values(given_name="", family_name="")
        .execution_options(synchronize_session=False)
    )
    db.session.execute(
        update(Membership)
        .where(Membership.person_id.in_(person_ids))
        .values(dict.fromkeys(_NAMED, ""))
        .execution_options(synchronize_session=False)
    )


def all_roles_in(person_id: str, enterprise_id: str) -> frozenset[Role]:
    """Return every role of a person in an enterprise, the suspended ones too: who answers for a person answers for all."""
    return frozenset(Role(row.role) for row in _in_place(enterprise_id, person_id))


def roles_in(person_id: str, enterprise_id: str) -> frozenset[Role]:
    """Return the roles a person may act by in an enterprise now."""
    found = _views(_joined().where(Membership.person_id == person_id, Membership.enterprise_id == enterprise_id))
    return frozenset(view.role for view in found if view.counts)


def effective_role(person_id: str, enterprise_id: str) -> Role | None:
    """Return the role that counts: pes, then authorized_representative, then user; None when the person has none."""
    return highest(roles_in(person_id, enterprise_id))


def best_memberships(views: tuple[MembershipView, ...]) -> tuple[MembershipView, ...]:
    """Keep one membership an enterprise: one that counts first, then by precedence of roles."""
    best: dict[str, MembershipView] = {}
    for view in sorted(views, key=lambda view: (not view.counts, PRECEDENCE.index(view.role))):
        best.setdefault(view.enterprise_id, view)
    return tuple(view for view in views if best[view.enterprise_id] is view)


def may_suspend(enterprise_id: str, membership_id: str, *, by: str) -> Decision[rules.DenialReason]:
    """Return whether a person may suspend a member, without doing it."""
    target = membership(enterprise_id, membership_id)
    roles = roles_in(by, enterprise_id)
    return rules.may_suspend(roles, by, target.member, active_pes=active_pes(enterprise_id))


def may_reactivate(enterprise_id: str, membership_id: str, *, by: str) -> Decision[rules.DenialReason]:
    """Return whether a person may make a suspended member active again, without doing it."""
    target = membership(enterprise_id, membership_id)
    return rules.may_reactivate(roles_in(by, enterprise_id), by, target.member)


def may_remove(enterprise_id: str, membership_id: str, *, by: str) -> Decision[rules.DenialReason]:
    """Return whether a person may end a membership, without doing it."""
    target = membership(enterprise_id, membership_id)
    return rules.may_remove(roles_in(by, enterprise_id), by, target.member)


def suspend_member(enterprise_id: str, membership_id: str, *, by: str, now: datetime) -> Decision[rules.DenialReason]:
    """Suspend a member: their rights freeze at once and agencies are notified. Grants are kept for a reactivation."""
    with transaction():
        hold_roster(enterprise_id)
        decision = may_suspend(enterprise_id, membership_id, by=by)
        if decision:
            target = membership(enterprise_id, membership_id)
            _change(target, MembershipStatus.SUSPENDED, RemovalReason.MEMBER_SUSPENDED, by, now)
    return decision


def reactivate_member(
    enterprise_id: str, membership_id: str, *, by: str, now: datetime
) -> Decision[rules.DenialReason]:
    """Make a suspended member active again, with the grants still in force."""
    with transaction():
        hold_roster(enterprise_id)
        decision = may_reactivate(enterprise_id, membership_id, by=by)
        if decision:
            target = membership(enterprise_id, membership_id)
            _change(target, MembershipStatus.ACTIVE, RemovalReason.MEMBER_SUSPENDED, by, now)
    return decision


def remove_member(enterprise_id: str, membership_id: str, *, by: str, now: datetime) -> Decision[rules.DenialReason]:
    """End a user's membership for good: every grant is revoked in the same act, and agencies are notified."""
    with transaction():
        hold_roster(enterprise_id)
        decision = may_remove(enterprise_id, membership_id, by=by)
        if decision:
            target = membership(enterprise_id, membership_id)
            _change(target, MembershipStatus.REMOVED, RemovalReason.MEMBER_REMOVED, by, now)
    return decision


_EVENTS = {
    MembershipStatus.SUSPENDED: Event.MEMBER_SUSPENDED,
    MembershipStatus.ACTIVE: Event.MEMBER_REACTIVATED,
    MembershipStatus.REMOVED: Event.MEMBER_REMOVED,
}


def _change(target: MembershipView, to: MembershipStatus, reason: str, by: str, now: datetime) -> None:
    """Set the status of a membership, with all that follows from it, under the roster's lock."""
    actor = Actor.person(by)
    with watching(target.enterprise_id, reason=reason, actor=actor, now=now, person_id=target.person_id):
        set_status(target, to, by=by, now=now)
    audit.record(
        _EVENTS[to],
        actor=actor,
        now=now,
        enterprise_id=target.enterprise_id,
        person_id=target.person_id,
        details={"role": target.role.value, "membership": target.id},
    )
    if to is not MembershipStatus.ACTIVE and not any(view.counts for view in memberships_of(target.person_id)):
        accounts.end_sign_ins_of(target.person_id, now=now)


def set_status(target: MembershipView, to: MembershipStatus, *, by: str, now: datetime) -> None:
    """Write the status of a membership, under the roster's lock and inside ``watching``; a removal takes all there was.

    Raises:
        ConflictError: the membership changed meanwhile.
    """
    changed = db.session.execute(
        update(Membership)
        .where(Membership.id == target.id, Membership.status == target.status.value)
        .values(
            status=to.value, changed_at=now, **({"email": "", "phone": ""} if to is MembershipStatus.REMOVED else {})
        )
        .returning(Membership.id)
    )
    if changed.first() is None:
        raise ConflictError("the membership changed meanwhile")
    if to is MembershipStatus.REMOVED:
        _revoke_all(target.id, by, now)
        _retire_code(target, now)
        if not _in_place(target.enterprise_id, target.person_id):
            departure_hooks.run_departure_hooks(target.person_id, target.enterprise_id, now)


def _revoke_all(membership_id: str, by: str, now: datetime) -> None:
    db.session.execute(
        update(BlockGrant)
        .where(BlockGrant.membership_id == membership_id, BlockGrant.revoked_at.is_(None), BlockGrant.not_after > now)
        .values(revoked_at=now, revoked_by=by)
    )


def _retire_code(target: MembershipView, now: datetime) -> None:
    """Make the user code useless, unless another role of the person here still signs in with it."""
    others = [row for row in _in_place(target.enterprise_id, target.person_id) if row.id != target.id]
    if not any(row.user_code == UserCode.parse(target.user_code).signs for row in others):
        accounts.revoke_user_code(UserCode.parse(target.user_code), now=now)


def active_pes(enterprise_id: str) -> int:
    """Return how many PES of an enterprise are active."""
    counted = select(func.count()).where(
        Membership.enterprise_id == enterprise_id,
        Membership.role == Role.PES.value,
        Membership.status == MembershipStatus.ACTIVE.value,
    )
    return db.session.scalar(counted) or 0


def _in_place(enterprise_id: str, person_id: str) -> list[Membership]:
    wanted = select(Membership).where(
        Membership.enterprise_id == enterprise_id,
        Membership.person_id == person_id,
        Membership.status.in_(_IN_PLACE),
    )
    return list(db.session.scalars(wanted.execution_options(populate_existing=True)))


def _joined() -> Select[Membership, Enterprise]:
    return select(Membership, Enterprise).join(Enterprise, Enterprise.id == Membership.enterprise_id)


def _views(wanted: Select[Membership, Enterprise]) -> tuple[MembershipView, ...]:
    rows = db.session.execute(wanted.execution_options(populate_existing=True)).all()
    return tuple(
        MembershipView(
            id=MembershipId(row.id),
            enterprise_id=enterprise.id,
            neq=enterprise.neq,
            enterprise_name=enterprise.name,
            enterprise_status=EnterpriseStatus(enterprise.status),
            person_id=row.person_id,
            role=Role(row.role),
            user_code=str(UserCode(row.user_code)),
            status=MembershipStatus(row.status),
            appointed_at=row.appointed_at,
            changed_at=row.changed_at,
            known=EnterpriseContact(row.given_name, row.family_name, row.email),
            vouched_for=(row.vouched_given_name, row.vouched_family_name),
            phone=row.phone,
            position=row.position,
        )
        for row, enterprise in rows
    )


def require_role(person_id: str, enterprise_id: str, role: Role) -> Actor:
    """Return the person as an actor who holds *role* in the enterprise now.

    Raises:
        NotAllowedError: they do not.
    """
    if role not in roles_in(person_id, enterprise_id):
        raise NotAllowedError(f"{role} needed")
    return Actor.person(person_id)
