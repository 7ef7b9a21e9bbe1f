"""Who arrives without what is needed is led on by role and state, and comes back to the agency without another sign-in."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from idp.accounts import services as accounts
from idp.audit.services import Actor
from idp.clock import MovableClock
from idp.delegation.subscriptions import subscription_services
from tests.oidc.scenery import ISSUER, RelyingParty, Scenery, load, registration

ANSWERS = {"is_client": "no", "contact_email": "a@example.com"}
CLIENT = {"is_client": "yes", "client_number": "0123456789", "contact_email": "a@example.com"}


def leave(scenery: Scenery) -> None:
    pes = scenery.people["pes"].person_id
    subscription_services.withdraw(scenery.story, "amp", by=pes, now=scenery.clock.now())


def ask(scenery: Scenery, answers: dict[str, str]) -> subscription_services.SubscriptionView:
    return subscription_services.subscribe(
        scenery.story,
        "amp",
        answers=answers,
        blocks=("001", "008"),
        by=scenery.people["pes"].person_id,
        now=scenery.clock.now(),
    )


def page(browser: FlaskClient, place: str, status: int = 200) -> str:
    answer = browser.get(place)
    assert answer.status_code == status, (answer.status_code, answer.location)
    return unescape(answer.text)


def arrive(scenery: Scenery, rp: RelyingParty, name: str) -> tuple[FlaskClient, str]:
    browser = scenery.signed_in(name)
    return browser, rp.authorize(browser).location


def href(text: str, id: str) -> str:
    found = re.search(rf'<a [^>]*href="([^"]+)"[^>]*id="{id}"|<a [^>]*id="{id}"[^>]*href="([^"]+)"', text)
    assert found, text
    return found.group(1) or found.group(2)


def test_a_pes_subscribes_and_comes_back_with_the_blocks(scenery: Scenery, rp: RelyingParty) -> None:
    """Consent page → subscription → agency, in one sign-in; what was missing is held; then nothing leads back any more."""
    leave(scenery)
    browser, place = arrive(scenery, rp, "pes")
    form = href(page(browser, place), "way-on")
    assert form == "/agencies/amp/subscribe"
    assert "continue-to-agency" in page(browser, form)

    ask(scenery, ANSWERS)
    back = href(page(browser, "/home"), "continue-to-agency")

    answered = rp.answer(scenery.go_on(browser, browser.get(back), "pes"))
    assert "code" in answered
    told = rp.token(answered["code"]).get_json()
    assert rp.read(told["id_token"])["functional_blocks"] == ["001", "008"]
    assert "continue-to-agency" not in page(browser, "/home")


@pytest.mark.parametrize(
    ("answers", "words", "path"),
    [(None, "n’est pas inscrite", "/agencies/amp/subscribe"), (CLIENT, "attend la décision", "/agencies/amp")],
)
def test_each_state_says_what_is_next(
    scenery: Scenery, rp: RelyingParty, answers: dict[str, str] | None, words: str, path: str
) -> None:
    """The person in charge acts or sees why; a user and the representative read whom to ask."""
    leave(scenery)
    if answers:
        ask(scenery, answers)
    contact = accounts.person(scenery.people["pes"].person_id).email

    for name in ("pes", "julie", "ar"):
        browser, place = arrive(scenery, rp, name)
        shown = page(browser, place)

        assert words in shown, name
        if name == "pes":
            assert href(shown, "way-on") == path
        elif name == "ar":
            assert href(shown, "way-on") == "/agencies/amp/remind"
        else:
            assert f"mailto:{contact}" in shown
        assert ('id="way-on"' in shown) == (name != "julie")


def test_a_refused_subscription_leads_to_its_reason(scenery: Scenery, rp: RelyingParty) -> None:
    """Refused by the agency: the page of the reason, from which it is sent again."""
    leave(scenery)
    asked = ask(scenery, CLIENT)
    subscription_services.decide(
        asked.id,
        accept=False,
        reason_code="client_number_unknown",
        actor=Actor("agency_officer", "camille"),
        now=scenery.clock.now(),
    )
    browser, place = arrive(scenery, rp, "pes")

    assert "refusée" in page(browser, place)
    assert href(page(browser, place), "way-on") == "/agencies/amp"


def test_a_suspended_user_reads_whom_to_ask(scenery: Scenery, rp: RelyingParty) -> None:
    """Names and a way to reach them; a person of no enterprise is led to the enrolment, whose pages lead back."""
    scenery.revoke_blocks()
    browser, place = arrive(scenery, rp, "julie")
    contact = accounts.person(scenery.people["pes"].person_id).email
    assert f"mailto:{contact}" in page(browser, place, 403)

    browser, place = arrive(scenery, rp, "nobody")
    assert href(page(browser, place, 403), "way-on") == "/enrol"
    assert "/authorize?interaction=" in href(page(browser, "/enrol"), "continue-to-agency")


def test_an_interaction_that_is_too_old_begins_again_at_the_agency(
    scenery: Scenery, rp: RelyingParty, clock: MovableClock, tmp_path: Path
) -> None:
    """The address the client registered for it, with our issuer; without one, nothing leads anywhere."""
    leave(scenery)
    browser, place = arrive(scenery, rp, "pes")
    page(browser, place)
    clock.advance(timedelta(minutes=31))
    assert "continue-to-agency" not in page(browser, "/home")

    load(scenery.app, clock, tmp_path, registration("rp1", initiate_login_uri="https://portal.amp.example/start?x=1"))

    place = href(page(browser, "/home"), "continue-to-agency")
    assert place.startswith("https://portal.amp.example/start?x=1&iss=")
    assert place.endswith(ISSUER.replace(":", "%3A").replace("/", "%2F"))


def test_a_link_of_the_agency_to_the_enrolment_leads_back(
    scenery: Scenery, clock: MovableClock, tmp_path: Path
) -> None:
    """Before any sign-in; only to the address that an operator registered, never to one that the link names."""
    load(scenery.app, clock, tmp_path, registration("rp1", initiate_login_uri="https://portal.amp.example/start?x=1"))
    browser = scenery.app.test_client()

    for link in ("/enrol", "/enrol?client_id=unknown", "/enrol?client_id=rp2&redirect_uri=https://evil.example/"):
        assert "continue-to-agency" not in page(browser, link)
    back = href(page(browser, "/enrol?client_id=rp1"), "continue-to-agency")

    assert back.startswith("https://portal.amp.example/start?x=1")
    assert href(page(browser, "/enrol"), "continue-to-agency") == back
