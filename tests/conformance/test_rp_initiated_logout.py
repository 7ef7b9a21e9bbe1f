"""The OIDF RP-Initiated Logout plan (prefix ``oidcc-rp-initiated-logout``)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from flask.testing import FlaskClient

from tests.oidc.scenery import RelyingParty, Scenery, csrf_token, error_code

BYE = "http://127.0.0.1:9999/bye"


@pytest.fixture
def julie(scenery: Scenery) -> FlaskClient:
    return scenery.browser()


def _end(browser: FlaskClient, **asked: Any) -> Any:
    return browser.get("/end-session", query_string=asked)


def test_a_client_ends_the_session_it_knows_and_gets_the_person_back(
    scenery: Scenery, rp: RelyingParty, julie: FlaskClient
) -> None:
    """Plain and ``-no-state``: redirect with the state as sent; then prompt=none fails."""
    hint = rp.tokens(julie)["id_token"]

    answer = _end(julie, id_token_hint=hint, post_logout_redirect_uri=BYE, state='a b&"')

    assert (answer.status_code, answer.location) == (303, f"{BYE}?state=a+b%26%22")
    assert rp.answer(rp.authorize(julie, prompt="none"))["error"] == "login_required"
    without = scenery.browser()
    hint = rp.tokens(without)["id_token"]
    assert _end(without, id_token_hint=hint, post_logout_redirect_uri=BYE).location == BYE


@pytest.mark.parametrize("asked", [{}, {"state": "x"}])
def test_without_a_hint_the_person_is_asked(
    scenery: Scenery, rp: RelyingParty, julie: FlaskClient, asked: dict[str, str]
) -> None:
    """``-no-params``, ``-only-state``: nothing happens before #logout-confirm; then the logged-out page."""
    rp.code(julie)
    page = _end(julie, **asked)
    assert (page.status_code, 'id="logout-confirm"' in page.text) == (200, True)
    assert "code" in rp.answer(rp.authorize(julie, prompt="none"))
    assert julie.post("/end-session/confirm").status_code == 403

    answer = julie.post("/end-session/confirm", data={"csrf_token": csrf_token(page.text)})

    assert answer.location == "/end-session/done"
    assert julie.get(answer.location).status_code == 200
    assert rp.answer(rp.authorize(julie, prompt="none"))["error"] == "login_required"


def test_without_a_place_to_return_the_logged_out_page_is_shown(rp: RelyingParty, julie: FlaskClient) -> None:
    """``-no-post-logout-redirect-uri``."""
    hint = rp.tokens(julie)["id_token"]

    assert _end(julie, id_token_hint=hint).location == "/end-session/done"


@pytest.mark.parametrize("uri", [BYE + "?x=1", BYE + "/", "https://evil.example/", "http://127.0.0.1:9999/callback"])
def test_an_address_that_is_not_registered_is_never_followed(rp: RelyingParty, julie: FlaskClient, uri: str) -> None:
    """``-bad-post-logout-redirect-uri``, ``-query-added-to-post-logout-redirect-uri``: a page, and still signed in."""
    hint = rp.tokens(julie)["id_token"]

    answer = _end(julie, id_token_hint=hint, post_logout_redirect_uri=uri)

    assert (answer.status_code, error_code(answer.text)) == (400, "invalid_post_logout_redirect_uri")
    assert "code" in rp.answer(rp.authorize(julie, prompt="none"))


def test_a_hint_that_is_not_ours_is_no_hint(scenery: Scenery, rp: RelyingParty, julie: FlaskClient) -> None:
    """``-modified-id-token-hint``, ``-bad-id-token-hint``, ``-no-id-token-hint``: asked, and never redirected."""
    told = rp.tokens(julie)
    head, body, signature = told["id_token"].split(".")
    for hint in (f"{head}.{body}.", f"{head}.{body}.{signature[::-1]}", told["access_token"], "x", None):
        asked = {"post_logout_redirect_uri": BYE} | ({"id_token_hint": hint} if hint else {})
        page = _end(julie, **asked)
        assert (page.status_code, page.location) == (200, None), hint
        after = julie.post("/end-session/confirm", data={"csrf_token": csrf_token(page.text)})
        assert after.location == "/end-session/done"
        rp.code(julie)


def test_somebody_elses_hint_never_signs_out_silently(scenery: Scenery, rp: RelyingParty, julie: FlaskClient) -> None:
    """S-37: the hint of another sign-in asks; a client named without a hint returns there once confirmed."""
    other = rp.tokens(scenery.browser(), "pes")["id_token"]
    rp.code(julie)
    assert 'id="logout-confirm"' in _end(julie, id_token_hint=other, post_logout_redirect_uri=BYE).text
    page = _end(julie, client_id="rp1", post_logout_redirect_uri=BYE, state="s")
    assert "http://127.0.0.1:9999" in page.headers["Content-Security-Policy"]

    after = julie.post("/end-session/confirm", data={"csrf_token": csrf_token(page.text)})

    assert after.location == f"{BYE}?state=s"


def test_hint_and_client_must_agree(rp: RelyingParty, julie: FlaskClient) -> None:
    """RP-Initiated Logout §2: a client_id beside another client's hint gives no address to return to, and ends nothing."""
    hint = rp.tokens(julie)["id_token"]

    answer = _end(julie, id_token_hint=hint, client_id="rp2", post_logout_redirect_uri=BYE)

    assert (answer.status_code, answer.location, 'id="logout-confirm"' in answer.text) == (200, None, True)
    assert "code" in rp.answer(rp.authorize(julie, prompt="none"))


def test_a_post_comes_back_with_the_cookie(rp: RelyingParty, scenery: Scenery, julie: FlaskClient) -> None:
    """A cross-site POST has no cookie: it is answered with 303 to the same question by GET."""
    hint = rp.tokens(julie)["id_token"]
    form = {"id_token_hint": hint, "post_logout_redirect_uri": BYE, "state": "s"}

    posted = scenery.browser().post("/end-session", data=form)

    assert posted.status_code == 303
    assert julie.get(posted.location).location == f"{BYE}?state=s"


def test_what_was_posted_stands_in_no_address(rp: RelyingParty, scenery: Scenery, julie: FlaskClient) -> None:
    """The address that follows a POST goes to logs: it holds no hint, says nothing, and neither forged nor old is it taken."""
    hint = rp.tokens(julie)["id_token"]
    form = {"id_token_hint": hint, "post_logout_redirect_uri": BYE, "state": "canary", "ui_locales": "en"}
    path = scenery.browser().post("/end-session", data=form).location
    forged = julie.get(path.replace("asked=v1.", "asked=v1.A"))

    scenery.clock.advance(timedelta(seconds=61))
    late = julie.get(path)

    assert not {part for part in (*hint.split("."), BYE, "canary") if part in unquote(path)}
    assert (forged.status_code, late.status_code) == (400, 400)
    assert "code" in rp.answer(rp.authorize(julie, prompt="none"))


def test_the_next_person_finds_nothing_of_the_one_before(
    scenery: Scenery, rp: RelyingParty, julie: FlaskClient
) -> None:
    """S-42: signing out by the agency forgets the page session too: the enrolment file, the way under way, form tokens."""
    hint = rp.tokens(julie)["id_token"]
    with julie.session_transaction() as kept:
        kept["enrolment_file"] = "0" * 32
        kept["lang"] = "en"

    _end(julie, id_token_hint=hint, post_logout_redirect_uri=BYE)

    with julie.session_transaction() as kept:
        assert dict(kept) == {"lang": "en"}


def test_signing_out_nobody_forgets_no_draft(scenery: Scenery, rp: RelyingParty) -> None:
    """A link with the hint of another sign-in, followed where nobody is signed in, changes nothing there."""
    hint = rp.tokens(scenery.browser(), "pes")["id_token"]
    browser = scenery.browser()
    with browser.session_transaction() as kept:
        kept["enrolment_file"] = "0" * 32

    _end(browser, id_token_hint=hint, post_logout_redirect_uri=BYE)

    with browser.session_transaction() as kept:
        assert "enrolment_file" in kept
