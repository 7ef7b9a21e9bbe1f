"""A lock is no weapon: the browsers that a person is known by keep a way in, as narrow as the other (security-bar.md S-50)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from idp import audit
from idp.accounts import services
from idp.accounts.challenges.models import KnownBrowser
from idp.accounts.sessions import known_browser_services
from idp.accounts.sessions.cookies import KnownBy
from idp.accounts.sign_in.sign_in_services import check_password
from idp.accounts.throttling import attempt_counter_services
from idp.clock import MovableClock
from idp.crypto.sealing import digest
from idp.db import db
from tests.accounts.conftest import Account, Browser
from tests.accounts.recovery.test_reproofing_services import begin, set_factor, to_factor
from tests.accounts.sign_in.test_sign_in_services import at_once
from tests.accounts.views.test_recovery import to_password
from tests.accounts.views.test_security import NEW, change_password

COOKIE = "mandat-browser"


def attack(app: Flask, account: Account, tries: int = 30) -> None:
    """Lock an account from the network."""
    stranger = Browser(app)
    for _ in range(tries):
        stranger.post("/sign-in", username=str(account.code), password="wrong wrong wrong")


def may_begin(browser: Browser, account: Account) -> bool:
    answer = browser.post("/sign-in", username=str(account.code), password=account.password)
    return (answer.location or "").endswith("/sign-in/code")


def test_strangers_lock_everybody_out_but_a_known_browser(
    app: Flask, account: Callable[..., Account], clock: MovableClock, browser: Browser
) -> None:
    """Thirty wrong tries: a new browser waits, the known one signs in and confirms acts; the lock stays for the others."""
    julie = account()
    browser.sign_in(julie, clock.now())
    browser.post("/sign-out", page="/account")
    clock.advance(timedelta(minutes=1))
    attack(app, julie)
    assert not may_begin(Browser(app), julie)

    browser.sign_in(julie, clock.now())

    assert browser.get("/account").status_code == 200
    assert not may_begin(Browser(app), julie)
    clock.advance(timedelta(minutes=5))
    assert browser.post("/confirm?next=/account", otp=julie.otp(clock.now())).location == "/account"


def test_a_known_browser_has_no_more_tries_than_others(
    app: Flask, account: Callable[..., Account], clock: MovableClock, browser: Browser
) -> None:
    """Whoever holds the cookie has five, then the same pause; and the cookie alone opens nothing (S-43)."""
    julie = account()
    browser.sign_in(julie, clock.now())
    thief = Browser(app)
    thief.client.set_cookie(COOKIE, browser.cookie(COOKIE) or "")
    assert thief.get("/account").status_code == 302
    attack(app, julie)

    answers = [
        thief.post("/sign-in", username=str(julie.code), password="wrong wrong wrong").status_code for _ in range(7)
    ]

    assert answers == [200] * 4 + [429] * 3
    assert not may_begin(thief, julie)


def test_another_s_or_a_forged_cookie_is_no_way_in(
    app: Flask, account: Callable[..., Account], clock: MovableClock, browser: Browser
) -> None:
    """The browser of another person, a random value, a digest or a prefix: locked like everybody."""
    julie, nadia = account("Julie"), account("Nadia")
    browser.sign_in(nadia, clock.now())
    token = browser.cookie(COOKIE) or ""
    attack(app, julie)

    for value in (token, "x" * 43, digest(token), token[:-1], ""):
        other = Browser(app)
        other.client.set_cookie(COOKIE, value)
        assert not may_begin(other, julie)


def test_a_browser_that_was_forgotten_frozen_or_left_is_known_no_more(
    app: Flask, account: Callable[..., Account], clock: MovableClock, browser: Browser
) -> None:
    """By its person from any session, by freezing, or after 180 days without a sign-in; the sweep takes it away."""
    julie = account()
    browser.sign_in(julie, clock.now())
    (known,) = known_browser_services.of_person(julie.person_id, now=clock.now())
    assert known.id in browser.get("/account/sessions").text
    nadia, other = account("Nadia"), Browser(app)
    other.sign_in(nadia, clock.now())
    other.post("/account/sessions/forget", page="/account/sessions", browser=known.id)
    assert len(known_browser_services.of_person(julie.person_id, now=clock.now())) == 1
    db.session.commit()

    browser.post("/account/sessions/forget", page="/account/sessions", browser=known.id)

    assert known_browser_services.of_person(julie.person_id, now=clock.now()) == ()
    services.freeze(nadia.person_id, actor=audit.SYSTEM, now=clock.now())
    assert known_browser_services.of_person(nadia.person_id, now=clock.now()) == ()
    services.sweep(clock.now())
    assert db.session.scalar(select(func.count()).select_from(KnownBrowser)) == 0
    db.session.commit()
    clock.advance(timedelta(minutes=1))
    browser.sign_in(julie, clock.now())
    assert known_browser_services.of_person(julie.person_id, now=clock.now() + timedelta(days=180)) == ()


def known_in(account: Account, clock: MovableClock) -> int:
    db.session.commit()
    return len(known_browser_services.of_person(account.person_id, now=clock.now()))


@pytest.mark.databases
def test_a_changed_password_leaves_the_present_browser_known_and_no_other(
    app: Flask, account: Callable[..., Account], clock: MovableClock, browser: Browser
) -> None:
    """Somebody who learned the former password keeps no way past the lock; the person does, and others are not concerned."""
    julie, nadia, other = account(), account("Nadia"), Browser(app)
    Browser(app).sign_in(nadia, clock.now())
    other.sign_in(julie, clock.now())
    clock.advance(timedelta(minutes=1))
    browser.sign_in(julie, clock.now())
    assert known_in(julie, clock) == 2

    assert change_password(browser, julie.password).location == "/account/security"

    assert (known_in(julie, clock), known_in(nadia, clock)) == (1, 1)
    attack(app, julie)
    assert not may_begin(other, replace(julie, password=NEW))
    assert may_begin(browser, replace(julie, password=NEW))


@pytest.mark.databases
def test_after_a_recovery_no_browser_is_known(
    app: Flask, account: Callable[..., Account], clock: MovableClock, browser: Browser
) -> None:
    """Not the one it was made in either: it showed no former password."""
    julie = account()
    browser.sign_in(julie, clock.now())
    clock.advance(timedelta(minutes=1))
    to_password(browser, julie, clock)

    assert browser.post("/recover/password", new_password=NEW, new_password_repeat=NEW).location == "/sign-in"

    assert known_in(julie, clock) == 0


@pytest.mark.databases
def test_whoever_is_proved_anew_is_known_in_no_browser(
    account: Callable[..., Account], clock: MovableClock, browser: Browser
) -> None:
    """The slip replaces everything that was there."""
    julie = account()
    browser.sign_in(julie, clock.now())
    slip = begin(julie, clock)
    assert known_in(julie, clock) == 1

    assert set_factor(to_factor(julie, slip, clock), clock)

    assert known_in(julie, clock) == 0


def test_the_cookie_is_kept_as_the_others_and_stored_as_a_digest(
    account: Callable[..., Account], clock: MovableClock, browser: Browser
) -> None:
    """HttpOnly, SameSite=Lax, 180 days; the same on the next sign-in; the table knows its digest alone."""
    julie = account()
    answer = browser.sign_in(julie, clock.now())
    (written,) = [each for each in answer.headers.getlist("Set-Cookie") if each.startswith(f"{COOKIE}=")]
    for attribute in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=15552000"):
        assert attribute in written
    token = browser.cookie(COOKIE) or ""
    clock.advance(timedelta(minutes=1))

    browser.sign_in(julie, clock.now())

    assert browser.cookie(COOKIE) == token
    assert db.session.scalars(select(KnownBrowser.secret_digest)).all() == [digest(token)]


@pytest.mark.databases
def test_simultaneous_tries_hold_both_counters(
    app: Flask, account: Callable[..., Account], clock: MovableClock
) -> None:
    """Sixteen at once from a known browser: five on the person's counter, five on its own, none beyond (S-48)."""
    julie, known = account(), digest("k" * 43)
    now = clock.now()
    at_once(app, 4, lambda: known_browser_services.remember(julie.person_id, KnownBy(known), device="", now=now))
    own = known_browser_services.counters(julie.person_id, known, now=now)
    person = attempt_counter_services.subject_of(julie.person_id)

    answers = at_once(app, 16, lambda: attempt_counter_services.take_try_on(person, own, now=now)[0])

    assert answers.count(True) == 10
    assert check_password(julie.code, julie.password, next_path="/", known=known, now=now).refusal == "locked"
    assert len(own) == 1
