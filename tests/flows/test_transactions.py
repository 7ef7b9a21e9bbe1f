"""What the agency's portal is for, in a real browser: two people, each with their own blocks, do one application together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from idp.accounts import services as accounts
from idp.clock import SystemClock, local_date
from idp.delegation import services as delegation
from tests.flows import journeys
from tests.flows.installation import Installation, waited_for
from tests.flows.journeys import NewPage
from tests.flows.scanning import NARROW

pytestmark = pytest.mark.browser
STORY = "1100000455"
NAME = "محمد بن علي"


def test_two_people_do_one_application(
    installation: Installation, new_page: NewPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the first step to the paid fee, in French and in English, wide and narrow; then a right is lost while one types."""
    _let(installation, "user", ("001", "008", "018"))
    _let(installation, "two_enterprises", ("007", "019", "024"))
    maker, checker = new_page(), new_page(viewport=NARROW)
    journeys.open_portal(maker, installation, installation.persona("user"))
    journeys.agree(maker, installation)
    journeys.open_portal(checker, installation, installation.persona("two_enterprises"))
    checker.click(f"#enterprise-{STORY}")
    journeys.agree(checker, installation)
    checker.click("#language-switch")

    _fill_in(maker)
    _meet_a_change(maker, checker, installation)
    number = _submit(checker, installation, monkeypatch)
    _is_too_late(maker)
    _pay(maker, installation, number)
    _follow(maker, checker, installation, number)
    _lose_a_right_while_typing(maker, installation)


def _let(installation: Installation, key: str, blocks: Iterable[str]) -> None:
    """Grant a user of the story's enterprise these blocks, and no others."""
    with installation.app.app_context():
        now = SystemClock().now()
        codes = [installation.persona(persona)["user_code"].replace("-", "") for persona in (key, "pes")]
        found = accounts.user_codes(codes, now=now)
        person, pes = (found[code].person_id for code in codes)
        story = delegation.enterprise_of_neq(STORY)
        member = next(each for each in delegation.memberships_of(person) if each.enterprise_id == story)
        until = local_date(now) + timedelta(days=30)
        delegation.grant(member.enterprise_id, member.id, "amp", blocks=blocks, until=until, granted_by=pes, now=now)


def _fill_in(page: Page) -> None:
    page.click("#block-018 a")
    page.select_option("#category", "services")
    page.fill("#respondent", "Nguyễn Thị Ánh")
    page.click("#save-later")  # the description is for another day
    expect(page.get_by_role("status")).to_contain_text("Le brouillon est enregistré")
    page.goto(page.url.split("/application")[0])
    page.click("#block-018 a")
    expect(page.locator("#respondent")).to_have_value("Nguyễn Thị Ánh")
    page.fill("#description", "Entretien ménager")
    page.get_by_role("button", name="Enregistrer et continuer").click()
    page.fill("#value", "1 250 000,50 $")
    page.get_by_role("button", name="Enregistrer et continuer").click()
    page.select_option("#kind", "director")
    page.fill("#name", NAME)
    page.click("#add-relationship")
    page.click("#continue")
    expect(page.locator("#then-019")).to_be_visible()
    expect(page.locator("main")).to_contain_text("1 250 000,50 $")


def _meet_a_change(maker: Page, checker: Page, installation: Installation) -> None:
    """The one who validates had the page open while the other changed the relationship: they see it before they disclose it."""
    checker.click("#block-019 a")
    expect(checker.locator("#missing + ul")).to_contain_text("the disclosure of each relationship")
    checker.check("input[name=disclose]")
    maker.goto(f"{installation.portal}/application/relationships")
    maker.get_by_role("link", name="Modifier").click()
    maker.fill("#detail", "présidence")
    maker.click("#change-relationship")
    checker.click("#disclose")
    expect(checker.get_by_role("status")).to_contain_text("Another person has changed this")
    expect(checker.locator("#relationships")).to_contain_text("présidence")
    checker.check("input[name=disclose]")
    checker.click("#disclose")
    expect(checker.locator("#complete")).to_be_visible()
    maker.goto(f"{installation.portal}/application")  # and leaves that page open


def _submit(page: Page, installation: Installation, monkeypatch: pytest.MonkeyPatch) -> str:
    """End the data entry after a sign-in of its own; return the number of the application."""
    extensions = installation.portal_app.extensions
    with monkeypatch.context() as patch:
        patch.setitem(extensions, "portal.settings", replace(extensions["portal.settings"], step_up_seconds=0))
        page.click("form[action='/relationships/validation'] button")
        expect(page.locator("h1")).to_have_text("Confirm it is you")
        page.click("#step-up")
        journeys.type_credentials(page, installation, installation.persona("two_enterprises"))
        expect(page.locator("main")).to_contain_text("$1,250,000.50")
        page.click("#confirm-act")
    expect(page.get_by_role("status")).to_contain_text("is submitted")
    assert page.evaluate("document.scrollingElement.scrollWidth") <= NARROW["width"]
    return page.inner_text("#application-number")


def _is_too_late(page: Page) -> None:
    page.fill("#respondent", "Trop tard")
    page.get_by_role("button", name="Enregistrer et continuer").click()
    expect(page.locator("#closed-meanwhile")).to_contain_text("Rien n’a été enregistré")
    expect(page.locator("#typed-text")).to_contain_text("Trop tard")


def _pay(page: Page, installation: Installation, number: str) -> None:
    page.goto(f"{installation.portal}/invoices")
    page.locator(f"#fee-{number}").get_by_role("button").click()
    expect(page.get_by_role("status")).to_contain_text(f"La demande {number} passe à l’étude")
    page.go_back()
    page.goto(f"{installation.portal}/messages")
    page.get_by_role("link", name=f"Votre demande {number} est à l’étude").click()
    expect(page.locator("main")).to_contain_text("614,00 $")


def _follow(maker: Page, checker: Page, installation: Installation, number: str) -> None:
    checker.goto(f"{installation.portal}/follow-up")
    checker.get_by_role("link", name=number).click()
    expect(checker.locator("#history li")).to_have_count(3)
    expect(checker.locator("#history")).to_contain_text("by Julie Pontvert")
    checker.goto(f"{installation.portal}/client-file")
    expect(checker.locator("main")).to_contain_text(NAME)
    assert checker.evaluate("document.scrollingElement.scrollWidth") <= NARROW["width"]
    maker.goto(f"{installation.portal}/follow-up")
    maker.click("#ask")  # 007 is not theirs: Mandat lets them ask for it
    expect(maker.locator("#missing-blocks")).to_contain_text("007")


def _lose_a_right_while_typing(page: Page, installation: Installation) -> None:
    page.goto(f"{installation.portal}/application/new")
    page.click("#begin")
    page.fill("#respondent", "Encore à transmettre")
    _let(installation, "user", ("001", "008"))
    portal = installation.portal_app.extensions["portal.database"]

    def signalled() -> bool | None:
        with portal.connect() as connection:
            found = connection.execute(
                "SELECT 1 FROM session JOIN account USING (iss, sub) WHERE ended_at IS NOT NULL AND name LIKE 'Julie %'"
            ).fetchone()
        return True if found else None

    assert waited_for(signalled, "the signal", seconds=30)
    page.get_by_role("button", name="Enregistrer et continuer").click()
    expect(page.locator("#removed")).to_be_visible()
    expect(page.locator("#typed-text")).to_contain_text("Encore à transmettre")
    page.click("#go-on")
    expect(page.locator("#refusal")).to_contain_text("018")
    expect(page.locator("#typed-text")).to_contain_text("Encore à transmettre")
