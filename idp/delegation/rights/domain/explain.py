"""Why a person may, or may not, use a block: the chain of what it rests on, or the first link that is missing. Pure.

It walks the same facts as :func:`authority.assemble`: it says allow exactly when the authority holds the block (claims
invariant 8).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ...people.domain.roles import EnterpriseStatus, MembershipStatus, Role, highest
from .authority import ApprovalFact, AuthorityFacts, GrantFact, active_memberships, approval_id, covers


class LinkKind(StrEnum):
    """What a link of the chain is about."""

    ENTERPRISE = "enterprise"
    SUBSCRIPTION = "subscription"
    BLOCK = "block"
    MEMBERSHIP = "membership"
    PES = "pes"
    GRANT = "grant"


class Missing(StrEnum):
    """Why a link does not hold."""

    ENTERPRISE_SUSPENDED = "enterprise_suspended"
    NOT_SUBSCRIBED = "not_subscribed"
    UNKNOWN_BLOCK = "unknown_block"
    BLOCK_NOT_SUBSCRIBED = "block_not_subscribed"
    MEMBER_SUSPENDED = "member_suspended"
    MEMBER_REMOVED = "member_removed"
    NEVER_GRANTED = "never_granted"
    REVOKED = "revoked"
    ENDED = "ended"
    NOT_YET = "not_yet"


@dataclass(frozen=True, slots=True)
class Link:
    """One link: what it is about, whether it holds, and the grant it speaks of."""

    kind: LinkKind
    missing: Missing | None = None
    role: Role | None = None
    grant: GrantFact | None = None

    @property
    def holds(self) -> bool:
        """Return whether the link is there."""
        return self.missing is None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The chain, up to the first link that is missing."""

    block: str
    links: tuple[Link, ...]

    @property
    def allowed(self) -> bool:
        """Return whether every link holds."""
        return all(link.holds for link in self.links)


def explain(facts: AuthorityFacts, block: str, now: datetime) -> Explanation:
    """Return the chain for *block*, cut after the first missing link."""
    links: list[Link] = []
    for link in _chain(facts, block, now):
        links.append(link)
        if not link.holds:
            break
    return Explanation(block, tuple(links))


def _chain(facts: AuthorityFacts, block: str, now: datetime) -> Iterator[Link]:
    active = facts.enterprise_status is EnterpriseStatus.ACTIVE
    yield Link(LinkKind.ENTERPRISE, None if active else Missing.ENTERPRISE_SUSPENDED)
    yield Link(LinkKind.SUBSCRIPTION, Missing.NOT_SUBSCRIBED if facts.subscribed is None else None)
    yield Link(LinkKind.BLOCK, _block_fault(facts, block))
    if facts.approval is not None:
        yield _approval_link(facts.person_id, facts.approval, block, now)
        return
    role = highest(membership.role for membership in active_memberships(facts))
    if role is None:
        yield Link(LinkKind.MEMBERSHIP, _membership_fault(facts))
        return
    yield Link(LinkKind.MEMBERSHIP, role=role)
    if role is Role.PES:
        yield Link(LinkKind.PES, role=role)
        return
    yield _grant_link(facts, block, now)


def _block_fault(facts: AuthorityFacts, block: str) -> Missing | None:
    if block not in facts.offered:
        return Missing.UNKNOWN_BLOCK
    return None if block in facts.available else Missing.BLOCK_NOT_SUBSCRIBED


def _membership_fault(facts: AuthorityFacts) -> Missing:
    suspended = any(membership.status is MembershipStatus.SUSPENDED for membership in facts.memberships)
    return Missing.MEMBER_SUSPENDED if suspended else Missing.MEMBER_REMOVED


def _grant_link(facts: AuthorityFacts, block: str, now: datetime) -> Link:
    """Return the grant that carries the block furthest, else the latest one that no longer, or not yet, does."""
    grants = [g for membership in active_memberships(facts) for g in membership.grants if covers(g, block)]
    in_force = [grant for grant in grants if grant.in_force(now)]
    if in_force:
        return Link(LinkKind.GRANT, grant=max(in_force, key=lambda grant: (grant.not_after, grant.id)))
    if not grants:
        return Link(LinkKind.GRANT, Missing.NEVER_GRANTED)
    latest = max(grants, key=lambda grant: (grant.granted_at, grant.id))
    return Link(LinkKind.GRANT, _grant_fault(latest, now), grant=latest)


def _approval_link(system_user_id: str, approval: ApprovalFact, block: str, now: datetime) -> Link:
    """Return the approval of a system user as the grant it stands for."""
    if block not in approval.blocks:
        return Link(LinkKind.GRANT, Missing.NEVER_GRANTED)
    grant = GrantFact(
        id=approval_id(system_user_id),
        block=block,
        not_before=approval.approved_at,
        not_after=approval.not_after,
        granted_by=approval.approved_by,
        granted_at=approval.approved_at,
        revoked_at=approval.revoked_at,
    )
    return Link(LinkKind.GRANT, None if grant.in_force(now) else _grant_fault(grant, now), grant=grant)


def _grant_fault(grant: GrantFact, now: datetime) -> Missing:
    if grant.revoked_at is not None:
        return Missing.REVOKED
    return Missing.NOT_YET if now < grant.not_before else Missing.ENDED
