"""Tables around a sign-in: what waits for its person, a change of address, the browsers a person is known by."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ...db import Base, UtcDateTime


class KeptForm(Base):
    """A form that waits for its person: they must show again who they are, or sign in again."""

    __tablename__ = "kept_form"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    person_id: Mapped[str] = mapped_column(String(32), ForeignKey("person.id"), index=True)
    sid: Mapped[str | None] = mapped_column(String(32))  # of the one sign-in it serves; none: of any of the person
    path: Mapped[str] = mapped_column(Text)
    fields: Mapped[str] = mapped_column(Text)  # sealed for kept_form:<id>
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class EmailChange(Base):
    """A new e-mail address: asked for, confirmed by a code sent there, and undone from the old one for a while."""

    __tablename__ = "email_change"

    id: Mapped[str] = mapped_column(String(32), ForeignKey("challenge.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(String(32), ForeignKey("person.id"), index=True)
    former: Mapped[str] = mapped_column(String(254))
    wanted: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undo_digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class KnownBrowser(Base):
    """A browser in which a person has shown every factor: it keeps a way in while strangers lock the account (S-50)."""

    __tablename__ = "known_browser"
    __table_args__ = (UniqueConstraint("person_id", "secret_digest"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    person_id: Mapped[str] = mapped_column(String(32), ForeignKey("person.id"))
    secret_digest: Mapped[str] = mapped_column(String(64))
    device: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
