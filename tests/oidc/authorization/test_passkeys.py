"""What an agency that asks for a passkey gets: level 3 in its tokens, or nothing less (RFC 9470, OIDC Core §5.5.1.1)."""

from __future__ import annotations

import html
import json
import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.accounts.authenticator import Authenticator
from tests.oidc.scenery import RelyingParty, Scenery, csrf_token, query_of

PASSKEY = "urn:mandat:aal:3"
ESSENTIAL = json.dumps({"id_token": {"acr": {"essential": True, "value": PASSKEY}}})
ADD = "/account/security/passkey"


def options_of(page: str) -> str:
    found = re.search(r'data-options="([^"]+)"', page)
    assert found, page
    return html.unescape(found.group(1))


def add(browser: FlaskClient, device: Authenticator, path: str = ADD) -> TestResponse:
    page = browser.get(path).text
    made = json.dumps(device.make(options_of(page)))
    return browser.post(path, data={"csrf_token": csrf_token(page), "credential": made, "nickname": "Clé"})


def show(browser: FlaskClient, device: Authenticator, path: str) -> TestResponse:
    page = browser.get(path).text
    answer = json.dumps(device.show(options_of(page)))
    return browser.post(path, data={"csrf_token": csrf_token(page), "credential": answer})


@pytest.fixture
def device(scenery: Scenery) -> Authenticator:
    """Julie's passkey."""
    made = Authenticator()
    assert add(scenery.signed_in("julie"), made).location == "/account/security"
    scenery.clock.advance(timedelta(minutes=1))
    return made


def test_an_essential_passkey_gives_its_level_and_how(
    scenery: Scenery, rp: RelyingParty, device: Authenticator
) -> None:
    """Signed in with an application already: the step-up asks for the passkey, and the tokens say so; then it is remembered."""
    browser = scenery.signed_in("julie")
    scenery.clock.advance(timedelta(minutes=1))
    place = rp.authorize(browser, claims=ESSENTIAL).location
    assert place.startswith("/sign-in/passkey?")

    answer = scenery.go_on(browser, show(browser, device, place), "julie")

    tokens = rp.token(query_of(answer)["code"]).get_json()
    told = rp.read(tokens["id_token"])
    assert (told["acr"], told["amr"]) == (PASSKEY, ["pop", "user", "mfa"])
    again = rp.authorize(browser, claims=ESSENTIAL, prompt="none")
    assert "code" in query_of(again)


def test_whoever_has_no_passkey_adds_one_on_the_way(scenery: Scenery, rp: RelyingParty) -> None:
    """The page leads to where it is added, with password and application, and back to the agency's request."""
    browser, device = scenery.browser(), Authenticator()
    place = rp.authorize(browser, claims=ESSENTIAL).location
    found = re.search(r'href="([^"]+)" id="add-passkey"', browser.get(place).text)
    assert found
    add_path = html.unescape(found.group(1))
    scenery.clock.advance(timedelta(minutes=1))
    sign_in = browser.get(add_path).location
    assert scenery.sign_in(browser, "julie", sign_in).location == add_path

    back = add(browser, device, add_path).location
    answer = scenery.go_on(browser, show(browser, device, back), "julie")

    assert back.startswith("/sign-in/passkey?next=%2Fauthorize")
    assert rp.read(rp.token(query_of(answer)["code"]).get_json()["id_token"])["acr"] == PASSKEY


def test_a_wish_for_a_passkey_asks_those_who_have_one_only(
    scenery: Scenery, rp: RelyingParty, device: Authenticator
) -> None:
    """acr_values is voluntary: Ginette, who has none, is not asked to sign in again; Julie is, and may still decline."""
    ginette, julie = scenery.signed_in("ginette"), scenery.signed_in("julie")
    scenery.clock.advance(timedelta(minutes=1))

    assert not rp.authorize(ginette, acr_values=PASSKEY).location.startswith("/sign-in")
    place = rp.authorize(julie, acr_values=PASSKEY).location
    assert place.startswith("/sign-in?")
    page = julie.get(place).text
    assert 'id="use-passkey"' in page


def test_a_passkey_meets_every_lower_level(scenery: Scenery, rp: RelyingParty, device: Authenticator) -> None:
    """Two factors that are essential are reached by a passkey alone."""
    browser = scenery.browser()
    assert show(browser, device, "/sign-in/passkey").location == "/home"
    essential = json.dumps({"id_token": {"acr": {"essential": True, "value": "urn:mandat:aal:2"}}})

    answer = scenery.go_on(browser, rp.authorize(browser, claims=essential), "julie")

    assert rp.read(rp.token(query_of(answer)["code"]).get_json()["id_token"])["acr"] == PASSKEY
