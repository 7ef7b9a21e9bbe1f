"""What people do, step by step, in a browser: each function leaves the page where the person would be."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.flows.installation import Installation, Slips

NewPage = Callable[..., Page]
MISTAKES = re.compile("^Erreur")
GOOD_PASSWORD = "sept hiboux traversent le fjord"


def expect_mistakes(page: Page) -> None:
    """Wait for the same page with its list of mistakes: its title says so first."""
    expect(page).to_have_title(MISTAKES)


# Signing in


def type_credentials(page: Page, installation: Installation, persona: dict[str, Any]) -> None:
    """Type user code, password and one-time code, wherever the sign-in page stands."""
    page.fill("#username", persona["user_code"])
    page.fill("#password", persona["password"])
    page.click("#login")
    page.fill("#otp", installation.code(persona["totp_secret"]))
    page.click("#otp-submit")


def sign_in(page: Page, installation: Installation, persona: dict[str, Any]) -> None:
    """Sign in at Mandat itself."""
    page.goto(f"{installation.issuer}/sign-in")
    type_credentials(page, installation, persona)
    page.wait_for_url(lambda url: "/sign-in" not in url)


def open_portal(page: Page, installation: Installation, persona: dict[str, Any]) -> None:
    """Go to the AMP portal and sign in with Mandat; what follows (choice, consent, return) is left to the caller."""
    page.goto(installation.portal)
    page.click("#sign-in")
    type_credentials(page, installation, persona)
    page.wait_for_url(lambda url: "/sign-in" not in url)


def agree(page: Page, installation: Installation) -> None:
    """Agree that the agency knows, and come back to its portal."""
    page.click("#consent-allow")
    page.wait_for_url(f"{installation.portal}/**")


def agree_unless_agreed(page: Page, installation: Installation) -> None:
    """Come back to the portal, by the consent page or, where an earlier test agreed already, without it."""
    page.wait_for_url(lambda url: "/interaction/consent" in url or url.startswith(installation.portal))
    if "/interaction/consent" in page.url:
        agree(page, installation)


# Enrolment


def start_file(page: Page, installation: Installation) -> None:
    """Go from the home page to the list of tasks of a new file."""
    page.goto(f"{installation.issuer}/")
    page.click("main a[href='/enrol']")
    page.click("#start")
    page.wait_for_url("**/enrol/tasks")


def give_enterprise(page: Page, case: dict[str, Any]) -> None:
    """Give the NEQ, recognize the enterprise, and go back to the tasks; insist when the register has a doubt."""
    page.click("main a[href='/enrol/enterprise']")
    page.fill("#neq", case["neq"])
    page.click("#continue")
    expect(page.locator("#insist, .govuk-summary-list").first).to_be_attached()
    if page.locator("#insist").count():
        page.check("#insist")
        page.click("#continue")
    page.wait_for_url("**/enrol/enterprise/confirm")
    page.click("#continue")
    page.wait_for_url("**/enrol/tasks")


def give_tax_number(page: Page, case: dict[str, Any]) -> None:
    """Give the Revenu Québec number."""
    page.click("main a[href='/enrol/tax-number']")
    page.check("input[name='answer'][value='number']")
    page.fill("#revenu_quebec_id", case["revenu_quebec_id"])
    page.click("#continue")
    page.wait_for_url("**/enrol/tasks")


def fill_representative(page: Page, case: dict[str, Any]) -> None:
    """Say who the representative is; the page that asks the code sent by e-mail follows."""
    year, month, day = case["birth_date"].split("-")
    page.click("main a[href='/enrol/representative']")
    page.fill("#given_name", case["given_name"])
    page.fill("#family_name", case["family_name"])
    page.fill("#birth_date-day", day)
    page.fill("#birth_date-month", month)
    page.fill("#birth_date-year", year)
    page.check(f"input[name='basis'][value='{case['basis']}']")
    page.select_option("#position", case["position"] or "other")
    page.fill("#notice_number", case["notice_number"])
    page.fill("#notice_year", case["notice_year"])
    page.fill("#email", case["email"])
    page.fill("#phone", "418 555-0123")
    page.click("#continue")
    page.wait_for_url("**/enrol/email")


def give_representative(page: Page, installation: Installation, case: dict[str, Any]) -> None:
    """Say who the representative is, then confirm their e-mail address with the code sent there."""
    known = len(installation.mails(case["email"]))
    fill_representative(page, case)
    page.fill("#code", installation.emailed_code(case["email"], known))
    page.click("#continue")
    page.wait_for_url("**/enrol/tasks")


def name_people(page: Page, case: dict[str, Any]) -> None:
    """Name those in charge."""
    page.click("main a[href='/enrol/people']")
    for named in case["pes"]:
        page.click("#add-person")
        page.fill("#given_name", named["given_name"])
        page.fill("#family_name", named["family_name"])
        page.fill("#email", named["email"])
        page.fill("#phone", "418 555-0188")
        page.click("#continue")
        page.wait_for_url("**/enrol/people")
    page.click("#continue")
    page.wait_for_url("**/enrol/tasks")


def check_answers(page: Page) -> None:
    """Go to the page that shows every answer."""
    page.click("main a[href='/enrol/check']")
    page.wait_for_url("**/enrol/check")


def submit(page: Page) -> None:
    """Accept the terms and submit."""
    page.check("#terms")
    page.click("#submit")


def enrol(page: Page, installation: Installation, case: dict[str, Any]) -> None:
    """Do everything from the first page to the page of the submitted file."""
    start_file(page, installation)
    give_enterprise(page, case)
    give_tax_number(page, case)
    give_representative(page, installation, case)
    name_people(page, case)
    check_answers(page)
    submit(page)


def begin_account(page: Page, installation: Installation, case: dict[str, Any]) -> None:
    """From the page of a verified file, with the code sent for it, to the representative's first password."""
    known = installation.codes_sent(case["email"])
    page.click("#create-account")
    page.fill("#code", installation.emailed_code(case["email"], known))
    page.click("#continue")


# First sign-in


def choose_password_and_factor(page: Page, installation: Installation, password: str = GOOD_PASSWORD) -> dict[str, Any]:
    """Choose a password, add the application with the typed key; return what the person types from then on."""
    page.fill("#new-password", password)
    page.fill("#new-password-repeat", password)
    page.click("#new-password-submit")
    return {"password": password, "totp_secret": add_factor(page, installation)}


def add_factor(page: Page, installation: Installation) -> str:
    """Add the application by its typed key, prove it with a code; return the key."""
    secret = page.inner_text("#totp-key").replace(" ", "").replace("\u00a0", "")
    page.fill("#otp", installation.code(secret))
    page.click("#otp-submit")
    page.wait_for_url(lambda url: "/activate" not in url)
    if page.locator("#recovery-codes-later").count():
        page.click("#recovery-codes-later")
    return secret


def read_slips(page: Page) -> Slips:
    """Read both slips on the page that shows them once."""
    expect(page.locator("#slip-secret")).to_be_visible()
    return Slips(page.inner_text("#slip-code"), page.inner_text("#slip-password"))


def activate(page: Page, installation: Installation, slips: Slips, email: str) -> dict[str, Any]:
    """Sign in for the first time with the two slips and the code sent by e-mail; return the person's credentials."""
    page.goto(f"{installation.issuer}/activate")
    page.fill("#user-code", slips.user_code)
    page.fill("#temporary-password", slips.temporary_password)
    page.click("#activate")
    page.fill("#email-code", installation.emailed_code(email))
    page.click("#email-code-submit")
    return {"user_code": slips.user_code, **choose_password_and_factor(page, installation)}


# The person in charge


def answer_amp(page: Page, email: str) -> None:
    """Answer AMP's questions as an enterprise that is not a client, ask for every block, consent, submit."""
    page.check("input[name='q-is_client'][value='no']")
    page.fill("#q-contact_email", email)
    for box in page.locator("input[name='q-blocks']").all():
        box.check()
    page.click("#questions-submit")
    page.wait_for_url("**/agencies/amp/subscribe/check")
    consent_to_subscription(page)


def add_user(page: Page, given_name: str, family_name: str, email: str) -> Slips:
    """Add a user from the page of people, and read their slips."""
    page.click("#add-user")
    page.fill("#given_name", given_name)
    page.fill("#family_name", family_name)
    page.fill("#email", email)
    page.click("#add-person")
    return read_slips(page)


def change_right(page: Page, installation: Installation, code: str, name: str) -> None:
    """Turn one box of AMP's matrix over, and go to the page that asks to confirm."""
    page.goto(f"{installation.issuer}/agencies/amp/rights")
    page.get_by_label(f"{code} pour {name}").click(force=True)  # the label lies over the box, as for everybody
    page.click("#check-changes")
    page.wait_for_url("**/rights/preview?**")


def ask_for_a_creature(page: Page, installation: Installation) -> None:
    """Answer the questions of the fictitious agency, whose subscriptions a person decides."""
    page.goto(f"{installation.issuer}/agencies/bac/subscribe")
    page.check("input[name='q-creature'][value='licorne']")
    for part, value in (("day", "1"), ("month", "4"), ("year", "2027")):
        page.fill(f"#q-opening-{part}", value)
    page.check("input[name='q-insured']")
    for box in page.locator("input[name='q-blocks']").all():
        box.check()
    page.click("#questions-submit")
    page.wait_for_url("**/subscribe/check")


def consent_to_subscription(page: Page) -> None:
    """Consent to what an agency will know, and submit."""
    page.check("#consent")
    page.click("#subscription-submit")
    page.wait_for_url(lambda url: "/subscribe" not in url)


# The desk


def decide(page: Page, decision: str, *, reason: str | None = None, note: str | None = None) -> None:
    """Record a decision on a file or on a subscription."""
    page.check(f"input[name='decision'][value='{decision}']")
    if reason:
        page.check(f"input[name='reason'][value='{reason}']")
    if note:
        page.fill("#note", note)
    page.click("#record-decision")
    expect(page.locator(".govuk-notification-banner")).to_be_visible()
