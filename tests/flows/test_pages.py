"""Every page there is, in both languages and on a narrow screen, under the real policy: a page without a visitor fails."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import update

from idp.accounts import services as accounts
from idp.accounts.models import SignInRow
from idp.accounts.people.contact_services import note_confirmed
from idp.accounts.people.name_services import change as change_name
from idp.accounts.sign_in.sign_in_services import check_password
from idp.clock import SystemClock
from idp.db import transaction
from idp.delegation import services as delegation
from idp.identifiers import UserCode
from tests.accounts.conftest import switch_on
from tests.flows import journeys
from tests.flows.devices import give_device
from tests.flows.installation import Installation, waited_for
from tests.flows.journeys import NewPage
from tests.flows.scanning import Scan, faults_of

pytestmark = pytest.mark.browser

NOT_PAGES = {
    "static": "files",
    "oidc.authorize": "leads on; what it refuses is scanned as an answer",
    "oidc_interaction.cancel": "leads back to the agency",
    "desk.document": "the document itself",
    "my_data.download": "a file",
    "pages.security_contact": "a file (RFC 9116)",
}
VISITED = {
    "public": (
        *("pages.home", "pages.help_page", "pages.accessibility", "pages.privacy", "enrollment.terms"),
        *("sign_in.password", "activation.slips", "enrollment.before_you_start", "enrollment.resume"),
        *("enrollment.resume_code", "passkeys.alone", "recovery.start", "recovery.code", "recovery.user_code"),
        *("recovery.user_code_sent", "recovery.lost_factor", "recovery.objection"),
    ),
    "draft": (
        *("enrollment.tasks", "enrollment.enterprise", "enrollment.enterprise_confirm", "enrollment.tax_number"),
        *("enrollment.representative", "enrollment.confirm_email", "enrollment.people", "enrollment.name_person"),
        *("enrollment.correct_person", "enrollment.check", "enrollment.withdraw"),
    ),
    "file": (
        *("enrollment.file", "enrollment.mailed_code", "enrollment.document", "enrollment.contest"),
        *("enrollment.account_code", "enrollment.slip", "activation.password", "activation.factor"),
    ),
    "security": (
        *("security.security", "security.password", "security.application", "security.passkey"),
        *("security.recovery_codes", "security.remove", "security.rename", "sign_in.recovery_code"),
        *("passkeys.second_factor", "confirm.with_passkey"),
    ),
    "code by e-mail": ("email_sign_in.code", "sign_in.second_factor"),
    "forgotten password": ("recovery.factor", "recovery.passkey", "recovery.password"),
    "first sign-in": (
        *("activation.opening", "activation.email_code", "activation.linked", "linking.link", "sign_in.second_factor"),
    ),
    "enterprise": (
        *("subscriptions.home", "subscriptions.agencies", "subscriptions.agency", "subscriptions.subscribe"),
        *(
            "subscriptions.check",
            "subscriptions.withdraw",
            "changes.change",
            "changes.check",
            "rights.rights",
            "rights.preview",
            "rights.saved",
        ),
        *("people.people", "people.person", "people.new_user", "people.confirm_act", "people.roster"),
        "people.confirm_vouch",
        "reminders.remind",
        *("requests.ask", "requests.mine", "requests.requests", "requests.one"),
        *("people.new_pes", "people.choose", "journal.journal", "journal.why", "accounts.account"),
        *("oidc_systems.systems", "oidc_systems.approve", "oidc_systems.check", "oidc_systems.revoke"),
        *("reproofing.confirm", "reproofing.confirm_unlock"),
    ),
    "account": (
        *("confirm.again", "confirm.waiting", "devices.sessions", "freezing.own", "freezing.stranger", "freezing.code"),
        *("freezing.frozen", "my_data.activity", "my_data.about", "email_change.ask", "email_change.code"),
        *("email_change.undo", "freezing.thaw", "closing.about", "closing.closed"),
        "names.correct",
    ),
    "question": ("questions.ask", "questions.sent", "questions.questions", "details.mine", "details.enterprise"),
    "agency": (
        *("oidc_interaction.enterprise", "oidc_interaction.consent", "oidc_interaction.no_right"),
        *("oidc_consents.consents", "oidc_end_session.end_session", "oidc_farewell.done"),
    ),
    "developer": ("oidc_playground.playground", "oidc_playground.callback", "oidc_interaction.missing_block"),
    "desk": (
        *("desk.queue", "desk.file", "desk_reproofing.queue", "desk_subscriptions.queue"),
        *("desk_subscriptions.subscription", "desk_lockouts.ask"),
    ),
}
PORTAL_NOT_PAGES = {"static", "sign_in", "initiate_login", "callback", "unread", "disclosure"}  # they lead elsewhere


@pytest.fixture
def scan(installation: Installation) -> Scan:
    """Begin a scan of Mandat's pages."""
    return Scan(installation.app)


def _done(scan: Scan, tour: str) -> None:
    assert scan.faults == []
    assert sorted(set(VISITED[tour]) - scan.seen) == []


def _pages(app: Flask) -> set[str]:
    """Return what answers a GET with something to look at: not what speaks to programs."""
    return {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and not getattr(app.view_functions[rule.endpoint], "machine", False)
    }


def test_every_page_has_a_visitor(installation: Installation) -> None:
    """A page added to the application is scanned by default: its endpoint must be in one of the tours."""
    visited = {endpoint for tour in VISITED.values() for endpoint in tour}

    assert sorted(_pages(installation.app) - visited - set(NOT_PAGES)) == []
    assert sorted((visited | set(NOT_PAGES)) - _pages(installation.app)) == []


def test_the_scan_sees(page: Page) -> None:
    """A page made of known faults is reported for each of them."""
    page.set_content(
        "<html lang='en'><title>x</title><body><h1>One</h1><h1>Two</h1><img src='data:,'><input>"
        "<p style='color:#ccc;background:#fff'>pale</p><div style='width:3000px'>wide</div></body></html>"
    )

    found = "\n".join(faults_of(page, "fr"))

    for fault in ("image-alt", "label", "color-contrast", "wider than", "2 level-one", "says it is in", "title"):
        assert fault in found


def test_public_pages(installation: Installation, scan: Scan, page: Page) -> None:
    """What anybody may read, and the first page of each way in."""
    for path in ("", "help", "accessibility", "privacy", "terms", "sign-in", "sign-in/passkey", "activate", "enrol"):
        page.goto(f"{installation.issuer}/{path}")
        scan.visit(page)
    page.goto(f"{installation.issuer}/enrol/resume")
    scan.visit(page)
    page.fill("#number", "QX4T-7K9M")
    page.click("#continue")
    scan.visit(page)
    page.goto(f"{installation.issuer}/sign-in")
    page.click("#login")
    expect(page.locator("#error-summary")).to_be_focused()
    journeys.expect_mistakes(page)
    scan.stay(page)
    for path in ("recover", "recover/user-code", "recover/lost-factor", "recover/objection"):
        page.goto(f"{installation.issuer}/{path}")
        scan.visit(page)
    page.goto(f"{installation.issuer}/recover/user-code")
    page.fill("#email", "personne@example.com")
    page.click("#recover-user-code")
    scan.visit(page)
    page.goto(f"{installation.issuer}/recover")
    page.fill("#user-code", "AAAA-0000")
    page.click("#recover")
    scan.visit(page)
    page.click("#email-code-submit")
    scan.stay(page)
    for nowhere in ("nowhere", "authorize?client_id=unknown"):
        page.goto(f"{installation.issuer}/{nowhere}")
        scan.stay(page)

    _done(scan, "public")


def test_pages_of_a_forgotten_password(installation: Installation, scan: Scan, page: Page) -> None:
    """The steps after the code, empty and with their errors; the password itself stays."""
    user = installation.persona("user")
    page.goto(f"{installation.issuer}/recover")
    page.fill("#user-code", user["user_code"])
    page.click("#recover")
    page.fill("#email-code", installation.emailed_code("julie@licorne.example"))
    page.click("#email-code-submit")
    scan.visit(page)
    page.click("#use-passkey")
    scan.visit(page)
    page.click("#use-code")
    page.click("#otp-submit")
    scan.stay(page)
    page.fill("#otp", installation.code(user["totp_secret"]))
    page.click("#otp-submit")
    scan.visit(page)
    page.fill("#new-password", "court")
    page.click("#new-password-submit")
    scan.stay(page)

    _done(scan, "forgotten password")


def test_pages_of_a_draft(installation: Installation, scan: Scan, page: Page) -> None:
    """Each task of a file, empty, with errors and answered."""
    case = installation.enrolment("online")
    journeys.start_file(page, installation)
    scan.visit(page)
    for path in ("enterprise", "tax-number", "representative", "people/new"):
        page.goto(f"{installation.issuer}/enrol/{path}")
        scan.visit(page)
        page.click("#continue")
        journeys.expect_mistakes(page)
        scan.stay(page)
    page.goto(f"{installation.issuer}/enrol/people")
    scan.visit(page)
    page.goto(f"{installation.issuer}/enrol/enterprise")
    page.fill("#neq", installation.enrolment("struck_off")["neq"])
    page.click("#continue")
    scan.stay(page)
    page.goto(f"{installation.issuer}/enrol/tasks")
    journeys.give_enterprise(page, case)
    page.goto(f"{installation.issuer}/enrol/enterprise/confirm")
    scan.visit(page)
    page.goto(f"{installation.issuer}/enrol/tasks")
    journeys.give_tax_number(page, case)
    journeys.fill_representative(page, case)
    scan.visit(page)
    page.goto(f"{installation.issuer}/enrol/email?lang=fr")
    page.fill("#code", installation.emailed_code(case["email"]))
    page.click("#continue")
    journeys.name_people(page, case)
    page.goto(f"{installation.issuer}/enrol/people")
    scan.visit(page)
    page.click(".govuk-summary-card a")
    scan.visit(page)
    for path in ("tasks", "file/withdraw", "check"):
        page.goto(f"{installation.issuer}/enrol/{path}")
        scan.visit(page)
    page.click("#submit")
    scan.stay(page)

    _done(scan, "draft")


def test_pages_of_a_file(installation: Installation, scan: Scan, new_page: NewPage) -> None:
    """A file after its submission: mailed code, refused, verified, with slips to hand over."""
    mailed, refused, verified = new_page(), new_page(), new_page()
    journeys.enrol(mailed, installation, installation.enrolment("mailed_code"))
    for path in ("file", "file/code", "file/document"):
        mailed.goto(f"{installation.issuer}/enrol/{path}")
        scan.visit(mailed)
        if path != "file":
            mailed.click("#continue")
            scan.stay(mailed)
    journeys.enrol(refused, installation, installation.enrolment("struck_off"))
    scan.visit(refused)
    refused.click("#contest")
    scan.visit(refused)
    case = installation.enrolment("online") | {"email": "autre@entreprise.example"}
    journeys.enrol(verified, installation, case)
    scan.visit(verified)
    known = installation.codes_sent(case["email"])
    verified.click("#create-account")
    scan.visit(verified)
    verified.fill("#code", installation.emailed_code(case["email"], known))
    verified.click("#continue")
    scan.visit(verified)
    verified.click("#new-password-submit")
    scan.stay(verified)
    verified.fill("#new-password", journeys.GOOD_PASSWORD)
    verified.fill("#new-password-repeat", journeys.GOOD_PASSWORD)
    verified.click("#new-password-submit")
    scan.visit(verified)
    journeys.add_factor(verified, installation)
    scan.visit(verified)
    verified.click("main a[href*='/enrol/file/slips/']")
    scan.visit(verified)
    verified.click("#show-slips")
    scan.stay(verified)

    _done(scan, "file")


def test_pages_of_a_first_sign_in(installation: Installation, scan: Scan, new_page: NewPage) -> None:
    """The link of an opening, the code by e-mail, a code added to an account, the second factor."""
    now = SystemClock().now()
    with installation.app.app_context():
        ready = installation.persona("user")
        known = accounts.user_codes([ready["user_code"].replace("-", "")], now=now)
        person = next(iter(known.values())).person_id
        added = accounts.issue_user_code(person, now=now)
        token = accounts.open_first_credential(person, added, now=now)
    slips = installation.newcomer("aube@entreprise.example")
    linked, first, again = new_page(), new_page(), new_page()
    linked.goto(f"{installation.issuer}/activate/start?token={token}")
    scan.visit(linked)
    linked.click("#activate-start")
    scan.visit(linked)
    first.goto(f"{installation.issuer}/activate/start?token=gone")
    scan.visit(first)
    first.goto(f"{installation.issuer}/activate")
    first.fill("#user-code", slips.user_code)
    first.fill("#temporary-password", slips.temporary_password)
    first.click("#activate")
    scan.visit(first)
    first.click("#email-code-submit")
    scan.stay(first)
    again.goto(f"{installation.issuer}/sign-in")
    again.fill("#username", ready["user_code"])
    again.fill("#password", ready["password"])
    again.click("#login")
    scan.visit(again)
    again.fill("#otp", "000000")
    again.click("#otp-submit")
    scan.stay(again)
    first.fill("#email-code", installation.emailed_code("aube@entreprise.example"))
    first.click("#email-code-submit")
    first.click("#have-account")
    journeys.type_credentials(first, installation, ready)
    first.wait_for_url("**/activate/link")
    scan.visit(first)

    _done(scan, "first sign-in")


def test_pages_of_security(installation: Installation, scan: Scan, new_page: NewPage) -> None:
    """Every way of signing in, empty, with errors and added; the second factors at the sign-in."""
    page, again = new_page(), new_page()
    give_device(page)
    give_device(again)
    persona = installation.persona("operator2")
    journeys.sign_in(page, installation, persona)
    for path in ("", "/password", "/application", "/passkey", "/recovery-codes"):
        page.goto(f"{installation.issuer}/account/security{path}")
        scan.visit(page)
    mistakes = (("security/password", "#new-password-submit"), ("security/application", "#otp-submit"))
    for path, button in (*mistakes, ("close", "#close-account")):
        page.goto(f"{installation.issuer}/account/{path}")
        page.click(button)
        journeys.expect_mistakes(page)
        scan.stay(page)
    page.goto(f"{installation.issuer}/account/security/passkey")
    page.fill("#nickname", "Clé")
    page.click("#passkey-submit")
    page.wait_for_url("**/account/security")
    scan.stay(page)
    page.click(".govuk-summary-list__actions a >> nth=1")
    scan.visit(page)
    page.goto(f"{installation.issuer}/account/security")
    page.click(".govuk-summary-list__actions a >> nth=0")
    scan.visit(page)
    page.fill("#nickname", "")
    page.click("#rename-factor")
    journeys.expect_mistakes(page)
    scan.stay(page)
    page.goto(f"{installation.issuer}/account/security/recovery-codes")
    page.click("#recovery-codes-submit")
    scan.stay(page)
    page.goto(f"{installation.issuer}/confirm?next=/account/security")
    expect(page.locator("#use-passkey")).to_be_visible()
    scan.stay(page)
    page.click("#use-passkey")
    scan.visit(page)
    again.goto(f"{installation.issuer}/sign-in")
    again.fill("#username", persona["user_code"])
    again.fill("#password", persona["password"])
    again.click("#login")
    again.wait_for_url("**/sign-in/code/passkey")
    scan.visit(again)
    again.click("#passkey-submit")
    expect(again.locator("[data-passkey-error]:visible")).to_have_count(1)
    scan.stay(again)
    again.click("#use-recovery-code")
    scan.visit(again)
    again.click("#recovery-code-submit")
    journeys.expect_mistakes(again)
    scan.stay(again)

    _done(scan, "security")


def test_pages_of_a_code_by_email(installation: Installation, scan: Scan, page: Page) -> None:
    """Where it is switched on: before and after the code was sent, a wrong one, and the page that asks for a factor."""
    persona = installation.persona("user")
    address = _address_of(installation, persona)
    with installation.app.app_context():
        switch_on(installation.app)
        note_confirmed(address, now=SystemClock().now())
    page.goto(f"{installation.issuer}/sign-in")
    page.fill("#username", persona["user_code"])
    page.fill("#password", persona["password"])
    page.click("#login")
    scan.visit(page)
    page.click("#use-email-code")
    scan.visit(page)
    page.click("#email-code-send")
    expect(page.locator("#email-code")).to_be_visible()
    scan.stay(page)
    page.click("#email-code-again")
    scan.stay(page)
    page.fill("#email-code", "00000000")
    page.click("#email-code-submit")
    journeys.expect_mistakes(page)
    scan.stay(page)
    page.fill("#email-code", installation.emailed_code(address))
    page.click("#email-code-submit")
    page.wait_for_url("**/home")
    scan.stay(page)
    page.goto(f"{installation.issuer}/account/security")
    expect(page.locator("#reads-only")).to_be_visible()
    scan.stay(page)
    switch_on(installation.app, on=False)

    _done(scan, "code by e-mail")


def test_the_way_of_a_question(installation: Installation, scan: Scan, new_page: NewPage) -> None:
    """A person who does not know their PES writes; those in charge read it, answer, and say so; a user sees whom to ask."""
    asker, pes, user = new_page(), new_page(), new_page()
    known = len(installation.mails("marc-andre@licorne.example"))
    shown = []
    for neq in ("1100000455", "1100000018"):
        asker.goto(f"{installation.issuer}/")
        asker.click("#home-who")
        if not shown:
            scan.visit(asker)
        asker.fill("#neq", neq)
        asker.fill("#message", "Voyez www.piege.example")
        asker.click("#send-question")
        expect(asker.locator("#error-summary li")).to_have_count(3)
        journeys.expect_mistakes(asker)
        if not shown:
            scan.stay(asker)
        asker.fill("#name", "ᐃᓄᒃ Tremblé")
        asker.fill("#email", "inuk@exemple.example")
        asker.fill("#message", "Je travaille à l’entrepôt depuis lundi.")
        asker.click("#send-question")
        asker.wait_for_url("**/who-is-my-pes/sent")
        shown.append(asker.inner_text("main"))
    assert shown[0] == shown[1]
    scan.visit(asker)

    mail = waited_for(lambda: installation.mails("marc-andre@licorne.example")[known:], "no e-mail about the question")[
        0
    ]
    assert "l’entrepôt depuis lundi" in mail
    journeys.sign_in(pes, installation, installation.persona("pes"))
    pes.goto(f"{installation.issuer}/roster")
    pes.click("#questions")
    expect(pes.locator("main")).to_contain_text("ᐃᓄᒃ Tremblé")
    expect(pes.locator("main a[href^='mailto:inuk']")).to_be_visible()
    scan.visit(pes)
    pes.click("button[id^='answered-']")
    expect(pes.locator("main")).to_contain_text("marqué comme répondu")
    scan.visit(pes)
    for path in ("my-details", "enterprise"):
        pes.goto(f"{installation.issuer}/{path}")
        scan.visit(pes)
    journeys.sign_in(user, installation, installation.persona("user"))
    user.goto(f"{installation.issuer}/home")
    expect(user.locator("main a[href^='mailto:']").first).to_be_visible()
    scan.visit(user)

    _done(scan, "question")


def test_pages_of_an_enterprise(installation: Installation, scan: Scan, new_page: NewPage) -> None:
    """What its PES, its AR, a user and somebody with two enterprises see."""
    pes = new_page()
    journeys.sign_in(pes, installation, installation.persona("pes"))
    person = _first_user(installation)
    plain = ("home", "agencies", "agencies/amp", "agencies/bac", "agencies/bac/subscribe", "agencies/amp/withdraw")
    about = ("people", "people/new", f"people/{person}", "roster", "journal", "account", "why")
    acts = tuple(f"people/{person}/{act}" for act in ("suspend", "remove", "lost-factor"))
    rights = ("agencies/amp/rights", f"agencies/amp/rights?person={person}")
    for path in (*plain, *about, *acts, *rights, f"why?person={person}&agency=amp&block=018"):
        pes.goto(f"{installation.issuer}/{path}")
        scan.visit(pes)
    _rename(installation, "user")
    pes.goto(f"{installation.issuer}/people/{person}/vouch")
    scan.visit(pes)
    _lock(installation, "user")
    for path in ("people", f"people/{person}", f"people/{person}/unlock"):
        pes.goto(f"{installation.issuer}/{path}")
        scan.visit(pes)
    pes.click("#confirm")
    scan.stay(pes)
    for path, button in (("people/new", "#add-person"), ("agencies/bac/subscribe", "#questions-submit")):
        pes.goto(f"{installation.issuer}/{path}")
        pes.click(button)
        journeys.expect_mistakes(pes)
        scan.stay(pes)
    journeys.change_right(pes, installation, "005", "Julie")
    scan.visit(pes)
    pes.click("#confirm-changes")
    pes.wait_for_url("**/rights/saved")
    journeys.change_right(pes, installation, "008", "Julie")
    pes.click("#confirm-changes")
    pes.wait_for_url("**/rights/saved")
    scan.visit(pes)
    _visit_systems(pes, installation, scan)
    _visit_change(pes, installation, scan)
    journeys.ask_for_a_creature(pes, installation)
    scan.visit(pes)
    journeys.consent_to_subscription(pes)
    scan.visit(pes)
    _visit_request(pes, new_page(), installation, scan)
    for key, paths in (
        ("ar", ("home", "roster", "roster/new", "agencies", "agencies/amp/systems", "agencies/amp/remind", "journal")),
        ("user", ("home",)),
        ("two_enterprises", ("enterprises",)),
    ):
        other = new_page()
        journeys.sign_in(other, installation, installation.persona(key))
        for path in paths:
            other.goto(f"{installation.issuer}/{path}")
            scan.visit(other)

    _done(scan, "enterprise")


def _visit_request(pes: Page, user: Page, installation: Installation, scan: Scan) -> None:
    """Ask for access, with its mistakes; the person in charge refuses, with a mistake."""
    journeys.sign_in(user, installation, installation.persona("user"))
    user.goto(f"{installation.issuer}/agencies/amp/ask")
    scan.visit(user)
    user.click("#ask-submit")
    journeys.expect_mistakes(user)
    scan.stay(user)
    user.check("#blocks-1" if user.locator("#blocks-1").count() else "#blocks")
    user.fill("#reason", "Je remplace Omar jusqu’à son retour")
    user.click("#ask-submit")
    user.wait_for_url("**/my-requests")
    scan.visit(user)
    pes.goto(f"{installation.issuer}/requests")
    scan.visit(pes)
    pes.click("#requests a")
    scan.visit(pes)
    pes.click("#request-refuse")
    journeys.expect_mistakes(pes)
    scan.stay(pes)
    pes.fill("textarea[name=reason]", "Demandez plutôt le bloc 007")
    pes.click("#request-refuse")
    pes.wait_for_url("**/requests")
    pes.goto(f"{installation.issuer}/requests?ended=1")
    scan.visit(pes)
    user.goto(f"{installation.issuer}/my-requests")
    scan.visit(user)


def _visit_change(pes: Page, installation: Installation, scan: Scan) -> None:
    """Change the subscription to AMP, with its mistakes; a person at the agency is to decide."""
    pes.goto(f"{installation.issuer}/agencies/amp/change")
    scan.visit(pes)
    pes.check("input[name='q-is_client'][value='yes']")
    pes.click("#change-continue")
    journeys.expect_mistakes(pes)
    scan.stay(pes)
    pes.fill("#q-client_number", "0123456789")
    pes.uncheck("input[name='q-blocks'][value='005']")
    pes.click("#change-continue")
    pes.wait_for_url("**/change/check")
    scan.visit(pes)
    pes.click("#change-send")
    journeys.expect_mistakes(pes)
    scan.stay(pes)
    pes.check("#consent")
    pes.click("#change-send")
    pes.wait_for_url("**/agencies/amp")
    scan.visit(pes)


def _visit_systems(pes: Page, installation: Installation, scan: Scan) -> None:
    """Approve software, with its mistakes, and revoke it."""
    pes.goto(f"{installation.issuer}/agencies/amp/systems")
    scan.visit(pes)
    pes.click("#approve")
    scan.visit(pes)
    pes.click("#system-continue")
    journeys.expect_mistakes(pes)
    scan.stay(pes)
    pes.check("[value=tools-system-new]")
    pes.fill("#label", "Appels d’offres")
    pes.check("[name=blocks][value='001']")
    pes.click("#system-continue")
    pes.wait_for_url("**/systems/check?*")
    scan.visit(pes)
    pes.click("#system-confirm")
    pes.wait_for_url("**/agencies/amp/systems")
    pes.click("a[id^=revoke-]")
    scan.visit(pes)
    pes.click("#system-revoke")
    pes.wait_for_url("**/agencies/amp/systems")
    scan.visit(pes)


def test_pages_of_an_account(installation: Installation, scan: Scan, page: Page) -> None:
    """A sign-in that is no longer fresh confirms before an act; one that lapsed finds its form again."""
    persona = installation.persona("pes")
    journeys.sign_in(page, installation, persona)
    plain = ("sessions", "activity", "data", "name", "email", "freeze", "close")
    for path in (*(f"account/{each}" for each in plain), "undo-email", "freeze", "frozen", "closed"):
        page.goto(f"{installation.issuer}/{path}")
        scan.visit(page)
    page.goto(f"{installation.issuer}/account/name")
    page.fill("#family-name", "2")
    page.click("#name-submit")
    journeys.expect_mistakes(page)
    scan.stay(page)
    page.goto(f"{installation.issuer}/account/email")
    page.fill("#email", "autre@entreprise.example")
    page.click("#email-submit")
    expect(page.locator("#email-code")).to_be_visible()
    scan.visit(page)
    page.goto(f"{installation.issuer}/people/{_first_user(installation)}/suspend")
    _age(installation, persona, auth_time=SystemClock().now() - timedelta(minutes=6))
    page.click("main button >> nth=0")
    expect(page.locator("#confirm-cancel")).to_be_visible()
    scan.visit(page)
    page.click("#otp-submit")
    expect(page.locator("#error-summary")).to_be_focused()
    scan.stay(page)
    _age(installation, persona, auth_time=SystemClock().now())
    page.goto(f"{installation.issuer}/people/new")
    page.fill("#given_name", "Noé")
    _age(installation, persona, expires_at=SystemClock().now())
    page.click("#add-person")
    journeys.type_credentials(page, installation, persona)
    expect(page.locator("#continue")).to_be_visible()
    scan.stay(page)
    page.goto(f"{installation.issuer}/freeze")
    page.click("#freeze")
    scan.stay(page)
    page.fill("#user-code", "ZZZZ-0000")
    page.click("#freeze")
    expect(page.locator("#email-code")).to_be_visible()
    scan.visit(page)
    page.goto(f"{installation.issuer}/account/freeze")
    page.click("#freeze")
    page.wait_for_url("**/frozen")
    journeys.type_credentials(_at_sign_in(page, installation), installation, persona)
    page.wait_for_url("**/unfreeze")
    scan.visit(page)
    page.fill("#email-code", installation.emailed_code(_address_of(installation, persona)))
    page.click("#email-code-submit")
    page.wait_for_url("**/sign-in")

    _done(scan, "account")


def _at_sign_in(page: Page, installation: Installation) -> Page:
    page.goto(f"{installation.issuer}/sign-in")
    return page


def _address_of(installation: Installation, persona: dict[str, Any]) -> str:
    with installation.app.app_context():
        signs = persona["user_code"].replace("-", "")
        return accounts.person(accounts.user_codes([signs])[signs].person_id).email


def _age(installation: Installation, persona: dict[str, Any], **values: datetime) -> None:
    """Let the persona's sign-ins be older than they are."""
    with installation.app.app_context(), transaction() as session:
        signs = persona["user_code"].replace("-", "")
        session.execute(update(SignInRow).where(SignInRow.user_code == signs).values(**values))


def _lock(installation: Installation, key: str) -> None:
    """Try five wrong passwords for a person of the demonstration."""
    code = UserCode.parse(installation.persona(key)["user_code"])
    with installation.app.app_context():
        for _ in range(5):
            check_password(code, "faux mot de passe", next_path="/", now=SystemClock().now())


def _first_user(installation: Installation) -> str:
    with installation.app.app_context():
        return str(delegation.memberships_of(_person_of(installation, "user"))[0].id)


def _person_of(installation: Installation, persona: str) -> str:
    """Return the id of the person behind a persona."""
    signs = installation.persona(persona)["user_code"].replace("-", "")
    return next(iter(accounts.user_codes([signs], now=SystemClock().now()).values())).person_id


def _rename(installation: Installation, persona: str) -> None:
    """Correct the name of a persona, so that somebody has to vouch for it again."""
    with installation.app.app_context():
        person_id = _person_of(installation, persona)
        change_name(person_id, given_name="Julie", family_name="Pontbriand", now=SystemClock().now())


def test_pages_on_the_way_to_an_agency(installation: Installation, scan: Scan, new_page: NewPage) -> None:
    """The choice of an enterprise, the consent, no right, the consents given, the end; and every page of the portal."""
    portal = Scan(installation.portal_app)
    two, suspended, away = new_page(), new_page(), new_page()
    two.goto(installation.portal)
    portal.visit(two)
    journeys.open_portal(two, installation, installation.persona("two_enterprises"))
    scan.visit(two)
    two.click("#enterprise-3300000018")
    scan.visit(two)
    journeys.agree(two, installation)
    for path in ("", "told", "requests", "follow-up", "invoices", "application", "relationships", "client-file"):
        answer = two.goto(f"{installation.portal}/{path}?lang=fr")
        assert answer is not None
        assert answer.status == 200, path
        portal.visit(two)
        if path in ("requests", "application", "relationships"):
            two.locator("main form[novalidate] button").first.click()
            portal.stay(two)
    _visit_acts(two, installation, portal, scan)
    two.goto(f"{installation.portal}/messages")
    portal.visit(two)
    two.click("main ul a >> nth=0")
    portal.visit(two)
    two.click(".acting a")
    two.click("#enterprise-1100000455")
    journeys.agree(two, installation)
    two.click("#block-018 a")
    portal.stay(two)
    two.goto(f"{installation.issuer}/consents")
    scan.visit(two)
    two.goto(f"{installation.issuer}/end-session")
    scan.visit(two)
    two.goto(f"{installation.portal}/")
    two.click("#sign-out")
    two.wait_for_url("**/signed-out**")
    portal.visit(two)
    away.goto(f"{installation.issuer}/end-session/done")
    scan.visit(away)
    journeys.open_portal(suspended, installation, installation.persona("suspended"))
    scan.visit(suspended)

    assert portal.faults == []
    assert sorted(_pages(installation.portal_app) - PORTAL_NOT_PAGES - portal.seen) == []
    _done(scan, "agency")


def _visit_acts(page: Page, installation: Installation, portal: Scan, scan: Scan) -> None:
    """What binds an enterprise: asked to sign in again, with the act ready, and what is said when it came to nothing."""
    extensions = installation.portal_app.extensions
    usual = extensions["portal.settings"]
    page.goto(f"{installation.portal}/application")
    page.select_option("#category", "services")
    page.fill("#respondent", "Maïka Plumedor")
    page.fill("#description", "Ménage de bureaux")
    page.click("main button")
    portal.visit(page)
    page.fill("#value", "1 250 000,50")
    page.click("main button")
    page.select_option("#kind", "officer")
    page.fill("#name", "محمد بن علي")
    page.click("#add-relationship")
    portal.visit(page)
    for path in ("check", "relationships/1", "relationships/1/removal", "relationships/999"):
        page.goto(f"{installation.portal}/application/{path}")
        portal.visit(page)
    page.goto(f"{installation.portal}/relationships")
    portal.visit(page)
    page.check("input[name=disclose]")
    page.click("#disclose")
    page.select_option("#kind", "director")
    page.fill("#name", "Ginette Plumedor")
    page.click("main form:not([action]) button")
    extensions["portal.settings"] = replace(usual, step_up_seconds=0)
    try:
        page.click("form[action='/relationships/validation'] button")
        portal.visit(page)
        page.goto(f"{installation.portal}/invoices")
        page.get_by_role("button", name="Payer").first.click()
        portal.visit(page)
        page.click("#step-up")
        expect(page.locator("#asked-again")).to_be_visible()
        scan.visit(page)
        journeys.type_credentials(page, installation, installation.persona("two_enterprises"))
        expect(page.locator("#confirm-act")).to_be_visible()
        portal.visit(page)
    finally:
        extensions["portal.settings"] = usual
    page.goto(f"{installation.portal}/relationships/validation")
    expect(page.locator("#confirm-act")).to_be_visible()
    portal.visit(page)
    page.click("#confirm-act")
    expect(page.locator("#application-number")).to_be_visible()
    portal.visit(page)
    for path in ("application", "application/new", "invoices", "client-file"):
        page.goto(f"{installation.portal}/{path}")
        portal.visit(page)
    for path in ("requests", "follow-up"):
        page.goto(f"{installation.portal}/{path}")
        if path == "requests":
            page.select_option("#kind", "meeting")
            page.fill("#subject", "Quand se parler")
            page.fill("#text", "Bonjour")
            page.click("main button")
        else:
            for link in [link.get_attribute("href") for link in page.locator("main table a").all()]:
                page.goto(f"{installation.portal}{link}")
                portal.visit(page)
    for why in ("cancelled", "not_fresh", "somebody_else"):
        page.goto(f"{installation.portal}/not-confirmed?why={why}&next=/invoices/1")
        portal.visit(page)


def test_pages_of_a_developer(installation: Installation, scan: Scan, page: Page) -> None:
    """The playground: empty, refused, and what came of a test in each response mode, with the error that was answered."""
    journeys.sign_in(page, installation, installation.persona("user"))
    page.goto(f"{installation.issuer}/playground")
    scan.visit(page)
    page.click("#playground-begin")
    journeys.expect_mistakes(page)
    scan.stay(page)
    for mode, details in (("query", ""), ("form_post", ""), ("query", "[1]")):
        page.goto(f"{installation.issuer}/playground")
        page.check("input[name=agency][value=amp]")
        page.check(f"input[name=response_mode][value={mode}]")
        page.fill("#authorization_details", details)
        page.click("#playground-begin")
        page.wait_for_url(re.compile(r"/interaction/consent|/playground/callback"))
        if "/interaction/consent" in page.url:
            page.click("#consent-allow")
        page.wait_for_url("**/playground/callback**")
        expect(page.locator("#answer")).to_be_visible()
        scan.stay(page)
    page.goto(f"{installation.issuer}/playground/callback")
    scan.stay(page)
    page.goto(f"{installation.issuer}/playground")
    page.check("input[name=agency][value=amp]")
    page.fill("#authorization_details", '[{"type":"functional_blocks","privileges":["018"],"needs":"all"}]')
    page.click("#playground-begin")
    expect(page.locator("#missing-blocks")).to_be_visible()
    scan.visit(page)

    _done(scan, "developer")


def test_pages_of_the_desk(installation: Installation, scan: Scan, new_page: NewPage) -> None:
    """The queues, a file and a subscription, empty, decided without a reason, and with something to read."""
    operator, officer, representative, pes = new_page(), new_page(), new_page(), new_page()
    journeys.sign_in(operator, installation, installation.persona("operator"))
    journeys.sign_in(officer, installation, installation.persona("agency_officer"))
    journeys.enrol(representative, installation, installation.enrolment("review"))
    scan.visit(representative)
    journeys.sign_in(pes, installation, installation.persona("two_enterprises"))
    pes.goto(f"{installation.issuer}/enterprises")
    pes.click("#enterprise-3300000018")
    journeys.ask_for_a_creature(pes, installation)
    journeys.consent_to_subscription(pes)
    operator.goto(f"{installation.issuer}/desk/lost-factors")
    scan.visit(operator)
    operator.fill("#user-code", installation.persona("ar")["user_code"])
    operator.click("#propose")
    scan.stay(operator)
    operator.goto(f"{installation.issuer}/desk/sign-ins")
    scan.visit(operator)
    operator.click("#find")
    scan.stay(operator)
    _lock(installation, "two_enterprises")
    operator.fill("#user-code", installation.persona("two_enterprises")["user_code"])
    operator.click("#find")
    expect(operator.locator("#unlock")).to_be_visible()
    scan.stay(operator)
    operator.click("#unlock")
    expect(operator.locator("#find")).to_be_visible()
    scan.stay(operator)
    for page, path in ((operator, "desk"), (officer, "desk/subscriptions")):
        page.goto(f"{installation.issuer}/{path}")
        scan.visit(page)
        page.click("main table a >> nth=0")
        scan.visit(page)
        page.click("#record-decision")
        journeys.expect_mistakes(page)
        scan.stay(page)

    _done(scan, "desk")
