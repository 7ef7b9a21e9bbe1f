"""Pushed authorization requests (RFC 9126): kept under the digest of their address, for one client, used up when answered."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, insert, select, update

from ...crypto.sealing import digest, random_token
from ...db import db, table_of, transaction
from ..clients.domain.clients import RelyingParty
from ..models import PushedRequestRow
from .domain.requests import REQUEST_URI, AuthorizationRequest

_ROWS = table_of(PushedRequestRow)
_PUSH = insert(_ROWS)
_OF = _ROWS.c.digest == bindparam("of")
_FIND = select(_ROWS.c.request).where(
    _OF,
    _ROWS.c.client_id == bindparam("client"),
    _ROWS.c.expires_at > bindparam("now"),
    _ROWS.c.used_at.is_(None),
)
_USE_UP = update(_ROWS).where(_OF, _ROWS.c.used_at.is_(None)).values(used_at=bindparam("now")).returning(_ROWS.c.digest)
LIFE = timedelta(seconds=90)  # FAPI 2.0 §5.3.2.2: less than 600; RFC 9126 §2.2: between 5 and 600


def push(request: AuthorizationRequest, client: RelyingParty, *, now: datetime) -> str:
    """Keep *request*, in the caller's transaction, and return the ``request_uri`` that stands for it: 256 random bits."""
    reference = random_token()
    kept = {"client_id": client.client_id, "request": request.to_json(), "expires_at": now + LIFE}
    db.session.execute(_PUSH, {"digest": digest(reference), **kept})
    return REQUEST_URI + reference


def find(request_uri: str, client: RelyingParty, *, now: datetime) -> AuthorizationRequest | None:
    """Return what *client* pushed and was not answered yet; showing the page again finds it again (RFC 9126 §4)."""
    key = digest(request_uri.removeprefix(REQUEST_URI))
    row = db.session.execute(_FIND, {"of": key, "client": client.client_id, "now": now}).first()
    return AuthorizationRequest.from_json({**row.request, "pushed_digest": key}) if row else None


def use_up(pushed_digest: str, *, now: datetime) -> bool:
    """Use a pushed request up, in the caller's transaction; only the first answer to it receives True."""
    used = db.session.execute(_USE_UP, {"of": pushed_digest, "now": now}).first()
    return used is not None


def forget_old(now: datetime) -> int:
    """Delete the pushed requests that no interaction can still be about; return how many."""
    with transaction() as session:
        gone = session.scalars(
            delete(PushedRequestRow)
            .where(PushedRequestRow.expires_at < now - timedelta(hours=1))
            .returning(PushedRequestRow.digest)
            .execution_options(synchronize_session=False)
        )
        return len(gone.all())
