"""Pushed authorization requests (RFC 9126): kept under the digest of their address, for one client, used up when answered."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update

from ..db import db, transaction
from ..sealing import digest, random_token
from .models import PushedRequestRow
from .parties.clients import RelyingParty
from .requests import REQUEST_URI, AuthorizationRequest

LIFE = timedelta(seconds=90)  # FAPI 2.0 §5.3.2.2: less than 600; RFC 9126 §2.2: between 5 and 600


def push(request: AuthorizationRequest, client: RelyingParty, *, now: datetime) -> str:
    """Keep *request*, in the caller's transaction, and return the ``request_uri`` that stands for it: 256 random bits."""
    reference = random_token()
    db.session.execute(
        insert(PushedRequestRow).values(
            digest=digest(reference),
            client_id=client.client_id,
            request=request.to_json(),
            expires_at=now + LIFE,
        )
    )
    return REQUEST_URI + reference


def find(request_uri: str, client: RelyingParty, *, now: datetime) -> AuthorizationRequest | None:
    """Return what *client* pushed and was not answered yet; showing the page again finds it again (RFC 9126 §4)."""
    key = digest(request_uri.removeprefix(REQUEST_URI))
    row = db.session.execute(
        select(PushedRequestRow.request).where(
            PushedRequestRow.digest == key,
            PushedRequestRow.client_id == client.client_id,
            PushedRequestRow.expires_at > now,
            PushedRequestRow.used_at.is_(None),
        )
    ).first()
    return AuthorizationRequest.from_json({**row.request, "pushed_digest": key}) if row else None


def use_up(pushed_digest: str, *, now: datetime) -> bool:
    """Use a pushed request up, in the caller's transaction; only the first answer to it is told True."""
    used = db.session.execute(
        update(PushedRequestRow)
        .where(PushedRequestRow.digest == pushed_digest, PushedRequestRow.used_at.is_(None))
        .values(used_at=now)
        .returning(PushedRequestRow.digest)
        .execution_options(synchronize_session=False)
    ).first()
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
