"""A program on a device has no secret: PKCE, a port of its own on loopback, and a person who is asked each time."""

from __future__ import annotations

import pytest

from idp.oidc.domain import uris
from tests.oidc.scenery import SECRET, RelyingParty, Scenery, error_code, query_of


@pytest.fixture
def desktop(scenery: Scenery) -> RelyingParty:
    return RelyingParty(scenery, "desktop", redirect_uri="http://127.0.0.1:50123/cb")


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1:50123/cb", "http://127.0.0.1/cb", "http://[::1]:9/cb", "https://app.example/cb"]
)
def test_a_native_program_signs_in_at_any_port(scenery: Scenery, uri: str) -> None:
    """RFC 8252 §7.3; the code is bound to the very port."""
    client, browser = RelyingParty(scenery, "desktop", redirect_uri=uri), scenery.browser()
    assert client.token(client.code(browser), authorization="", client_id="desktop").status_code == 200

    code = client.code(browser)
    answer = client.token(code, authorization="", client_id="desktop", redirect_uri="http://127.0.0.1:50124/cb")
    assert answer.get_json()["error"] == "invalid_grant"


def test_nothing_but_the_port_may_differ(scenery: Scenery, desktop: RelyingParty) -> None:
    """Another path, host, scheme, sign or impossible port is a page, never a redirect; a web client gets no port at all."""
    for uri in (
        *("http://127.0.0.1:5/cb/", "http://127.0.0.1:5/", "http://127.0.0.1:5/cb?x=1", "http://127.0.0.1:5/CB"),
        *(
            "http://localhost:5/cb",
            "http://127.0.0.2:5/cb",
            "http://127.1:5/cb",
            "http://[::2]:5/cb",
            "http://[::1%25a]/cb",
        ),
        *("http://127.0.0.1:0/cb", "http://127.0.0.1:99999/cb", "http://127.0.0.1:05/cb", "http://127.0.0.1:/cb"),
        *("http://127.0.0.1:5@evil.example/cb", "http://127.0.0.1.evil.example/cb", "http://127.0.0.1:5\\@e/cb"),
        *("https://127.0.0.1:5/cb", "https://app.example:5/cb", "http://127.0.0.1:5/cb#", "http://127.0.0.1:-5/cb"),
    ):
        page = desktop.authorize(scenery.browser(), redirect_uri=uri)
        assert (page.status_code, error_code(page.text)) == (400, "invalid_redirect_uri"), uri
    web = RelyingParty(scenery, "rp1").authorize(scenery.browser(), redirect_uri="http://127.0.0.1:9998/callback")
    assert error_code(web.text) == "invalid_redirect_uri"
    assert not uris.fits("http://127.0.0.1:5/cb", "http://127.0.0.1:6/cb", any_port=False)


def test_pkce_is_its_only_proof(scenery: Scenery, desktop: RelyingParty) -> None:
    """RFC 9700 §2.1.1: required at both ends; a secret or a key proves nothing, nor does another client's name."""
    answer = desktop.authorize(scenery.browser(), code_challenge=None, code_challenge_method=None)
    assert query_of(answer)["error"] == "invalid_request"
    browser = scenery.browser()
    for verifier in (None, "w" * 43):
        code = desktop.code(browser)
        answer = desktop.token(code, authorization="", client_id="desktop", code_verifier=verifier)
        assert answer.get_json()["error"] == "invalid_grant"
    code = desktop.code(browser)
    for sent in ({"client_id": "desktop", "client_secret": SECRET}, {"client_id": "rp1"}, {"client_id": "rp4"}, {}):
        assert desktop.token(code, authorization="", **sent).status_code == 401
    assert desktop.token(code, authorization=desktop.basic("")).status_code == 401
    assert desktop.proven_token(code).status_code == 401

    assert desktop.token(code, authorization="", client_id="desktop").status_code == 200


def test_the_person_is_asked_each_time(scenery: Scenery, desktop: RelyingParty, rp: RelyingParty) -> None:
    """RFC 8252 §8.6: any program could call itself so, hence no silent answer, whatever was agreed to before."""
    browser = scenery.browser()
    rp.code(browser)
    desktop.code(browser)

    assert "code" in rp.answer(rp.authorize(browser, prompt="none"))
    assert desktop.answer(desktop.authorize(browser, prompt="none"))["error"] == "interaction_required"
    assert scenery.go_on(browser, desktop.authorize(browser), "julie").status_code == 303
