"""Freezing one's access, with and without a sign-in, and the way back."""

from __future__ import annotations

import html
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from idp import audit
from idp.accounts import services
from idp.accounts.challenges.email_code_services import CodeCheck
from idp.accounts.people import access_services
from idp.accounts.sessions import session_services
from idp.accounts.sign_in.domain.steps import FlowKind
from idp.accounts.sign_in.sign_in_services import SecondStep, check_password, check_second_factor
from idp.clock import MovableClock
from idp.db import db, transaction
from idp.delegation.people import frozen_account_notices
from idp.errors import NotAllowedError
from idp.notices.services import deliver_due
from tests.accounts.authenticator import Authenticator
from tests.accounts.conftest import Account, Browser, latest_email_code, page_of, payloads
from tests.accounts.crossings import crossing
from tests.accounts.views.test_passkeys import add_passkey, show_passkey
from tests.delegation.conftest import Business, World, licorne, world
from tests.oidc.lasting import Server
from tests.oidc.scenery import lasting, load, make_scenery

__all__ = ["licorne", "world"]  # fixtures of delegation


def events_of(account: Account) -> list[str]:
    return [entry.event for entry in audit.entries(person_id=account.person_id)]


def first_step(browser: Browser, account: Account) -> None:
    assert browser.post("/sign-in", username=str(account.code), password=account.password).location.endswith(
        "/sign-in/code"
    )


def test_one_button_ends_everything(
    app: Flask, account: Callable[..., Account], clock: MovableClock, browser: Browser
) -> None:
    """Every session ends, what was begun dies, the person is written to, the agencies and the AR are to be told."""
    julie, elsewhere, halfway = account(), Browser(app), Browser(app)
    browser.sign_in(julie, clock.now())
    clock.advance(timedelta(seconds=30))
    elsewhere.sign_in(julie, clock.now())
    first_step(halfway, julie)

    answer = browser.post("/account/freeze")

    assert answer.location == "/frozen"
    assert not services.is_open(julie.person_id)
    assert [each.get("/account").status_code for each in (browser, elsewhere)] == [302, 302]
    assert halfway.get("/sign-in/code").location == "/sign-in"
    assert len(payloads("sign_in_ended")) == 2
    assert [len(payloads(kind)) for kind in ("account_frozen", "access_frozen", "person_frozen")] == [1, 1, 1]
    assert events_of(julie).count("person:frozen") == 1
    assert not services.freeze(julie.person_id, actor=audit.SYSTEM, now=clock.now())


def test_both_factors_lead_to_a_code_by_e_mail_and_not_in(
    account: Callable[..., Account], clock: MovableClock, browser: Browser
) -> None:
    """No session before the code of the e-mail was right; then the person signs in as ever. A wrong code opens nothing."""
    julie = account()
    services.freeze(julie.person_id, actor=audit.SYSTEM, now=clock.now())
    asked = browser.sign_in(julie, clock.now())
    assert asked.location.endswith("/unfreeze")
    assert browser.get("/account").status_code == 302
    right = latest_email_code()
    wrong = f"{(int(right) + 1) % 10**8:08d}"
    assert browser.post("/unfreeze", email_code=wrong).status_code == 200
    assert not services.is_open(julie.person_id)

    assert browser.post("/unfreeze", email_code=right).location == "/sign-in"

    assert services.is_open(julie.person_id)
    assert "person:thawed" in events_of(julie)
    assert len(payloads("account_thawed")) == 1
    clock.advance(timedelta(seconds=30))
    browser.sign_in(julie, clock.now())
    assert browser.get("/account").status_code == 200


@pytest.mark.databases
@pytest.mark.bar("R-25")
@pytest.mark.parametrize("with_passkey", [False, True])
def test_three_codes_an_hour_are_sent_to_whoever_shows_both_factors(
    app: Flask, account: Callable[..., Account], clock: MovableClock, browser: Browser, with_passkey: bool
) -> None:
    """The fourth is not sent and the page says from when one may be; an hour after the first, one leaves again."""
    julie, device = account(), Authenticator()
    browser.sign_in(julie, clock.now())
    add_passkey(browser, device)
    services.freeze(julie.person_id, actor=audit.SYSTEM, now=clock.now())
    db.session.commit()

    def show_both() -> tuple[Browser, str | None]:
        other = Browser(app)
        clock.advance(timedelta(seconds=30))
        if with_passkey:
            return other, page_of(show_passkey(other, device).location)
        other.post("/sign-in", username=str(julie.code), password=julie.password)
        return other, page_of(other.post("/sign-in/code", otp=julie.otp(clock.now())).location)

    assert [show_both()[1] for _ in range(3)] == ["/unfreeze"] * 3

    refused, place = show_both()

    assert place == "/sign-in"
    said = html.unescape(refused.get("/sign-in").text)
    assert "Trois codes vous ont été envoyés en une heure" in said
    assert "du 23\u00a0novembre\u00a02026 à 11\u00a0h\u00a000" in said
    assert refused.get("/unfreeze").location == "/sign-in"
    assert len(payloads("email_code")) == 3
    clock.advance(timedelta(minutes=59))
    assert show_both()[1] == "/unfreeze"
    assert not services.is_open(julie.person_id)


def test_no_less_than_every_factor_opens(
    app: Flask, account: Callable[..., Account], clock: MovableClock, browser: Browser
) -> None:
    """The e-mail code of another step, another browser, or a wrong second factor: the account stays frozen (S-43)."""
    julie = account()
    services.freeze(julie.person_id, actor=audit.SYSTEM, now=clock.now())
    first_step(browser, julie)
    assert browser.post("/sign-in/code", otp="000000").status_code == 200
    assert browser.get("/unfreeze").location == "/sign-in"
    assert payloads("email_code") == []
    browser.sign_in(julie, clock.now())
    code, thief = latest_email_code(), Browser(app)
    assert thief.get("/unfreeze").location == "/sign-in"
    thief.post("/freeze", user_code=str(julie.code))
    thief.client.post("/freeze/code", data={"csrf_token": thief.token("/freeze/code"), "email_code": code})

    assert not services.is_open(julie.person_id)
    with pytest.raises(NotAllowedError), transaction():
        session_services.begin_sign_in(
            session_services.account_status(julie.person_id, julie.code.signs), device="", former=None, now=clock.now()
        )  # what every other way of signing in goes through


def test_somebody_who_cannot_sign_in_freezes_by_e_mail(
    account: Callable[..., Account], clock: MovableClock, browser: Browser
) -> None:
    """User code, then the code sent to the account's address; nothing is frozen before."""
    julie = account()
    assert browser.post("/freeze", user_code=str(julie.code)).location.endswith("/freeze/code")
    assert services.is_open(julie.person_id)
    code = latest_email_code()
    db.session.commit()

    assert browser.post("/freeze/code", email_code=code).location == "/frozen"

    assert not services.is_open(julie.person_id)
    assert "person:frozen" in events_of(julie)


def test_the_page_without_sign_in_tells_nothing_and_floods_nobody(
    app: Flask, account: Callable[..., Account], clock: MovableClock
) -> None:
    """An unknown code gets the same pages as a known one; one person receives three codes in an hour at most (S-46)."""
    julie = account()
    known, unknown = Browser(app), Browser(app)
    answers = [
        (
            page_of(browser.post("/freeze", user_code=code).location),
            browser.post("/freeze/code", email_code="12345678").status_code,
        )
        for browser, code in ((known, str(julie.code)), (unknown, "ZZZZ-0000"))
    ]
    assert answers[0] == answers[1]
    for code in (str(julie.code), "ZZZZ-0000"):
        for _ in range(5):
            Browser(app).post("/freeze", user_code=code)

    sent = [told["to"] for told in payloads("email_code")]
    assert (sent.count("julie@example.com"), sent.count(""), len(sent)) == (3, 3, 6)  # those to nobody never leave
    assert services.is_open(julie.person_id)


def test_a_code_of_nobody_freezes_nobody(
    app: Flask, account: Callable[..., Account], clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even the code that was sent to nobody, guessed, leads where another one leads, and nothing is frozen."""
    julie, stranger = account(), Browser(app)
    monkeypatch.setattr("idp.accounts.challenges.email_code_services.secrets.randbelow", lambda _: 12345678)
    stranger.post("/freeze", user_code="ZZZZ-0000")

    assert stranger.post("/freeze/code", email_code="12345678").location == "/frozen"
    assert services.is_open(julie.person_id)
    assert not [entry for entry in audit.entries() if entry.event == audit.Event.FROZEN]


def test_agencies_hold_nothing_of_a_frozen_account(app: Flask, clock: MovableClock, tmp_path: Path) -> None:
    """At once, before any delivery: no userinfo, no refresh, no code redeemed; thawing gives nothing back (S-44)."""
    scenery = make_scenery(app, clock, tmp_path)
    load(app, clock, tmp_path, *lasting())
    rp, julie = Server(scenery), scenery.browser()
    tokens = rp.tokens(julie)
    code = rp.code(julie)
    person_id = scenery.people["julie"].person_id
    assert rp.userinfo(tokens["access_token"]).status_code == 200
    services.freeze(person_id, actor=audit.SYSTEM, now=clock.now())
    db.session.commit()

    assert rp.userinfo(tokens["access_token"]).status_code == 401
    assert rp.token(code).status_code == 400
    assert not rp.introspect(tokens["refresh_token"])["active"]
    deliver_due(clock.now())
    services.thaw(person_id, actor=audit.SYSTEM, now=clock.now())
    db.session.commit()
    assert rp.userinfo(tokens["access_token"]).status_code == 401
    assert rp.refresh(tokens["refresh_token"]).status_code == 400


def test_a_refresh_token_is_refused_before_any_delivery(app: Flask, clock: MovableClock, tmp_path: Path) -> None:
    """The very next refresh after the button fails, and its family is over."""
    scenery = make_scenery(app, clock, tmp_path)
    load(app, clock, tmp_path, *lasting())
    rp = Server(scenery)
    tokens = rp.tokens(scenery.browser())
    person_id = scenery.people["julie"].person_id
    services.freeze(person_id, actor=audit.SYSTEM, now=clock.now())
    db.session.commit()

    refused = rp.refresh(tokens["refresh_token"])

    assert (refused.status_code, refused.get_json()["error"]) == (400, "invalid_grant")


def test_the_authorized_representative_hears_that_a_pes_froze(
    world: World, licorne: Business, clock: MovableClock
) -> None:
    """The AR of the enterprise, once, in their language; a user's freezing writes to nobody else."""
    for member in (licorne.julie, licorne.pes):
        services.freeze(member.person_id, actor=audit.SYSTEM, now=clock.now())
    for person_id in (licorne.julie.person_id, licorne.pes.person_id):
        frozen_account_notices.fan_out({"person_id": person_id}, clock.now())

    told = payloads("pes_frozen")

    assert [each["to"] for each in told] == [licorne.ar.person_id]


@pytest.mark.databases
@pytest.mark.race
@pytest.mark.parametrize("so_far", ["SELECT person.access", "UPDATE challenge"])
def test_a_freeze_never_waits_for_the_sign_in_that_waits_for_it(
    app: Flask, account: Callable[..., Account], clock: MovableClock, so_far: str
) -> None:
    """The thief shows the second factor while the owner freezes: neither is cut off, and no session is left."""
    julie, now = account(), clock.now()
    token = check_password(julie.code, julie.password, next_path="/home", now=now).token
    otp = julie.otp(now)

    frozen, second = crossing(
        app,
        ("UPDATE person", lambda: services.freeze(julie.person_id, actor=audit.SYSTEM, now=now)),
        (so_far, lambda: check_second_factor(token, otp, former=None, device="", now=now)),
    )

    assert frozen is True
    assert isinstance(second, SecondStep | NotAllowedError)
    assert not services.is_open(julie.person_id)
    assert session_services.open_sign_ins(julie.person_id, now=now) == ()


@pytest.mark.databases
@pytest.mark.race
def test_two_freezes_by_e_mail_at_once_freeze_once(
    app: Flask, account: Callable[..., Account], clock: MovableClock
) -> None:
    """Two links, both with the right code at one instant: one freezes, the other finds it done."""
    julie, now = account(), clock.now()
    begun = []
    for _ in range(2):
        token = access_services.begin_freeze(julie.code, now=now)
        db.session.commit()
        begun.append((token, latest_email_code()))

    def freeze(place: int) -> Callable[[], object]:
        token, typed = begun[place]
        return lambda: access_services.finish(FlowKind.FREEZE, token, typed, now=now)

    answers = crossing(app, ("UPDATE challenge", freeze(0)), ("UPDATE challenge", freeze(1)))

    assert all(isinstance(one, CodeCheck) for one in answers), answers
    db.session.rollback()
    assert events_of(julie).count("person:frozen") == 1
