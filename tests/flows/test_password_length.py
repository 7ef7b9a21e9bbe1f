"""The length of a password in words, in a real browser: seen at each sign, heard after a pause, counted as the server counts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.flows import journeys
from tests.flows.installation import Installation
from tests.flows.journeys import NewPage
from tests.flows.scanning import NARROW, faults_of

pytestmark = pytest.mark.browser


def test_the_missing_characters_are_told_while_one_types(installation: Installation, page: Page) -> None:
    """Twelve, then one, then enough; a letter of two signs is one, and so is an emoji; what is heard comes after a pause."""
    page.clock.install()
    journeys.sign_in(page, installation, installation.persona("pes"))
    page.goto(f"{installation.issuer}/account/security/password")
    field, seen, heard = page.locator("#new-password"), *page.locator("#password-length p").all()
    expect(seen).to_have_text("Encore 12 caractères au moins.")

    field.press_sequentially("e\u0301te\u0301-🦆🦆🦆🦆🦆🦆")
    expect(seen).to_have_text("Encore 2 caractères au moins.")
    expect(heard).to_have_text("")
    field.press_sequentially("o")
    expect(seen).to_have_text("Encore 1 caractère au moins.")
    page.clock.fast_forward(1100)
    expect(heard).to_have_text("Encore 1 caractère au moins.")
    field.press_sequentially("k")

    expect(seen).to_have_text("Assez long.")
    page.set_viewport_size(NARROW)
    assert faults_of(page, "fr") == []


def test_without_scripts_the_hint_says_it(installation: Installation, new_page: NewPage) -> None:
    """Whoever has no script sees no empty meter, and the least length in the hint."""
    page = new_page(java_script_enabled=False)
    journeys.sign_in(page, installation, installation.persona("pes"))

    page.goto(f"{installation.issuer}/account/security/password")

    expect(page.locator("#password-length")).to_be_hidden()
    expect(page.locator("#new-password-hint")).to_contain_text("12")
