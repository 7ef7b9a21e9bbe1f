"""The answer of the register of enterprises about one NEQ.

It proves existence, name, form, status and address. It names no natural person: it cannot prove that a person is an
officer (domain.md §7).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from ..errors import UnavailableError
from ..identifiers import Neq


class RegistrationStatus(StrEnum):
    """``COD_STAT_IMMAT`` (domain.md §7). Values are those of the register: never rename one."""

    IM = "IM"  # registered
    AI = "AI"  # notice of intention to constitute
    NI = "NI"  # not registered; normal for public bodies only
    RD = "RD"  # struck off on request
    RO = "RO"  # struck off ex officio
    RX = "RX"  # struck off ex officio, section 59


class RegisterUnavailableError(UnavailableError):
    """The register does not respond; the file waits, and no other source is queried instead."""

    code = "register_unavailable"


@dataclass(frozen=True, slots=True)
class RegisterEntry:
    """One enterprise in the register; labels are in French, as published."""

    neq: Neq
    name: str
    other_names: tuple[str, ...]
    status: RegistrationStatus
    status_date: date | None
    status_label: str
    legal_form_label: str | None
    bankrupt: bool
    address_lines: tuple[str, ...]  # empty when the register withholds the address
    merged_into: Neq | None


class EnterpriseRegister(Protocol):
    """A source of register entries."""

    def look_up(self, neq: Neq) -> RegisterEntry | None:
        """Return the entry of *neq*, or None when the register has none.

        Raises:
            RegisterUnavailableError: the register does not respond.
        """
        ...
