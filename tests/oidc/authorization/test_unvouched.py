"""RFC 9700 §4.11.2: nobody is led to an address for which nobody vouched but by a page that names it and a button there."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.oidc.registering import ABOUT, Builder, initial_token
from tests.oidc.scenery import RelyingParty, Scenery, csrf_token, hidden_inputs, load, registration

STRANGE = "https://concepteur.example/cb"
AFTERWARDS = "https://concepteur.example/bye"


@pytest.fixture
def builder(scenery: Scenery) -> Builder:
    return Builder(scenery, initial_token(scenery))


@pytest.fixture
def stranger(builder: Builder) -> RelyingParty:
    """A client that registered itself, and then another address."""
    told = builder.registered()
    sent = {**ABOUT, "client_id": told["client_id"], "redirect_uris": [STRANGE]}
    answer = builder.manage("PUT", told, json={**sent, "post_logout_redirect_uris": [AFTERWARDS]})
    assert answer.status_code == 200, answer.text
    return builder.party(told, redirect_uri=STRANGE)


def onward(page: TestResponse, mode: str = "query") -> dict[str, str]:
    """Return what the button of the page takes to the address that the page names."""
    assert (page.status_code, page.location) == (200, None)
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert re.search(r'id="leaving-host">concepteur\.example<', page.text), page.text
    assert "js/form-post.js" not in page.text
    assert "js/signed-out.js" not in page.text
    if mode == "form_post":
        assert f'<form method="post" action="{STRANGE}"' in page.text
        return hidden_inputs(page.text)
    link = re.search(r'<a href="(https://concepteur\.example/[^"]*)"', page.text)
    assert link, page.text
    parts = urlsplit(unescape(link[1]))
    return dict(parse_qsl(parts.fragment if mode == "fragment" else parts.query))


ERRORS: dict[str, dict[str, Any]] = {
    "unsupported_response_type": {"response_type": "token"},
    "invalid_request": {"code_challenge": None},
    "invalid_scope": {"scope": "email"},
    "invalid_authorization_details": {"authorization_details": "[]"},
    "invalid_request_object": {"request": "e30.e30."},
    "request_uri_not_supported": {"request_uri": "https://concepteur.example/r"},
    "login_required": {"prompt": "none"},
}


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
def test_an_erroneous_request_shows_a_page_first(
    scenery: Scenery, stranger: RelyingParty, error: str, mode: str
) -> None:
    """Before any sign-in, whatever the fault and the mode; the button brings the whole answer."""
    answer = stranger.authorize(scenery.browser(), response_mode=mode, **ERRORS[error])

    told = onward(answer, mode)
    assert (told["error"], told["state"], told["iss"]) == (error, "s-1", "http://localhost:8000")


def cancelled(scenery: Scenery, stranger: RelyingParty, browser: FlaskClient) -> TestResponse:
    place = stranger.authorize(browser).location
    return browser.get(place.replace("/consent", "/cancel"))


def refused(scenery: Scenery, stranger: RelyingParty, browser: FlaskClient) -> TestResponse:
    return scenery.press(browser, stranger.authorize(browser).location, answer="deny")


def silent(scenery: Scenery, stranger: RelyingParty, browser: FlaskClient) -> TestResponse:
    return stranger.authorize(browser, prompt="none")


@pytest.mark.parametrize("way", [cancelled, refused, silent])
def test_so_does_what_ends_without_a_consent(scenery: Scenery, stranger: RelyingParty, way: Any) -> None:
    """A person who is signed in, gave up, refused, or was asked nothing."""
    answer = way(scenery, stranger, scenery.signed_in("julie"))

    assert onward(answer)["error"] == ("interaction_required" if way is silent else "access_denied")


def test_a_consent_names_the_host_and_leads_there(scenery: Scenery, stranger: RelyingParty) -> None:
    """The page of the consent is that page: agreeing to it is going on."""
    browser = scenery.signed_in("julie")
    place = stranger.authorize(browser).location
    assert "concepteur.example" in browser.get(place).text

    assert "code" in stranger.answer(browser.get(scenery.press(browser, place, answer="allow").location))


@pytest.mark.parametrize("is_signed_in", [True, False])
def test_so_does_the_end_of_a_session(scenery: Scenery, stranger: RelyingParty, is_signed_in: bool) -> None:
    """RP-Initiated Logout: with a hint of this sign-in, without any sign-in, and after the page that asks."""
    browser = scenery.browser()
    hint = stranger.tokens(browser)["id_token"]
    asked = {"id_token_hint": hint, "post_logout_redirect_uri": AFTERWARDS, "state": "bye"}
    browser = browser if is_signed_in else scenery.browser()

    answer = browser.get("/end-session", query_string=asked)

    assert answer.location == "/end-session/done"
    assert onward(browser.get(answer.location)) == {"state": "bye"}


def test_so_does_a_sign_out_that_the_person_confirmed(scenery: Scenery, stranger: RelyingParty) -> None:
    """The page that asks does not say where one goes on."""
    browser = scenery.signed_in("julie")
    asked = {"client_id": stranger.client_id, "post_logout_redirect_uri": AFTERWARDS}
    page = browser.get("/end-session", query_string=asked)

    answer = browser.post("/end-session/confirm", data={"csrf_token": csrf_token(page.text)})

    assert answer.location == "/end-session/done"
    assert onward(browser.get(answer.location)) == {}


def test_a_client_that_an_operator_loaded_is_answered_at_once(
    scenery: Scenery, stranger: RelyingParty, tmp_path: Any
) -> None:
    """The file of an operator vouches for the same client_id and address from then on."""
    load(scenery.app, scenery.clock, tmp_path, registration(stranger.client_id, redirect_uris=[STRANGE]))

    answer = stranger.authorize(scenery.browser(), response_type="token")

    assert stranger.answer(answer)["error"] == "unsupported_response_type"
