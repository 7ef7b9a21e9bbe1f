"""The other ways through: mailed code, review, refusals, and every way of leaving a sign-in."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.flows import journeys
from tests.flows.agencies import agency_site, register, request_url
from tests.flows.installation import Installation, waited_for
from tests.flows.journeys import NewPage

pytestmark = pytest.mark.browser


# Enrolment


def test_a_code_by_mail_proves_the_representative(installation: Installation, page: Page) -> None:
    """Without a notice, a letter goes to the address on file; its code, read on paper, verifies the file."""
    journeys.enrol(page, installation, installation.enrolment("mailed_code"))
    expect(page.locator("#standing")).to_contain_text("lettre")
    code = installation.mailed_code()
    page.click("#enter-code")
    wrong = f"{(int(code) + 1) % 10**10:010d}"
    page.fill("#code", wrong)
    page.click("#continue")
    expect(page.locator("#error-summary")).to_contain_text("4 essais")

    page.fill("#code", f"{code[:4]} {code[4:7]} {code[7:]}")
    page.click("#continue")

    expect(page.locator("main")).to_contain_text("Dossier vérifié")


def test_a_mandate_takes_two_operators(installation: Installation, new_page: NewPage, tmp_path: Path) -> None:
    """A document is read by an operator who proposes; another one agrees; the representative is told by e-mail."""
    case = installation.enrolment("review")
    representative, first, second = new_page(), new_page(), new_page()
    journeys.enrol(representative, installation, case)
    representative.click("#provide-document")
    representative.check("input[name='kind'][value='resolution']")
    document = tmp_path / "résolution.pdf"
    document.write_bytes(b"%PDF-1.4\n%%EOF\n")
    representative.set_input_files("#document", document)
    representative.click("#continue")
    expect(representative.locator("main")).to_contain_text("résolution.pdf")
    for operator, key in ((first, "operator"), (second, "operator2")):
        journeys.sign_in(operator, installation, installation.persona(key))

    _open_file(first, installation, case["neq"])
    with first.expect_download() as saved:
        first.click("main a[href*='/documents/']")
    assert saved.value.path().read_bytes().startswith(b"%PDF-")
    journeys.decide(first, "approve", note="Résolution lue, signée par deux administrateurs.")
    _open_file(first, installation, case["neq"])
    expect(first.locator("main")).to_contain_text("Un autre opérateur doit donner son accord")
    representative.reload()
    expect(representative.locator("main")).to_contain_text("À l’étude")
    _open_file(second, installation, case["neq"])
    journeys.decide(second, "approve", note="D’accord.")

    representative.reload()
    expect(representative.locator("main")).to_contain_text("Dossier vérifié")
    waited_for(
        lambda: next((text for text in installation.mails(case["email"]) if "vérifié" in text), None), "the good news"
    )


def _open_file(page: Page, installation: Installation, neq: str) -> None:
    page.goto(f"{installation.issuer}/desk")
    shown = f"{neq[:4]}\u00a0{neq[4:7]}\u00a0{neq[7:]}"
    page.locator("main tr", has_text=re.compile(re.sub(r"\s", r"\\s", shown))).locator("a").first.click()


def test_a_struck_off_enterprise_is_refused(installation: Installation, page: Page) -> None:
    """The refusal says why, since when, how to be reinstated and how to contest; contested, an operator reads it."""
    journeys.enrol(page, installation, installation.enrolment("struck_off"))
    expect(page.locator("#refusal")).to_be_visible()
    expect(page.locator("main")).to_contain_text("12 septembre 2025")
    expect(page.get_by_role("heading", name=re.compile("immatricul"))).to_be_visible()

    page.click("#contest")
    page.fill("#because", "La radiation a été révoquée hier.")
    page.click("#continue")

    expect(page.locator("main")).to_contain_text("À l’étude")


def test_numbers_that_disagree_come_back(installation: Installation, page: Page) -> None:
    """One message, that never tells which fact is wrong; what was typed is kept; five tries, then an operator."""
    journeys.enrol(page, installation, installation.enrolment("numbers_disagree"))
    for before in range(5):
        page.wait_for_url("**/enrol/tasks")
        expect(page.locator("#error-summary")).to_contain_text("ne concorde")
        if before == 0:
            page.click("#error-summary a >> nth=0")
            assert page.input_value("#neq").replace("\u00a0", "").replace(" ", "") == "1100000141"
            page.goto(f"{installation.issuer}/enrol/tasks")
        journeys.check_answers(page)
        journeys.submit(page)

    page.wait_for_url("**/enrol/file")
    expect(page.locator("main")).to_contain_text("À l’étude")


def test_a_file_is_found_again_from_another_browser(installation: Installation, new_page: NewPage) -> None:
    """The file number and a code sent by e-mail open the draft where it was left."""
    case = installation.enrolment("online")
    here, elsewhere = new_page(), new_page()
    journeys.start_file(here, installation)
    journeys.give_enterprise(here, case)
    journeys.give_tax_number(here, case)
    journeys.give_representative(here, installation, case)
    number = here.inner_text("main .app-code")
    sent = len(installation.mails(case["email"]))

    elsewhere.goto(f"{installation.issuer}/enrol/resume")
    elsewhere.fill("#number", number)
    elsewhere.click("#continue")
    elsewhere.fill("#code", installation.emailed_code(case["email"], sent))
    elsewhere.click("#continue")

    elsewhere.wait_for_url("**/enrol/tasks")
    expect(elsewhere.locator("main")).to_contain_text(number)


# Subscription decided by a person


def test_an_agency_s_officer_decides(installation: Installation, new_page: NewPage) -> None:
    """Refused with a reason beside the answer to correct, sent again, accepted: the enterprise reads each state."""
    pes, officer = new_page(), new_page()
    journeys.sign_in(pes, installation, installation.persona("pes"))
    journeys.sign_in(officer, installation, installation.persona("agency_officer"))
    journeys.ask_for_a_creature(pes, installation)
    journeys.consent_to_subscription(pes)
    expect(pes.locator("#subscription-state")).to_contain_text("En traitement")
    _open_subscription(officer, installation)
    journeys.decide(officer, "refuse", reason="not_insured")
    pes.reload()
    expect(pes.locator("#subscription-state")).to_contain_text("Inscription refusée")
    expect(pes.locator("main")).to_contain_text("L’assurance déclarée n’a pas été retrouvée")
    pes.click("#send-again")
    pes.click("#questions-submit")
    journeys.consent_to_subscription(pes)

    _open_subscription(officer, installation)
    journeys.decide(officer, "accept")

    pes.reload()
    expect(pes.locator("#subscription-state")).to_contain_text("Inscrite")


def _open_subscription(page: Page, installation: Installation) -> None:
    page.goto(f"{installation.issuer}/desk/subscriptions")
    page.locator("main table a").first.click()


# Sign-in at an agency


def test_cancelling_goes_back_to_the_agency(installation: Installation, page: Page) -> None:
    """The cancel button of the sign-in page tells the portal ``access_denied``."""
    page.goto(installation.portal)
    page.click("#sign-in")
    expect(page.locator("main")).to_contain_text("Pour continuer vers")
    page.click("#login-cancel")

    expect(page.locator("#error-code")).to_have_text("access_denied")
    assert page.url.startswith(installation.portal)


def test_refusing_the_consent_goes_back_to_the_agency(installation: Installation, page: Page) -> None:
    """Nothing is told to the portal but ``access_denied``, and the next sign-in asks again."""
    journeys.open_portal(page, installation, installation.persona("ar"))
    page.click("#consent-deny")
    expect(page.locator("#error-code")).to_have_text("access_denied")

    page.goto(installation.portal)
    page.click("#sign-in")

    expect(page.locator("#consent-allow")).to_be_visible()


def test_choosing_between_two_enterprises(installation: Installation, page: Page) -> None:
    """The portal deals with the enterprise chosen, with what is held there, and lets the person change."""
    journeys.open_portal(page, installation, installation.persona("two_enterprises"))
    page.click("#enterprise-1100000455")
    journeys.agree(page, installation)
    expect(page.locator("#acting-for")).to_have_text("Construction Haute-Licorne inc.")
    assert [tile.get_attribute("id") for tile in page.locator(".tile.open").all()] == ["block-007", "block-024"]

    page.click(".acting a")
    page.click("#enterprise-3300000018")
    journeys.agree(page, installation)

    expect(page.locator("#acting-for")).to_contain_text("Plumedor")
    expect(page.locator(".tile.open")).to_have_count(7)


def test_paying_needs_a_fresh_sign_in(installation: Installation, page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """The portal shows what waits to be paid and asks who is there; Mandat says why; the way back pays nothing by itself."""
    extensions, pes = installation.portal_app.extensions, installation.persona("two_enterprises")
    monkeypatch.setitem(extensions, "portal.settings", replace(extensions["portal.settings"], step_up_seconds=0))
    journeys.open_portal(page, installation, pes)
    page.click("#enterprise-3300000018")
    journeys.agree_unless_agreed(page, installation)
    page.goto(f"{installation.portal}/invoices")
    number = page.locator("main tbody th").first.inner_text().split()[0]
    page.get_by_role("button", name="Payer").first.click()
    expect(page.locator("h1")).to_have_text("Confirmez que c’est bien vous")
    expect(page.locator("main")).to_contain_text(number)

    page.click("#step-up")
    expect(page.locator("#asked-again")).to_contain_text("vous demande de vous connecter de nouveau")
    journeys.type_credentials(page, installation, pes)
    expect(page.locator("h1")).to_have_text("Confirmez le paiement")
    expect(page.locator("main")).to_contain_text(number)
    expect(page.locator("#acting-for")).to_contain_text("Plumedor")
    page.click("#confirm-act")

    expect(page.get_by_role("status")).to_contain_text("Paiement reçu")


def test_somebody_suspended_reaches_no_agency(installation: Installation, page: Page) -> None:
    """They read why, and the way back tells the portal ``access_denied``."""
    journeys.open_portal(page, installation, installation.persona("suspended"))
    expect(page.locator("main")).to_contain_text("suspendus")
    page.click("#login-cancel")

    expect(page.locator("#error-code")).to_have_text("access_denied")


def test_signing_out_at_the_portal_signs_out_of_mandat(installation: Installation, page: Page) -> None:
    """One click ends both sessions and comes back to the portal; the next sign-in asks for everything again."""
    journeys.open_portal(page, installation, installation.persona("pes"))
    journeys.agree(page, installation)
    page.click("#sign-out")
    page.wait_for_url(f"{installation.portal}/signed-out**")

    page.click("#sign-in")

    expect(page.locator("#username")).to_be_visible()
    page.goto(f"{installation.issuer}/home")
    expect(page.locator("#username")).to_be_visible()


def test_signing_out_of_mandat_ends_the_portal_s_session(installation: Installation, new_page: NewPage) -> None:
    """The portal hears it behind the browser's back; a right given meanwhile is there at the next sign-in, silently."""
    julie, pes = new_page(), new_page()
    journeys.open_portal(julie, installation, installation.persona("user"))
    journeys.agree(julie, installation)
    journeys.sign_in(pes, installation, installation.persona("pes"))
    julie.goto(f"{installation.portal}/follow-up")
    expect(julie.locator("#refusal")).to_be_visible()
    journeys.change_right(pes, installation, "007", "Julie")
    pes.click("#confirm-changes")
    pes.wait_for_url("**/rights/saved")
    julie.click("a.button")
    expect(julie.locator("h1")).to_contain_text("Suivi des demandes")

    julie.goto(f"{installation.issuer}/account")
    julie.click("#sign-out")

    def ended() -> bool | None:
        julie.goto(f"{installation.portal}/follow-up")
        return True if julie.locator("#removed").count() else None

    assert waited_for(ended, "the end of the portal's session", seconds=30)


# What the policy lets through


def test_a_callback_that_leads_to_another_origin(
    installation: Installation, new_page: NewPage, complaints: list[str]
) -> None:
    """The policy names the origins an agency registered; one it did not register stops the browser, and we see it."""
    page = new_page()
    with agency_site() as second, agency_site(leads_to=second) as first:
        register(installation, "two-origins", first, further=(second,))
        register(installation, "undeclared", first)
        page.goto(request_url(installation, "two-origins", first))
        journeys.type_credentials(page, installation, installation.persona("ar"))
        page.click("#consent-allow")
        page.wait_for_url(f"{second}/workspace?**")
        expect(page.locator("h1")).to_have_text("GET code, iss, state")
        assert complaints == []

        page.goto(request_url(installation, "undeclared", first, prompt="consent"))
        with page.expect_console_message(lambda entry: "form-action" in entry.text):
            page.click("#consent-allow")

        assert page.url.startswith(installation.issuer)
        complaints.clear()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_an_answer_by_form_post(installation: Installation, new_page: NewPage, scripts: bool) -> None:
    """``response_mode=form_post`` goes by itself with scripts, by its button without."""
    page = new_page(java_script_enabled=scripts)
    with agency_site() as origin:
        register(installation, "by-form", origin)
        page.goto(request_url(installation, "by-form", origin, response_mode="form_post", prompt="consent"))
        journeys.type_credentials(page, installation, installation.persona("operator" if scripts else "user"))
        if scripts:  # an operator acts for no enterprise: the answer is an error, posted too
            page.click("#login-cancel")
        else:
            page.click("#consent-allow")
            page.click("#form-post-continue")

        page.wait_for_url(f"{origin}/callback")
        expect(page.locator("h1")).to_contain_text("POST error" if scripts else "POST code")
