"""The tables of the catalogue and of subscriptions. Rows stay inside this context."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from ...db import Base, UtcDateTime


class CatalogueAgency(Base):
    """An agency as its document was last loaded; ``digest`` shows other processes that it changed."""

    __tablename__ = "agency"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    catalogue_version: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    document: Mapped[dict[str, Any]] = mapped_column(JSON)
    loaded_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Subscription(Base):
    """The subscription of one enterprise to one agency: one row for its whole life, whatever its state.

    ``revision`` grows with every change; the person who writes names the one they saw.
    """

    __tablename__ = "subscription"
    __table_args__ = (
        Index("uq_subscription_enterprise_agency", "enterprise_id", "agency_id", unique=True),
        Index("ix_subscription_agency_state", "agency_id", "state"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    enterprise_id: Mapped[str] = mapped_column(ForeignKey("enterprise.id"))
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"))
    state: Mapped[str] = mapped_column(String(16))
    revision: Mapped[int] = mapped_column(Integer)
    blocks: Mapped[list[str]] = mapped_column(JSON)
    answers: Mapped[dict[str, str]] = mapped_column(JSON)
    questionnaire_version: Mapped[str] = mapped_column(String(64))
    consent_version: Mapped[str] = mapped_column(String(64))
    consent_digest: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str | None] = mapped_column(String(32))
    causes: Mapped[list[str]] = mapped_column(JSON)
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    requested_by: Mapped[str] = mapped_column(String(32))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SubscriptionStep(Base):
    """One thing that happened to a subscription, in order; never changed."""

    __tablename__ = "subscription_event"

    subscription_id: Mapped[str] = mapped_column(ForeignKey("subscription.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    event: Mapped[str] = mapped_column(String(24))
    actor_kind: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str | None] = mapped_column(String(32))


class SubscriptionChange(Base):
    """A change of the blocks and answers of an active subscription, asked at ``revision``; the row of its life.

    ``outcome`` is null while the agency decides; the content, before and after, is never changed. ``extends`` says whether
    people with unrestricted access get the added blocks.
    """

    __tablename__ = "subscription_change"

    subscription_id: Mapped[str] = mapped_column(ForeignKey("subscription.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(Integer, primary_key=True)
    former_blocks: Mapped[list[str]] = mapped_column(JSON)
    former_answers: Mapped[dict[str, str]] = mapped_column(JSON)
    blocks: Mapped[list[str]] = mapped_column(JSON)
    answers: Mapped[dict[str, str]] = mapped_column(JSON)
    extends: Mapped[bool] = mapped_column(Boolean)
    questionnaire_version: Mapped[str] = mapped_column(String(64))
    consent_version: Mapped[str | None] = mapped_column(String(64))
    consent_digest: Mapped[str | None] = mapped_column(String(64))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    asked_by: Mapped[str] = mapped_column(String(32))
    outcome: Mapped[str | None] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(32))
    causes: Mapped[list[str]] = mapped_column(JSON)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
