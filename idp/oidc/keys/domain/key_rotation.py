"""The life of a signing key, and what is due for a ring at an instant. Pure.

A key is *next* (published, silent), then *active* (it signs), then *retiring* (published, silent), then it is gone; *revoked* is
the way out of any of these, at once. A relying party may hold a JWK set as old as :data:`JWKS_MAX_AGE`: so a key is published
well before it signs, and stays published as long as anything it signed is shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")  # FAPI 2.0 §5.4.1 and RS256; EdDSA is Ed25519 (RFC 8037 §3.1)

JWKS_MAX_AGE = timedelta(hours=1)  # the Cache-Control of /jwks (OIDC Core §10.1.1)
CLOCK_SKEW = timedelta(seconds=60)  # between nodes at most 30 s (decisions.md §35), and as much on the other side
LONGEST_TOKEN_USE = timedelta(hours=12)  # an ID token lives 5 min, yet is shown as id_token_hint until the sign-in ends
PUBLISHED_BEFORE = timedelta(hours=24)  # protocol.md §6.13: at least a day, and longer than JWKS_MAX_AGE
KEPT_AFTER = LONGEST_TOKEN_USE + CLOCK_SKEW + JWKS_MAX_AGE
DEFAULT_AGE = timedelta(days=90)


class KeyState(StrEnum):
    """Where a key is in its life. Values are stored: never rename one."""

    NEXT = "next"  # published, does not sign yet
    ACTIVE = "active"
    RETIRING = "retiring"  # published, signs no more
    REVOKED = "revoked"


PUBLISHED = frozenset({KeyState.NEXT, KeyState.ACTIVE, KeyState.RETIRING})


@dataclass(frozen=True, slots=True)
class KeyLife:
    """One key as the rule sees it; ``since`` is the instant at which it entered its state."""

    kid: str
    alg: str
    state: KeyState
    created_at: datetime
    since: datetime


@dataclass(frozen=True, slots=True)
class Publish:
    """Make a key for *alg* and publish it as *next*."""

    alg: str


@dataclass(frozen=True, slots=True)
class Move:
    """Put a key into another state."""

    kid: str
    state: KeyState


@dataclass(frozen=True, slots=True)
class Remove:
    """Forget a key: nothing that it signed is shown any more."""

    kid: str


Act = Publish | Move | Remove


def due(keys: Collection[KeyLife], now: datetime, *, active_for: timedelta | None) -> tuple[Act, ...]:
    """Return what is to be done at *now*, in the order in which it is safe to stop after any of them.

    *active_for* is how long a key signs before its successor does; without it no successor is made, and what was begun by hand
    is still led to its end. At every step at least one key signs: the new one is activated before the old one retires.
    """
    return tuple(
        act for alg in ALGORITHMS for act in _due(alg, [key for key in keys if key.alg == alg], now, active_for)
    )


def signing(keys: Collection[KeyLife]) -> KeyLife | None:
    """Return which of several keys for one algorithm signs: of the active ones the last made."""
    active = [key for key in keys if key.state is KeyState.ACTIVE]
    return max(active, key=lambda key: (key.since, key.created_at, key.kid)) if active else None


def _due(alg: str, keys: Collection[KeyLife], now: datetime, active_for: timedelta | None) -> Iterator[Act]:
    current = signing(keys)
    waiting = min((key for key in keys if key.state is KeyState.NEXT), key=lambda key: key.since, default=None)
    if waiting is not None and (current is None or now >= waiting.since + PUBLISHED_BEFORE):
        yield Move(waiting.kid, KeyState.ACTIVE)
        if current is not None:
            yield Move(current.kid, KeyState.RETIRING)
    for key in keys:
        if key.state is KeyState.ACTIVE and key is not current:
            yield Move(key.kid, KeyState.RETIRING)  # an earlier rotation was cut between its two steps
        if key.state is KeyState.RETIRING and now >= key.since + KEPT_AFTER:
            yield Remove(key.kid)
    if current is None or waiting is not None or active_for is None:
        return
    if now >= current.since + max(active_for - PUBLISHED_BEFORE, timedelta(0)):
        yield Publish(alg)
