"""Recovery codes, against the database: ten, each good once for its own person, dead when new ones are made."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select

from idp.accounts.credentials import recovery_code_services
from idp.accounts.credentials.domain import recovery_codes
from idp.accounts.models import RecoveryCode
from idp.accounts.sign_in.sign_in_services import Refusal, SecondStep, check_password, check_recovery_code
from idp.clock import MovableClock
from idp.db import db

from ..conftest import Account
from ..sign_in.test_sign_in_services import at_once

Accounts = Callable[..., Account]


def begin(whom: Account, clock: MovableClock) -> str | None:
    return check_password(whom.code, whom.password, next_path="/home", now=clock.now()).token


def show(token: str | None, code: str, clock: MovableClock) -> SecondStep:
    return check_recovery_code(token, code, former=None, device="", now=clock.now())


def test_a_code_is_too_long_to_guess_and_easy_to_read() -> None:
    """24 signs of 30 are 117 bits, beyond the 112 under which a slow hash is wanted (ASVS 6.5.2); no look-alikes."""
    codes = recovery_codes.draw()

    assert len(set(codes)) == 10
    assert 30**24 > 2**112
    for code in codes:
        assert re.fullmatch(r"(?:[2-9A-HJ-NP-Z]{4}-){5}[2-9A-HJ-NP-Z]{4}", recovery_codes.shown(code))
        assert recovery_codes.read(f" {recovery_codes.shown(code).lower()} ") == code


@pytest.mark.bar("R-3")
@pytest.mark.race
@pytest.mark.databases
def test_one_code_among_sixteen_tries_lets_in_once(app: Flask, account: Accounts, clock: MovableClock) -> None:
    """Sixteen sign-ins with one code at once: one succeeds, whatever the database."""
    julie = account()
    code = recovery_code_services.make(julie.person_id, now=clock.now())[0]
    tokens = [begin(julie, clock) for _ in range(16)]

    answers = at_once(app, 16, lambda: show(tokens.pop(), code, clock))

    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    signed = [answer.signed for answer in answers if isinstance(answer, SecondStep) and answer.signed]
    assert len(signed) == 1
    assert (signed[0].sign_in.acr, signed[0].sign_in.amr) == ("urn:mandat:aal:2", ("pwd", "mfa"))
    assert recovery_code_services.left(julie.person_id) == 9


@pytest.mark.race
@pytest.mark.databases
def test_codes_made_by_many_pages_at_once_are_ten(app: Flask, account: Accounts, clock: MovableClock) -> None:
    """The last page to be made holds the codes that work; no other does."""
    julie = account()

    made = at_once(app, 8, lambda: recovery_code_services.make(julie.person_id, now=clock.now()))

    assert [each for each in made if isinstance(each, Exception)] == []
    assert recovery_code_services.left(julie.person_id) == 10


def test_a_code_is_of_one_person_and_no_secret_is_kept(account: Accounts, clock: MovableClock) -> None:
    """Nadia's code does not let Julie in; the rows hold digests alone, and equal codes would have different ones."""
    julie, nadia = account(), account("Nadia", "Roy")
    codes = recovery_code_services.make(nadia.person_id, now=clock.now())

    assert show(begin(julie, clock), codes[0], clock).refusal is Refusal.WRONG
    assert recovery_code_services.left(nadia.person_id) == 10
    kept = set(db.session.scalars(select(RecoveryCode.code_digest)))
    assert len(kept) == 10
    assert not kept & set(codes)


def test_a_code_is_a_guess_like_any_other_and_never_enough_alone(account: Accounts, clock: MovableClock) -> None:
    """Five wrong ones close every way but a passkey (S-48); without the password before, the right one opens nothing."""
    julie = account()
    code = recovery_code_services.make(julie.person_id, now=clock.now())[0]
    token = begin(julie, clock)

    for nothing in (None, "", "unknown"):
        assert show(nothing, code, clock).refusal is Refusal.OVER
    answers = [show(token, wrong, clock).refusal for wrong in ("", "A" * 24, "x" * 5000, code[:-1], code + "A")]
    assert answers == [Refusal.WRONG] * 4 + [Refusal.LOCKED]
    assert show(token, code, clock).refusal is Refusal.LOCKED
    assert db.session.scalar(select(func.count(RecoveryCode.used_at))) == 0
