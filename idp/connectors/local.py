"""The two connectors that read imported data.

Each answer is read from one generation, even while an import replaces it.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from ..crypto.sealing import current_sealing
from ..db import db, release_connection
from ..errors import UnavailableError
from ..identifiers import Neq, RevenuQuebecId
from . import tax_files
from .enterprise_register import RegisterEntry, RegisterUnavailableError, RegistrationStatus
from .generations import REGISTER, TAX_FILE
from .models import (
    ImportHead,
    RegisterEnterprise,
    RegisterLabel,
    RegisterMerger,
    RegisterName,
    TaxAccountRow,
    TaxNotice,
)
from .tax_agency import Officer, TaxAccount, TaxAgencyUnavailableError


@contextmanager
def _reading(kind: str, unavailable: type[UnavailableError]) -> Iterator[tuple[Connection, int]]:
    """Open a consistent reading and return the generation in force."""
    release_connection()
    try:
        with db.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            head = connection.scalar(select(ImportHead.generation).where(ImportHead.kind == kind))
            if head is None:
                raise unavailable(f"no {kind} was imported")
            yield connection, head
    except SQLAlchemyError as error:
        raise unavailable(type(error).__name__) from error


class LocalRegister:
    """The register, from the copy that was imported."""

    def look_up(self, neq: Neq) -> RegisterEntry | None:
        """Return the entry of *neq*, or None when the copy has none.

        Raises:
            RegisterUnavailableError: nothing was imported yet, or the database does not respond.
        """
        with _reading(REGISTER, RegisterUnavailableError) as (connection, generation):
            row = connection.execute(
                select(RegisterEnterprise.__table__).where(
                    RegisterEnterprise.generation == generation, RegisterEnterprise.neq == neq.digits
                )
            ).first()
            if row is None:
                return None
            name, others = _names(connection, generation, neq)
            status = RegistrationStatus(row.status)
            return RegisterEntry(
                neq=neq,
                name=name,
                other_names=others,
                status=status,
                status_date=row.status_date,
                status_label=_label(connection, generation, "STAT_IMMAT", row.status),
                legal_form_label=_label(connection, generation, "FORM_JURI", row.legal_form) or None,
                bankrupt=row.bankrupt,
                address_lines=tuple(line for line in (row.line1, row.line2, row.line3, row.line4) if line),
                merged_into=None if status is RegistrationStatus.IM else _merged_into(connection, generation, neq),
            )


def _label(connection: Connection, generation: int, kind: str, code: str) -> str:
    label = connection.scalar(
        select(RegisterLabel.label).where(
            RegisterLabel.generation == generation, RegisterLabel.type == kind, RegisterLabel.code == code
        )
    )
    return label or code


def _names(connection: Connection, generation: int, neq: Neq) -> tuple[str, tuple[str, ...]]:
    """Return the name in force (N, else M, domain.md §7) and the other names in force, foreign versions included."""
    rows = connection.execute(
        select(RegisterName.__table__)
        .where(RegisterName.generation == generation, RegisterName.neq == neq.digits)
        .order_by(RegisterName.line)
    ).all()
    rows = [row for row in rows if row.name]  # the import emptied a name without any visible character
    in_force = [row for row in rows if row.status == "V"]
    current = next((row for kind in "NM" for row in in_force if row.kind == kind), None) or _fallback(in_force, rows)
    if current is None:
        return str(neq), ()
    others = [text for row in in_force for text in (row.name, row.foreign_name) if text and text != current.name]
    return current.name, tuple(dict.fromkeys(others))


def _fallback(in_force: Sequence[Row[Any]], rows: Sequence[Row[Any]]) -> Row[Any] | None:
    former = [row for row in rows if row.status == "A"]
    return next(iter(in_force), None) or max(former, key=lambda row: row.ended_on or date.min, default=None)


def _merged_into(connection: Connection, generation: int, neq: Neq) -> Neq | None:
    """Return the result of the latest merger; a division is recognized by the label of its code."""
    rows = connection.execute(
        select(RegisterMerger.result, RegisterMerger.relation, RegisterMerger.effective_on).where(
            RegisterMerger.generation == generation, RegisterMerger.component == neq.digits
        )
    ).all()
    mergers = [
        row
        for row in rows
        if _label(connection, generation, "RELA_ASSUJ", row.relation).casefold().startswith(("fusion", "fus"))
    ]
    latest = max(mergers, key=lambda row: row.effective_on or date.min, default=None)
    return Neq(latest.result) if latest else None


class LocalTaxAgency:
    """The tax agency, from the file that was imported."""

    def account(self, neq: Neq, revenu_quebec_id: RevenuQuebecId) -> TaxAccount | None:
        """Return the account that has both numbers, or None.

        Raises:
            TaxAgencyUnavailableError: nothing was imported yet, or the database does not respond.
        """
        with _reading(TAX_FILE, TaxAgencyUnavailableError) as (connection, generation):
            row = _account_row(connection, generation, neq, revenu_quebec_id)
        return None if row is None else _account(row.id, row.sealed)

    def has_notice(self, neq: Neq, revenu_quebec_id: RevenuQuebecId) -> bool:
        """Return whether a notice of assessment is on file for this account."""
        return bool(self._notices(neq, revenu_quebec_id)[1])

    def notice_matches(self, neq: Neq, revenu_quebec_id: RevenuQuebecId, notice_number: str, notice_year: int) -> bool:
        """Return whether this account has the notice with this number and year."""
        account_id, digests = self._notices(neq, revenu_quebec_id)
        typed = tax_files.notice_digest(current_sealing(), account_id, neq.digits, notice_number, notice_year)
        return any(hmac.compare_digest(typed, digest) for digest in digests)

    def _notices(self, neq: Neq, revenu_quebec_id: RevenuQuebecId) -> tuple[str, tuple[str, ...]]:
        with _reading(TAX_FILE, TaxAgencyUnavailableError) as (connection, generation):
            row = _account_row(connection, generation, neq, revenu_quebec_id)
            account_id = row.id if row else ""
            digests = connection.scalars(
                select(TaxNotice.digest).where(TaxNotice.generation == generation, TaxNotice.account_id == account_id)
            ).all()
        return account_id, tuple(digests)


def _account_row(
    connection: Connection, generation: int, neq: Neq, revenu_quebec_id: RevenuQuebecId
) -> Row[str, str] | None:
    pair = tax_files.pair_digest(current_sealing(), neq.digits, revenu_quebec_id.digits)
    return connection.execute(
        select(TaxAccountRow.id, TaxAccountRow.sealed).where(
            TaxAccountRow.generation == generation, TaxAccountRow.pair_digest == pair
        )
    ).first()


def _account(account_id: str, sealed: str) -> TaxAccount:
    told = json.loads(current_sealing().unseal(sealed, tax_files.context(account_id)))
    return TaxAccount(
        active=told["active"],
        legal_name=told["legal_name"],
        mailing_lines=tuple(told["mailing_lines"]),
        mailing_region=told["mailing_region"],
        address_stale=told["address_stale"],
        officers=tuple(
            Officer(given, family, position, date.fromisoformat(born) if born else None)
            for given, family, position, born in told["officers"]
        ),
    )
