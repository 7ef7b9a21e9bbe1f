"""Comparison of declared facts with those of the register and the tax agency.

The enterprise's name is shown and never compared (domain.md §2.4); the Revenu Québec number is not shown at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from .. import names
from ..connectors.enterprise_register import RegisterEntry, RegistrationStatus
from ..connectors.tax_agency import Officer, TaxAccount
from ..enrollment.domain.names import same_name
from ..enrollment.domain.rules import UNAVAILABLE, AssessmentReason
from ..enrollment.review_services import ReviewFile


class Match(StrEnum):
    """How a declared fact and an answer agree."""

    MATCHES = "matches"
    DIFFERS = "differs"
    NOT_FOUND = "not_found"
    UNAVAILABLE = "unavailable"
    NOT_DECLARED = "not_declared"
    SHOWN = "shown"  # there is nothing to compare


class ComparedSubject(StrEnum):
    """The subject of a line."""

    NAME = "name"
    STATUS = "status"
    LEGAL_FORM = "legal_form"
    REGISTER_ADDRESS = "register_address"
    TAX_ACCOUNT = "tax_account"
    TAX_NAME = "tax_name"
    MAILING_ADDRESS = "mailing_address"
    REPRESENTATIVE = "representative"
    BIRTH_DATE = "birth_date"
    POSITION = "position"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class ComparedFact:
    """One fact: as declared, as returned, and whether they agree. Values are raw; the page puts them into words."""

    subject: ComparedSubject
    declared: object
    answered: object
    match: Match


def compare(review: ReviewFile) -> tuple[ComparedFact, ...]:
    """Return every line, the register's first."""
    return (*_register_lines(review), *_tax_lines(review))


def is_unavailable(review: ReviewFile) -> bool:
    """Return whether a source does not respond: the operator waits, and does not decide (domain.md §2.4, line 2)."""
    return UNAVAILABLE in (review.entry, review.account)


def _register_lines(review: ReviewFile) -> Iterator[ComparedFact]:
    declared = review.file.enterprise_name
    entry = review.entry
    if not isinstance(entry, RegisterEntry):
        yield ComparedFact(
            ComparedSubject.NAME, declared, None, Match.UNAVAILABLE if entry is UNAVAILABLE else Match.NOT_FOUND
        )
        return
    accepted = {RegistrationStatus.IM} | ({RegistrationStatus.NI} if entry.neq.family == "88" else set())
    good = entry.status in accepted and not entry.bankrupt
    yield ComparedFact(ComparedSubject.NAME, declared, entry.name, Match.SHOWN)
    yield ComparedFact(ComparedSubject.STATUS, None, entry, Match.MATCHES if good else Match.DIFFERS)
    yield ComparedFact(ComparedSubject.LEGAL_FORM, None, entry.legal_form_label, Match.SHOWN)
    yield ComparedFact(ComparedSubject.REGISTER_ADDRESS, None, entry.address_lines, Match.SHOWN)


def _tax_lines(review: ReviewFile) -> Iterator[ComparedFact]:
    file, account = review.file, review.account
    if not isinstance(account, TaxAccount):
        missing = Match.NOT_FOUND if file.has_revenu_quebec_id else Match.NOT_DECLARED
        match = Match.UNAVAILABLE if account is UNAVAILABLE else missing
        yield ComparedFact(ComparedSubject.TAX_ACCOUNT, file.has_revenu_quebec_id, None, match)
        officers: tuple[Officer, ...] = ()
    else:
        match = Match.MATCHES if account.active else Match.DIFFERS
        yield ComparedFact(ComparedSubject.TAX_ACCOUNT, file.has_revenu_quebec_id, account.active, match)
        yield ComparedFact(ComparedSubject.TAX_NAME, file.enterprise_name, account.legal_name, Match.SHOWN)
        yield ComparedFact(
            ComparedSubject.MAILING_ADDRESS, None, account, Match.DIFFERS if account.address_stale else Match.SHOWN
        )
        officers = account.officers
    yield from _officer_lines(review, _closest(review, officers), match)
    yield ComparedFact(ComparedSubject.NOTICE, file.notice_year, None, _notice(review))


def _officer_lines(review: ReviewFile, officer: Officer | None, account: Match) -> Iterator[ComparedFact]:
    file = review.file
    pairs = (
        (
            ComparedSubject.REPRESENTATIVE,
            file.representative_name,
            officer and names.full(officer.given_name, officer.family_name),
        ),
        (ComparedSubject.BIRTH_DATE, file.birth_date, officer and officer.birth_date),
        (ComparedSubject.POSITION, file.position, officer and officer.position),
    )
    for subject, declared, answered in pairs:
        if officer is None:
            yield ComparedFact(
                subject, declared, None, Match.UNAVAILABLE if account is Match.UNAVAILABLE else Match.NOT_FOUND
            )
            continue
        same = _same_person(review, officer) if subject is ComparedSubject.REPRESENTATIVE else declared == answered
        yield ComparedFact(subject, declared, answered, Match.MATCHES if same else Match.DIFFERS)


def _closest(review: ReviewFile, officers: tuple[Officer, ...]) -> Officer | None:
    """Return the officer to show beside the representative: name and birth date, else name, else birth date."""
    for place in review.matching_officers:
        return officers[place]
    by_name = (officer for officer in officers if _same_person(review, officer))
    by_birth = (officer for officer in officers if officer.birth_date and officer.birth_date == review.file.birth_date)
    return next(by_name, None) or next(by_birth, None)


def _same_person(review: ReviewFile, officer: Officer) -> bool:
    file = review.file
    return same_name(file.given_name or "", file.family_name or "", officer.given_name, officer.family_name)


def _notice(review: ReviewFile) -> Match:
    if not review.file.has_notice:
        return Match.NOT_DECLARED
    reasons = review.summary.reasons
    if AssessmentReason.NOTICE_MATCHES in reasons:
        return Match.MATCHES
    return Match.DIFFERS if AssessmentReason.NOTICE_WRONG in reasons else Match.SHOWN
