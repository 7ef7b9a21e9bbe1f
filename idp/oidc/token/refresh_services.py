"""Families of refresh tokens: each rests on one grant, whose row knows the generation that may be used.

A family ends with its grant: on reuse of an old token, on withdrawal or revocation, and thirty days after the grant.
Core statements only; every function joins the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import JSON, bindparam, select, update

from ... import audit
from ...accounts import services as accounts
from ...crypto.sealing import current_sealing, digest
from ...db import db, table_of
from ..clients.domain.clients import RelyingParty
from ..models import GrantRow
from . import grant_services
from .domain import refresh_tokens
from .domain.refresh_tokens import RefreshToken, Use
from .domain.tokens import TokenGrant

_PURPOSE = "refresh_token"
_GRANTS = table_of(GrantRow)
_ADVANCE = (
    update(_GRANTS)
    .where(
        _GRANTS.c.id == bindparam("grant"),
        _GRANTS.c.refresh_generation == bindparam("shown"),
        _GRANTS.c.revoked_at.is_(None),
    )
    .values(refresh_generation=bindparam("next"), refreshed_at=bindparam("now"), cnf=bindparam("binding", type_=JSON()))
    .returning(_GRANTS.c.id)
)
_READ = select(*grant_services.MEMBERS, _GRANTS.c.refresh_generation, _GRANTS.c.refreshed_at).where(
    _GRANTS.c.refresh_digest == bindparam("family"),
    _GRANTS.c.client_id == bindparam("client"),
    _GRANTS.c.revoked_at.is_(None),
    _GRANTS.c.offline_until > bindparam("now"),
)
_HOLD = _READ.with_for_update()


@dataclass(frozen=True, slots=True)
class Family:
    """A living family, and the use that is being made of it."""

    grant: TokenGrant
    shown: RefreshToken
    use: Use


def text_of(token: RefreshToken) -> str:
    """Return a refresh token as the client holds it."""
    return token.text(_tag)


def find(text: str, client: RelyingParty, *, now: datetime) -> Family | None:
    """Return the living family of *client* to which a refresh token belongs, whatever its generation."""
    shown = refresh_tokens.read(text, _tag)
    return _read(shown, client, now) if shown is not None else None


def usable(text: str, client: RelyingParty, *, cnf: Mapping[str, str], now: datetime) -> Family | None:
    """Return the family of a refresh token that *client* may use now, showing *cnf*; None for any other.

    An old generation is a theft or a fault, which of them is unknown: the family ends (RFC 9700 §4.14.2). Who does not show what
    the token asks for ends nothing.
    """
    shown = refresh_tokens.read(text, _tag)
    family = _read(shown, client, now, hold=True) if shown is not None else None
    if family is None or not refresh_tokens.may_use(client, family.grant.cnf, cnf):
        return None
    if family.use is Use.REPLAY:
        _punish(family, client, now)
        return None
    return family


def take(family: Family, client: RelyingParty, *, cnf: Mapping[str, str], now: datetime) -> str | None:
    """Use a family, showing *cnf*, and return the refresh token to hold from now on; None when another person was quicker."""
    shown = family.shown
    if not refresh_tokens.rotates(client, family.grant.cnf):
        return text_of(shown)
    successor = replace(shown, generation=shown.generation + 1)
    binding = refresh_tokens.binding(client, family.grant.cnf, cnf)
    if family.use is Use.AGAIN or _advance(family.grant.id, successor, binding, now):
        return text_of(successor)
    after = _read(shown, client, now)
    if after is not None and after.use is Use.AGAIN:
        return text_of(successor)
    if after is not None:
        _punish(after, client, now)
    return None


def _advance(grant_id: str, successor: RefreshToken, binding: Mapping[str, str], now: datetime) -> bool:
    """Make *successor* the current token: one statement, so that of many uses one gives birth."""
    generation = successor.generation
    values = {"shown": generation - 1, "next": generation, "binding": dict(binding), "now": now}
    born = db.session.execute(_ADVANCE, {"grant": grant_id, **values})
    return born.first() is not None


def _read(shown: RefreshToken, client: RelyingParty, now: datetime, *, hold: bool = False) -> Family | None:
    """Read a family; the client is part of the condition, so that another client's try touches nothing.

    With *hold* its grant is not revoked before the caller's transaction ends.
    """
    asked = {"family": digest(shown.family), "client": client.client_id, "now": now}
    row = db.session.execute(_HOLD if hold else _READ, asked).first()
    if row is None or shown.generation > row.refresh_generation:  # ahead only when a backup was put back
        return None
    grant = grant_services.grant_of_row(row)
    if not accounts.is_open(grant.person_id):  # a frozen account: nothing in its name, until the notice ends the family
        return None
    use = refresh_tokens.use_of(
        shown.generation,
        current=row.refresh_generation,
        rotated_at=row.refreshed_at,
        grace=client.refresh_grace,
        now=now,
    )
    return Family(grant, shown, use)


def _punish(family: Family, client: RelyingParty, now: datetime) -> None:
    grant = family.grant
    if grant_services.revoke(grant.id, now=now):
        audit.record(
            audit.Event.REFRESH_REPLAYED,
            actor=audit.Actor("client", client.client_id),
            now=now,
            enterprise_id=grant.enterprise_id,
            person_id=grant.person_id,
            agency_id=grant.agency_id,
            details={"client_id": client.client_id, "grant": grant.id, "generation": family.shown.generation},
        )


def _tag(body: str) -> str:
    return current_sealing().keyed_digest(body, _PURPOSE)
