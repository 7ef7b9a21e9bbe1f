"""Every order of acts over every way of signing in: a session exists only after every factor, in their browser (S-54)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import product

import pyotp
import pytest
from flask import Flask
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from idp import audit
from idp.accounts import services
from idp.accounts.credentials import recovery_code_services
from idp.accounts.people.contact_services import note_confirmed
from idp.clock import MovableClock
from idp.db import db
from idp.identifiers import UserCode
from tests.accounts.conftest import page_of

from ..authenticator import UP, Authenticator
from ..conftest import PASSWORD, Account, Browser, latest_email_code, payloads, switch_on
from ..machines import never_reached, run_histories
from ..views.test_activation import key_of
from ..views.test_passkeys import add_passkey, show_passkey

Newcomer = Callable[..., tuple[UserCode, str]]
EMAIL, ADD, STEP = "/sign-in/code/email", "/account/security/passkey", "/sign-in/code/passkey"
SECRETS = ("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU", "MZXW6YTBOI7FEYLSMZXW6YTBOI7FEYLS")
BROWSER, WHO = st.sampled_from([0, 1]), st.sampled_from([0, 1, 2])
WAYS = st.sampled_from(["code", "recovery code", "passkey", "passkey alone", "code by e-mail"])
AFTERWARDS = st.sampled_from(["nothing", "confirm", "confirm as somebody else", "add", "must show a passkey", "freeze"])
STORIES = (
    (0, "code", "must show a passkey"),
    (0, "code", "confirm"),
    (0, "recovery code", "add"),
    (0, "code by e-mail", "confirm"),
    (1, "passkey", "confirm"),
    (1, "passkey alone", "confirm as somebody else"),
    (2, "code", "add"),
    (2, "recovery code", "nothing"),
)
TARGETS = (
    *(f"in with {way}" for way in ("code", "recovery code", "passkey", "passkey alone", "code by e-mail")),
    "in and short of a passkey",
    "a passkey added by who must have one",
    "a passkey must be shown from now on, by somebody who is in",
    "confirmed",
    "confirmed after a code by e-mail",
    "a code of somebody else where one is awaited",
    "a passkey of somebody else where one is awaited",
    "a code of somebody else to confirm",
    "a code where only a passkey serves",
    "frozen while in",
    "frozen, and every factor shown",
    "thawed",
    "activated",
    "an activation half done",
)


@dataclass
class Someone:
    """A person, with what they hold and must show."""

    name: str
    account: Account
    device: Authenticator | None = None
    required: int = 2
    is_frozen: bool = False

    @property
    def must_show_a_passkey(self) -> bool:
        return self.required == 3 and self.device is not None


@dataclass
class Session:
    """What was shown in a browser, and by whom."""

    whom: Someone
    level: int

    @property
    def suffices(self) -> bool:
        return self.level >= max(2, self.whom.required)


@dataclass
class Given:
    """What every history starts from, and which targets were reached so far."""

    app: Flask
    account: Callable[..., Account]
    clock: MovableClock
    newcomer: Newcomer
    reached: Counter[str] = field(default_factory=Counter)
    runs: Iterator[int] = field(default_factory=lambda: iter(range(1_000_000)))

    def somebody(self, given_name: str, secret: str, *, has_passkey: bool, level: int) -> Someone:
        whom = Someone(given_name, self.account(given_name, totp_secret=secret))
        note_confirmed(f"{given_name.lower()}@example.com", now=self.clock.now())
        if has_passkey:
            owner, whom.device = Browser(self.app), Authenticator()
            owner.sign_in(whom.account, self.clock.now())
            assert add_passkey(owner, whom.device).location == "/account/security"
        whom.required = level
        services.require_level(whom.account.person_id, level)
        db.session.commit()
        return whom


class SignInMachine(RuleBasedStateMachine):
    given: Given  # set by the test, on a subclass

    def __init__(self) -> None:
        super().__init__()
        self.given.clock.advance(timedelta(days=2))
        run = next(self.given.runs)
        self.people = (
            self.given.somebody(f"Julie{run}", SECRETS[0], has_passkey=True, level=2),
            self.given.somebody(f"Nadia{run}", SECRETS[1], has_passkey=True, level=3),
            self.given.somebody(f"Marc{run}", SECRETS[2], has_passkey=False, level=3),
        )
        self.given.clock.advance(timedelta(minutes=1))
        self.browsers = (Browser(self.given.app), Browser(self.given.app))
        self.under_way: list[Someone | None] = [None, None]  # whose password was right in this browser
        self.number = ["", ""]  # in front of the pages of that sign-in
        self.thawing: list[Someone | None] = [None, None]
        self.sessions: list[Session | None] = [None, None]

    def enter(self, browser: int, whom: Someone, level: int, way: str) -> None:
        assert not whom.is_frozen
        self.sessions[browser], self.under_way[browser] = Session(whom, level), None
        self.given.reached[f"in with {way}"] += 1
        if level == 2 and whom.required == 3:
            self.given.reached["in and short of a passkey"] += 1

    def at(self, browser: int, path: str) -> str:
        """Return *path* for the sign-in that this browser began last."""
        return f"{self.number[browser]}{path}"

    def judge(self, browser: int, whom: Someone, location: str | None, level: int, way: str) -> None:
        """Write down where a second factor of *whom* led; it is right only after their own password."""
        if page_of(location) == "/unfreeze":
            assert self.under_way[browser] is whom
            assert whom.is_frozen
            self.under_way[browser], self.thawing[browser] = None, whom
            self.given.reached["frozen, and every factor shown"] += 1
        elif location == "/home" or (location or "").startswith(ADD):
            assert self.under_way[browser] is whom
            assert level == 3 or not whom.must_show_a_passkey
            self.enter(browser, whom, level, way)

    @rule(browser=BROWSER, who=WHO)
    def password(self, browser: int, who: int) -> None:
        whom = self.people[who]
        answer = self.browsers[browser].post("/sign-in", username=str(whom.account.code), password=PASSWORD)
        if page_of(answer.location) in ("/sign-in/code", STEP):
            self.under_way[browser] = whom
            self.number[browser] = answer.location.partition("/sign-in")[0]

    @precondition(lambda self: any(self.under_way))
    @rule(browser=BROWSER, who=WHO)
    def code(self, browser: int, who: int) -> None:
        whom, awaited = self.people[who], self.under_way[browser]
        self.given.clock.advance(timedelta(minutes=1))
        if awaited is not None and awaited.must_show_a_passkey:
            self.given.reached["a code where only a passkey serves"] += 1
        elif awaited is not None and awaited is not whom:
            self.given.reached["a code of somebody else where one is awaited"] += 1
        answer = self.browsers[browser].post(
            self.at(browser, "/sign-in/code"), page="/sign-in", otp=whom.account.otp(self.given.clock.now())
        )
        self.judge(browser, whom, answer.location, 2, "code")

    @rule(browser=BROWSER, who=WHO)
    def what_is_wrong_or_out_of_turn(self, browser: int, who: int) -> None:
        """A wrong password, no code, a passkey that verified nobody, and each right thing whatever is awaited."""
        here, whom = self.browsers[browser], self.people[who]
        code = str(whom.account.code)
        assert here.post("/sign-in", username=code, password="faux mot de passe").location is None
        for otp in ("000000", ""):
            assert page_of(here.post(self.at(browser, "/sign-in/code"), page="/sign-in", otp=otp).location) in (
                *(None, "/sign-in"),
                STEP,
            )
        if (own := whom.device) is not None:
            bad = Authenticator(flags=UP, key=own.key, credential_id=own.credential_id, handle=own.handle)
            bad.count = own.count
            assert show_passkey(here, bad).location is None
        self.code(browser, who)
        self.recovery_code(browser, who)
        self.passkey(browser, who)
        self.confirm(browser, who)
        self.unfreeze(browser)

    @precondition(lambda self: any(self.under_way))
    @rule(browser=BROWSER, who=WHO)
    def recovery_code(self, browser: int, who: int) -> None:
        whom = self.people[who]
        typed = recovery_code_services.make(whom.account.person_id, now=self.given.clock.now())[0]
        for _ in range(2):  # it serves once
            answer = self.browsers[browser].post(
                self.at(browser, "/sign-in/code/recovery"), page="/sign-in", recovery_code=typed
            )
            self.judge(browser, whom, answer.location, 2, "recovery code")

    @precondition(lambda self: any(self.under_way))
    @rule(browser=BROWSER, who=WHO)
    def passkey(self, browser: int, who: int) -> None:
        whom, awaited = self.people[who], self.under_way[browser]
        if whom.device is None or self.browsers[browser].get(self.at(browser, STEP)).status_code != 200:
            return
        assert awaited is not None
        if awaited is not whom:
            self.given.reached["a passkey of somebody else where one is awaited"] += 1
        answer = show_passkey(self.browsers[browser], whom.device, self.at(browser, STEP))
        self.judge(browser, whom, answer.location, 3, "passkey")

    @rule(browser=BROWSER, who=WHO)
    def passkey_alone(self, browser: int, who: int) -> None:
        whom = self.people[who]
        location = show_passkey(self.browsers[browser], whom.device or Authenticator(handle="nobody")).location
        if page_of(location) == "/unfreeze":
            assert whom.is_frozen
            self.thawing[browser] = whom
        elif location is not None:
            assert whom.device is not None
            self.enter(browser, whom, 3, "passkey alone")

    @precondition(lambda self: any(self.under_way))
    @rule(browser=BROWSER)
    def code_by_email(self, browser: int) -> None:
        whom, here = self.under_way[browser], self.browsers[browser]
        if whom is None:
            return
        here.post(self.at(browser, f"{EMAIL}/send"), page="/sign-in")
        sent = latest_email_code() if payloads("email_code") else "00000000"
        if here.post(self.at(browser, EMAIL), page="/sign-in", email_code=sent).location == "/home":
            assert whom.required == 2
            self.enter(browser, whom, 1, "code by e-mail")

    @precondition(lambda self: any(self.sessions))
    @rule(browser=BROWSER, who=WHO)
    def confirm(self, browser: int, who: int) -> None:
        whom, session = self.people[who], self.sessions[browser]
        self.given.clock.advance(timedelta(minutes=1))
        if session is not None and session.whom is not whom:
            self.given.reached["a code of somebody else to confirm"] += 1
        answer = self.browsers[browser].post("/confirm", page="/sign-in", otp=whom.account.otp(self.given.clock.now()))
        if answer.location != "/account":
            return
        assert session is not None
        assert session.whom is whom
        assert not whom.is_frozen
        assert not whom.must_show_a_passkey  # a lesser factor proves nothing of them, not even again
        self.given.reached["confirmed after a code by e-mail" if session.level == 1 else "confirmed"] += 1
        session.level = 2

    @precondition(lambda self: any(self.sessions))
    @rule(browser=BROWSER)
    def add(self, browser: int) -> None:
        here, session = self.browsers[browser], self.sessions[browser]
        if here.get(ADD).status_code != 200:
            return
        assert session is not None
        device, was_short = Authenticator(), not session.suffices
        if add_passkey(here, device).location is not None:
            self.check_page_that_adds(session)
            session.whom.device = device
            self.given.reached["a passkey added by who must have one"] += was_short

    @precondition(lambda self: any(self.sessions))
    @rule(who=WHO)
    def raise_level(self, who: int) -> None:
        """Write on a person that they must show a passkey, as the desk and delegation do."""
        whom = self.people[who]
        if whom.required == 2 and any(session and session.whom is whom for session in self.sessions):
            self.given.reached["a passkey must be shown from now on, by somebody who is in"] += 1
        services.require_level(whom.account.person_id, 3)
        db.session.commit()
        whom.required = 3

    @precondition(lambda self: any(self.sessions))
    @rule(who=WHO)
    def freeze(self, who: int) -> None:
        whom = self.people[who]
        services.freeze(whom.account.person_id, actor=audit.SYSTEM, now=self.given.clock.now())
        db.session.commit()
        whom.is_frozen = True
        for browser in (0, 1):
            session = self.sessions[browser]
            if session is not None and session.whom is whom:
                self.given.reached["frozen while in"] += 1
                self.sessions[browser] = None
            if self.under_way[browser] is whom:
                self.under_way[browser] = None

    @precondition(lambda self: any(self.thawing))
    @rule(browser=BROWSER)
    def unfreeze(self, browser: int) -> None:
        whom = self.thawing[browser]
        if whom is None:
            assert self.browsers[browser].get("/unfreeze").location == "/sign-in"
            return
        location = self.browsers[browser].post("/unfreeze", page="/sign-in", email_code=latest_email_code()).location
        if location == "/sign-in" and services.is_open(whom.account.person_id):
            whom.is_frozen, self.thawing[browser] = False, None
            self.given.reached["thawed"] += 1
        db.session.commit()

    @rule(browser=BROWSER, steps=st.sampled_from([4, 4, 1, 2, 3]))
    def activate(self, browser: int, steps: int) -> None:
        """The first use of a new code, as far as *steps*; then the last page out of turn."""
        here, name = self.browsers[browser], f"Nouvelle{next(self.given.runs)}"
        user_code, secret = self.given.newcomer(name)
        here.post("/activate", user_code=str(user_code), temporary_password=secret)
        if steps > 1:
            here.post("/activate/code", email_code=latest_email_code())
        if steps > 2:
            here.post("/activate/password", new_password=PASSWORD, new_password_repeat=PASSWORD)
        if steps < 4:
            self.given.reached["an activation half done"] += 1
            answer = here.post("/activate/factor", page="/activate", otp="000000")
            assert answer.location in (None, "/activate/code", "/activate/password")
            return
        key = key_of(here.get("/activate/factor").text)
        onward = here.post("/activate/factor", otp=pyotp.TOTP(key).at(self.given.clock.now())).location
        assert onward == "/account/security/recovery-codes?next=%2Fhome"
        self.enter(
            browser,
            Someone(name, Account(services.user_codes([str(user_code)])[str(user_code)].person_id, user_code)),
            2,
            "a new code",
        )
        self.given.reached["activated"] += 1

    @rule(browser=BROWSER, who=WHO, way=WAYS, goes_astray=st.booleans(), then=AFTERWARDS)
    def walk_the_right_path(self, browser: int, who: int, way: str, goes_astray: bool, then: str) -> None:
        """The right password and a factor: without it a history hardly ever stands where something could be skipped."""
        if way != "passkey alone":
            self.password(browser, who)
            if self.under_way[browser] is not self.people[who]:  # guesses closed the door
                self.wait(timedelta(days=1))
                self.password(browser, who)
            if goes_astray:
                self.code(browser, (who + 1) % 3)
                self.passkey(browser, (who + 1) % 2)
                self.code_by_email(1 - browser)
        self.show(browser, who, way)
        if self.thawing[browser] is self.people[who]:
            self.unfreeze(browser)
        acts = {
            "confirm": lambda: self.confirm(browser, who),
            "confirm as somebody else": lambda: self.confirm(browser, (who + 1) % 3),
            "add": lambda: self.add(browser),
            "must show a passkey": lambda: self.raise_level(who),
            "freeze": lambda: self.freeze(who),
            "nothing": lambda: None,
        }
        acts[then]()

    @rule(browser=BROWSER, story=st.sampled_from(STORIES), goes_astray=st.booleans())
    def walk_a_story(self, browser: int, story: tuple[int, str, str], goes_astray: bool) -> None:
        who, way, then = story
        self.walk_the_right_path(browser, who, way, goes_astray, then)

    def show(self, browser: int, who: int, way: str) -> None:
        acts = {
            "code": lambda: self.code(browser, who),
            "recovery code": lambda: self.recovery_code(browser, who),
            "passkey": lambda: self.passkey(browser, who),
            "passkey alone": lambda: self.passkey_alone(browser, who),
            "code by e-mail": lambda: self.code_by_email(browser),
        }
        acts[way]()

    @rule(time=st.sampled_from([timedelta(minutes=11), timedelta(minutes=61), timedelta(days=1)]))
    def wait(self, time: timedelta) -> None:
        self.given.clock.advance(time)
        self.under_way = [None, None]
        if time > timedelta(hours=1):
            self.sessions = [None, None]

    @precondition(lambda self: any(self.sessions))
    @rule(browser=BROWSER)
    def sign_out(self, browser: int) -> None:
        self.browsers[browser].post("/sign-out", page="/sign-in")
        self.sessions[browser] = self.under_way[browser] = None

    def check_page_that_adds(self, session: Session | None) -> None:
        assert session is not None
        assert not session.whom.is_frozen
        if not session.suffices:
            assert session.level == 2
            assert session.whom.device is None  # who has one shows it before another is added

    @invariant()
    def a_session_means_every_factor(self) -> None:
        for browser, session in zip(self.browsers, self.sessions, strict=True):
            if session is not None and browser.get("/account/security").status_code == 200:
                assert session.suffices
                assert not session.whom.is_frozen
                assert session.whom.name in browser.get("/account").text
                continue
            if browser.get("/account").status_code == 200:
                assert session is not None
                assert (session.level, session.whom.required) == (1, 2)
                assert not session.whom.is_frozen
            if browser.get(ADD).status_code == 200:
                self.check_page_that_adds(session)


def walk_the_stories(machine: type[SignInMachine]) -> None:
    """Walk each story by itself, so that what is rarely drawn is reached too."""
    for browser, story in product((0, 1), STORIES):
        one = machine()
        one.walk_a_story(browser=browser, story=story, goes_astray=False)
        one.a_session_means_every_factor()
    for browser in (0, 1):
        one = machine()
        one.walk_a_story(browser=browser, story=(0, "code", "freeze"), goes_astray=True)
        one.a_session_means_every_factor()
        one.walk_a_story(browser=browser, story=(0, "code", "confirm as somebody else"), goes_astray=True)
        one.walk_a_story(browser=browser, story=(1, "code", "nothing"), goes_astray=False)
        for steps in (2, 4):
            one.activate(browser=browser, steps=steps)
            one.a_session_means_every_factor()


@pytest.mark.bar("S-54", "S-45")
def test_no_path_skips_a_factor(
    app: Flask, account: Callable[..., Account], clock: MovableClock, newcomer: Newcomer, pytestconfig: pytest.Config
) -> None:
    """Two browsers and three people, one of whom must show a passkey and one of whom must still add theirs; any order.

    Applications, passkeys, recovery codes, codes by e-mail, steps up, frozen accounts, first uses of a code; right, wrong,
    spent and foreign. A code by e-mail reads: the account page opens and the page of factors does not (ADR 0014).
    """
    switch_on(app)
    given = Given(app, account, clock, newcomer)
    machine: type[SignInMachine] = type("SignInMachine", (SignInMachine,), {"given": given})

    run_histories(machine, deep=pytestconfig.getoption("--deep"), histories=16)
    walk_the_stories(machine)

    assert never_reached(given.reached, TARGETS) == []
