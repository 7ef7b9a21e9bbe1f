"""Security of my account, through real HTTP: what a fresh sign-in may change, and what must stay."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pyotp
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from idp import audit
from idp.accounts import services
from idp.accounts.credentials import recovery_code_services, security_services
from idp.clock import MovableClock
from idp.db import db

from ..authenticator import Authenticator
from ..conftest import Account, Browser, payloads
from .test_email_change import change as change_address
from .test_passkeys import add_passkey, show_passkey
from .test_recovery import to_password

Accounts = Callable[..., Account]
NEW = "neuf renards dansent au clair"
CHANGES = ("password", "application", "passkey", "recovery-codes")


@pytest.fixture
def julie(account: Accounts, browser: Browser, clock: MovableClock) -> Account:
    someone = account()
    browser.sign_in(someone, clock.now())
    return someone


def add_application(browser: Browser, clock: MovableClock, nickname: str = "Tablette") -> str:
    page = browser.get("/account/security/application").get_data(as_text=True)
    found = re.search(r'id="totp-key">([^<]+)<', page)
    assert found
    secret = found.group(1).replace(" ", "")
    otp = pyotp.TOTP(secret).at(clock.now())
    answer = browser.post("/account/security/application", otp=otp, nickname=nickname)
    assert answer.location == "/account/security", answer.get_data(as_text=True)
    return secret


def change_password(browser: Browser, current: str, new: str = NEW) -> TestResponse:
    fields = {"current_password": current, "new_password": new, "new_password_repeat": new}
    return browser.post("/account/security/password", **fields)


@pytest.mark.bar("S-45")
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_wants_factors_shown_in_the_last_five_minutes(
    julie: Account, browser: Browser, clock: MovableClock, change: str
) -> None:
    """Later the page leads to the sign-in and back; a post too (ASVS 7.5.1, decisions.md §28)."""
    path = f"/account/security/{change}"
    token = browser.token(path)
    clock.advance(timedelta(minutes=5))

    assert browser.get(path).location == f"/sign-in?next=%2Faccount%2Fsecurity%2F{change}"
    assert browser.client.post(path, data={"csrf_token": token}).location.startswith("/sign-in?next=")
    assert browser.get("/account/security").status_code == 200
    browser.sign_in(julie, clock.now())
    assert browser.get(path).status_code == 200


@pytest.mark.bar("S-42")
def test_a_changed_password_ends_the_other_sign_ins_and_renews_this_one(
    julie: Account, browser: Browser, app: Flask, clock: MovableClock
) -> None:
    """The current one is asked (ASVS 6.2.3), agencies and the person are told, the former one and the former cookie are dead."""
    other = Browser(app)
    clock.advance(timedelta(seconds=30))
    other.sign_in(julie, clock.now())
    former = browser.cookie()

    answer = change_password(browser, julie.password)

    assert answer.location == "/account/security"
    assert browser.cookie() != former
    assert browser.get("/account").status_code == 200
    assert other.get("/account").status_code == 302
    assert ("password", "update") in [(told["credential"], told["change"]) for told in payloads("credential_changed")]
    assert payloads("security_notice")[-1]["person_id"] == julie.person_id
    again = Browser(app)
    assert again.post("/sign-in", username=str(julie.code), password=julie.password).location is None
    assert again.post("/sign-in", username=str(julie.code), password=NEW).location.endswith("/sign-in/code")


@pytest.mark.databases
def test_a_changed_password_ends_the_sign_ins_begun_with_the_former_one(
    julie: Account, browser: Browser, app: Flask, clock: MovableClock
) -> None:
    """Whoever knew the former password and waits for a code has nothing to type it for (S-42)."""
    stranger = Browser(app)
    stranger.post("/sign-in", username=str(julie.code), password=julie.password)
    assert change_password(browser, julie.password).location == "/account/security"
    clock.advance(timedelta(seconds=60))

    answer = stranger.client.post(
        "/sign-in/code", data={"csrf_token": stranger.token("/sign-in"), "otp": julie.otp(clock.now())}
    )

    assert answer.location == "/sign-in"
    assert stranger.get("/account").status_code == 302


@pytest.mark.databases
def test_a_changed_password_ends_the_recoveries_under_way(
    julie: Account, browser: Browser, app: Flask, clock: MovableClock
) -> None:
    """A recovery that waits for its new password cannot replace the one just chosen (S-58)."""
    stranger = Browser(app)
    clock.advance(timedelta(seconds=60))
    to_password(stranger, julie, clock)
    assert change_password(browser, julie.password).location == "/account/security"

    assert stranger.get("/recover/password").location == "/recover"

    again = Browser(app)
    assert again.post("/sign-in", username=str(julie.code), password=NEW).location.endswith("/sign-in/code")


def make_recovery_codes(browser: Browser) -> TestResponse:
    return browser.post("/account/security/recovery-codes")


ADDITIONS: dict[str, Callable[[Browser, MovableClock], object]] = {
    "application": add_application,
    "passkey": lambda browser, _clock: add_passkey(browser, Authenticator()),
    "recovery codes": lambda browser, _clock: make_recovery_codes(browser),
    "e-mail address": lambda browser, _clock: change_address(browser),
}


@pytest.mark.bar("S-42")
@pytest.mark.databases
@pytest.mark.parametrize("addition", ADDITIONS)
def test_whatever_is_added_ends_the_other_sign_ins_and_renews_this_one(
    julie: Account, browser: Browser, app: Flask, clock: MovableClock, addition: str
) -> None:
    """As a removal does: whoever else was signed in is out, and a cookie copied before is worthless (ADR 0016)."""
    other, copied = Browser(app), Browser(app)
    clock.advance(timedelta(seconds=30))
    other.sign_in(julie, clock.now())
    copied.client.set_cookie("mandat", browser.cookie() or "")
    assert copied.get("/account").status_code == 200

    ADDITIONS[addition](browser, clock)

    assert other.get("/account").status_code == 302
    assert copied.get("/account").status_code == 302
    assert browser.get("/account").status_code == 200
    assert len(payloads("sign_in_ended")) == 1


@pytest.mark.parametrize("addition", ["application", "passkey", "e-mail address"])
def test_what_is_refused_ends_nothing(
    julie: Account, browser: Browser, app: Flask, clock: MovableClock, addition: str
) -> None:
    """A wrong code or answer leaves every sign-in as it was."""
    other = Browser(app)
    clock.advance(timedelta(seconds=30))
    other.sign_in(julie, clock.now())
    former = browser.cookie()
    if addition == "application":
        browser.post("/account/security/application", otp="000000", nickname="Tablette")
    elif addition == "passkey":
        browser.post("/account/security/passkey", credential="{}", nickname="Téléphone")
    else:
        browser.post("/account/email", email="autre@example.com")
        browser.post("/account/email/code", email_code="00000000")

    assert other.get("/account").status_code == 200
    assert browser.cookie() == former


def test_whoever_must_add_a_passkey_goes_on_with_it(
    account: Accounts, browser: Browser, app: Flask, clock: MovableClock
) -> None:
    """Their unfinished sign-in opens nothing more once the passkey is there, and becomes a sign-in when it is shown."""
    julie, device, elsewhere = account(), Authenticator(), Browser(app)
    services.require_level(julie.person_id, 3)
    db.session.commit()
    elsewhere.sign_in(julie, clock.now())
    clock.advance(timedelta(seconds=30))
    browser.sign_in(julie, clock.now())
    former = browser.cookie()

    assert (add_passkey(browser, device).location or "").startswith("/sign-in/passkey")

    assert browser.cookie() != former
    assert browser.get("/account").status_code == 302
    assert (elsewhere.get("/account").location or "").startswith("/sign-in")
    assert show_passkey(browser, device).status_code == 303
    assert browser.get("/account").status_code == 200


@pytest.mark.bar("S-59")
def test_a_wrong_current_password_counts_and_a_weak_new_one_is_explained(
    julie: Account, browser: Browser, app: Flask
) -> None:
    """One counter with the sign-in (S-48); the new one is judged by the same rule as the first (S-59)."""
    for new in ("court", "passwordpassword", "julie tremblay 2026", "aaaaaaaaaaaaaaaa"):
        assert change_password(browser, julie.password, new).status_code == 200
    statuses = [change_password(browser, "faux mot de passe").status_code for _ in range(5)]

    assert statuses == [200] * 4 + [429]
    assert change_password(browser, julie.password).status_code == 429
    assert Browser(app).post("/sign-in", username=str(julie.code), password=julie.password).status_code == 429


def test_several_applications_each_with_name_and_dates_and_the_last_one_stays(
    julie: Account, browser: Browser, app: Flask, clock: MovableClock
) -> None:
    """Both sign in; one goes with a fresh sign-in, its codes die and other sign-ins end; the last one cannot go."""
    clock.advance(timedelta(seconds=1))  # after the first application: they are listed by their dates
    secret = add_application(browser, clock)
    clock.advance(timedelta(seconds=30))
    other = Browser(app)
    other.post("/sign-in", username=str(julie.code), password=julie.password)
    assert other.post("/sign-in/code", otp=pyotp.TOTP(secret).at(clock.now())).location == "/home"
    first, second = security_services.security_of(julie.person_id).applications
    assert (first.nickname, second.nickname, second.last_used_at) == (None, "Tablette", clock.now())
    listed = browser.get("/account/security").get_data(as_text=True)
    assert listed.count("<br>Dernière utilisation") == 2  # each date on its line

    gone = browser.post(f"/account/security/remove/application/{second.id}")
    stays = browser.post(f"/account/security/remove/application/{first.id}")

    assert (gone.location, stays.location) == ("/account/security", "/account/security")
    assert security_services.security_of(julie.person_id).applications == (first,)
    assert other.get("/account").status_code == 302
    assert browser.get(f"/account/security/remove/application/{second.id}").status_code == 404
    assert [(told["credential"], told["change"]) for told in payloads("credential_changed")] == [
        ("totp", "create"),
        ("totp", "delete"),
    ]


def test_a_passkey_is_never_the_only_second_factor(julie: Account, browser: Browser) -> None:
    """A passkey wants a script: the last application stays beside it; the passkey itself may go."""
    assert add_passkey(browser, Authenticator()).location == "/account/security"
    found = security_services.security_of(julie.person_id)

    browser.post(f"/account/security/remove/application/{found.applications[0].id}")
    browser.post(f"/account/security/remove/passkey/{found.passkeys[0].id}")

    left = security_services.security_of(julie.person_id)
    assert (len(left.applications), len(left.passkeys)) == (1, 0)


def test_a_factor_of_somebody_else_is_not_found(
    julie: Account, account: Accounts, browser: Browser, clock: MovableClock
) -> None:
    """Neither shown nor removed, and no other kind either."""
    nadia = account("Nadia", "Roy")
    theirs = security_services.security_of(nadia.person_id).applications[0]
    mine = security_services.security_of(julie.person_id).applications[0]
    token = browser.token("/account/security/password")

    for path in (f"application/{theirs.id}", f"passkey/{mine.id}", f"password/{mine.id}", "application/x"):
        assert browser.get(f"/account/security/remove/{path}").status_code == 404
        answer = browser.client.post(f"/account/security/remove/{path}", data={"csrf_token": token})
        assert answer.status_code == 404
    assert len(security_services.security_of(nadia.person_id).applications) == 1


def test_a_wrong_code_adds_no_application(julie: Account, browser: Browser) -> None:
    """The secret stays the same until one of its codes is right; nothing is kept before."""
    page = browser.get("/account/security/application").get_data(as_text=True)
    for fields in ({}, {"otp": "000000", "nickname": "x"}, {"otp": "", "nickname": "x"}, {"nickname": "x" * 61}):
        again = browser.post("/account/security/application", **fields).get_data(as_text=True)
        assert again.split('id="totp-key">')[1].split("<")[0] == page.split('id="totp-key">')[1].split("<")[0]

    assert len(security_services.security_of(julie.person_id).applications) == 1


def codes_of(page: str) -> list[str]:
    return re.findall(r'<span class="app-secret">([^<]+)</span>', page)


def test_ten_codes_are_shown_once_and_let_in_once_each(
    julie: Account, browser: Browser, app: Flask, clock: MovableClock
) -> None:
    """After the password, in the place of the application; told by e-mail; aal:2 with ["pwd", "mfa"]; new ones kill the old."""
    codes = codes_of(browser.post("/account/security/recovery-codes").get_data(as_text=True))
    assert len(set(codes)) == 10
    assert codes_of(browser.get("/account/security/recovery-codes").get_data(as_text=True)) == []
    lost = Browser(app)

    def use(code: str) -> str | None:
        lost.post("/sign-in", username=str(julie.code), password=julie.password)
        return lost.post("/sign-in/code/recovery", recovery_code=code).location

    assert use(codes[0].lower().replace("-", " ")) == "/home"
    assert use(codes[0]) is None
    assert payloads("recovery_code_used")[-1]["left"] == 9
    row = security_services.security_of(julie.person_id)
    assert row.recovery_codes_left == 9
    for wrong in ("", "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA", "x" * 60_000):
        assert use(wrong) is None
    again = codes_of(browser.post("/account/security/recovery-codes").get_data(as_text=True))
    assert use(codes[1]) is None
    assert use(again[1]) == "/home"


def test_few_codes_left_are_a_warning_on_the_pages(julie: Account, browser: Browser, clock: MovableClock) -> None:
    """At three or fewer, the account and its security page say so."""
    codes = recovery_code_services.make(julie.person_id, now=clock.now())
    before = browser.get("/account/security").get_data(as_text=True)
    assert "Il reste 10 codes." in before
    for code in codes[:7]:
        assert recovery_code_services.spend(julie.person_id, code, now=clock.now())

    page = browser.get("/account/security").get_data(as_text=True)
    assert "Il ne vous reste que 3 codes de secours" in page
    assert "Il ne vous reste que 3 codes de secours" in browser.get("/account").get_data(as_text=True)


def rename_path(julie: Account, nickname: str | None = None) -> str:
    """Return the page that renames the application with this name."""
    (found,) = [
        each for each in security_services.security_of(julie.person_id).applications if each.nickname == nickname
    ]
    return f"/account/security/rename/application/{found.id}"


@pytest.mark.databases
def test_a_factor_is_given_another_name_and_nothing_else_changes(
    julie: Account, browser: Browser, clock: MovableClock
) -> None:
    """The first application, which has none, is named; no code is asked and nobody written to; the log says it."""
    key = Authenticator()
    add_passkey(browser, key)
    told = len(payloads("security_notice"))
    clock.advance(timedelta(minutes=30))
    cookie = browser.cookie()
    passkey = security_services.security_of(julie.person_id).passkeys[0]

    first = browser.post(rename_path(julie), nickname="  Mon   téléphone ")
    second = browser.post(f"/account/security/rename/passkey/{passkey.id}", nickname="Clé du bureau")

    assert (first.location, second.location) == ("/account/security", "/account/security")
    assert "Mon téléphone" in browser.get("/account/security").text
    found = security_services.security_of(julie.person_id)
    assert [each.nickname for each in (*found.applications, *found.passkeys)] == ["Mon téléphone", "Clé du bureau"]
    assert (browser.cookie(), len(payloads("security_notice"))) == (cookie, told)
    events = [entry.event for entry in audit.entries(person_id=julie.person_id)]
    assert events.count("person:second_factor_renamed") == 2


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("   ", "Donnez un nom"),
        ("x" * 61, "au plus 60"),
        ("TABLETTE", "choisissez-en un autre"),
    ],
)
def test_an_empty_a_long_or_a_double_name_is_refused(
    julie: Account, browser: Browser, clock: MovableClock, name: str, sentence: str
) -> None:
    """Each with a sentence; what was there stays. Its own name in other capitals is no double."""
    clock.advance(timedelta(seconds=30))
    add_application(browser, clock, "Tablette")

    answer = browser.post(rename_path(julie), nickname=name)

    assert answer.status_code == 200
    assert sentence in answer.text.replace("\u00a0", " ")
    assert security_services.security_of(julie.person_id).applications[0].nickname is None
    assert browser.post(rename_path(julie, "Tablette"), nickname="tablette").location == "/account/security"


def test_a_name_given_twice_is_numbered(julie: Account, browser: Browser, clock: MovableClock) -> None:
    """Two factors of one name could not be told apart when one is lost; a long one keeps its 60 characters."""
    for wanted in ("Téléphone", "TÉLÉPHONE", "x" * 60, "x" * 60):
        clock.advance(timedelta(seconds=30))
        add_application(browser, clock, wanted)
    add_passkey(browser, Authenticator())

    found = security_services.security_of(julie.person_id)

    names = [each.nickname for each in (*found.applications, *found.passkeys)]
    assert names == [None, "Téléphone", "TÉLÉPHONE (2)", "x" * 60, f"{'x' * 54} (2)", "Téléphone (3)"]


def test_nobody_renames_what_is_not_theirs(julie: Account, account: Accounts, app: Flask, clock: MovableClock) -> None:
    """The factor of somebody else, or one that was removed, is not there."""
    other = Browser(app)
    other.sign_in(account("Noé"), clock.now())

    path = rename_path(julie)

    assert other.get(path).status_code == 404
    token = other.token("/account/security/password")
    assert other.client.post(path, data={"csrf_token": token, "nickname": "Pris"}).status_code == 404
