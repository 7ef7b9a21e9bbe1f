"""The table of the desk."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, UtcDateTime


class Operator(Base):
    """A person who works at the desk, in one role."""

    __tablename__ = "operator"

    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(16))
    agency_id: Mapped[str | None] = mapped_column(String(32))
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
