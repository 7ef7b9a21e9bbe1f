"""FAPI 2.0 Message Signing Final: signed requests (JAR) and signed answers (JARM), over PAR and, for baseline, by value.

Each docstring names the OIDF modules, ``fapi2-security-profile-final-`` left out; each runs both ways unless PAR is its subject.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt as pyjwt
import pytest
from flask.testing import FlaskClient

from tests.oidc.fapi import SECOND_CALLBACK, thumbprint
from tests.oidc.scenery import CALLBACK, ISSUER, Scenery, csrf_token, private_key
from tests.oidc.signing import MINUTE, SECOND_KEY, SigningRelyingParty, by_hand, second, signing_clients

REFUSED = {"invalid_request", "invalid_request_object", "invalid_request_uri", "access_denied"}
Parties = tuple[SigningRelyingParty, SigningRelyingParty]


@pytest.fixture
def parties(scenery: Scenery, tmp_path: Path) -> Parties:
    return signing_clients(scenery, tmp_path)


@pytest.fixture
def party(parties: Parties) -> SigningRelyingParty:
    return parties[0]


def answered(party: SigningRelyingParty, browser: FlaskClient, **changed: Any) -> dict[str, str]:
    """Return what the client is told once the person has gone through every page."""
    return party.answer(party.scenery.go_on(browser, party.authorize(browser, **changed), "julie"))


def test_discovery_names_signed_requests_and_answers(scenery: Scenery) -> None:
    """discovery-end-point-verification: the ``jwt`` modes; algorithms of FAPI 2.0; nothing is fetched."""
    told = scenery.browser().get("/.well-known/openid-configuration").get_json()

    assert {"jwt", "query.jwt", "form_post.jwt"} <= set(told["response_modes_supported"])
    assert set(told["authorization_signing_alg_values_supported"]) == {"PS256", "ES256", "EdDSA"}
    assert {"PS256", "ES256", "EdDSA"} <= set(told["request_object_signing_alg_values_supported"])
    assert not {"none", "HS256"} & set(told["request_object_signing_alg_values_supported"])
    assert (told["request_parameter_supported"], told["request_uri_parameter_supported"]) == (True, False)


def test_a_signed_request_ends_in_tokens(parties: Parties) -> None:
    """happy-flow, first and second client: answers plain and signed, ``iss`` in each, a code that can be redeemed."""
    pushing, by_value = parties
    browser = pushing.scenery.browser()

    told = answered(pushing, browser)
    assert (told["state"], told["iss"]) == ("s-1", ISSUER)
    assert pushing.redeem(told["code"]).get_json()["token_type"] == "DPoP"

    told = answered(pushing, browser, response_mode="jwt")
    assert set(told) == {"iss", "aud", "exp", "code", "state"}
    assert pushing.redeem(told["code"]).status_code == 200

    other = second(pushing.scenery)
    signed = other.request_object(headers={"typ": "OautH-auThZ-REQ+jWt"}, response_mode="jwt")
    response = other.scenery.go_on(browser, other.authorize(browser, request=signed), "julie")
    assert response.location.startswith(f"{SECOND_CALLBACK}&response=")
    assert other.redeem(other.answer(response)["code"]).status_code == 200

    told = answered(by_value, browser)
    assert by_value.proven_token(told["code"], by_value.assertion()).status_code == 200


@pytest.mark.parametrize("mode", ["jwt", "query.jwt", "form_post.jwt"])
def test_a_signed_answer_is_one_jwt(party: SigningRelyingParty, mode: str) -> None:
    """happy-flow, JARM §2: only ``response``, with a kid, for this client, for ten seconds to ten minutes; success and error."""
    browser = party.scenery.browser()
    answer = party.scenery.go_on(browser, party.authorize(browser, response_mode=mode), "julie")

    assert set(party.carried(answer)) == {"response"}
    assert answer.status_code == (200 if mode == "form_post.jwt" else 303)
    assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert "code" in party.answer(answer)
    refused = party.answer(party.authorize(party.scenery.browser(), response_mode=mode, prompt="none", state="s-2"))
    assert (refused["error"], refused["state"], refused["iss"]) == ("login_required", "s-2", ISSUER)
    assert "code" not in refused


def test_each_client_is_answered_by_its_algorithm(party: SigningRelyingParty) -> None:
    """JARM §3: ``authorization_signed_response_alg``; without it the algorithm of the ID token."""
    other = second(party.scenery)
    for each, alg in ((party, "ES256"), (other, "PS256")):
        answer = each.authorize(each.scenery.browser(), response_mode="jwt", prompt="none")
        assert pyjwt.get_unverified_header(each.carried(answer)["response"])["alg"] == alg


def test_a_signed_answer_is_no_id_token(party: SigningRelyingParty) -> None:
    """No token kind passes as another: an answer is neither a hint at the authorization endpoint nor an access token."""
    answer = party.authorize(party.scenery.browser(), response_mode="jwt", prompt="none")
    response = party.carried(answer)["response"]

    assert party.refusal(id_token_hint=response) == "invalid_request"
    assert party.userinfo(response).status_code == 401


def test_a_person_who_gives_up_is_told_signed(party: SigningRelyingParty) -> None:
    """user-rejects-authentication: access_denied with state and iss, in the mode that was asked for."""
    browser = party.scenery.signed_in("julie")
    page = party.authorize(browser, response_mode="form_post.jwt")
    while "/interaction/consent" not in page.location:
        page = browser.get(page.location)
    form = browser.get(page.location)
    answer = browser.post(page.location, data={"csrf_token": csrf_token(form.text), "answer": "deny"})

    told = party.answer(answer)

    assert (told["error"], told["state"], told["iss"]) == ("access_denied", "s-1", ISSUER)


def test_an_unsupported_mode_is_answered_in_the_query(party: SigningRelyingParty) -> None:
    """Before a mode is proven, the plain query; by value too, and never by a fragment."""
    for mode in ("fragment", "fragment.jwt", "web_message", "JWT"):
        assert party.refusal(response_mode=mode) == "invalid_request", mode

    plain = SigningRelyingParty(party.scenery, "jar1", pushed=False)
    for mode in ("jwt", "query.jwt", "form_post.jwt", "fragment.jwt"):
        answer = plain.authorize(plain.scenery.browser(), response_mode=mode)
        assert plain.carried(answer)["error"] == "invalid_request", mode
        assert "?error=" in answer.location


def test_what_must_be_accepted(parties: Parties) -> None:
    """ensure-request-object-with-multiple-aud-succeeds, -with-nbf-8-seconds-in-the-future-is-accepted,
    ensure-other-scope-order-succeeds, ensure-authorization-request-without-state-success, -without-nonce-success,
    -with-64-char-nonce-success, -with-long-nonce, -with-long-state.
    """
    for party in parties:
        now = int(party.scenery.clock.now().timestamp())
        for changed in (
            {"aud": [ISSUER, "https://other1.example.com"]},
            {"aud": [ISSUER]},
            {"nbf": now + 8, "iat": now + 8},
            {"nbf": now - 59 * MINUTE, "exp": now + 1},
            {"exp": now - 9},
            {"nbf": now, "exp": now + 60 * MINUTE},
            {"scope": "functional_blocks enterprise openid"},
            {"state": None},
            {"nonce": None},
            {"nonce": "n" * 64},
            {"nonce": "n" * 384},
            {"state": "s" * 1000},
            {"max_age": 600},
            {"iat": None, "jti": None},
            {"unknown": {"a": [1]}},
            {"authorization_details": [{"type": "functional_blocks", "privileges": ["001"]}]},
            {"resource": []},
        ):
            assert party.refusal(**changed) == "", changed
        for alg in ("PS256", "EdDSA", "Ed25519"):
            if party.pushed or alg != "Ed25519":
                assert party.refusal(request=party.request_object(alg)) == "", alg


def test_a_long_state_and_nonce_come_back_intact(parties: Parties) -> None:
    """ensure-authorization-request-with-long-nonce, -with-long-state: as they were, never cut."""
    browser = parties[0].scenery.browser()
    for party in parties:
        told = answered(party, browser, state="é~" * 400, nonce="n" * 384)
        assert told["state"] == "é~" * 400


def test_what_must_be_refused_of_times_and_audience(parties: Parties) -> None:
    """ensure-request-object-without-exp-fails, -without-nbf-fails, ensure-expired-request-object-fails, -with-bad-aud-fails,
    -with-exp-over-60-fails, -with-nbf-over-60-fails; over sixty seconds ahead.
    """
    for party in parties:
        now = int(party.scenery.clock.now().timestamp())
        for changed in (
            {"exp": None},
            {"nbf": None},
            {"exp": now - 5 * MINUTE, "nbf": now - 10 * MINUTE, "iat": now - 10 * MINUTE},
            {"exp": now - 10},
            {"aud": "https://other1.example.com"},
            {"aud": ["https://other1.example.com"]},
            {"aud": f"{ISSUER}/"},
            {"aud": f"{ISSUER}/par"},
            {"aud": [ISSUER, 5]},
            {"aud": None},
            {"nbf": now, "exp": now + 70 * MINUTE},
            {"nbf": now - 70 * MINUTE, "exp": now + 5},
            {"nbf": now + 61},
            {"iat": now + 61},
        ):
            assert party.refusal(**changed) == "invalid_request_object", changed


def test_what_must_be_refused_of_signatures(parties: Parties) -> None:
    """ensure-request-object-signature-algorithm-is-not-none, ensure-request-object-with-invalid-signature-fails,
    ensure-matching-key-in-authorization-request, ensure-signed-request-object-with-RS256-fails.
    """
    for party in parties:
        good = party.request_object()
        head, body, signature = good.split(".")
        for wrong in (
            by_hand({"alg": "none"}, party.claims(), signed=False),
            by_hand({"alg": "none"}, party.claims(), signed=False) + "AA",
            f"{head}.{body}.{signature[:-4]}AAAA",
            f"{head}.{body}.",
            f"{head}.{party.request_object(state='x').split('.')[1]}.{signature}",
            party.request_object(key=SECOND_KEY),
        ):
            assert party.refusal(request=wrong) == "invalid_request_object"
        assert party.refusal(request=good) == ""
    assert parties[0].refusal(request=parties[0].request_object("RS256")) == "invalid_request_object"


def test_an_unsigned_request_is_refused(parties: Parties) -> None:
    """ensure-unsigned-request-at-par-endpoint-fails, ensure-unsigned-authorization-request-without-using-par-fails."""
    pushing = parties[0]

    pushed = pushing.post("/par", pushing.parameters(), with_proof=False)
    assert (pushed.status_code, pushed.get_json()["error"] in REFUSED) == (400, True)
    for party in parties:
        plain = party.scenery.browser().get("/authorize", query_string=party.parameters())
        assert party.answer(plain)["error"] in REFUSED
    signed = pushing.scenery.browser().get("/authorize", query_string=pushing.sent(None))
    assert pushing.answer(signed)["error"] in REFUSED, "signed, but not pushed"


def test_a_request_inside_a_request_is_refused(parties: Parties) -> None:
    """par-authorization-request-containing-request_uri, and -request_uri-form-param: inside the object or beside it."""
    for party in parties:
        uri = "urn:ietf:params:oauth:request_uri:" + "x" * 43
        for nested in ({"request_uri": uri}, {"request_uri": "https://a.example/r"}, {"request": "x"}, {"request": 5}):
            signed = by_hand({"alg": "ES256"}, party.claims(**nested))
            assert party.refusal(request=signed) == "invalid_request_object", nested
    assert parties[0].refusal(outside={"request_uri": uri}) == "invalid_request"
    beside = {"request_uri": "https://a.example/r", "redirect_uri": CALLBACK}
    assert parties[1].refusal(outside=beside) == "request_uri_not_supported"


def test_inside_wins(parties: Parties) -> None:
    """ensure-different-nonce-inside-and-outside-request-object, ensure-different-state-…: what stands beside does not count."""
    outside = {
        "state": "outside",
        "nonce": "outside",
        "scope": "openid",
        "prompt": "none",
        "response_mode": "form_post",
    }
    browser = parties[0].scenery.browser()
    for party in parties:
        told = answered(party, browser, outside=outside)
        assert told["state"] == "s-1"
        proof = party.redeem(told["code"]) if party.pushed else party.proven_token(told["code"], party.assertion())
        claims = party.read(proof.get_json()["id_token"], "ES256" if party.pushed else "RS256")
        assert claims["nonce"] == "n-1"


def test_a_state_outside_is_not_used(parties: Parties) -> None:
    """state-only-outside-request-object-not-used."""
    browser = parties[0].scenery.browser()
    for party in parties:
        told = answered(party, browser, outside={"state": "outside", "nonce": "outside"}, state=None, nonce=None)
        assert "state" not in told


def test_a_redirect_uri_counts_inside_only(parties: Parties) -> None:
    """ensure-request-object-without-redirect-uri-fails, ensure-registered-redirect-uri: a page by value, JSON when pushed."""
    for party in parties:
        outside = {"redirect_uri": CALLBACK}
        assert party.refusal(redirect_uri=None, outside=outside) in REFUSED | {"missing_redirect_uri"}
        wrong = party.refusal(redirect_uri="https://evil.example/cb", outside=outside)
        assert wrong in REFUSED | {"invalid_redirect_uri"}


def test_the_usual_checks_run_inside(parties: Parties) -> None:
    """par-ensure-pkce-required, par-plain-pkce-rejected, ensure-response-type-code-idtoken-fails,
    ensure-response-type-token-fails.
    """
    for party in parties:
        for changed, error in (
            ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
            ({"code_challenge_method": "plain"}, "invalid_request"),
            ({"response_type": "code id_token"}, "unsupported_response_type"),
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"response_type": None}, "invalid_request"),
            ({"scope": "profile"}, "invalid_scope"),
            ({"max_age": -1}, "invalid_request"),
            ({"registration": {}}, "registration_not_supported"),
            ({"authorization_details": [{"type": "payment"}]}, "invalid_authorization_details"),
            ({"resource": "https://elsewhere.example/"}, "invalid_target"),
        ):
            assert party.refusal(**changed) == error, changed


def test_a_pushed_reference_stands_alone(party: SigningRelyingParty) -> None:
    """par-without-duplicate-parameters, par-ensure-reused-request-uri-prior-to-auth-completion-succeeds,
    par-attempt-reuse-request_uri, par-attempt-to-use-expired-request_uri, par-attempt-to-use-request_uri-for-different-client.
    """
    browser, other = party.scenery.browser(), second(party.scenery)
    uri = party.push(response_mode="jwt").get_json()["request_uri"]

    assert other.visit(party.scenery.browser(), uri).status_code == 400
    assert party.visit(browser, uri).status_code == 303
    answer = party.scenery.go_on(browser, party.visit(browser, uri, state="outside"), "julie")
    assert party.answer(answer)["state"] == "s-1"
    assert party.visit(browser, uri).status_code == 400
    late = party.push().get_json()["request_uri"]
    party.scenery.clock.advance(timedelta(seconds=91))
    assert party.visit(browser, late).status_code == 400


def test_a_key_named_inside_binds_the_code(party: SigningRelyingParty) -> None:
    """ensure-mismatched-dpop-jkt-fails, ensure-dpop-auth-code-binding-success, with ``dpop_jkt`` signed."""
    named = thumbprint(party.dpop_key)
    browser = party.scenery.browser()

    assert party.push(dpop_jkt=thumbprint(private_key("ES256")), with_proof=True).status_code == 400
    code = answered(party, browser, dpop_jkt=named)["code"]
    assert party.redeem(code).status_code == 200
    code = answered(party, browser, dpop_jkt=thumbprint(private_key("ES256")))["code"]
    assert party.redeem(code).get_json()["error"] == "invalid_grant"
