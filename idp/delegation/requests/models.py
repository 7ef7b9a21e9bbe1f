"""The table of requests for access. Rows stay inside this context."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON, Date, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from ...db import Base, UtcDateTime

_OPEN = text("state = 'open'")


class AccessRequest(Base):
    """A request of one user for blocks of one agency.

    ``reason`` and ``answer`` are sealed under the id of the row. A user has at most one open request at an agency.
    ``notified_at`` is null until the persons in charge were notified of it.
    """

    __tablename__ = "access_request"
    __table_args__ = (
        Index(
            "uq_access_request_open",
            "membership_id",
            "agency_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_access_request_enterprise", "enterprise_id", "state", "asked_at"),
        Index("ix_access_request_person", "person_id", "asked_at"),
        Index("ix_access_request_state", "state", "expires_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    enterprise_id: Mapped[str] = mapped_column(ForeignKey("enterprise.id"))
    membership_id: Mapped[str] = mapped_column(ForeignKey("membership.id"))
    person_id: Mapped[str] = mapped_column(String(32))
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"))
    blocks: Mapped[list[str]] = mapped_column(JSON)
    until: Mapped[date] = mapped_column(Date)
    reason: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    notified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(String(32))
    answer: Mapped[str | None] = mapped_column(Text)
    granted: Mapped[list[str]] = mapped_column(JSON)
