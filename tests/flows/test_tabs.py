"""Several tabs, a slow line, lost cookies, a restored browser and the back button, in a real browser (docs/adr/0019)."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, Route, expect

from tests.flows import journeys
from tests.flows.installation import Installation
from tests.flows.journeys import NewPage
from tests.flows.scanning import NARROW, faults_of

pytestmark = pytest.mark.browser
CODE_PAGE = "**/sign-in/code"


def at_the_code(page: Page, installation: Installation, persona: dict[str, Any]) -> None:
    """Come from the portal as far as the page that asks for the code."""
    page.goto(installation.portal)
    page.click("#sign-in")
    page.fill("#username", persona["user_code"])
    page.fill("#password", persona["password"])
    page.click("#login")
    page.wait_for_url(CODE_PAGE)


def at_the_portal(page: Page, installation: Installation) -> str:
    """Wait until this tab is back; return the state that it came back with."""
    states: list[str] = []
    page.on("request", lambda request: states.append(request.url) if "/callback" in request.url else None)
    journeys.agree_unless_agreed(page, installation)
    page.wait_for_url(f"{installation.portal}/**")
    return states[0] if states else ""


def test_tabs_a_slow_line_and_a_restored_browser_all_come_back_to_the_portal(
    installation: Installation, new_page: NewPage
) -> None:
    """The code in tab 1; tab 2 goes on with that sign-in. A form sent twice, a browser opened again: the portal each time."""
    persona = installation.persona("user")
    first = new_page()
    second = first.context.new_page()
    for page in (first, second):
        at_the_code(page, installation, persona)
    assert first.url != second.url
    code = installation.code(persona["totp_secret"])
    first.fill("#otp", code)
    first.click("#otp-submit")
    at_the_portal(first, installation)
    second.fill("#otp", code)
    second.click("#otp-submit")
    at_the_portal(second, installation)
    expect(second.locator("#error-code")).to_have_count(0)

    slow = new_page()
    at_the_code(slow, installation, persona)

    def lost_on_the_way(route: Route) -> None:
        """Let the server answer a first time; the browser gave that answer up, and what follows is the second click."""
        request = route.request
        if request.method == "POST":
            headers = {**request.all_headers(), "accept-encoding": "identity"}
            given_up = httpx2.post(
                request.url, content=request.post_data or "", headers=headers, follow_redirects=False
            )
            assert given_up.status_code == 303, given_up.text
        route.continue_()

    slow.route(CODE_PAGE, lost_on_the_way)
    slow.fill("#otp", installation.code(persona["totp_secret"]))
    slow.click("#otp-submit")
    at_the_portal(slow, installation)

    closed = new_page()
    at_the_code(closed, installation, persona)
    restored = new_page(storage_state=closed.context.storage_state())
    restored.goto(closed.url)
    restored.fill("#otp", installation.code(persona["totp_secret"]))
    restored.click("#otp-submit")
    at_the_portal(restored, installation)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_lost_cookies_and_the_back_button_lead_to_the_portal(
    installation: Installation, new_page: NewPage, language: str
) -> None:
    """The page says what happened, is accessible, and its button is at the portal."""
    persona = installation.persona("user")
    lost = new_page(locale=f"{language}-CA")
    at_the_code(lost, installation, persona)
    lost.context.clear_cookies()
    lost.fill("#otp", "000000")
    lost.click("#otp-submit")
    expect(lost.locator("#error-code")).to_have_text("interaction_over")
    lost.goto(f"{lost.url}&lang={language}")
    lost.set_viewport_size(NARROW)
    assert faults_of(lost, language) == []
    lost.click("#way-back")
    lost.wait_for_url(f"{installation.portal}/**")

    done = new_page()
    at_the_code(done, installation, persona)
    page = done.url
    done.fill("#otp", installation.code(persona["totp_secret"]))
    done.click("#otp-submit")
    at_the_portal(done, installation)
    done.goto(page)
    expect(done.locator("#error-code")).to_have_text("interaction_over")
    done.click("#way-back")
    done.wait_for_url(f"{installation.portal}/**")
