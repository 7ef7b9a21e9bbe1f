"""The tables of enrolment: the file, the persons it names, its events, its codes and its documents."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, UtcDateTime


class EnrolmentFile(Base):
    """One file. A sealed value opens only in its own row: context ``enrolment_file:<column>:<id>``."""

    __tablename__ = "enrolment_file"
    __table_args__ = (Index("ix_enrolment_file_state_deadline", "state", "deadline_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    number: Mapped[str] = mapped_column(String(16), unique=True)
    state: Mapped[str] = mapped_column(String(16))
    language: Mapped[str] = mapped_column(String(2))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state_since: Mapped[datetime] = mapped_column(UtcDateTime)
    deadline_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    neq: Mapped[str | None] = mapped_column(String(10), index=True)
    enterprise_name: Mapped[str | None] = mapped_column(String(400))  # as the register wrote it when it was confirmed
    legal_form: Mapped[str | None] = mapped_column(String(200))
    neq_confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    has_revenu_quebec_id: Mapped[bool | None] = mapped_column(Boolean)  # None: not answered yet
    revenu_quebec_id_sealed: Mapped[str | None] = mapped_column(Text)

    given_name: Mapped[str | None] = mapped_column(String(100))
    family_name: Mapped[str | None] = mapped_column(String(100))
    birth_date_sealed: Mapped[str | None] = mapped_column(Text)
    position: Mapped[str | None] = mapped_column(String(32))
    basis: Mapped[str | None] = mapped_column(String(16))
    notice_number_sealed: Mapped[str | None] = mapped_column(Text)
    notice_year: Mapped[int | None] = mapped_column(Integer)
    email: Mapped[str | None] = mapped_column(String(254))
    phone: Mapped[str | None] = mapped_column(String(32))
    email_confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    terms_version: Mapped[str | None] = mapped_column(String(16))
    terms_language: Mapped[str | None] = mapped_column(String(2))
    terms_digest: Mapped[str | None] = mapped_column(String(64))
    terms_accepted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    submitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    check_leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    correction_asked: Mapped[bool] = mapped_column(Boolean, default=False)
    document_wanted: Mapped[bool] = mapped_column(Boolean, default=False)
    outcome: Mapped[str | None] = mapped_column(String(32))
    reasons: Mapped[list[str]] = mapped_column(JSON, default=list)
    public_facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # the register's status, for a refusal

    verification_method: Mapped[str | None] = mapped_column(String(16))
    verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    verified_by: Mapped[str | None] = mapped_column(String(32))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    refusal_reason: Mapped[str | None] = mapped_column(String(32))
    review_note: Mapped[str | None] = mapped_column(Text)
    proposed_by: Mapped[str | None] = mapped_column(String(32))
    proposed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    contested_because: Mapped[str | None] = mapped_column(Text)

    enterprise_id: Mapped[str | None] = mapped_column(String(32))
    representative_id: Mapped[str | None] = mapped_column(String(32), index=True)
    representative_code: Mapped[str | None] = mapped_column(String(8))


class Nominee(Base):
    """A person named in charge of electronic services (PES)."""

    __tablename__ = "enrolment_nominee"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    file_id: Mapped[str] = mapped_column(ForeignKey("enrolment_file.id"), index=True)
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    is_representative: Mapped[bool] = mapped_column(Boolean)
    given_name: Mapped[str | None] = mapped_column(String(100))
    family_name: Mapped[str | None] = mapped_column(String(100))
    email: Mapped[str | None] = mapped_column(String(254))
    phone: Mapped[str | None] = mapped_column(String(32))
    person_id: Mapped[str | None] = mapped_column(String(32))
    user_code: Mapped[str | None] = mapped_column(String(8))
    slip_collected_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class FileEvent(Base):
    """One line of a file's timeline, in words a visitor may read; the audit log has the proof."""

    __tablename__ = "enrolment_event"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    file_id: Mapped[str] = mapped_column(ForeignKey("enrolment_file.id"), index=True)
    place: Mapped[int] = mapped_column(Integer)  # order within the file: two lines may have the same instant
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    event: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16))


class Attempt(Base):
    """A failed attempt on the numbers or the notice, counted per file and per NEQ over 24 hours (decisions.md §9)."""

    __tablename__ = "enrolment_attempt"
    __table_args__ = (Index("ix_enrolment_attempt_neq_at", "neq", "at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    file_id: Mapped[str] = mapped_column(ForeignKey("enrolment_file.id"), index=True)
    neq: Mapped[str] = mapped_column(String(10))
    kind: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class MailedCode(Base):
    """A code sent by letter: only its keyed digest is kept; a new mailing revokes the older one."""

    __tablename__ = "enrolment_mailed_code"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    file_id: Mapped[str] = mapped_column(ForeignKey("enrolment_file.id"), index=True)
    digest: Mapped[str] = mapped_column(String(64))
    ordered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    printed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    killed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class EmailCode(Base):
    """A code sent by e-mail: to confirm an address, return to a file, or open its representative's account."""

    __tablename__ = "enrolment_email_code"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    file_id: Mapped[str] = mapped_column(ForeignKey("enrolment_file.id"), index=True)
    purpose: Mapped[str] = mapped_column(String(16))
    digest: Mapped[str] = mapped_column(String(64))
    sent_to: Mapped[str] = mapped_column(String(254))
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class FileBrowser(Base):
    """A browser that may open a file, by a secret in its page session of which only a digest is stored."""

    __tablename__ = "enrolment_browser"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    file_id: Mapped[str] = mapped_column(ForeignKey("enrolment_file.id"), index=True)
    secret_digest: Mapped[str] = mapped_column(String(64), unique=True)
    device: Mapped[str] = mapped_column(String(80))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Evidence(Base):
    """A document: sealed, with its hash; the content is destroyed 90 days after the decision (domain.md §2.4)."""

    __tablename__ = "enrolment_evidence"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    file_id: Mapped[str] = mapped_column(ForeignKey("enrolment_file.id"), index=True)
    kind: Mapped[str] = mapped_column(String(32))
    file_name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(32))
    size: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(String(64))
    content_sealed: Mapped[str | None] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    wiped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
