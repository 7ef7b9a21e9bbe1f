"""The decision on a submitted file: the table of domain.md §2.4 with decisions.md §8–10, one function per line.

The outcome is that of the first line that applies; ``reasons`` lists every line that applies. Which fact failed is
shown to operators, never to an anonymous visitor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum, StrEnum

from ...clock import local_date
from ...connectors.enterprise_register import RegisterEntry, RegistrationStatus
from ...connectors.tax_agency import Officer, TaxAccount
from ...identifiers import Neq, RevenuQuebecId
from .names import same_name
from .positions import Basis, is_enough_by_office

NOTICE_YEARS = 5  # decisions.md §9: recent when its year is at least this year − 5
TRIES = 5  # per file and per NEQ
TRIES_WINDOW_HOURS = 24
QUEBEC = "CA-QC"


class Unavailable(Enum):
    """A connector did not respond: neither a fact nor its absence."""

    UNAVAILABLE = "unavailable"


UNAVAILABLE = Unavailable.UNAVAILABLE


class AssessmentOutcome(StrEnum):
    """What becomes of the file."""

    WAIT = "wait"
    REFUSED = "refused"
    CORRECTION = "correction"
    REVIEW = "review"
    VERIFIED_ONLINE = "verified_online"
    CODE_MAILED = "code_mailed"


class AssessmentReason(StrEnum):
    """A line of the table that applies. Values are stored: never rename one."""

    CONNECTOR_UNAVAILABLE = "connector_unavailable"
    STATUS_NOT_ACCEPTED = "status_not_accepted"
    NOT_IN_LOCAL_REGISTER = "not_in_local_register"
    BANKRUPT = "bankrupt"
    ALREADY_ENROLLED = "already_enrolled"
    TRIES_EXHAUSTED = "tries_exhausted"
    NUMBERS_DISAGREE = "numbers_disagree"
    NO_REVENU_QUEBEC_ID = "no_revenu_quebec_id"
    BY_MANDATE = "by_mandate"
    POSITION_NOT_ENOUGH = "position_not_enough"
    OFFICER_NOT_FOUND = "officer_not_found"
    TWO_OFFICERS_MATCH = "two_officers_match"
    NOTICE_WRONG = "notice_wrong"
    NOTICE_MATCHES = "notice_matches"
    ADDRESS_GOOD = "address_good"
    ADDRESS_STALE = "address_stale"
    ADDRESS_OUTSIDE_QUEBEC = "address_outside_quebec"


class FileRefusalReason(StrEnum):
    """Why a file is refused, from a list the applicant can read. Values are stored."""

    STATUS_NOT_ACCEPTED = "status_not_accepted"  # by a line of the table; the others, by an operator
    IDENTITY_NOT_PROVED = "identity_not_proved"
    NOT_AUTHORIZED = "not_authorized"
    DOCUMENT_INSUFFICIENT = "document_insufficient"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True)
class Application:
    """What the representative declared, and what the provider knows of the file when it decides."""

    neq: Neq
    revenu_quebec_id: RevenuQuebecId | None
    given_name: str
    family_name: str
    birth_date: date
    position: str
    basis: Basis
    notice_year: int | None = None
    notice_matches: bool = False  # the tax agency's answer for the number and year typed
    already_enrolled: bool = False
    tries_exhausted: bool = False  # on the numbers, by this file or this NEQ, over 24 hours
    notice_tries_exhausted: bool = False


@dataclass(frozen=True, slots=True)
class Assessment:
    """The decision and all its grounds."""

    outcome: AssessmentOutcome
    reasons: tuple[AssessmentReason, ...]


@dataclass(frozen=True, slots=True)
class ApplicationFacts:
    """All the facts that the lines below read."""

    application: Application
    entry: RegisterEntry | Unavailable | None
    account: TaxAccount | Unavailable | None
    now: datetime

    @property
    def tax(self) -> TaxAccount | None:
        """Return the tax account, when the agency responded and the account is active."""
        return self.account if isinstance(self.account, TaxAccount) and self.account.active else None

    @property
    def matching_officers(self) -> tuple[Officer, ...]:
        """Return the officers on file with this name, this birth date and this position."""
        asked = self.application
        return tuple(
            officer
            for officer in (self.tax.officers if self.tax else ())
            if officer.birth_date == asked.birth_date
            and officer.position == asked.position
            and same_name(asked.given_name, asked.family_name, officer.given_name, officer.family_name)
        )

    @property
    def office_holds(self) -> bool:
        """Return whether exactly one officer on file is this representative, with an accepted office."""
        return _by_office(self) and not position_not_enough(self) and len(self.matching_officers) == 1

    @property
    def notice_is_recent(self) -> bool:
        """Return whether the typed notice is recent enough to count."""
        year = self.application.notice_year
        this_year = local_date(self.now).year
        return year is not None and this_year - NOTICE_YEARS <= year <= this_year


def register_accepts(neq: Neq, entry: RegisterEntry) -> bool:
    """Return whether this status allows enrolment: registered, or not registered and a public body."""
    public_body = entry.status is RegistrationStatus.NI and neq.family == "88"
    return entry.status is RegistrationStatus.IM or public_body


def _by_office(facts: ApplicationFacts) -> bool:
    return facts.application.basis is Basis.OFFICE


def connector_unavailable(facts: ApplicationFacts) -> bool:
    """Line 2: a connector is unavailable; no other source replaces it, and the file is never accepted."""
    return UNAVAILABLE in (facts.entry, facts.account)


def status_not_accepted(facts: ApplicationFacts) -> bool:
    """Line 3: only IM is registered; NI is accepted for public bodies (domain.md §6.1)."""
    if not isinstance(facts.entry, RegisterEntry):
        return False
    return not register_accepts(facts.application.neq, facts.entry)


def not_in_local_register(facts: ApplicationFacts) -> bool:
    """Line 4: the local copy of the register may be old."""
    return facts.entry is None


def bankrupt(facts: ApplicationFacts) -> bool:
    """Line 4: bankrupt though registered."""
    return isinstance(facts.entry, RegisterEntry) and facts.entry.bankrupt


def already_enrolled(facts: ApplicationFacts) -> bool:
    """Decide (decisions.md §10): a second file for an enterprise goes to an operator, in neutral words."""
    return facts.application.already_enrolled


def tries_exhausted(facts: ApplicationFacts) -> bool:
    """Decide (decisions.md §9): beyond five attempts the file goes to review without notice."""
    return facts.application.tries_exhausted


def numbers_disagree(facts: ApplicationFacts) -> bool:
    """Line 5: a number is given, but no active tax account has it and this NEQ."""
    given = facts.application.revenu_quebec_id is not None
    return given and facts.account is not UNAVAILABLE and facts.tax is None


def no_revenu_quebec_id(facts: ApplicationFacts) -> bool:
    """Line 6: the representative declares no number."""
    return facts.application.revenu_quebec_id is None


def by_mandate(facts: ApplicationFacts) -> bool:
    """Line 6: authority by mandate is proved by a document."""
    return not _by_office(facts)


def position_not_enough(facts: ApplicationFacts) -> bool:
    """Line 6: this office does not bind this kind of enterprise."""
    asked = facts.application
    return _by_office(facts) and not is_enough_by_office(asked.neq.family, asked.position)


def officer_not_found(facts: ApplicationFacts) -> bool:
    """Line 6: no officer on file has this name, birth date and position."""
    return _by_office(facts) and facts.tax is not None and not facts.matching_officers


def two_officers_match(facts: ApplicationFacts) -> bool:
    """Line 6: two persons on file match."""
    return _by_office(facts) and len(facts.matching_officers) > 1


def notice_wrong(facts: ApplicationFacts) -> bool:
    """Decide (decisions.md §9): a wrong notice number counts as an attempt, up to five."""
    asked = facts.application
    usable = facts.notice_is_recent and not asked.notice_tries_exhausted
    return facts.office_holds and usable and not asked.notice_matches


def notice_matches(facts: ApplicationFacts) -> bool:
    """Line 7: the office matches, and a recent notice proves it."""
    asked = facts.application
    usable = facts.notice_is_recent and not asked.notice_tries_exhausted
    return facts.office_holds and usable and asked.notice_matches


def address_good(facts: ApplicationFacts) -> bool:
    """Line 8: the office matches and a letter will arrive."""
    return facts.office_holds and not address_stale(facts) and not address_outside_quebec(facts)


def address_stale(facts: ApplicationFacts) -> bool:
    """Line 9: mail was returned after the address was last updated."""
    return facts.office_holds and facts.tax is not None and facts.tax.address_stale


def address_outside_quebec(facts: ApplicationFacts) -> bool:
    """Line 9: the letter would leave Québec."""
    return facts.office_holds and facts.tax is not None and facts.tax.mailing_region != QUEBEC


LINES: tuple[tuple[Callable[[ApplicationFacts], bool], AssessmentReason, AssessmentOutcome], ...] = (
    (connector_unavailable, AssessmentReason.CONNECTOR_UNAVAILABLE, AssessmentOutcome.WAIT),
    (status_not_accepted, AssessmentReason.STATUS_NOT_ACCEPTED, AssessmentOutcome.REFUSED),
    (not_in_local_register, AssessmentReason.NOT_IN_LOCAL_REGISTER, AssessmentOutcome.REVIEW),
    (bankrupt, AssessmentReason.BANKRUPT, AssessmentOutcome.REVIEW),
    (tries_exhausted, AssessmentReason.TRIES_EXHAUSTED, AssessmentOutcome.REVIEW),
    (numbers_disagree, AssessmentReason.NUMBERS_DISAGREE, AssessmentOutcome.CORRECTION),
    (already_enrolled, AssessmentReason.ALREADY_ENROLLED, AssessmentOutcome.REVIEW),
    (no_revenu_quebec_id, AssessmentReason.NO_REVENU_QUEBEC_ID, AssessmentOutcome.REVIEW),
    (by_mandate, AssessmentReason.BY_MANDATE, AssessmentOutcome.REVIEW),
    (position_not_enough, AssessmentReason.POSITION_NOT_ENOUGH, AssessmentOutcome.REVIEW),
    (officer_not_found, AssessmentReason.OFFICER_NOT_FOUND, AssessmentOutcome.REVIEW),
    (two_officers_match, AssessmentReason.TWO_OFFICERS_MATCH, AssessmentOutcome.REVIEW),
    (notice_wrong, AssessmentReason.NOTICE_WRONG, AssessmentOutcome.CORRECTION),
    (notice_matches, AssessmentReason.NOTICE_MATCHES, AssessmentOutcome.VERIFIED_ONLINE),
    (address_good, AssessmentReason.ADDRESS_GOOD, AssessmentOutcome.CODE_MAILED),
    (address_stale, AssessmentReason.ADDRESS_STALE, AssessmentOutcome.REVIEW),
    (address_outside_quebec, AssessmentReason.ADDRESS_OUTSIDE_QUEBEC, AssessmentOutcome.REVIEW),
)


def assess(
    application: Application,
    entry: RegisterEntry | Unavailable | None,
    account: TaxAccount | Unavailable | None,
    now: datetime,
) -> Assessment:
    """Decide what becomes of *application*; every reason is listed, the first line decides."""
    facts = ApplicationFacts(application, entry, account, now)
    holding = tuple((reason, outcome) for line, reason, outcome in LINES if line(facts))
    return Assessment(holding[0][1], tuple(reason for reason, _ in holding))
