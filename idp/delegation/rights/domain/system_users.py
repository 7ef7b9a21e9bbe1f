"""System users: software that acts for an enterprise with keys of its own, because a PES approved it. Pure.

The software is a client of the agency; the system user is the approval of (enterprise, client, blocks, end). Its life is in
two dates, never by a stored state: whatever has passed its end is over everywhere at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

from ....errors import Decision
from ...people.domain.roles import Role
from .rules import DenialReason, end_objections

LONGEST_NAME = 80
PREVIEW_LIFE = timedelta(hours=1)
_SALT = "system-user-preview"


class SystemUserState(StrEnum):
    """Where an approval stands."""

    ACTIVE = "active"
    ENDED = "ended"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a PES requires to approve; ``name`` is theirs, ``client_id`` the software's."""

    client_id: str
    name: str
    blocks: frozenset[str]
    until: date


def state_of(not_after: datetime, revoked_at: datetime | None, now: datetime) -> SystemUserState:
    """Return where an approval stands at *now*; one that ended by itself stays ended, whatever was revoked later."""
    if revoked_at is not None and revoked_at < not_after:
        return SystemUserState.REVOKED
    return SystemUserState.ACTIVE if revoked_at is None and now < not_after else SystemUserState.ENDED


def may_approve(
    roles: frozenset[Role], wanted: Wanted, *, subscribed: frozenset[str] | None, is_approved: bool, now: datetime
) -> Decision[DenialReason]:
    """Decide whether a person with *roles* may approve *wanted*; *subscribed* is what the enterprise may use there now."""
    return Decision(tuple(_objections(roles, wanted, subscribed, is_approved, now)))


def _objections(
    roles: frozenset[Role], wanted: Wanted, subscribed: frozenset[str] | None, is_approved: bool, now: datetime
) -> Iterator[DenialReason]:
    if Role.PES not in roles:
        yield DenialReason.NOT_A_PES
    if subscribed is None:
        yield DenialReason.NOT_SUBSCRIBED
    elif not wanted.blocks <= subscribed:
        yield DenialReason.BLOCK_NOT_HELD
    if not wanted.blocks:
        yield DenialReason.NOTHING_GRANTED
    if is_approved:
        yield DenialReason.ALREADY_APPROVED
    yield from end_objections(wanted.until, now)


@dataclass(frozen=True, slots=True)
class PreviewedSystemUser:
    """What was shown before it counts: to whom, for which enterprise and agency."""

    enterprise_id: str
    agency_id: str
    person_id: str
    wanted: Wanted


def sign(previewed: PreviewedSystemUser, secret: bytes | str, now: datetime) -> str:
    """Return *previewed* as a token for the confirmation: what is approved is what was shown."""
    wanted = previewed.wanted
    payload = {
        "e": previewed.enterprise_id,
        "a": previewed.agency_id,
        "p": previewed.person_id,
        "w": [wanted.client_id, wanted.name, sorted(wanted.blocks), wanted.until.isoformat()],
        "t": int(now.timestamp()),
    }
    return str(URLSafeSerializer(secret, salt=_SALT).dumps(payload))


def open_token(token: str, secret: bytes | str, now: datetime) -> PreviewedSystemUser | None:
    """Return what a token holds, or None when it is forged, cut or older than an hour."""
    try:
        payload: Mapping[str, Any] = URLSafeSerializer(secret, salt=_SALT).loads(token)
    except BadSignature:
        return None
    if payload["t"] + PREVIEW_LIFE.total_seconds() <= now.timestamp():
        return None
    client_id, name, blocks, until = payload["w"]
    wanted = Wanted(client_id, name, frozenset(blocks), date.fromisoformat(until))
    return PreviewedSystemUser(payload["e"], payload["a"], payload["p"], wanted)
