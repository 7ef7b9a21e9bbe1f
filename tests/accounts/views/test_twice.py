"""A form sent twice, the first answer given up with its cookies: the second answer ends where the first one led."""

from __future__ import annotations

import re
from collections.abc import Callable

import pyotp
import pytest
from flask import Flask
from sqlalchemy import func, select

from idp.accounts import models, services
from idp.clock import MovableClock
from idp.db import db
from idp.identifiers import UserCode
from tests.accounts.conftest import Account, Browser, latest_email_code, page_of
from tests.accounts.views.test_recovery import sent

PASSWORD = "trois petits bateaux verts et gris"


@pytest.fixture
def twice(app: Flask) -> Callable[..., tuple[str | None, str | None]]:
    """Send a form from *browser* twice; the first answer goes to a browser with the same cookies that is closed at once."""

    def send(browser: Browser, path: str, **typed: str) -> tuple[str | None, str | None]:
        fields = {"csrf_token": browser.token(path), **typed}
        closed = Browser(app)
        for cookie in browser.client._cookies.values():
            closed.client.set_cookie(cookie.key, cookie.value)
        first = closed.client.post(path, data=fields)
        second = browser.client.post(path, data=fields)
        assert second.status_code == first.status_code == 303, second.text
        return page_of(first.location), page_of(second.location)

    return send


def test_every_step_of_an_activation(
    newcomer: Callable[..., tuple[UserCode, str]],
    browser: Browser,
    clock: MovableClock,
    twice: Callable[..., tuple[str, str]],
) -> None:
    """The slips, the code by e-mail, the password, the application: one activation, one account, one sign-in."""
    code, secret = newcomer()
    first, second = twice(browser, "/activate", user_code=str(code), temporary_password=secret)
    assert first == second == "/activate/code"
    first, second = twice(browser, "/activate/code", email_code=latest_email_code())
    assert first == second == "/activate/password"
    first, second = twice(browser, "/activate/password", new_password=PASSWORD, new_password_repeat=PASSWORD)
    assert first == second == "/activate/factor"
    page = browser.get("/activate/factor").text
    key = re.search(r'id="totp-key">([A-Z0-9 ]+)<', page)
    assert key, page
    otp = pyotp.TOTP(key[1].replace(" ", "")).at(clock.now())

    first, second = twice(browser, "/activate/factor", otp=otp)

    assert first == second
    assert browser.get("/account/security/recovery-codes").status_code == 200
    assert db.session.scalar(select(func.count(models.SignInRow.sid))) == 1


def test_a_new_password_a_freezing_and_a_thaw(
    account: Callable[..., Account], browser: Browser, clock: MovableClock, twice: Callable[..., tuple[str, str]]
) -> None:
    """Changed once, frozen once, open once; and another code than the one that did it is refused all the same."""
    julie = account()
    assert twice(browser, "/recover", user_code=str(julie.code)) == ("/recover/code",) * 2
    assert twice(browser, "/recover/code", email_code=sent()) == ("/recover/factor",) * 2
    assert twice(browser, "/recover/factor", otp=julie.otp(clock.now())) == ("/recover/password",) * 2
    chosen = {"new_password": PASSWORD, "new_password_repeat": PASSWORD}
    assert twice(browser, "/recover/password", **chosen) == ("/sign-in",) * 2
    browser.post("/freeze", user_code=str(julie.code))
    stray = browser.client.get_cookie("mandat-page")
    assert stray is not None

    first, second = twice(browser, "/freeze/code", email_code=latest_email_code())

    assert first == second == "/frozen"
    assert not services.is_open(julie.person_id)
    assert browser.get("/freeze/code").location == "/freeze"
