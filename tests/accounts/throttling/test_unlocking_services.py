"""The door opened again by somebody else, and the hundred tries that no help exceeds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from idp.accounts import services
from idp.accounts.credentials.hashing import current_hasher
from idp.accounts.credentials.password_change_services import PasswordOutcome, change_password
from idp.accounts.recovery import recovery_services
from idp.accounts.recovery.recovery_services import RecoveryOutcome
from idp.accounts.sessions import known_browser_services
from idp.accounts.sign_in.sign_in_services import Refusal, check_password, check_second_factor
from idp.accounts.throttling import attempt_counter_services
from idp.accounts.throttling.domain.lockout import LIFE_TRIES
from idp.accounts.throttling.unlocking_services import UNLOCKS_PER_DAY
from idp.audit import Actor
from idp.audit.models import AuditEntry
from idp.clock import MovableClock
from idp.db import db
from idp.errors import ConflictError
from idp.identifiers import UserCode
from tests.accounts.conftest import Account, Browser, payloads
from tests.accounts.sign_in.test_sign_in_services import at_once

AccountFactory = Callable[..., Account]
PES = Actor.person("p" * 32)
NEW = "quatre grands voiliers bleus"
NOBODY = UserCode.parse("AAAA0000")


def tries(code: UserCode, clock: MovableClock, many: int = 1, *, known: str | None = None) -> Refusal | None:
    refusal = None
    for _ in range(many):
        answer = check_password(code, "faux mot de passe", next_path="/", known=known, now=clock.now())
        refusal = answer.refusal
    return refusal


def spend(code: UserCode, clock: MovableClock, left: int = 0) -> None:
    """Guess for as long as it takes, waiting after each five."""
    for _ in range((LIFE_TRIES - left) // 5):
        tries(code, clock, 5)
        clock.advance(timedelta(days=1))


def begins(account: Account, clock: MovableClock, password: str | None = None) -> Refusal | None:
    return check_password(account.code, password or account.password, next_path="/", now=clock.now()).refusal


def events(person_id: str) -> list[str]:
    found = db.session.scalars(
        select(AuditEntry.event).where(AuditEntry.person_id == person_id, AuditEntry.actor_id == PES.id)
    ).all()
    db.session.commit()
    return list(found)


@pytest.mark.databases
def test_the_door_opens_for_five_tries_and_its_owner_is_told(account: AccountFactory, clock: MovableClock) -> None:
    """The owner signs in at once; an accomplice gets five tries, then a pause twice as long: nothing was forgotten."""
    julie = account()
    assert tries(julie.code, clock, 5) is Refusal.LOCKED
    assert services.lockout_of(julie.person_id, now=clock.now()).failures == 5

    assert services.unlock(julie.person_id, by=PES, now=clock.now())

    assert begins(julie, clock) is None
    assert services.lockout_of(julie.person_id, now=clock.now()).is_open
    assert tries(julie.code, clock, 4) is Refusal.WRONG
    assert tries(julie.code, clock) is Refusal.LOCKED
    assert services.lockout_of(julie.person_id, now=clock.now()).locked_until == clock.now() + timedelta(minutes=30)
    assert events(julie.person_id) == ["person:unlocked"]
    assert len(payloads("security_notice")) == 1


def test_a_door_that_is_open_is_not_opened(account: AccountFactory, clock: MovableClock) -> None:
    """Before a pause, or after: nothing is written, nobody is told, nothing is taken from what may be done today."""
    julie = account()
    tries(julie.code, clock, 4)

    assert not services.unlock(julie.person_id, by=PES, now=clock.now())

    tries(julie.code, clock)
    clock.advance(timedelta(minutes=15))
    assert not services.unlock(julie.person_id, by=PES, now=clock.now())
    assert events(julie.person_id) == []
    assert payloads("security_notice") == []


def test_three_times_within_a_day_and_no_more(account: AccountFactory, clock: MovableClock) -> None:
    """A row of the database counts, whoever opens; a day after the first, one more is possible."""
    julie = account()
    for _ in range(UNLOCKS_PER_DAY):
        tries(julie.code, clock, 5)
        assert services.unlock(julie.person_id, by=PES, now=clock.now())
    tries(julie.code, clock, 5)

    with pytest.raises(ConflictError):
        services.unlock(julie.person_id, by=Actor("operator", "o" * 32), now=clock.now())

    assert begins(julie, clock) is Refusal.LOCKED
    clock.advance(timedelta(days=1))
    tries(julie.code, clock, 5)
    assert services.unlock(julie.person_id, by=PES, now=clock.now())


@pytest.mark.databases
@pytest.mark.race
def test_eight_helpers_at_once_open_once(app: Flask, account: AccountFactory, clock: MovableClock) -> None:
    """One entry, one message, one of the three of the day."""
    julie = account()
    tries(julie.code, clock, 5)
    now = clock.now()

    answers = at_once(app, 8, lambda: services.unlock(julie.person_id, by=PES, now=now))

    assert sorted(answers, key=str) == [False] * 7 + [True]
    assert events(julie.person_id) == ["person:unlocked"]


@pytest.mark.databases
@pytest.mark.bar("S-49")
def test_after_a_hundred_wrong_passwords_the_right_one_no_longer_serves(
    account: AccountFactory, clock: MovableClock
) -> None:
    """Not after the pause, not after help, nor to change it; no password is hashed; its owner was told once."""
    julie = account()
    spend(julie.code, clock)
    before = current_hasher().calls

    assert begins(julie, clock) is Refusal.SPENT

    assert services.lockout_of(julie.person_id, now=clock.now()).is_spent
    services.unlock(julie.person_id, by=PES, now=clock.now())
    assert begins(julie, clock) is Refusal.SPENT
    assert current_hasher().calls == before
    spent = select(AuditEntry.event).where(AuditEntry.event == "person:password_spent")
    assert len(db.session.scalars(spent).all()) == 1
    db.session.commit()
    assert len(payloads("security_notice")) == 1


def test_the_last_try_of_a_life_may_be_the_right_one(account: AccountFactory, clock: MovableClock) -> None:
    """Ninety-nine failures leave one; a complete sign-in begins again from zero."""
    julie = account()
    spend(julie.code, clock, left=5)
    tries(julie.code, clock, 4)

    first = check_password(julie.code, julie.password, next_path="/", now=clock.now())

    assert check_second_factor(first.token, julie.otp(clock.now()), former=None, device="", now=clock.now()).signed
    assert services.lockout_of(julie.person_id, now=clock.now()).failures == 0


def test_nobody_s_code_is_spent_alike(account: AccountFactory, clock: MovableClock) -> None:
    """The same refusals after as many tries, and the same hashes: nothing tells which code exists (S-46)."""
    julie, seen = account(), []
    for code in (julie.code, NOBODY):
        answers, calls = [], current_hasher().calls
        for _ in range(21):
            answers += [tries(code, clock) for _ in range(6)]
            clock.advance(timedelta(days=1))
        seen.append((answers, current_hasher().calls - calls))

    assert seen[0] == seen[1]
    assert seen[0][1] == LIFE_TRIES
    assert seen[0][0][-1] is Refusal.SPENT


def test_a_session_that_is_open_does_not_guess_the_password_either(
    account: AccountFactory, browser: Browser, clock: MovableClock
) -> None:
    """Changing it asks the current one, which counts with the others (S-48)."""
    julie = account()
    first = check_password(julie.code, julie.password, next_path="/", now=clock.now())
    signed = check_second_factor(first.token, julie.otp(clock.now()), former=None, device="", now=clock.now()).signed
    assert signed
    spend(julie.code, clock)

    assert change_password(signed.sign_in, julie.password, NEW, now=clock.now()).outcome is PasswordOutcome.SPENT


@pytest.mark.bar("S-49")
def test_known_browsers_and_strangers_share_one_hundred(
    app: Flask, account: AccountFactory, browser: Browser, clock: MovableClock
) -> None:
    """A thief of the cookie guesses while strangers lock the account: together they have a hundred tries, not two."""
    julie, hasher = account(), current_hasher()
    browser.sign_in(julie, clock.now())
    (known,) = known_browser_services.of_person(julie.person_id, now=clock.now())
    cookie = _digest_of(known.id)
    before = hasher.calls

    for _ in range(30):
        tries(julie.code, clock, 6)
        tries(julie.code, clock, 6, known=cookie)
        clock.advance(timedelta(days=1))

    assert hasher.calls - before == LIFE_TRIES
    assert begins(julie, clock) is Refusal.SPENT
    answer = check_password(julie.code, julie.password, next_path="/", known=cookie, now=clock.now())
    assert answer.refusal is Refusal.SPENT


def test_a_right_try_from_a_known_browser_takes_nothing_from_the_hundred(
    account: AccountFactory, browser: Browser, clock: MovableClock
) -> None:
    """It is given back on both counters."""
    julie = account()
    browser.sign_in(julie, clock.now())
    (known,) = known_browser_services.of_person(julie.person_id, now=clock.now())
    tries(julie.code, clock, 5)

    assert check_password(julie.code, julie.password, next_path="/", known=_digest_of(known.id), now=clock.now()).token

    assert services.lockout_of(julie.person_id, now=clock.now()).failures == 5


@pytest.mark.bar("S-50")
def test_a_recovery_gives_the_password_a_new_life(
    account: AccountFactory, browser: Browser, clock: MovableClock
) -> None:
    """While strangers go on, from a browser the person is known by: code, factor, new password, and nothing counts any more."""
    julie = account()
    browser.sign_in(julie, clock.now())
    spend(julie.code, clock)
    token = recovery_services.start(julie.code, former=None, now=clock.now())
    assert recovery_services.check_code(token, "00000000", now=clock.now()).outcome is RecoveryOutcome.WRONG
    for _ in range(4):
        attempt_counter_services.take_try(
            attempt_counter_services.subject_of(julie.person_id), renewing=True, now=clock.now()
        )
    (known,) = known_browser_services.of_person(julie.person_id, now=clock.now())
    code = str(payloads("recovery_code")[-1]["code"])
    assert recovery_services.check_code(token, code, now=clock.now()).outcome is RecoveryOutcome.LOCKED
    cookie = _digest_of(known.id)
    assert recovery_services.check_code(token, code, known=cookie, now=clock.now()).outcome is RecoveryOutcome.RIGHT
    factor = recovery_services.check_factor(token, julie.otp(clock.now()), known=cookie, now=clock.now())
    assert factor.outcome is RecoveryOutcome.RIGHT

    assert recovery_services.choose_password(token, NEW, now=clock.now())

    assert services.lockout_of(julie.person_id, now=clock.now()).is_open
    assert services.lockout_of(julie.person_id, now=clock.now()).failures == 0
    assert begins(julie, clock, NEW) is None


def test_the_page_says_who_can_help_the_same_for_every_code(
    app: Flask, account: AccountFactory, clock: MovableClock
) -> None:
    """Locked or spent, somebody's code or nobody's: one page (S-46)."""
    julie, pages = account(), []
    for code in (julie.code, NOBODY):
        browser, seen = Browser(app), []
        for _ in range(5):
            answer = browser.post("/sign-in", username=str(code), password="faux mot de passe")
        assert 'id="blocked-help"' in answer.text
        seen.append((answer.status_code, answer.headers["Retry-After"], _told(answer.text)))
        clock.advance(timedelta(days=1))
        spend(code, clock, left=5)
        answer = browser.post("/sign-in", username=str(code), password="faux mot de passe")
        seen.append((answer.status_code, answer.headers.get("Retry-After"), _told(answer.text)))
        clock.advance(timedelta(days=-20))
        pages.append(seen)

    assert pages[0] == pages[1]
    (locked, spent) = pages[0]
    assert locked[:2] == (429, "900")
    assert "Attendez jusqu" in locked[2]
    assert spent[:2] == (429, None)
    assert "oublié mon mot de passe" in spent[2]


def _told(page: str) -> str:
    return page.split('class="govuk-error-message"')[1].split("</p>")[0]


def _digest_of(browser_id: str) -> str:
    from idp.accounts.challenges.models import KnownBrowser

    found = db.session.scalar(select(KnownBrowser.secret_digest).where(KnownBrowser.id == browser_id))
    db.session.commit()
    return str(found)
