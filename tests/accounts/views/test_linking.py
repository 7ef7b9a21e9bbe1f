"""The page that adds a new user code to the account its person has, through real HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from idp.accounts import services
from idp.accounts.people.contact_services import note_confirmed
from idp.accounts.sign_in.sign_in_lookup_services import holder_of
from idp.audit import SYSTEM
from idp.clock import MovableClock
from idp.db import db
from idp.identifiers import UserCode
from tests.accounts.conftest import page_of

from ..authenticator import Authenticator
from ..conftest import Account, Browser, latest_email_code, payloads, switch_on
from .test_passkeys import add_passkey, show_passkey

Newcomer = Callable[..., tuple[UserCode, str]]
Accounts = Callable[..., Account]
LINK, SIGN_IN = "/activate/link", "/sign-in?next=%2Factivate%2Flink"


def begin(browser: Browser, code: UserCode, secret: str) -> None:
    """Go through the slip and the code by e-mail, up to where a password is asked for."""
    browser.post("/activate?next=/account", user_code=str(code), temporary_password=secret)
    assert browser.post("/activate/code", email_code=latest_email_code()).location.endswith("/activate/password")


def owner(code: UserCode) -> str | None:
    db.session.rollback()
    return holder_of(code).person_id


def test_the_page_of_the_password_leads_to_the_account_and_back(
    account: Accounts, newcomer: Newcomer, browser: Browser, clock: MovableClock
) -> None:
    """Whoever is not signed in proves the account first; one button then links, and leads where they were headed."""
    whom, (code, secret) = account(), newcomer()
    begin(browser, code, secret)
    assert f'href="{LINK}"' in browser.get("/activate/password").get_data(as_text=True)
    assert browser.get(LINK).location == SIGN_IN
    assert browser.sign_in(whom, clock.now(), query=SIGN_IN.removeprefix("/sign-in")).location.endswith(LINK)
    page = browser.get(LINK).get_data(as_text=True)
    assert "Nadia Roy" in page
    assert "Julie Tremblay, j•••@example.com" in page
    assert str(code) not in page
    assert owner(code) is None

    answer = browser.post(LINK)

    assert answer.location == "/account"
    assert owner(code) == whom.person_id
    assert "ajouté à votre compte" in browser.get("/account").get_data(as_text=True)
    assert browser.get(LINK).location == "/activate"
    browser.post("/sign-out", page="/account")
    clock.advance(timedelta(seconds=30))
    assert browser.sign_in(Account(whom.person_id, code), clock.now()).location == "/home"


def test_an_old_sign_in_is_confirmed_first(
    account: Accounts, newcomer: Newcomer, browser: Browser, clock: MovableClock
) -> None:
    """Neither the page nor the button answers a sign-in that is not fresh; a code of the application makes it so."""
    whom, (code, secret) = account(), newcomer()
    browser.sign_in(whom, clock.now())
    begin(browser, code, secret)
    token = browser.token(LINK)
    clock.advance(timedelta(minutes=6))

    assert browser.get(LINK).location == "/confirm?next=%2Factivate%2Flink"
    assert "/confirm" in str(browser.client.post(LINK, data={"csrf_token": token}).location)
    assert owner(code) is None
    assert browser.post("/confirm?next=%2Factivate%2Flink", otp=whom.otp(clock.now())).location.endswith(LINK)
    assert browser.post(LINK).location == "/account"
    assert owner(code) == whom.person_id


def test_a_sign_in_by_email_code_links_nothing(
    app: Flask, account: Accounts, newcomer: Newcomer, browser: Browser, clock: MovableClock
) -> None:
    """It reads only: the page asks it for a factor."""
    switch_on(app)
    whom, (code, secret) = account(), newcomer()
    note_confirmed("julie@example.com", now=clock.now())
    begin(browser, code, secret)
    browser.post(SIGN_IN, username=str(whom.code), password=whom.password)
    browser.post("/sign-in/code/email/send", page="/sign-in/code")
    assert browser.post("/sign-in/code/email", email_code=latest_email_code()).location.endswith(LINK)

    assert "/confirm" in str(browser.get(LINK).location)
    assert owner(code) is None


def test_a_passkey_proves_the_account_too(
    app: Flask, account: Accounts, newcomer: Newcomer, browser: Browser, clock: MovableClock
) -> None:
    """The passkey alone, from the sign-in page that the link led to."""
    whom, device, (code, secret) = account(), Authenticator(), newcomer()
    owner_browser = Browser(app)
    owner_browser.sign_in(whom, clock.now())
    add_passkey(owner_browser, device)
    begin(browser, code, secret)

    assert show_passkey(browser, device, "/sign-in/passkey?next=%2Factivate%2Flink").location.endswith(LINK)
    assert browser.post(LINK).location == "/account"
    assert owner(code) == whom.person_id


def test_a_code_that_asks_for_more_asks_it_at_once(
    account: Accounts, newcomer: Newcomer, browser: Browser, clock: MovableClock
) -> None:
    """The level of the new role comes with the code: until a passkey is added, this sign-in opens nothing else."""
    whom, (code, secret) = account(), newcomer()
    services.require_level(services.user_codes([str(code)])[str(code)].person_id, 3)
    browser.sign_in(whom, clock.now())
    begin(browser, code, secret)

    assert browser.post(LINK).location == "/account"

    assert browser.get("/account").location == "/account/security/passkey"
    assert owner(code) == whom.person_id


def test_without_an_activation_the_page_leads_to_the_start(
    account: Accounts, browser: Browser, clock: MovableClock
) -> None:
    """Signed in or not, there is nothing to link."""
    assert browser.get(LINK).location == SIGN_IN
    browser.sign_in(account(), clock.now())

    assert browser.get(LINK).location == "/activate"
    assert browser.post(LINK, page="/account").location == "/activate"


def test_an_ordinary_sign_in_forgets_the_activation(
    account: Accounts, newcomer: Newcomer, browser: Browser, clock: MovableClock
) -> None:
    """A sign-in for something else finds nothing of an activation begun before on this browser (security-bar.md S-42)."""
    code, secret = newcomer()
    begin(browser, code, secret)
    browser.sign_in(account(), clock.now())

    assert browser.get(LINK).location == "/activate"
    assert browser.get("/activate/password").location == "/activate"


def test_another_account_may_be_chosen(
    account: Accounts, newcomer: Newcomer, browser: Browser, clock: MovableClock
) -> None:
    """The sign-in of the browser ends, the activation goes on, and the other account gets the code."""
    omar, julie, (code, secret) = account("Omar"), account(), newcomer()
    browser.sign_in(omar, clock.now())
    begin(browser, code, secret)
    assert "Omar Tremblay" in browser.get(LINK).get_data(as_text=True)

    answer = browser.post(f"{LINK}/other", page=LINK)

    assert page_of(answer.location) == SIGN_IN
    assert browser.get(LINK).location == SIGN_IN
    browser.sign_in(julie, clock.now(), query=SIGN_IN.removeprefix("/sign-in"))
    assert browser.post(LINK).location == "/account"
    assert owner(code) == julie.person_id


@pytest.mark.parametrize("language", ["fr", "en"])
def test_what_stands_in_the_way_is_said_and_the_password_still_offered(
    account: Accounts, newcomer: Newcomer, browser: Browser, clock: MovableClock, language: str
) -> None:
    """An account of the desk gets no code: the page says so, offers the password, and shows no button that links."""
    whom, (code, secret) = account(language=language), newcomer()
    services.mark_operator(whom.person_id)
    browser.sign_in(whom, clock.now())
    begin(browser, code, secret)

    page = browser.get(LINK).get_data(as_text=True)

    assert ("guichet" if language == "fr" else "of the desk") in page
    assert 'id="link"' not in page
    assert browser.post(LINK).status_code == 200
    assert owner(code) is None
    assert payloads("user_code_linked") == []
    assert browser.get("/activate/password").status_code == 200


def test_a_slip_made_anew_meanwhile_ends_it(
    account: Accounts, newcomer: Newcomer, browser: Browser, clock: MovableClock
) -> None:
    """The person in charge made another slip between the page and the button: nothing is linked."""
    whom, (code, secret) = account(), newcomer()
    browser.sign_in(whom, clock.now())
    begin(browser, code, secret)
    token = browser.token(LINK)
    services.reveal_temporary_password(code, actor=SYSTEM, now=clock.now())

    assert browser.client.post(LINK, data={"csrf_token": token}).location == "/activate"
    assert owner(code) is None
