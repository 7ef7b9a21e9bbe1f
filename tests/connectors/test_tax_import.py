"""The import of the tax agency's file: whole or not at all, and no value of it is ever repeated."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from idp.audit.models import AuditEntry
from idp.connectors.errors import ImportRefusedError
from idp.connectors.local import LocalTaxAgency
from idp.connectors.models import TaxAccountRow, TaxNotice
from idp.connectors.tax_import import TaxFileCounts, import_tax_file
from idp.crypto.sealing import SealError, current_sealing
from idp.db import db, transaction
from idp.identifiers import Neq, RevenuQuebecId

HAPPY = Neq("1100000018"), RevenuQuebecId("9000000008")


def edit(path: Path, change: Callable[[str], str]) -> None:
    path.write_text(change(path.read_text(encoding="utf-8-sig")), encoding="utf-8-sig", newline="")


@pytest.mark.databases
def test_the_synthetic_file_is_imported_and_told_to_the_log(app: Flask, tax_file: Path, now: datetime) -> None:
    """52 accounts; the log has counts only. A second import replaces the first, with other salts."""
    counts = import_tax_file(tax_file, now)
    first = set(db.session.scalars(select(TaxNotice.digest)))

    assert import_tax_file(tax_file, now) == counts
    assert counts == TaxFileCounts(52, len(first))
    with transaction() as session:
        second = set(session.scalars(select(TaxNotice.digest)))
        assert session.scalar(select(func.count()).select_from(TaxAccountRow)) == 52
        entries = session.scalars(select(AuditEntry)).all()
    assert (len(second), first & second) == (len(first), set())
    assert [entry.event for entry in entries] == ["tax_file:imported"] * 2
    assert all(set(entry.details) == {"generation", "accounts", "notices"} for entry in entries)


def test_a_sealed_account_opens_in_its_own_row_only(app: Flask, tax_file: Path, now: datetime) -> None:
    """A value moved to another row does not open."""
    import_tax_file(tax_file, now)
    one, other = db.session.scalars(select(TaxAccountRow).limit(2)).all()

    assert current_sealing().unseal(one.sealed, f"tax:{one.id}")
    with pytest.raises(SealError):
        current_sealing().unseal(one.sealed, f"tax:{other.id}")


def _again(text: str) -> str:
    return text + text.splitlines(keepends=True)[1]


BROKEN: list[tuple[str, Callable[[str], str], int, str]] = [
    ("column", lambda t: t.replace("officer3_birth_date,", "", 1), 1, "columns missing: officer3_birth_date"),
    ("number twice", _again, 54, "revenu_quebec_id: also on line 2"),
    ("number", lambda t: t.replace("9000000008", "900000008", 1), 2, "revenu_quebec_id: not ten digits"),
    ("NEQ", lambda t: t.replace("1100000018", "11000O0018", 1), 2, "neq: not a Québec enterprise number"),
    ("status", lambda t: t.replace('"active"', '"open"', 1), 2, "account_status"),
    ("region", lambda t: t.replace('"CA-QC"', '"Québec"', 1), 2, "mailing_region"),
    ("notice year", lambda t: t.replace('"ZZ2500001T","2025"', '"ZZ2500001T",""', 1), 2, "notice1"),
    ("position", lambda t: t.replace('"president"', '"boss"', 1), 2, "officer: unknown position"),
    ("birth date", lambda t: t.replace("1971-04-12", "1971-04-31", 1), 2, "not a date"),
    ("no birth date", lambda t: t.replace("1971-04-12", "", 1), 2, "officer: a person has"),
    ("cut", lambda t: t[:-30], 53, ""),
]


@pytest.mark.parametrize(("change", "line", "words"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_a_broken_file_is_refused_by_line_and_the_old_data_stay(
    app: Flask, tax_file: Path, now: datetime, change: Callable[[str], str], line: int, words: str
) -> None:
    """The refusal names file, line and column, and repeats no personal value."""
    import_tax_file(tax_file, now)
    edit(tax_file, change)

    with pytest.raises(ImportRefusedError) as raised:
        import_tax_file(tax_file, now)

    fault = raised.value.faults[0]
    assert (fault.file, fault.line) == ("revenu_quebec.csv", line)
    assert words in fault.problem
    for value in ("Zéphyrine", "1971", "900000008", "ZZ25"):
        assert value not in str(raised.value)
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(TaxAccountRow)) == 52
    assert LocalTaxAgency().notice_matches(*HAPPY, "ZZ2500001T", 2025)


def test_a_wrong_encoding_is_refused(app: Flask, tax_file: Path, now: datetime) -> None:
    """Accents are never guessed."""
    tax_file.write_bytes(tax_file.read_text(encoding="utf-8-sig").encode("cp1252", "replace"))

    with pytest.raises(ImportRefusedError, match="line 2: is not UTF-8"):
        import_tax_file(tax_file, now)
