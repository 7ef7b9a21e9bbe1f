"""What a session may open: the functional blocks in its ID token, and nothing else (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

BLOCKS = ("001", "005", "007", "008", "018", "019", "024")
PATHS = {
    "001": "/messages",
    "005": "/requests",
    "007": "/follow-up",
    "008": "/invoices",
    "018": "/application",
    "019": "/relationships",
    "024": "/client-file",
}


class Refusal(StrEnum):
    """Why access to a page is refused; the values are stable codes."""

    ENTERPRISE_NOT_ACTIVE = "enterprise_not_active"
    BLOCK_NOT_HELD = "block_not_held"
    NO_ENTERPRISE = "no_enterprise"


@dataclass(frozen=True, slots=True)
class Rights:
    """The enterprise a person acts for and the blocks they have there, as the ID token states them."""

    enterprise_id: str
    enterprise_name: str
    neq: str
    status: str
    role: str
    blocks: frozenset[str]
    version: int
    expires_at: datetime

    def refusal(self, block: str) -> Refusal | None:
        """Return why access to *block* is refused, or None when it is allowed (rules 3, 4 and 5)."""
        if self.status != "active":
            return Refusal.ENTERPRISE_NOT_ACTIVE
        if block not in self.blocks:
            return Refusal.BLOCK_NOT_HELD
        return None


def read_rights(claims: Mapping[str, Any]) -> Rights | None:
    """Return the rights in verified *claims*, or None when the person acts for no enterprise.

    Unknown members are ignored; a missing required member denies access (rule 5).
    """
    enterprise, representation = claims.get("enterprise"), claims.get("representation")
    if not isinstance(enterprise, Mapping) or not isinstance(representation, Mapping):
        return None
    blocks = claims.get("functional_blocks", [])
    return Rights(
        enterprise_id=str(enterprise["id"]),
        enterprise_name=str(enterprise.get("name", enterprise["id"])),
        neq=str(enterprise.get("neq", "")),
        status=str(enterprise.get("status", "unknown")),
        role=str(representation.get("role", "")),
        blocks=frozenset(code for code in blocks if isinstance(code, str)) if isinstance(blocks, list) else frozenset(),
        version=int(representation.get("version", 0)),
        expires_at=datetime.fromtimestamp(int(claims["exp"]), UTC),
    )
