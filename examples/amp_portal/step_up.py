"""Whether a sign-in is recent and strong enough for an act, and the challenge when it is not (RFC 9470); pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

LEVELS = ("urn:mandat:aal:1", "urn:mandat:aal:2", "urn:mandat:aal:3")
SECOND_FACTOR = "mfa"  # in ``amr`` (RFC 8176 §2)
SKEW = 10  # seconds by which two clocks may differ
TIME_TO_CONFIRM = 300  # seconds in which an act follows the sign-in that was made for it


@dataclass(frozen=True, slots=True)
class Needs:
    """What an act requires of the sign-in: at most ``max_age`` seconds old, at least ``acr``, two factors.

    ``asked_at`` is when a sign-in was asked for this very act, None when none was. With a ``max_age`` of 0 each act
    needs such a sign-in of its own, as in a request (OpenID Connect Core §3.1.2.1).
    """

    max_age: int = 300
    acr: str = LEVELS[1]
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """What is missing, in a form that a program reads and a new sign-in satisfies."""

    needs: Needs
    description: str

    @property
    def header(self) -> str:
        """Return the ``WWW-Authenticate`` of the answer (RFC 9470 §3)."""
        return (
            f'Bearer error="insufficient_user_authentication", error_description="{self.description}", '
            f'acr_values="{self.needs.acr}", max_age="{self.needs.max_age}"'
        )

    @property
    def body(self) -> dict[str, str]:
        """Return the same as JSON."""
        return {"error": "insufficient_user_authentication", "error_description": self.description}


def challenge(claims: Mapping[str, Any], now: datetime, needs: Needs) -> Challenge | None:
    """Return what the verified *claims* lack of *needs*; None when sufficient (S-45). An absent claim is lacking."""
    methods = claims.get("amr")
    if _level(claims.get("acr")) < _level(needs.acr) or not isinstance(methods, list) or SECOND_FACTOR not in methods:
        return Challenge(needs, "A sign-in with two factors is required")
    if not _is_fresh(claims.get("auth_time"), now.timestamp(), needs):
        return Challenge(needs, "A more recent sign-in is required")
    return None


def request_parameters(needs: Needs) -> dict[str, str]:
    """Return the parameters to add to an authorization request (RFC 9470 §4).

    The level is marked essential: otherwise the provider may ignore it.
    """
    claims = {"id_token": {"acr": {"essential": True, "value": needs.acr}}}
    return {"max_age": str(needs.max_age), "acr_values": needs.acr, "claims": json.dumps(claims)}


def _level(acr: Any) -> int:
    return LEVELS.index(acr) + 1 if acr in LEVELS else 0


def _is_fresh(auth_time: Any, now: float, needs: Needs) -> bool:
    if not isinstance(auth_time, int) or isinstance(auth_time, bool) or auth_time > now + SKEW:
        return False
    for_this_act = needs.asked_at is not None and auth_time >= needs.asked_at.timestamp() - SKEW
    oldest = max(needs.max_age, TIME_TO_CONFIRM) if for_this_act else needs.max_age
    return oldest > 0 and now - auth_time <= oldest
