"""The end of a sign-in, in a real browser: told two minutes before, put off by one button, in every open page."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.flows import journeys
from tests.flows.installation import Installation
from tests.flows.scanning import NARROW, faults_of

pytestmark = pytest.mark.browser


def test_the_dialog_comes_in_time_and_one_button_stays(installation: Installation, page: Page) -> None:
    """Nothing before 58 minutes; focus in the dialog; the other page hears the answer; then it says it is over (WCAG 2.2.1)."""
    page.clock.install()
    journeys.sign_in(page, installation, installation.persona("pes"))
    page.goto(f"{installation.issuer}/account/sessions")
    other = page.context.new_page()
    other.goto(f"{installation.issuer}/account")
    dialog, elsewhere = page.locator("#session-end"), other.locator("#session-end")
    page.clock.fast_forward("57:00")  # one clock for the whole browser
    expect(dialog).not_to_be_visible()
    page.clock.fast_forward("01:30")
    for each in (other, page):
        each.bring_to_front()
        expect(each.locator("#session-stay")).to_be_visible()
    expect(page.locator("#session-stay")).to_be_focused()
    page.set_viewport_size(NARROW)
    assert faults_of(page, "fr") == []
    page.keyboard.press("Enter")
    expect(dialog).not_to_be_visible()
    expect(elsewhere).not_to_be_visible()
    page.clock.fast_forward("57:00")
    expect(dialog).not_to_be_visible()

    page.clock.fast_forward("03:30")

    expect(page.locator("#session-close")).to_be_focused()
    assert faults_of(page, "fr") == []
    page.keyboard.press("Enter")
    expect(dialog).not_to_be_visible()
