"""The pages of a forgotten password and of a lost user code, through real HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from idp.accounts import services_contacts
from idp.clock import MovableClock
from idp.config import Settings
from idp.notices import services as notices

from ..conftest import Account, Browser, payloads

Accounts = Callable[..., Account]
NEW = "quatre vents sur la grève"
NOBODY = "AAAA-0000"


def sent() -> str:
    return str(payloads("recovery_code")[-1]["code"])


def to_factor(browser: Browser, account: Account) -> None:
    browser.post("/recover", user_code=str(account.code))
    assert browser.post("/recover/code", email_code=sent()).location == "/recover/factor"


def to_password(browser: Browser, account: Account, clock: MovableClock) -> None:
    to_factor(browser, account)
    assert browser.post("/recover/factor", otp=account.otp(clock.now())).location == "/recover/password"


def test_a_password_is_replaced_and_nobody_is_signed_in(
    account: Accounts, browser: Browser, clock: MovableClock
) -> None:
    """Four pages; then one signs in with the new password, and the factor again."""
    julie = account()
    to_password(browser, julie, clock)

    answer = browser.post("/recover/password", new_password=NEW, new_password_repeat=NEW)

    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert browser.cookie() is None
    assert browser.get("/account").status_code == 302
    former = browser.post("/sign-in", username=str(julie.code), password=julie.password)
    assert former.location is None
    assert browser.post("/sign-in", username=str(julie.code), password=NEW).location == "/sign-in/code"


@pytest.mark.bar("S-46", "B13")
def test_pages_look_the_same_for_a_code_nobody_has(app: Flask, account: Accounts) -> None:
    """Status, headers and length of every answer until the code is right, with the same page for each try."""

    def seen(user_code: str) -> list[tuple[int, list[str], str | None, int, str]]:
        browser, answers = Browser(app), list[TestResponse]()
        answers.append(browser.post("/recover", user_code=user_code))
        answers.append(browser.get("/recover/code"))
        answers.append(browser.post("/recover/code/again", page="/recover/code"))
        answers += [browser.post("/recover/code", email_code="00000000") for _ in range(6)]
        answers += [browser.get(path) for path in ("/recover/factor", "/recover/password")]
        return [
            (
                answer.status_code,
                sorted(name for name, _ in answer.headers),
                answer.location,
                len(answer.data),
                re.sub(rb'name="csrf_token" value="[^"]+"', b"", answer.data).decode(),
            )
            for answer in answers
        ]

    assert seen(str(account().code)) == seen(NOBODY)


@pytest.mark.bar("S-55")
def test_empty_repeated_and_mistyped_posts_never_advance(account: Accounts, browser: Browser) -> None:
    """Each step with nothing, with its field twice or with another type of body; then the later ones out of turn."""
    julie = account()
    to_factor(browser, julie)
    token = browser.token("/recover/factor")

    for path in ("/recover", "/recover/code", "/recover/factor", "/recover/password"):
        for data in ({"csrf_token": token}, {"csrf_token": token, "otp": ["000000", "111111"]}):
            answer = browser.client.post(path, data=data)
            assert answer.status_code in (200, 303, 400), path
            assert answer.location in (None, "/recover/factor"), path
    assert browser.client.post("/recover/factor", json={"otp": "000000"}).status_code in (400, 403)
    assert browser.client.post("/recover/factor", data={"otp": "000000"}).status_code == 403
    assert browser.get("/recover/password").location == "/recover/factor"


def test_pages_out_of_turn_lead_back(browser: Browser) -> None:
    """Without a recovery in this browser every page leads to the first."""
    for path in ("/recover/code", "/recover/factor", "/recover/password"):
        assert browser.get(path).location == "/recover"


def test_another_browser_cannot_go_on(app: Flask, account: Accounts, clock: MovableClock) -> None:
    """A code read over a shoulder is worth nothing elsewhere: it belongs to the browser that asked."""
    julie, mine, other = account(), Browser(app), Browser(app)
    mine.post("/recover", user_code=str(julie.code))
    code = sent()
    other.post("/recover", user_code=str(julie.code))

    assert other.post("/recover/code", email_code=code).location is None
    assert mine.post("/recover/code", email_code=code).location == "/recover/factor"


@pytest.mark.bar("S-58")
def test_beginning_again_carries_nothing_over(account: Accounts, browser: Browser, clock: MovableClock) -> None:
    """A proved address serves no other person, and not even the same one, after *begin again*."""
    julie, nadia = account(), account("Nadia")
    to_password(browser, julie, clock)

    for code in (nadia.code, julie.code):
        browser.post("/recover", user_code=str(code))
        for path in ("/recover/factor", "/recover/password"):
            assert browser.get(path).location == "/recover/code"


@pytest.mark.bar("S-61")
@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host", "Forwarded", "X-Forwarded-Server", "X-Host"])
def test_no_header_reaches_a_message(
    app: Flask, account: Accounts, browser: Browser, clock: MovableClock, settings: Settings, header: str
) -> None:
    """The messages of recovery hold a code or nothing, and no link at all, whatever host is claimed."""
    julie = account()
    value = "host=evil.example" if header == "Forwarded" else "evil.example"
    for path, field in (
        ("/recover", {"user_code": str(julie.code)}),
        ("/recover/user-code", {"email": "julie@example.com"}),
    ):
        token = browser.token(path)
        browser.client.post(path, data={"csrf_token": token, **field}, headers={header: value})
    while notices.deliver_due(clock.now()):
        pass

    written = [path.read_text() for path in settings.outbox_dir.glob("*.eml")]
    assert len(written) in (0, 2)  # a foreign Host finds no page session, so nothing begins
    assert not [text for text in written if "evil" in text or "http" in text]


@pytest.mark.parametrize("email", ["julie@example.com", "JULIE@example.com", "personne@example.com"])
def test_a_lost_user_code_is_answered_by_mail_only(
    account: Accounts, browser: Browser, clock: MovableClock, settings: Settings, email: str
) -> None:
    """The page is the same; the message goes to the address on file, with the code masked."""
    julie = account()

    answer = browser.post("/recover/user-code", email=email)

    assert answer.location == "/recover/user-code/sent"
    assert julie.code.signs[:2] not in browser.get("/recover/user-code/sent").text.split("main-content")[1]
    while notices.deliver_due(clock.now()):
        pass
    written = [path.read_text() for path in settings.outbox_dir.glob("*user_codes_asked*.eml")]
    assert len(written) == (0 if email.startswith("personne") else 1)
    for text in written:
        assert "To: julie@example.com" in text
        assert julie.code.signs[:2] in text
        assert str(julie.code) not in text


def test_reminders_are_counted_by_address(account: Accounts, browser: Browser, clock: MovableClock) -> None:
    """Three in an hour, whoever asks and however it is written (R-25)."""
    account()
    for email in (
        "julie@example.com",
        "Julie@Example.com",
        "JULIE@example.com",
        "julie@EXAMPLE.com",
        "julie@example.com",
    ):
        browser.post("/recover/user-code", email=email)
    assert len(payloads("user_codes_asked")) == 3

    clock.advance(timedelta(hours=1))
    browser.post("/recover/user-code", email="julie@example.com")

    assert len(payloads("user_codes_asked")) == 4


@pytest.mark.parametrize(
    "email", ["", "pas une adresse", "a@example.com, b@example.com", "a@example.com\r\nBcc: b@x.org"]
)
def test_what_is_no_address_is_refused(browser: Browser, email: str) -> None:
    """Beside the field, and nothing leaves."""
    answer = browser.post("/recover/user-code", email=email)

    assert answer.status_code == 200
    assert 'id="email-error"' in answer.text
    assert payloads("user_codes_asked") == []


def test_the_sign_in_page_leads_here(browser: Browser) -> None:
    """Three ways of being stuck, three links."""
    page = browser.get("/sign-in").text

    for path in ("/recover", "/recover/user-code", "/recover/lost-factor"):
        assert f'href="{path}"' in page
        assert browser.get(path).status_code == 200


def test_an_address_that_bounces_is_shown_to_its_owner(
    account: Accounts, browser: Browser, clock: MovableClock
) -> None:
    """The account page says since when; the next code typed from there clears it."""
    julie = account()
    services_contacts.note_refused("Julie@example.com", 550, clock.now())
    browser.sign_in(julie, clock.now())
    assert "reviennent depuis le 23" in browser.get("/account").text
    clock.advance(timedelta(seconds=60))

    to_factor(browser, julie)

    assert "reviennent" not in browser.get("/account").text
