"""Tables of recovery: forgotten passwords, re-proofings, which notices people receive, and where they are reached."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from ...db import Base, UtcDateTime


class PasswordRecovery(Base):
    """A forgotten password; ``person_id`` is empty for a user code that does not exist, and all else looks the same."""

    __tablename__ = "password_recovery"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    secret_digest: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[str | None] = mapped_column(String(32), ForeignKey("person.id"), index=True)
    user_code: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(16))
    code_digest: Mapped[str | None] = mapped_column(String(64))
    code_sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    code_tries: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class Reproofing(Base):
    """A person lost every second factor and is proved again; of the slip only a keyed digest is kept."""

    __tablename__ = "reproofing"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    person_id: Mapped[str] = mapped_column(String(32), ForeignKey("person.id"), index=True)
    user_code: Mapped[str] = mapped_column(String(8), index=True)
    state: Mapped[str] = mapped_column(String(16))
    started_by: Mapped[str] = mapped_column(String(32))
    secret_digest: Mapped[str | None] = mapped_column(String(64))
    pairing: Mapped[str | None] = mapped_column(String(8))
    objection_digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    challenge_id: Mapped[str | None] = mapped_column(String(32))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    shown_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    serves_from: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SecurityNotice(Base):
    """Something happened to a person's credentials; ``batch`` is the message that reports it, alone or with others."""

    __tablename__ = "security_notice"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    person_id: Mapped[str] = mapped_column(String(32), ForeignKey("person.id"), index=True)
    what: Mapped[str] = mapped_column(String(40))
    device: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    batch: Mapped[str | None] = mapped_column(String(32), index=True)


class Allowance(Base):
    """When messages of one sort last left for one subject, so that nobody can have a person flooded."""

    __tablename__ = "allowance"

    subject: Mapped[str] = mapped_column(String(120), primary_key=True)
    taken: Mapped[list[str]] = mapped_column(JSON)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class ContactPoint(Base):
    """What is known of an e-mail address: its owner typed a code sent there; or a server refused it for good."""

    __tablename__ = "contact_point"

    address: Mapped[str] = mapped_column(String(254), primary_key=True)  # without case
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    bounced_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    bounce_status: Mapped[int | None] = mapped_column(Integer)
