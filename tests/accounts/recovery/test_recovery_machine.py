"""Every order of acts over two recoveries: a password changes only for who showed its code and its factor (S-58)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from flask import Flask
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import select

from idp.accounts.credentials import recovery_code_services
from idp.accounts.models import Password
from idp.clock import MovableClock
from idp.db import db

from ..conftest import Account, Browser, payloads
from ..machines import never_reached, run_histories

WHO = st.sampled_from([0, 1])
SECRETS = ("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU")
TARGETS = (
    "password changed",
    "password changed with a recovery code",
    "password of the other one changed after theirs",
    "code right",
    "factor right",
    "a code of the other browser while one waits",
    "a dead code while one waits",
    "a factor of the other person while one waits",
    "a recovery code of the other person while one waits",
    "a factor before the code",
    "a password before the factor",
    "begun again after the code",
    "begun again after the factor",
    "a second recovery after the end of the first",
)


@dataclass
class Given:
    """Two people and an application; which targets were reached so far."""

    app: Flask
    clock: MovableClock
    people: tuple[Account, Account]
    reached: Counter[str] = field(default_factory=Counter)
    drawn: Iterator[int] = field(default_factory=lambda: iter(range(1_000_000)))

    def hash_of(self, who: int) -> str | None:
        db.session.commit()
        return db.session.scalar(select(Password.hash).where(Password.person_id == self.people[who].person_id))


class RecoveryMachine(RuleBasedStateMachine):
    given: Given  # set by the test, on a subclass

    def __init__(self) -> None:
        super().__init__()
        self.given.clock.advance(timedelta(days=2))  # no lock and no allowance is left from the run before
        self.browsers = (Browser(self.given.app), Browser(self.given.app))
        self.fronts = ["", ""]  # the number of a browser's present recovery, in front of its addresses
        self.forget()
        self.dead_codes: list[str] = []
        self.hashes = [self.given.hash_of(0), self.given.hash_of(1)]
        self.changed: list[int] = []

    def forget(self) -> None:
        """Nothing that was begun is still good."""
        self.codes: list[str | None] = [None, None]  # the code a browser's present recovery was sent
        self.owner: list[int | None] = [None, None]
        self.shown: list[set[str]] = [set(), set()]

    def waits_for_a_code(self, browser: int) -> bool:
        return self.codes[browser] is not None and not self.shown[browser]

    @rule(browser=WHO, who=WHO)
    def begin(self, browser: int, who: int) -> None:
        if self.shown[browser]:
            self.given.reached[
                "begun again after the factor" if len(self.shown[browser]) == 2 else "begun again after the code"
            ] += 1
        if (former := self.codes[browser]) is not None:
            self.dead_codes.append(former)
        self.given.clock.advance(timedelta(milliseconds=1))  # messages are read in the order of their instants
        before = len(payloads("recovery_code"))
        answer = self.browsers[browser].post("/recover", user_code=str(self.given.people[who].code))
        self.fronts[browser] = answer.location.removesuffix("/recover/code")
        told = payloads("recovery_code")
        self.codes[browser] = str(told[-1]["code"]) if len(told) > before else None
        self.owner[browser], self.shown[browser] = who, set()

    @rule(browser=WHO, of=WHO)
    def type_a_code(self, browser: int, of: int) -> None:
        code = self.codes[of]
        if code is None:
            return
        if browser != of and self.waits_for_a_code(browser):
            self.given.reached["a code of the other browser while one waits"] += 1
        if self.passes_the_code(browser, code):
            assert browser == of
            self.shown[browser].add("code")
            self.given.reached["code right"] += 1

    @precondition(lambda self: self.dead_codes)
    @rule(browser=WHO, which=st.integers(0, 9))
    def type_a_dead_code(self, browser: int, which: int) -> None:
        if self.waits_for_a_code(browser):
            self.given.reached["a dead code while one waits"] += 1
        assert not self.passes_the_code(browser, self.dead_codes[which % len(self.dead_codes)])

    def passes_the_code(self, browser: int, code: str) -> bool:
        return self.leads_on(browser, "/recover/code", "/recover/factor", email_code=code) and not self.shown[browser]

    def leads_on(self, browser: int, path: str, following: str, **fields: str) -> bool:
        """Post a form of the browser's present recovery; return whether it leads to *following*."""
        front = self.fronts[browser]
        return (
            self.browsers[browser].post(f"{front}{path}", page="/recover", **fields).location == f"{front}{following}"
        )

    @rule(browser=WHO, of=WHO)
    def type_a_factor(self, browser: int, of: int) -> None:
        self.given.clock.advance(timedelta(seconds=60))
        if self.passes_the_factor(browser, of, self.given.people[of].otp(self.given.clock.now()), "factor"):
            self.shown[browser].add("factor")

    @rule(browser=WHO, of=WHO)
    def type_a_recovery_code(self, browser: int, of: int) -> None:
        code = recovery_code_services.make(self.given.people[of].person_id, now=self.given.clock.now())[0]
        if self.passes_the_factor(browser, of, code, "recovery code"):
            self.shown[browser].add("recovery code")

    def passes_the_factor(self, browser: int, of: int, typed: str, kind: str) -> bool:
        shown, owner = self.shown[browser], self.owner[browser]
        if shown == {"code"} and of != owner:
            self.given.reached[f"a {kind} of the other person while one waits"] += 1
        if self.waits_for_a_code(browser):
            self.given.reached["a factor before the code"] += 1
        if not self.leads_on(browser, "/recover/factor", "/recover/password", otp=typed) or len(shown) == 2:
            return False
        assert shown == {"code"}
        assert of == owner
        self.given.reached["factor right"] += 1
        return True

    @rule(browser=WHO)
    def choose(self, browser: int) -> None:
        shown, owner = self.shown[browser], self.owner[browser]
        if shown == {"code"}:
            self.given.reached["a password before the factor"] += 1
        password = f"quatre vents sur la grève {next(self.given.drawn)}"
        fields = {"new_password": password, "new_password_repeat": password}
        answer = self.browsers[browser].post(f"{self.fronts[browser]}/recover/password", page="/recover", **fields)
        if answer.location != "/sign-in":
            return
        assert shown in ({"code", "factor"}, {"code", "recovery code"})
        assert owner is not None
        assert self.given.hash_of(owner) != self.hashes[owner]
        self.hashes[owner] = self.given.hash_of(owner)
        self.note_change(owner, shown)
        for other in (0, 1):  # every other recovery of this person is over
            if self.owner[other] == owner:
                self.shown[other], self.codes[other], self.owner[other] = set(), None, None

    def note_change(self, owner: int, shown: set[str]) -> None:
        self.given.reached[
            "password changed with a recovery code" if "recovery code" in shown else "password changed"
        ] += 1
        if self.changed and self.changed[-1] != owner:
            self.given.reached["password of the other one changed after theirs"] += 1
        self.changed.append(owner)

    @rule(
        browser=WHO,
        who=WHO,
        steps=st.integers(1, 4),
        on_paper=st.booleans(),
        goes_astray=st.sampled_from([True, True, False]),
    )
    def walk_the_right_path(self, browser: int, who: int, steps: int, on_paper: bool, goes_astray: bool) -> None:
        """The first of the right steps: without it a history hardly ever stands where something could be stolen."""
        self.begin(browser, who)
        if self.codes[browser] is None:  # three codes an hour, or guesses that closed the door
            self.wait(timedelta(days=1))
            self.begin(browser, who)
        if steps > 1:
            self.type_a_code(browser, browser)
        if steps > 2:
            (self.type_a_recovery_code if on_paper else self.type_a_factor)(browser, who)
        if goes_astray:
            self.try_what_is_not_theirs(browser, who)
        if steps > 3:
            self.choose(browser)

    @rule(first=WHO, who=WHO, steps=st.integers(1, 3))
    def finish_in_one_of_two(self, first: int, who: int, steps: int) -> None:
        """Two recoveries of one person: the end of the first is the end of the second."""
        self.wait(timedelta(days=1))
        second = 1 - first
        self.walk_the_right_path(second, who, steps, on_paper=False, goes_astray=False)
        left = self.codes[second]
        self.walk_the_right_path(first, who, 4, on_paper=False, goes_astray=False)
        assert left is not None
        if steps == 1:
            assert not self.passes_the_code(second, left)
        if steps == 2:
            self.type_a_factor(second, who)
        self.choose(second)
        self.given.reached["a second recovery after the end of the first"] += 1

    def try_what_is_not_theirs(self, browser: int, who: int) -> None:
        """What belongs to the other person, then the steps that come too early."""
        if self.waits_for_a_code(browser):
            if self.dead_codes:
                self.type_a_dead_code(browser, len(self.dead_codes) - 1)
            self.begin(1 - browser, 1 - who)
            self.type_a_code(browser, 1 - browser)
            self.type_a_factor(browser, who)
        if self.shown[browser] == {"code"}:
            self.type_a_factor(browser, 1 - who)
            self.type_a_recovery_code(browser, 1 - who)
        if len(self.shown[browser]) < 2:
            self.choose(browser)

    @rule(time=st.sampled_from([timedelta(minutes=31), timedelta(hours=1), timedelta(days=1)]))
    def wait(self, time: timedelta) -> None:
        self.given.clock.advance(time)
        self.dead_codes += [code for code in self.codes if code is not None]
        self.forget()

    @invariant()
    def nothing_else_changed(self) -> None:
        assert [self.given.hash_of(0), self.given.hash_of(1)] == self.hashes
        for browser in self.browsers:
            assert browser.get("/account").status_code == 302


def begin_again(machine: type[RecoveryMachine]) -> None:
    """Begin a recovery again after each of its steps, by itself: histories rarely do it at the right moment."""
    for browser in (0, 1):
        for steps in (2, 3):
            one = machine()
            one.walk_the_right_path(browser=browser, who=0, steps=steps, on_paper=False, goes_astray=False)
            one.begin(browser=browser, who=0)
            one.choose(browser=browser)
            one.nothing_else_changed()


@pytest.mark.bar("S-58", "S-54", "CVE-2026-18963")
def test_no_path_changes_a_password_without_both_proofs(
    app: Flask, account: Callable[..., Account], clock: MovableClock, pytestconfig: pytest.Config
) -> None:
    """Two people, two browsers: codes and factors of one typed for the other, steps out of turn, beginning again, waiting."""
    given = Given(app, clock, (account(totp_secret=SECRETS[0]), account("Nadia", totp_secret=SECRETS[1])))
    machine: type[RecoveryMachine] = type("RecoveryMachine", (RecoveryMachine,), {"given": given})

    run_histories(machine, deep=pytestconfig.getoption("--deep"))
    begin_again(machine)

    assert never_reached(given.reached, TARGETS) == []
