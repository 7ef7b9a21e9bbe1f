"""A code by e-mail after the password: off unless switched on, and then it reads (ADR 0014)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from idp import audit
from idp.accounts import services
from idp.accounts.people import contact_services, person_services
from idp.accounts.sessions.sessions import open_to_weak_sign_in
from idp.accounts.sign_in.confirming import fresh_sign_in_required
from idp.accounts.views import security
from idp.clock import MovableClock

from ..conftest import Account, Browser, latest_email_code, payloads, switch_on

Accounts = Callable[..., Account]
PAGE = "/sign-in/code/email"


@pytest.fixture
def julie(app: Flask, account: Accounts, clock: MovableClock) -> Account:
    """Somebody with a confirmed address, where the fallback is switched on."""
    switch_on(app)
    contact_services.note_confirmed("julie@example.com", now=clock.now())
    return account()


def first_step(browser: Browser, account: Account, query: str = "") -> None:
    answer = browser.post(f"/sign-in{query}", username=str(account.code), password=account.password)
    assert answer.location.endswith("/sign-in/code")


def ask(browser: Browser) -> TestResponse:
    return browser.post(f"{PAGE}/send", page=PAGE)


def read_only(browser: Browser, account: Account, query: str = "") -> TestResponse:
    """Sign in with a code by e-mail."""
    first_step(browser, account, query)
    assert ask(browser).location == PAGE
    return browser.post(PAGE, email_code=latest_email_code())


@pytest.mark.databases
def test_it_reads_says_so_and_is_told_to_the_person(browser: Browser, julie: Account) -> None:
    """Home and account open; the log says what was shown, and a notice leaves for the person."""
    answer = read_only(browser, julie, "?next=/account")

    assert answer.location == "/account"
    assert "reçu par courriel" in browser.get("/account").text
    acrs = [entry.details["acr"] for entry in audit.entries(limit=100) if entry.event == audit.Event.SIGNED_IN]
    assert acrs == ["urn:mandat:aal:1"]
    assert len(payloads("security_notice")) == 1
    assert browser.client.get_cookie("mandat-browser") is None  # not every factor: no browser is known from it


def test_it_is_off_unless_switched_on(app: Flask, browser: Browser, julie: Account) -> None:
    """Off, it is neither offered nor reachable, and ends the sign-ins that rest on it (ASVS 6.3.6)."""
    read_only(browser, julie)
    switch_on(app, on=False)
    other = Browser(app)
    first_step(other, julie)

    assert "use-email-code" not in other.get("/sign-in/code").text
    assert other.get(PAGE).location.endswith("/sign-in/code")
    assert other.post(f"{PAGE}/send", page="/sign-in/code").location.endswith("/sign-in/code")
    assert other.post(PAGE, page="/sign-in/code", email_code="00000000").location.endswith("/sign-in/code")
    assert len(payloads("email_code")) == 1
    assert browser.get("/account").status_code == 302


@pytest.mark.parametrize("who", ["operator", "level 3", "not confirmed", "refused", "frozen"])
def test_it_is_never_offered_to(who: str, app: Flask, browser: Browser, account: Accounts, clock: MovableClock) -> None:
    """Operators, people who must show a passkey, addresses nobody confirmed or that refuse, and frozen accounts."""
    switch_on(app)
    julie = account()
    if who != "not confirmed":
        contact_services.note_confirmed("julie@example.com", now=clock.now())
    first_step(browser, julie)
    if who == "operator":
        person_services.mark_operator(julie.person_id)
    if who == "level 3":
        person_services.require_level(julie.person_id, 3)
    if who == "refused":
        contact_services.note_refused("julie@example.com", 550, clock.now())
    if who == "frozen":
        services.freeze(julie.person_id, actor=audit.SYSTEM, now=clock.now())
        first_step(browser, julie)

    assert "use-email-code" not in browser.get("/sign-in/code").text
    assert browser.get(PAGE).location.endswith("/sign-in/code")
    assert payloads("email_code") == []


def test_whoever_must_show_more_meanwhile_is_signed_out(browser: Browser, julie: Account) -> None:
    """A sign-in that reads does not outlive the rule that allowed it."""
    read_only(browser, julie)
    person_services.mark_operator(julie.person_id)

    assert browser.get("/account").status_code == 302


@pytest.mark.parametrize(
    "path",
    [
        "/account/security", "/account/security/passkey", "/account/security/application", "/account/security/password",
        "/account/security/recovery-codes", "/account/email", "/account/data", "/account/data/download",
        "/account/activity", "/people", "/agencies", "/desk", "/account/consents", "/continue",
    ],
)  # fmt: skip
def test_every_other_page_asks_for_a_factor(browser: Browser, julie: Account, path: str) -> None:
    """No page where a factor, a password or an address is changed opens, though the sign-in is a minute old."""
    read_only(browser, julie)

    answer = browser.get(path)

    assert answer.status_code in (302, 303, 404)
    if answer.status_code != 404:
        assert urlsplit(answer.location).path == "/confirm"
        assert parse_qs(urlsplit(answer.location).query)["next"] == [path]


def test_a_form_waits_and_goes_on_after_a_factor(browser: Browser, julie: Account, clock: MovableClock) -> None:
    """What was posted is kept for this sign-in, which becomes a whole one and keeps its ``sid``."""
    read_only(browser, julie)
    (before,) = services.open_sign_ins(julie.person_id, now=clock.now())

    answer = browser.post("/account/language", page="/account/freeze", language="en")
    page = browser.get(answer.location)
    assert 'id="reads-only"' in page.text
    clock.advance(timedelta(seconds=30))
    onward = browser.post(answer.location, otp=julie.otp(clock.now()))

    assert onward.location.startswith("/continue?form=")
    assert browser.get("/account/security").status_code == 200
    (after,) = services.open_sign_ins(julie.person_id, now=clock.now())
    assert after.sid == before.sid


def test_a_whole_sign_in_is_not_made_weaker_nor_carried_over(
    browser: Browser, julie: Account, clock: MovableClock
) -> None:
    """What rests on the former sid ends with it: a code by e-mail keeps no session at an agency alive."""
    browser.sign_in(julie, clock.now())
    (whole,) = services.open_sign_ins(julie.person_id, now=clock.now())
    read_only(browser, julie)

    (reading,) = services.open_sign_ins(julie.person_id, now=clock.now())
    assert reading.sid != whole.sid
    assert [told["sid"] for told in payloads("sign_in_ended")] == [whole.sid]


def test_the_code_serves_once_in_its_browser_for_ten_minutes(
    app: Flask, browser: Browser, julie: Account, clock: MovableClock
) -> None:
    """Nor in another browser of the same person, nor once another one was sent, nor a second time."""
    first_step(browser, julie)
    ask(browser)
    former, other = latest_email_code(), Browser(app)
    first_step(other, julie)
    assert other.post(PAGE, page="/sign-in/code", email_code=former).location is None
    clock.advance(timedelta(seconds=30))
    ask(browser)
    assert browser.post(PAGE, email_code=former).location is None
    latest = latest_email_code()
    assert browser.post(PAGE, email_code=latest).location == "/home"
    first_step(browser, julie)

    assert browser.post(PAGE, page="/sign-in/code", email_code=latest).location is None


def test_a_code_that_is_too_old_is_worth_nothing(browser: Browser, julie: Account, clock: MovableClock) -> None:
    """Ten minutes, and not a second more; so is the sign-in it belongs to."""
    first_step(browser, julie)
    clock.advance(timedelta(minutes=-5))
    ask(browser)
    clock.advance(timedelta(minutes=10))

    answer = browser.post(PAGE, email_code=latest_email_code())

    assert answer.location is None
    assert "Demandez-en un autre" in answer.text


@pytest.mark.bar("R-25")
def test_three_messages_an_hour_however_many_sign_ins_are_begun(
    app: Flask, browser: Browser, julie: Account, clock: MovableClock
) -> None:
    """Half a minute between two, three an hour, for the person and not for the browser (R-25)."""
    first_step(browser, julie)
    for _ in range(2):
        ask(browser)
    assert len(payloads("email_code")) == 1
    for _ in range(4):
        clock.advance(timedelta(seconds=31))
        another = Browser(app)
        first_step(another, julie)
        ask(another)

    assert len(payloads("email_code")) == 3
    assert "trois" in another.get(PAGE).text
    clock.advance(timedelta(hours=1))
    first_step(another, julie)
    ask(another)
    assert len(payloads("email_code")) == 4


@pytest.mark.bar("S-48")
def test_wrong_codes_lock_with_every_other_guess_and_a_right_one_forgets_none(browser: Browser, julie: Account) -> None:
    """One counter: whoever has password and mailbox gains no more tries at the application's code."""
    first_step(browser, julie)
    for _ in range(3):
        browser.post("/sign-in/code", otp="000000")
    ask(browser)
    assert browser.post(PAGE, email_code=latest_email_code()).location == "/home"
    first_step(browser, julie)
    browser.post("/sign-in/code", otp="000000")
    last = browser.post("/sign-in/code", otp="000000")

    assert last.status_code == 429
    refused = browser.post(PAGE, page="/sign-in/code", email_code="00000000")
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0


def test_wrong_codes_say_how_many_tries_are_left(browser: Browser, julie: Account) -> None:
    """Each is counted; an empty one is not judged."""
    first_step(browser, julie)
    ask(browser)

    assert "4 essais" in browser.post(PAGE, email_code="00000000").text
    browser.post(PAGE, email_code="")
    assert "3 essais" in browser.post(PAGE, email_code="00000000").text


def test_it_proves_nobody_who_forgot_their_password(browser: Browser, julie: Account) -> None:
    """A recovery begins with a code by e-mail: the same thing twice is not two proofs (S-58)."""
    browser.post("/recover", user_code=str(julie.code))
    sent = str(payloads("recovery_code")[-1]["code"])
    browser.post("/recover/code", email_code=sent)

    assert browser.get(PAGE).location == "/sign-in"
    assert browser.post("/recover/factor", otp=sent).location is None


def test_no_mark_opens_an_act_that_wants_a_fresh_sign_in(app: Flask, browser: Browser, julie: Account) -> None:
    """A view marked by mistake still asks for a factor: a code by e-mail is never fresh."""

    @app.get("/marked")
    @open_to_weak_sign_in
    @fresh_sign_in_required
    def marked() -> str:
        return "done"

    @app.get("/marked-too")
    @open_to_weak_sign_in
    @security.fresh_sign_in_required
    def marked_too() -> str:
        return "done"

    read_only(browser, julie)

    assert browser.get("/marked").location == "/confirm?next=%2Fmarked"
    assert browser.get("/marked-too").status_code == 302
