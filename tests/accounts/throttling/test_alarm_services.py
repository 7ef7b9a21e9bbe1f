"""Many failed tries over many accounts: counted in rows, one alarm a window, nobody locked out by it."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event, func, select
from structlog.testing import capture_logs

from idp.accounts import services
from idp.accounts.sign_in.sign_in_services import check_password, check_second_factor
from idp.accounts.throttling import alarm_services
from idp.accounts.throttling.models import FailedTries
from idp.audit.models import AuditEntry
from idp.cli.worker import SWEEPS
from idp.clock import MovableClock
from idp.config import Settings
from idp.db import db, transaction
from idp.identifiers import UserCode
from idp.notices import services as notices
from tests.accounts.conftest import Account, payloads
from tests.accounts.sign_in.test_sign_in_services import at_once

AccountFactory = Callable[..., Account]
TRIES = 20
WINDOW = timedelta(minutes=10)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"alarm_tries": TRIES, "alarm_email": "veille@fournisseur.example"})


def spray(clock: MovableClock, many: int, *, first: int = 0) -> None:
    """Try one password on so many codes, whether they exist or not."""
    for number in range(first, first + many):
        code = UserCode.parse(f"AAAA{number:04d}")
        check_password(code, "Automne2026!", next_path="/", now=clock.now())


def alarms() -> int:
    counted = select(func.count()).select_from(AuditEntry).where(AuditEntry.event == "alarm:raised")
    found = db.session.scalar(counted) or 0
    db.session.commit()
    return found


@contextmanager
def statements(table: str) -> Iterator[list[str]]:
    """Note the statements that name *table*."""
    seen: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if table in statement:
            seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


@pytest.mark.databases
@pytest.mark.bar("S-49")
def test_a_password_tried_on_everybody_raises_one_alarm(
    account: AccountFactory, clock: MovableClock, settings: Settings
) -> None:
    """At the twentieth failure: one entry, one line of log, one message, seen at the desk, also when it is asked again."""
    julie = account()
    spray(clock, TRIES - 1)
    assert not services.watch_failed_tries(clock.now())
    spray(clock, 1, first=TRIES)

    with capture_logs() as lines:
        raised = [services.watch_failed_tries(clock.now()) for _ in range(3)]

    assert raised == [True, False, False]
    assert alarms() == 1
    assert [line["log_level"] for line in lines] == ["error"]
    assert lines[0]["tries"] == TRIES
    assert len(payloads("sign_in_alarm")) == 1
    lasting = services.current_alarm(clock.now())
    assert lasting is not None
    assert lasting.tries == TRIES
    assert check_password(julie.code, julie.password, next_path="/", now=clock.now()).token
    while notices.deliver_due(clock.now()):
        pass
    [path] = settings.outbox_dir.glob("*sign_in_alarm*.eml")
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert message["To"] == "veille@fournisseur.example"
    assert "20 essais erronés en 10" in message.get_body(("plain",)).get_content()


def test_it_ends_by_itself_and_comes_back_when_it_goes_on(app: Flask, clock: MovableClock) -> None:
    """Ten minutes without more and it is over; while they go on, one more a window."""
    spray(clock, TRIES)
    services.watch_failed_tries(clock.now())
    clock.advance(WINDOW)
    assert services.current_alarm(clock.now()) is None
    assert not services.watch_failed_tries(clock.now())
    spray(clock, TRIES, first=100)

    assert services.watch_failed_tries(clock.now())

    assert alarms() == 2
    clock.advance(timedelta(minutes=5))
    spray(clock, TRIES, first=200)
    assert not services.watch_failed_tries(clock.now())


def test_slow_failures_are_no_alarm(app: Flask, clock: MovableClock) -> None:
    """As many over an hour are people who mistype."""
    for number in range(TRIES):
        spray(clock, 1, first=number)
        clock.advance(timedelta(minutes=3))

    assert not services.watch_failed_tries(clock.now())


def test_one_account_cannot_raise_it(account: AccountFactory, clock: MovableClock) -> None:
    """Its door closes after five, and what is not judged is not counted."""
    julie = account()
    for _ in range(TRIES * 2):
        check_password(julie.code, "faux mot de passe", next_path="/", now=clock.now())

    assert alarm_services.failed_within(WINDOW, now=clock.now()) == 5
    assert not services.watch_failed_tries(clock.now())


def test_a_failed_try_costs_one_statement_and_a_right_one_none(account: AccountFactory, clock: MovableClock) -> None:
    """The alarm is cheap where it counts."""
    julie = account()
    spray(clock, 1)
    with statements("failed_tries") as wrong:
        check_password(julie.code, "faux mot de passe", next_path="/", now=clock.now())

    with statements("failed_tries") as right:
        first = check_password(julie.code, julie.password, next_path="/", now=clock.now())
        assert check_second_factor(first.token, julie.otp(clock.now()), former=None, device="", now=clock.now()).signed

    assert len(wrong) == 1
    assert right == []


@pytest.mark.databases
@pytest.mark.race
def test_failures_and_watchers_at_once(app: Flask, clock: MovableClock) -> None:
    """Every failure is counted, and of eight workers one raises the alarm."""
    now = clock.now()

    def fail() -> None:
        with transaction():
            alarm_services.count_failure(now)

    assert at_once(app, TRIES, fail) == [None] * TRIES
    assert alarm_services.failed_within(WINDOW, now=now) == TRIES

    answers = at_once(app, 8, lambda: services.watch_failed_tries(now))

    assert sorted(answers, key=str) == [False] * 7 + [True]
    assert alarms() == 1


def test_the_minutes_are_forgotten_after_a_day(app: Flask, clock: MovableClock) -> None:
    """They hold no person, and are of no use later."""
    spray(clock, 1)
    clock.advance(timedelta(days=1, minutes=1))

    services.watch_failed_tries(clock.now())

    assert db.session.scalar(select(func.count()).select_from(FailedTries)) == 0
    db.session.commit()


def test_the_worker_watches() -> None:
    """Each of its rounds."""
    assert services.watch_failed_tries in SWEEPS


@pytest.mark.parametrize(("tries", "address"), [(0, "veille@fournisseur.example"), (TRIES, None)])
def test_without_a_limit_or_an_address(app: Flask, clock: MovableClock, tries: int, address: str | None) -> None:
    """Zero switches it off; without an address it is seen in the log and at the desk only."""
    given = app.extensions["mandat.settings"].model_copy(update={"alarm_tries": tries, "alarm_email": address})
    app.extensions["mandat.settings"] = given
    spray(clock, TRIES)

    assert services.watch_failed_tries(clock.now()) is (tries > 0)
    assert payloads("sign_in_alarm") == []
