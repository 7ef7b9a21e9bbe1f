"""Passkeys in a real Chromium with a virtual authenticator, under the real policy (interface.md §7)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from idp.accounts.models import SignInRow
from idp.clock import SystemClock
from idp.db import transaction
from tests.flows import journeys
from tests.flows.devices import Device, give_device
from tests.flows.installation import Installation
from tests.flows.journeys import NewPage

pytestmark = pytest.mark.browser


def add_passkey(page: Page, installation: Installation, key: str = "user", name: str = "Mon téléphone") -> Device:
    """Sign in with password and application, and add a passkey from the account page."""
    device = give_device(page)
    journeys.sign_in(page, installation, installation.persona(key))
    page.goto(f"{installation.issuer}/account")
    page.click("#to-security")
    page.click("#add-passkey")
    page.fill("#nickname", name)
    page.click("#passkey-submit")
    page.wait_for_url("**/account/security")
    return device


def test_a_passkey_is_added_and_then_is_enough(installation: Installation, new_page: NewPage) -> None:
    """Discoverable registration, then sign-in from the first page without code or password, in another window too."""
    page, elsewhere = new_page(), new_page()
    device = add_passkey(page, installation)
    expect(page.locator("main")).to_contain_text("Mon téléphone")
    made = device.passkeys()
    assert [(each["isResidentCredential"], each["rpId"]) for each in made] == [(True, "localhost")]
    page.click("#sign-out")

    page.goto(f"{installation.issuer}/sign-in")
    page.click("#use-passkey")
    page.click("#passkey-submit")
    page.wait_for_url("**/home")
    expect(page.locator("#my-account")).to_contain_text("Julie")
    other = give_device(elsewhere)
    other.take(device.passkeys())
    persona = installation.persona("user")
    elsewhere.goto(f"{installation.issuer}/sign-in")
    elsewhere.fill("#username", persona["user_code"])
    elsewhere.fill("#password", persona["password"])
    elsewhere.click("#login")
    elsewhere.wait_for_url("**/sign-in/code/passkey")
    elsewhere.click("#passkey-submit")
    elsewhere.wait_for_url("**/home")


def test_without_verification_cancelled_or_twice_nothing_happens(installation: Installation, new_page: NewPage) -> None:
    """The device does not recognize its owner, has no passkey, or has one already: a sentence says so, nothing is signed."""
    page, empty = new_page(), new_page()
    device = add_passkey(page, installation, "pes", "Portable")
    page.click("#add-passkey")
    page.fill("#nickname", "Encore")
    page.click("#passkey-submit")
    expect(page.locator("[data-passkey-error]:visible")).to_have_text(
        "Cet appareil contient déjà une de vos clés d’accès pour Mandat."
    )
    page.click("#sign-out")

    device.verify(False)
    page.goto(f"{installation.issuer}/sign-in/passkey")
    expect(page.locator("[data-passkey-error]:visible")).to_have_count(0)
    page.click("#passkey-submit")
    expect(page.locator("[data-passkey-error]:visible")).to_contain_text("Rien n’a été fait")
    device.verify(True)
    page.reload()  # at once after the refusal, the button still guards against a double click
    page.click("#passkey-submit")
    page.wait_for_url("**/home")
    give_device(empty)
    empty.goto(f"{installation.issuer}/sign-in/passkey")
    empty.click("#passkey-submit")
    expect(empty.locator("[data-passkey-error]:visible")).to_contain_text("Rien n’a été fait")


def test_without_scripts_every_page_offers_another_way(installation: Installation, new_page: NewPage) -> None:
    """Where scripts are off, the button is not there, a sentence says why, and the password leads in."""
    plain = new_page(java_script_enabled=False)
    plain.goto(f"{installation.issuer}/sign-in")
    plain.click("#use-passkey")
    expect(plain.locator("#passkey-unavailable")).to_be_visible()
    expect(plain.locator("#passkey-submit")).to_be_hidden()
    expect(plain.locator("[data-passkey-error]:visible")).to_have_count(0)

    plain.click("#other-way")
    persona = installation.persona("two_enterprises")
    journeys.type_credentials(plain, installation, persona)

    plain.wait_for_url(lambda url: "/sign-in" not in url)
    plain.goto(f"{installation.issuer}/account/security/passkey")
    expect(plain.locator("#passkey-unavailable")).to_be_visible()


def test_a_passkey_leads_to_the_agency(installation: Installation, new_page: NewPage) -> None:
    """Signing in for the portal with a passkey goes through the redirects of the policy to the agency and back."""
    page = new_page()
    device = add_passkey(page, installation, "ar", "Clé")
    page.click("#sign-out")
    page.goto(installation.portal)
    page.click("#sign-in")
    page.click("#use-passkey")
    page.click("#passkey-submit")
    page.wait_for_url(lambda url: "/sign-in" not in url)

    assert device.passkeys()[0]["signCount"] > 1
    assert "/interaction/" in page.url or page.url.startswith(installation.portal)


def test_a_passkey_confirms_before_an_act(installation: Installation, new_page: NewPage) -> None:
    """A sign-in that is no longer fresh: cancelled on the device nothing goes on; shown, the act does, and a code still may."""
    page, persona = new_page(), installation.persona("two_enterprises")
    device = add_passkey(page, installation, "two_enterprises", "Bureau")
    _make_stale(installation, persona["user_code"])
    page.goto(f"{installation.issuer}/account/email")
    page.click("#use-passkey")
    page.wait_for_url("**/confirm/passkey?next=**")
    expect(page.locator("#use-application")).to_be_visible()
    device.verify(False)
    page.click("#passkey-submit")
    expect(page.locator("[data-passkey-error]:visible")).to_contain_text("Rien n’a été fait")
    device.verify(True)
    page.reload()  # at once after the refusal, the button still guards against a double click

    page.click("#passkey-submit")

    page.wait_for_url("**/account/email")
    page.fill("#email", "bureau@example.com")
    _make_stale(installation, persona["user_code"])
    page.click("#email-submit")
    page.wait_for_url("**/confirm/passkey?next=**")  # it was a passkey last time
    page.click("#passkey-submit")
    page.wait_for_url("**/account/email/code")  # what was typed went on by itself
    expect(page.locator("#email-code")).to_be_visible()


def _make_stale(installation: Installation, user_code: str) -> None:
    """Let the person's sign-ins be six minutes old."""
    then = SystemClock().now() - timedelta(minutes=6)
    with installation.app.app_context(), transaction() as session:
        signs = user_code.replace("-", "")
        session.execute(update(SignInRow).where(SignInRow.user_code == signs).values(auth_time=then))


def test_a_forgotten_password_is_replaced_with_a_passkey(installation: Installation, new_page: NewPage) -> None:
    """The device that holds the passkey takes the place of the application, after the code received by e-mail."""
    owner, page = new_page(), new_page()
    device = add_passkey(owner, installation, "suspended")
    give_device(page).take(device.passkeys())
    page.goto(f"{installation.issuer}/recover")
    page.fill("#user-code", installation.persona("suspended")["user_code"])
    page.click("#recover")
    page.fill("#email-code", installation.emailed_code("ariel@licorne.example"))
    page.click("#email-code-submit")
    page.click("#use-passkey")

    page.click("#passkey-submit")

    page.wait_for_url("**/recover/password")
