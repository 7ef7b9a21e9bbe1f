"""Acts about one person that meet: each takes the person first, so that none is cut off because it waits for the other."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from flask import Flask

from idp.accounts import services_factors, services_passkeys, services_security, services_sessions, services_step_up
from idp.accounts.passkeys import Purpose
from idp.accounts.services_passkey_sign_in import sign_in_with_passkey
from idp.accounts.services_security import FactorKind
from idp.accounts.services_sign_in import FirstStep, SecondStep, check_password, check_second_factor
from idp.accounts.sign_ins import SignIn
from idp.clock import MovableClock
from idp.db import transaction
from idp.errors import Decision

from .authenticator import Authenticator
from .conftest import Account
from .crossings import crossing
from .test_passkeys import add

pytestmark = [pytest.mark.race, pytest.mark.databases]
ANOTHER = "KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU"
MET = "SELECT person"  # where an act stops once it holds the person


@pytest.fixture
def julie(account: Callable[..., Account]) -> Account:
    """Somebody with an application."""
    return account()


def begun(julie: Account, clock: MovableClock) -> str | None:
    """Return the secret of a sign-in after the password."""
    return check_password(julie.code, julie.password, next_path="/home", now=clock.now()).token


def signed_in(julie: Account, clock: MovableClock) -> SignIn:
    """Open a sign-in of another browser."""
    with transaction():
        who = services_sessions.stand(julie.person_id, julie.code.signs)
        return services_sessions.begin_sign_in(who, device="", former=None, now=clock.now()).sign_in


@pytest.mark.parametrize("so_far", ["UPDATE totp_device", "UPDATE guess_counter"])
def test_a_sign_in_and_the_removal_of_its_factor(julie: Account, app: Flask, clock: MovableClock, so_far: str) -> None:
    """A code is typed while the application that made it is removed in another browser: both are answered."""
    with transaction():
        services_factors.add_device(julie.person_id, ANOTHER, step=0, nickname="Autre", now=clock.now())
    elsewhere, token, code, now = signed_in(julie, clock), begun(julie, clock), julie.otp(clock.now()), clock.now()
    first = next(
        each for each in services_security.security_of(julie.person_id).applications if each.nickname != "Autre"
    )

    def remove() -> object:
        factor = services_security.find(julie.person_id, FactorKind.APPLICATION, first.id)
        return services_security.remove(elsewhere, factor, now=now)

    signed, removed = crossing(
        app,
        (so_far, lambda: check_second_factor(token, code, former=None, device="", now=now)),
        (MET, remove),
    )

    assert isinstance(signed, SecondStep)
    assert removed == Decision(())


@pytest.mark.parametrize(("step", "counted"), [("password", 2), ("second factor", 1)])
def test_a_sign_in_and_a_confirmation(julie: Account, app: Flask, clock: MovableClock, step: str, counted: int) -> None:
    """Somebody signs in while the person confirms with a code elsewhere: both are judged, and the code serves once."""
    elsewhere, token, code, now = signed_in(julie, clock), begun(julie, clock), julie.otp(clock.now()), clock.now()

    def sign_in() -> object:
        time.sleep(0.5)  # the try of the confirmation is counted by then, and its code about to be judged
        if step == "password":
            return check_password(julie.code, julie.password, next_path="/home", now=now)
        return check_second_factor(token, code, former=None, device="", now=now)

    confirmed, answered = crossing(
        app,
        ("UPDATE totp_device", lambda: services_step_up.confirm_with_code(elsewhere, code, now=now)),
        (("UPDATE guess_counter", counted), sign_in),
    )

    assert isinstance(confirmed, SecondStep)
    assert confirmed.signed is not None
    if isinstance(answered, FirstStep):
        assert answered.token is not None
    else:
        assert isinstance(answered, SecondStep)
        assert answered.signed is None


@pytest.mark.parametrize("so_far", ["UPDATE passkey_ceremony", "UPDATE passkey "])
def test_a_passkey_that_is_removed_while_it_is_shown(
    julie: Account, app: Flask, clock: MovableClock, so_far: str
) -> None:
    """It signs in or it does not; it is removed in any case, and nobody is cut off."""
    device = Authenticator()
    assert add(julie, device, clock)
    elsewhere, now = signed_in(julie, clock), clock.now()
    kept = services_security.security_of(julie.person_id).passkeys[0]
    asked = services_passkeys.ask_unnamed(Purpose.SIGN_IN, person_id=None, now=now)
    assert asked is not None
    answer = json.dumps(device.show(asked.options))

    def remove() -> object:
        factor = services_security.find(julie.person_id, FactorKind.PASSKEY, kept.id)
        return services_security.remove(elsewhere, factor, now=now)

    signed, removed = crossing(
        app,
        (so_far, lambda: sign_in_with_passkey(asked.token, answer, next_path="/", former=None, device="", now=now)),
        (MET, remove),
    )

    assert isinstance(signed, SecondStep)
    assert removed == Decision(())
    assert services_security.security_of(julie.person_id).passkeys == ()
