"""A representative, or a person named, who already has an account: they add their new code to it."""

from __future__ import annotations

from datetime import timedelta

import pyotp
import pytest
from flask import Flask
from sqlalchemy import select

from idp.accounts import services as accounts
from idp.accounts.sessions.session_services import account_status, begin_sign_in
from idp.accounts.user_codes import activation_services
from idp.accounts.user_codes import linking_services as services_linking
from idp.db import db, transaction
from idp.delegation import services as delegation
from idp.delegation.people.domain.roles import Role
from idp.enrollment import designation_services, linking_services
from idp.enrollment.models import EnrolmentFile, Nominee
from idp.errors import ConflictError
from idp.identifiers import PersonId, UserCode
from tests.accounts.conftest import latest_email_code
from tests.accounts.crossings import crossing

from .conftest import Browser, Typed, begin_account
from .views.test_journeys import go

PASSWORD = "trois petits bateaux verts"
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def an_account(browser: Browser, given_name: str, family_name: str) -> tuple[PersonId, str]:
    """Make an account with a code of its own."""
    now = browser.clock.now()
    person_id = accounts.create_person(
        given_name=given_name, family_name=family_name, email="ailleurs@example.com", language="en", now=now
    )
    code = accounts.issue_user_code(person_id, now=now)
    accounts.seed_credentials(person_id, user_code=code, password=PASSWORD, totp_secret=TOTP_SECRET, now=now)
    return person_id, str(code)


def sign_in_to_link(browser: Browser, user_code: str) -> None:
    """From the file that is verified, to the page that links."""
    begin_account(browser)
    assert browser.path == "/activate/password", browser.text
    browser.get("/activate/link")
    assert browser.path == "/sign-in"
    browser.post("/sign-in?next=/activate/link", username=user_code, password=PASSWORD)
    browser.post("/sign-in/code", otp=pyotp.TOTP(TOTP_SECRET).at(int(browser.clock.now().timestamp())))
    assert browser.path == "/activate/link", browser.text


def the_file() -> EnrolmentFile:
    db.session.rollback()
    return db.session.scalars(select(EnrolmentFile).execution_options(populate_existing=True)).one()


@pytest.mark.databases
def test_a_representative_links_and_takes_the_slips_with_their_account(browser: Browser) -> None:
    """The file, the record of the verification and the role name the account; the slips are theirs to take."""
    go(browser, Typed())
    person_id, user_code = an_account(browser, "Zephyrine", "Brumeplume")
    sign_in_to_link(browser, user_code)

    browser.post("/activate/link")

    assert browser.path == "/enrol/file", browser.text
    file = the_file()
    assert file.representative_id == person_id
    assert delegation.verification(file.enterprise_id or "").authorized_representative == person_id
    assert Role.AUTHORIZED_REPRESENTATIVE in delegation.roles_in(person_id, file.enterprise_id or "")
    nominee = db.session.scalars(select(Nominee.id).where(Nominee.is_representative.is_(False))).one()
    browser.get(f"/enrol/file/slips/{nominee}")
    browser.post(f"/enrol/file/slips/{nominee}")
    assert 'id="slip-password"' in browser.text


def test_a_proved_name_does_not_pass_to_another_name(browser: Browser) -> None:
    """An identity that was proved is not lent to an account under another name; the password is still offered."""
    go(browser, Typed())
    person_id, user_code = an_account(browser, "Omar", "Courantfort")
    sign_in_to_link(browser, user_code)
    assert "name is not the one of this account" in browser.text
    former = the_file().representative_id or ""

    browser.post("/activate/link")

    assert "name is not the one of this account" in browser.text
    assert the_file().representative_id == former
    with pytest.raises(ConflictError):
        linking_services.hand_over(former, person_id, browser.clock.now())
    browser.get("/activate/password")
    assert browser.path == "/activate/password"


def test_a_person_named_is_known_by_their_account(browser: Browser) -> None:
    """The row of a person in charge follows the account; their name was not proved, so it may differ."""
    go(browser, Typed())
    begin_account(browser)
    named = db.session.scalars(select(Nominee.person_id)).one() or ""
    person_id, _code = an_account(browser, "Maud", "Létourneau")
    assert linking_services.objections(named, person_id) == ()

    linking_services.hand_over(named, person_id, browser.clock.now())

    db.session.rollback()
    assert db.session.scalars(select(Nominee.person_id)).one() == person_id


@pytest.mark.databases
@pytest.mark.race
def test_a_slip_and_the_linking_of_its_code_never_wait_for_each_other(browser: Browser, app: Flask) -> None:
    """The representative makes a slip again while the person named links the code: one order of locks, nobody cut off."""
    go(browser, Typed())
    begin_account(browser)
    file, nominee = the_file(), db.session.scalars(select(Nominee).where(Nominee.is_representative.is_(False))).one()
    file_id, by, nominee_id, named = file.id, file.representative_id or "", nominee.id, nominee.person_id or ""
    code, now = nominee.user_code or "", browser.clock.now()
    person_id, own_code = an_account(browser, "Maud", "Létourneau")
    temporary = designation_services.slip(file_id, nominee_id, actor_id=by, now=now).temporary
    begun = activation_services.start(UserCode(code), temporary.secret, next_path="/home", now=now)
    activation_services.confirm_email(begun.token, latest_email_code(), now=now)
    with transaction():
        signed = begin_sign_in(
            account_status(person_id, UserCode.parse(own_code).signs), device="", former=None, next_path="/", now=now
        )

    later = now + timedelta(seconds=1)

    made, linked = crossing(
        app,
        ("UPDATE user_code", lambda: designation_services.slip(file_id, nominee_id, actor_id=by, now=later)),
        ("UPDATE enrolment_nominee", lambda: services_linking.link(begun.token, signed.sign_in, now=now)),
    )

    assert isinstance(made, designation_services.IssuedSlip | ConflictError), made
    assert linked is None or isinstance(linked, services_linking.Prospect | ConflictError), linked
    assert isinstance(made, ConflictError) is isinstance(linked, services_linking.Prospect)
    db.session.rollback()
    holder = accounts.user_codes([code])[code].person_id
    assert holder == (person_id if isinstance(made, ConflictError) else named)
