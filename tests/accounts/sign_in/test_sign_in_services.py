"""The two steps of a sign-in, against the database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from flask import Flask

from idp.accounts import services
from idp.accounts.credentials import factor_services
from idp.accounts.credentials.hashing import current_hasher
from idp.accounts.errors import BusyError
from idp.accounts.sessions import session_services
from idp.accounts.sign_in.sign_in_services import FirstStep, Refusal, SecondStep, check_password, check_second_factor
from idp.accounts.throttling import attempt_counter_services
from idp.accounts.user_codes import activation_services
from idp.clock import MovableClock
from idp.crypto.sealing import digest
from idp.db import db, new_id
from idp.identifiers import PersonId, UserCode

from ..conftest import Account

NOBODY = UserCode("AAAA0000")


def first(account: Account, clock: MovableClock, password: str | None = None) -> FirstStep:
    return check_password(account.code, password or account.password, next_path="/home", now=clock.now())


def second(token: str | None, code: str, clock: MovableClock) -> SecondStep:
    return check_second_factor(token, code, former=None, device="", now=clock.now())


def at_once(app: Flask, count: int, act: Callable[[], object], *, patience: float = 60) -> list[object]:
    """Run *act* in *count* threads at once, each with its own connection, and return what each answered."""
    gate, answers, lock = threading.Barrier(count), list[object](), threading.Lock()

    def run() -> None:
        with app.app_context():
            gate.wait()
            try:
                answer: object = act()
            except Exception as error:  # noqa: BLE001 (the test tells what went wrong)
                answer = error
            finally:
                db.session.remove()
            with lock:
                answers.append(answer)

    db.session.commit()
    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(patience)
    return answers


@pytest.mark.databases
def test_both_factors_give_a_sign_in(account: Callable[..., Account], clock: MovableClock) -> None:
    """The session holds what was shown: the level, the methods and the time."""
    julie = account()

    signed = second(first(julie, clock).token, julie.otp(clock.now()), clock).signed

    assert signed is not None
    assert signed.sign_in.acr == "urn:mandat:aal:2"
    assert signed.sign_in.amr == ("pwd", "otp", "mfa")
    assert signed.sign_in.auth_time == clock.now()
    found = session_services.active_session(digest(signed.token), now=clock.now())
    assert found is not None
    assert found.sign_in == signed.sign_in


@pytest.mark.bar("S-53")
@pytest.mark.databases
def test_a_code_of_an_application_serves_once_among_sixteen(
    app: Flask, account: Callable[..., Account], clock: MovableClock
) -> None:
    """Sixteen sign-ins with the same code at the same time: one succeeds (S-53)."""
    julie = account()
    tokens = [first(julie, clock).token for _ in range(16)]
    code, now = julie.otp(clock.now()), clock.now()

    def act() -> object:
        return check_second_factor(tokens.pop(), code, former=None, device="", now=now)

    answers = at_once(app, 16, act)

    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert sum(1 for answer in answers if isinstance(answer, SecondStep) and answer.signed) == 1


@pytest.mark.bar("S-53")
def test_an_older_step_is_refused_after_a_newer_one(account: Callable[..., Account], clock: MovableClock) -> None:
    """Within the drift, the code of step t−1 does not open after that of t (S-53)."""
    julie = account()
    older = julie.otp(clock.now() - timedelta(seconds=30))
    assert second(first(julie, clock).token, julie.otp(clock.now()), clock).signed

    assert second(first(julie, clock).token, older, clock).refusal is Refusal.WRONG


@pytest.mark.databases
def test_parallel_wrong_passwords_are_judged_no_more_than_five_times(
    app: Flask, account: Callable[..., Account], clock: MovableClock
) -> None:
    """The counter rises before the password is judged, so that tries at once do not slip through (S-48)."""
    julie, now, hasher = account(), clock.now(), current_hasher()
    before = hasher.calls

    answers = at_once(app, 20, lambda: check_password(julie.code, "faux mot de passe", next_path="/home", now=now))

    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert hasher.calls - before == 5
    assert first(julie, clock).refusal is Refusal.LOCKED


def test_known_and_unknown_codes_cost_and_answer_the_same(account: Callable[..., Account], clock: MovableClock) -> None:
    """Every try, up to the lock and beyond, computes as many hashes for a code that nobody has (S-46)."""
    julie, hasher = account(), current_hasher()

    def tries(code: UserCode) -> list[tuple[object, int]]:
        seen: list[tuple[object, int]] = []
        for _ in range(7):
            before = hasher.calls
            answer = check_password(code, "faux mot de passe", next_path="/home", now=clock.now())
            seen.append((answer, hasher.calls - before))
        return seen

    assert tries(julie.code) == tries(NOBODY)


def test_one_counter_serves_every_code_and_factor_of_a_person(
    account: Callable[..., Account], clock: MovableClock
) -> None:
    """Wrong passwords on two codes and wrong codes of the application add up (S-48)."""
    julie = account()
    other = services.issue_user_code(julie.person_id, now=clock.now())
    services.seed_credentials(
        julie.person_id, user_code=other, password=julie.password, totp_secret=julie.totp_secret, now=clock.now()
    )
    token = first(julie, clock).token
    for code in (julie.code, other):
        assert check_password(code, "faux mot", next_path="/", now=clock.now()).refusal is Refusal.WRONG
    assert second(token, "000000", clock).refusal is Refusal.WRONG
    assert second(token, "000000", clock).refusal is Refusal.WRONG

    assert second(token, "000000", clock).refusal is Refusal.LOCKED
    assert check_password(other, julie.password, next_path="/", now=clock.now()).refusal is Refusal.LOCKED


def test_a_right_password_gives_no_fresh_tries_for_the_second_factor(
    account: Callable[..., Account], clock: MovableClock
) -> None:
    """Whoever knows the password and alternates it with guesses of the code is locked out all the same."""
    julie = account()
    answers = []
    for _ in range(5):
        answers.append(second(first(julie, clock).token, "000000", clock).refusal)

    assert answers == [Refusal.WRONG] * 4 + [Refusal.LOCKED]


def test_the_lock_opens_after_fifteen_minutes_and_then_lasts_longer(
    account: Callable[..., Account], clock: MovableClock
) -> None:
    """Five failures close for 15 minutes, five more for 30; a complete sign-in forgets them."""
    julie = account()
    for minutes in (15, 30):
        locked = [first(julie, clock, "faux mot") for _ in range(5)][-1]
        assert locked.locked_until == clock.now() + timedelta(minutes=minutes)
        clock.advance(timedelta(minutes=minutes))
    signed = second(first(julie, clock).token, julie.otp(clock.now()), clock)

    assert signed.signed
    _, counter = attempt_counter_services.take_try(
        attempt_counter_services.subject_of(julie.person_id), now=clock.now()
    )
    assert counter.failures == 1


def test_a_code_not_activated_does_not_sign_in(account: Callable[..., Account], clock: MovableClock) -> None:
    """Another code of the same person opens nothing before it is activated, nor after it is revoked."""
    julie = account()
    issued = services.issue_user_code(julie.person_id, now=clock.now())
    services.revoke_user_code(julie.code, now=clock.now())

    for code in (issued, julie.code):
        assert check_password(code, julie.password, next_path="/", now=clock.now()).refusal is Refusal.WRONG


def test_a_revoked_code_does_not_finish_a_sign_in(account: Callable[..., Account], clock: MovableClock) -> None:
    """Revocation between the two steps counts."""
    julie = account()
    token = first(julie, clock).token
    services.revoke_user_code(julie.code, now=clock.now())

    assert second(token, julie.otp(clock.now()), clock).refusal is Refusal.OVER


def test_a_password_too_long_is_refused_before_hashing(account: Callable[..., Account], clock: MovableClock) -> None:
    """More than 1,024 bytes cost no hash (S-78)."""
    julie, hasher = account(), current_hasher()
    before = hasher.calls

    assert first(julie, clock, "x" * 1025).refusal is Refusal.WRONG
    assert hasher.calls == before


def test_the_challenge_of_a_sign_in_serves_once_and_ten_minutes(
    account: Callable[..., Account], clock: MovableClock
) -> None:
    """A used or late challenge, or one that does not exist, is over."""
    julie = account()
    used, late = first(julie, clock).token, first(julie, clock).token
    assert second(used, julie.otp(clock.now()), clock).signed
    clock.advance(timedelta(minutes=1))
    assert second(used, julie.otp(clock.now()), clock).refusal is Refusal.OVER
    clock.advance(timedelta(minutes=9))

    for token in (late, new_id(), "", None):
        assert second(token, julie.otp(clock.now()), clock).refusal is Refusal.OVER


def test_no_page_tells_that_a_code_was_issued(someone: Callable[..., PersonId], clock: MovableClock) -> None:
    """Five wrong tries at the activation close the sign-in too, whether somebody has the code or not (S-46, S-48)."""
    issued = services.issue_user_code(someone(), now=clock.now())
    seen = []
    for code in (issued, NOBODY):
        for _ in range(5):
            activation_services.start(code, "wrong", next_path="/home", now=clock.now())
        seen.append(check_password(code, "wrong", next_path="/home", now=clock.now()))

    assert [answer.refusal for answer in seen] == [Refusal.LOCKED, Refusal.LOCKED]
    assert seen[0] == seen[1]


@pytest.mark.databases
def test_a_right_password_is_no_failure_while_hashes_are_busy(
    account: Callable[..., Account], clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When parameters have changed and there is no turn to hash anew, the sign-in goes on, and the next one hashes."""
    julie, hasher = account(), current_hasher()
    former = factor_services.password_hash_of(julie.person_id)
    hasher._argon2 = PasswordHasher(time_cost=2, memory_cost=1024, parallelism=1)

    def busy(password: str) -> str:
        raise BusyError("too many passwords at once")

    with monkeypatch.context() as crowded:
        crowded.setattr(hasher, "hash", busy)
        answers = [first(julie, clock) for _ in range(6)]

    assert [answer.refusal for answer in answers] == [None] * 6
    assert second(answers[-1].token, julie.otp(clock.now()), clock).signed is not None
    assert factor_services.password_hash_of(julie.person_id) == former
    assert first(julie, clock).token is not None
    db.session.rollback()
    assert factor_services.password_hash_of(julie.person_id) != former
