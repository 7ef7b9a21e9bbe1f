"""Initial access tokens: the right to register clients for one agency, counted and dated (RFC 7591 §3; security-bar.md S-30).

Without one nobody registers anything. The token is shown once; its digest is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, insert, select, update

from ... import audit
from ...crypto.sealing import digest, random_token
from ...db import db, new_id, transaction
from ...delegation.catalogue import catalogue_services
from ..models import InitialAccessTokenRow as Row


@dataclass(frozen=True, slots=True)
class InitialToken:
    """A token as operators see it: never the token itself."""

    id: str
    agency_id: str
    uses_left: int
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


def issue(agency_id: str, *, uses: int, days: int, now: datetime) -> str:
    """Return a new token, which nobody can read again.

    Raises:
        NotFoundError: there is no such agency.
    """
    agency = catalogue_services.agency(agency_id)
    token, token_id = random_token(), new_id()
    with transaction() as session:
        session.execute(
            insert(Row).values(
                id=token_id,
                agency_id=agency.id,
                token_digest=digest(token),
                uses_left=uses,
                created_at=now,
                expires_at=now + timedelta(days=days),
            )
        )
        audit.record(
            audit.Event.INITIAL_TOKEN_ISSUED,
            actor=audit.SYSTEM,
            now=now,
            agency_id=agency.id,
            details={"token": token_id, "uses": uses, "days": days},
        )
    return token


def agency_of(token: str, *, now: datetime) -> str | None:
    """Return the agency for which *token* still opens the door, without using it up."""
    return db.session.scalar(select(Row.agency_id).where(_opens(token, now)))


def consume(token: str, *, now: datetime) -> str | None:
    """Use *token* once, in the caller's transaction, and return its agency: one statement, so no use is counted twice."""
    return db.session.scalar(
        update(Row)
        .where(_opens(token, now))
        .values(uses_left=Row.uses_left - 1)
        .returning(Row.agency_id)
        .execution_options(synchronize_session=False)
    )


def revoke(token_id: str, *, now: datetime) -> bool:
    """End a token by its identifier; return whether it was alive. Clients that it registered stay."""
    with transaction() as session:
        agency_id = session.scalar(
            update(Row)
            .where(Row.id == token_id, Row.revoked_at.is_(None))
            .values(revoked_at=now)
            .returning(Row.agency_id)
            .execution_options(synchronize_session=False)
        )
        if agency_id is None:
            return False
        audit.record(
            audit.Event.INITIAL_TOKEN_REVOKED,
            actor=audit.SYSTEM,
            now=now,
            agency_id=agency_id,
            details={"token": token_id},
        )
    return True


def listed() -> tuple[InitialToken, ...]:
    """Return every token, newest first."""
    wanted = select(Row.id, Row.agency_id, Row.uses_left, Row.created_at, Row.expires_at, Row.revoked_at)
    rows = db.session.execute(wanted.order_by(Row.created_at.desc(), Row.id))
    return tuple(InitialToken(*row) for row in rows)


def _opens(token: str, now: datetime) -> ColumnElement[bool]:
    return and_(Row.token_digest == digest(token), Row.uses_left > 0, Row.expires_at > now, Row.revoked_at.is_(None))
