"""Another e-mail address: proved before use, told to the old one, undone from there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from idp import audit
from idp.accounts import services
from idp.accounts.challenges.email_code_services import CodeCheck
from idp.accounts.people import access_services, email_change_services
from idp.accounts.sessions import session_services
from idp.accounts.sign_in.domain.steps import FlowKind
from idp.accounts.sign_in.sign_in_services import SecondStep, check_password, check_second_factor
from idp.clock import MovableClock
from idp.db import db
from tests.accounts.conftest import Account, Browser, latest_email_code, payloads
from tests.accounts.crossings import crossing
from tests.accounts.sessions.test_session_services import open_for
from tests.accounts.sign_in.test_sign_in_services import at_once

NEW = "julie.nouvelle@example.com"


def address(account: Account) -> str:
    db.session.commit()
    return services.person(account.person_id).email


def change(browser: Browser, to: str = NEW) -> str:
    """Change the address and return the code that the old one received."""
    assert browser.post("/account/email", email=to).location.endswith("/account/email/code")
    assert browser.post("/account/email/code", email_code=latest_email_code()).location == "/account"
    return str(payloads("email_changed")[-1]["code"])


@pytest.mark.bar("S-59")
def test_the_new_address_counts_once_it_is_proved(
    account: Callable[..., Account], clock: MovableClock, browser: Browser
) -> None:
    """The code goes to the new address; nothing changes until it is right; then the old one is told (S-59)."""
    julie = account()
    browser.sign_in(julie, clock.now())
    browser.post("/account/email", email=NEW)
    assert payloads("email_code")[-1]["to"] == NEW
    wrong = f"{(int(latest_email_code()) + 1) % 10**8:08d}"
    assert browser.post("/account/email/code", email_code=wrong).status_code == 200
    assert address(julie) == "julie@example.com"

    assert browser.post("/account/email/code", email_code=latest_email_code()).location == "/account"

    assert address(julie) == NEW
    (told,) = payloads("email_changed")
    assert (told["to"], told["new"]) == ("julie@example.com", "j•••@example.com")
    assert "person:email_changed" in {entry.event for entry in audit.entries(person_id=julie.person_id)}
    for strange in ("", "x", "a@b", f"{'a' * 250}@example.com", "a@example.com\nBcc: b@example.com x"):
        assert browser.post("/account/email", email=strange).status_code == 200
    assert address(julie) == NEW


def test_another_code_takes_the_place_of_the_first(
    account: Callable[..., Account], clock: MovableClock, browser: Browser
) -> None:
    """The page of the code leads to it; the first one then serves nobody here, the second does."""
    julie = account()
    browser.sign_in(julie, clock.now())
    browser.post("/account/email", email=NEW)
    first = latest_email_code()
    assert 'id="email-code-again" href="/account/email"' in browser.get("/account/email/code").text

    browser.post("/account/email", email=NEW)

    assert browser.post("/account/email/code", email_code=first).status_code == 200
    assert address(julie) == "julie@example.com"
    assert browser.post("/account/email/code", email_code=latest_email_code()).location == "/account"
    assert address(julie) == NEW


@pytest.mark.bar("R-25")
def test_three_codes_an_hour_leave(account: Callable[..., Account], clock: MovableClock, browser: Browser) -> None:
    """To whatever addresses: the fourth is refused beside the field and nothing is sent; after the hour it goes on (R-25)."""
    julie = account()
    browser.sign_in(julie, clock.now())
    for number in range(3):
        assert browser.post("/account/email", email=f"a{number}@example.com").location.endswith("/account/email/code")
    sent = len(payloads("email_code"))

    refused = browser.post("/account/email", email=NEW)

    assert refused.status_code == 200
    assert "error-summary" in refused.get_data(as_text=True)
    assert len(payloads("email_code")) == sent
    clock.advance(timedelta(hours=1))
    browser.sign_in(julie, clock.now())
    assert browser.post("/account/email", email=NEW).location.endswith("/account/email/code")


def test_it_wants_a_fresh_sign_in_and_one_s_own_step(
    app: Flask, account: Callable[..., Account], clock: MovableClock, browser: Browser
) -> None:
    """A stale sign-in confirms first; the step of another person, or of another kind, changes nothing (S-43, S-45)."""
    julie, nadia = account("Julie"), account("Nadia")
    hers, _ = open_for(nadia, clock)
    mine, _ = open_for(julie, clock)
    token = email_change_services.begin(mine, NEW, now=clock.now())
    db.session.commit()
    code = latest_email_code()
    assert email_change_services.finish(hers, token, code, now=clock.now()).outcome == "over"
    assert email_change_services.finish(mine, "x" * 43, code, now=clock.now()).outcome == "over"
    db.session.commit()
    browser.sign_in(julie, clock.now())
    clock.advance(timedelta(minutes=5))

    assert browser.get("/account/email").location.startswith("/confirm")
    assert browser.get("/account/email/code").location.startswith("/confirm")
    assert (address(julie), address(nadia)) == ("julie@example.com", "nadia@example.com")


def test_the_old_address_undoes_and_freezes_once(
    app: Flask, account: Callable[..., Account], clock: MovableClock, browser: Browser
) -> None:
    """Whoever undoes did not change it: the address is back, every session over, the way back leads to the old address."""
    julie, old = account(), Browser(app)
    browser.sign_in(julie, clock.now())
    code = change(browser)
    assert old.post("/undo-email", undo_code="ABCD-" * 5 + "ABCD").status_code == 200
    assert address(julie) == NEW
    clock.advance(timedelta(days=3) - timedelta(seconds=1))

    assert old.post("/undo-email", undo_code=code.lower()).location == "/frozen"

    assert address(julie) == "julie@example.com"
    assert not services.is_open(julie.person_id)
    assert browser.get("/account").status_code == 302
    assert old.post("/undo-email", undo_code=code).status_code == 200
    db.session.commit()
    services.thaw(julie.person_id, actor=audit.SYSTEM, now=clock.now())
    assert old.post("/undo-email", undo_code=code).status_code == 200
    assert services.is_open(julie.person_id)


def test_after_three_days_nothing_is_undone(
    app: Flask, account: Callable[..., Account], clock: MovableClock, browser: Browser
) -> None:
    """To the second; then the row goes, and the sweep of challenges with it."""
    julie = account()
    browser.sign_in(julie, clock.now())
    code = change(browser)
    clock.advance(timedelta(days=3))
    assert Browser(app).post("/undo-email", undo_code=code).status_code == 200
    assert address(julie) == NEW
    services.sweep(clock.now())
    clock.advance(timedelta(days=4))

    assert services.sweep(clock.now()) >= 3
    assert address(julie) == NEW


@pytest.mark.databases
def test_of_six_undoings_one_counts(app: Flask, account: Callable[..., Account], clock: MovableClock) -> None:
    """Single use, in one statement; the confirmation too."""
    julie = account()
    sign_in, _ = open_for(julie, clock)
    token, now = email_change_services.begin(sign_in, NEW, now=clock.now()), clock.now()
    db.session.commit()
    typed = latest_email_code()
    confirmed = at_once(app, 6, lambda: email_change_services.finish(sign_in, token, typed, now=now).outcome.value)
    code = str(payloads("email_changed")[0]["code"])

    undone = at_once(app, 6, lambda: email_change_services.undo(code, now=now))

    assert confirmed.count("right") == 1
    assert sorted(map(str, undone)) == ["False"] * 5 + ["True"]
    assert address(julie) == "julie@example.com"
    assert len(payloads("account_frozen")) == 1


def stolen(thief: Browser, clock: MovableClock) -> tuple[str, str]:
    """Move an address twice, and return the codes that its owner and the thief's first mailbox received."""
    of_owner = change(thief, "thief1@example.org")
    clock.advance(timedelta(seconds=1))
    return of_owner, change(thief, "thief2@example.org")


@pytest.mark.databases
def test_once_the_owner_undid_no_later_code_gives_the_address_back(
    app: Flask, account: Callable[..., Account], clock: MovableClock, browser: Browser
) -> None:
    """A thief who moved it twice holds a code too, received in their own mailbox: it died with the change it came after."""
    julie, owner, thief = account(), Browser(app), Browser(app)
    browser.sign_in(julie, clock.now())
    of_owner, of_thief = stolen(browser, clock)
    assert owner.post("/undo-email", undo_code=of_owner).location == "/frozen"

    assert thief.post("/undo-email", undo_code=of_thief).status_code == 200

    assert address(julie) == "julie@example.com"
    assert not services.is_open(julie.person_id)


@pytest.mark.databases
def test_the_oldest_address_wins_also_over_a_thief_who_undid_first(
    app: Flask, account: Callable[..., Account], clock: MovableClock, browser: Browser
) -> None:
    """Undoing one's own later change stops nobody before; the way back that was begun with it ends (S-59)."""
    julie, owner, thief = account(), Browser(app), Browser(app)
    browser.sign_in(julie, clock.now())
    of_owner, of_thief = stolen(browser, clock)
    assert thief.post("/undo-email", undo_code=of_thief).location == "/frozen"
    clock.advance(timedelta(minutes=1))
    assert thief.sign_in(julie, clock.now()).location.endswith("/unfreeze")
    typed = latest_email_code()
    assert payloads("email_code")[-1]["to"] == "thief1@example.org"

    assert owner.post("/undo-email", undo_code=of_owner).location == "/frozen"

    assert address(julie) == "julie@example.com"
    thief.client.post("/unfreeze", data={"csrf_token": thief.token("/undo-email"), "email_code": typed})
    db.session.rollback()
    assert not services.is_open(julie.person_id)


@pytest.mark.databases
def test_two_undoings_at_once_leave_the_oldest_address(
    app: Flask, account: Callable[..., Account], clock: MovableClock, browser: Browser
) -> None:
    """Whichever comes first: they wait for each other, and neither is lost."""
    julie, now = account(), clock.now()
    browser.sign_in(julie, now)
    codes = [*stolen(browser, clock)] * 2

    undone = at_once(app, 4, lambda: email_change_services.undo(codes.pop(), now=clock.now()))

    assert 1 <= undone.count(True) <= 2
    assert address(julie) == "julie@example.com"


@pytest.mark.databases
@pytest.mark.race
def test_two_undoings_that_have_both_begun_wait_for_each_other(
    app: Flask, account: Callable[..., Account], clock: MovableClock, browser: Browser
) -> None:
    """The owner's and the thief's at one instant: neither is cut off half-way, and the oldest address stays."""
    julie, now = account(), clock.now()
    browser.sign_in(julie, now)
    of_owner, of_thief = stolen(browser, clock)

    owner, thief = crossing(
        app,
        ("UPDATE person", lambda: email_change_services.undo(of_owner, now=clock.now())),
        ("UPDATE email_change", lambda: email_change_services.undo(of_thief, now=clock.now())),
    )

    assert owner is True
    assert thief in (True, False)
    assert address(julie) == "julie@example.com"


@pytest.mark.databases
@pytest.mark.race
@pytest.mark.parametrize("act", ["change", "thaw"])
def test_an_undoing_never_waits_for_what_waits_for_it(
    app: Flask, account: Callable[..., Account], clock: MovableClock, browser: Browser, act: str
) -> None:
    """The thief confirms a second address, or types the code of the way back, while the owner undoes: the owner wins."""
    julie, thief = account(), Browser(app)
    browser.sign_in(julie, clock.now())
    if act == "change":
        undo = change(browser, "thief1@example.org")
        clock.advance(timedelta(seconds=1))
        sign_in, _ = open_for(julie, clock)
        token = email_change_services.begin(sign_in, "thief2@example.org", now=clock.now())
        db.session.commit()
        typed = latest_email_code()
        acts = ("UPDATE challenge", lambda: email_change_services.finish(sign_in, token, typed, now=clock.now()))
    else:
        undo, of_thief = stolen(browser, clock)
        assert thief.post("/undo-email", undo_code=of_thief).location == "/frozen"
        begun = access_services.begin_thaw(julie.person_id, julie.code.signs, now=clock.now()).token
        db.session.commit()
        typed = latest_email_code()
        acts = ("UPDATE challenge", lambda: access_services.finish(FlowKind.THAW, begun, typed, now=clock.now()))

    undone, other = crossing(
        app, ("UPDATE email_change", lambda: email_change_services.undo(undo, now=clock.now())), acts
    )

    assert undone is True
    assert isinstance(other, CodeCheck)
    assert address(julie) == "julie@example.com"
    assert not services.is_open(julie.person_id)


@pytest.mark.databases
@pytest.mark.race
@pytest.mark.parametrize("so_far", ["SELECT person.access", "UPDATE challenge"])
def test_a_new_address_never_waits_for_the_sign_in_that_waits_for_it(
    app: Flask, account: Callable[..., Account], clock: MovableClock, so_far: str
) -> None:
    """A second factor is shown elsewhere while the address is confirmed: neither is cut off, and one session is left at most."""
    julie, now = account(), clock.now()
    sign_in, _ = open_for(julie, clock)
    token = email_change_services.begin(sign_in, NEW, now=now)
    begun = check_password(julie.code, julie.password, next_path="/home", now=now).token
    db.session.commit()
    typed, otp = latest_email_code(), julie.otp(now)

    changed, second = crossing(
        app,
        ("UPDATE person", lambda: email_change_services.finish(sign_in, token, typed, now=now)),
        (so_far, lambda: check_second_factor(begun, otp, former=None, device="", now=now)),
    )

    assert isinstance(changed, CodeCheck)
    assert isinstance(second, SecondStep)
    assert address(julie) == NEW
    assert len(session_services.open_sign_ins(julie.person_id, now=now)) == 1
