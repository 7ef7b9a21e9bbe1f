"""Who a person is in an enterprise, and in which state. Values are stored: never rename one.

Sources: domain.md §3.1; decisions.md §1 (precedence of roles), §16 (status of an enterprise).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Role(StrEnum):
    """What a person is in an enterprise."""

    PES = "pes"
    AUTHORIZED_REPRESENTATIVE = "authorized_representative"
    USER = "user"
    SYSTEM = "system"  # software with keys of its own, approved by a PES; never the role of a member


class MembershipStatus(StrEnum):
    """Where a membership stands."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REMOVED = "removed"


class EnterpriseStatus(StrEnum):
    """Whether an enterprise may act."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


PRECEDENCE = (Role.PES, Role.AUTHORIZED_REPRESENTATIVE, Role.USER)  # decisions.md §1


BY_POWER = (Role.AUTHORIZED_REPRESENTATIVE, Role.PES, Role.USER)  # who names whom, from the top


def highest(roles: Iterable[Role]) -> Role | None:
    """Return the role that counts when a person has several in one enterprise."""
    held = frozenset(roles)
    return next((role for role in PRECEDENCE if role in held), None)
