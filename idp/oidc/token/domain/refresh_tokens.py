"""Refresh tokens as texts: a family, a generation, and the server's own tag over both. Pure.

The family is 256 random bits of which only the digest is kept; the tag is an HMAC under a key that is not in the database. So a
successor can be written again from what the client shows (protocol.md §6.12); neither the database nor the key alone makes
one.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from ...clients.domain.clients import RelyingParty
from ...proofs.domain import dpop

LIFE = timedelta(days=30)  # decisions.md §21: absolute, from the grant; ASVS 10.4.8
_TEXT = re.compile(r"([A-Za-z0-9_-]{43})\.(0|[1-9][0-9]{0,8})\.([0-9a-f]{64})")

Tag = Callable[[str], str]
"""The HMAC of a text under the server's key, in hexadecimal."""


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token that this server wrote."""

    family: str
    generation: int

    def text(self, tag: Tag) -> str:
        """Return the token as the client holds it."""
        body = f"{self.family}.{self.generation}"
        return f"{body}.{tag(body)}"


def read(text: str, tag: Tag) -> RefreshToken | None:
    """Return the token that *text* is, None when this server did not write it: any other spelling is another text (S-24)."""
    found = _TEXT.fullmatch(text)
    if found is None or not hmac.compare_digest(tag(f"{found[1]}.{found[2]}"), found[3]):
        return None
    return RefreshToken(found[1], int(found[2]))


def rotates(client: RelyingParty, cnf: Mapping[str, str]) -> bool:
    """Return whether each use gives a new token: not where a thief of the token could do nothing with it.

    RFC 9700 §2.2.2; FAPI 2.0 §5.3.2.1: no rotation for a confidential client whose tokens are bound.
    """
    return not (client.is_confidential and cnf)


def may_use(client: RelyingParty, cnf: Mapping[str, str], shown: Mapping[str, str]) -> bool:
    """Return whether *client*, showing a key or certificate, may use a refresh token whose grant was bound by *cnf*.

    A public client shows the same one. A confidential client is proven by its authentication, so it may show another, and
    must still show one (RFC 9449 §5, RFC 8705 §7.1).
    """
    if client.is_confidential:
        return bool(shown) or not cnf
    return dpop.fits(cnf, shown)


def binding(client: RelyingParty, cnf: Mapping[str, str], shown: Mapping[str, str]) -> Mapping[str, str]:
    """Return what the family is bound to after a use: a public client that shows its first key binds it (RFC 9449 §5)."""
    return cnf if client.is_confidential or cnf else shown


class Use(Enum):
    """What a use of a generation is, given the one that is current."""

    FIRST = auto()
    AGAIN = auto()  # within the grace of the client: the answer was lost
    REPLAY = auto()


def use_of(generation: int, *, current: int, rotated_at: datetime | None, grace: timedelta, now: datetime) -> Use:
    """Check the use of a *generation*; the grace is for the one just before the current, whose successor nobody has used.

    Without a grace there is no second use, whatever the clocks say: a loser of a race read *now* before the winner wrote
    *rotated_at*, and clocks of several machines differ.
    """
    if generation >= current:
        return Use.FIRST
    if generation == current - 1 and rotated_at is not None and grace and now < rotated_at + grace:
        return Use.AGAIN
    return Use.REPLAY
