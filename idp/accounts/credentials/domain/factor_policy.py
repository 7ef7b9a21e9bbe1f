"""Which factors a person must keep and show, pure.

A level is the last figure of ``urn:mandat:aal:…``: 2 asks for two factors, 3 for a passkey. What each role must show is
configuration; the highest among a person's roles counts (decisions.md §5, §6).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ....errors import Decision

TWO_FACTORS = 2
PASSKEY = 3


@dataclass(frozen=True, slots=True)
class FactorCounts:
    """How many factors of each kind a person has, besides the password. Recovery codes are never counted."""

    applications: int
    passkeys: int


@dataclass(frozen=True, slots=True)
class Ways:
    """With what a person who is signed in may confirm that it is they; *wants_passkey* when their level leaves no choice."""

    code: bool
    passkey: bool
    wants_passkey: bool


class RetentionReason(StrEnum):
    """Why a factor stays."""

    LAST_APPLICATION = "last_application"
    LAST_PASSKEY = "last_passkey"


def may_remove_application(held: FactorCounts, level: int) -> Decision[RetentionReason]:
    """Decide whether one application may go: a passkey requires a script, so it is never the only factor, except at the desk."""
    may = held.applications > 1 or (level >= PASSKEY and held.passkeys > 0)
    return Decision(() if may else (RetentionReason.LAST_APPLICATION,))


def may_remove_passkey(held: FactorCounts, level: int) -> Decision[RetentionReason]:
    """Decide whether one passkey may go: not the last one of a person who must show one, nor the last factor of all."""
    may = held.passkeys > 1 or (level < PASSKEY and held.applications > 0)
    return Decision(() if may else (RetentionReason.LAST_PASSKEY,))


def only_passkey_serves(held: FactorCounts, level: int) -> bool:
    """Return whether nothing but a passkey is accepted beside the password: one is required, and there is one."""
    return level >= PASSKEY and held.passkeys > 0


def ways_to_confirm(held: FactorCounts, level: int, *, has_site: bool) -> Ways:
    """Return what serves to confirm: never less than *level*, so that confirming lowers no sign-in below it (S-45)."""
    return Ways(
        code=held.applications > 0 and level < PASSKEY,
        passkey=held.passkeys > 0 and has_site,
        wants_passkey=only_passkey_serves(held, level),
    )


def email_code_serves(level: int, *, is_operator: bool, is_on: bool) -> bool:
    """Return whether a person without their second factor may read with a code sent by e-mail: never at the desk (ADR 0014)."""
    return is_on and level <= TWO_FACTORS and not is_operator


def falls_short(acr: str, level: int) -> bool:
    """Return whether a sign-in shows less than *level*: such a person shows a passkey, or adds a first one."""
    return int(acr.rpartition(":")[2]) < level
