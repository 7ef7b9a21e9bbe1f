"""Without a mouse, and without scripts: the same doors open."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.flows import journeys
from tests.flows.installation import Installation
from tests.flows.journeys import NewPage

pytestmark = pytest.mark.browser

STOPS = 60  # more stops of the Tab key than any page has before its main button
SEEN = """() => {
  const at = document.activeElement, box = at.getBoundingClientRect(), style = getComputedStyle(at);
  const near = at.matches('.govuk-radios__input, .govuk-checkboxes__input')
    ? getComputedStyle(at.nextElementSibling, '::before') : style;
  const own = at.type === 'date' && !at.matches(':focus');  // on the calendar inside it, which the browser marks itself
  const outlined = one => one.outlineStyle !== 'none' && one.outlineWidth !== '0px';
  const marked = own || [style, near].some(one => one.boxShadow !== 'none' || outlined(one));
  const inside = box.bottom > 0 && box.top < innerHeight;
  const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
  const clear = top === at || at.contains(top) || (top && top.closest('label') && top.closest('label').htmlFor === at.id)
    || (top && top.contains(at));
  return {tag: at.tagName, id: at.id, marked, inside, clear: !!clear};
}"""


def tab_to(page: Page, wanted: str) -> None:
    """Press Tab until *wanted* has the focus; on the way, the focus is always visible and never under something else."""
    for _stop in range(STOPS):
        page.keyboard.press("Tab")
        where = page.evaluate(SEEN)
        if where["tag"] != "BODY":
            assert where["marked"], f"the focus cannot be seen on {where}"
            assert where["inside"], f"the focus is out of sight on {where}"
            assert where["clear"], f"the focus is under something else on {where}"
        if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
            return
    raise AssertionError(f"the Tab key never reaches {wanted} on {page.url}")


def type_in(page: Page, wanted: str, text: str) -> None:
    """Reach a field with the Tab key and type."""
    tab_to(page, wanted)
    page.keyboard.type(text)


def press(page: Page, wanted: str, to: str | None = None) -> None:
    """Reach something with the Tab key and press Enter there; wait for the address it leads to."""
    tab_to(page, wanted)
    page.keyboard.press("Enter")
    if to:
        page.wait_for_url(to)


def test_signing_in_at_the_portal_by_keyboard(installation: Installation, page: Page) -> None:
    """From the portal's first page to the page of a block, and out again."""
    pes = installation.persona("pes")
    page.goto(installation.portal)
    press(page, "#sign-in", "**/sign-in**")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the skip link
    type_in(page, "#username", pes["user_code"].lower())
    type_in(page, "#password", pes["password"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in/code**")
    type_in(page, "#otp", installation.code(pes["totp_secret"]))
    press(page, "#otp-submit", "**/interaction/consent**")
    press(page, "#consent-allow", f"{installation.portal}/**")
    press(page, "#block-001 a")
    expect(page.locator("h1")).to_contain_text("Boîte de messages")
    press(page, "#sign-out", "**/signed-out**")


def test_an_error_takes_the_focus_and_leads_to_its_field(installation: Installation, page: Page) -> None:
    """The summary has the focus; its first link leads into the field."""
    page.goto(f"{installation.issuer}/sign-in")
    press(page, "#login")
    page.wait_for_load_state()
    expect(page.locator("#error-summary")).to_be_focused()

    press(page, "#error-summary a")

    expect(page.locator("#username")).to_be_focused()


def test_the_first_steps_of_an_enrolment_by_keyboard(installation: Installation, page: Page) -> None:
    """From the home page to the end of the second task."""
    case = installation.enrolment("online")
    page.goto(installation.issuer)
    press(page, "#home-enrol", "**/enrol")
    press(page, "#start", "**/enrol/tasks")
    press(page, "main a[href='/enrol/enterprise']", "**/enrol/enterprise")
    type_in(page, "#neq", case["neq"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/enrol/enterprise/confirm")
    press(page, "#continue", "**/enrol/tasks")
    press(page, "main a[href='/enrol/tax-number']", "**/enrol/tax-number")
    tab_to(page, "input[name='answer']")
    page.keyboard.press("Space")
    type_in(page, "#revenu_quebec_id", case["revenu_quebec_id"])
    press(page, "#continue", "**/enrol/tasks")
    expect(page.locator(".govuk-task-list__item", has_text="Terminé")).to_have_count(2)


def test_the_matrix_by_keyboard(installation: Installation, page: Page) -> None:
    """Each box is reached and never hides under the bar of buttons; one is turned over, checked and confirmed."""
    page.set_viewport_size({"width": 1280, "height": 600})
    journeys.sign_in(page, installation, installation.persona("pes"))
    page.goto(f"{installation.issuer}/agencies/amp/rights")
    for _row in range(3):
        tab_to(page, "input[type='checkbox'][value='024']")
    page.keyboard.press("Space")
    press(page, "#check-changes", "**/rights/preview?**")
    press(page, "#confirm-changes", "**/rights/saved")


def test_the_sign_in_without_scripts(installation: Installation, new_page: NewPage) -> None:
    """Sign-in, consent, portal, a block, sign-out: everything goes by links and forms."""
    page = new_page(java_script_enabled=False)
    journeys.open_portal(page, installation, installation.persona("user"))
    journeys.agree(page, installation)
    page.click("#block-001 a")
    expect(page.locator("h1")).to_contain_text("Boîte de messages")
    page.click("#sign-out")
    page.wait_for_url("**/signed-out**")


def test_an_enrolment_without_scripts(installation: Installation, new_page: NewPage) -> None:
    """The whole file, the account and the slips; then the person in charge activates, subscribes and gives rights."""
    case = installation.enrolment("online") | {"email": "sans-script@entreprise.example"}
    page, pes = new_page(java_script_enabled=False), new_page(java_script_enabled=False)
    journeys.enrol(page, installation, case)
    journeys.begin_account(page, installation, case)
    journeys.choose_password_and_factor(page, installation)
    page.click("main a[href*='/enrol/file/slips/']")
    page.click("#show-slips")
    slips = journeys.read_slips(page)
    journeys.activate(pes, installation, slips, case["pes"][0]["email"])
    pes.goto(f"{installation.issuer}/agencies/amp/subscribe")
    journeys.answer_amp(pes, "maika@entreprise.example")
    expect(pes.locator("#subscription-state")).to_contain_text("Inscrite")
    pes.goto(f"{installation.issuer}/people")
    journeys.add_user(pes, "Léo", "Sansécran", "leo@entreprise.example")
    journeys.change_right(pes, installation, "001", "Léo Sansécran")
    expect(pes.locator("ins").first).to_be_visible()
    pes.click("#confirm-changes")
    pes.wait_for_url("**/rights/saved")


def test_a_forgotten_password_by_keyboard(installation: Installation, page: Page) -> None:
    """From the sign-in page to the sign-in page: the code by e-mail, the factor, the new password, which then opens."""
    person, new = installation.persona("suspended"), "quatre vents sur la grève"
    page.goto(f"{installation.issuer}/sign-in")
    press(page, "#forgotten-password", "**/recover")
    type_in(page, "#user-code", person["user_code"].lower())
    page.keyboard.press("Enter")
    page.wait_for_url("**/recover/code")
    type_in(page, "#email-code", installation.emailed_code("ariel@licorne.example"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/recover/factor")
    type_in(page, "#otp", installation.code(person["totp_secret"]))
    press(page, "#otp-submit", "**/recover/password")
    type_in(page, "#new-password", new)
    type_in(page, "#new-password-repeat", new)
    press(page, "#new-password-submit", "**/sign-in")
    type_in(page, "#username", person["user_code"])
    type_in(page, "#password", new)
    press(page, "#login", "**/sign-in/code")

    expect(page.locator("#otp")).to_be_visible()


def test_an_activation_by_keyboard(installation: Installation, page: Page) -> None:
    """The two slips, the code by e-mail, a password and an application: from the sign-in page to the home page."""
    slips = installation.newcomer("clavier@entreprise.example")
    page.goto(f"{installation.issuer}/sign-in")
    press(page, "main a[href^='/activate']", "**/activate")
    type_in(page, "#user-code", slips.user_code.lower())
    type_in(page, "#temporary-password", slips.temporary_password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/activate/code")
    type_in(page, "#email-code", installation.emailed_code("clavier@entreprise.example"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/activate/password")
    type_in(page, "#new-password", journeys.GOOD_PASSWORD)
    type_in(page, "#new-password-repeat", journeys.GOOD_PASSWORD)
    press(page, "#new-password-submit", "**/activate/factor")
    secret = page.inner_text("#totp-key").replace(" ", "").replace("\u00a0", "")
    type_in(page, "#otp", installation.code(secret))
    page.keyboard.press("Enter")
    page.wait_for_url("**/account/security/recovery-codes?next=**")
    press(page, "#recovery-codes-submit")
    expect(page.locator("#recovery-codes li")).to_have_count(10)
    codes = page.locator("#recovery-codes li").all_inner_texts()
    with page.expect_download() as saved:
        press(page, "#recovery-codes-save")
    assert saved.value.suggested_filename == "codes-de-secours.txt"
    assert saved.value.path().read_bytes().decode().split() == ["Mandat", *codes]
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    press(page, "#recovery-codes-copy")
    expect(page.locator("#recovery-codes-copy")).to_have_text("Copiés")
    assert page.evaluate("navigator.clipboard.readText()").split() == codes
    press(page, "#recovery-codes-kept")
    page.wait_for_url(lambda url: "recovery-codes" not in url)

    expect(page.locator("#sign-out")).to_be_visible()
