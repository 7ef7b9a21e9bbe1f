"""The display text of the desk's values, in the language of the page."""

from __future__ import annotations

from datetime import date
from typing import Any

from ..connectors.enterprise_register import RegisterEntry
from ..connectors.tax_agency import TaxAccount
from ..enrollment.words import POSITIONS, REGISTER_STATUSES
from ..i18n import gettext as _
from ..i18n import lazy_gettext as _l
from ..i18n import long_date
from .comparison import ComparedFact, ComparedSubject, Match

SUBJECTS = {
    ComparedSubject.NAME: _l("Name of the enterprise"),
    ComparedSubject.STATUS: _l("Status in the register"),
    ComparedSubject.LEGAL_FORM: _l("Legal form"),
    ComparedSubject.REGISTER_ADDRESS: _l("Address in the register"),
    ComparedSubject.TAX_ACCOUNT: _l("Tax account with both numbers"),
    ComparedSubject.TAX_NAME: _l("Name at the tax agency"),
    ComparedSubject.MAILING_ADDRESS: _l("Mailing address at the tax agency"),
    ComparedSubject.REPRESENTATIVE: _l("Authorized representative"),
    ComparedSubject.BIRTH_DATE: _l("Birth date"),
    ComparedSubject.POSITION: _l("Position"),
    ComparedSubject.NOTICE: _l("Notice of assessment"),
}
MATCHES = {
    Match.MATCHES: _l("Agrees"),
    Match.DIFFERS: _l("Does not agree"),
    Match.NOT_FOUND: _l("Not found"),
    Match.UNAVAILABLE: _l("No answer now"),
    Match.NOT_DECLARED: _l("Not declared"),
    Match.SHOWN: _l("For information"),
}
MATCH_COLOURS: dict[Match, str | None] = {
    Match.MATCHES: "green",
    Match.DIFFERS: "red",
    Match.NOT_FOUND: "orange",
    Match.UNAVAILABLE: "yellow",
    Match.NOT_DECLARED: None,
    Match.SHOWN: None,
}


def declared(line: ComparedFact) -> str:
    """Return what the representative declared, in words."""
    match line.subject, line.declared:
        case (ComparedSubject.TAX_ACCOUNT, True):
            return str(_("Number given"))
        case (ComparedSubject.TAX_ACCOUNT, _other):
            return str(_("Declared: not registered"))
        case (ComparedSubject.NOTICE, int(year)):
            return str(_("Notice of %(year)s", year=year))
        case (ComparedSubject.NOTICE, _other):
            return str(_("No notice given"))
        case (_subject, value):
            return _plain(line.subject, value)


def answered(line: ComparedFact) -> str:
    """Return what the register or the tax agency answered, in words."""
    match line.answered:
        case RegisterEntry() as entry:
            return _status(entry)
        case TaxAccount() as account:
            return _mailing(account)
        case bool(active):
            return str(_("Active account") if active else _("Closed account"))
        case value:
            return _plain(line.subject, value)


def _status(entry: RegisterEntry) -> str:
    said = _plain(ComparedSubject.NAME, str(REGISTER_STATUSES[entry.status])).capitalize()
    if entry.status_date is not None:
        said = _("%(status)s, since %(date)s", status=said, date=long_date(entry.status_date))
    return "\n".join([said, *([_("Bankrupt")] if entry.bankrupt else [])])


def _mailing(account: TaxAccount) -> str:
    lines = list(account.mailing_lines)
    if account.address_stale:
        lines.append(_("Mail came back from this address"))
    return "\n".join(lines)


def _plain(subject: ComparedSubject, value: Any) -> str:
    if value is None or value == "" or value == ():
        return "–"
    if isinstance(value, date):
        return long_date(value)
    if isinstance(value, tuple):
        return "\n".join(value)
    if subject is ComparedSubject.POSITION:
        return str(next((label for position, label in POSITIONS.items() if position == value), value))
    return str(value)
