"""The pages of the sign-in, through real HTTP."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from structlog.testing import capture_logs

from idp.clock import MovableClock
from idp.db import db

from ..conftest import Account, Browser

Accounts = Callable[..., Account]


def test_two_steps_lead_where_one_was_headed(account: Accounts, browser: Browser, clock: MovableClock) -> None:
    """The path asked for comes back after both steps, and the account page answers."""
    julie = account()
    answer = browser.get("/account")
    assert answer.location == "/sign-in?next=%2Faccount"

    answer = browser.sign_in(julie, clock.now(), query="?next=%2Faccount")

    assert (answer.status_code, answer.location) == (303, "/account")
    page = browser.get("/account").get_data(as_text=True)
    assert "Julie Tremblay" in page
    assert str(julie.code) in page


@pytest.mark.parametrize("wish", ["//evil.example", "/\\evil.example", "/%09/evil.example", "https:evil.example", ""])
def test_a_foreign_return_address_is_not_followed(
    account: Accounts, browser: Browser, clock: MovableClock, wish: str
) -> None:
    """An open redirect is what a thief of codes wants."""
    answer = browser.sign_in(account(), clock.now(), query=f"?next={wish}")

    assert answer.location == "/"


def test_the_cookie_cannot_be_fixed_and_changes_at_each_sign_in(
    account: Accounts, browser: Browser, clock: MovableClock
) -> None:
    """A cookie planted before means nothing; a renewed sign-in makes the former one worthless (S-42)."""
    julie = account()
    browser.client.set_cookie("mandat", "x" * 43)
    browser.sign_in(julie, clock.now())
    first = browser.cookie()
    clock.advance(timedelta(minutes=1))
    browser.sign_in(julie, clock.now())

    assert first is not None
    assert first not in ("x" * 43, browser.cookie())
    browser.client.set_cookie("mandat", first)
    assert browser.get("/account").status_code == 302


def test_the_cookie_is_out_of_reach_of_scripts_and_sites(
    account: Accounts, browser: Browser, clock: MovableClock
) -> None:
    """HttpOnly, SameSite=Lax, the whole site, and no end date."""
    header = browser.sign_in(account(), clock.now()).headers["Set-Cookie"]

    assert "HttpOnly" in header
    assert "SameSite=Lax" in header
    assert "Path=/" in header
    assert "Expires" not in header
    assert "Max-Age" not in header


def test_a_form_token_from_before_the_sign_in_is_worthless_after(
    account: Accounts, browser: Browser, clock: MovableClock
) -> None:
    """Otherwise whoever planted it acts for the person (S-36)."""
    before = browser.token("/sign-in")
    browser.sign_in(account(), clock.now())

    answer = browser.client.post("/account/language", data={"csrf_token": before, "language": "en"})

    assert answer.status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/sign-in", "/sign-in/code", "/sign-in/code/recovery", "/sign-in/code/passkey", "/sign-in/passkey", "/sign-out",
        "/sign-in/code/email", "/sign-in/code/email/send",
        "/account/security/password", "/account/security/application", "/account/security/passkey",
        "/account/security/recovery-codes", "/activate", "/activate/code", "/activate/code/again",
        "/activate/password", "/activate/factor", "/activate/start", "/account/language", "/account/sign-out-elsewhere",
        "/slips",
    ],
)  # fmt: skip
def test_every_post_wants_a_form_token(account: Accounts, browser: Browser, clock: MovableClock, path: str) -> None:
    """Signed in, and with every field in the world, a post without the token of a page is refused."""
    browser.sign_in(account(), clock.now())

    assert browser.client.post(path, data={"language": "en", "username": "x"}).status_code == 403
    assert browser.client.post(path, data={"csrf_token": "forged", "language": "en"}).status_code == 403
    assert browser.get("/account").status_code == 200


def test_known_and_unknown_codes_get_the_same_page(account: Accounts, app: Flask) -> None:
    """Same status, same length, same words, through the lock and beyond (S-46)."""
    julie = account()

    def pages(code: str) -> list[tuple[int, str]]:
        browser = Browser(app)
        answers = [browser.post("/sign-in", username=code, password="faux mot de passe") for _ in range(7)]
        texts = [answer.get_data(as_text=True).replace(code, "CODE") for answer in answers]
        tokens = [text.split('name="csrf_token" value="')[1].split('"')[0] for text in texts]
        return [
            (answer.status_code, text.replace(token, ""))
            for answer, text, token in zip(answers, texts, tokens, strict=True)
        ]

    known = pages(str(julie.code))
    assert known == pages("ZZZZ-9999")
    assert [status for status, _ in known] == [200] * 4 + [429] * 3


def test_empty_repeated_and_untimely_posts_never_advance(
    account: Accounts, browser: Browser, clock: MovableClock
) -> None:
    """No combination of missing or doubled fields, and no page out of its turn, gives a session (S-55)."""
    julie = account()
    token = browser.token("/sign-in")
    code, password = str(julie.code), julie.password
    for data in (
        {},
        {"username": code},
        {"password": password},
        {"username": "", "password": password},
        {"username": code, "password": ""},
        {"username": code, "password": "   "},
        {"username": ["AAAA-0000", code], "password": password},
        {"username": code, "password": ["faux", password]},
        {"username": "x" * 60_000, "password": "y" * 60_000},
        {"username[]": code, "password[]": password},
    ):
        answer = browser.client.post("/sign-in", data={"csrf_token": token, **data})
        assert answer.status_code in (200, 400)
        assert answer.location is None
    answer = browser.client.post("/sign-in/code", data={"csrf_token": token, "otp": julie.otp(clock.now())})
    assert answer.location == "/sign-in"
    browser.post("/sign-in", username=code, password=password)
    otp = julie.otp(clock.now())
    for data in ({}, {"otp": ""}, {"otp": "  "}, {"otp": [otp, "000000"]}, {"code": otp}, {"otp": "x" * 60_000}):
        answer = browser.client.post("/sign-in/code", data={"csrf_token": token, **data})
        assert answer.status_code in (200, 400)
        assert answer.location is None

    assert browser.cookie() is None
    assert browser.get("/account").status_code == 302


@pytest.mark.bar("S-34")
def test_the_second_step_belongs_to_the_browser_of_the_first(
    app: Flask, account: Accounts, browser: Browser, clock: MovableClock
) -> None:
    """Another browser that knows the code of the application gets nothing (S-34)."""
    julie = account()
    browser.post("/sign-in", username=str(julie.code), password=julie.password)
    other = Browser(app)

    answer = other.post("/sign-in/code", page="/sign-in", otp=julie.otp(clock.now()))

    assert answer.location == "/sign-in"
    assert other.cookie() is None


def test_a_double_click_on_the_second_step_does_not_break_anything(
    account: Accounts, browser: Browser, clock: MovableClock
) -> None:
    """The back button after signing in leads to the first page, and the sign-in still holds."""
    julie = account()
    browser.sign_in(julie, clock.now())

    answer = browser.post("/sign-in/code", page="/account", otp=julie.otp(clock.now()))

    assert answer.location == "/sign-in"
    assert browser.get("/account").status_code == 200


def test_signing_out_ends_the_sign_in_and_forgets_the_page_session(
    account: Accounts, browser: Browser, clock: MovableClock
) -> None:
    """The former cookie opens nothing, the language stays; a second sign-out is harmless."""
    browser.get("/sign-in?lang=en")
    browser.sign_in(account(), clock.now())
    cookie = browser.cookie()
    answer = browser.post("/sign-out", page="/account")
    assert (answer.status_code, answer.location) == (303, "/")
    assert browser.cookie() is None
    browser.client.set_cookie("mandat", cookie or "")

    assert browser.get("/account").status_code == 302
    assert 'lang="en"' in browser.get("/sign-in").get_data(as_text=True)
    assert browser.post("/sign-out", page="/sign-in").status_code == 303


def page_session(browser: Browser) -> dict[str, object]:
    with browser.client.session_transaction() as kept:
        return dict(kept)


@pytest.mark.bar("S-42")
@pytest.mark.parametrize("is_over", [True, False])
def test_another_person_s_sign_in_finds_nothing_of_the_one_before(
    account: Accounts, browser: Browser, clock: MovableClock, is_over: bool
) -> None:
    """Whether the former one lapsed or not: only the language and what an agency asked stay, and no draft of any room."""
    julie, nadia = account("Julie"), account("Nadia")
    browser.sign_in(julie, clock.now())
    browser.get("/account?lang=en")
    browser.post("/recover", user_code=str(julie.code))
    browser.post("/account/email", email="autre@example.com")
    browser.get("/account/security/application")
    with browser.client.session_transaction() as kept:
        kept.update(enrolment_file="hers", subscription_draft={"for": []})
        kept.permanent = True
    asked = f"mandat-interaction-{'0' * 32}"
    browser.client.set_cookie(asked, "0.of-the-agency")
    clock.advance(timedelta(hours=2) if is_over else timedelta(minutes=1))

    assert browser.sign_in(nadia, clock.now()).status_code == 303

    left = page_session(browser)
    assert set(left) <= {"lang", "whose", "csrf_token"}
    assert left["lang"] == "en"
    assert browser.cookie(asked) == "0.of-the-agency"
    assert browser.get("/recover/code").location == "/recover"
    assert nadia.person_id not in str(left)


def test_one_s_own_sign_in_finds_the_pages_as_they_were(
    account: Accounts, browser: Browser, clock: MovableClock
) -> None:
    """A sign-in after one's own that lapsed, or the first in this browser, keeps the file one was writing."""
    julie = account()
    with browser.client.session_transaction() as kept:
        kept["enrolment_file"] = "of nobody yet"
    browser.sign_in(julie, clock.now())
    assert page_session(browser)["enrolment_file"] == "of nobody yet"
    clock.advance(timedelta(hours=2))

    browser.sign_in(julie, clock.now())

    assert page_session(browser)["enrolment_file"] == "of nobody yet"


def test_no_secret_reaches_a_page_or_the_log(
    account: Accounts, browser: Browser, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    """What was typed in a password or code field is not given back, and is written nowhere (S-88)."""
    julie = account()
    caplog.set_level(logging.DEBUG)
    with capture_logs() as logs:
        pages = [
            browser.post("/sign-in", username=str(julie.code), password="canari-motdepasse"),
            browser.post("/sign-in", username="", password="canari-motdepasse"),
        ]
        browser.post("/sign-in", username=str(julie.code), password=julie.password)
        pages.append(browser.post("/sign-in/code", otp="135790"))
        browser.sign_in(julie, clock.now())
    said = " ".join([*(page.get_data(as_text=True) for page in pages), str(logs), caplog.text])
    rows = str([tuple(row) for table in db.metadata.sorted_tables for row in db.session.execute(table.select())])

    for secret in ("canari-motdepasse", julie.password, "135790", julie.totp_secret, browser.cookie() or "?"):
        assert secret not in said
        assert secret not in rows


def test_what_was_typed_is_kept_and_errors_are_said_twice(browser: Browser) -> None:
    """The user code comes back, the password does not; the summary and the field both say what is wrong."""
    page = browser.post("/sign-in?lang=en", username="qx4t", password="").get_data(as_text=True)

    assert 'value="qx4t"' in page
    assert page.count("Enter your password") == 2
    assert page.count("for example QX4T-7712") == 2
    assert 'id="error-summary"' in page
    assert "<title>Error:" in page


def test_pages_speak_the_language_of_the_person(account: Accounts, browser: Browser, clock: MovableClock) -> None:
    """Without another choice in this browser, the person's own language is used; the account page changes it."""
    browser.sign_in(account(language="en"), clock.now())
    assert 'lang="en"' in browser.get("/account").get_data(as_text=True)

    browser.post("/account/language", page="/account", language="fr")

    assert 'lang="fr"' in browser.get("/account").get_data(as_text=True)
    assert browser.post("/account/language", page="/account", language="xx").status_code == 400


def test_signing_out_elsewhere_leaves_this_browser(
    app: Flask, account: Accounts, browser: Browser, clock: MovableClock
) -> None:
    """The other browser is out, this one stays."""
    julie, other = account(), Browser(app)
    other.sign_in(julie, clock.now())
    clock.advance(timedelta(seconds=30))
    browser.sign_in(julie, clock.now())

    answer = browser.post("/account/sign-out-elsewhere", page="/account")

    assert answer.status_code == 303
    assert other.get("/account").status_code == 302
    assert browser.get("/account").status_code == 200
