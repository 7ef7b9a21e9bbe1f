"""How surely a person is known: ``acr`` as three ordered levels, and what a request demands or wishes of them. Pure.

A sign-in of a higher level meets a request for a lower one. What cannot be reached is refused when it is essential and
passed over when it is voluntary; a token never shows a level that the sign-in did not have.
"""

from __future__ import annotations

from collections.abc import Iterable

from ....accounts.sessions.domain.sign_ins import PASSKEY_ACR

LEVELS = ("urn:mandat:aal:1", "urn:mandat:aal:2", "urn:mandat:aal:3")
REACHABLE = LEVELS.index(PASSKEY_ACR) + 1  # the highest that a person can show today
PASSKEY = LEVELS.index(PASSKEY_ACR) + 1
OUT_OF_REACH = len(LEVELS) + 1


def level(acr: str | None) -> int:
    """Return the level of *acr*, 0 when there is none or it is unknown."""
    return LEVELS.index(acr) + 1 if acr in LEVELS else 0


def demanded(essential: tuple[str, ...]) -> int:
    """Return the level without which nothing may be issued: the lowest of those that will do (OIDC Core §5.5.1.1)."""
    if not essential:
        return 0
    return min((level(acr) for acr in essential if level(acr)), default=OUT_OF_REACH)


def wished(acr_values: Iterable[str]) -> int:
    """Return the level of the first wish that can be met, 0 when none can (OIDC Core §3.1.2.1: voluntary)."""
    return next((level(acr) for acr in acr_values if 0 < level(acr) <= REACHABLE), 0)
