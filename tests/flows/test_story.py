"""The story of the product, from the representative's first page to a refused page at the agency, in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.flows import journeys
from tests.flows.installation import Installation, waited_for
from tests.flows.journeys import NewPage, Slips

pytestmark = pytest.mark.browser

JULIE = ("Julie", "Feuillemorte", "julie@entreprise.example")


def test_from_the_first_page_to_a_refused_page(installation: Installation, new_page: NewPage) -> None:
    """An enterprise enrols, its PES subscribes it and lets Julie use two blocks; one is removed, and the portal knows."""
    case = installation.enrolment("online")
    representative, pes, julie, outsider = new_page(), new_page(), new_page(), new_page()

    slips = _enrol_and_collect_slips(representative, installation, case)
    manager = journeys.activate(pes, installation, slips, case["pes"][0]["email"])
    _temporary_password_is_dead(outsider, installation, slips)
    _representative_sees_the_first_use(representative)
    _subscribe(pes, installation)
    _change_the_blocks(pes, installation)
    user = journeys.activate(julie, installation, _add_julie(pes), JULIE[2])
    _grant(pes, installation)
    _work_at_the_portal(julie, installation, user)
    _remove_a_block(pes, installation)
    _portal_has_ended_the_session(julie, installation)
    assert manager["user_code"] != user["user_code"]


def _enrol_and_collect_slips(page: Page, installation: Installation, case: dict[str, Any]) -> Slips:
    journeys.enrol(page, installation, case)
    page.wait_for_url("**/enrol/file")
    expect(page.locator("main")).to_contain_text("Dossier vérifié")
    journeys.begin_account(page, installation, case)
    journeys.choose_password_and_factor(page, installation)
    page.wait_for_url("**/enrol/file")
    page.click("main a[href*='/enrol/file/slips/']")
    page.click("#show-slips")
    slips = journeys.read_slips(page)
    page.click("#slips-done")
    expect(page.locator("main")).to_contain_text("Dossier actif")
    page.click("main a[href*='/enrol/file/slips/']")
    expect(page.locator("main")).not_to_contain_text(slips.temporary_password)  # shown once
    return slips


def _temporary_password_is_dead(page: Page, installation: Installation, slips: Slips) -> None:
    page.goto(f"{installation.issuer}/activate")
    page.fill("#user-code", slips.user_code)
    page.fill("#temporary-password", slips.temporary_password)
    page.click("#activate")
    expect(page.locator("#error-summary")).to_be_visible()


def _representative_sees_the_first_use(page: Page) -> None:
    page.goto(page.url.split("/enrol")[0] + "/enrol/file")
    expect(page.locator("main")).to_contain_text("utilisé pour la première fois le")
    expect(page.locator("main")).to_contain_text("Compte activé le")


def _subscribe(page: Page, installation: Installation) -> None:
    page.goto(f"{installation.issuer}/home")
    page.click("main a[href='/agencies']")
    page.click("#agency-amp a[href='/agencies/amp/subscribe']")
    expect(page.get_by_text("Presque toujours « Non »")).to_be_visible()
    page.check("input[name='q-is_client'][value='yes']")
    expect(page.get_by_text("Sans ce numéro, l’inscription sera refusée")).to_be_visible()
    journeys.answer_amp(page, "maika@entreprise.example")
    expect(page.locator("#subscription-state")).to_contain_text("Inscrite")


def _change_the_blocks(page: Page, installation: Installation) -> None:
    """Drop a block and take it again: nobody had it, and it is consented to anew."""
    for box, consent in (("uncheck", False), ("check", True)):
        page.goto(f"{installation.issuer}/agencies/amp")
        page.click("#change")
        getattr(page.locator("input[name='q-blocks'][value='024']"), box)()
        page.click("#change-continue")
        expect(page.locator("main")).to_contain_text("Rien n’a encore été transmis")
        if consent:
            page.check("#consent")
        page.click("#change-send")
        expect(page.locator("main")).to_contain_text("La modification est en vigueur")


def _add_julie(page: Page) -> Slips:
    page.click("nav a[href='/people']")
    slips = journeys.add_user(page, *JULIE)
    page.click("#slips-done")
    return slips


def _grant(page: Page, installation: Installation) -> None:
    page.goto(f"{installation.issuer}/agencies/amp/rights")
    for code in ("001", "008"):
        page.get_by_label(f"{code} pour Julie Feuillemorte").check(force=True)
    page.click("#check-changes")
    expect(page.locator("ins").first).to_be_visible()
    expect(page.locator("main")).to_contain_text("Rien n’est encore enregistré")
    page.click("#confirm-changes")
    page.wait_for_url("**/rights/saved")


def _work_at_the_portal(page: Page, installation: Installation, user: dict[str, Any]) -> None:
    page.click("#sign-out")
    journeys.open_portal(page, installation, user)
    expect(page.locator("#consent-blocks li")).to_have_count(2)
    journeys.agree(page, installation)
    expect(page.locator("#acting-for")).to_contain_text("Brumeplume")
    assert [tile.get_attribute("id") for tile in page.locator(".tile.open").all()] == ["block-001", "block-008"]
    page.click("#block-018 a")
    expect(page.locator("#refusal")).to_contain_text("vous ne détenez pas le bloc fonctionnel 018")
    expect(page.get_by_role("heading", name="Comment l’obtenir")).to_be_visible()
    page.goto(f"{installation.portal}/invoices")
    page.get_by_role("button", name="Payer").first.click()
    expect(page.get_by_role("status")).to_contain_text("Paiement reçu")


def _remove_a_block(page: Page, installation: Installation) -> None:
    page.goto(f"{installation.issuer}/agencies/amp/rights")
    page.get_by_label("008 pour Julie Feuillemorte").uncheck(force=True)
    page.click("#check-changes")
    expect(page.locator("del")).to_be_visible()
    page.click("#confirm-changes")
    page.wait_for_url("**/rights/saved")

    def confirmed() -> str | None:
        page.goto(f"{installation.issuer}/agencies/amp/rights/saved")
        said = page.inner_text("#removals")
        return said if "Confirmé par l’AMP" in said or "Confirmé par l’organisme" in said else None

    waited_for(confirmed, "the agency's confirmation", seconds=10)
    page.goto(f"{installation.issuer}/home")
    expect(page.get_by_text("Confirmé par").first).to_be_visible()


def _portal_has_ended_the_session(page: Page, installation: Installation) -> None:
    page.goto(f"{installation.portal}/invoices")
    expect(page.locator("#removed")).to_be_visible()
    page.click("#go-on")
    expect(page.locator("#refusal")).to_contain_text("008")
    page.goto(f"{installation.portal}/")
    assert [tile.get_attribute("id") for tile in page.locator(".tile.open").all()] == ["block-001"]
    page.goto(f"{installation.portal}/told")
    expect(page.locator("main")).to_contain_text("Droits modifiés")  # by its event stream, not by the end of a session
    expect(page.locator("main")).not_to_contain_text("Fin de session")
