"""Tables of imported data.

An import loads a new *generation* beside the one in force, then the head of its kind is moved in one statement, so that
readers see the old data or the new, whole. Codes and names have no length here: the publisher decides.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, UtcDateTime

_ONE_TREE = {"sqlite_with_rowid": False}


class ImportRun(Base):
    """One import, with its outcome (``loading current replaced failed superseded removed``)."""

    __tablename__ = "import_run"

    generation: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    counts: Mapped[dict[str, Any]] = mapped_column(JSON)


class ImportHead(Base):
    """The generation in force, one row per kind."""

    __tablename__ = "import_head"

    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    generation: Mapped[int] = mapped_column(Integer)
    imported_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RegisterEnterprise(Base):
    """A row of Entreprise.csv: the columns that are used."""

    __tablename__ = "register_enterprise"
    __table_args__ = _ONE_TREE

    generation: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    neq: Mapped[str] = mapped_column(String(10), primary_key=True)
    status: Mapped[str] = mapped_column(String(2))
    status_date: Mapped[date | None] = mapped_column(Date)
    legal_form: Mapped[str] = mapped_column(Text)
    bankrupt: Mapped[bool]
    line1: Mapped[str] = mapped_column(Text)
    line2: Mapped[str] = mapped_column(Text)
    line3: Mapped[str] = mapped_column(Text)
    line4: Mapped[str] = mapped_column(Text)


class RegisterName(Base):
    """A row of Nom.csv: legal, other or numbered name; in force, former, future or reserved."""

    __tablename__ = "register_name"
    __table_args__ = _ONE_TREE

    generation: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    neq: Mapped[str] = mapped_column(String(10), primary_key=True)
    line: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(Text)
    foreign_name: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(1))
    kind: Mapped[str] = mapped_column(Text)
    began_on: Mapped[date | None] = mapped_column(Date)
    ended_on: Mapped[date | None] = mapped_column(Date)


class RegisterMerger(Base):
    """A row of FusionScissions.csv that names a component or an origin by its NEQ."""

    __tablename__ = "register_merger"
    __table_args__ = _ONE_TREE

    generation: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    component: Mapped[str] = mapped_column(String(10), primary_key=True)
    line: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    result: Mapped[str] = mapped_column(String(10))
    relation: Mapped[str] = mapped_column(Text)
    effective_on: Mapped[date | None] = mapped_column(Date)


class RegisterEstablishment(Base):
    """The principal establishment, from Etablissements.csv."""

    __tablename__ = "register_establishment"
    __table_args__ = _ONE_TREE

    generation: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    neq: Mapped[str] = mapped_column(String(10), primary_key=True)
    line: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(Text)
    line1: Mapped[str] = mapped_column(Text)
    line2: Mapped[str] = mapped_column(Text)
    line3: Mapped[str] = mapped_column(Text)
    line4: Mapped[str] = mapped_column(Text)


class RegisterLabel(Base):
    """A row of DomaineValeur.csv; codes repeat across types."""

    __tablename__ = "register_label"
    __table_args__ = _ONE_TREE

    generation: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    type: Mapped[str] = mapped_column(Text, primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    label: Mapped[str] = mapped_column(Text)


class TaxAccountRow(Base):
    """A row of the tax agency's file: keyed digests to find it by, everything else sealed for ``tax:<id>``."""

    __tablename__ = "tax_account"
    __table_args__ = (
        Index("ix_tax_account_pair", "generation", "pair_digest"),
        Index("ix_tax_account_number", "generation", "number_digest"),
    )

    generation: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    line: Mapped[int] = mapped_column(Integer)
    number_digest: Mapped[str] = mapped_column(String(64))
    pair_digest: Mapped[str] = mapped_column(String(64))
    sealed: Mapped[str] = mapped_column(Text)


class TaxNotice(Base):
    """A notice of assessment: only the keyed digest of (NEQ, number, year), salted with the account's id."""

    __tablename__ = "tax_notice"
    __table_args__ = _ONE_TREE

    generation: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    account_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
