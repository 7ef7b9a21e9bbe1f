"""The pages of the first use of a user code, through real HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable

import pyotp
import pytest
from flask import Flask

from idp.accounts import services
from idp.clock import MovableClock
from idp.identifiers import PersonId, UserCode
from idp.notices.services import deliver_due

from ..conftest import PASSWORD, Account, Browser, latest_email_code

Newcomer = Callable[..., tuple[UserCode, str]]
STEPS = ("/activate/code", "/activate/password", "/activate/factor")


def key_of(page: str) -> str:
    found = re.search(r'id="totp-key">([A-Z2-7 ]+)<', page)
    assert found, page
    return found.group(1).replace(" ", "")


def give_factor(browser: Browser, clock: MovableClock) -> str | None:
    key = key_of(browser.get("/activate/factor").get_data(as_text=True))
    return browser.post("/activate/factor", otp=pyotp.TOTP(key).at(clock.now())).location


def test_a_newcomer_ends_signed_in_where_they_were_headed(
    newcomer: Newcomer, browser: Browser, clock: MovableClock
) -> None:
    """Slips, e-mail code, password, application: then the account, and the same code does not serve again."""
    code, secret = newcomer()
    answer = browser.post("/activate?next=/account", user_code=str(code).lower(), temporary_password=secret.lower())
    assert answer.location.endswith("/activate/code")
    assert browser.post("/activate/code", email_code=latest_email_code()).location.endswith("/activate/password")
    answer = browser.post("/activate/password", new_password=PASSWORD, new_password_repeat=PASSWORD)
    assert answer.location.endswith("/activate/factor")
    key = key_of(browser.get("/activate/factor").get_data(as_text=True))

    otp = pyotp.TOTP(key).at(clock.now())
    assert browser.post("/activate/factor", otp=otp).location == "/account/security/recovery-codes?next=%2Faccount"

    page = browser.get("/account/security/recovery-codes?next=/account").text
    assert re.search(r'href="/account"[^>]*id="recovery-codes-later"', page)
    assert "Nadia Roy" in browser.get("/account").get_data(as_text=True)
    browser.post("/sign-out", page="/account")
    browser.post("/sign-in", username=str(code), password=PASSWORD)
    page = browser.post("/sign-in/code", otp=otp)
    assert page.status_code == 200
    assert browser.cookie() is None


def test_steps_out_of_order_lead_to_the_right_page_and_change_nothing(
    newcomer: Newcomer, browser: Browser, clock: MovableClock
) -> None:
    """Whatever later page is posted to, one is sent to the step that waits (S-55)."""
    for path in STEPS:
        assert browser.get(path).location == "/activate"
        assert browser.post(path, page="/activate", otp="1", new_password=PASSWORD).location == "/activate"
    code, secret = newcomer()
    browser.post("/activate", user_code=str(code), temporary_password=secret)
    for path in STEPS[1:]:
        fields = {"otp": "123456", "new_password": PASSWORD, "new_password_repeat": PASSWORD}
        assert browser.post(path, page="/activate/code", **fields).location.endswith("/activate/code")
        assert browser.get(path).location.endswith("/activate/code")

    assert browser.cookie() is None
    assert services.user_codes([str(code)])[str(code)].activated_at is None


def test_empty_and_repeated_posts_never_advance(newcomer: Newcomer, browser: Browser, clock: MovableClock) -> None:
    """Each step refuses nothing, too much, and the same field twice."""
    code, secret = newcomer()
    token = browser.token("/activate")
    for data in (
        {},
        {"user_code": str(code)},
        {"temporary_password": secret},
        {"user_code": "", "temporary_password": ""},
    ):
        assert browser.client.post("/activate", data={"csrf_token": token, **data}).location is None
    browser.post("/activate", user_code=str(code), temporary_password=secret)
    right = latest_email_code()
    for data in ({}, {"email_code": ""}, {"email_code": [right, right]}, {"otp": right}):
        assert browser.client.post("/activate/code", data={"csrf_token": token, **data}).location is None
    browser.post("/activate/code", email_code=f" {right[:4]} {right[4:]} ")
    for data in (
        {},
        {"new_password": PASSWORD},
        {"new_password_repeat": PASSWORD},
        {"new_password": PASSWORD, "new_password_repeat": PASSWORD + "x"},
        {"new_password": "court", "new_password_repeat": "court"},
        {"new_password": "a" * 1025, "new_password_repeat": "a" * 1025},
        {"new_password": "Nadia Roy mandat 2026", "new_password_repeat": "Nadia Roy mandat 2026"},
    ):
        answer = browser.client.post("/activate/password", data={"csrf_token": token, **data})
        assert (answer.status_code, answer.location) == (200, None)
        assert all(value not in answer.get_data(as_text=True) for value in data.values() if len(value) > 6)
    browser.post("/activate/password", new_password=PASSWORD, new_password_repeat=PASSWORD)
    for data in ({}, {"otp": ""}, {"otp": "000000"}, {"otp": "abc"}):
        assert browser.client.post("/activate/factor", data={"csrf_token": token, **data}).location is None

    assert browser.cookie() is None


def test_another_browser_cannot_go_on_with_an_activation(
    app: Flask, newcomer: Newcomer, browser: Browser, clock: MovableClock
) -> None:
    """The e-mail code alone is worth nothing elsewhere."""
    code, secret = newcomer()
    browser.post("/activate", user_code=str(code), temporary_password=secret)
    thief = Browser(app)

    answer = thief.post("/activate/code", page="/activate", email_code=latest_email_code())

    assert answer.location == "/activate"


def test_unknown_and_wrong_slips_get_the_same_page(app: Flask, newcomer: Newcomer) -> None:
    """Whether the code exists, is waiting, or is in use, a wrong temporary password says the same."""
    code, _ = newcomer()

    def page(user_code: str) -> str:
        answer = Browser(app).post("/activate", user_code=user_code, temporary_password="A" * 24)
        text = answer.get_data(as_text=True).replace(user_code, "CODE")
        return re.sub(r'name="csrf_token" value="[^"]+"', "", text)

    assert page(str(code)) == page("ZZZZ-9999")


def test_a_second_code_leads_to_the_account_that_was_there(
    account: Callable[..., Account], browser: Browser, clock: MovableClock
) -> None:
    """After the e-mail code the person signs in with what they have."""
    from idp.audit import SYSTEM

    julie = account()
    second = services.issue_user_code(julie.person_id, now=clock.now())
    secret = services.reveal_temporary_password(second, actor=SYSTEM, now=clock.now()).grouped
    browser.post("/activate", user_code=str(second), temporary_password=secret)

    assert browser.post("/activate/code", email_code=latest_email_code()).location.endswith("/activate/linked")
    assert browser.get("/activate/linked").status_code == 200
    assert browser.cookie() is None
    assert browser.sign_in(Account(julie.person_id, second), clock.now()).location == "/home"


def test_a_link_is_spent_by_its_button_and_not_by_a_look(
    app: Flask, someone: Callable[..., PersonId], browser: Browser, clock: MovableClock
) -> None:
    """Opening the address moves the secret out of it; only the button spends it, once."""
    person_id = someone()
    code = services.issue_user_code(person_id, now=clock.now())
    token = services.open_first_credential(person_id, code, now=clock.now())
    for _ in range(2):
        assert browser.get(f"/activate/start?token={token}").location.endswith("/activate/start")
        page = browser.get("/activate/start")
        assert page.status_code == 200
        assert token not in page.get_data(as_text=True)
    assert browser.post("/activate/start").location.endswith("/activate/password")
    other = Browser(app)
    other.get(f"/activate/start?token={token}")
    assert other.get("/activate/start").status_code == 410
    browser.post("/activate/password", new_password=PASSWORD, new_password_repeat=PASSWORD)

    assert give_factor(browser, clock) == "/account/security/recovery-codes?next=%2Fhome"


def test_the_emails_leave_in_the_person_s_language_without_the_full_code(
    app: Flask, newcomer: Newcomer, browser: Browser, clock: MovableClock
) -> None:
    """Code and activation are told by e-mail; the user code is masked (interface.md §2)."""
    code, secret = newcomer()
    browser.post("/activate", user_code=str(code), temporary_password=secret)
    email_code = latest_email_code()
    browser.post("/activate/code", email_code=email_code)
    browser.post("/activate/password", new_password=PASSWORD, new_password_repeat=PASSWORD)
    give_factor(browser, clock)

    deliver_due(clock.now())

    from email import message_from_bytes, policy

    outbox = app.extensions["mandat.settings"].outbox_dir
    mails = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in sorted(outbox.glob("*.eml"))]
    texts = {str(mail["Subject"]).replace("\u00a0", " "): mail.get_body(("plain",)).get_content() for mail in mails}
    assert email_code in texts["Mandat : votre code de validation"]
    assert code.masked in texts["Mandat : votre compte a été activé"]
    whole = [part.get_content() for mail in mails for part in mail.iter_parts()]
    assert not any(shown in text for text in whole for shown in (str(code), code.signs, secret))


@pytest.mark.parametrize("token", ["x" * 42, "x" * 44, "x" * 3_000, "é" * 43, "x" * 42 + "!", "x" * 42 + "\n"])
def test_what_has_not_the_shape_of_a_link_is_not_kept(browser: Browser, token: str) -> None:
    """Nothing of it goes to the page session, which is a cookie: a long one would be refused by the browser, with the rest."""
    browser.get(f"/activate/start?token={'x' * 43}")

    assert browser.client.get("/activate/start", query_string={"token": token}).location.endswith("/activate/start")

    with browser.client.session_transaction() as kept:
        assert "opening" not in kept
    assert browser.get("/activate/start").status_code == 410
