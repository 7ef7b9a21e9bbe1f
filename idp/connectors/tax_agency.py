"""The answer of the tax agency about one pair of numbers: its address for letters, its officers, its notices."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from ..errors import UnavailableError
from ..identifiers import Neq, RevenuQuebecId


class TaxAgencyUnavailableError(UnavailableError):
    """The tax agency does not respond; the file waits, and no other source is queried instead."""

    code = "tax_agency_unavailable"


@dataclass(frozen=True, slots=True)
class Officer:
    """A person, or a company that is a partner (no given name, no birth date), and the position held."""

    given_name: str
    family_name: str
    position: str
    birth_date: date | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class TaxAccount:
    """The record of one pair of numbers; the Revenu Québec number itself is never returned."""

    active: bool
    legal_name: str
    mailing_lines: tuple[str, ...] = field(repr=False)
    mailing_region: str  # ISO 3166-2 (CA-QC, US-VT) or a country (DE)
    address_stale: bool  # mail came back after the last update of the address
    officers: tuple[Officer, ...] = field(repr=False)


class TaxAgency(Protocol):
    """A source of tax accounts. Every method may raise ``TaxAgencyUnavailableError``."""

    def account(self, neq: Neq, revenu_quebec_id: RevenuQuebecId) -> TaxAccount | None:
        """Return the account that has both numbers, or None; the answer does not reveal which one is wrong."""
        ...

    def has_notice(self, neq: Neq, revenu_quebec_id: RevenuQuebecId) -> bool:
        """Return whether a notice of assessment is on file for this account."""
        ...

    def notice_matches(self, neq: Neq, revenu_quebec_id: RevenuQuebecId, notice_number: str, notice_year: int) -> bool:
        """Return whether this account has the notice with this number and year."""
        ...
