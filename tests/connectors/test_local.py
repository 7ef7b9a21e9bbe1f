"""What the two local connectors answer, case by case of the synthetic data (examples/synthetic/README.md)."""

from __future__ import annotations

import csv
from datetime import date, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.pool import QueuePool

from idp.accounts import services as accounts
from idp.accounts.models import Person
from idp.connectors import local
from idp.connectors.enterprise_register import RegisterEntry, RegisterUnavailableError, RegistrationStatus
from idp.connectors.generations import REGISTER
from idp.connectors.local import LocalRegister, LocalTaxAgency
from idp.connectors.models import TaxAccountRow, TaxNotice
from idp.connectors.register_import import import_register
from idp.connectors.tax_agency import TaxAccount, TaxAgencyUnavailableError
from idp.db import db, transaction
from idp.identifiers import Neq, RevenuQuebecId

SYNTHETIC = Path(__file__).parents[2] / "examples" / "synthetic"
with (SYNTHETIC / "revenu_quebec.csv").open(encoding="utf-8-sig", newline="") as _file:
    TAX_ROWS = list(csv.DictReader(_file))

pytestmark = pytest.mark.databases


def entry(digits: str) -> RegisterEntry:
    found = LocalRegister().look_up(Neq(digits))
    assert found is not None
    return found


def account(digits: str, number: str) -> TaxAccount:
    found = LocalTaxAgency().account(Neq(digits), RevenuQuebecId(number))
    assert found is not None
    return found


def test_an_enterprise_is_told_with_its_names_labels_and_address(imported: Flask) -> None:
    """The happy case: one current name, the other names in force, the previous one left out."""
    found = entry("1100000018")

    assert found == RegisterEntry(
        neq=Neq("1100000018"),
        name="Toitures Brumeplume inc.",
        other_names=found.other_names,
        status=RegistrationStatus.IM,
        status_date=date(2009, 5, 4),
        status_label="Immatriculée",
        legal_form_label="Société par actions ou compagnie",
        bankrupt=False,
        address_lines=("101 rue de la Démonstration", "Saint-Exemple-de-l'Anse (Québec)", "H0A1A1"),
        merged_into=None,
    )
    assert {"Brumeplume Roofing Inc.", "Couvreurs Brumeplume"} <= set(found.other_names)
    assert "Toitures Zéphyrin Brumeplume ltée" not in found.other_names


def test_a_merged_component_points_to_the_result_and_a_division_does_not(imported: Flask) -> None:
    """The label of the relation tells a merger from a division; both components lead to the same enterprise."""
    assert entry("1100000281").status is RegistrationStatus.RO
    assert entry("1100000281").merged_into == Neq("1100000307")
    assert entry("1100000299").merged_into == Neq("1100000307")
    assert entry("1100000307").merged_into is None
    assert entry("1100000315").merged_into is None


def test_a_numbered_company_has_its_number_for_a_name(imported: Flask) -> None:
    """The current name is of type M when none of type N is in force."""
    assert entry("1100000265").name == "0000-0026 Québec inc."


def test_a_withheld_address_is_no_lines(imported: Flask) -> None:
    """``ADR_DOMCL_ADR_DISP`` empties every line: that is not an error."""
    assert entry("1100000273").address_lines == ()


def test_future_and_reserved_names_are_not_current(imported: Flask) -> None:
    """The name in force stays until the register says otherwise."""
    found = entry("1100000364")

    assert "Cidrerie Pommelin inc." not in (found.name, *found.other_names)
    assert "Pommelin Distillerie inc." not in (found.name, *found.other_names)


@pytest.mark.parametrize(
    ("neq", "status", "label"),
    [
        ("1100000109", "RO", "Radiée d'office"),
        ("1100000117", "RD", "Radiée sur demande"),
        ("1100000125", "RX", "Radiée d'office (article 59)"),
        ("1100000133", "AI", "Avis d'intention de constitution"),
        ("1100000380", "NI", "Non immatriculée"),
        ("8800000018", "NI", "Non immatriculée"),
    ],
)
def test_each_status_comes_with_its_own_label(imported: Flask, neq: str, status: str, label: str) -> None:
    """Labels are joined on type and code: ``COP ASS AUT`` exist under two types."""
    assert (entry(neq).status, entry(neq).status_label) == (RegistrationStatus(status), label)
    assert entry("8800000018").legal_form_label == "Autorité publique"


def test_bankrupt_is_told_though_registered(imported: Flask) -> None:
    """``IND_FAIL`` is ``O`` and the status is still IM."""
    assert entry("1100000216").bankrupt
    assert entry("1100000216").status is RegistrationStatus.IM


def test_an_neq_that_is_not_in_the_copy_is_none(imported: Flask) -> None:
    """The copy may be old: whoever asks decides what that means."""
    assert LocalRegister().look_up(Neq("1100009993")) is None


def test_without_any_import_nobody_can_tell(app: Flask) -> None:
    """An empty installation is unavailable; it never says that an enterprise does not exist."""
    pair = Neq("1100000018"), RevenuQuebecId("9000000008")
    with pytest.raises(RegisterUnavailableError):
        LocalRegister().look_up(pair[0])
    with pytest.raises(TaxAgencyUnavailableError):
        LocalTaxAgency().account(*pair)
    with pytest.raises(TaxAgencyUnavailableError):
        LocalTaxAgency().notice_matches(*pair, "ZZ2500001T", 2025)


def test_every_row_of_the_tax_file_is_found_by_its_pair(imported: Flask) -> None:
    """All 51 rows with a NEQ come back as they were written; the one without cannot be asked for."""
    for row in TAX_ROWS:
        if not row["neq"]:
            continue
        found = account(row["neq"], row["revenu_quebec_id"])
        assert (found.active, found.legal_name) == (row["account_status"] == "active", row["legal_name"])
        assert found.mailing_region == row["mailing_region"]
        assert found.mailing_lines == tuple(row[f"mailing_line{n}"] for n in (1, 2, 3, 4) if row[f"mailing_line{n}"])
        positions = tuple(row[f"officer{n}_position"] for n in (1, 2, 3) if row[f"officer{n}_position"])
        assert tuple(officer.position for officer in found.officers) == positions
        for number in (1, 2):
            if text := row[f"notice{number}_number"]:
                ask = Neq(row["neq"]), RevenuQuebecId(row["revenu_quebec_id"]), text
                assert LocalTaxAgency().notice_matches(*ask, int(row[f"notice{number}_year"]))
                assert not LocalTaxAgency().notice_matches(*ask, int(row[f"notice{number}_year"]) - 1)


def test_two_numbers_that_do_not_go_together_are_nobody(imported: Flask) -> None:
    """Each is on file, the pair is not."""
    assert LocalTaxAgency().account(Neq("1100000141"), RevenuQuebecId("1000000091")) is None
    assert account("1100000158", "1000000091").active


def test_one_enterprise_may_have_two_accounts(imported: Flask) -> None:
    """A notice belongs to the account it was sent for, not to the other one of the same NEQ."""
    neq, first, second = Neq("1100000331"), RevenuQuebecId("9001005925"), RevenuQuebecId("9001006298")
    row = next(row for row in TAX_ROWS if row["test_case"] == "two_accounts_first")
    notice = row["notice1_number"], int(row["notice1_year"])
    agency = LocalTaxAgency()

    assert agency.account(neq, first) is not None
    assert agency.account(neq, second) is not None
    assert (agency.has_notice(neq, first), agency.has_notice(neq, second)) == (True, False)
    assert agency.notice_matches(neq, first, *notice)
    assert not agency.notice_matches(neq, second, *notice)


def test_a_notice_number_is_read_whatever_its_case_and_spaces(imported: Flask) -> None:
    """People copy it from paper."""
    pair = Neq("1100000018"), RevenuQuebecId("9000000008")

    assert LocalTaxAgency().notice_matches(*pair, " zz 2500-001t", 2025)
    assert not LocalTaxAgency().notice_matches(*pair, "", 2025)


@pytest.mark.parametrize(
    ("neq", "number", "stale", "region"),
    [
        ("1100000166", "1000000040", True, "CA-QC"),
        ("1100000018", "9000000008", False, "CA-QC"),
        ("1100000208", "9001002225", False, "DE"),
        ("3300000653", "9001014061", False, "CA-ON"),
    ],
)
def test_the_address_tells_its_region_and_whether_mail_came_back(
    imported: Flask, neq: str, number: str, stale: bool, region: str
) -> None:
    """Stale: mail was returned after the last update."""
    found = account(neq, number)

    assert (found.address_stale, found.mailing_region) == (stale, region)


def test_a_company_that_is_a_partner_has_no_birth_date(imported: Flask) -> None:
    """A partner may be a company; a person born on 29 February is read as such."""
    partner = account("3300000604", "9001012956").officers[0]

    assert (partner.given_name, partner.position, partner.birth_date) == ("", "partner", None)
    assert account("1100000463", "9001008886").officers[0].birth_date == date(1988, 2, 29)


def test_the_database_holds_no_number_notice_name_or_date_in_clear(imported: Flask) -> None:
    """Of the tax agency's file, what is stored is digests and sealed values."""
    stored = " ".join(
        str(value)
        for table in (TaxAccountRow, TaxNotice)
        for row in db.session.execute(select(table.__table__))
        for value in row
    )

    personal = ("legal_name", "mailing_line1", "officer1_given_name", "officer1_family_name", "officer1_birth_date")
    for row in TAX_ROWS:
        for column in ("revenu_quebec_id", "notice1_number", "notice2_number", *personal):
            assert not row[column] or row[column] not in stored, column


def test_an_account_is_not_shown_by_repr(imported: Flask) -> None:
    """A log or a traceback tells neither officers nor address."""
    shown = repr(account("1100000018", "9000000008"))

    assert "Zéphyrine" not in shown
    assert "Démonstration" not in shown


def test_codes_decide_and_not_the_order_of_rows(app: Flask, req: Path, now: datetime) -> None:
    """A numbered name wins over another name written before it; a division is no merger, even of one struck off."""
    names, enterprises = req / "Nom.csv", req / "Entreprise.csv"
    text = names.read_text(encoding="utf-8-sig")
    first = text.index('"1100000265"')
    other = '"1100000265","Autre nom fictif","","V","A","2010-08-22",""\n'
    names.write_text(text[:first] + other + text[first:], encoding="utf-8-sig", newline="")
    lines = enterprises.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    struck = [line.replace('"IM"', '"RO"') if line.startswith('"1100000315"') else line for line in lines]
    enterprises.write_text("".join(struck), encoding="utf-8-sig", newline="")
    import_register(req, now)

    assert (entry("1100000265").name, entry("1100000265").other_names) == (
        "0000-0026 Québec inc.",
        ("Autre nom fictif", "Les Immeubles Passevent"),
    )
    assert (entry("1100000315").status, entry("1100000315").merged_into) == (RegistrationStatus.RO, None)


@pytest.mark.databases
def test_a_reading_never_holds_two_connections(imported: Flask, now: datetime) -> None:
    """What a page has read before is let go first: else a crowd that holds one each would wait for the second for ever."""
    someone = accounts.create_person(given_name="Mi", family_name="Ré", email="m@example.com", language="fr", now=now)
    seen = db.session.get(Person, someone)
    pool = db.engine.pool
    assert isinstance(pool, QueuePool)
    assert pool.checkedout() == 1

    with local._reading(REGISTER, RegisterUnavailableError):
        held = pool.checkedout()

    assert held == 1
    assert seen is not None
    assert seen.family_name == "Ré"
    with transaction(), local._reading(REGISTER, RegisterUnavailableError):
        assert pool.checkedout() == 2  # what is being written is not let go
