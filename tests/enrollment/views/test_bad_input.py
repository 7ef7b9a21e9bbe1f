"""Bad input: a sentence beside the field and in the summary, what was typed is kept, nothing half-written, no 500."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from io import BytesIO

import pytest
from flask import Flask
from sqlalchemy import select

from idp.db import db
from idp.enrollment import draft_services, email_code_services
from idp.enrollment.domain.positions import Basis, Position
from idp.enrollment.draft_services import Representative
from idp.enrollment.email_code_services import CodePurpose
from idp.enrollment.models import EmailCode, EnrolmentFile, Evidence, Nominee

from ..conftest import Browser, Typed, begin, fill_in, representative_fields
from .test_journeys import BY_MANDATE, PDF, go, row


def complains(browser: Browser, sentence: str) -> None:
    """Assert that the page says *sentence* in the summary and beside a field."""
    assert browser.page.status_code == 200
    summary, beside = browser.errors()
    assert sentence in summary
    assert beside
    assert browser.text.count(sentence) >= 2
    assert "<title>Error:" in browser.text


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Enter the NEQ"),
        ("117000000", "exactly ten digits"),
        ("11000000181", "exactly ten digits"),
        ("11000O0018", "digits only"),
        ("1100000019", "a digit is wrong"),
        ("1234567890", "begins with 11, 22, 33 or 88"),
        ("1123456783", "does not know this NEQ"),
        ("1100000109", "struck off ex officio, since September 12, 2025"),
        ("1100000117", "struck off on request"),
        ("1100000133", "notice of intention"),
        ("1100000380", "not registered"),
        ("<script>alert(1)</script>", "digits only"),
        ("１１００００００１８", "digits only"),
    ],
)
def test_neq(browser: Browser, typed: str, sentence: str) -> None:
    """Each fault of a NEQ has its own sentence."""
    begin(browser)
    browser.fill("/enrol/enterprise", neq=typed)

    complains(browser, sentence)
    assert row().neq is None
    assert "<script>alert" not in browser.page.get_data(as_text=True)
    if typed.isascii() and typed.isalnum():
        assert f'value="{typed}"' in browser.text


@pytest.mark.parametrize("typed", ["1100 000 018", "1100-000-018", "1100000018", " 1100\u00a0000\u202f018 "])
def test_neq_as_people_write_it(browser: Browser, typed: str) -> None:
    """Spaces and hyphens are read."""
    begin(browser)
    browser.fill("/enrol/enterprise", neq=typed)

    assert browser.path == "/enrol/enterprise/confirm"
    assert row().neq == "1100000018"


def test_a_public_body_with_a_doubtful_digit_goes_on(browser: Browser) -> None:
    """The check digit never refuses family 88; the register does not know this one, and one may go on all the same."""
    begin(browser)
    browser.fill("/enrol/enterprise", neq="8800000019")
    complains(browser, "does not know this NEQ")
    browser.post("/enrol/enterprise", neq="8800000019", insist="y")

    assert browser.path == "/enrol/enterprise/confirm"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "Choose an answer"),
        ({"answer": "number"}, "Enter the identification number"),
        ({"answer": "number", "revenu_quebec_id": "12345"}, "exactly ten digits"),
        ({"answer": "number", "revenu_quebec_id": "90000OOOO8"}, "digits only"),
        ({"answer": "elsewhere"}, ""),
    ],
)
def test_revenu_quebec_number(browser: Browser, fields: dict[str, str], sentence: str) -> None:
    """Each fault has its sentence, and nothing is kept."""
    begin(browser)
    browser.fill("/enrol/tax-number", **fields)

    assert browser.page.status_code == 200
    assert browser.errors()[1]
    assert sentence in browser.errors()[0]
    assert row().has_revenu_quebec_id is None


def test_a_doubtful_revenu_quebec_digit_warns_and_goes_on(browser: Browser) -> None:
    """The modulo 11 digit only warns; the number is never shown back."""
    begin(browser)
    browser.fill("/enrol/tax-number", answer="number", revenu_quebec_id="9000007774")

    assert browser.path == "/enrol/tasks"
    assert "is unusual" in browser.text
    browser.get("/enrol/tax-number")
    assert "9000007774" not in browser.text
    browser.post("/enrol/tax-number", answer="number", revenu_quebec_id="")
    assert browser.path == "/enrol/tasks"


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("family_name", "", "Enter your family name, or your only name"),
        ("given_name", "\u200b", "Use only letters"),
        ("given_name", "<script>alert(1)</script>", "Use only letters"),
        ("family_name", "{{7*7}}", "Use only letters"),
        ("family_name", "---", "at least one letter"),
        ("given_name", "A" * 101, "at most 100 characters"),
        ("birth_date-month", "13", "does not exist"),
        ("birth_date-day", "", "Enter the day, the month and the year"),
        ("birth_date-year", "2031", "not possible"),
        ("birth_date-year", "71", "four digits"),
        ("position", "king", "Choose your position"),
        ("position", "", "Choose your position"),
        ("basis", "", "Choose an answer"),
        ("notice_year", "", "Enter the year of the notice"),
        ("notice_year", "20x5", "four digits"),
        ("notice_number", "", "Enter the number of the notice"),
        ("email", "nobody", "Enter an e-mail address such as"),
        ("email", "a@b@c.example", "Enter an e-mail address such as"),
        ("phone", "12", "Enter a telephone number such as"),
    ],
)
def test_representative(browser: Browser, field: str, value: str, sentence: str) -> None:
    """Each field has its sentence; the other fields keep what was typed; no code is sent."""
    begin(browser)
    browser.fill("/enrol/representative", **{**representative_fields(Typed()), field: value})

    complains(browser, sentence)
    assert row().family_name is None
    assert db.session.scalars(select(EmailCode)).all() == []
    assert "<script>alert" not in browser.page.get_data(as_text=True)
    kept = "Zéphyrine" if not field.startswith("given") else "Brumeplume"
    assert f'value="{kept}"' in browser.text


def test_names_of_every_script_pass(browser: Browser) -> None:
    """Accents, apostrophes of both kinds, hyphens and other scripts are names."""
    begin(browser)
    typed = Typed(given_name="Thị-Ánh", family_name="Nguyễn d’Ô O'Neil Œuvré 山田")
    browser.fill("/enrol/representative", **representative_fields(typed))

    assert browser.path == "/enrol/email"


def test_email_code(browser: Browser) -> None:
    """A wrong code says so; after five tries, or ten minutes, it is dead; another address asks again."""
    begin(browser)
    browser.fill("/enrol/representative", **representative_fields(Typed()))
    code = browser.code_by_mail()
    browser.post("/enrol/email", code="12")
    complains(browser, "exactly 8 digits")
    for _ in range(4):
        browser.post("/enrol/email", code="00000000")
        complains(browser, "not the code we sent")
    browser.post("/enrol/email", code="00000000")
    browser.post("/enrol/email", code=code)
    complains(browser, "no longer works")
    browser.clock.advance(timedelta(minutes=1))
    browser.post("/enrol/email/again")
    late = browser.code_by_mail()
    browser.clock.advance(timedelta(minutes=10))
    browser.post("/enrol/email", code=late)
    complains(browser, "no longer works")
    assert row().email_confirmed_at is None
    browser.post("/enrol/email/again")
    browser.post("/enrol/email", code=browser.code_by_mail())
    assert row().email_confirmed_at is not None
    browser.fill("/enrol/representative", **representative_fields(Typed(email="other@example.com")))
    assert row().email_confirmed_at is None


def test_one_mailbox_gets_ten_codes_an_hour(browser: Browser, app: Flask, now: datetime) -> None:
    """Files that name one address, in whatever case, share ten; the page says when none is sent; an hour later it goes on."""
    facts = Representative(
        *("Zéphyrine", "Brumeplume", date(1971, 4, 12), Position.PRESIDENT, Basis.OFFICE),
        *("ZZ2500001T", 2025, "zephyrine@example.com", "418 555-0123"),
    )
    files = [draft_services.start(language="en", now=now) for _ in range(3)]
    for file_id, email in zip(files, ("Zephyrine@example.com", facts.email, facts.email), strict=True):
        draft_services.save_representative(file_id, replace(facts, email=email), now=now)

    sent = [email_code_services.send(file_id, CodePurpose.CONFIRM, now=now) for _ in range(4) for file_id in files]

    assert sent == [True] * 10 + [False] * 2
    begin(browser)
    browser.fill("/enrol/representative", **representative_fields(Typed()))
    assert "No code was sent" in browser.text
    browser.clock.advance(timedelta(hours=1))
    browser.post("/enrol/email/again")
    assert "A new code is on its way" in browser.text


def test_same_person_twice(browser: Browser) -> None:
    """Somebody named twice is told apart by name or address; removing somebody twice is no error."""
    begin(browser)
    fill_in(browser, Typed())
    same = {
        "given_name": "MAUDE",
        "family_name": "Letourneau Fictif",
        "email": "x@example.com",
        "phone": "418 555-0111",
    }
    browser.fill("/enrol/people/new", **same)
    complains(browser, "already named")
    nominee = db.session.scalars(select(Nominee.id)).one()
    browser.get("/enrol/people")
    for _ in range(2):
        browser.post(f"/enrol/people/{nominee}/remove")
        assert browser.path == "/enrol/people"
    browser.get("/enrol/check")
    assert browser.path == "/enrol/tasks"  # nobody is named: it cannot be submitted


def test_terms_not_accepted(browser: Browser) -> None:
    """Without the box, nothing is submitted."""
    begin(browser)
    fill_in(browser, Typed())
    browser.fill("/enrol/check", terms_version="2026-11")
    complains(browser, "Accept the terms of use")
    browser.post("/enrol/check", terms="y", terms_version="2020-01")
    complains(browser, "have changed")
    assert row().state == "draft"


@pytest.mark.parametrize("token", [None, "", "expired", "foreign"])
def test_csrf(browser: Browser, other_browser: Browser, token: str | None) -> None:
    """A missing, empty, garbled or foreign token is refused in plain words, and nothing is written."""
    begin(browser)
    given: dict[str, str] = {}
    if token == "foreign":
        begin(other_browser)
        other_browser.get("/enrol/enterprise")
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', other_browser.page.get_data(as_text=True))
        assert found
        given = {"csrf_token": found.group(1)}
    elif token is not None:
        given = {"csrf_token": token}
    browser.page = browser.client.post("/enrol/enterprise", data={"neq": "1100000018", **given})

    assert browser.page.status_code == 403
    assert "no longer valid" in browser.text
    assert all(neq is None for neq in db.session.scalars(select(EnrolmentFile.neq)))


@pytest.mark.parametrize("path", ["/enrol/enterprise", "/enrol/representative", "/enrol/people/new", "/enrol/resume"])
def test_a_megabyte_in_every_field(browser: Browser, path: str) -> None:
    """One megabyte is refused in plain words, never a 500; sixty thousand signs get their message beside the field."""
    begin(browser)
    names = ("neq", "given_name", "family_name", "email", "phone", "notice_number", "number", "birth_date-day")
    browser.get(path)
    browser.post(path, **dict.fromkeys(names, "9" * 1_000_000))
    assert browser.page.status_code == 413
    assert "too large" in browser.text

    browser.get(path)
    browser.post(path, **dict.fromkeys(names, "9" * 6_000))
    assert browser.page.status_code == 200
    assert browser.errors()[1]
    assert row().neq is None


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"", "empty.pdf", "not empty"),
        (b"MZ invented", "letter.pdf", "PDF, PNG or JPEG"),
        (b"<svg onload=alert(1)>", "image.png", "PDF, PNG or JPEG"),
    ],
)
def test_documents_by_their_bytes(browser: Browser, content: bytes, name: str, sentence: str) -> None:
    """The first bytes decide, never the name; the size is limited; nothing is kept of what is refused."""
    go(browser, BY_MANDATE)
    browser.get("/enrol/file/document")
    browser.post("/enrol/file/document", kind="procuration", document=(BytesIO(content), name))

    complains(browser, sentence)
    assert db.session.scalars(select(Evidence.id)).all() == []


def test_a_document_above_five_mebibytes(browser: Browser) -> None:
    """One byte more than 5 MiB gets its sentence; the body is built here, the test client would leave a file open."""
    go(browser, BY_MANDATE)
    browser.get("/enrol/file/document")
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', browser.page.get_data(as_text=True))
    assert found
    parts = [f'--x\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{found.group(1)}\r\n'.encode()]
    parts.append(b'--x\r\nContent-Disposition: form-data; name="kind"\r\n\r\nother\r\n')
    parts.append(b'--x\r\nContent-Disposition: form-data; name="document"; filename="a.pdf"\r\n\r\n%PDF-')
    parts.append(b"0" * (5 * 1024 * 1024 - 4) + b"\r\n--x--\r\n")
    browser.page = browser.client.post(
        "/enrol/file/document", data=b"".join(parts), content_type="multipart/form-data; boundary=x"
    )

    complains(browser, "5 MB or less")


def test_the_same_document_twice_is_kept_once(browser: Browser) -> None:
    """A second click keeps one document."""
    go(browser, BY_MANDATE)
    for _ in range(2):
        browser.get("/enrol/file/document")
        browser.post("/enrol/file/document", kind="resolution", document=(BytesIO(PDF), "p.pdf"))

    assert len(db.session.scalars(select(Evidence.id)).all()) == 1


def test_a_script_in_a_file_name_is_text(browser: Browser) -> None:
    """What a person's file is called is shown as text."""
    go(browser, BY_MANDATE)
    browser.get("/enrol/file/document")
    browser.post("/enrol/file/document", kind="other", document=(BytesIO(PDF), "<script>alert(1)</script>.pdf"))

    assert "<script>alert" not in browser.page.get_data(as_text=True)


def test_pages_in_french_have_no_english_message(browser: Browser) -> None:
    """French is the default, errors too."""
    browser.get("/enrol?lang=fr")
    browser.post("/enrol")
    browser.fill("/enrol/enterprise", neq="1100000019")

    assert "un chiffre est erroné" in browser.errors()[0]
    assert "<title>Erreur" in browser.text


def test_start_twice_keeps_the_draft(browser: Browser) -> None:
    """The back button and a second click on *Start* go on with the same draft."""
    begin(browser)
    begin(browser)

    assert len(db.session.scalars(select(EnrolmentFile.id)).all()) == 1
