"""Secrets stay secret: the main story leaves none in clear in the database, its journal, the logs or the outbox's names.

Letters and e-mails hold the codes that they carry; everything else is searched (security-bar.md S-88, B16).
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from pathlib import Path

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient

from idp.config import Settings, folder
from idp.db import db
from idp.delegation.catalogue import catalogue_services
from tests.answers import listen
from tests.enrollment.conftest import Browser, Typed, begin, browser, fill_in, imported, mailed_code, submit
from tests.oidc.scenery import SECRET, RelyingParty, Scenery, load, registration

__all__ = ["browser", "imported"]  # fixtures of enrolment

PASSWORDS = ("canari jaune de la volière un", "canari jaune de la volière deux")
MISTYPED = "canari jaune de la volière trois"
ONLINE = Typed()
BY_MAIL = Typed(
    "1100001230", "9000000016", "Côme", "L'Écluse", ("19", "7", "1966"), notice_number="", notice_year="",
    email="come@example.com",
)  # fmt: skip

OFFERED = {"GET /activate/factor: body", "POST /activate/factor: body"}  # until its first code is typed
SHOWN_ONCE = {  # secret: the only answers that give it, each to its owner
    "application secret of the representative": OFFERED,
    "application secret of the PES": OFFERED,
    "cookie of the representative": {"POST /activate/factor: Set-Cookie"},
    "cookie of the PES": {"POST /activate/factor: Set-Cookie"},
    "temporary password": {"POST /enrol/file/slips/…: body"},  # to be printed
    "recovery code": {"POST /account/security/recovery-codes: body"},  # to be printed or saved
    "authorization code": {"GET /authorize: Location"},  # RFC 6749 §4.1.2
    "access token": {"POST /token: body"},
    "ID token": {"POST /token: body"},
    "typed as code": {"POST /enrol/file/code: body"},  # a wrong one comes back in its field, to be corrected
}


@pytest.fixture
def settings(settings: Settings, caplog: pytest.LogCaptureFixture) -> Settings:
    """Log everything that there is, statements and their parameters too."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, "sqlalchemy.engine")
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # names of glyphs, by the thousand
    return settings.model_copy(update={"log_level": "DEBUG"})


@dataclass
class Canaries:
    """The secrets of a story by name, gathered as it goes."""

    found: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, value: str) -> str:
        """Remember a secret and return it."""
        assert len(value) >= 8, "too short to be looked for"
        self.found[name] = value
        return value

    def seen_in(self, content: str) -> set[str]:
        """Return the names of the secrets that *content* holds, as they are or as people group them."""
        plain = re.sub(r"[\s\u00a0-]", "", content)
        return {
            name
            for name, value in self.found.items()
            if value in content or (not value.isdigit() and re.sub(r"[\s\u00a0-]", "", value) in plain)
        }


def read(browser: Browser, element: str) -> str:
    """Return the text of the element of the page shown."""
    found = re.search(rf'id="{element}"[^>]*>([^<]+)<', browser.text)
    assert found, browser.text
    return found.group(1).strip()


def choose_credentials(browser: Browser, canaries: Canaries, who: str, password: str) -> None:
    """Choose a password and add an application, with one mistake each."""
    canaries.add(f"password of the {who}", password)
    browser.post("/activate/password", new_password=MISTYPED, new_password_repeat=password)
    browser.post("/activate/password", new_password=password, new_password_repeat=password)
    secret = canaries.add(f"application secret of the {who}", re.sub(r"\s", "", read(browser, "totp-key")))
    browser.post("/activate/factor", otp="000000")
    browser.post("/activate/factor", otp=pyotp.TOTP(secret).at(int(browser.clock.now().timestamp())))
    cookie = browser.client.get_cookie("mandat")
    assert cookie is not None, browser.text
    canaries.add(f"cookie of the {who}", cookie.value)


def enrol(browser: Browser, canaries: Canaries) -> None:
    """Enrol an enterprise verified online, open the representative's account and show the slips of the PES."""
    begin(browser)
    canaries.add("Revenu Québec number", ONLINE.number or "")
    canaries.add("notice number", ONLINE.notice_number)
    fill_in(browser, ONLINE)
    canaries.add("e-mail code of the file", browser.code_by_mail())
    submit(browser)
    browser.post("/enrol/file/account")
    code = canaries.add("e-mail code of the account", browser.code_by_mail())
    browser.post("/enrol/file/account/code", code=code)
    choose_credentials(browser, canaries, "representative", PASSWORDS[0])
    browser.get("/enrol/file")
    slip = re.search(r'href="(/enrol/file/slips/[0-9a-f]+)"', browser.text)
    assert slip, browser.text
    browser.fill(slip.group(1))


def activate(browser: Browser, canaries: Canaries, user_code: str, temporary: str) -> None:
    """Use the slips, as the PES."""
    canaries.add("temporary password", temporary)
    browser.fill("/activate", user_code=user_code, temporary_password=temporary[::-1])
    browser.fill("/activate", user_code=user_code, temporary_password=temporary)
    code = canaries.add("e-mail code of the activation", code_of_activation(browser))
    browser.post("/activate/code", email_code=code)
    choose_credentials(browser, canaries, "PES", PASSWORDS[1])


def code_of_activation(browser: Browser) -> str:
    """Return the eight digits of the latest e-mail that holds some, however they are grouped."""
    texts = [part.get_content() for mail in browser.mails() for part in mail.iter_parts()]
    codes = [found.group() for text in texts if (found := re.search(r"\b\d{4}[\s\u00a0]?\d{4}\b", text))]
    return re.sub(r"\D", "", codes[-1])


def enrol_by_mail(browser: Browser, canaries: Canaries) -> None:
    """Enrol another enterprise by the code of a letter."""
    begin(browser)
    canaries.add("Revenu Québec number of the other", BY_MAIL.number or "")
    fill_in(browser, BY_MAIL)
    submit(browser)
    code = canaries.add("mailed code", mailed_code(browser))
    browser.mails()
    browser.fill("/enrol/file/code", code=code[::-1])
    browser.fill("/enrol/file/code", code=code)
    browser.get("/enrol/file")
    assert "/enrol/file/account" in browser.text, browser.text


def sign_in_at_agency(pes: FlaskClient, rp: RelyingParty, canaries: Canaries) -> None:
    """Get tokens for the PES, with the mistakes that clients make."""
    canaries.add("client secret", SECRET)
    code = canaries.add("authorization code", rp.code(pes, neq=ONLINE.neq))
    rp.token(code, authorization=rp.basic("wrong" + SECRET))
    answer = rp.token(code).get_json()
    access = canaries.add("access token", answer["access_token"])
    canaries.add("ID token", answer["id_token"])
    assert rp.userinfo(access).status_code == 200
    assert rp.token(code).status_code == 400
    assert rp.userinfo(access).status_code == 401


def live_through(browser: Browser, canaries: Canaries, tmp_path: Path) -> Browser:
    """Go from registration to the agency: two enterprises, two accounts, and tokens; return the browser of the PES."""
    app, clock = browser.client.application, browser.clock
    canaries.add("mistyped password", MISTYPED)
    catalogue_services.load_agencies(folder("agencies"), now=clock.now())
    load(app, clock, tmp_path, registration("rp1"))
    pes, stranger = (Browser(app.test_client(), clock, browser.outbox) for _ in range(2))

    enrol(browser, canaries)
    activate(pes, canaries, read(browser, "slip-code"), read(browser, "slip-password"))
    enrol_by_mail(stranger, canaries)
    sign_in_at_agency(pes.client, RelyingParty(Scenery(app, clock)), canaries)
    stranger.mails()
    return pes


@pytest.mark.bar("S-88", "B16")
def test_no_secret_is_found_in_clear_anywhere(
    browser: Browser,
    settings: Settings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """From registration to the agency at DEBUG: no secret in the database, its WAL, the logs or the names of letters."""
    canaries = Canaries()

    live_through(browser, canaries, tmp_path)

    db.session.rollback()
    places = {path.name: path.read_bytes().decode("utf-8", "replace") for path in tmp_path.glob("test.sqlite3*")}
    assert set(places) >= {"test.sqlite3", "test.sqlite3-wal"}
    places["logs"] = "".join(capsys.readouterr()) + caplog.text
    places["outbox"] = "\n".join(str(path) for path in settings.outbox_dir.rglob("*"))
    assert len(canaries.found) == 19
    assert "INSERT INTO" in places["logs"]
    assert ".pdf" in places["outbox"]
    seen = {place: names for place, content in places.items() if (names := canaries.seen_in(content))}
    assert seen == {}


@pytest.mark.bar("S-52", "CVE-2026-105211")
def test_no_answer_holds_a_secret_but_where_it_is_shown_once(
    browser: Browser, app: Flask, settings: Settings, tmp_path: Path
) -> None:
    """Every answer of the story, headers and body: a secret stands only in the one that has to give it to its owner."""
    canaries, answers = Canaries(), listen(app)

    pes = live_through(browser, canaries, tmp_path)
    pes.fill("/account/security/recovery-codes")
    codes = set(re.findall(r"(?:[A-Z0-9]{4}-){5}[A-Z0-9]{4}", pes.text))
    for path in ("/account", "/account/security", "/account/sessions", "/account/activity", "/home"):
        pes.get(path)

    secrets = {name: [value] for name, value in canaries.found.items()}
    assert answers.places_of({**secrets, "recovery code": codes}) == SHOWN_ONCE
    assert len(codes) == 10
    assert len(answers.given) > 80
    assert len(answers.typed) >= 15
