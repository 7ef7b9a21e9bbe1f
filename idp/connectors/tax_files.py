"""The tax agency's file: its columns, what each row must contain, and how it is stored.

The Revenu Québec number and the notices are kept only as keyed digests; the rest is sealed (personal information).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..crypto.sealing import Sealing
from ..db import new_id
from ..identifiers import InvalidIdentifierError, Neq, RevenuQuebecId
from ..names import readable
from .csv_files import Layout, Row, columns
from .errors import Faults

POSITIONS = frozenset(
    columns("""president vice_president secretary treasurer sole_director director owner partner trustee clerk
    general_manager""")
)
_OFFICERS = tuple(
    f"officer{place}_{part}" for place in (1, 2, 3) for part in ("given_name", "family_name", "position", "birth_date")
)
_COLUMNS = (
    *columns("neq revenu_quebec_id account_status legal_name"),
    *(f"mailing_line{line}" for line in (1, 2, 3, 4)),
    *columns("mailing_region address_updated_on mail_returned_on notice1_number notice1_year notice2_number"),
    "notice2_year",
    *_OFFICERS,
)
LAYOUT = Layout("", _COLUMNS, _COLUMNS)
_REGION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?", re.ASCII)
_YEAR = re.compile(r"(19|20)\d\d", re.ASCII)
_NOTICE_SEPARATORS = dict.fromkeys(map(ord, " -\u00a0\u202f\u2010\u2011\u2013\t"))


@dataclass(frozen=True, slots=True)
class SealedAccount:
    """One row as it is stored."""

    id: str
    line: int
    number_digest: str
    pair_digest: str
    sealed: str
    notices: tuple[str, ...]


def context(account_id: str) -> str:
    """Return the sealing context of an account."""
    return f"tax:{account_id}"


def pair_digest(sealing: Sealing, neq: str, number: str) -> str:
    """Return the digest by which an account is found."""
    return sealing.keyed_digest(f"{neq}|{number}", "tax-pair")


def notice_digest(sealing: Sealing, account_id: str, neq: str, number: str, year: int) -> str:
    """Return the digest of a notice, salted with the account's id; case, spaces and hyphens are ignored."""
    folded = number.translate(_NOTICE_SEPARATORS).upper()
    return sealing.keyed_digest(f"{neq}|{folded}|{year}", f"tax-notice:{account_id}")


def accounts(rows: Iterator[Row], name: str, sealing: Sealing, faults: Faults) -> Iterator[SealedAccount]:
    """Seal each row without a fault."""
    for line, values in rows:
        row = dict(zip(_COLUMNS, values, strict=True))
        problems = _problems(row)
        for problem in problems:
            faults.add(name, line, problem)
        if not problems:
            yield _sealed(row, line, sealing)


def _problems(row: dict[str, str]) -> list[str]:
    """Yield what is wrong, by column; no value is repeated, since values are personal or confidential."""
    found = []
    if row["neq"] and not _holds(Neq, row["neq"]):
        found.append("neq: not a Québec enterprise number")
    if not _holds(RevenuQuebecId, row["revenu_quebec_id"]) or len(row["revenu_quebec_id"]) != 10:
        found.append("revenu_quebec_id: not ten digits")
    if row["account_status"] not in ("active", "closed"):
        found.append("account_status: neither active nor closed")
    if not _REGION.fullmatch(row["mailing_region"]):
        found.append("mailing_region: not a region or country code")
    for place in (1, 2):
        number, year = row[f"notice{place}_number"], row[f"notice{place}_year"]
        if bool(number) != bool(year) or (year and not _YEAR.fullmatch(year)):
            found.append(f"notice{place}: a number and a year of four digits, or neither")
    for given, family, position, born in _officers(row):
        if position not in POSITIONS:
            found.append("officer: unknown position")
        if not family or bool(given) != bool(born):
            found.append("officer: a person has a family name, a given name and a birth date; a company a name only")
        if not all(readable(part) == part.strip() for part in (given, family)):
            found.append("officer: a name with a character that is not seen")
    return found


def _holds(kind: type[Neq] | type[RevenuQuebecId], text: str) -> bool:
    try:
        Neq.parse(text, "off") if kind is Neq else RevenuQuebecId.parse(text)
    except InvalidIdentifierError:
        return False
    return len(text) == 10


def _officers(row: dict[str, str]) -> Iterator[tuple[str, str, str, str]]:
    for start in range(0, len(_OFFICERS), 4):
        given, family, position, born = (row[column] for column in _OFFICERS[start : start + 4])
        if given or family or position or born:
            yield given, family, position, born


def _sealed(row: dict[str, str], line: int, sealing: Sealing) -> SealedAccount:
    account_id = new_id()
    told = {
        "active": row["account_status"] == "active",
        "legal_name": readable(row["legal_name"]),
        "mailing_lines": [row[f"mailing_line{place}"] for place in (1, 2, 3, 4) if row[f"mailing_line{place}"]],
        "mailing_region": row["mailing_region"],
        "address_stale": row["mail_returned_on"] > row["address_updated_on"],  # ISO dates sort as text
        "officers": list(_officers(row)),
    }
    neq, number = row["neq"], row["revenu_quebec_id"]
    notices = {(row[f"notice{place}_number"], row[f"notice{place}_year"]) for place in (1, 2)}
    return SealedAccount(
        id=account_id,
        line=line,
        number_digest=sealing.keyed_digest(number, "tax-number"),
        pair_digest=pair_digest(sealing, neq, number),
        sealed=sealing.seal(json.dumps(told, ensure_ascii=False), context(account_id)),
        notices=tuple({notice_digest(sealing, account_id, neq, text, int(year)) for text, year in notices if text}),
    )
