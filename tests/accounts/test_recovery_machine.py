"""Every order of acts over two recoveries: a password changes only for who showed its code and its factor (S-58)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from idp.accounts.models import Password
from idp.clock import MovableClock
from idp.db import db

from .conftest import Account, Browser, payloads

WHO = st.sampled_from([0, 1])


@pytest.mark.bar("S-58", "S-54", "CVE-2026-18963")
@pytest.mark.parametrize("steps", [25])
def test_no_path_changes_a_password_without_both_proofs(
    app: Flask, account: Callable[..., Account], clock: MovableClock, steps: int
) -> None:
    """Two people, two browsers: codes of one typed for the other, steps out of turn, beginning again, waiting."""
    people = (account(), account("Nadia"))

    def hash_of(who: int) -> str | None:
        db.session.commit()
        return db.session.scalar(select(Password.hash).where(Password.person_id == people[who].person_id))

    class RecoveryMachine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            clock.advance(timedelta(days=2))  # no lock and no allowance is left from the run before
            self.browsers = (Browser(app), Browser(app))
            self.codes: list[str | None] = [None, None]  # the code a browser's present recovery was sent
            self.owner: list[int | None] = [None, None]
            self.shown: list[set[str]] = [set(), set()]
            self.hashes = [hash_of(0), hash_of(1)]
            self.passwords = 0

        @rule(browser=WHO, who=WHO)
        def begin(self, browser: int, who: int) -> None:
            before = len(payloads("recovery_code"))
            self.browsers[browser].post("/recover", user_code=str(people[who].code))
            told = payloads("recovery_code")
            self.codes[browser] = str(told[-1]["code"]) if len(told) > before else None
            self.owner[browser], self.shown[browser] = who, set()

        @rule(browser=WHO, of=WHO)
        def type_a_code(self, browser: int, of: int) -> None:
            if self.codes[of] is None:
                return
            answer = self.browsers[browser].post("/recover/code", page="/recover", email_code=str(self.codes[of]))
            if answer.location == "/recover/factor" and not self.shown[browser]:
                assert browser == of
                self.shown[browser].add("code")

        @rule(browser=WHO, of=WHO)
        def type_a_factor(self, browser: int, of: int) -> None:
            clock.advance(timedelta(seconds=60))
            otp = people[of].otp(clock.now())
            answer = self.browsers[browser].post("/recover/factor", page="/recover", otp=otp)
            if answer.location == "/recover/password" and "factor" not in self.shown[browser]:
                assert self.shown[browser] == {"code"}
                assert self.owner[browser] is not None
                assert people[of].totp_secret == people[self.owner[browser] or 0].totp_secret
                self.shown[browser].add("factor")

        @rule(browser=WHO)
        def choose(self, browser: int) -> None:
            self.passwords += 1
            password = f"quatre vents sur la grève {self.passwords}"
            fields = {"new_password": password, "new_password_repeat": password}
            answer = self.browsers[browser].post("/recover/password", page="/recover", **fields)
            if answer.location == "/sign-in":
                owner = self.owner[browser]
                assert self.shown[browser] == {"code", "factor"}
                assert owner is not None
                assert hash_of(owner) != self.hashes[owner]
                self.hashes[owner] = hash_of(owner)
                for other in (0, 1):  # every other recovery of this person is over
                    if self.owner[other] == owner:
                        self.shown[other], self.codes[other], self.owner[other] = set(), None, None

        @rule()
        def wait(self) -> None:
            clock.advance(timedelta(minutes=31))
            self.shown, self.codes, self.owner = [set(), set()], [None, None], [None, None]

        @invariant()
        def nothing_else_changed(self) -> None:
            assert [hash_of(0), hash_of(1)] == self.hashes
            for browser in self.browsers:
                assert browser.get("/account").status_code == 302

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        RecoveryMachine,
        settings=settings(
            max_examples=8,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
