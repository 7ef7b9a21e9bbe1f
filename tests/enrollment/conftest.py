"""A person at the pages of enrolment: reads the CSRF token as browsers do, follows redirects, reads the outbox."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from idp.clock import MovableClock
from idp.config import Settings
from idp.connectors.register_import import import_register
from idp.connectors.tax_import import import_tax_file
from idp.crypto.sealing import current_sealing
from idp.db import db
from idp.notices import services as notices
from idp.notices.models import OutboxMessage

SYNTHETIC = Path(__file__).parents[2] / "examples" / "synthetic"


@dataclass
class Browser:
    """One browser, without scripts."""

    client: FlaskClient
    clock: MovableClock
    outbox: Path
    page: TestResponse = field(init=False)

    @property
    def text(self) -> str:
        """Return the page as text, entities and no-break spaces resolved."""
        return html.unescape(self.page.get_data(as_text=True)).replace("\u00a0", " ").replace("\u202f", " ")

    @property
    def path(self) -> str:
        """Return the address of the page shown, without the number it may carry."""
        return re.sub(r"^/~[0-9a-f]+", "", self.page.request.path)

    def get(self, path: str) -> TestResponse:
        """Open a page, following redirects."""
        db.session.rollback()  # what the test read before must not be a snapshot
        self.page = self.client.get(path, follow_redirects=True)
        return self.page

    def post(self, path: str, follow: bool = True, **values: Any) -> TestResponse:
        """Send a form with the token of the page shown."""
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.page.get_data(as_text=True))
        token = {"csrf_token": found.group(1)} if found else {}
        db.session.rollback()
        self.page = self.client.post(path, data={**token, **values}, follow_redirects=follow)
        return self.page

    def fill(self, path: str, **values: Any) -> TestResponse:
        """Open a page and send its form."""
        self.get(path)
        return self.post(path, **values)

    def mails(self) -> list[Any]:
        """Deliver what is due and return every e-mail of the outbox, oldest first."""
        notices.deliver_due(self.clock.now())
        files = sorted(self.outbox.glob("**/*.eml"), key=lambda path: path.stat().st_mtime_ns)
        return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in files]

    def code_by_mail(self) -> str:
        """Return the latest eight-digit code sent by e-mail."""
        texts = [mail.get_body(("plain",)).get_content() for mail in self.mails()]
        codes = [found.group(1) for text in texts if (found := re.search(r"\b(\d{4}[\s\u00a0]\d{4})\b", text))]
        return re.sub(r"\D", "", codes[-1])

    def errors(self) -> tuple[str, bool]:
        """Return the text of the error summary, and whether a message stands beside a field too."""
        summary = re.search(r'id="error-summary".*?</ul>', self.text, re.S)
        return (summary.group(0) if summary else ""), "govuk-error-message" in self.text


@dataclass(frozen=True)
class Typed:
    """What a representative types."""

    neq: str = "1100000018"
    number: str | None = "9000000008"
    given_name: str = "Zéphyrine"
    family_name: str = "Brumeplume"
    born: tuple[str, str, str] = ("12", "4", "1971")
    position: str = "president"
    basis: str = "office"
    notice_number: str = "ZZ2500001T"
    notice_year: str = "2025"
    email: str = "zephyrine@example.com"
    insist: bool = False


def begin(browser: Browser) -> None:
    """Open a draft, in English."""
    browser.get("/enrol?lang=en")
    browser.post("/enrol")


def fill_in(browser: Browser, typed: Typed, *, people: bool = True) -> None:
    """Fill the tasks in, up to the check page."""
    insist = {"insist": "y"} if typed.insist else {}
    browser.fill("/enrol/enterprise", neq=typed.neq, **insist)
    assert browser.path == "/enrol/enterprise/confirm", browser.text
    browser.post("/enrol/enterprise/confirm")
    number = {"answer": "number", "revenu_quebec_id": typed.number} if typed.number else {"answer": "none"}
    browser.fill("/enrol/tax-number", **number)
    browser.fill("/enrol/representative", **representative_fields(typed))
    if browser.path == "/enrol/email":
        browser.post("/enrol/email", code=browser.code_by_mail())
    if people:
        browser.fill(
            "/enrol/people/new",
            given_name="Maude",
            family_name="Létourneau-Fictif",
            email="maude@example.com",
            phone="418 555-0111",
        )


def representative_fields(typed: Typed) -> dict[str, str]:
    """Return the fields of the representative's form."""
    day, month, year = typed.born
    return {
        "given_name": typed.given_name,
        "family_name": typed.family_name,
        "birth_date-day": day,
        "birth_date-month": month,
        "birth_date-year": year,
        "basis": typed.basis,
        "position": typed.position,
        "notice_number": typed.notice_number,
        "notice_year": typed.notice_year,
        "email": typed.email,
        "phone": "418 555-0123",
    }


def submit(browser: Browser) -> None:
    """Accept the terms and submit."""
    browser.get("/enrol/check")
    assert browser.path == "/enrol/check", browser.text
    browser.post("/enrol/check", terms="y", terms_version="2026-11")


def file_number(browser: Browser) -> str:
    """Return the number the page of the file shows."""
    found = re.search(r"[A-Z0-9]{4}-[A-Z0-9]{4}", browser.text)
    assert found, browser.text
    return found.group(0)


@pytest.fixture
def imported(app: Flask, clock: MovableClock) -> None:
    """Import the synthetic register and tax file."""
    import_register(SYNTHETIC / "req", clock.now())
    import_tax_file(SYNTHETIC / "revenu_quebec.csv", clock.now())


@pytest.fixture
def browser(imported: None, app: Flask, clock: MovableClock, settings: Settings) -> Browser:
    """A fresh browser on a provider with synthetic data."""
    return Browser(app.test_client(), clock, settings.outbox_dir)


@pytest.fixture
def other_browser(browser: Browser, app: Flask) -> Browser:
    """Somebody else's browser."""
    return Browser(app.test_client(), browser.clock, browser.outbox)


def begin_account(browser: Browser) -> None:
    """From the page of a verified file, with the code sent for it, to the representative's first password."""
    browser.get("/enrol/file")
    browser.post("/enrol/file/account")
    assert browser.path == "/enrol/file/account/code", browser.text
    browser.post("/enrol/file/account/code", code=browser.code_by_mail())


def come_back(browser: Browser, number: str) -> None:
    """Open a file by its number and the code sent by e-mail."""
    browser.fill("/enrol/resume", number=number)
    browser.post("/enrol/resume/code", code=browser.code_by_mail())
    assert browser.path.startswith("/enrol/file"), browser.text


def open_account(browser: Browser) -> str:
    """From the page of a verified file: create the representative's account; return the key of its application."""
    begin_account(browser)
    assert browser.path == "/activate/password", browser.text
    password = "trois petits bateaux verts"
    browser.post("/activate/password", new_password=password, new_password_repeat=password)
    assert browser.path == "/activate/factor", browser.text
    found = re.search(r'id="totp-key">([^<]+)<', browser.text)
    assert found
    secret = re.sub(r"\s", "", found.group(1))
    browser.post("/activate/factor", otp=pyotp.TOTP(secret).at(int(browser.clock.now().timestamp())))
    assert browser.path == "/account/security/recovery-codes", browser.text
    browser.get(html.unescape(re.findall(r'href="([^"]+)"[^>]*id="recovery-codes-later"', browser.text)[0]))
    assert browser.path == "/enrol/file", browser.text
    return secret


def mailed_code(browser: Browser) -> str:
    """Return the code of the letter that waits in the outbox."""
    rows = db.session.scalars(
        select(OutboxMessage).where(OutboxMessage.kind == "mailed_code").order_by(OutboxMessage.created_at.desc())
    ).all()
    sealed = next(row for row in rows if row.payload)
    return str(json.loads(current_sealing().unseal(sealed.payload or "", f"outbox:{sealed.id}"))["code"])
