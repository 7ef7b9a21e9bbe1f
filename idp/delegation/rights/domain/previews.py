"""What a change of rights would do, before it counts: the difference, its warnings, what the agency would receive. Pure.

A preview travels to the confirmation as a signed token, so that what is saved is what was shown, on the revision that was
shown, by the person to whom it was shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

from ....clock import end_of_day
from .authority import Authority, AuthorityFacts, GrantFact, MembershipFact, assemble
from .rights_claims import SCOPE_BLOCKS, SCOPE_ENTERPRISE, authorization_details, project

PREVIEW_LIFE = timedelta(hours=1)  # the rights themselves are compared by revision
_SALT = "rights-preview"


@dataclass(frozen=True, slots=True)
class BlockChange:
    """One block of one person: what was, what would be."""

    code: str
    before: bool
    after: bool

    @property
    def added(self) -> bool:
        """Return whether the block would be given."""
        return self.after and not self.before

    @property
    def removed(self) -> bool:
        """Return whether the block would be taken away."""
        return self.before and not self.after


def differences(codes: Iterable[str], before: frozenset[str], after: frozenset[str]) -> tuple[BlockChange, ...]:
    """Return the blocks held before or after, in the order of *codes*."""
    return tuple(BlockChange(code, code in before, code in after) for code in codes if code in before | after)


def both_ends(pairs: Iterable[tuple[str, str]], codes: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """Return the maker and checker blocks that *codes* would put in one person's hands (domain.md §5)."""
    return tuple((maker, checker) for maker, checker in pairs if {maker, checker} <= codes)


def as_if(
    facts: AuthorityFacts, membership_id: str, blocks: frozenset[str], until: date | None, now: datetime
) -> AuthorityFacts:
    """Return the facts as they would be with these rights instead of the present ones."""
    end = end_of_day(until) if until else now
    grants = tuple(GrantFact(f"g_… ({block})", block, now, end, "", now) for block in sorted(blocks))

    def changed(fact: MembershipFact) -> MembershipFact:
        return replace(fact, grants=grants) if fact.id == membership_id else fact

    return replace(facts, memberships=tuple(changed(fact) for fact in facts.memberships))


def previewed_claims(facts: AuthorityFacts, now: datetime, *, version: int) -> tuple[Authority | None, dict[str, Any]]:
    """Return the authority of *facts* and, as JSON, what the agency would receive for it."""
    authority = assemble(facts, now, version=version)
    if authority is None:
        return None, {}
    claims = project(authority, frozenset({SCOPE_ENTERPRISE, SCOPE_BLOCKS}))
    return authority, {**claims, "authorization_details": authorization_details(authority)}


@dataclass(frozen=True, slots=True)
class PreviewedRights:
    """What was shown: for whom, at which revision, the rights wanted (membership id, blocks, last day).

    ``request_id`` is the request for access that they answer, if any.
    """

    enterprise_id: str
    agency_id: str
    person_id: str
    revision: int
    wanted: tuple[tuple[str, frozenset[str], date | None], ...]
    request_id: str | None = None


def sign(previewed: PreviewedRights, secret: bytes | str, now: datetime) -> str:
    """Return *previewed* as a token for the confirmation."""
    wanted = [[m, sorted(blocks), until.isoformat() if until else None] for m, blocks, until in previewed.wanted]
    payload = {
        "e": previewed.enterprise_id,
        "a": previewed.agency_id,
        "p": previewed.person_id,
        "r": previewed.revision,
        "w": wanted,
        **({"q": previewed.request_id} if previewed.request_id else {}),
        "t": int(now.timestamp()),
    }
    return str(URLSafeSerializer(secret, salt=_SALT).dumps(payload))


def open_token(token: str, secret: bytes | str, now: datetime) -> PreviewedRights | None:
    """Return what a token holds, or None when it is forged, cut or older than an hour."""
    try:
        payload: Mapping[str, Any] = URLSafeSerializer(secret, salt=_SALT).loads(token)
    except BadSignature:
        return None
    if payload["t"] + PREVIEW_LIFE.total_seconds() <= now.timestamp():
        return None
    wanted = tuple((m, frozenset(blocks), date.fromisoformat(end) if end else None) for m, blocks, end in payload["w"])
    return PreviewedRights(payload["e"], payload["a"], payload["p"], payload["r"], wanted, payload.get("q"))
