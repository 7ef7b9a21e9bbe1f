"""The OIDF Front-Channel Logout plan (prefix ``oidcc-frontchannel``): the farewell page loads each client's own sign-out."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask.testing import FlaskClient

from idp.clock import MovableClock
from tests.oidc.scenery import ISSUER, RelyingParty, Scenery, csrf_token, load, registration

BYE = "http://127.0.0.1:9999/bye"
FIRST, SECOND = "http://127.0.0.1:9999/front", "http://localhost:7777/front?tenant=a%26b"


@pytest.fixture
def parties(scenery: Scenery, clock: MovableClock, tmp_path: Path) -> tuple[RelyingParty, RelyingParty]:
    """Return two clients that are told by the browser, at two origins; a third one registered too and never used."""
    there = "http://localhost:7777/callback"
    told = {"post_logout_redirect_uris": [BYE], "frontchannel_logout_session_required": True}
    load(
        scenery.app,
        clock,
        tmp_path,
        registration("rp1", frontchannel_logout_uri=FIRST, **told),
        registration("rp7", frontchannel_logout_uri=SECOND, redirect_uris=[there]),
        registration("rp8", frontchannel_logout_uri="http://127.0.0.1:9999/never"),
    )
    return RelyingParty(scenery, "rp1"), RelyingParty(scenery, "rp7", redirect_uri=there)


def _frames(page: str) -> list[str]:
    return [unescape(each) for each in re.findall(r'<iframe src="([^"]*)"', page)]


def _back(page: str) -> str | None:
    found = re.search(r'<a href="([^"]+)"[^>]*id="logout-continue"|id="logout-continue"[^>]*href="([^"]+)"', page)
    return unescape(found[1] or found[2]) if found else None


def _frame_src(policy: str) -> set[str]:
    found = re.search(r"frame-src ([^;]*);", policy)
    return set(found[1].split()) if found else set()


def _confirmed(browser: FlaskClient, **asked: str) -> str:
    page = browser.get("/end-session", query_string=asked)
    answer = browser.post("/end-session/confirm", data={"csrf_token": csrf_token(page.text)})
    assert answer.status_code == 303
    return str(answer.location)


def test_discovery_says_so(scenery: Scenery) -> None:
    """frontchannel-logout-discovery-endpoint-verification: both flags."""
    told = scenery.browser().get("/.well-known/openid-configuration").get_json()

    assert (told["frontchannel_logout_supported"], told["frontchannel_logout_session_supported"]) == (True, True)


def test_the_page_loads_each_client_that_holds_tokens(
    scenery: Scenery, parties: tuple[RelyingParty, RelyingParty]
) -> None:
    """frontchannel-rp-initiated-logout: iss and sid beside the client's own query; frame-src names those origins alone."""
    browser, (first, second) = scenery.browser(), parties
    hint = first.tokens(browser)["id_token"]
    second.tokens(browser)
    RelyingParty(scenery, "rp8").code(browser)  # a code that nobody redeemed: no tokens there
    RelyingParty(scenery, "rp8").tokens(scenery.browser(), "pes")  # somebody else's sign-in
    sid = first.read(hint)["sid"]

    answer = browser.get(
        "/end-session", query_string={"id_token_hint": hint, "post_logout_redirect_uri": BYE, "state": 'a b&"<é'}
    )
    page = browser.get(answer.location)

    assert (answer.status_code, answer.location) == (303, "/end-session/done")
    frames = [urlsplit(address) for address in _frames(page.text)]
    assert [f"{each.scheme}://{each.netloc}{each.path}" for each in frames] == [FIRST, SECOND.partition("?")[0]]
    assert [dict(parse_qsl(each.query)) for each in frames] == [
        {"iss": ISSUER, "sid": sid},
        {"tenant": "a&b", "iss": ISSUER, "sid": sid},
    ]
    policy = page.headers["Content-Security-Policy"]
    assert _frame_src(policy) == {"http://127.0.0.1:9999", "http://localhost:7777"}
    assert "default-src 'none'" in policy
    back = _back(page.text)  # without a script this link goes on
    assert back is not None
    assert (back.partition("?")[0], dict(parse_qsl(urlsplit(back).query))) == (BYE, {"state": 'a b&"<é'})
    assert 'src="/static/js/signed-out.js' in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert first.answer(first.authorize(browser, prompt="none"))["error"] == "login_required"


def test_whoever_signs_out_by_hand_tells_them_too(scenery: Scenery, parties: tuple[RelyingParty, RelyingParty]) -> None:
    """Confirmed on our page, or by the button of every page: the same frames, and no script leads away."""
    for by_button in (False, True):
        browser = scenery.browser()
        parties[0].tokens(browser)
        if by_button:
            token = csrf_token(browser.get("/account").text)
            there = browser.post("/sign-out", data={"csrf_token": token}).location
        else:
            there = _confirmed(browser)
        page = browser.get(there)

        assert len(_frames(page.text)) == 1
        assert (_back(page.text), "signed-out.js" in page.text) == (None, False)


def test_with_nobody_to_tell_there_is_no_frame(scenery: Scenery, parties: tuple[RelyingParty, RelyingParty]) -> None:
    """No tokens of this sign-in, no address registered, or no sign-in: the policy allows no frame at all."""
    untold = RelyingParty(scenery, "rp2")
    for browser in (scenery.signed_in("julie"), scenery.browser()):
        untold.code(browser)
        page = browser.get(_confirmed(browser))

        assert (_frames(page.text), "frame-src" in page.headers["Content-Security-Policy"]) == ([], False)


def test_the_page_is_forgotten(scenery: Scenery, parties: tuple[RelyingParty, RelyingParty]) -> None:
    """S-42: it may be shown again in the other language, not after five minutes, and not to the next person."""
    browser = scenery.browser()
    parties[0].tokens(browser)
    place = _confirmed(browser, client_id="rp1", post_logout_redirect_uri=BYE)
    again = browser.get(place, query_string={"lang": "en"})
    assert (len(_frames(again.text)), _back(again.text)) == (1, BYE)
    scenery.clock.advance(timedelta(minutes=5))
    assert _frames(browser.get(place).text) == []
    parties[0].tokens(browser)
    _confirmed(browser)
    scenery.sign_in(browser, "pes")

    assert _frames(browser.get(place).text) == []
