# ruff: noqa: E501 (one case a line)
"""Every named case of the synthetic data, and the lines of domain.md §2.4 one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from flask import Flask

from idp.connectors.enterprise_register import RegisterEntry, RegistrationStatus
from idp.connectors.local import LocalRegister, LocalTaxAgency
from idp.connectors.register_import import import_register
from idp.connectors.tax_agency import Officer, TaxAccount
from idp.connectors.tax_import import import_tax_file
from idp.enrollment import words
from idp.enrollment.domain import rules
from idp.enrollment.domain.positions import Basis
from idp.enrollment.domain.rules import (
    UNAVAILABLE,
    Application,
    AssessmentOutcome,
    AssessmentReason,
    Unavailable,
    assess,
)
from idp.identifiers import Neq, RevenuQuebecId

SYNTHETIC = Path(__file__).parents[3] / "examples" / "synthetic"
AS_OF = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)

ONLINE, MAILED, REVIEW = AssessmentOutcome.VERIFIED_ONLINE, AssessmentOutcome.CODE_MAILED, AssessmentOutcome.REVIEW
REFUSED, BACK = AssessmentOutcome.REFUSED, AssessmentOutcome.CORRECTION


@dataclass(frozen=True)
class Case:
    """What the representative types, and what is expected (data/README.md)."""

    name: str
    neq: str
    number: str | None
    person: str  # given|family|birth date|position
    expected: AssessmentOutcome
    notice: tuple[str, int] | None = None
    basis: Basis = Basis.OFFICE
    reason: AssessmentReason | None = None


def notice(serial: int, year: int) -> tuple[str, int]:
    """Return the synthetic notice of a row."""
    return f"ZZ{year % 100}{serial:05d}T", year


CASES = (
    Case("happy_online", "1100000018", "9000000008", "Zéphyrine|Brumeplume|1971-04-12|president", ONLINE, ("ZZ2500001T", 2025)),
    Case("happy_online_older_notice", "1100000018", "9000000008", "Zéphyrine|Brumeplume|1971-04-12|president", ONLINE, ("ZZ2400002T", 2024)),
    Case("happy_mailed_code", "1100001230", "9000000016", "Côme|L’Écluse|1966-07-19|president", MAILED),
    Case("ar_by_mandate", "1109876541", "9000000121", "Inès|Courantfort|1990-01-01|other", REVIEW, basis=Basis.MANDATE, reason=AssessmentReason.BY_MANDATE),
    Case("struck_off_ex_officio", "1100000109", "9001000371", "Ovide|Quenouillard|1955-05-05|president", REFUSED, ("ZZ2300004T", 2023)),
    Case("struck_off_on_request", "1100000117", "9001000745", "*1", REFUSED),
    Case("struck_off_article_59", "1100000125", "9001001113", "*1", REFUSED),
    Case("numbers_disagree_a", "1100000141", "1000000091", "*1", BACK, reason=AssessmentReason.NUMBERS_DISAGREE),
    Case("numbers_disagree_b", "1100000158", "9999999996", "*1", BACK, reason=AssessmentReason.NUMBERS_DISAGREE),
    Case("stale_address", "1100000166", "1000000040", "Perle|Nacrevive|1979-06-06|president", REVIEW, reason=AssessmentReason.ADDRESS_STALE),
    Case("officer_not_found", "1100000174", "1000000031", "Prudence|Écorcebois|1957-01-25|president", REVIEW, reason=AssessmentReason.OFFICER_NOT_FOUND),
    Case("director_only", "1100000182", "9001001482", "Théo|Lunel|1982-02-22|director", REVIEW, ("ZZ2500010T", 2025), reason=AssessmentReason.POSITION_NOT_ENOUGH),
    Case("director_only_calls_himself_president", "1100000182", "9001001482", "Théo|Lunel|1982-02-22|president", REVIEW, ("ZZ2500010T", 2025)),
    Case("director_only_president", "1100000182", "9001001482", "Sabine|Sabotier|1975-05-17|president", ONLINE, ("ZZ2500010T", 2025)),
    Case("sole_director", "1100000190", "9001001857", "*1", ONLINE, ("*", 0)),
    Case("foreign_director", "1100000208", "9001002225", "*1", REVIEW, reason=AssessmentReason.ADDRESS_OUTSIDE_QUEBEC),
    Case("bankrupt", "1100000216", "9001002594", "*1", REVIEW, ("*", 0), reason=AssessmentReason.BANKRUPT),
    Case("notice_too_old", "1100000232", "9001002969", "*1", MAILED, ("*", 0)),
    Case("same_name_two_officers", "1100000240", "9001003337", "Hector|Tremblefeuille|1976-06-15|vice_president", ONLINE, ("*", 0)),
    Case("same_name_two_officers_day_off", "1100000240", "9001003337", "Hector|Tremblefeuille|1976-06-16|vice_president", REVIEW, ("*", 0)),
    Case("name_variants_helene", "1100000257", "9001003701", "helene|cote l'heureux|1985-07-01|president", ONLINE, ("*", 0)),
    Case("name_variants_francoise", "1100000257", "9001003701", "Francoise|Coeurvaillant|1987-03-19|secretary", ONLINE, ("*", 0)),
    Case("name_variants_jean", "1100000257", "9001003701", "Jean Francois|St Onde|1991-10-02|treasurer", ONLINE, ("*", 0)),
    Case("numbered_company", "1100000265", "9001004074", "*1", ONLINE, ("*", 0)),
    Case("address_withheld", "1100000273", "9001004449", "*1", ONLINE, ("*", 0)),
    Case("merged_component", "1100000281", "9001004813", "*1", REFUSED, ("*", 0)),
    Case("merger_result", "1100000307", "9001005186", "*1", ONLINE, ("*", 0)),
    Case("division_origin", "1100000315", "9001005551", "*1", ONLINE, ("*", 0)),
    Case("two_accounts_first", "1100000331", "9001005925", "*1", ONLINE, ("*", 0)),
    Case("two_accounts_second", "1100000331", "9001006298", "*1", MAILED),
    Case("check_digit_warns", "1100000349", "9000007774", "*1", ONLINE, ("*", 0)),
    Case("tax_account_closed", "1100000356", "9001006662", "*1", BACK, ("*", 0), reason=AssessmentReason.NUMBERS_DISAGREE),
    Case("future_name", "1100000364", "9001007031", "*1", ONLINE, ("*", 0)),
    Case("non_profit", "1100000372", "9001007405", "*1", ONLINE, ("*", 0)),
    Case("cooperative", "1100000398", "9001007774", "*1", ONLINE, ("*", 0)),
    Case("continued_company", "1100000430", "9001008142", "*1", ONLINE, ("*", 0)),
    Case("amp_candidate_1", "1100000455", "9001008517", "*1", ONLINE, ("*", 0)),
    Case("amp_candidate_2", "1100000455", "9001008517", "*2", ONLINE, ("*", 0)),
    Case("amp_candidate_3", "1100000455", "9001008517", "*3", ONLINE, ("*", 0)),
    Case("birthday_29_february", "1100000463", "9001008886", "*1", ONLINE, ("*", 0)),
    Case("declaration_overdue", "1100000471", "9001009254", "*1", ONLINE, ("*", 0)),
    Case("name_differs_at_tax_agency", "1100000497", "9001009629", "*1", ONLINE, ("*", 0)),
    Case("sole_proprietor", "2200000018", "9001009998", "*1", ONLINE, ("*", 0)),
    Case("sole_proprietor_own_pes", "2200001230", "9001010368", "*1", ONLINE, ("*", 0)),
    Case("sole_proprietor_struck_off", "2200000505", "9001010732", "*1", REFUSED, ("*", 0)),
    Case("sole_proprietor_no_notice", "2200000513", "9001011101", "*1", MAILED),
    Case("name_changed", "2200000521", "9001011470", "Nguyen|Thi Lamerveille|1986-08-20|owner", ONLINE, ("*", 0)),
    Case("name_changed_other_order", "2200000521", "9001011470", "Thi Lamerveille|Nguyen|1986-08-20|owner", ONLINE, ("*", 0)),
    Case("no_program", "2200000539", "9001011844", "*1", ONLINE, ("*", 0)),
    Case("mandatary_firm_1", "3300000018", "9001012212", "*1", ONLINE, ("*", 0)),
    Case("mandatary_firm_2", "3300000018", "9001012212", "*2", ONLINE, ("*", 0)),
    Case("partnership_1", "3309876541", "9001012581", "*1", ONLINE, ("*", 0)),
    Case("partnership_2", "3309876541", "9001012581", "*2", ONLINE, ("*", 0)),
    Case("partner_is_a_company", "3300000604", "9001012956", "Bourrasque|Douxvent|1980-01-01|partner", REVIEW, ("*", 0)),
    Case("joint_venture", "3300000612", "9001013324", "Julie|Hautelicorne|1980-01-01|partner", REVIEW, ("*", 0)),
    Case("trust", "3300000646", "9001013693", "*1", ONLINE, ("*", 0)),
    Case("partnership_outside_quebec", "3300000653", "9001014061", "*1", ONLINE, ("*", 0)),
    Case("partnership_outside_quebec_no_notice", "3300000653", "9001014061", "*1", REVIEW, reason=AssessmentReason.ADDRESS_OUTSIDE_QUEBEC),
    Case("partnership_struck_off", "3300000661", "9001014436", "*1", REFUSED, ("*", 0)),
    Case("public_body_88", "8800000018", "9001014801", "Edmée|Greffier|1968-01-20|clerk", REVIEW, reason=AssessmentReason.POSITION_NOT_ENOUGH),
    Case("public_body_88_mandate", "8809876541", "9001015173", "Rose|Débarcadère|1970-01-01|other", REVIEW, basis=Basis.MANDATE),
    Case("public_body_88_two_files", "8800000703", "9001015548", "*1", REVIEW),
    Case("neq_not_in_register", "1100009993", "9001015912", "*1", REVIEW, ("*", 0), reason=AssessmentReason.NOT_IN_LOCAL_REGISTER),
    Case("notice_of_intention_a", "1100000133", None, "A|B|1980-01-01|president", REFUSED),
    Case("notice_of_intention_b", "1100000489", None, "A|B|1980-01-01|president", REFUSED),
    Case("not_registered_with_tax_agency_number", "1100000224", "9000000008", "A|B|1980-01-01|president", BACK),
    Case("not_registered_with_tax_agency_none", "1100000224", None, "A|B|1980-01-01|president", REVIEW),
    Case("not_registered_but_not_88", "1100000380", None, "A|B|1980-01-01|president", REFUSED),
    Case("forms_without_tax_row_coownership", "1100000406", None, "A|B|1980-01-01|president", REVIEW),
    Case("forms_without_tax_row_benefit", "1100000414", None, "A|B|1980-01-01|president", REVIEW),
    Case("forms_without_tax_row_insurance", "1100000422", None, "A|B|1980-01-01|president", REVIEW),
    Case("forms_without_tax_row_association", "3300000620", None, "A|B|1980-01-01|partner", REVIEW),
    Case("forms_without_tax_row_group", "3300000638", None, "A|B|1980-01-01|partner", REVIEW),
    Case("very_long_name", "1100000448", None, "A|B|1980-01-01|president", REVIEW, reason=AssessmentReason.NO_REVENU_QUEBEC_ID),
    Case("association_struck_off", "3300000679", None, "A|B|1980-01-01|partner", REFUSED),
    Case("public_body_88_no_tax_row", "8800000711", None, "A|B|1980-01-01|clerk", REVIEW),
    Case("public_body_88_registered", "8800000729", None, "A|B|1980-01-01|clerk", REVIEW),
)  # fmt: skip


@pytest.fixture(scope="module")
def rows() -> dict[str, dict[str, str]]:
    """Read the tax file as text, by Revenu Québec number."""
    import csv

    with (SYNTHETIC / "revenu_quebec.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["revenu_quebec_id"]: row for row in csv.DictReader(file)}


@pytest.fixture
def imported(app: Flask) -> Iterator[None]:
    import_register(SYNTHETIC / "req", AS_OF)
    import_tax_file(SYNTHETIC / "revenu_quebec.csv", AS_OF)
    return


def typed(case: Case, rows: dict[str, dict[str, str]]) -> Application:
    """Return what the representative of *case* types; ``*1`` is officer 1 as on file, ``*`` the newest notice."""
    row = rows.get(case.number or "", {})
    person = case.person
    if person.startswith("*"):
        place = f"officer{person[1:]}"
        person = "|".join(row[f"{place}_{part}"] for part in ("given_name", "family_name", "birth_date", "position"))
    given, family, born, position = person.split("|")
    number = RevenuQuebecId.parse(case.number) if case.number else None
    neq = Neq.parse(case.neq)
    newest = (row["notice1_number"], int(row["notice1_year"])) if row.get("notice1_year") else None
    shown = newest if case.notice == ("*", 0) else case.notice
    matches = shown is not None and number is not None and LocalTaxAgency().notice_matches(neq, number, *shown)
    return Application(
        neq=neq,
        revenu_quebec_id=number,
        given_name=given,
        family_name=family,
        birth_date=date.fromisoformat(born),
        position=position,
        basis=case.basis,
        notice_year=shown[1] if shown else None,
        notice_matches=matches,
    )


def test_every_named_case(imported: None, rows: dict[str, dict[str, str]]) -> None:
    """The imported synthetic data lead to the outcome their README names."""
    wrong = []
    for case in CASES:
        application = typed(case, rows)
        entry = LocalRegister().look_up(application.neq)
        number = application.revenu_quebec_id
        account = LocalTaxAgency().account(application.neq, number) if number else None
        found = assess(application, entry, account, AS_OF)
        if found.outcome is not case.expected or (case.reason and case.reason not in found.reasons):
            wrong.append((case.name, found))

    assert not wrong


def test_no_named_case_is_forgotten(rows: dict[str, dict[str, str]]) -> None:
    """Every case of the tax file is in the table above; the one without a NEQ has no online track."""
    tested = {case.name for case in CASES}

    named = {row["test_case"] for row in rows.values()} - {"no_neq_foreign_individual"}
    assert {name for name in named if not any(done.startswith(name) for done in tested)} == set()


# the lines of the table, one by one, on invented facts

OFFICER = Officer("Ada", "Brume", "president", date(1980, 5, 17))
ACCOUNT = TaxAccount(True, "Brume inc.", ("1 rue d’Essai",), "CA-QC", False, (OFFICER,))
ENTRY = RegisterEntry(
    Neq("1100000018"), "Brume inc.", (), RegistrationStatus.IM, date(2009, 5, 4), "Immatriculée", None, False, (), None
)
ASKED = Application(
    neq=Neq("1100000018"),
    revenu_quebec_id=RevenuQuebecId("9000000008"),
    given_name="Ada",
    family_name="Brume",
    birth_date=date(1980, 5, 17),
    position="president",
    basis=Basis.OFFICE,
    notice_year=2025,
    notice_matches=True,
)


@pytest.mark.parametrize(
    ("asked", "entry", "account", "outcome", "reasons"),
    [
        (ASKED, ENTRY, ACCOUNT, ONLINE, (AssessmentReason.NOTICE_MATCHES, AssessmentReason.ADDRESS_GOOD)),
        (ASKED, UNAVAILABLE, ACCOUNT, AssessmentOutcome.WAIT, None),
        (ASKED, ENTRY, UNAVAILABLE, AssessmentOutcome.WAIT, None),
        (ASKED, replace(ENTRY, status=RegistrationStatus.RO), None, REFUSED,
         (AssessmentReason.STATUS_NOT_ACCEPTED, AssessmentReason.NUMBERS_DISAGREE)),
        (ASKED, replace(ENTRY, bankrupt=True), ACCOUNT, REVIEW, None),
        (ASKED, ENTRY, replace(ACCOUNT, active=False), BACK, (AssessmentReason.NUMBERS_DISAGREE,)),
        (replace(ASKED, already_enrolled=True), ENTRY, ACCOUNT, REVIEW, None),
        (replace(ASKED, already_enrolled=True), ENTRY, None, BACK, None),
        (replace(ASKED, tries_exhausted=True), ENTRY, ACCOUNT, REVIEW, None),
        (replace(ASKED, tries_exhausted=True), ENTRY, None, REVIEW, None),
        (replace(ASKED, notice_matches=False), ENTRY, ACCOUNT, BACK, (AssessmentReason.NOTICE_WRONG, AssessmentReason.ADDRESS_GOOD)),
        (replace(ASKED, notice_matches=False, notice_tries_exhausted=True), ENTRY, ACCOUNT, MAILED, (AssessmentReason.ADDRESS_GOOD,)),
        (replace(ASKED, notice_tries_exhausted=True), ENTRY, ACCOUNT, MAILED, None),
        (replace(ASKED, notice_year=2021), ENTRY, ACCOUNT, ONLINE, None),
        (replace(ASKED, notice_year=2020), ENTRY, ACCOUNT, MAILED, None),
        (replace(ASKED, notice_year=2027), ENTRY, ACCOUNT, MAILED, None),
        (ASKED, ENTRY, replace(ACCOUNT, officers=(OFFICER, OFFICER)), REVIEW, (AssessmentReason.TWO_OFFICERS_MATCH,)),
        (replace(ASKED, neq=Neq("2200000018")), ENTRY, ACCOUNT, REVIEW, (AssessmentReason.POSITION_NOT_ENOUGH,)),
        (replace(ASKED, position="secretary"), ENTRY, ACCOUNT, REVIEW, (AssessmentReason.OFFICER_NOT_FOUND,)),
        (replace(ASKED, notice_year=None), ENTRY, replace(ACCOUNT, address_stale=True, mailing_region="US-VT"), REVIEW,
         (AssessmentReason.ADDRESS_STALE, AssessmentReason.ADDRESS_OUTSIDE_QUEBEC)),
        (replace(ASKED, revenu_quebec_id=None, basis=Basis.MANDATE), None, None, REVIEW,
         (AssessmentReason.NOT_IN_LOCAL_REGISTER, AssessmentReason.NO_REVENU_QUEBEC_ID, AssessmentReason.BY_MANDATE)),
    ],
)  # fmt: skip
def test_the_first_line_decides_and_every_reason_is_listed(
    asked: Application,
    entry: RegisterEntry | Unavailable | None,
    account: TaxAccount | Unavailable | None,
    outcome: AssessmentOutcome,
    reasons: tuple[AssessmentReason, ...] | None,
) -> None:
    """The outcome is that of the first line that holds; ``reasons`` lists all of them, in the order of the table."""
    found = assess(asked, entry, account, AS_OF)

    assert found.outcome is outcome
    if reasons is not None:
        assert found.reasons == reasons


def test_each_refusing_line_has_a_reason_that_the_applicant_reads() -> None:
    """A line that refuses is a reason of refusal, with its sentence: the file never says another one."""
    refusing = [reason for _line, reason, outcome in rules.LINES if outcome is rules.AssessmentOutcome.REFUSED]

    assert refusing
    for reason in refusing:
        assert rules.FileRefusalReason(reason.value) in words.REFUSALS
