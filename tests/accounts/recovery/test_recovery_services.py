"""A forgotten password, against the database: what a stranger may learn, guess or race for (security-bar.md S-46, S-48, S-58)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event, select

from idp import audit
from idp.accounts import services
from idp.accounts.credentials import recovery_code_services
from idp.accounts.credentials.hashing import current_hasher
from idp.accounts.models import Password
from idp.accounts.recovery import recovery_services
from idp.accounts.recovery.domain.recovery_states import CODE_LIFE, CODE_PAUSE, CODES_PER_HOUR, LIFE
from idp.accounts.recovery.models import PasswordRecovery
from idp.accounts.recovery.recovery_services import RecoveryOutcome
from idp.accounts.sign_in import sign_in_lookup_services, sign_in_services
from idp.accounts.throttling import attempt_counter_services
from idp.audit.models import AuditEntry
from idp.clock import MovableClock
from idp.db import db
from idp.identifiers import UserCode

from ..conftest import Account, payloads
from ..sign_in.test_sign_in_services import at_once

Accounts = Callable[..., Account]
NOBODY = UserCode("AAAA0000")
NEW = "quatre vents sur la grève"


def start(code: UserCode, clock: MovableClock) -> str:
    return recovery_services.start(code, former=None, now=clock.now())


def sent() -> str:
    return str(payloads("recovery_code")[-1]["code"])


def check(token: str, typed: str, clock: MovableClock) -> RecoveryOutcome:
    return recovery_services.check_code(token, typed, now=clock.now()).outcome


def factor(token: str, julie: Account, clock: MovableClock) -> RecoveryOutcome:
    return recovery_services.check_factor(token, julie.otp(clock.now()), now=clock.now()).outcome


def hash_of(person_id: str) -> str | None:
    db.session.commit()
    return db.session.scalar(select(Password.hash).where(Password.person_id == person_id))


@pytest.mark.databases
def test_code_then_factor_then_password(account: Accounts, clock: MovableClock) -> None:
    """The password changes at the last step only; the former opens nothing more, and every sign-in has ended."""
    julie = account()
    first = sign_in_services.check_password(julie.code, julie.password, next_path="/", now=clock.now())
    sign_in_services.check_second_factor(first.token, julie.otp(clock.now()), former=None, device="", now=clock.now())
    waiting = sign_in_services.check_password(julie.code, julie.password, next_path="/", now=clock.now())
    clock.advance(timedelta(seconds=60))
    before = hash_of(julie.person_id)
    token = start(julie.code, clock)
    assert check(token, sent(), clock) is RecoveryOutcome.RIGHT
    assert factor(token, julie, clock) is RecoveryOutcome.RIGHT
    assert hash_of(julie.person_id) == before

    assert recovery_services.choose_password(token, NEW, now=clock.now())

    assert current_hasher().verify(hash_of(julie.person_id), NEW)
    assert services.open_sign_ins(julie.person_id, now=clock.now()) == ()
    assert sign_in_lookup_services.pending_sign_in(waiting.token, now=clock.now()) is None
    assert [told["change"] for told in payloads("credential_changed")] == ["update"]
    assert len(payloads("security_notice")) == 1
    assert recovery_services.choose_password(token, NEW + " encore", now=clock.now()) is None
    entries = db.session.scalars(select(AuditEntry.event).where(AuditEntry.person_id == julie.person_id)).all()
    assert {audit.Event.RECOVERY_STARTED, audit.Event.PASSWORD_RESET} <= set(entries)


def test_a_recovery_code_serves_as_the_second_factor_once(account: Accounts, clock: MovableClock) -> None:
    """It is spent there as anywhere else, and another person's is worth nothing."""
    julie, nadia = account(), account(given_name="Nadia")
    (ours, spare, *_), (theirs, *_) = (
        recovery_code_services.make(who.person_id, now=clock.now()) for who in (julie, nadia)
    )
    token = start(julie.code, clock)
    assert check(token, sent(), clock) is RecoveryOutcome.RIGHT
    assert recovery_services.check_factor(token, theirs, now=clock.now()).outcome is RecoveryOutcome.WRONG
    assert recovery_services.check_factor(token, ours, now=clock.now()).outcome is RecoveryOutcome.RIGHT
    assert recovery_code_services.left(julie.person_id) == 9
    assert recovery_services.choose_password(token, NEW, now=clock.now())

    clock.advance(timedelta(hours=1))
    again = start(julie.code, clock)
    assert check(again, sent(), clock) is RecoveryOutcome.RIGHT
    assert recovery_services.check_factor(again, ours, now=clock.now()).outcome is RecoveryOutcome.WRONG
    assert recovery_services.check_factor(again, spare, now=clock.now()).outcome is RecoveryOutcome.RIGHT


@pytest.mark.databases
@pytest.mark.bar("S-46", "B13")
def test_a_user_code_nobody_has_is_recovered_like_any_other(app: Flask, account: Accounts, clock: MovableClock) -> None:
    """Start, wrong codes up to the lock, another code: same answers, as many hashes (none) and statements."""
    julie, hasher = account(), current_hasher()
    statements: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *told: statements.append(told[2]))

    def story(code: UserCode) -> list[tuple[object, int, int]]:
        seen: list[tuple[object, int, int]] = []

        def noted(act: Callable[[], object]) -> object:
            db.session.remove()
            statements.clear()
            before = hasher.calls
            answer = act()
            seen.append((None if isinstance(answer, str) else answer, hasher.calls - before, len(statements)))
            return answer

        attempt_counter_services.take_try(  # both have a counter: somebody tried before
            attempt_counter_services.subject_of(julie.person_id)
            if code == julie.code
            else attempt_counter_services.subject_of_nobody(code),
            now=clock.now(),
        )
        token = str(noted(lambda: start(code, clock)))
        for _ in range(3):
            noted(lambda: recovery_services.check_code(token, "00000000", now=clock.now()))
        clock.advance(CODE_PAUSE)
        noted(lambda: recovery_services.send_again(token, now=clock.now()))
        return seen

    known, unknown = story(julie.code), story(NOBODY)

    assert [each[:2] for each in known] == [each[:2] for each in unknown]
    assert [each[2] for each in known] == [each[2] for each in unknown]
    assert {hashes for _, hashes, _ in known} == {0}
    assert [told["person_id"] for told in payloads("recovery_code")] == [julie.person_id] * 2 + [None] * 2


def test_the_code_of_nobody_opens_nothing(account: Accounts, clock: MovableClock) -> None:
    """What would have been sent is not what is kept."""
    token = start(NOBODY, clock)

    assert check(token, sent(), clock) is RecoveryOutcome.WRONG


@pytest.mark.parametrize("state", ["issued", "revealed", "revoked"])
def test_only_an_activated_code_is_recovered(
    account: Accounts, someone: Callable[..., str], clock: MovableClock, state: str
) -> None:
    """A newcomer has slips, and somebody who was removed has nothing: their recoveries are those of nobody."""
    if state == "revoked":
        julie = account()
        code = julie.code
        services.revoke_user_code(code, now=clock.now())
    else:
        code = services.issue_user_code(someone("Nadia", "Roy"), now=clock.now())
        if state == "revealed":
            services.reveal_temporary_password(code, actor=audit.SYSTEM, now=clock.now())

    token = start(code, clock)

    assert check(token, sent(), clock) is RecoveryOutcome.WRONG
    assert payloads("recovery_code")[-1]["person_id"] is None


@pytest.mark.databases
@pytest.mark.race
def test_a_code_serves_once_among_sixteen(app: Flask, account: Accounts, clock: MovableClock) -> None:
    """Sixteen bearers of one right code at the same instant: one advances, the others are over (one statement)."""
    julie = account()
    token, now = start(julie.code, clock), clock.now()
    code = sent()

    answers = at_once(app, 16, lambda: recovery_services.check_code(token, code, now=now).outcome)

    assert answers.count(RecoveryOutcome.RIGHT) == 1, answers
    assert set(answers) <= {RecoveryOutcome.RIGHT, RecoveryOutcome.OVER, RecoveryOutcome.SPENT, RecoveryOutcome.LOCKED}


@pytest.mark.databases
@pytest.mark.race
def test_a_password_is_chosen_once_among_eight(app: Flask, account: Accounts, clock: MovableClock) -> None:
    """Eight last steps at once: one password, one notice."""
    julie = account()
    token = start(julie.code, clock)
    check(token, sent(), clock)
    factor(token, julie, clock)
    now, words = clock.now(), [f"{NEW} numéro {number}" for number in range(8)]

    answers = at_once(app, 8, lambda: recovery_services.choose_password(token, words.pop(), now=now) is not None)

    assert answers.count(True) == 1, answers
    assert len(payloads("security_notice")) == 1


@pytest.mark.databases
@pytest.mark.bar("S-48")
def test_no_more_codes_are_judged_than_the_limit(app: Flask, account: Accounts, clock: MovableClock) -> None:
    """Sixteen wrong codes at once over two recoveries: five are judged, the person is locked on every path."""
    julie = account()
    tokens = [start(julie.code, clock) for _ in range(2)] * 8
    now = clock.now()

    answers = at_once(app, 16, lambda: recovery_services.check_code(tokens.pop(), "00000000", now=now).outcome)

    judged = db.session.scalars(
        select(AuditEntry.id).where(AuditEntry.event == audit.Event.SIGN_IN_REFUSED.value)
    ).all()
    assert len(judged) == 5, answers
    refusal = sign_in_services.check_password(julie.code, julie.password, next_path="/", now=now).refusal
    assert refusal is sign_in_services.Refusal.LOCKED
    assert recovery_services.check_code(start(julie.code, clock), sent(), now=now).outcome is RecoveryOutcome.LOCKED


@pytest.mark.bar("S-48")
def test_one_counter_for_every_path(account: Accounts, clock: MovableClock) -> None:
    """Two wrong passwords, a wrong e-mail code and two wrong factors make five: the sixth is not judged anywhere."""
    julie = account()
    for _ in range(2):
        sign_in_services.check_password(julie.code, "faux mot de passe", next_path="/", now=clock.now())
    token = start(julie.code, clock)
    assert check(token, "00000000", clock) is RecoveryOutcome.WRONG
    assert check(token, sent(), clock) is RecoveryOutcome.RIGHT
    assert recovery_services.check_factor(token, "000000", now=clock.now()).outcome is RecoveryOutcome.WRONG
    assert recovery_services.check_factor(token, "", now=clock.now()).outcome is RecoveryOutcome.LOCKED

    assert factor(token, julie, clock) is RecoveryOutcome.LOCKED
    refusal = sign_in_services.check_password(julie.code, julie.password, next_path="/", now=clock.now()).refusal
    assert refusal is sign_in_services.Refusal.LOCKED


@pytest.mark.bar("S-51")
def test_codes_expire_to_the_second(account: Accounts, clock: MovableClock) -> None:
    """Ten minutes for the code, thirty for the whole (S-51)."""
    julie = account()
    token, begun = start(julie.code, clock), clock.now()
    code = sent()
    clock.advance(CODE_LIFE)
    assert check(token, code, clock) is RecoveryOutcome.SPENT
    recovery_services.send_again(token, now=clock.now())
    clock.advance(CODE_LIFE - timedelta(seconds=1))
    assert check(token, sent(), clock) is RecoveryOutcome.RIGHT

    clock.advance(begun + LIFE - clock.now())

    assert factor(token, julie, clock) is RecoveryOutcome.OVER


@pytest.mark.bar("R-25")
def test_a_new_code_kills_the_former_and_three_leave_in_an_hour(account: Accounts, clock: MovableClock) -> None:
    """Whoever asks, from whichever browser; after an hour one more may leave (R-25)."""
    julie = account()
    token = start(julie.code, clock)
    former = sent()
    recovery_services.send_again(token, now=clock.now())  # too soon
    assert len(payloads("recovery_code")) == 1
    clock.advance(CODE_PAUSE)
    recovery_services.send_again(token, now=clock.now())
    assert check(token, former, clock) is RecoveryOutcome.WRONG
    for _ in range(3):
        start(julie.code, clock)
    assert len(payloads("recovery_code")) == CODES_PER_HOUR

    clock.advance(timedelta(hours=1))
    start(julie.code, clock)

    assert len(payloads("recovery_code")) == CODES_PER_HOUR + 1


def test_no_step_is_skipped(account: Accounts, clock: MovableClock) -> None:
    """The later steps answer *over* to a recovery that has not come to them."""
    julie = account()
    token = start(julie.code, clock)

    assert factor(token, julie, clock) is RecoveryOutcome.OVER
    assert recovery_services.choose_password(token, NEW, now=clock.now()) is None
    assert check(token, sent(), clock) is RecoveryOutcome.RIGHT
    assert recovery_services.choose_password(token, NEW, now=clock.now()) is None
    assert check(token, sent(), clock) is RecoveryOutcome.OVER


@pytest.mark.bar("S-58", "CVE-2026-18963")
def test_a_code_serves_only_the_recovery_it_was_sent_for(account: Accounts, clock: MovableClock) -> None:
    """Neither the code of another person nor that of another recovery of the same person."""
    julie, nadia = account(), account("Nadia")
    of_julie = start(julie.code, clock)
    code_of_julie = sent()
    of_nadia, other_of_julie = start(nadia.code, clock), start(julie.code, clock)

    assert check(of_nadia, code_of_julie, clock) is RecoveryOutcome.WRONG
    assert check(other_of_julie, code_of_julie, clock) is RecoveryOutcome.WRONG
    assert check(of_julie, code_of_julie, clock) is RecoveryOutcome.RIGHT
    nadia_now = recovery_services.check_factor(of_nadia, julie.otp(clock.now()), now=clock.now()).outcome
    assert nadia_now is RecoveryOutcome.OVER


def test_a_code_revoked_meanwhile_recovers_nothing(account: Accounts, clock: MovableClock) -> None:
    """Somebody removed between the steps keeps the former password, and no way in."""
    julie = account()
    token = start(julie.code, clock)
    check(token, sent(), clock)
    factor(token, julie, clock)
    before = hash_of(julie.person_id)
    services.revoke_user_code(julie.code, now=clock.now())

    assert recovery_services.choose_password(token, NEW, now=clock.now()) is None
    assert hash_of(julie.person_id) == before


def test_the_rules_of_passwords_hold(account: Accounts, clock: MovableClock) -> None:
    """Short, known, or made of the person's name: refused, and one may try again."""
    julie = account()
    token = start(julie.code, clock)
    check(token, sent(), clock)
    factor(token, julie, clock)

    for password in ("court", "password1234", "julie tremblay"):
        decision = recovery_services.choose_password(token, password, now=clock.now())
        assert decision is not None
        assert not decision
    assert recovery_services.choose_password(token, NEW, now=clock.now())


def test_old_recoveries_are_swept(account: Accounts, clock: MovableClock) -> None:
    """After two days nothing of them is left."""
    start(account().code, clock)
    start(NOBODY, clock)
    clock.advance(LIFE + timedelta(days=2, seconds=1))

    services.sweep(clock.now())

    assert db.session.scalars(select(PasswordRecovery.id)).all() == []
