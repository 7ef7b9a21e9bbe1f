"""The pages of passkeys, through real HTTP: a software authenticator stands for the browser's script."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from werkzeug.test import TestResponse

from idp.accounts import services
from idp.clock import MovableClock
from tests.accounts.conftest import without_numbers

from ..authenticator import Authenticator
from ..conftest import Account, Browser

Accounts = Callable[..., Account]


def options_of(page: str) -> str:
    found = re.search(r'data-options="([^"]+)"', page)
    assert found, page
    return html.unescape(found.group(1))


def token_of(page: str) -> str:
    return page.split('name="csrf_token" value="')[-1].split('"')[0]


def add_passkey(browser: Browser, device: Authenticator, path: str = "/account/security/passkey") -> TestResponse:
    page = browser.get(path).get_data(as_text=True)
    answer = json.dumps(device.make(options_of(page)))
    fields = {"csrf_token": token_of(page), "credential": answer, "nickname": "Téléphone"}
    return browser.client.post(path, data=fields)


def show_passkey(browser: Browser, device: Authenticator, path: str = "/sign-in/passkey") -> TestResponse:
    page = browser.get(path).get_data(as_text=True)
    answer = json.dumps(device.show(options_of(page)))
    return browser.client.post(path, data={"csrf_token": token_of(page), "credential": answer})


def test_a_passkey_is_added_then_signs_in_alone(
    account: Accounts, browser: Browser, app: Flask, clock: MovableClock
) -> None:
    """From the security page to another browser that knows nothing, back to where one was headed."""
    julie, device, other = account(), Authenticator(), Browser(app)
    browser.sign_in(julie, clock.now())

    assert add_passkey(browser, device).location == "/account/security"
    assert "Téléphone" in browser.get("/account/security").get_data(as_text=True)
    answer = show_passkey(other, device, "/sign-in/passkey?next=%2Faccount")
    assert (answer.status_code, answer.location) == (303, "/account")
    assert other.get("/account").status_code == 200


def test_the_first_pages_are_the_same_with_and_without_passkeys(
    account: Accounts, app: Flask, clock: MovableClock
) -> None:
    """Nothing before the password tells who has a passkey: same pages, same refusals (S-46)."""
    julie, nadia, device = account(), account("Nadia", "Roy"), Authenticator()
    owner = Browser(app)
    owner.sign_in(julie, clock.now())
    add_passkey(owner, device)

    def seen(whom: Account) -> list[tuple[int, str]]:
        browser = Browser(app)
        answers = [
            browser.get("/sign-in"),
            browser.get("/sign-in/passkey"),
            browser.post("/sign-in", username=str(whom.code), password="faux mot de passe"),
            show_passkey(browser, Authenticator(handle=device.handle)),
        ]
        texts = [without_numbers(answer.get_data(as_text=True)) for answer in answers]
        return [
            (answer.status_code, text.replace(str(whom.code), "CODE"))
            for answer, text in zip(answers, texts, strict=True)
        ]

    assert seen(julie) == seen(nadia)


def test_after_the_password_the_passkey_comes_first_and_others_stay(
    account: Accounts, browser: Browser, app: Flask, clock: MovableClock
) -> None:
    """The best factor is offered; the application and the recovery code are a link away, without any script."""
    julie, device, other = account(), Authenticator(), Browser(app)
    browser.sign_in(julie, clock.now())
    add_passkey(browser, device)
    clock.advance(timedelta(minutes=1))

    first = other.post("/sign-in", username=str(julie.code), password=julie.password)
    page = other.get("/sign-in/code/passkey").get_data(as_text=True)
    assert first.location.endswith("/sign-in/code/passkey")
    for way in ("/sign-in/code/recovery", '/sign-in/code"', 'id="passkey-unavailable"'):
        assert way in page
    assert show_passkey(other, device, "/sign-in/code/passkey").location == "/home"
    third = Browser(app)
    third.post("/sign-in", username=str(julie.code), password=julie.password)
    assert third.post("/sign-in/code", otp=julie.otp(clock.now())).location == "/home"


def test_a_page_without_its_own_challenge_accepts_nothing(
    account: Accounts, browser: Browser, app: Flask, clock: MovableClock
) -> None:
    """The answer of one browser in another, twice in one, out of its turn or empty: refused, never an error (S-55)."""
    julie, device, other = account(), Authenticator(), Browser(app)
    browser.sign_in(julie, clock.now())
    add_passkey(browser, device)
    page = other.get("/sign-in/passkey").get_data(as_text=True)
    answer = json.dumps(device.show(options_of(page)))
    elsewhere = Browser(app)
    stolen = elsewhere.client.post(
        "/sign-in/passkey", data={"csrf_token": elsewhere.token("/sign-in/passkey"), "credential": answer}
    )

    assert stolen.status_code == 200
    for value in ("", "{}", "x" * 60_000, '{"response": {}}'):
        refused = other.client.post("/sign-in/passkey", data={"csrf_token": token_of(page), "credential": value})
        assert (refused.status_code, refused.location) == (200, None)
    late = other.client.post("/sign-in/passkey", data={"csrf_token": token_of(page), "credential": answer})
    assert (late.status_code, late.location) == (200, None)
    assert other.get("/sign-in/code/passkey").location == "/sign-in"
    assert other.get("/account").status_code == 302


def test_whoever_must_show_a_passkey_adds_one_before_anything_opens(
    account: Accounts, browser: Browser, app: Flask, clock: MovableClock
) -> None:
    """Level 3 on a person: password and code lead to adding a passkey, then only it signs in (decisions.md §5, §6)."""
    julie, device = account(), Authenticator()
    services.require_level(julie.person_id, 3)

    answer = browser.sign_in(julie, clock.now(), query="?next=%2Faccount")
    assert answer.location == "/account/security/passkey?next=%2Faccount"
    for path in ("/account", "/account/security", "/account/security/password", "/home", "/consents", "/desk"):
        closed = browser.get(path)
        assert closed.status_code in (302, 303), path
        assert closed.location.startswith(("/account/security/passkey", "/sign-in")), path
    assert browser.post("/sign-out", page="/account/security/passkey").location == "/"
    assert browser.get("/account/security/passkey").location.startswith("/sign-in?")
    clock.advance(timedelta(minutes=1))
    browser.sign_in(julie, clock.now())
    assert add_passkey(browser, device, "/account/security/passkey?next=%2Faccount").location == (
        "/sign-in/passkey?next=%2Faccount"
    )
    assert browser.get("/account").status_code == 302
    assert show_passkey(browser, device, "/sign-in/passkey?next=%2Faccount").location == "/account"
    assert browser.get("/account").status_code == 200
    clock.advance(timedelta(minutes=1))
    other = Browser(app)
    other.post("/sign-in", username=str(julie.code), password=julie.password)
    for path in ("/sign-in/code", "/sign-in/code/recovery"):
        assert other.get(path).location.endswith("/sign-in/code/passkey")
    posted = other.post("/sign-in/code", page="/sign-in/code/passkey", otp=julie.otp(clock.now()))
    assert posted.location.endswith("/sign-in/code/passkey")
    assert other.get("/account").status_code == 302
    assert show_passkey(other, device, "/sign-in/code/passkey").location == "/home"
