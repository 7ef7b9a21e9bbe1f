"""Querying the connectors, always outside any transaction; one that is down returns ``UNAVAILABLE``."""

from __future__ import annotations

from typing import cast

from flask import current_app

from ..connectors.enterprise_register import EnterpriseRegister, RegisterEntry
from ..connectors.tax_agency import TaxAccount, TaxAgency
from ..errors import UnavailableError
from ..identifiers import Neq, RevenuQuebecId
from .domain.rules import UNAVAILABLE, Application, Unavailable
from .file_services import unseal
from .models import EnrolmentFile

Entry = RegisterEntry | Unavailable | None
Account = TaxAccount | Unavailable | None


def register() -> EnterpriseRegister:
    """Return the enterprise register of the application."""
    return cast(EnterpriseRegister, current_app.extensions["mandat.register"])


def tax_agency() -> TaxAgency:
    """Return the tax agency of the application."""
    return cast(TaxAgency, current_app.extensions["mandat.tax_agency"])


def look_up(neq: Neq) -> Entry:
    """Look up a NEQ in the register, outside any transaction."""
    try:
        return register().look_up(neq)
    except UnavailableError:
        return UNAVAILABLE


def ask_account(file: EnrolmentFile) -> Account:
    """Fetch the account of *file* from the tax agency, outside any transaction."""
    number = unseal(file, "revenu_quebec_id")
    if file.neq is None or number is None:
        return None
    try:
        return tax_agency().account(Neq(file.neq), RevenuQuebecId(number))
    except UnavailableError:
        return UNAVAILABLE


def ask_tax_agency(application: Application, notice: tuple[str, int] | None) -> tuple[Account, bool]:
    """Return the account with these numbers, and whether the typed notice belongs to it."""
    number = application.revenu_quebec_id
    if number is None:
        return None, False
    try:
        account = tax_agency().account(application.neq, number)
        matches = notice is not None and tax_agency().notice_matches(application.neq, number, *notice)
    except UnavailableError:
        return UNAVAILABLE, False
    return account, matches
