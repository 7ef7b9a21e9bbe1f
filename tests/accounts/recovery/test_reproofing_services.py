"""Somebody who lost every second factor: a day, a slip, a code; and one button that stops it (ASVS 6.4.4, 6.4.6)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pyotp
import pytest
from flask import Flask
from sqlalchemy import select

from idp.accounts import services
from idp.accounts.credentials.domain.passwords import TemporaryPassword, read_temporary
from idp.accounts.recovery import recovery_services, reproofing_services
from idp.accounts.recovery.domain.reproofing_states import (
    LIFE,
    TRANSITIONS,
    WAIT,
    ReproofingEvent,
    ReproofingState,
    sources,
)
from idp.accounts.sign_in import sign_in_services
from idp.accounts.user_codes import activation_services
from idp.accounts.user_codes.activation_services import StartRefusal
from idp.audit import Actor
from idp.audit.models import AuditEntry
from idp.clock import MovableClock
from idp.config import Settings
from idp.db import db, transaction
from idp.errors import ConflictError
from idp.notices import services as notices

from ..conftest import Account, Browser, latest_email_code, payloads
from ..sign_in.test_sign_in_services import at_once

Accounts = Callable[..., Account]
NEW = "quatre vents sur la grève"
PES = Actor.person("p" * 32)


def begin(julie: Account, clock: MovableClock) -> TemporaryPassword:
    return reproofing_services.start(julie.code, by=PES, now=clock.now())


def use(julie: Account, slip: TemporaryPassword, clock: MovableClock) -> activation_services.Start:
    return activation_services.start(julie.code, read_temporary(slip.grouped), next_path="/home", now=clock.now())


def objection() -> str:
    return str(payloads("reproofing_started")[-1]["objection"])


def state_of(julie: Account) -> ReproofingState | None:
    db.session.commit()
    found = reproofing_services.latest(julie.person_id)
    return found.state if found else None


def to_factor(julie: Account, slip: TemporaryPassword, clock: MovableClock) -> str:
    """Go as far as the new factor, and return the secret to go on with."""
    clock.advance(WAIT)
    token = use(julie, slip, clock).token
    assert token is not None
    activation_services.confirm_email(token, latest_email_code(), now=clock.now())
    assert activation_services.choose_password(token, NEW, now=clock.now())
    return token


def set_factor(token: str, clock: MovableClock) -> activation_services.Finish | None:
    offer = activation_services.offered_factor(token, now=clock.now())
    secret = offer.secret if offer else pyotp.random_base32()
    otp = pyotp.TOTP(secret).at(clock.now())
    return activation_services.confirm_factor(token, otp, former=None, device="", now=clock.now())


@pytest.mark.databases
def test_after_a_day_slip_and_code_replace_everything(account: Accounts, clock: MovableClock) -> None:
    """New password and factor; the former ones, and every sign-in, are over; nobody is signed in by it."""
    julie = account()
    first = sign_in_services.check_password(julie.code, julie.password, next_path="/", now=clock.now())
    sign_in_services.check_second_factor(first.token, julie.otp(clock.now()), former=None, device="", now=clock.now())
    slip = begin(julie, clock)
    assert slip.serves_from == clock.now() + WAIT

    finish = set_factor(to_factor(julie, slip, clock), clock)

    assert finish is not None
    assert finish.replaced
    assert finish.signed is None
    assert services.open_sign_ins(julie.person_id, now=clock.now()) == ()
    assert state_of(julie) is ReproofingState.DONE
    again = sign_in_services.check_password(julie.code, NEW, next_path="/", now=clock.now())
    clock.advance(timedelta(seconds=90))
    former = julie.otp(clock.now())
    wrong = sign_in_services.check_second_factor(again.token, former, former=None, device="", now=clock.now())
    assert wrong.refusal is sign_in_services.Refusal.WRONG
    told = [(each["credential"], each["change"]) for each in payloads("credential_changed")]
    assert told == [("totp", "update"), ("password", "update")]
    events = db.session.scalars(select(AuditEntry.event).where(AuditEntry.person_id == julie.person_id)).all()
    assert {"reproofing:started", "reproofing:slip_used", "reproofing:done"} <= set(events)


@pytest.mark.bar("S-51")
def test_before_its_day_the_slip_is_not_used_up(account: Accounts, clock: MovableClock) -> None:
    """To the second; its bearer alone is told from when, and no guess is counted (S-51)."""
    julie = account()
    slip = begin(julie, clock)
    clock.advance(WAIT - timedelta(seconds=1))

    early = use(julie, slip, clock)

    assert early.refusal is StartRefusal.EARLY
    assert early.serves_from == slip.serves_from
    found = reproofing_services.find_slip(julie.code, slip.secret)
    assert found is not None
    with transaction():
        assert not reproofing_services.use_slip(found, "c" * 32, now=clock.now())
    clock.advance(timedelta(seconds=1))
    assert use(julie, slip, clock).token is not None
    assert use(julie, slip, clock).refusal is StartRefusal.WRONG


def test_meanwhile_the_account_works_as_before(account: Accounts, clock: MovableClock) -> None:
    """A re-proofing begun takes nothing away: password and factor still open the account."""
    julie = account()
    begin(julie, clock)

    first = sign_in_services.check_password(julie.code, julie.password, next_path="/", now=clock.now())

    assert sign_in_services.check_second_factor(
        first.token, julie.otp(clock.now()), former=None, device="", now=clock.now()
    ).signed


@pytest.mark.databases
@pytest.mark.parametrize("at", ["waiting", "under_way"])
def test_an_objection_stops_it_until_the_end(account: Accounts, clock: MovableClock, at: str) -> None:
    """Before the slip is used or after: slip, pages and factor are dead; the person is told that it is stopped."""
    julie = account()
    slip = begin(julie, clock)
    stop = objection()
    token = to_factor(julie, slip, clock) if at == "under_way" else None

    assert reproofing_services.object_to(stop, now=clock.now())

    assert state_of(julie) is ReproofingState.STOPPED
    assert not reproofing_services.object_to(stop, now=clock.now())
    if token:
        assert activation_services.activation(token, now=clock.now()) is None
        finish = set_factor(token, clock)
        assert finish is None or finish.over
    clock.advance(WAIT)
    assert use(julie, slip, clock).token is None
    assert sign_in_services.check_password(julie.code, julie.password, next_path="/", now=clock.now()).token
    assert len(payloads("security_notice")) == 1


@pytest.mark.databases
@pytest.mark.race
def test_an_objection_and_the_last_step_at_once(app: Flask, account: Accounts, clock: MovableClock) -> None:
    """One of them wins: either everything is replaced, or nothing is."""
    julie = account()
    token = to_factor(julie, begin(julie, clock), clock)
    stop, now = objection(), clock.now()
    offer = activation_services.offered_factor(token, now=now)
    assert offer is not None
    otp = pyotp.TOTP(offer.secret).at(now)
    turns: list[str] = ["object", "finish"] * 4

    def act() -> object:
        if turns.pop() == "object":
            return "stopped" if reproofing_services.object_to(stop, now=now) else "late"
        finish = activation_services.confirm_factor(token, otp, former=None, device="", now=now)
        return "replaced" if finish is not None and finish.replaced else "late"

    answers = at_once(app, 8, act)

    assert answers.count("stopped") + answers.count("replaced") == 1, answers
    expected = NEW if "replaced" in answers else julie.password
    assert sign_in_services.check_password(julie.code, expected, next_path="/", now=now).token


@pytest.mark.databases
@pytest.mark.race
def test_a_slip_serves_once_among_sixteen(app: Flask, account: Accounts, clock: MovableClock) -> None:
    """Sixteen bearers at once: one goes on."""
    julie = account()
    slip = begin(julie, clock)
    clock.advance(WAIT)
    now, secret = clock.now(), read_temporary(slip.grouped)

    answers = at_once(
        app, 16, lambda: activation_services.start(julie.code, secret, next_path="/", now=now).token is not None
    )

    assert answers.count(True) == 1, answers


def test_a_new_slip_kills_the_former(account: Accounts, clock: MovableClock) -> None:
    """And the wait begins anew: nobody shortens it."""
    julie = account()
    former = begin(julie, clock)
    clock.advance(WAIT - timedelta(hours=1))
    latest = begin(julie, clock)
    clock.advance(timedelta(hours=1))

    assert use(julie, former, clock).refusal is StartRefusal.WRONG
    assert use(julie, latest, clock).refusal is StartRefusal.EARLY


def test_a_slip_dies_after_seven_days(account: Accounts, clock: MovableClock) -> None:
    """Like any other; the sweep writes it down."""
    julie = account()
    slip = begin(julie, clock)
    clock.advance(LIFE)

    assert use(julie, slip, clock).refusal is StartRefusal.EXPIRED
    services.sweep(clock.now())
    assert state_of(julie) is ReproofingState.EXPIRED


@pytest.mark.bar("S-48")
def test_wrong_slips_and_codes_count_on_the_one_counter(account: Accounts, clock: MovableClock) -> None:
    """Two wrong slips and three wrong codes close the sign-in too."""
    julie = account()
    slip = begin(julie, clock)
    clock.advance(WAIT)
    token = use(julie, slip, clock).token
    for _ in range(2):
        activation_services.start(julie.code, "A" * 24, next_path="/", now=clock.now())
    for _ in range(3):
        activation_services.confirm_email(token, "00000000", now=clock.now())

    refused = sign_in_services.check_password(julie.code, julie.password, next_path="/", now=clock.now())

    assert refused.refusal is sign_in_services.Refusal.LOCKED
    right = activation_services.confirm_email(token, latest_email_code(), now=clock.now())
    assert right.outcome != "right"


@pytest.mark.parametrize("state", ["issued", "revoked"])
def test_only_an_activated_code_is_proved_anew(
    account: Accounts, someone: Callable[..., str], clock: MovableClock, state: str
) -> None:
    """A newcomer receives ordinary slips, and somebody removed nothing."""
    if state == "issued":
        code = services.issue_user_code(someone("Nadia", "Roy"), now=clock.now())
    else:
        code = account().code
        services.revoke_user_code(code, now=clock.now())

    with pytest.raises(ConflictError):
        reproofing_services.start(code, by=PES, now=clock.now())


def test_somebody_removed_meanwhile_gets_nothing(account: Accounts, clock: MovableClock) -> None:
    """The last step reads again whether the code still counts."""
    julie = account()
    token = to_factor(julie, begin(julie, clock), clock)
    services.revoke_user_code(julie.code, now=clock.now())

    finish = set_factor(token, clock)

    assert finish is not None
    assert finish.over


@pytest.mark.bar("R-25")
def test_nobody_is_flooded(account: Accounts, clock: MovableClock) -> None:
    """Three an hour for one person, whoever begins (R-25)."""
    julie = account()
    for _ in range(3):
        begin(julie, clock)

    with pytest.raises(ConflictError):
        begin(julie, clock)
    assert len(payloads("reproofing_started")) == 3


def test_the_link_leads_to_a_button_and_signs_nobody_in(
    account: Accounts, browser: Browser, clock: MovableClock, settings: Settings
) -> None:
    """A scanner of mail that opens the link stops nothing; the button does, and the address holds no secret any more."""
    julie = account()
    begin(julie, clock)
    while notices.deliver_due(clock.now()):
        pass
    [path] = settings.outbox_dir.glob("*reproofing_started*.eml")
    text = path.read_text().replace("=\n", "").replace("=3D", "=")
    link = re.search(r"http://localhost:8000(/recover/objection\?token=\S+)", text)
    assert link
    opened = browser.get(link.group(1))
    assert opened.location.endswith("/recover/objection")
    page = browser.get("/recover/objection")
    assert 'id="object"' in page.text
    assert state_of(julie) is ReproofingState.WAITING

    answer = browser.post("/recover/objection")

    assert answer.status_code == 200
    assert state_of(julie) is ReproofingState.STOPPED
    assert browser.get("/account").status_code == 302
    assert 'id="object"' not in browser.get(link.group(1).split("?")[0]).text


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "é" * 30])
def test_a_made_up_objection_stops_nothing(
    account: Accounts, browser: Browser, clock: MovableClock, token: str
) -> None:
    """A page that says so, whatever the address holds."""
    julie = account()
    begin(julie, clock)

    browser.get(f"/recover/objection?token={token}")

    assert browser.get("/recover/objection").status_code == 200
    assert not reproofing_services.object_to(token, now=clock.now())
    assert state_of(julie) is ReproofingState.WAITING


def test_the_slip_is_printed_for_fifteen_minutes(account: Accounts, clock: MovableClock) -> None:
    """The PDF is made from what its page holds, with the day from which it serves."""
    julie = account()
    shown = begin(julie, clock)

    assert reproofing_services.slip(julie.code, shown.secret, now=clock.now()) == shown
    assert reproofing_services.slip(julie.code, "A" * 24, now=clock.now()) is None
    clock.advance(timedelta(minutes=15))
    assert reproofing_services.slip(julie.code, shown.secret, now=clock.now()) is None


def test_every_open_state_can_be_stopped_and_no_other() -> None:
    """The table: an objection is heard until it is done; what is over stays so."""
    over = {ReproofingState.DONE, ReproofingState.STOPPED, ReproofingState.EXPIRED}

    assert set(sources(ReproofingEvent.OBJECTED)) == set(ReproofingState) - over
    assert not [state for state, _ in TRANSITIONS if state in over]


def frozen(account: Account, clock: MovableClock) -> None:
    assert services.freeze(account.person_id, actor=Actor.person(account.person_id), now=clock.now())


def entries(account: Account) -> list[str]:
    found = db.session.scalars(select(AuditEntry.event).where(AuditEntry.person_id == account.person_id)).all()
    db.session.commit()
    return list(found)


@pytest.mark.databases
def test_whoever_is_proved_anew_has_their_frozen_account_back(account: Accounts, clock: MovableClock) -> None:
    """Nobody opens it before the last step; then it is open, written down and told, and the new factors sign in."""
    julie = account()
    frozen(julie, clock)
    token = to_factor(julie, begin(julie, clock), clock)
    assert not services.is_open(julie.person_id)

    finish = set_factor(token, clock)

    assert finish is not None
    assert finish.replaced
    assert services.is_open(julie.person_id)
    assert entries(julie).count("person:thawed") == 1
    assert len(payloads("account_thawed")) == 1
    assert sign_in_services.check_password(julie.code, NEW, next_path="/", now=clock.now()).token


def test_an_account_that_was_open_is_not_said_to_be_open_again(account: Accounts, clock: MovableClock) -> None:
    """Only a frozen one is."""
    julie = account()
    set_factor(to_factor(julie, begin(julie, clock), clock), clock)

    assert "person:thawed" not in entries(julie)
    assert payloads("account_thawed") == []


@pytest.mark.databases
@pytest.mark.parametrize("at", ["waiting", "under_way"])
def test_a_freeze_stops_what_was_begun_and_another_may_begin(account: Accounts, clock: MovableClock, at: str) -> None:
    """The slip may be what is wrong: slip, pages and objection are dead. A new slip waits its day and leads out."""
    julie = account()
    slip = begin(julie, clock)
    stop = objection()
    token = to_factor(julie, slip, clock) if at == "under_way" else None

    frozen(julie, clock)

    assert state_of(julie) is ReproofingState.STOPPED
    assert "reproofing:stopped" in entries(julie)
    if token:
        finish = set_factor(token, clock)
        assert finish is None or finish.over
    clock.advance(WAIT)
    assert use(julie, slip, clock).token is None
    assert not reproofing_services.object_to(stop, now=clock.now())
    assert not services.is_open(julie.person_id)
    set_factor(to_factor(julie, begin(julie, clock), clock), clock)
    assert services.is_open(julie.person_id)


def test_an_objection_leaves_the_account_frozen(account: Accounts, clock: MovableClock) -> None:
    """Whoever froze it and did not ask for the slip keeps both doors shut."""
    julie = account()
    frozen(julie, clock)
    slip = begin(julie, clock)

    reproofing_services.object_to(objection(), now=clock.now())

    clock.advance(WAIT)
    assert use(julie, slip, clock).token is None
    assert not services.is_open(julie.person_id)


def test_a_forgotten_password_replaced_does_not_thaw(account: Accounts, clock: MovableClock) -> None:
    """A recovery shows one factor and the mailbox, no more than a sign-in: the account stays frozen."""
    julie = account()
    frozen(julie, clock)
    token = recovery_services.start(julie.code, former=None, now=clock.now())
    recovery_services.check_code(token, str(payloads("recovery_code")[-1]["code"]), now=clock.now())
    recovery_services.check_factor(token, julie.otp(clock.now()), now=clock.now())

    assert recovery_services.choose_password(token, NEW, now=clock.now())

    assert not services.is_open(julie.person_id)


@pytest.mark.bar("S-49")
def test_being_proved_anew_forgets_the_failures(account: Accounts, clock: MovableClock) -> None:
    """New secrets, a new life: the pause and the count are over."""
    julie = account()
    token = to_factor(julie, begin(julie, clock), clock)
    for _ in range(5):
        sign_in_services.check_password(julie.code, "faux mot de passe", next_path="/", now=clock.now())

    set_factor(token, clock)

    door = services.lockout_of(julie.person_id, now=clock.now())
    assert door.is_open
    assert door.failures == 0


def test_the_page_of_a_frozen_account_shows_the_way_back(browser: Browser) -> None:
    """Every factor, or a slip as for a lost second factor."""
    assert 'href="/recover/lost-factor"' in browser.get("/frozen").text
    assert "rouvre aussi un accès gelé" in browser.get("/recover/lost-factor").text
