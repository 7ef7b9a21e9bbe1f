"""Closing one's account: what it takes, what it ends, and that nothing is left to come in with."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from idp import audit
from idp.accounts import models, services
from idp.accounts.challenges import models as challenge_models
from idp.accounts.credentials import recovery_code_services
from idp.accounts.leaving import closing_services
from idp.accounts.leaving.domain.closing import ADDRESS_KEPT, NAME_KEPT
from idp.accounts.models import Person
from idp.accounts.people import contact_services, email_change_services
from idp.accounts.people.domain.access_states import Access
from idp.accounts.recovery import models as recovery_models
from idp.accounts.recovery import reproofing_services
from idp.accounts.recovery.domain.reproofing_states import WAIT
from idp.accounts.sessions import session_services
from idp.accounts.sign_in import email_sign_in_services
from idp.accounts.sign_in.sign_in_services import SecondStep, check_password
from idp.audit import SYSTEM
from idp.clock import MovableClock
from idp.db import db, transaction
from idp.errors import ConflictError, NotAllowedError, NotFoundError
from idp.notices import services as notices
from idp.notices.models import DeliveryState, OutboxMessage
from tests.accounts.conftest import page_of

from ..authenticator import Authenticator
from ..conftest import Account, Browser, latest_email_code, payloads, switch_on
from ..crossings import crossing
from ..sign_in.test_sign_in_services import at_once
from .test_passkeys import add_passkey, show_passkey

Accounts = Callable[..., Account]
NOBODY = "AAAA-0000"
WRONG = "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA"


@pytest.fixture
def julie(account: Accounts, browser: Browser, clock: MovableClock) -> Account:
    someone = account()
    browser.sign_in(someone, clock.now())
    return someone


def close(browser: Browser, **fields: str) -> str | None:
    return browser.post("/account/close", **{"confirm": "y", **fields}).location


def access_of(person_id: str) -> str | None:
    db.session.commit()
    return db.session.scalar(select(Person.access).where(Person.id == person_id))


def row_of(person_id: str) -> Person:
    db.session.commit()
    return db.session.scalars(
        select(Person).where(Person.id == person_id).execution_options(populate_existing=True)
    ).one()


@pytest.mark.databases
def test_a_tick_and_a_fresh_sign_in_close_an_account(
    julie: Account, browser: Browser, app: Flask, clock: MovableClock
) -> None:
    """Every session ends, a last e-mail leaves, the log has one entry, and no credential is left in any table."""
    other = Browser(app)
    clock.advance(timedelta(seconds=30))
    other.sign_in(julie, clock.now())
    recovery_code_services.make(julie.person_id, now=clock.now())
    add_passkey(browser, Authenticator())
    assert "Fermer mon compte" in browser.get("/account/close").text

    answer = close(browser)

    assert answer == "/closed"
    assert "Votre compte est fermé" in browser.get("/closed").text
    assert [each.get("/account").status_code for each in (browser, other)] == [302, 302]
    assert access_of(julie.person_id) == Access.CLOSED
    assert [each["to"] for each in payloads("account_closed")] == ["julie@example.com"]
    assert len(payloads("sign_in_ended")) == 2
    events = [entry.event for entry in audit.entries(person_id=julie.person_id)]
    assert events.count("person:closed") == 1
    for table in (
        *(models.Password, models.TotpDevice, models.Passkey, models.PasskeyOwner, models.RecoveryCode),
        *(models.PasskeyCeremony, challenge_models.KeptForm, challenge_models.EmailChange, recovery_models.Reproofing),
    ):
        left = select(func.count()).select_from(table).where(table.person_id == julie.person_id)
        assert db.session.scalar(left) == 0, table.__tablename__
    assert {each.state.value for each in services.user_codes_of(julie.person_id, now=clock.now())} == {"revoked"}


def test_without_the_tick_nothing_is_closed(julie: Account, browser: Browser) -> None:
    """The box is asked for, in a sentence."""
    answer = browser.post("/account/close")

    assert (answer.status_code, "Cochez la case" in answer.text) == (200, True)
    assert access_of(julie.person_id) == Access.OPEN


@pytest.mark.bar("S-45")
def test_an_old_sign_in_confirms_first_and_the_form_waits(
    julie: Account, browser: Browser, clock: MovableClock
) -> None:
    """After five minutes a factor is asked; nothing is closed before (ASVS 7.5.1)."""
    clock.advance(timedelta(minutes=6))

    answer = close(browser)

    assert answer is not None
    assert answer.startswith("/confirm?")
    assert access_of(julie.person_id) == Access.OPEN
    following = browser.post(answer, otp=julie.otp(clock.now()))
    assert following.location.startswith("/continue?form=")


def test_a_frozen_account_is_not_closed(julie: Account, clock: MovableClock) -> None:
    """Who froze it may not be its person: it is opened again first. Nothing of it was changed."""
    services.freeze(julie.person_id, actor=SYSTEM, now=clock.now())

    with pytest.raises(ConflictError):
        closing_services.close(julie.person_id, now=clock.now())

    assert access_of(julie.person_id) == Access.FROZEN
    assert db.session.scalar(select(models.Password.hash).where(models.Password.person_id == julie.person_id))
    assert payloads("account_closed") == []


@pytest.mark.databases
def test_no_path_signs_in_afterwards(julie: Account, browser: Browser, app: Flask, clock: MovableClock) -> None:
    """Password, code under way, passkey, recovery, re-proofing, slip, linked second code, link, undo of the address."""
    device, stranger = Authenticator(), Browser(app)
    add_passkey(browser, device)
    recovery_code_services.make(julie.person_id, now=clock.now())
    second = services.issue_user_code(julie.person_id, now=clock.now())
    slip = services.reveal_temporary_password(second, actor=SYSTEM, now=clock.now())
    third = services.issue_user_code(julie.person_id, now=clock.now())
    link = services.open_first_credential(julie.person_id, third, now=clock.now())
    proof = reproofing_services.start(julie.code, by=SYSTEM, now=clock.now())
    halfway, recovering, freezing, linking = (Browser(app) for _ in range(4))
    halfway.post("/sign-in", username=str(julie.code), password=julie.password)
    recovering.post("/recover", user_code=str(julie.code))
    emailed = str(payloads("recovery_code")[-1]["code"])
    freezing.post("/freeze", user_code=str(julie.code))
    frozen_code = latest_email_code()
    linking.post("/activate", user_code=str(second), temporary_password=slip.grouped)
    browser.post("/account/email", email="autre@example.com")
    assert browser.post("/account/email/code", email_code=latest_email_code()).location == "/account"
    undo = str(payloads("email_changed")[-1]["code"])
    db.session.commit()
    assert close(browser) == "/closed"
    clock.advance(timedelta(seconds=30))

    tries = {
        "password": stranger.post("/sign-in", username=str(julie.code), password=julie.password).location,
        "passkey": show_passkey(stranger, device).location,
        "second factor": halfway.get("/sign-in/code").location,
        "recovery": recovering.post("/recover/code", email_code=emailed).location,
        "recovery anew": stranger.post("/recover", user_code=str(julie.code)).location,
        "freeze": freezing.post("/freeze/code", email_code=frozen_code).location,
        "linking": linking.get("/activate/code").location,
        "slip": stranger.post("/activate", user_code=str(second), temporary_password=slip.grouped).location,
        "undo": stranger.post("/undo-email", undo_code=undo).location,
    }
    clock.advance(WAIT)
    tries["re-proofing"] = stranger.post(
        "/activate", user_code=str(julie.code), temporary_password=proof.grouped
    ).location

    assert tries["password"] is tries["passkey"] is tries["slip"] is tries["re-proofing"] is tries["undo"] is None
    assert (tries["second factor"], tries["linking"]) == ("/sign-in", "/activate")
    assert tries["recovery"] is None or tries["recovery"] == "/recover"
    assert page_of(tries["recovery anew"]) == "/recover/code"
    assert tries["freeze"] is None
    assert stranger.client.get(f"/activate/start?token={link}", follow_redirects=True).status_code == 410
    assert access_of(julie.person_id) == Access.CLOSED
    open_rows = select(func.count()).select_from(models.SignInRow).where(models.SignInRow.ended_at.is_(None))
    assert db.session.scalar(open_rows) == 0
    with pytest.raises(NotAllowedError), transaction():
        session_services.begin_sign_in(
            session_services.account_status(julie.person_id, julie.code.signs), device="", former=None, now=clock.now()
        )
    with pytest.raises(NotFoundError):
        services.issue_user_code(julie.person_id, now=clock.now())
    with pytest.raises(ConflictError):
        services.reveal_temporary_password(second, actor=SYSTEM, now=clock.now())
    assert not email_change_services.undo(undo, now=clock.now())


@pytest.mark.bar("S-46")
def test_its_code_answers_like_a_code_nobody_has(
    julie: Account, browser: Browser, app: Flask, clock: MovableClock
) -> None:
    """At the sign-in until it locks, at the activation, the recovery and the freezing; and nobody is written to."""
    assert close(browser) == "/closed"
    before = db.session.scalar(select(func.count()).select_from(OutboxMessage).where(OutboxMessage.kind != "nothing"))
    db.session.commit()

    def seen(code: str) -> list[tuple[int, str | None, str]]:
        other = Browser(app)
        answers = [other.post("/sign-in", username=code, password="faux mot de passe") for _ in range(6)]
        answers.append(other.post("/activate", user_code=code, temporary_password=WRONG))
        answers.append(other.post("/recover", user_code=code))
        answers.append(other.post("/recover/code", email_code="00000000"))
        answers.append(other.post("/freeze", user_code=code))
        answers.append(other.post("/freeze/code", email_code="00000000"))
        texts = [re.sub(r'name="csrf_token" value="[^"]+"|/~[0-9a-f]{16}', "", each.text) for each in answers]
        return [
            (each.status_code, page_of(each.location), text.replace(code, "CODE"))
            for each, text in zip(answers, texts, strict=True)
        ]

    closed, nobody = seen(str(julie.code)), seen(NOBODY)

    assert closed == nobody
    assert [told["to"] for told in payloads("account_locked")] == [
        "",
        "",
    ]  # as for recovery: both go nowhere, and look alike
    written = db.session.scalars(select(OutboxMessage.kind)).all()
    assert [told["to"] for told in payloads("email_code")][-2:] == ["", ""]
    assert written.count("recovery_code") == 2
    assert len(written) == (before or 0) + 6
    assert {payload["person_id"] for payload in payloads("recovery_code")} == {None}


@pytest.mark.databases
def test_what_is_kept_is_forgotten_in_time(
    julie: Account, account: Accounts, browser: Browser, clock: MovableClock
) -> None:
    """The address after a day, the name after seven years (docs/privacy.md); those of others stay."""
    nadia = account("Nadia", "Roy")
    assert close(browser) == "/closed"
    services.sweep(clock.now())
    assert row_of(julie.person_id).email == "julie@example.com"

    clock.advance(ADDRESS_KEPT)
    services.sweep(clock.now())
    assert (row_of(julie.person_id).email, row_of(julie.person_id).family_name) == ("", "Tremblay")
    clock.advance(NAME_KEPT)
    services.sweep(clock.now())

    assert (row_of(julie.person_id).given_name, services.person(julie.person_id).name) == ("", "")
    assert (row_of(nadia.person_id).email, row_of(nadia.person_id).family_name) == ("nadia@example.com", "Roy")


def test_a_message_to_somebody_who_left_goes_nowhere_and_is_done(
    julie: Account, browser: Browser, app: Flask, clock: MovableClock
) -> None:
    """What still waits when the address is forgotten ends as sent, with nothing sent: it would be tried for ever."""
    assert close(browser) == "/closed"
    clock.advance(ADDRESS_KEPT)
    services.sweep(clock.now())
    with transaction():
        message = notices.enqueue(
            "account_frozen",
            {"to": services.person(julie.person_id).email, "language": "fr", "at": clock.now().isoformat()},
            now=clock.now(),
        )

    while notices.deliver_due(clock.now()):
        pass

    db.session.commit()
    assert db.session.scalar(select(OutboxMessage.state).where(OutboxMessage.id == message)) == DeliveryState.SENT


@pytest.mark.race
@pytest.mark.databases
def test_one_of_many_who_close_closes(julie: Account, app: Flask, clock: MovableClock) -> None:
    """Eight at once: one entry in the log, one last e-mail."""
    outcomes = at_once(app, 8, lambda: closing_services.close(julie.person_id, now=clock.now()))

    assert sorted(type(each).__name__ for each in outcomes) == ["ConflictError"] * 7 + ["NoneType"]
    assert len(payloads("account_closed")) == 1


@pytest.mark.race
@pytest.mark.databases
@pytest.mark.parametrize("so_far", ["SELECT person.access", "UPDATE email_code"])
def test_a_closing_never_waits_for_the_sign_in_that_waits_for_it(
    julie: Account, app: Flask, clock: MovableClock, so_far: str
) -> None:
    """A code by e-mail is typed while the account closes: neither is cut off, and no session is left."""
    switch_on(app)
    contact_services.note_confirmed("julie@example.com", now=clock.now())
    token, now = check_password(julie.code, julie.password, next_path="/home", now=clock.now()).token, clock.now()
    email_sign_in_services.send(token, now=now)
    typed = latest_email_code()

    closed, signed = crossing(
        app,
        ("UPDATE challenge", lambda: closing_services.close(julie.person_id, now=now)),
        (so_far, lambda: email_sign_in_services.check(token, typed, former=None, device="", now=now)),
    )

    assert closed is None
    assert isinstance(signed, SecondStep)
    assert access_of(julie.person_id) == Access.CLOSED.value
    assert session_services.open_sign_ins(julie.person_id, now=now) == ()
