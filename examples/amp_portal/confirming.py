"""The act a person is about to confirm, kept in the signed page session while they sign in again, and for whom."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from flask import session

from .access import Rights, read_rights

_ACT = re.compile(r"/invoices/[1-9][0-9]{0,14}|/relationships/validation")
_ASKED, _CONFIRMED = "step_up_asked", "step_up_confirmed"


@dataclass(frozen=True, slots=True)
class Asked:
    """A sign-in asked for one act: the address of the act, who was signed in, for which enterprise, and when."""

    path: str
    sub: str
    enterprise: str
    at: datetime

    def to_session(self) -> dict[str, str]:
        """Return this as the session keeps it."""
        return {"path": self.path, "sub": self.sub, "enterprise": self.enterprise, "at": self.at.isoformat()}

    @classmethod
    def from_session(cls, kept: Mapping[str, str]) -> Self:
        """Read what :meth:`to_session` wrote."""
        return cls(kept["path"], kept["sub"], kept["enterprise"], datetime.fromisoformat(kept["at"]))

    def is_of(self, claims: Mapping[str, Any]) -> bool:
        """Return whether *claims* belong to the same person, acting for the same enterprise."""
        rights = read_rights(claims)
        return (claims["sub"], rights.enterprise_id if rights else "") == (self.sub, self.enterprise)


def is_act(path: str) -> bool:
    """Return whether *path* is the address of an act that needs a fresh sign-in."""
    return _ACT.fullmatch(path) is not None


def ask(path: str, sub: str, rights: Rights, now: datetime) -> None:
    """Record that a sign-in is requested for the act at *path*."""
    session[_ASKED] = Asked(path, sub, rights.enterprise_id, now).to_session()


def forget() -> None:
    """Discard the request and the confirmation: another sign-in begins."""
    session.pop(_ASKED, None)
    session.pop(_CONFIRMED, None)


def take() -> Asked | None:
    """Return the pending request once, and remove it."""
    kept = session.pop(_ASKED, None)
    return Asked.from_session(kept) if kept else None


def note(asked: Asked) -> None:
    """Record that the sign-in requested for an act was completed."""
    session[_CONFIRMED] = asked.to_session()


def asked_at(path: str, sub: str) -> datetime | None:
    """Return when *sub* was asked to sign in for the act at *path*, or None when no sign-in was made for it."""
    kept = session.get(_CONFIRMED)
    asked = Asked.from_session(kept) if kept else None
    return asked.at if asked and (asked.path, asked.sub) == (path, sub) else None
