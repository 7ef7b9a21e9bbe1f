"""Whoever must show a passkey confirms with a passkey, and nothing lesser lets anybody add one beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import select, update

from idp import audit
from idp.accounts import services
from idp.accounts.credentials import passkey_services
from idp.accounts.credentials.domain.passkeys import CeremonyPurpose
from idp.accounts.models import SignInRow, TotpDevice
from idp.accounts.people.contact_services import note_confirmed
from idp.accounts.sessions.domain.sign_ins import ACR, AMR, PASSKEY_ACR, SignIn
from idp.accounts.sign_in import step_up_services
from idp.accounts.sign_in.sign_in_services import Refusal
from idp.clock import MovableClock
from idp.db import db, transaction
from idp.errors import NotAllowedError

from ..authenticator import Authenticator
from ..conftest import Account, Browser, latest_email_code, switch_on
from .test_passkeys import add_passkey, options_of, show_passkey, token_of

Accounts = Callable[..., Account]
STALE = timedelta(minutes=6)


@pytest.fixture
def device() -> Authenticator:
    return Authenticator()


@pytest.fixture
def julie(account: Accounts, browser: Browser, device: Authenticator, clock: MovableClock) -> Account:
    """Somebody with an application and a passkey, signed in with a password and a code in *browser*."""
    whom = account()
    browser.sign_in(whom, clock.now())
    add_passkey(browser, device)
    clock.advance(timedelta(minutes=1))
    return whom


def must_show_a_passkey(account: Account) -> None:
    services.require_level(account.person_id, 3)


def entered(app: Flask, device: Authenticator) -> Browser:
    """Return a browser that signed in with the passkey alone."""
    browser = Browser(app)
    assert show_passkey(browser, device).location == "/home"
    return browser


def levels(account: Account) -> list[str]:
    """Return the levels of the person's open sign-ins, oldest first."""
    wanted = select(SignInRow.acr).where(SignInRow.person_id == account.person_id, SignInRow.ended_at.is_(None))
    found = list(db.session.scalars(wanted.order_by(SignInRow.started_at)))
    db.session.rollback()
    return found


def sign_in_of(account: Account, *, acr: str = PASSKEY_ACR) -> SignIn:
    row = db.session.scalars(
        select(SignInRow).where(SignInRow.person_id == account.person_id, SignInRow.acr == acr)
    ).first()
    assert row is not None
    found = SignIn(row.sid, account.person_id, row.user_code, row.auth_time, row.acr, tuple(row.amr), row.enterprise_id)
    db.session.rollback()
    return found


def test_a_code_confirms_nothing_for_whoever_must_show_a_passkey(
    app: Flask, julie: Account, device: Authenticator, clock: MovableClock
) -> None:
    """The right code is refused and not spent; the sign-in keeps its level; the passkey is asked for instead (S-45)."""
    must_show_a_passkey(julie)
    mine = entered(app, device)
    clock.advance(STALE)

    answer = mine.post("/confirm?next=%2Faccount", page="/account", otp=julie.otp(clock.now()))

    assert (answer.status_code, answer.location) == (303, "/confirm/passkey?next=%2Faccount")
    assert levels(julie) == [ACR, PASSKEY_ACR]
    assert mine.get("/account/data.json").location.startswith("/confirm/passkey")
    refused = step_up_services.confirm_with_code(sign_in_of(julie), julie.otp(clock.now()), now=clock.now())
    assert refused.refusal is Refusal.PASSKEY_ONLY
    assert audit.Event.STEPPED_UP.value not in [entry.event for entry in audit.entries(person_id=julie.person_id)]


def test_no_sign_in_is_confirmed_below_what_its_person_must_show(
    app: Flask, julie: Account, device: Authenticator, clock: MovableClock
) -> None:
    """Whatever leads there, the row keeps its level: lower than asked is never written."""
    must_show_a_passkey(julie)
    entered(app, device)
    signed = sign_in_of(julie)

    with pytest.raises(NotAllowedError):
        step_up_services.make_fresh(signed, acr=ACR, amr=AMR, now=clock.now())

    db.session.rollback()
    assert levels(julie) == [ACR, PASSKEY_ACR]


def test_a_sign_in_that_falls_short_adds_no_passkey_beside_another(
    app: Flask, browser: Browser, julie: Account, device: Authenticator, clock: MovableClock
) -> None:
    """Who has a passkey shows it; a thief with the password and a code brings none of their own (S-45, S-59)."""
    must_show_a_passkey(julie)
    thief = browser  # signed in with a password and a code before a passkey was asked for

    page = thief.get("/account/security/passkey?next=%2Faccount")

    assert (page.status_code, page.location) == (303, "/confirm/passkey?next=%2Faccount")
    assert thief.post(
        "/account/security/passkey", page="/confirm/passkey", credential="{}", nickname="x"
    ).location.startswith("/confirm/passkey")
    assert thief.get("/account").location == "/confirm/passkey?next=%2Faccount"
    assert show_passkey(thief, device, "/confirm/passkey?next=%2Faccount").location == "/account"
    assert thief.get("/account").status_code == 200


# Confirming with a passkey


@pytest.mark.databases
def test_a_passkey_confirms_and_what_was_posted_goes_on(
    app: Flask, julie: Account, device: Authenticator, clock: MovableClock
) -> None:
    """Whoever showed one is led to it first; the sign-in is fresh at its level, under the same sid, with a new cookie (§23)."""
    mine = entered(app, device)
    before, former = sign_in_of(julie), mine.cookie()
    clock.advance(STALE)
    asked = mine.post("/account/email", page="/account", email="neuve@example.com")
    assert asked.location.startswith("/confirm/passkey?next=%2Faccount%2Femail&form=")

    answer = show_passkey(mine, device, asked.location)

    assert answer.status_code == 303
    assert answer.location.startswith("/continue?form=")
    waiting = mine.get(answer.location).text
    assert 'action="/account/email"' in waiting
    assert "neuve@example.com" in waiting
    after = sign_in_of(julie)
    assert (after.sid, after.acr, after.amr) == (before.sid, PASSKEY_ACR, ("pop", "user", "mfa"))
    assert after.auth_time == clock.now()
    assert mine.cookie() != former
    assert [entry.event for entry in audit.entries(person_id=julie.person_id)].count("person:stepped_up") == 1


def test_each_person_is_offered_what_serves_them(
    app: Flask, account: Accounts, browser: Browser, julie: Account, device: Authenticator, clock: MovableClock
) -> None:
    """Both, the code alone, or the passkey alone: each page leads to the other one only where it serves, with the act kept."""
    nadia, other, mine = account("Nadia", "Roy"), Browser(app), entered(app, device)
    other.sign_in(nadia, clock.now())
    clock.advance(STALE)
    asked = "next=%2Faccount&form=abc"

    assert browser.get("/account/data.json").location.startswith("/confirm?")
    assert f'href="/confirm/passkey?{asked.replace("&", "&amp;")}"' in browser.get(f"/confirm?{asked}").text
    assert f'href="/confirm?{asked.replace("&", "&amp;")}"' in mine.get(f"/confirm/passkey?{asked}").text
    assert "/confirm/passkey" not in other.get(f"/confirm?{asked}").text
    assert other.get(f"/confirm/passkey?{asked}").location == f"/confirm?{asked}"
    must_show_a_passkey(julie)
    assert mine.get(f"/confirm?{asked}").location == f"/confirm/passkey?{asked}"
    alone = mine.get(f"/confirm/passkey?{asked}").text
    assert 'id="only-passkey"' in alone
    assert 'id="use-application"' not in alone
    assert 'id="passkey-unavailable"' in alone


def test_without_an_application_only_the_passkey_is_asked_for(
    app: Flask, julie: Account, device: Authenticator, clock: MovableClock
) -> None:
    """Whoever kept the passkey alone is not asked for a code they cannot have."""
    mine = entered(app, device)
    with transaction() as session:
        session.execute(
            update(TotpDevice).where(TotpDevice.person_id == julie.person_id).values(revoked_at=clock.now())
        )
    clock.advance(STALE)

    assert mine.get("/confirm?next=%2Faccount").location == "/confirm/passkey?next=%2Faccount"
    assert 'id="use-application"' not in mine.get("/confirm/passkey").text
    assert show_passkey(mine, device, "/confirm/passkey?next=%2Faccount").location == "/account"


def test_signing_in_again_instead_goes_on_too(
    app: Flask, julie: Account, device: Authenticator, clock: MovableClock
) -> None:
    """Whoever cannot use a script here follows the link to the sign-in, and finds what was posted."""
    mine = entered(app, device)
    clock.advance(STALE)
    asked = mine.post("/account/email", page="/account", email="neuve@example.com")
    link = re.search(r'href="(/sign-in\?[^"]+)" id="sign-in-again"', mine.get(asked.location).text)
    assert link

    mine.post(unescape(link.group(1)), username=str(julie.code), password=julie.password)
    again = mine.post("/sign-in/code", otp=julie.otp(clock.now()))

    assert "neuve@example.com" in mine.get(again.location).text


def test_only_the_passkey_of_this_person_asked_for_here_confirms(
    app: Flask, account: Accounts, julie: Account, device: Authenticator, clock: MovableClock
) -> None:
    """Another person's, one shown for a sign-in, in another browser, or twice: refused, and the sign-in stays stale (S-45)."""
    nadia, hers, other = account("Nadia", "Roy"), Authenticator(), Browser(app)
    other.sign_in(nadia, clock.now())
    add_passkey(other, hers)
    mine, elsewhere = entered(app, device), entered(app, device)
    clock.advance(STALE)
    before = levels(julie)

    foreign = show_passkey(mine, hers, "/confirm/passkey")
    assert (foreign.status_code, foreign.location) == (200, None)
    for first, answers_in in (("/sign-in/passkey", mine), ("/confirm/passkey", elsewhere)):
        page = mine.get(first).text
        answer = json.dumps(device.show(options_of(page)))
        fields = {"csrf_token": answers_in.token("/confirm/passkey"), "credential": answer}
        if answers_in is mine:
            mine.get(first)  # the secret that goes with a challenge of another purpose is held last
        refused = answers_in.client.post("/confirm/passkey", data=fields)
        assert (refused.status_code, refused.location) == (200, None)
    for value in ("", "{}", "x" * 60_000):
        assert mine.post("/confirm/passkey", credential=value).status_code == 200
    assert mine.get("/account/data.json").location.startswith("/confirm/passkey")
    assert levels(julie) == before
    page = mine.get("/confirm/passkey").text
    fields = {"csrf_token": token_of(page), "credential": json.dumps(device.show(options_of(page)))}
    assert mine.client.post("/confirm/passkey", data=fields).status_code == 303
    fields["csrf_token"] = mine.token("/account")
    assert mine.client.post("/confirm/passkey", data=fields).status_code == 200


@pytest.mark.databases
def test_a_challenge_is_for_one_person_and_one_end_and_serves_once(
    julie: Account, account: Accounts, clock: MovableClock
) -> None:
    """One begun for somebody else, for a sign-in, or spent is worth nothing, even with the right passkey (which is synced)."""
    nadia, synced = account("Nadia", "Roy"), Authenticator(steps=0)
    for whom, each in ((julie, synced), (nadia, Authenticator())):
        begun = passkey_services.ask_new(whom.person_id, whom.code.signs, now=clock.now())
        assert begun is not None
        made = json.dumps(each.make(begun.options))
        assert passkey_services.add(whom.person_id, begun.token, made, nickname="Clé", now=clock.now())

    def confirmed(asked: passkey_services.PasskeyChallenge | None) -> bool:
        assert asked is not None
        shown = json.dumps(synced.show(asked.options))
        signed = sign_in_of(julie, acr=ACR)
        return step_up_services.confirm_with_passkey(signed, asked.token, shown, now=clock.now()).signed is not None

    assert not confirmed(passkey_services.ask_person(julie.person_id, CeremonyPurpose.SECOND_FACTOR, now=clock.now()))
    assert not confirmed(passkey_services.ask_person(nadia.person_id, CeremonyPurpose.STEP_UP, now=clock.now()))
    mine = passkey_services.ask_person(julie.person_id, CeremonyPurpose.STEP_UP, now=clock.now())
    once = replace(sign_in_of(julie, acr=ACR), acr=PASSKEY_ACR)
    assert mine is not None
    shown = json.dumps(synced.show(mine.options))
    tried = [step_up_services.confirm_with_passkey(once, mine.token, shown, now=clock.now()).refusal for _ in range(2)]
    assert tried == [None, Refusal.WRONG]


@pytest.mark.databases
def test_of_two_first_passkeys_of_an_unfinished_sign_in_one_is_kept(account: Accounts, clock: MovableClock) -> None:
    """Both pages were opened while there was none; the second answer comes too late (S-59)."""
    whom = account()
    pages = [passkey_services.ask_new(whom.person_id, whom.code.signs, now=clock.now()) for _ in range(2)]

    kept = [
        passkey_services.add(
            whom.person_id,
            asked.token,
            json.dumps(Authenticator().make(asked.options)),
            nickname="Clé",
            only_first=True,
            now=clock.now(),
        )
        for asked in pages
        if asked
    ]

    assert kept == [True, False]


def test_a_sign_in_that_reads_is_made_whole_by_a_passkey(
    app: Flask, julie: Account, device: Authenticator, clock: MovableClock
) -> None:
    """After a code by e-mail, the passkey is offered beside the code, and everything opens (ADR 0014)."""
    switch_on(app)
    note_confirmed(services.person(julie.person_id).email, now=clock.now())
    weak = Browser(app)
    weak.post("/sign-in", username=str(julie.code), password=julie.password)
    weak.post("/sign-in/code/email/send", page="/sign-in/code/email")
    weak.post("/sign-in/code/email", email_code=latest_email_code())
    assert weak.get("/account/security").location == "/confirm?next=%2Faccount%2Fsecurity"
    assert 'id="use-passkey"' in weak.get("/confirm?next=%2Faccount%2Fsecurity").text

    answer = show_passkey(weak, device, "/confirm/passkey?next=%2Faccount%2Fsecurity")

    assert answer.location == "/account/security"
    assert weak.get("/account/security").status_code == 200


# How long is lately


@pytest.mark.parametrize(
    ("minutes", "later", "is_open"), [(1, 2, False), (1, 0.5, True), (10, 8, True), (10, 10, False)]
)
def test_the_configured_time_counts_for_credentials_too(
    app: Flask, account: Accounts, browser: Browser, clock: MovableClock, minutes: int, later: float, is_open: bool
) -> None:
    """``IDP_FRESH_SIGN_IN_MINUTES`` says for every act how long a factor was shown lately, changes of credentials included."""
    settings = app.extensions["mandat.settings"]
    app.extensions["mandat.settings"] = settings.model_copy(update={"fresh_sign_in_minutes": minutes})
    browser.sign_in(account(), clock.now())
    clock.advance(timedelta(minutes=later))

    opened = [
        browser.get(path).status_code == 200 for path in ("/account/data.json", "/account/security/recovery-codes")
    ]

    assert opened == [is_open, is_open]
