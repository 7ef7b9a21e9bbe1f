"""The OIDF plan of the FAPI 2.0 Security Profile; docstrings name its modules (prefix ``fapi2-security-profile-final-``)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.oidc import fapi
from tests.oidc.fapi import FapiRelyingParty, public_jwk, thumbprint
from tests.oidc.scenery import (
    ASSERTION_TYPE,
    CALLBACK,
    ISSUER,
    VERIFIER,
    RelyingParty,
    Scenery,
    error_code,
    private_key,
)

TOKEN_URL, PAR_URL, USERINFO_URL = f"{ISSUER}/token", f"{ISSUER}/par", f"{ISSUER}/userinfo"


@pytest.fixture
def rp1(scenery: Scenery) -> FapiRelyingParty:
    return fapi.first(scenery)


@pytest.fixture
def rp2(scenery: Scenery) -> FapiRelyingParty:
    return fapi.second(scenery)


def error_of(answer: Any) -> tuple[int, str]:
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, answer.get_json()["error"]


# What must succeed


def test_two_clients_push_sign_in_and_redeem(scenery: Scenery, rp1: FapiRelyingParty, rp2: FapiRelyingParty) -> None:
    """happy-flow, ensure-dpop-auth-code-binding-success: first rp1, then rp2 whose address has its own query."""
    for rp, alg in ((rp1, "ES256"), (rp2, "PS256")):
        browser = scenery.browser()
        pushed = rp.push()
        told = pushed.get_json()
        assert pushed.status_code == 201
        assert told["request_uri"].startswith("urn:ietf:params:oauth:request_uri:")
        assert len(told["request_uri"].rpartition(":")[2]) == 43
        assert 5 <= told["expires_in"] < 600
        response = scenery.go_on(browser, rp.visit(browser, told["request_uri"]), "julie")
        answered = rp.answer(response)
        assert (answered["iss"], answered["state"], len(answered["code"])) == (ISSUER, "s-1", 43)
        assert "#" not in response.location
        tokens = rp.redeem(answered["code"]).get_json()
        assert tokens["token_type"] == "DPoP"
        assert rp.read(tokens["id_token"], alg)["nonce"] == "n-1"
        bound = rp.read(tokens["access_token"], "ES256", audience="https://portal.amp.example/")
        assert bound["cnf"] == {"jkt": thumbprint(rp.dpop_key)}
        assert rp.userinfo(tokens["access_token"]).status_code == 200


def test_discovery_says_what_the_profile_needs(scenery: Scenery) -> None:
    """discovery-end-point-verification."""
    told = scenery.browser().get("/.well-known/openid-configuration").get_json()
    strong = {"PS256", "ES256", "EdDSA", "Ed25519"}

    assert told["authorization_response_iss_parameter_supported"] is True
    assert told["pushed_authorization_request_endpoint"] == PAR_URL
    assert told["require_pushed_authorization_requests"] is False
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert set(told["dpop_signing_alg_values_supported"]) == strong
    assert strong <= set(told["token_endpoint_auth_signing_alg_values_supported"])
    assert {"PS256", "ES256"} <= set(told["id_token_signing_alg_values_supported"])


def test_a_person_who_refuses_is_told_to_the_client(scenery: Scenery, rp1: FapiRelyingParty) -> None:
    """user-rejects-authentication: access_denied with state and iss; the pushed request is used up."""
    browser = scenery.signed_in("julie")
    reference = rp1.push().get_json()["request_uri"]
    page = rp1.visit(browser, reference)
    answered = rp1.answer(scenery.press(browser, page.location, answer="deny"))

    assert (answered["error"], answered["state"], answered["iss"]) == ("access_denied", "s-1", ISSUER)
    assert error_code(rp1.visit(browser, reference).text) == "invalid_request_uri"


@pytest.mark.parametrize(
    "changed",
    [
        {"state": None},
        {"nonce": None},
        {"nonce": "n" * 64},
        {"nonce": "n" * 384},
        {"scope": "functional_blocks enterprise email profile openid"},
        {"state": "s" * 1500},
    ],
    ids=["no-state", "no-nonce", "nonce-64", "nonce-384", "scopes-reversed", "long-state"],
)
def test_what_may_vary_varies(scenery: Scenery, rp1: FapiRelyingParty, changed: dict[str, Any]) -> None:
    """ensure-authorization-request-without-state-success, -without-nonce-success, -with-64-char-nonce-success, -with-long-nonce,
    -with-long-state, ensure-other-scope-order-succeeds: what was sent comes back to the letter."""
    browser = scenery.browser()
    answered = rp1.answer(scenery.go_on(browser, rp1.authorize(browser, **changed), "julie"))
    assert answered.get("state") == changed.get("state", "s-1")

    claims = rp1.read(rp1.redeem(answered["code"]).get_json()["id_token"], "ES256")

    assert claims.get("nonce") == changed.get("nonce", "n-1")


def test_the_scheme_is_read_in_any_case(scenery: Scenery, rp1: FapiRelyingParty) -> None:
    """access-token-type-header-case-sensitivity."""
    access = rp1.tokens(scenery.browser())["access_token"]

    assert [rp1.userinfo(access, scheme=scheme).status_code for scheme in ("DPoP", "dpop", "DPOP")] == [200] * 3


def test_a_proof_may_be_ten_seconds_off_and_say_when_it_ends(scenery: Scenery, rp1: FapiRelyingParty) -> None:
    """check-dpop-proof-nbf-exp, ensure-dpopproof-with-iat-10seconds-before-succeeds, …-after-succeeds."""
    browser = scenery.browser()
    access = rp1.tokens(browser)["access_token"]
    now = int(scenery.clock.now().timestamp())
    for claims in ({"iat": now - 10}, {"iat": now + 10}, {"nbf": now, "exp": now + 60}):
        proof = rp1.dpop("GET", USERINFO_URL, access_token=access, **claims)
        assert rp1.userinfo(access, proof=proof).status_code == 200, claims


def test_a_proof_at_par_binds_the_code(scenery: Scenery, rp1: FapiRelyingParty) -> None:
    """ensure-dpopproof-at-par-endpoint-binding-success; ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt."""
    browser = scenery.browser()
    assert rp1.redeem(rp1.code(browser, with_proof=True)).status_code == 200
    code = rp1.code(browser, with_proof=True)
    rp1.dpop_key = ec.generate_private_key(ec.SECP256R1())

    assert error_of(rp1.redeem(code)) == (400, "invalid_grant")


def test_a_named_key_binds_the_code(scenery: Scenery, rp1: FapiRelyingParty) -> None:
    """ensure-token-endpoint-fails-with-mismatched-dpop-jkt: dpop_jkt without a proof (RFC 9449 §10)."""
    browser = scenery.browser()
    assert rp1.redeem(rp1.code(browser, dpop_jkt=thumbprint(rp1.dpop_key))).status_code == 200
    other = thumbprint(ec.generate_private_key(ec.SECP256R1()))

    assert error_of(rp1.redeem(rp1.code(browser, dpop_jkt=other))) == (400, "invalid_grant")


def test_the_browser_brings_client_and_reference_only(scenery: Scenery, rp1: FapiRelyingParty) -> None:
    """par-without-duplicate-parameters; what stands beside the reference does not count (RFC 9126 §4)."""
    browser = scenery.signed_in("julie")
    reference = rp1.push(prompt="none", state="pushed").get_json()["request_uri"]

    answered = rp1.answer(
        rp1.visit(browser, reference, state="beside", prompt="login", redirect_uri="https://evil.example")
    )

    assert (answered["error"], answered["state"]) == ("interaction_required", "pushed")


def test_the_page_may_be_reloaded_until_there_is_an_answer(scenery: Scenery, rp1: FapiRelyingParty) -> None:
    """par-ensure-reused-request-uri-prior-to-auth-completion-succeeds; par-attempt-reuse-request_uri afterwards."""
    browser = scenery.browser()
    reference = rp1.push().get_json()["request_uri"]
    assert rp1.visit(browser, reference).location.startswith("/sign-in")
    assert "code" in rp1.answer(scenery.go_on(browser, rp1.visit(browser, reference), "julie"))

    again = rp1.visit(browser, reference)

    assert (again.status_code, error_code(again.text)) == (400, "invalid_request_uri")


def test_two_pages_of_one_pushed_request_give_one_code(scenery: Scenery, rp1: FapiRelyingParty) -> None:
    """The first answer uses the request up; the other page says that it is over."""
    browser = scenery.signed_in("julie")
    reference = rp1.push().get_json()["request_uri"]
    first, second = rp1.visit(browser, reference), rp1.visit(browser, reference)
    assert first.location != second.location
    assert "code" in rp1.answer(scenery.go_on(browser, first, "julie"))

    late = scenery.browser()
    late = browser.get(second.location.replace("/interaction/consent", "/authorize"))

    assert (late.status_code, error_code(late.text)) == (400, "interaction_over")


def test_an_assertion_may_begin_eight_seconds_from_now(scenery: Scenery, rp1: FapiRelyingParty) -> None:
    """par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted."""
    now = int(scenery.clock.now().timestamp())

    assert rp1.push(**rp1.client_proof(nbf=now + 8, iat=now + 8)).status_code == 201


# What must fail: the authorization request


def test_a_request_by_the_browser_is_refused(scenery: Scenery, rp1: FapiRelyingParty) -> None:
    """ensure-unsigned-authorization-request-without-using-par-fails."""
    answered = rp1.answer(RelyingParty.authorize(rp1, scenery.browser()))

    assert (answered["error"], answered["state"]) == ("invalid_request", "s-1")


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"redirect_uri": "https://evil.example/cb"}, "invalid_request"),
        ({"redirect_uri": CALLBACK + "/"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:" + "a" * 43}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"dpop_jkt": "short"}, "invalid_request"),
        ({"nonce": "n" * 513}, "invalid_request"),
        ({"state": "s" * 2049}, "invalid_request"),
        ({"resource": "https://elsewhere.example/"}, "invalid_target"),
        ({"authorization_details": '[{"type":"unknown"}]'}, "invalid_authorization_details"),
        ({"client_id": "rp1"}, "invalid_client"),
    ],
)
def test_a_faulty_request_is_refused_when_it_is_pushed(
    scenery: Scenery, rp1: FapiRelyingParty, changed: dict[str, Any], error: str
) -> None:
    """ensure-registered-redirect-uri, plain-fapi-tolerate-unregistered-redirect-uri (we refuse), ensure-redirect-uri-in-…,
    ensure-response-type-code-idtoken-fails, ensure-response-type-token-fails,
    par-authorization-request-containing-request_uri-form-param, par-ensure-pkce-required, par-plain-pkce-rejected."""
    answer = rp1.push(**changed)

    assert error_of(answer) == (401 if error == "invalid_client" else 400, error)
    assert "Location" not in answer.headers


def test_par_takes_posts_only(scenery: Scenery) -> None:
    """par-attempt-invalid-http-method: 405, with what is allowed, as JSON."""
    for method in ("get", "put", "delete"):
        answer = getattr(scenery.browser(), method)("/par")
        assert (answer.status_code, answer.mimetype, "POST" in answer.headers["Allow"]) == (
            405,
            "application/json",
            True,
        )


def test_a_reference_dies_after_ninety_seconds(scenery: Scenery, rp1: FapiRelyingParty) -> None:
    """par-attempt-to-use-expired-request_uri: exact to the second; nothing is redirected."""
    browser = scenery.browser()
    reference = rp1.push().get_json()["request_uri"]
    scenery.clock.advance(timedelta(seconds=89))
    assert rp1.visit(browser, reference).status_code == 303
    scenery.clock.advance(timedelta(seconds=1))

    late = rp1.visit(browser, reference)

    assert (late.status_code, error_code(late.text)) == (400, "invalid_request_uri")


def test_a_reference_is_of_one_client(scenery: Scenery, rp1: FapiRelyingParty, rp2: FapiRelyingParty) -> None:
    """par-attempt-to-use-request_uri-for-different-client, and every near miss of the reference (S-24, S-26)."""
    browser = scenery.browser()
    reference = rp1.push().get_json()["request_uri"]
    assert error_code(rp2.visit(browser, reference).text) == "invalid_request_uri"
    for wrong in (reference[:-1], reference + "A", reference.swapcase(), reference.rpartition(":")[0] + ":"):
        assert rp1.visit(browser, wrong).status_code == 400, wrong

    assert rp1.visit(browser, reference).status_code == 303


@pytest.mark.parametrize("uri", ["https://evil.example/r", "http://127.0.0.1:1/r", "file:///etc/passwd", "urn:other:x"])
def test_no_other_address_is_fetched(scenery: Scenery, rp1: FapiRelyingParty, uri: str) -> None:
    """S-26: a request_uri that is not ours is refused, and the network is not touched (every test forbids it)."""
    answered = rp1.answer(RelyingParty.authorize(rp1, scenery.browser(), request_uri=uri))

    assert answered["error"] == "request_uri_not_supported"


def test_a_client_loses_its_address_between_push_and_visit(scenery: Scenery, rp1: FapiRelyingParty) -> None:
    """S-11: every continuation goes by the registration as it is now."""
    from sqlalchemy import select, update

    from idp.db import transaction
    from idp.oidc.models import RelyingPartyRow

    reference = rp1.push().get_json()["request_uri"]
    with transaction() as session:
        members = session.scalar(select(RelyingPartyRow.members).where(RelyingPartyRow.client_id == "fapi1"))
        moved = {**(members or {}), "redirect_uris": ["https://moved.example/cb"]}
        session.execute(update(RelyingPartyRow).where(RelyingPartyRow.client_id == "fapi1").values(members=moved))
    scenery.clock.advance(timedelta(seconds=2))

    answer = rp1.visit(scenery.browser(), reference)

    assert (answer.status_code, error_code(answer.text)) == (400, "invalid_redirect_uri")


# What must fail: the client's proof


def _wrong_signature(rp: FapiRelyingParty) -> dict[str, str]:
    return {"client_assertion": rp.assertion("ES256", ec.generate_private_key(ec.SECP256R1()), {"kid": rp.kid})}


PROOFS: dict[str, Callable[[FapiRelyingParty, int], dict[str, str | None]]] = {
    "ensure-signed-client-assertion-with-RS256-fails": lambda rp, now: {
        "client_assertion": rp.assertion("RS256", private_key("RS256"), {"kid": "k-PS256"})
    },
    "ensure-client-assertion-in-token-endpoint": lambda rp, now: {
        "client_assertion": None,
        "client_assertion_type": None,
        "client_id": rp.client_id,
    },
    "ensure-client-assertion-with-exp-is-5-minutes-in-past-fails": lambda rp, now: rp.client_proof(
        iat=now - 360, exp=now - 300
    ),
    "ensure-client-assertion-with-wrong-aud-fails": lambda rp, now: rp.client_proof(aud="https://other.example"),
    "ensure-client-assertion-with-no-sub-fails": lambda rp, now: rp.client_proof(sub=None),
    "par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails": lambda rp, now: rp.client_proof(
        nbf=now + 61
    ),
    "par-test-array-as-audience-fails": lambda rp, now: rp.client_proof(aud=[ISSUER]),
    "par-test-par-endpoint-url-as-audience-fails": lambda rp, now: rp.client_proof(aud=PAR_URL),
    "par-test-token-endpoint-url-as-audience-fails": lambda rp, now: rp.client_proof(aud=TOKEN_URL),
    "no-jti": lambda rp, now: rp.client_proof(jti=None),
    "life-over-ten-minutes": lambda rp, now: rp.client_proof(exp=now + 601),
    "foreign-signature": lambda rp, now: {**_wrong_signature(rp), "client_assertion_type": ASSERTION_TYPE},
    "another-client": lambda rp, now: rp.client_proof(iss="fapi2", sub="fapi2"),
    "secret": lambda rp, now: {**rp.client_proof(), "client_secret": "s" * 40},
}


@pytest.mark.parametrize("module", PROOFS)
def test_a_client_that_does_not_prove_itself_gets_nothing(scenery: Scenery, rp1: FapiRelyingParty, module: str) -> None:
    """The modules named by the cases, at PAR and at the token endpoint; the code survives, for who proves itself."""
    code, now = rp1.code(scenery.browser()), int(scenery.clock.now().timestamp())
    allowed = {(401, "invalid_client"), (400, "invalid_request")}
    redemption = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    for path, form in (("/par", rp1.parameters()), ("/token", redemption)):
        given = {name: value for name, value in PROOFS[module](rp1, now).items() if value is not None}
        headers = {"DPoP": rp1.dpop("POST", ISSUER + path)}
        assert error_of(scenery.browser().post(path, data={**form, **given}, headers=headers)) in allowed, path

    assert rp1.redeem(code).status_code == 200


def test_an_assertion_serves_once_on_all_endpoints(scenery: Scenery, rp1: FapiRelyingParty) -> None:
    """S-23: what PAR has seen, the token endpoint does not take."""
    code, proof = rp1.code(scenery.browser()), rp1.client_proof()
    assert rp1.push(**proof).status_code == 201

    assert error_of(rp1.push(**proof)) == (401, "invalid_client")
    assert error_of(rp1.redeem(code, **proof)) == (401, "invalid_client")


def test_a_body_names_the_client_that_proved_itself(scenery: Scenery, rp1: FapiRelyingParty) -> None:
    """ensure-client-id-in-token-endpoint: the other client's identifier beside our proof."""
    code = rp1.code(scenery.browser())

    assert error_of(rp1.redeem(code, client_id="fapi2")) == (401, "invalid_client")


# What must fail: the token request


def test_a_bearer_gets_no_token(scenery: Scenery, rp1: FapiRelyingParty) -> None:
    """ensure-holder-of-key-required: without a proof nothing is given, and the code is not burnt."""
    code = rp1.code(scenery.browser())

    assert error_of(rp1.redeem(code, with_proof=False)) == (400, "invalid_dpop_proof")
    assert rp1.redeem(code).status_code == 200


def test_a_code_is_of_one_client(scenery: Scenery, rp1: FapiRelyingParty, rp2: FapiRelyingParty) -> None:
    """ensure-authorization-code-is-bound-to-client: the other's try does not burn it (S-8)."""
    code = rp1.code(scenery.browser())

    assert error_of(rp2.redeem(code, redirect_uri=CALLBACK)) == (400, "invalid_grant")
    assert rp1.redeem(code).status_code == 200


def test_a_code_serves_once_and_its_tokens_die_with_the_second_try(scenery: Scenery, rp1: FapiRelyingParty) -> None:
    """attempt-reuse-authorization-code-after-one-second."""
    code = rp1.code(scenery.browser())
    access = rp1.redeem(code).get_json()["access_token"]
    scenery.clock.advance(timedelta(seconds=1))

    assert error_of(rp1.redeem(code)) == (400, "invalid_grant")
    assert rp1.userinfo(access).status_code == 401


def test_a_code_dies_after_a_minute(scenery: Scenery, rp1: FapiRelyingParty) -> None:
    """ensure-token-endpoint-fails-with-expired-auth-code."""
    code = rp1.code(scenery.browser())
    scenery.clock.advance(timedelta(seconds=60))

    assert error_of(rp1.redeem(code)) == (400, "invalid_grant")


@pytest.mark.parametrize("verifier", [None, "w" * 43, "v" * 42, VERIFIER + "x"])
def test_the_verifier_must_fit(scenery: Scenery, rp1: FapiRelyingParty, verifier: str | None) -> None:
    """ensure-pkce-code-verifier-required, incorrect-pkce-code-verifier-rejected: and the code is burnt."""
    code = rp1.code(scenery.browser())

    assert error_of(rp1.redeem(code, code_verifier=verifier)) == (400, "invalid_grant")
    assert error_of(rp1.redeem(code)) == (400, "invalid_grant")


def test_a_proof_and_a_named_key_must_agree(scenery: Scenery, rp1: FapiRelyingParty) -> None:
    """ensure-mismatched-dpop-jkt-fails, at PAR."""
    other = thumbprint(ec.generate_private_key(ec.SECP256R1()))

    assert error_of(rp1.push(with_proof=True, dpop_jkt=other)) == (400, "invalid_dpop_proof")


def test_a_proof_without_our_nonce_is_sent_back_with_one(scenery: Scenery, rp1: FapiRelyingParty) -> None:
    """RFC 9449 §8: 400 at the server, 401 at the resource; the nonce comes along, serves for minutes, not for ever."""
    code = rp1.code(scenery.browser())
    asked = rp1.post("/token", {"grant_type": "authorization_code", "code": code}, proof=rp1.dpop("POST", TOKEN_URL))
    assert error_of(asked) == (400, "use_dpop_nonce")
    nonce = asked.headers["DPoP-Nonce"]
    access = rp1.redeem(code).get_json()["access_token"]
    rp1.nonce = "made-up"
    refused = rp1.userinfo(access)
    assert (refused.status_code, refused.headers["DPoP-Nonce"]) == (401, nonce)
    assert 'DPoP error="use_dpop_nonce"' in refused.headers["WWW-Authenticate"]
    rp1.nonce = nonce
    answered = rp1.userinfo(access)
    assert (answered.status_code, "DPoP-Nonce" in answered.headers) == (200, True)
    scenery.clock.advance(timedelta(seconds=299))

    late = rp1.userinfo(access)

    assert "use_dpop_nonce" in late.headers["WWW-Authenticate"]


# dpop-negative-tests: at a resource


def _rsa_proof(rp: FapiRelyingParty, access: str) -> str:
    import json

    from jwt.algorithms import RSAAlgorithm

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = json.loads(RSAAlgorithm.to_jwk(key.public_key()))
    return rp.dpop("GET", USERINFO_URL, access_token=access, key=key, alg="RS256", headers={"jwk": public})


def _private_jwk_proof(rp: FapiRelyingParty, access: str) -> str:
    import json

    from jwt.algorithms import ECAlgorithm

    private = json.loads(ECAlgorithm.to_jwk(rp.dpop_key))
    return rp.dpop("GET", USERINFO_URL, access_token=access, headers={"jwk": private})


def _unsigned_proof(rp: FapiRelyingParty, access: str) -> str:
    import base64
    import json

    _, payload, _ = rp.dpop("GET", USERINFO_URL, access_token=access).split(".")
    header = json.dumps({"typ": "dpop+jwt", "alg": "none", "jwk": public_jwk(rp.dpop_key)}).encode()
    return f"{base64.urlsafe_b64encode(header).rstrip(b'=').decode()}.{payload}."


def _resource_proof(**changed: Any) -> Callable[[FapiRelyingParty, str], str]:
    return lambda rp, access: rp.dpop("GET", USERINFO_URL, access_token=access, **changed)


def _symmetric_proof(rp: FapiRelyingParty, access: str) -> str:
    jwk = {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"}
    return rp.dpop("GET", USERINFO_URL, access_token=access, key="s" * 32, alg="HS256", headers={"jwk": jwk})


BAD_PROOFS: dict[str, Callable[[FapiRelyingParty, str], str]] = {
    "not-a-jwt": lambda rp, access: "nothing",
    "two-headers": lambda rp, access: ", ".join([rp.dpop("GET", USERINFO_URL, access_token=access)] * 2),
    "no-typ": _resource_proof(headers={"typ": None}),
    "wrong-typ": _resource_proof(headers={"typ": "JWT"}),
    "no-jwk": _resource_proof(headers={"jwk": None}),
    "jwk-is-text": _resource_proof(headers={"jwk": "x"}),
    "crit": _resource_proof(headers={"crit": ["x"], "x": 1}),
    "no-jti": _resource_proof(jti=None),
    "jti-is-a-list": _resource_proof(jti=["x"]),
    "no-htm": _resource_proof(htm=None),
    "wrong-htm": _resource_proof(htm="POST"),
    "htm-in-small-letters": _resource_proof(htm="get"),
    "no-htu": _resource_proof(htu=None),
    "wrong-htu": _resource_proof(htu=TOKEN_URL),
    "htu-of-another-host": _resource_proof(htu="http://evil.example:8000/userinfo"),
    "htu-of-another-scheme": _resource_proof(htu="https://localhost:8000/userinfo"),
    "htu-with-a-name": _resource_proof(htu="http://me@localhost:8000/userinfo"),
    "htu-is-a-list": _resource_proof(htu=[USERINFO_URL]),
    "no-iat": _resource_proof(iat=None),
    "iat-is-text": _resource_proof(iat="now"),
    "iat-is-true": _resource_proof(iat=True),
    "no-ath": _resource_proof(ath=None),
    "wrong-ath": _resource_proof(ath="x" * 43),
    "rs256": _rsa_proof,
    "hs256": _symmetric_proof,
    "none": _unsigned_proof,
    "private-jwk": _private_jwk_proof,
    "bad-signature": lambda rp, access: rp.dpop("GET", USERINFO_URL, access_token=access)[:-8] + "AAAAAAAA",
    "another-key-than-jwk": lambda rp, access: rp.dpop(
        "GET", USERINFO_URL, access_token=access, headers={"jwk": public_jwk(ec.generate_private_key(ec.SECP256R1()))}
    ),
    "another-key": lambda rp, access: rp.dpop(
        "GET", USERINFO_URL, access_token=access, key=ec.generate_private_key(ec.SECP256R1())
    ),
    "too-long": _resource_proof(padding="x" * 9000),
}


def test_a_bad_proof_opens_nothing(scenery: Scenery, rp1: FapiRelyingParty) -> None:
    """dpop-negative-tests, one by one; afterwards a good one opens (S-94)."""
    access = rp1.tokens(scenery.browser())["access_token"]
    for name, make in BAD_PROOFS.items():
        refused = rp1.userinfo(access, proof=make(rp1, access))
        assert (name, refused.status_code) == (name, 401)
        assert refused.headers["WWW-Authenticate"].startswith('DPoP error="invalid_'), name
    now = int(scenery.clock.now().timestamp())
    for moved in (-3600, 3600, -61, 61):
        proof = rp1.dpop("GET", USERINFO_URL, access_token=access, iat=now + moved)
        assert rp1.userinfo(access, proof=proof).status_code == 401, moved

    assert rp1.userinfo(access).status_code == 200


def test_a_proof_serves_once(scenery: Scenery, rp1: FapiRelyingParty) -> None:
    """dpop-negative-tests: reused jti; at the token endpoint too."""
    code = rp1.code(scenery.browser())
    rp1.push(with_proof=True)  # to have a nonce
    proof = rp1.dpop("POST", TOKEN_URL)
    access = rp1.redeem(code, proof=proof).get_json()["access_token"]
    again = rp1.code(scenery.signed_in("julie"))
    assert error_of(rp1.redeem(again, proof=proof)) == (400, "invalid_dpop_proof")
    shown = rp1.dpop("GET", USERINFO_URL, access_token=access)

    assert [rp1.userinfo(access, proof=shown).status_code for _ in range(3)] == [200, 401, 401]


def test_a_bound_token_is_no_bearer_token(scenery: Scenery, rp1: FapiRelyingParty, rp: RelyingParty) -> None:
    """dpop-negative-tests: sent as Bearer, or with no proof; and a bearer token is not made better by a proof."""
    access = rp1.tokens(scenery.browser())["access_token"]
    bearer = rp.tokens(scenery.browser())["access_token"]

    assert rp1.userinfo(access, scheme="Bearer").status_code == 401
    assert rp.userinfo(access).status_code == 401
    alone = scenery.browser().get("/userinfo", headers={"Authorization": f"DPoP {access}"})
    assert (alone.status_code, alone.get_json()["error"]) == (401, "invalid_dpop_proof")
    assert rp1.userinfo(bearer).status_code == 401


@pytest.mark.parametrize(
    "htu",
    [
        USERINFO_URL + "?x=1",
        USERINFO_URL + "#part",
        "HTTP://LOCALHOST:8000/userinfo",
    ],
)
def test_an_address_may_be_written_otherwise(scenery: Scenery, rp1: FapiRelyingParty, htu: str) -> None:
    """dpop-negative-tests, the passing ones: query, fragment, upper-case host, unknown members."""
    access = rp1.tokens(scenery.browser())["access_token"]

    assert rp1.userinfo(access, proof=rp1.dpop("GET", htu, access_token=access, surprise=1)).status_code == 200


def test_a_baseline_client_may_bind_its_tokens_too(scenery: Scenery, rp: RelyingParty) -> None:
    """RFC 9449 §5: a proof at the token endpoint binds, whatever the profile; no nonce is asked of it."""
    holder = FapiRelyingParty(scenery, "rp1")
    code = rp.code(scenery.browser())
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    headers = {"Authorization": rp.basic(), "DPoP": holder.dpop("POST", TOKEN_URL)}

    told = scenery.browser().post("/token", data=form, headers=headers).get_json()

    assert told["token_type"] == "DPoP"
    assert rp.userinfo(told["access_token"]).status_code == 401
    assert holder.userinfo(told["access_token"]).status_code == 200


def test_nothing_of_a_pushed_request_reaches_the_browser(scenery: Scenery, rp1: FapiRelyingParty) -> None:
    """S-12: cookies, addresses and pages hold none of the pushed values."""
    marker = secrets.token_hex(12)
    browser = scenery.browser()
    answer = rp1.authorize(browser, state=marker, nonce=marker, login_hint=f"x{marker}")
    page = browser.get(answer.location)

    said = "".join(
        [answer.location, page.text, *answer.headers.getlist("Set-Cookie"), *page.headers.getlist("Set-Cookie")]
    )

    assert page.status_code == 200
    assert marker not in said.replace(f'value="x{marker}"', "")
