"""S-52: of what an agency's client holds, no answer gives back more than it has to, whatever is asked and refused."""

from __future__ import annotations

import pytest

from tests.answers import listen
from tests.oidc import fapi
from tests.oidc.lasting import Server
from tests.oidc.scenery import SECRET, VERIFIER, Scenery

GIVEN_ONCE = {  # secret: the only answers that give it, each to the client it is for
    "authorization code": {"GET /authorize: Location"},  # RFC 6749 §4.1.2
    "access token": {"POST /token: body"},
    "ID token": {"POST /token: body"},
    "refresh token": {"POST /token: body"},
    "reference of a pushed request": {"POST /par: body"},  # RFC 9126 §2.2
}


@pytest.mark.bar("S-52")
def test_no_answer_gives_back_what_a_client_holds(scenery: Scenery) -> None:
    """Tokens got, rotated, used twice, introspected and revoked, assertions and pushed requests: each is given once."""
    answers, server, holder = listen(scenery.app), Server(scenery), fapi.first(scenery)
    browser = scenery.signed_in("julie")
    code = server.code(browser, prompt="consent")
    first = server.token(code).get_json()
    second = server.refreshed(first["refresh_token"])
    wrong = server.token(code, authorization=server.basic(f"wrong{SECRET}"))
    for token in (first["access_token"], second["access_token"], second["refresh_token"], first["id_token"]):
        server.introspect(token)
        server.userinfo(token)
    replayed = server.refresh(first["refresh_token"])
    server.revoke(second["refresh_token"])
    pushed = holder.push().get_json()["request_uri"]
    spent = holder.visit(scenery.browser(), pushed + "x")

    assert [answer.status_code for answer in (wrong, replayed, spent)] == [401, 400, 400]
    held = {
        "authorization code": [code],
        "access token": [first["access_token"], second["access_token"]],
        "ID token": [first["id_token"]],
        "refresh token": [first["refresh_token"], second["refresh_token"]],
        "reference of a pushed request": [pushed],
        "client secret": [SECRET],
        "verifier": [VERIFIER],
        "cookie": [browser.get_cookie("mandat").value],
    }
    shown = answers.places_of(held)
    assert all(place.endswith("Set-Cookie") for place in shown.pop("cookie"))
    assert shown == GIVEN_ONCE
