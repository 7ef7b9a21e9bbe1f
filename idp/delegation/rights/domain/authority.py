"""What a person may do for an enterprise at an agency: one value, computed in one place.

``assemble`` turns the facts read from the database into an :class:`Authority`. Pages, tokens, userinfo and explanations
all start from these facts, so that they cannot disagree (docs/claims.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ...people.domain.roles import EnterpriseStatus, MembershipStatus, Role, highest

UNRESTRICTED = "*"  # stored in a grant: every block of the subscription; it never leaves the provider


@dataclass(frozen=True, slots=True)
class GrantFact:
    """One grant as it is stored: a block, or ``*``, between two instants, unless revoked."""

    id: str
    block: str
    not_before: datetime
    not_after: datetime
    granted_by: str
    granted_at: datetime
    revoked_at: datetime | None = None
    revoked_by: str | None = None

    def in_force(self, now: datetime) -> bool:
        """Return whether the grant counts at *now*; the end itself is outside, as ``exp`` is (RFC 7519 §4.1.4)."""
        return self.revoked_at is None and self.not_before <= now < self.not_after

    def ahead(self, now: datetime) -> tuple[datetime, ...]:
        """Return the instants after *now* at which the grant starts or ends by itself."""
        if self.revoked_at is not None:
            return ()
        return tuple(instant for instant in (self.not_before, self.not_after) if instant > now)


@dataclass(frozen=True, slots=True)
class MembershipFact:
    """One role of the person in the enterprise, with the grants for the agency."""

    id: str
    role: Role
    status: MembershipStatus
    grants: tuple[GrantFact, ...] = ()


@dataclass(frozen=True, slots=True)
class ApprovalFact:
    """What a PES approved once for one software: these blocks until an instant, unless revoked."""

    blocks: frozenset[str]
    not_after: datetime
    approved_at: datetime
    approved_by: str
    revoked_at: datetime | None = None

    def in_force(self, now: datetime) -> bool:
        """Return whether the approval counts at *now*; the end itself is outside."""
        return self.revoked_at is None and now < self.not_after


@dataclass(frozen=True, slots=True)
class AuthorityFacts:
    """All that decides what one person, or one system user, may do for one enterprise at one agency.

    A system user has an ``approval`` and no membership; its id stands in ``person_id``. ``subscribed`` holds the codes of
    the enterprise's active subscription, None when there is none; ``offered`` the codes of the agency's catalogue that are
    not retired.
    """

    person_id: str
    enterprise_id: str
    neq: str
    enterprise_name: str
    enterprise_status: EnterpriseStatus
    agency_id: str
    locations: tuple[str, ...]
    catalogue_version: str
    subscribed: frozenset[str] | None
    offered: frozenset[str]
    memberships: tuple[MembershipFact, ...]
    approval: ApprovalFact | None = None

    @property
    def available(self) -> frozenset[str]:
        """Return the codes the enterprise itself may use now: subscribed and still offered."""
        return (self.subscribed or frozenset()) & self.offered


@dataclass(frozen=True, slots=True)
class HeldBlocks:
    """Blocks held together: same basis, same end, by these grants (none for a PES)."""

    blocks: tuple[str, ...]
    not_after: datetime | None
    grants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Authority:
    """What a person or a system user may do, for which enterprise, at which agency.

    ``version`` only grows (decisions.md §17).
    """

    person_id: str
    enterprise_id: str
    neq: str
    enterprise_name: str
    enterprise_status: EnterpriseStatus
    role: Role
    agency_id: str
    locations: tuple[str, ...]
    catalogue_version: str
    held: tuple[HeldBlocks, ...]
    version: int
    basis: str = "direct"
    via: tuple[tuple[str, str], ...] = ()

    @property
    def blocks(self) -> tuple[str, ...]:
        """Return every code held, sorted, each once."""
        return tuple(sorted({code for part in self.held for code in part.blocks}))

    @property
    def earliest_end(self) -> datetime | None:
        """Return the first end among the rights held; no token may outlive it."""
        return min((part.not_after for part in self.held if part.not_after is not None), default=None)


def assemble(facts: AuthorityFacts, now: datetime, *, version: int) -> Authority | None:
    """Compute the authority of these facts at *now*.

    None means "acts for no enterprise": no active membership, or the enterprise is not active. An authority without
    blocks means "acts for this enterprise, no block here".
    """
    active = active_memberships(facts)
    role = _role(facts, active, now)
    if role is None or facts.enterprise_status is not EnterpriseStatus.ACTIVE:
        return None
    return Authority(
        person_id=facts.person_id,
        enterprise_id=facts.enterprise_id,
        neq=facts.neq,
        enterprise_name=facts.enterprise_name,
        enterprise_status=facts.enterprise_status,
        role=role,
        agency_id=facts.agency_id,
        locations=facts.locations,
        catalogue_version=facts.catalogue_version,
        held=_held(facts, role, active, now),
        version=version,
    )


def active_memberships(facts: AuthorityFacts) -> tuple[MembershipFact, ...]:
    """Return the roles that count now."""
    return tuple(membership for membership in facts.memberships if membership.status is MembershipStatus.ACTIVE)


def next_change(facts: AuthorityFacts, now: datetime) -> datetime | None:
    """Return the first instant after *now* at which a date alone changes what these facts give."""
    ahead = [instant for membership in facts.memberships for grant in membership.grants for instant in grant.ahead(now)]
    if facts.approval is not None and facts.approval.in_force(now):
        ahead.append(facts.approval.not_after)
    return min(ahead, default=None)


def covers(grant: GrantFact, code: str) -> bool:
    """Return whether *grant* is about *code*, by name or as unrestricted access."""
    return grant.block in (code, UNRESTRICTED)


def _role(facts: AuthorityFacts, active: tuple[MembershipFact, ...], now: datetime) -> Role | None:
    if facts.approval is not None:
        return Role.SYSTEM if facts.approval.in_force(now) else None
    return highest(membership.role for membership in active)


def _held(
    facts: AuthorityFacts, role: Role, active: tuple[MembershipFact, ...], now: datetime
) -> tuple[HeldBlocks, ...]:
    if facts.approval is not None:
        return _held_by_approval(facts, facts.approval)
    return _held_by_pes(facts) if role is Role.PES else _held_by_grants(facts, active, now)


def _held_by_approval(facts: AuthorityFacts, approval: ApprovalFact) -> tuple[HeldBlocks, ...]:
    """A system user holds what was approved and is still subscribed and offered; the approval stands for the grant."""
    blocks = tuple(sorted(approval.blocks & facts.available))
    return (HeldBlocks(blocks, approval.not_after, (approval_id(facts.person_id),)),) if blocks else ()


def approval_id(system_user_id: str) -> str:
    """Return how ``grants`` names the approval of a system user."""
    return f"s_{system_user_id}"


def _held_by_pes(facts: AuthorityFacts) -> tuple[HeldBlocks, ...]:
    """A PES holds the subscription's blocks, without grants or dates (decisions.md §16)."""
    blocks = tuple(sorted(facts.available))
    return (HeldBlocks(blocks, None, ()),) if blocks else ()


def _held_by_grants(facts: AuthorityFacts, active: tuple[MembershipFact, ...], now: datetime) -> tuple[HeldBlocks, ...]:
    """Group the blocks by the end of the grant that carries each furthest."""
    grants = [grant for membership in active for grant in membership.grants if grant.in_force(now)]
    carried: dict[datetime, list[tuple[str, str]]] = {}
    for code in sorted(facts.available):
        best = max((g for g in grants if covers(g, code)), key=lambda g: (g.not_after, g.id), default=None)
        if best is not None:
            carried.setdefault(best.not_after, []).append((code, best.id))
    return tuple(_together(not_after, pairs) for not_after, pairs in sorted(carried.items()))


def _together(not_after: datetime, pairs: list[tuple[str, str]]) -> HeldBlocks:
    return HeldBlocks(tuple(code for code, _ in pairs), not_after, tuple(_each_once(grant for _, grant in pairs)))


def _each_once(ids: Iterator[str]) -> list[str]:
    return sorted(set(ids))
