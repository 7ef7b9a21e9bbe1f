"""The OIDF Config plan: ``oidcc-discovery-endpoint-verification``, and that every advertised value works."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import jwt as pyjwt
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.discovery import OpenIDProviderMetadata

from idp.oidc.claims.domain import verified_claims
from idp.oidc.domain import metadata
from idp.oidc.views import check_metadata
from tests.oidc.lasting import Server
from tests.oidc.scenery import ISSUER, SECRET, RelyingParty, Scenery, keyed, load
from tests.oidc.signing import signing_clients

REQUIRED = {
    "issuer": str,
    "authorization_endpoint": str,
    "token_endpoint": str,
    "userinfo_endpoint": str,
    "jwks_uri": str,
    "end_session_endpoint": str,
    "scopes_supported": list,
    "response_types_supported": list,
    "subject_types_supported": list,
    "id_token_signing_alg_values_supported": list,
    "claims_supported": list,
    "code_challenge_methods_supported": list,
}


def test_the_document_is_complete_and_typed(scenery: Scenery) -> None:
    """200 JSON, the issuer to the letter, each member of its type; any site may read it."""
    answer = scenery.browser().get("/.well-known/openid-configuration")
    told = answer.get_json()

    assert (answer.status_code, answer.mimetype, answer.headers["Access-Control-Allow-Origin"]) == (
        200,
        "application/json",
        "*",
    )
    assert told["issuer"] == ISSUER
    assert {name: type(told[name]) for name in REQUIRED} == REQUIRED
    assert told["id_token_signing_alg_values_supported"][0] == "RS256"
    assert told["subject_types_supported"] == ["pairwise"]
    assert told["request_uri_parameter_supported"] is False


def test_an_independent_validator_accepts_it_over_https() -> None:
    """Authlib's RFC 8414 and OpenID checks pass; with http they would not, so the check is real."""
    check_metadata(metadata.document("https://id.example"))

    assert set(metadata.document("https://id.example")) - set(
        AuthorizationServerMetadata.REGISTRY_KEYS + OpenIDProviderMetadata.REGISTRY_KEYS
    ) == {
        "authorization_response_iss_parameter_supported",
        "authorization_details_types_supported",
        "authorization_signing_alg_values_supported",
        "dpop_signing_alg_values_supported",
        "prompt_values_supported",
        "pushed_authorization_request_endpoint",
        "require_pushed_authorization_requests",
        "require_signed_request_object",
        "backchannel_logout_supported",
        "backchannel_logout_session_supported",
        "frontchannel_logout_supported",
        "frontchannel_logout_session_supported",
        "end_session_endpoint",
        "introspection_signing_alg_values_supported",
        "userinfo_endpoint",
        *verified_claims.METADATA,
    }


def test_the_keys_are_served_with_a_tag(scenery: Scenery) -> None:
    """Distinct kids, no private member, 304 for who has them."""
    answer = scenery.browser().get("/jwks")
    keys = answer.get_json()["keys"]

    assert len({key["kid"] for key in keys}) == len(keys)
    assert all(set(key) <= {"kty", "kid", "alg", "use", "n", "e", "crv", "x", "y"} for key in keys)
    again = scenery.browser().get("/jwks", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert answer.headers["Cache-Control"] == "public, max-age=3600"


def test_every_advertised_endpoint_answers(scenery: Scenery) -> None:
    """No address of the document is a 404."""
    told = scenery.browser().get("/.well-known/openid-configuration").get_json()
    for name, value in told.items():
        if isinstance(value, str) and value.startswith(ISSUER + "/"):
            assert scenery.browser().get(value.removeprefix(ISSUER)).status_code != 404, name


def test_every_advertised_value_works(scenery: Scenery, rp: RelyingParty, tmp_path: Path) -> None:
    """Scopes, modes, methods, prompts, claims: what discovery names is what happens (S-14)."""
    told = scenery.browser().get("/.well-known/openid-configuration").get_json()
    browser = scenery.browser()
    server = Server(scenery)
    tokens = server.tokens(browser, scope=" ".join(told["scopes_supported"]))
    assert set(tokens["scope"].split()) == set(told["scopes_supported"])
    rp.code(browser)
    claims = server.read(tokens["id_token"]).keys() | rp.userinfo(tokens["access_token"]).get_json().keys()
    assert claims == set(told["claims_supported"])
    assert server.read(tokens["id_token"])["acr"] in told["acr_values_supported"]
    signing, plain = signing_clients(scenery, tmp_path)
    for mode in told["response_modes_supported"]:
        who = signing if "jwt" in mode else plain
        assert "code" in who.answer(who.authorize(browser, response_mode=mode, prompt="none")), mode
    for alg in told["request_object_signing_alg_values_supported"]:
        assert plain.refusal(request=plain.request_object(alg)) == "", alg
    for alg in told["authorization_signing_alg_values_supported"]:
        asked = keyed("ms1", profile="fapi2-message-signing", authorization_signed_response_alg=alg)
        load(scenery.app, scenery.clock, tmp_path, asked)
        answer = signing.authorize(browser, response_mode="jwt", prompt="none")
        assert pyjwt.get_unverified_header(signing.carried(answer)["response"])["alg"] == alg
        assert "code" in signing.answer(answer), alg
    for prompt in told["prompt_values_supported"]:
        assert rp.code(browser, prompt=prompt), prompt
        scenery.clock.advance(timedelta(seconds=1))
    rp2, rp4 = RelyingParty(scenery, "rp2"), RelyingParty(scenery, "rp4")
    desktop = RelyingParty(scenery, "desktop", redirect_uri="http://127.0.0.1:50123/cb")
    by_method = {
        "client_secret_basic": rp.token(rp.code(browser)),
        "client_secret_post": rp2.token(rp2.code(browser), authorization="", client_id="rp2", client_secret=SECRET),
        "none": desktop.token(desktop.code(browser), authorization="", client_id="desktop"),
        "private_key_jwt": rp4.proven_token(rp4.code(browser)),
    }
    assert set(by_method) == set(told["token_endpoint_auth_methods_supported"])
    assert {answer.status_code for answer in by_method.values()} == {200}
    service = RelyingParty(scenery, "watcher")
    by_grant = {
        "authorization_code": by_method["client_secret_basic"],
        "refresh_token": server.refresh(server.tokens(browser, prompt="consent")["refresh_token"]),
        "client_credentials": service.token("", grant_type="client_credentials"),
    }
    assert set(by_grant) == set(told["grant_types_supported"])
    assert {answer.status_code for answer in by_grant.values()} == {200}
    for alg in told["token_endpoint_auth_signing_alg_values_supported"]:
        proof = rp4.assertion(alg)
        assert rp4.proven_token(rp4.code(browser), proof).status_code == 200, alg


def test_what_is_not_advertised_does_not_work(scenery: Scenery, rp: RelyingParty) -> None:
    """Other modes, prompts, challenge methods, grants are refused."""
    browser = scenery.signed_in("julie")
    refused = [
        {"response_mode": "query.jwt"},  # another profile's
        {"response_mode": "fragment.jwt"},
        {"response_mode": "web_message"},
        {"prompt": "create"},
        {"prompt": "none login"},
        {"code_challenge_method": "plain"},
        {"resource": "https://elsewhere.example/"},
    ]
    for changed in refused:
        assert rp.answer(rp.authorize(browser, **changed))["error"] in ("invalid_request", "invalid_target"), changed
    for grant in ("password", "urn:ietf:params:oauth:grant-type:jwt-bearer"):
        assert rp.token("x", grant_type=grant).get_json()["error"] == "unsupported_grant_type"
