"""The pages of a forgotten password and of a lost user code, through real HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from idp import audit
from idp.accounts.people import contact_services
from idp.accounts.recovery import reproofing_services
from idp.clock import MovableClock
from idp.config import Settings
from idp.notices import services as notices
from tests.accounts.conftest import page_of, without_numbers

from ..authenticator import UP, Authenticator
from ..conftest import Account, Browser, apart, latest_email_code, payloads
from .test_passkeys import add_passkey, options_of, show_passkey, token_of

Accounts = Callable[..., Account]
NEW = "quatre vents sur la grève"
NOBODY = "AAAA-0000"


def sent() -> str:
    return str(payloads("recovery_code")[-1]["code"])


def to_factor(browser: Browser, account: Account) -> None:
    browser.post("/recover", user_code=str(account.code))
    assert browser.post("/recover/code", email_code=sent()).location.endswith("/recover/factor")


def to_password(browser: Browser, account: Account, clock: MovableClock) -> None:
    to_factor(browser, account)
    assert browser.post("/recover/factor", otp=account.otp(clock.now())).location.endswith("/recover/password")


def test_a_password_is_replaced_and_nobody_is_signed_in(
    account: Accounts, browser: Browser, clock: MovableClock
) -> None:
    """Four pages; then one signs in with the new password, and the factor again."""
    julie = account()
    to_password(browser, julie, clock)

    answer = browser.post("/recover/password", new_password=NEW, new_password_repeat=NEW)

    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert browser.cookie() is None
    assert browser.get("/account").status_code == 302
    former = browser.post("/sign-in", username=str(julie.code), password=julie.password)
    assert former.location is None
    assert browser.post("/sign-in", username=str(julie.code), password=NEW).location.endswith("/sign-in/code")


@pytest.mark.bar("S-46", "B13")
def test_pages_look_the_same_for_a_code_nobody_has(app: Flask, account: Accounts) -> None:
    """Status, headers and length of every answer until the code is right, with the same page for each try."""

    def seen(user_code: str) -> list[tuple[int, list[str], str | None, int, str]]:
        browser, answers = Browser(app), list[TestResponse]()
        answers.append(browser.post("/recover", user_code=user_code))
        answers.append(browser.get("/recover/code"))
        answers.append(browser.post("/recover/code/again", page="/recover/code"))
        answers += [browser.post("/recover/code", email_code="00000000") for _ in range(6)]
        answers += [browser.get(path) for path in ("/recover/factor", "/recover/password")]
        return [
            (
                answer.status_code,
                sorted(name for name, _ in answer.headers),
                page_of(answer.location),
                len(answer.data),
                re.sub(r'name="csrf_token" value="[^"]+"|/~[0-9a-f]{16}', "", answer.text),
            )
            for answer in answers
        ]

    assert seen(str(account().code)) == seen(NOBODY)


@pytest.mark.bar("S-55")
def test_empty_repeated_and_mistyped_posts_never_advance(account: Accounts, browser: Browser) -> None:
    """Each step with nothing, with its field twice or with another type of body; then the later ones out of turn."""
    julie = account()
    to_factor(browser, julie)
    token = browser.token("/recover/factor")

    for path in ("/recover", "/recover/code", "/recover/factor", "/recover/password"):
        for data in ({"csrf_token": token}, {"csrf_token": token, "otp": ["000000", "111111"]}):
            answer = browser.client.post(path, data=data)
            assert answer.status_code in (200, 303, 400), path
            assert answer.location in (None, "/recover/factor"), path
    assert browser.client.post("/recover/factor", json={"otp": "000000"}).status_code == 415
    assert browser.client.post("/recover/factor", data={"otp": "000000"}).status_code == 403
    assert browser.get("/recover/password").location.endswith("/recover/factor")


def test_pages_out_of_turn_lead_back(browser: Browser) -> None:
    """Without a recovery in this browser every page leads to the first."""
    for path in ("/recover/code", "/recover/factor", "/recover/password"):
        assert browser.get(path).location == "/recover"


def test_another_browser_cannot_go_on(app: Flask, account: Accounts, clock: MovableClock) -> None:
    """A code read over a shoulder is worth nothing elsewhere: it belongs to the browser that asked."""
    julie, mine, other = account(), Browser(app), Browser(app)
    mine.post("/recover", user_code=str(julie.code))
    code = sent()
    other.post("/recover", user_code=str(julie.code))

    assert other.post("/recover/code", email_code=code).location is None
    assert mine.post("/recover/code", email_code=code).location.endswith("/recover/factor")


@pytest.mark.bar("S-58")
def test_beginning_again_carries_nothing_over(account: Accounts, browser: Browser, clock: MovableClock) -> None:
    """A proved address serves no other person, and not even the same one, after *begin again*."""
    julie, nadia = account(), account("Nadia")
    to_password(browser, julie, clock)

    for code in (nadia.code, julie.code):
        browser.post("/recover", user_code=str(code))
        for path in ("/recover/factor", "/recover/password"):
            assert browser.get(path).location.endswith("/recover/code")


class HostileProxy:
    """A browser whose every request claims another host, with the cookies that the true one gave."""

    def __init__(self, app: Flask, claim: dict[str, str]) -> None:
        self.client, self.claim = app.test_client(use_cookies=False), claim
        self.cookies: dict[str, str] = {}

    def open(self, path: str, **fields: str) -> TestResponse:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {**self.claim, "Cookie": cookies}
        answer = apart(self.client.open, path, method="POST" if fields else "GET", data=fields, headers=headers)
        for given in answer.headers.getlist("Set-Cookie"):
            name, _, value = given.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def post(self, path: str, **fields: str) -> str | None:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.open(path).text)
        assert found, path
        return page_of(self.open(path, csrf_token=found.group(1), **fields).location)


def texts_of(path: Path) -> str:
    """Return the headers and every part of a message as its reader sees them, whatever their encoding."""
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    parts = [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
    assert parts
    return "\n".join([*(f"{name}: {value}" for name, value in message.items()), *parts])


@pytest.mark.bar("S-61")
@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host", "Forwarded", "X-Forwarded-Server", "X-Host"])
def test_no_header_reaches_a_message(
    app: Flask, account: Accounts, clock: MovableClock, settings: Settings, header: str
) -> None:
    """Every message that a stranger or its person can cause has addresses of ours alone, whatever host is claimed."""
    julie, nadia = account(), account("Nadia", "Roy")
    claim = {header: "host=evil.example" if header == "Forwarded" else "evil.example"}
    browser = HostileProxy(app, claim)

    assert browser.post("/recover", user_code=str(julie.code)) == "/recover/code"
    assert browser.post("/recover/user-code", email="nadia@example.com") == "/recover/user-code/sent"
    browser.post("/sign-in", username=str(julie.code), password=julie.password)
    assert browser.post("/sign-in/code", otp=julie.otp(clock.now())) == "/home"
    browser.post("/account/email", email="autre@example.com")
    assert browser.post("/account/email/code", email_code=latest_email_code()) == "/account"
    browser = HostileProxy(app, claim)
    for _ in range(5):
        browser.post("/sign-in", username=str(nadia.code), password="faux mot de passe")
    assert browser.post("/freeze", user_code=str(nadia.code)) == "/freeze/code"
    assert browser.post("/freeze/code", email_code=latest_email_code()) == "/frozen"
    with app.test_request_context("/", headers=claim):
        reproofing_services.start(nadia.code, by=audit.SYSTEM, now=clock.now())
        while notices.deliver_due(clock.now()):
            pass

    written = {path: texts_of(path) for path in settings.outbox_dir.glob("*.eml")}
    for kind in (
        "recovery_code",
        "user_codes_asked",
        "email_code",
        "email_changed",
        "account_locked",
        "account_frozen",
        "reproofing_started",
    ):
        assert any(kind in path.name for path in written), kind
    assert not [path.name for path, text in written.items() if "evil" in text]
    addresses = [address for text in written.values() for address in re.findall(r"https?://[^\s\"<>]+", text)]
    assert addresses
    assert not [address for address in addresses if not address.startswith(f"{settings.issuer}/")]


@pytest.mark.parametrize("email", ["julie@example.com", "JULIE@example.com", "personne@example.com"])
def test_a_lost_user_code_is_answered_by_mail_only(
    account: Accounts, browser: Browser, clock: MovableClock, settings: Settings, email: str
) -> None:
    """The page is the same; the message goes to the address on file, with the code masked."""
    julie = account()

    answer = browser.post("/recover/user-code", email=email)

    assert answer.location == "/recover/user-code/sent"
    assert julie.code.signs[:2] not in browser.get("/recover/user-code/sent").text.split("main-content")[1]
    while notices.deliver_due(clock.now()):
        pass
    written = [path.read_text() for path in settings.outbox_dir.glob("*user_codes_asked*.eml")]
    assert len(written) == (0 if email.startswith("personne") else 1)
    for text in written:
        assert "To: julie@example.com" in text
        assert julie.code.signs[:2] in text
        assert str(julie.code) not in text


@pytest.mark.bar("R-25")
def test_reminders_are_counted_by_address(account: Accounts, browser: Browser, clock: MovableClock) -> None:
    """Three in an hour, whoever asks and however it is written (R-25)."""
    account()
    for email in (
        "julie@example.com",
        "Julie@Example.com",
        "JULIE@example.com",
        "julie@EXAMPLE.com",
        "julie@example.com",
    ):
        browser.post("/recover/user-code", email=email)
    assert len(payloads("user_codes_asked")) == 3

    clock.advance(timedelta(hours=1))
    browser.post("/recover/user-code", email="julie@example.com")

    assert len(payloads("user_codes_asked")) == 4


@pytest.mark.parametrize(
    "email", ["", "pas une adresse", "a@example.com, b@example.com", "a@example.com\r\nBcc: b@x.org"]
)
def test_what_is_no_address_is_refused(browser: Browser, email: str) -> None:
    """Beside the field, and nothing leaves."""
    answer = browser.post("/recover/user-code", email=email)

    assert answer.status_code == 200
    assert 'id="email-error"' in answer.text
    assert payloads("user_codes_asked") == []


def test_the_sign_in_page_leads_here(browser: Browser) -> None:
    """Three ways of being stuck, three links."""
    page = browser.get("/sign-in").text

    for path in ("/recover", "/recover/user-code", "/recover/lost-factor"):
        assert f'href="{path}"' in page
        assert browser.get(path).status_code == 200


def test_an_address_that_bounces_is_shown_to_its_owner(
    account: Accounts, browser: Browser, clock: MovableClock
) -> None:
    """The account page says since when; the next code typed from there clears it."""
    julie = account()
    contact_services.note_refused("Julie@example.com", 550, clock.now())
    browser.sign_in(julie, clock.now())
    assert "reviennent depuis le 23" in browser.get("/account").text
    clock.advance(timedelta(seconds=60))

    to_factor(browser, julie)

    assert "reviennent" not in browser.get("/account").text


PASSKEY = "/recover/factor/passkey"


def with_passkey(app: Flask, account: Account, clock: MovableClock) -> Authenticator:
    device, owner = Authenticator(), Browser(app)
    owner.sign_in(account, clock.now())
    assert add_passkey(owner, device).location == "/account/security"
    clock.advance(timedelta(minutes=1))
    return device


@pytest.mark.databases
def test_a_passkey_takes_the_place_of_the_code(
    app: Flask, account: Accounts, browser: Browser, clock: MovableClock
) -> None:
    """It opens the last step, spends nothing else, and its answer serves once; then the new password signs in."""
    julie = account()
    device = with_passkey(app, julie, clock)
    to_factor(browser, julie)
    page = browser.get(PASSKEY).get_data(as_text=True)
    fields = {"csrf_token": token_of(page), "credential": json.dumps(device.show(options_of(page)))}

    answer = browser.client.post(PASSKEY, data=fields)

    assert (answer.status_code, answer.location) == (303, "/recover/password")
    assert browser.client.post(PASSKEY, data=fields).location.endswith("/recover/password")
    assert browser.post("/recover/password", new_password=NEW, new_password_repeat=NEW).location == "/sign-in"
    assert browser.post("/sign-in", username=str(julie.code), password=NEW).location is not None


@pytest.mark.bar("S-43", "S-58")
def test_only_a_passkey_of_the_person_for_this_recovery_is_accepted(
    app: Flask, account: Accounts, browser: Browser, clock: MovableClock
) -> None:
    """Another's, one without verification, one shown on another page, in another recovery or twice opens nothing."""
    julie, nadia = account(), account("Nadia", "Roy")
    device, hers = with_passkey(app, julie, clock), with_passkey(app, nadia, clock)
    elsewhere, other = Browser(app), Browser(app)
    to_factor(browser, julie)
    to_factor(other, nadia)

    def shown(answer: dict[str, object]) -> int:
        page = browser.get(PASSKEY).get_data(as_text=True)
        return browser.client.post(
            PASSKEY, data={"csrf_token": token_of(page), "credential": json.dumps(answer)}
        ).status_code

    def shown_as_second_factor() -> int:
        browser.post("/sign-in", username=str(julie.code), password=julie.password)
        page = browser.get("/sign-in/code/passkey").get_data(as_text=True)
        fields = {"csrf_token": token_of(page), "credential": json.dumps(device.show(options_of(page)))}
        return browser.client.post(PASSKEY, data=fields).status_code

    def options_on(where: Browser, path: str) -> str:
        return options_of(where.get(path).get_data(as_text=True))

    refused = [
        show_passkey(browser, hers, PASSKEY).status_code,
        show_passkey(browser, replace(device, flags=UP), PASSKEY).status_code,
        shown(device.show(options_on(elsewhere, "/sign-in/passkey"))),
        shown(device.show(options_on(other, PASSKEY))),
        shown(device.show(options_on(browser, PASSKEY))),  # of the page before: another challenge is there now
        shown({}),
        shown_as_second_factor(),
    ]

    assert refused == [200] * 7
    assert browser.get("/recover/password").location.endswith("/recover/factor")
    assert show_passkey(other, device, PASSKEY).status_code == 200
    steps = [entry.details.get("step") for entry in audit.entries(person_id=julie.person_id)]
    assert steps.count("recovery_passkey") == 7
    assert show_passkey(browser, device, PASSKEY).location.endswith("/recover/password")


@pytest.mark.bar("S-46")
def test_the_page_does_not_tell_who_has_a_passkey(app: Flask, account: Accounts, clock: MovableClock) -> None:
    """The same words, the same options but for the challenge, and the same refusal; out of turn it leads back."""
    julie, nadia = account(), account("Nadia", "Roy")
    with_passkey(app, julie, clock)

    def seen(whom: Account) -> list[tuple[int, str]]:
        browser = Browser(app)
        to_factor(browser, whom)
        told = [browser.get("/recover/factor"), browser.get(PASSKEY), show_passkey(browser, Authenticator(), PASSKEY)]
        return [(page.status_code, without_numbers(page.get_data(as_text=True))) for page in told]

    assert seen(julie) == seen(nadia)
    stranger = Browser(app)
    stranger.post("/recover", user_code=str(julie.code))
    assert stranger.get(PASSKEY).location.endswith("/recover/code")


def test_a_lock_of_the_codes_does_not_stop_a_passkey(
    app: Flask, account: Accounts, browser: Browser, clock: MovableClock
) -> None:
    """Nothing is guessed with it, so strangers who lock the counter keep nobody out (S-50)."""
    julie = account()
    device = with_passkey(app, julie, clock)
    to_factor(browser, julie)
    stranger = Browser(app)
    for _ in range(6):
        stranger.post("/sign-in", username=str(julie.code), password="wrong wrong wrong")

    assert show_passkey(browser, device, PASSKEY).location.endswith("/recover/password")
