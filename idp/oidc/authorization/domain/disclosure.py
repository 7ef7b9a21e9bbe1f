"""What an agency would know by a request, as one value: shown on the page, kept in the record, compared with the next. Pure.

Whatever a token, userinfo, introspection or a security event says of a person lies within it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from ....delegation.rights.domain.rights_claims import SCOPE_BLOCKS
from ...claims.domain import asked_claims
from .requests import OFFLINE, AuthorizationRequest

EVERY_BLOCK = "*"  # in place of codes, where none was named; stored in consents: never change it


@dataclass(frozen=True, slots=True)
class Disclosure:
    """Claims by name, however they are asked, and codes of functional blocks.

    ``claims`` holds those that a scope brings, those asked by name, those that ``authorization_details`` imply, and each member
    of ``verified_claims`` with its path. ``blocks`` is empty when no block is asked for, and :data:`EVERY_BLOCK` when all are.
    """

    scopes: frozenset[str] = frozenset()
    claims: frozenset[str] = frozenset()
    blocks: frozenset[str] = frozenset()

    @classmethod
    def of(cls, request: AuthorizationRequest) -> Self:
        """Return what *request* would disclose; blocks say nothing without their enterprise, so they bring it along."""
        claims = asked_claims.brought_by(request.scopes) | request.claims.disclosed()
        if request.details:
            claims |= asked_claims.brought_by({SCOPE_BLOCKS})
        named = frozenset(code for each in request.details for code in each.privileges)
        blocks = (named or frozenset({EVERY_BLOCK})) if SCOPE_BLOCKS in claims else frozenset()
        return cls(frozenset(request.scopes), claims, blocks)

    @classmethod
    def recorded(cls, scopes: Collection[str], claims: Collection[str] | None, blocks: Collection[str] | None) -> Self:
        """Read what was recorded as scopes, :attr:`by_name` and blocks."""
        told = asked_claims.brought_by(scopes) | frozenset(claims or ())
        return cls(frozenset(scopes), told, frozenset(blocks or ()))

    @property
    def by_name(self) -> frozenset[str]:
        """Return the claims that no scope brings."""
        return self.claims - asked_claims.brought_by(self.scopes)

    @property
    def while_present(self) -> Self:
        """Return the same without offline access, which each consent gives for itself (OIDC Core §11)."""
        return replace(self, scopes=self.scopes - {OFFLINE})

    def __or__(self, other: Disclosure) -> Disclosure:
        """Return both together."""
        return Disclosure(self.scopes | other.scopes, self.claims | other.claims, self.blocks | other.blocks)

    def covers(self, asked: Disclosure) -> bool:
        """Return whether *asked* is nothing more; a scope is nothing more when all that it brings is known."""
        further = asked.scopes - asked_claims.BROUGHT_BY.keys()
        blocks_known = EVERY_BLOCK in self.blocks or asked.blocks <= self.blocks
        return further <= self.scopes and asked.claims <= self.claims and blocks_known

    def within(self, claims: Mapping[str, Any]) -> dict[str, Any]:
        """Return of the compact layer of rights what may be said."""
        kept = {name: value for name, value in claims.items() if name in self.claims}
        if SCOPE_BLOCKS in kept and EVERY_BLOCK not in self.blocks:
            kept[SCOPE_BLOCKS] = [code for code in kept[SCOPE_BLOCKS] if code in self.blocks]
        return kept


NOTHING = Disclosure()
