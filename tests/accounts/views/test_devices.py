"""My sessions and devices, and the end of a sign-in told in time."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from flask import Flask

from idp.accounts import services
from idp.clock import MovableClock
from idp.notices.services import deliver_due
from tests.accounts.conftest import Account, Browser, payloads
from tests.oidc.scenery import RelyingParty, csrf_token, make_scenery


def seconds_left(page: str) -> int:
    found = re.search(r'data-seconds="(\d+)"', page)
    assert found, page
    return int(found.group(1))


def test_one_session_is_ended_and_the_agencies_hear_of_it(
    app: Flask, account: Callable[..., Account], clock: MovableClock, browser: Browser
) -> None:
    """The list marks this device; ending another leaves this one; the outbox tells once (OIDC Back-Channel Logout)."""
    julie, elsewhere = account(), Browser(app)
    browser.sign_in(julie, clock.now())
    clock.advance(timedelta(seconds=30))
    elsewhere.sign_in(julie, clock.now())
    here, there = sorted(services.open_sign_ins(julie.person_id, now=clock.now()), key=lambda one: one.started_at)
    assert "(cet appareil)" in browser.get("/account/sessions").text.split("session-2")[0]

    for _ in range(2):
        assert browser.post("/account/sessions/end", page="/account", sid=there.sid).status_code == 303

    assert elsewhere.get("/account").status_code == 302
    assert browser.get("/account").status_code == 200
    assert payloads("sign_in_ended") == [{"sid": there.sid, "person_id": julie.person_id}]
    assert browser.post("/account/sessions/end", page="/account", sid=here.sid).location == "/"
    assert browser.get("/account").status_code == 302


def test_nobody_ends_the_session_of_another(
    app: Flask, account: Callable[..., Account], clock: MovableClock, browser: Browser
) -> None:
    """The ``sid`` of somebody else, an unknown or an absent one change nothing (S-66)."""
    julie, nadia, other = account("Julie"), account("Nadia"), Browser(app)
    browser.sign_in(julie, clock.now())
    other.sign_in(nadia, clock.now())
    (hers,) = services.open_sign_ins(nadia.person_id, now=clock.now())

    for sid in (hers.sid, "0" * 32, ""):
        assert browser.post("/account/sessions/end", page="/account", sid=sid).status_code == 303

    assert other.get("/account").status_code == 200
    assert browser.get("/account").status_code == 200
    assert payloads("sign_in_ended") == []


def test_everything_ends_at_once(
    app: Flask, account: Callable[..., Account], clock: MovableClock, browser: Browser
) -> None:
    """This one too."""
    julie, elsewhere = account(), Browser(app)
    browser.sign_in(julie, clock.now())
    clock.advance(timedelta(seconds=30))
    elsewhere.sign_in(julie, clock.now())

    browser.post("/account/sessions/end-all", page="/account")

    assert services.open_sign_ins(julie.person_id, now=clock.now()) == ()
    assert len(payloads("sign_in_ended")) == 2
    assert browser.get("/account").status_code == 302


def test_every_page_tells_when_the_sign_in_ends(
    account: Callable[..., Account], clock: MovableClock, browser: Browser
) -> None:
    """In words without scripts, in seconds for the dialog; the end of its life comes before the hour (WCAG 2.2.1)."""
    julie = account()
    browser.sign_in(julie, clock.now())
    assert seconds_left(browser.get("/account").text) == 3600
    clock.advance(timedelta(seconds=59))
    assert seconds_left(browser.get("/account").text) == 3541
    for _ in range(14):
        clock.advance(timedelta(minutes=50))
        page = browser.get("/account").text
    assert 'id="session-notice"' in page
    assert seconds_left(page) == 12 * 3600 - 59 - 14 * 3000
    assert "data-seconds" not in Browser(browser.client.application).get("/sign-in").text


def test_one_post_keeps_the_sign_in(account: Callable[..., Account], clock: MovableClock, browser: Browser) -> None:
    """It answers in seconds to a script and with a page to a form; it revives nothing and needs its token."""
    julie = account()
    browser.sign_in(julie, clock.now())
    clock.advance(timedelta(seconds=30))
    token = browser.token("/account")
    asked = {"headers": {"Accept": "application/json"}}
    clock.advance(timedelta(seconds=29))
    kept = browser.client.post("/account/stay", data={"csrf_token": token}, **asked)  # type: ignore[arg-type]
    assert kept.json == {"seconds": 3600}
    assert browser.client.post("/account/stay", data={"csrf_token": token}).location == "/account"
    assert browser.client.post("/account/stay", data={}, **asked).status_code == 403  # type: ignore[arg-type]
    clock.advance(timedelta(hours=1))

    late = browser.client.post("/account/stay", data={"csrf_token": token}, **asked)  # type: ignore[arg-type]

    assert late.status_code == 302
    assert browser.get("/account").status_code == 302


def test_each_session_says_what_rests_on_it(app: Flask, clock: MovableClock, tmp_path: Path) -> None:
    """The enterprise and the agency that holds tokens, of this session and not of another; ending it revokes them."""
    scenery = make_scenery(app, clock, tmp_path)
    rp, julie, elsewhere = RelyingParty(scenery), scenery.browser(), scenery.browser()
    access = rp.tokens(julie)["access_token"]
    clock.advance(timedelta(seconds=30))
    scenery.sign_in(elsewhere, "julie")
    agency = "Autorité des marchés publics"

    page = elsewhere.get("/account/sessions").text

    mine, other = page.split('id="session-2"')
    assert agency not in mine
    assert agency in other
    sid = re.findall(r'name="sid" value="([0-9a-f]{32})"', page)[1]
    assert elsewhere.post(
        "/account/sessions/end", data={"csrf_token": csrf_token(page), "sid": sid}
    ).status_code == 303  # fmt: skip
    deliver_due(clock.now())
    assert rp.userinfo(access).status_code == 401
