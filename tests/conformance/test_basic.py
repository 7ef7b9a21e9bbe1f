"""The OIDF Basic plan's modules, on our own names; each docstring names the module (prefix ``oidcc-``)."""

from __future__ import annotations

from tests.oidc.scenery import ISSUER, RelyingParty, Scenery


def test_a_person_signs_in_and_the_client_learns_who(scenery: Scenery, rp: RelyingParty) -> None:
    """server: happy flow; state, iss, no-store; claims, signature, kid; the same sub at userinfo."""
    browser = scenery.browser()
    response = scenery.go_on(browser, rp.authorize(browser), "julie")
    answered = rp.answer(response)
    assert (answered["state"], answered["iss"], len(answered["code"])) == ("s-1", ISSUER, 43)
    assert response.headers["Cache-Control"] == "no-store"

    answer = rp.token(answered["code"])

    told = answer.get_json()
    assert (answer.status_code, answer.headers["Cache-Control"], told["token_type"]) == (200, "no-store", "Bearer")
    assert told["expires_in"] == 300
    claims = rp.read(told["id_token"])
    assert claims["nonce"] == "n-1"
    assert claims["acr"] == "urn:mandat:aal:2"
    assert claims["functional_blocks"] == ["001", "008"]
    assert rp.userinfo(told["access_token"]).get_json()["sub"] == claims["sub"]
