"""Tables of the alarm: how many attempts failed in each minute, and when the alarm was last raised. No person is in them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from ...db import Base, UtcDateTime


class FailedTries(Base):
    """Attempts that were checked wrong within one minute, over all accounts and codes."""

    __tablename__ = "failed_tries"

    minute: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    tries: Mapped[int] = mapped_column(Integer)


class AlarmRow(Base):
    """The last alarm of its kind."""

    __tablename__ = "alarm"

    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(Integer)
