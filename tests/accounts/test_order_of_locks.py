"""Acts about one person that meet: each takes the person first, so that none is cut off because it waits for the other."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta

import pyotp
import pytest
from flask import Flask

from idp.accounts import services
from idp.accounts.credentials import factor_services, passkey_services, security_services
from idp.accounts.credentials.domain.passkeys import CeremonyPurpose
from idp.accounts.credentials.security_services import FactorKind
from idp.accounts.leaving import closing_services
from idp.accounts.people import email_change_services
from idp.accounts.recovery import recovery_services, reproofing_services
from idp.accounts.sessions import session_services
from idp.accounts.sessions.domain.sign_ins import SignIn
from idp.accounts.sign_in import step_up_services
from idp.accounts.sign_in.passkey_sign_in_services import sign_in_with_passkey
from idp.accounts.sign_in.sign_in_services import FirstStep, SecondStep, check_password, check_second_factor
from idp.accounts.user_codes import activation_services, code_services
from idp.clock import MovableClock
from idp.db import db, transaction
from idp.errors import Decision

from .authenticator import Authenticator
from .conftest import Account, latest_email_code, payloads
from .credentials.test_passkeys import add
from .crossings import crossing
from .recovery.test_recovery_services import NEW, check, factor, sent, start
from .recovery.test_reproofing_services import begin as begin_reproofing
from .recovery.test_reproofing_services import objection, to_factor

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
        who = session_services.account_status(julie.person_id, julie.code.signs)
        return session_services.begin_sign_in(who, device="", former=None, now=clock.now()).sign_in


@pytest.mark.parametrize("so_far", ["UPDATE totp_device", "UPDATE guess_counter"])
def test_a_sign_in_and_the_removal_of_its_factor(julie: Account, app: Flask, clock: MovableClock, so_far: str) -> None:
    """A code is typed while the application that made it is removed in another browser: both are answered."""
    with transaction():
        factor_services.add_device(julie.person_id, ANOTHER, step=0, nickname="Autre", now=clock.now())
    elsewhere, token, code, now = signed_in(julie, clock), begun(julie, clock), julie.otp(clock.now()), clock.now()
    first = next(
        each for each in security_services.security_of(julie.person_id).applications if each.nickname != "Autre"
    )

    def remove() -> object:
        factor = security_services.find(julie.person_id, FactorKind.APPLICATION, first.id)
        return security_services.remove(elsewhere, factor, now=now)

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
        ("UPDATE totp_device", lambda: step_up_services.confirm_with_code(elsewhere, code, now=now)),
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
    kept = security_services.security_of(julie.person_id).passkeys[0]
    asked = passkey_services.ask_unnamed(CeremonyPurpose.SIGN_IN, person_id=None, now=now)
    assert asked is not None
    answer = json.dumps(device.show(asked.options))

    def remove() -> object:
        factor = security_services.find(julie.person_id, FactorKind.PASSKEY, kept.id)
        return security_services.remove(elsewhere, factor, now=now)

    signed, removed = crossing(
        app,
        (so_far, lambda: sign_in_with_passkey(asked.token, answer, next_path="/", former=None, device="", now=now)),
        (MET, remove),
    )

    assert isinstance(signed, SecondStep)
    assert removed == Decision(())
    assert security_services.security_of(julie.person_id).passkeys == ()


@pytest.fixture
def recovering(julie: Account, clock: MovableClock) -> str:
    """A recovery of hers that waits for the new password."""
    token = start(julie.code, clock)
    check(token, sent(), clock)
    assert factor(token, julie, clock) is recovery_services.RecoveryOutcome.RIGHT
    clock.advance(timedelta(seconds=90))
    return token


@pytest.mark.parametrize("other", ["sign-in", "closing", "another recovery"])
def test_a_new_password_and_what_else_is_done_with_the_account(
    julie: Account, recovering: str, app: Flask, clock: MovableClock, other: str
) -> None:
    """Whoever forgot the password chooses another one while something else is done: it is chosen, or it is over."""
    code, now = julie.otp(clock.now()), clock.now()
    token, second = begun(julie, clock), start(julie.code, clock)
    typed = sent()
    chosen_so_far, so_far, act = {
        "sign-in": (
            "UPDATE challenge",
            "UPDATE totp_device",
            lambda: check_second_factor(token, code, former=None, device="", now=now),
        ),
        "closing": (
            "UPDATE password_recovery",
            "DELETE FROM password WHERE",
            lambda: closing_services.close(julie.person_id, now=now),
        ),
        "another recovery": (
            ("UPDATE password_recovery", 2),
            "UPDATE guess_counter",
            lambda: recovery_services.check_code(second, typed, now=now),
        ),
    }[other]

    answers = crossing(
        app,
        (chosen_so_far, lambda: recovery_services.choose_password(recovering, NEW, now=now)),
        (so_far, act),
    )

    assert not [each for each in answers if isinstance(each, Exception)]


def test_a_new_password_never_cuts_off_the_undoing_of_an_e_mail_change(
    julie: Account, app: Flask, clock: MovableClock
) -> None:
    """The thief changed the address and chooses a password; the button in the mail to the former address works all the same."""
    elsewhere = signed_in(julie, clock)
    changing = email_change_services.begin(elsewhere, "autre@example.com", now=clock.now())
    email_change_services.finish(elsewhere, changing, latest_email_code(), now=clock.now())
    undoing = str(payloads("email_changed")[-1]["code"])
    recovery = start(julie.code, clock)
    check(recovery, sent(), clock)
    assert factor(recovery, julie, clock) is recovery_services.RecoveryOutcome.RIGHT
    begun(julie, clock)
    now = clock.now()

    answers = crossing(
        app,
        ("UPDATE password_recovery", lambda: recovery_services.choose_password(recovery, NEW, now=now)),
        (("UPDATE challenge", 2), lambda: email_change_services.undo(undoing, now=now)),
    )

    assert not [each for each in answers if isinstance(each, Exception)]
    db.session.rollback()
    assert services.person(julie.person_id).email == "julie@example.com"


@pytest.mark.parametrize("other", ["objection", "recovery"])
def test_the_last_step_of_a_re_proofing_and_what_stops_it(
    julie: Account, app: Flask, clock: MovableClock, other: str
) -> None:
    """New factors are confirmed at the moment the person objects, or recovers otherwise: both are answered."""
    slip = begin_reproofing(julie, clock)
    token = to_factor(julie, slip, clock)
    second, now = start(julie.code, clock), clock.now()
    typed, stopping = sent(), objection()
    offer = activation_services.offered_factor(token, now=now)
    assert offer is not None
    digits = pyotp.TOTP(offer.secret).at(now)
    so_far, act = {
        "objection": ("UPDATE reproofing", lambda: reproofing_services.object_to(stopping, now=now)),
        "recovery": ("UPDATE guess_counter", lambda: recovery_services.check_code(second, typed, now=now)),
    }[other]

    finished, answer = crossing(
        app,
        (
            "UPDATE challenge" if other == "objection" else "UPDATE password_recovery",
            lambda: activation_services.confirm_factor(token, digits, former=None, device="", now=now),
        ),
        (so_far, act),
    )

    assert isinstance(finished, activation_services.Finish)
    assert not isinstance(answer, Exception)
    if other == "objection":
        assert finished.replaced is not answer  # whoever came first


def test_a_code_revoked_while_a_sign_in_waits_signs_nobody_in(julie: Account, app: Flask, clock: MovableClock) -> None:
    """The second step waits for the person; when its turn comes, the user code is no longer theirs to sign in with."""
    token, code, now = begun(julie, clock), julie.otp(clock.now()), clock.now()

    def hold_and_revoke() -> None:
        with transaction():
            factor_services.hold(julie.person_id)
            time.sleep(1)  # the sign-in waits by then
            code_services.revoke_user_code(julie.code, now=now)

    def sign_in() -> object:
        time.sleep(0.3)
        return check_second_factor(token, code, former=None, device="", now=now)

    _, answered = crossing(app, (MET, hold_and_revoke), ("nothing", sign_in))

    assert isinstance(answered, SecondStep)
    assert answered.signed is None
