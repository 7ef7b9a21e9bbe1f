"""Every order of acts over every way of signing in: a session exists only after every factor, in their browser (S-54)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pyotp
import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from idp.accounts import services_recovery_codes as recovery
from idp.accounts.services_contacts import note_confirmed
from idp.clock import MovableClock

from .authenticator import UP, Authenticator
from .conftest import Account, Browser, latest_email_code, switch_on
from .views.test_passkeys import add_passkey, show_passkey

EMAIL = "/sign-in/code/email"


@pytest.mark.parametrize("steps", [25])
def test_no_path_skips_a_factor(app: Flask, account: Callable[..., Account], clock: MovableClock, steps: int) -> None:
    """Two browsers; applications, passkeys, recovery codes, codes by e-mail; right, wrong, spent and foreign; any order.

    A code by e-mail reads: with it, the account page opens and the page of factors does not (ADR 0014).
    """
    switch_on(app)
    julie, nadia = account(), account("Nadia", "Roy")
    device, foreign = Authenticator(), Authenticator()
    note_confirmed("julie@example.com", now=clock.now())
    for whom, theirs in ((julie, device), (nadia, foreign)):
        owner = Browser(app)
        owner.sign_in(whom, clock.now())
        assert add_passkey(owner, theirs).location == "/account/security"

    class SignInMachine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            clock.advance(timedelta(days=2))  # no lock and no spent step is left from the run before
            self.browser, self.other = Browser(app), Browser(app)
            self.passed_password = False
            self.signed_in = self.reads = False

        def enter(self) -> None:
            self.passed_password = self.reads = False
            self.signed_in = True

        @rule()
        def right_password(self) -> None:
            answer = self.browser.post("/sign-in", username=str(julie.code), password=julie.password)
            if answer.location == "/sign-in/code/passkey":
                self.passed_password = True

        @rule()
        def wrong_password(self) -> None:
            answer = self.browser.post("/sign-in", username=str(julie.code), password="faux mot de passe")
            assert answer.location is None

        @rule()
        def right_code(self) -> None:
            clock.advance(timedelta(seconds=30))
            otp = pyotp.TOTP(julie.totp_secret).at(clock.now())
            answer = self.browser.post("/sign-in/code", otp=otp)
            if answer.location == "/home":
                assert self.passed_password
                self.enter()

        @rule()
        def wrong_or_no_code(self) -> None:
            for otp in ("000000", ""):
                assert self.browser.post("/sign-in/code", otp=otp).location in (None, "/sign-in")

        @rule()
        def recovery_code(self) -> None:
            code = recovery.make(julie.person_id, now=clock.now())[0]
            for _ in range(2):  # it serves once
                answer = self.browser.post("/sign-in/code/recovery", recovery_code=code)
                if answer.location == "/home":
                    assert self.passed_password
                    self.enter()

        @rule()
        def recovery_code_of_somebody_else(self) -> None:
            code = recovery.make(nadia.person_id, now=clock.now())[0]
            assert self.browser.post("/sign-in/code/recovery", recovery_code=code).location in (None, "/sign-in")

        @rule()
        def passkey_after_the_password(self) -> None:
            if self.browser.get("/sign-in/code/passkey").status_code != 200:
                return
            assert self.passed_password
            if show_passkey(self.browser, device, "/sign-in/code/passkey").location == "/home":
                self.enter()

        @rule()
        def foreign_passkey_after_the_password(self) -> None:
            if self.browser.get("/sign-in/code/passkey").status_code == 200:
                assert show_passkey(self.browser, foreign, "/sign-in/code/passkey").location is None

        @rule()
        def passkey_alone(self) -> None:
            assert show_passkey(self.browser, device).location == "/home"
            self.enter()

        @rule()
        def passkey_that_did_not_verify(self) -> None:
            bad = Authenticator(flags=UP, key=device.key, credential_id=device.credential_id, handle=device.handle)
            bad.count = device.count
            assert show_passkey(self.browser, bad).location is None

        @rule()
        def code_by_email(self) -> None:
            clock.advance(timedelta(minutes=30))  # three messages an hour, and no sign-in under way is left
            self.passed_password = False
            self.right_password()
            if self.passed_password:
                self.browser.post(f"{EMAIL}/send", page=EMAIL)
                answer = self.browser.post(EMAIL, email_code=latest_email_code())
                assert answer.location == "/home"
                self.passed_password = self.signed_in = False
                self.reads = True

        @rule()
        def spent_or_foreign_code_by_email(self) -> None:
            for browser in (self.browser, self.other):
                assert browser.post(EMAIL, page="/sign-in", email_code="00000000").location in (None, "/sign-in")

        @rule()
        def a_factor_after_a_code_by_email(self) -> None:
            clock.advance(timedelta(seconds=30))
            otp = pyotp.TOTP(julie.totp_secret).at(clock.now())
            answer = self.browser.post("/confirm", page="/sign-in", otp=otp)
            if answer.location == "/account":
                assert self.reads or self.signed_in
                under_way = self.passed_password  # a sign-in begun beside it in this browser may still be finished
                self.enter()
                self.passed_password = under_way

        @rule()
        def right_code_elsewhere(self) -> None:
            otp = pyotp.TOTP(julie.totp_secret).at(clock.now())
            assert self.other.post("/sign-in/code", otp=otp).location == "/sign-in"

        @rule()
        def wait(self) -> None:
            clock.advance(timedelta(minutes=11))
            self.passed_password = False

        @rule()
        def sign_out(self) -> None:
            self.browser.post("/sign-out", page="/sign-in")
            self.signed_in = self.reads = self.passed_password = False

        @invariant()
        def a_session_means_both_factors(self) -> None:
            is_in = self.browser.get("/account/security").status_code == 200
            reads = self.browser.get("/account").status_code == 200
            assert self.signed_in or not is_in
            assert self.signed_in or self.reads or not reads
            assert self.other.get("/account").status_code == 302

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        SignInMachine,
        settings=settings(
            max_examples=8,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
