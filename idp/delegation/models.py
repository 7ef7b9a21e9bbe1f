"""The tables of enterprises, memberships, grants, system users, projections and removals. Rows stay inside this context.

Ids of persons and operators belong to accounts and support; they are kept as plain ids, without a foreign key.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, UtcDateTime


class Enterprise(Base):
    """An enterprise that enrolled. ``roster_revision`` is raised, under its row lock, by every change of its PES."""

    __tablename__ = "enterprise"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    neq: Mapped[str] = mapped_column(String(10), unique=True)
    name: Mapped[str] = mapped_column(Text)
    sort_name: Mapped[str] = mapped_column(Text)
    legal_form: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(16))
    registered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    roster_revision: Mapped[int] = mapped_column(Integer, default=0)
    register_entry: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # what the register said last, and when
    register_read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class EnterpriseVerification(Base):
    """How an enterprise and its authorized representative were verified; written once."""

    __tablename__ = "enterprise_verification"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    enterprise_id: Mapped[str] = mapped_column(ForeignKey("enterprise.id"), unique=True)
    method: Mapped[str] = mapped_column(String(16))
    verified_at: Mapped[datetime] = mapped_column(UtcDateTime)
    verified_by: Mapped[str] = mapped_column(String(64))
    evidence: Mapped[list[str]] = mapped_column(JSON)
    file_id: Mapped[str] = mapped_column(String(32))
    authorized_representative: Mapped[str] = mapped_column(String(32))
    given_name: Mapped[str] = mapped_column(String(100), default="", server_default="")  # as they were proved
    family_name: Mapped[str] = mapped_column(String(100), default="", server_default="")


_IN_PLACE = text("status <> 'removed'")
_AR_IN_PLACE = text("status <> 'removed' AND role = 'authorized_representative'")


class Membership(Base):
    """One role of one person in one enterprise, with the user code that signs in for it.

    The name and the address are those that the enterprise knows, whatever the account of the person says elsewhere. The name
    vouched for is that of ``vouched_at``: a correction changes the first and leaves the second.
    """

    __tablename__ = "membership"
    __table_args__ = (
        Index(
            "uq_membership_person_role",
            "enterprise_id",
            "person_id",
            "role",
            unique=True,
            sqlite_where=_IN_PLACE,
            postgresql_where=_IN_PLACE,
        ),
        Index("ix_membership_enterprise_sort_name", "enterprise_id", "sort_name", "id"),
        Index(
            "uq_membership_one_ar",
            "enterprise_id",
            unique=True,
            sqlite_where=_AR_IN_PLACE,
            postgresql_where=_AR_IN_PLACE,
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    enterprise_id: Mapped[str] = mapped_column(ForeignKey("enterprise.id"))
    person_id: Mapped[str] = mapped_column(String(32), index=True)
    role: Mapped[str] = mapped_column(String(32))
    status: Mapped[str] = mapped_column(String(16))
    user_code: Mapped[str] = mapped_column(String(16))
    appointed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    given_name: Mapped[str] = mapped_column(String(100), default="", server_default="")
    family_name: Mapped[str] = mapped_column(String(100), default="", server_default="")
    email: Mapped[str] = mapped_column(String(254), default="", server_default="")  # emptied by a removal
    vouched_given_name: Mapped[str] = mapped_column(String(100), default="", server_default="")
    vouched_family_name: Mapped[str] = mapped_column(String(100), default="", server_default="")
    vouched_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    phone: Mapped[str] = mapped_column(
        String(32), default="", server_default=""
    )  # emptied by a removal, as the address
    position: Mapped[str] = mapped_column(String(32), default="", server_default="")
    sort_name: Mapped[str] = mapped_column(String(210), default="", server_default="")  # folded: see db.sort_key


class QuestionRow(Base):
    """A message for those in charge of an enterprise, from a person who does not know who they are."""

    __tablename__ = "question"
    __table_args__ = (Index("ix_question_enterprise_asked_at", "enterprise_id", "asked_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    enterprise_id: Mapped[str] = mapped_column(ForeignKey("enterprise.id"))
    said: Mapped[str] = mapped_column(Text)  # who asks, how to reach them, the message: sealed for question:<id>
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answered_by: Mapped[str | None] = mapped_column(String(32))


class BlockGrant(Base):
    """The right of one member to one block (or ``*``) of one agency, between two instants.

    A row is written once; afterwards only ``revoked_at`` and ``revoked_by`` are set, once.
    """

    __tablename__ = "block_grant"
    __table_args__ = (Index("ix_block_grant_member_agency", "membership_id", "agency_id"),)

    id: Mapped[str] = mapped_column(String(34), primary_key=True)
    membership_id: Mapped[str] = mapped_column(ForeignKey("membership.id"))
    agency_id: Mapped[str] = mapped_column(String(32))
    block: Mapped[str] = mapped_column(String(3))
    not_before: Mapped[datetime] = mapped_column(UtcDateTime)
    not_after: Mapped[datetime] = mapped_column(UtcDateTime)
    granted_by: Mapped[str] = mapped_column(String(64))
    granted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_by: Mapped[str | None] = mapped_column(String(64))


_APPROVED = text("revoked_at IS NULL")


class SoftwareApproval(Base):
    """The approval, by a PES, of one client of an agency to act for the enterprise; its id is that of the system user.

    Written once; afterwards only ``revoked_at`` and ``revoked_by`` are set, once, ``last_used_at`` moves, and ``blocks`` loses
    what the enterprise is no longer subscribed to.
    """

    __tablename__ = "software_approval"
    __table_args__ = (
        Index(
            "uq_software_approval_enterprise_client",
            "enterprise_id",
            "client_id",
            unique=True,
            sqlite_where=_APPROVED,
            postgresql_where=_APPROVED,
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    enterprise_id: Mapped[str] = mapped_column(ForeignKey("enterprise.id"))
    agency_id: Mapped[str] = mapped_column(String(32))
    client_id: Mapped[str] = mapped_column(String(100), index=True)
    name: Mapped[str] = mapped_column(Text)
    blocks: Mapped[list[str]] = mapped_column(JSON)
    not_after: Mapped[datetime] = mapped_column(UtcDateTime)
    approved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    approved_by: Mapped[str] = mapped_column(String(32))
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_by: Mapped[str | None] = mapped_column(String(64))
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RightsRevision(Base):
    """The revision of the matrix of one enterprise at one agency: each save must name the one it saw."""

    __tablename__ = "rights_revision"

    enterprise_id: Mapped[str] = mapped_column(ForeignKey("enterprise.id"), primary_key=True)
    agency_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    revision: Mapped[int] = mapped_column(Integer)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[str] = mapped_column(String(64))


class Projection(Base):
    """What was last projected for a person, an enterprise and an agency; ``version`` only grows (decisions.md §17).

    ``changes_at`` is when a date alone will change it; the sweeper looks there.
    """

    __tablename__ = "projection"

    person_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    enterprise_id: Mapped[str] = mapped_column(ForeignKey("enterprise.id"), primary_key=True)
    agency_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(Integer)
    blocks: Mapped[list[str]] = mapped_column(JSON)
    changes_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)


class Removal(Base):
    """Rights that a person lost at an agency, and when the agency confirmed that it knows."""

    __tablename__ = "removal"
    __table_args__ = (Index("ix_removal_enterprise_at", "enterprise_id", "at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    enterprise_id: Mapped[str] = mapped_column(ForeignKey("enterprise.id"))
    agency_id: Mapped[str] = mapped_column(String(32))
    person_id: Mapped[str] = mapped_column(String(32))
    blocks: Mapped[list[str]] = mapped_column(JSON)
    reason: Mapped[str] = mapped_column(String(32))
    actor: Mapped[dict[str, Any]] = mapped_column(JSON)
    version: Mapped[int] = mapped_column(Integer)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sessions: Mapped[int | None] = mapped_column(Integer)
