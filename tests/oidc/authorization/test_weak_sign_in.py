"""An agency gets nothing for a code by e-mail: ``urn:mandat:aal:1`` is never issued to people (decisions.md §6, ADR 0014)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from idp.accounts import services as accounts
from idp.accounts.people.contact_services import note_confirmed
from tests.accounts.conftest import latest_email_code, switch_on
from tests.oidc.scenery import PASSWORD, RelyingParty, Scenery, csrf_token


@pytest.fixture
def reader(scenery: Scenery) -> FlaskClient:
    """A browser in which somebody signed in with a code by e-mail."""
    switch_on(scenery.app)
    person, browser = scenery.people["julie"], scenery.browser()
    note_confirmed(accounts.person(person.person_id).email, now=scenery.clock.now())
    typed = {"username": str(person.code), "password": PASSWORD}
    browser.post("/sign-in", data={"csrf_token": csrf_token(browser.get("/sign-in").text), **typed})
    page = csrf_token(browser.get("/sign-in/code/email").text)
    browser.post("/sign-in/code/email/send", data={"csrf_token": page})
    answer = browser.post("/sign-in/code/email", data={"csrf_token": page, "email_code": latest_email_code()})
    assert answer.location == "/home"
    assert browser.get("/account").status_code == 200
    return browser


@pytest.mark.parametrize("changed", [{}, {"acr_values": "urn:mandat:aal:1"}, {"prompt": "consent"}])
def test_whoever_reads_signs_in_at_the_agency_like_everybody(
    scenery: Scenery, rp: RelyingParty, reader: FlaskClient, changed: dict[str, str]
) -> None:
    """The sign-in page; silently, login_required; and the way by e-mail is not offered there."""
    answer = rp.authorize(reader, **changed)

    assert answer.location.startswith("/sign-in?next=%2Fauthorize")
    assert rp.answer(rp.authorize(reader, prompt="none"))["error"] == "login_required"


def test_the_way_by_e_mail_is_closed_on_the_way_to_an_agency(
    scenery: Scenery, rp: RelyingParty, reader: FlaskClient
) -> None:
    """It would lead to the same page again; the code of an application goes on, and the token says so."""
    place, person = rp.authorize(reader).location, scenery.people["julie"]
    typed = {"username": str(person.code), "password": PASSWORD}
    reader.post(place, data={"csrf_token": csrf_token(reader.get(place).text), **typed})

    assert "use-email-code" not in reader.get("/sign-in/code").text
    assert reader.get("/sign-in/code/email").location.endswith("/sign-in/code")
    scenery.clock.advance(timedelta(seconds=30))
    assert rp.read(rp.tokens(reader)["id_token"])["acr"] == "urn:mandat:aal:2"
