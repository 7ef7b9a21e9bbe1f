"""From the portal to what is missing and back: one sign-in, both languages, both widths."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.flows import journeys
from tests.flows.installation import Installation


@pytest.mark.parametrize(("language", "width"), [("fr", 1280), ("en", 320)])
def test_a_person_in_charge_subscribes_on_the_way_to_the_portal(
    installation: Installation, page: Page, language: str, width: int
) -> None:
    """Not subscribed: the sign-in leads to the form, the form back to the portal, where every block is open."""
    page.set_viewport_size({"width": width, "height": 900})
    pes = installation.persona("pes")
    journeys.sign_in(page, installation, pes)
    page.goto(f"{installation.issuer}/agencies/amp/withdraw?lang={language}")
    page.check("#sure")
    page.click("#withdraw-submit")
    page.wait_for_url("**/agencies/amp")
    page.goto(installation.portal)
    page.click("#sign-in")
    page.wait_for_url("**/interaction/consent?*")

    expect(page.locator("#way-on")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.click("#way-on")
    journeys.answer_amp(page, "maika@entreprise.example")
    expect(page.locator("#way-back")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.click("#continue-to-agency")
    page.wait_for_url("**/interaction/consent?*")
    expect(page.locator("#consent-blocks li")).to_have_count(7)
    expect(page.locator("#way-on")).to_have_count(0)
    page.click("#consent-deny")
    page.wait_for_url(f"{installation.portal}/**")
    page.goto(f"{installation.issuer}/home")
    expect(page.locator("#way-back")).to_have_count(0)
