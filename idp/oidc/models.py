"""The tables of this context; their rows stay inside it.

Codes and secrets are kept as SHA-256 digests only.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, UtcDateTime


class RelyingPartyRow(Base):
    """A client of an agency; ``members`` is its registration (RFC 7591 names), without the secret.

    A client that registered itself has ``registered_at``, and manages itself by the token of ``registration_digest``.
    """

    __tablename__ = "relying_party"

    client_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    agency_id: Mapped[str] = mapped_column(String(32), index=True)
    members: Mapped[dict[str, Any]] = mapped_column(JSON)
    secret_digest: Mapped[str] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(Integer)
    loaded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    registered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    registration_digest: Mapped[str | None] = mapped_column(String(64))
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class InitialAccessTokenRow(Base):
    """The right to register clients for one agency, a number of times until a date (RFC 7591 §3)."""

    __tablename__ = "initial_access_token"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    agency_id: Mapped[str] = mapped_column(String(32))
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    uses_left: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class InteractionRow(Base):
    """An authorization request under way, bound to one browser; its answers count for ``answered_by`` only.

    Once it is over the request is forgotten; where its answer goes is kept for a day, so that its browser finds the way back.
    """

    __tablename__ = "interaction"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("relying_party.client_id"))
    request: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    redirect_uri: Mapped[str | None] = mapped_column(Text)
    response_mode: Mapped[str | None] = mapped_column(String(20))
    state: Mapped[str | None] = mapped_column(Text)
    browser_digest: Mapped[str | None] = mapped_column(String(64))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    answered_by: Mapped[str | None] = mapped_column(String(32))
    chosen: Mapped[str | None] = mapped_column(String(32))
    consented_for: Mapped[str | None] = mapped_column(String(32))
    completed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class PushedRequestRow(Base):
    """A checked authorization request that a client pushed (RFC 9126), under the digest of its reference."""

    __tablename__ = "pushed_request"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("relying_party.client_id"))
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class GrantRow(Base):
    """What a person allowed a client once, with its code; also the record of which (sid, client) hold tokens.

    With ``offline_until`` it carries a family of refresh tokens, known by its digest and its current generation.
    """

    __tablename__ = "authorization_grant"
    __table_args__ = (Index("ix_authorization_grant_person_agency", "person_id", "agency_id"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("relying_party.client_id"))
    agency_id: Mapped[str] = mapped_column(String(32))
    person_id: Mapped[str] = mapped_column(String(32))
    enterprise_id: Mapped[str] = mapped_column(String(32))
    sid: Mapped[str] = mapped_column(String(32), index=True)
    auth_time: Mapped[datetime] = mapped_column(UtcDateTime)
    acr: Mapped[str] = mapped_column(String(64))
    amr: Mapped[list[str]] = mapped_column(JSON)
    scopes: Mapped[list[str]] = mapped_column(JSON)
    nonce: Mapped[str | None] = mapped_column(Text)
    details: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    claims: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    redirect_uri: Mapped[str] = mapped_column(Text)
    code_challenge: Mapped[str | None] = mapped_column(String(43))
    code_digest: Mapped[str] = mapped_column(String(64), unique=True)
    code_expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    code_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    dpop_jkt: Mapped[str | None] = mapped_column(String(43))
    cnf: Mapped[dict[str, str] | None] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    session_ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    offline_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    refresh_digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    refresh_generation: Mapped[int] = mapped_column(Integer, default=0)
    refreshed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ConsentRow(Base):
    """What a person agreed to disclose to an agency about themselves and one enterprise; withdrawn, never deleted.

    ``claims`` are those beside what the scopes bring; ``blocks`` are codes, or ``*``, and none at all when it is null.
    """

    __tablename__ = "consent"
    __table_args__ = (Index("ix_consent_person_agency", "person_id", "agency_id"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    person_id: Mapped[str] = mapped_column(String(32))
    enterprise_id: Mapped[str] = mapped_column(String(32))
    agency_id: Mapped[str] = mapped_column(String(32))
    scopes: Mapped[list[str]] = mapped_column(JSON)
    claims: Mapped[list[str] | None] = mapped_column(JSON)
    blocks: Mapped[list[str] | None] = mapped_column(JSON)
    text_version: Mapped[str] = mapped_column(String(16))
    given_at: Mapped[datetime] = mapped_column(UtcDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ReplayIdRow(Base):
    """An identifier that a client has used and may not use again while its proof could still be taken."""

    __tablename__ = "replay_id"

    owner: Mapped[str] = mapped_column(String(100), primary_key=True)
    identifier_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class LogoutRow(Base):
    """One logout token to deliver to one client about one sign-in; ``cause`` makes a second fan-out harmless."""

    __tablename__ = "backchannel_logout"
    __table_args__ = (UniqueConstraint("cause", "client_id", "sid"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    cause: Mapped[str] = mapped_column(String(64))
    removal_id: Mapped[str | None] = mapped_column(String(32))
    client_id: Mapped[str] = mapped_column(ForeignKey("relying_party.client_id"))
    agency_id: Mapped[str] = mapped_column(String(32))
    person_id: Mapped[str] = mapped_column(String(32))
    sid: Mapped[str] = mapped_column(String(32))
    queued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class EventStreamRow(Base):
    """How one client of an agency hears of security events; the header it gave for push is sealed under the row's id."""

    __tablename__ = "event_stream"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("relying_party.client_id"), unique=True)
    agency_id: Mapped[str] = mapped_column(String(32), index=True)
    method: Mapped[str] = mapped_column(String(32))
    endpoint_url: Mapped[str | None] = mapped_column(Text)
    authorization: Mapped[str | None] = mapped_column(Text)
    events: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    description: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RemovedSubjectRow(Base):
    """A person about whom a receiver requires to hear nothing; ``sub`` is the agency's own name for them."""

    __tablename__ = "event_stream_removed_subject"

    stream_id: Mapped[str] = mapped_column(ForeignKey("event_stream.id"), primary_key=True)
    sub: Mapped[str] = mapped_column(String(255), primary_key=True)


class SecurityEventRow(Base):
    """One event for one stream, its id the ``jti``; ``cause`` makes a second fan-out harmless.

    ``carrier`` names the one notice of the outbox that may deliver it, None when none may (polled, or held by a pause).
    ``removal_id`` is the removal that waits for this delivery to be confirmed.
    """

    __tablename__ = "security_event"
    __table_args__ = (UniqueConstraint("stream_id", "cause"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    stream_id: Mapped[str] = mapped_column(ForeignKey("event_stream.id"))
    cause: Mapped[str] = mapped_column(String(100))
    event: Mapped[dict[str, Any]] = mapped_column(JSON)
    person_id: Mapped[str | None] = mapped_column(String(32))
    enterprise_id: Mapped[str | None] = mapped_column(String(32))
    removal_id: Mapped[str | None] = mapped_column(String(32), index=True)
    carrier: Mapped[str | None] = mapped_column(String(32))
    queued_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    refused_as: Mapped[str | None] = mapped_column(String(32))
