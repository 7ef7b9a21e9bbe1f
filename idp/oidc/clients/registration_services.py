"""Clients that register and manage themselves (RFC 7591, RFC 7592): checked, fetched for, then written in one transaction."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from ... import audit
from ...crypto.sealing import digest, random_token
from ...db import db, new_id, transaction
from ...http.web import current_settings
from ..errors import UnknownTokenError
from ..models import RelyingPartyRow as Row
from . import client_services, initial_token_services, sector_services
from .domain import registration
from .domain.registration import Registered


def agency_of(initial_token: str, *, now: datetime) -> str:
    """Return the agency for which *initial_token* registers clients.

    Raises:
        UnknownTokenError: it opens nothing (any more).
    """
    agency_id = initial_token_services.agency_of(initial_token, now=now)
    if agency_id is None:
        raise UnknownTokenError
    return agency_id


def register(body: bytes, *, initial_token: str, now: datetime) -> dict[str, Any]:
    """Register a client and return what it receives: the only time its secret and its token are seen.

    Raises:
        UnknownTokenError: the initial access token opens nothing, or its last use was taken meanwhile.
        RegistrationError: the registration is refused; no use of the token is counted.
    """
    agency_id = agency_of(initial_token, now=now)
    issuer = current_settings().issuer
    client_id = f"dyn.{new_id()}"  # the point keeps it apart from every sub (S-97)
    members = registration.checked_members(
        registration.read(body), client_id=client_id, agency_id=agency_id, issuer=issuer
    )
    _check_sector(members)
    token, secret = random_token(), random_token() if registration.needs_secret(members) else None
    with transaction() as session:
        if initial_token_services.consume(initial_token, now=now) != agency_id:
            raise UnknownTokenError
        session.execute(
            insert(Row).values(
                client_id=client_id,
                agency_id=agency_id,
                members=members,
                secret_digest=digest(secret) if secret else "",
                version=1,
                loaded_at=now,
                registered_at=now,
                registration_digest=digest(token),
            )
        )
        _record(audit.Event.CLIENT_REGISTERED, client_id, agency_id, now)
    return registration.answer(client_id, members, registered_at=now, token=token, issuer=issuer, new_secret=secret)


def authenticated(client_id: str, token: str) -> Registered:
    """Return the client that *token* manages: this one and no other (CVE-2026-116672).

    Raises:
        UnknownTokenError: it is another client's token, or nobody's; or the client is gone.
    """
    if "\x00" in client_id:  # PostgreSQL refuses it in a text
        raise UnknownTokenError
    row = db.session.execute(
        select(
            Row.client_id, Row.agency_id, Row.members, Row.registered_at, Row.secret_digest, Row.registration_digest
        ).where(Row.client_id == client_id, Row.revoked_at.is_(None))
    ).first()
    if row is None or row.registration_digest is None or row.registered_at is None:
        raise UnknownTokenError
    if not hmac.compare_digest(digest(token), row.registration_digest):
        raise UnknownTokenError
    return Registered(*row)


def registration_response(current: Registered, *, token: str) -> dict[str, Any]:
    """Return what is on record of *current*; the token is the one just shown to us, as only its digest is kept."""
    return registration.answer(
        current.client_id,
        current.members,
        registered_at=current.registered_at,
        token=token,
        issuer=current_settings().issuer,
    )


def replace(current: Registered, body: bytes, *, token: str, now: datetime) -> dict[str, Any]:
    """Put a registration in the place of the one on record; a member left out is gone or at its default (RFC 7592 §2.2).

    Raises:
        RegistrationError: it is refused, and nothing changes.
        UnknownTokenError: the client was removed meanwhile.
    """
    issuer = current_settings().issuer
    posted = registration.read(body)
    registration.check_replacement(posted, current)
    _check_secret(posted, current)
    members = registration.checked_members(
        posted, client_id=current.client_id, agency_id=current.agency_id, issuer=issuer
    )
    _check_sector(members)
    keeps_secret = registration.needs_secret(members) and bool(current.secret_digest)
    secret = random_token() if registration.needs_secret(members) and not keeps_secret else None
    secret_digest = current.secret_digest if keeps_secret else digest(secret) if secret else ""
    with transaction() as session:
        written = session.scalar(
            update(Row)
            .where(
                Row.client_id == current.client_id,
                Row.registration_digest == current.token_digest,
                Row.revoked_at.is_(None),
            )
            .values(members=members, secret_digest=secret_digest, version=Row.version + 1, loaded_at=now)
            .returning(Row.client_id)
            .execution_options(synchronize_session=False)
        )
        if written is None:
            raise UnknownTokenError
        _record(audit.Event.CLIENT_REPLACED, current.client_id, current.agency_id, now)
    client_services.forget(current.client_id)
    return registration.answer(
        current.client_id,
        members,
        registered_at=current.registered_at,
        token=token,
        issuer=issuer,
        new_secret=secret,
    )


def remove(current: Registered, *, now: datetime) -> None:
    """Remove a client at its own wish, with all it was given (RFC 7592 §2.3)."""
    client_services.revoke(current.client_id, actor=audit.Actor("client", current.client_id), now=now)


def _check_secret(posted: Mapping[str, Any], current: Registered) -> None:
    """A client may send its secret back, never choose one (RFC 7592 §2.2)."""
    if "client_secret" not in posted:
        return
    shown = digest(posted["client_secret"]) if isinstance(posted["client_secret"], str) else ""
    if not current.secret_digest or not hmac.compare_digest(shown, current.secret_digest):
        raise registration.refusal("client_secret must be the one on record: a client does not choose its secret")


def _check_sector(members: Mapping[str, Any]) -> None:
    wrong = sector_services.fault(members)
    if wrong:
        raise registration.refusal(wrong)


def _record(event: audit.Event, client_id: str, agency_id: str, now: datetime) -> None:
    audit.record(
        event,
        actor=audit.Actor("client", client_id),
        now=now,
        agency_id=agency_id,
        details={"client_id": client_id},
    )
