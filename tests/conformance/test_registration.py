"""RFC 7591 and RFC 7592 as a client library sees them; the OIDF Dynamic plan itself needs the implicit flow, never offered."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oidc.registering import ABOUT, Builder, bearer, initial_token
from tests.oidc.scenery import CALLBACK, ISSUER, Scenery, keyed


@pytest.fixture
def builder(scenery: Scenery) -> Builder:
    return Builder(scenery, initial_token(scenery))


def test_discovery_names_the_endpoint(scenery: Scenery) -> None:
    """OpenID Connect Discovery §3: ``registration_endpoint``; it answers POST only, and says so."""
    told = scenery.browser().get("/.well-known/openid-configuration").get_json()
    assert told["registration_endpoint"] == f"{ISSUER}/register"

    refused = scenery.browser().get("/register")

    assert (refused.status_code, refused.headers["Allow"], refused.is_json) == (405, "POST", True)


def test_a_registration_is_answered_whole(builder: Builder) -> None:
    """RFC 7591 §3.2.1, ``oidcc-server``: 201, no-store, what is on record with its defaults, and the way back."""
    answer = builder.post(
        client_uri="https://portal.example/", surprise={"x": 1}, contacts=["a@portal.example"], agency="bac"
    )
    told = answer.get_json()

    assert (answer.status_code, answer.mimetype, answer.headers["Cache-Control"]) == (
        201,
        "application/json",
        "no-store",
    )
    assert (told["redirect_uris"], told["client_name"]) == ([CALLBACK], ABOUT["client_name"])
    assert told["registration_client_uri"] == f"{ISSUER}/register/{told['client_id']}"
    assert told["client_secret_expires_at"] == 0
    assert len(told["client_secret"]) >= 43
    assert len(told["registration_access_token"]) >= 43
    assert told["client_id_issued_at"] == int(builder.scenery.clock.now().timestamp())
    assert told["agency"] == "amp"
    defaults = {
        "response_types": ["code"],
        "subject_type": "pairwise",
        "token_endpoint_auth_method": "client_secret_basic",
        "application_type": "web",
        "profile": "baseline",
    }
    assert {name: told[name] for name in defaults} == defaults
    assert told.keys().isdisjoint({"surprise", "requires_pkce"})


def test_a_registered_client_signs_people_in(scenery: Scenery, builder: Builder) -> None:
    """``oidcc-server``: each method that a client may register gets tokens, at the agency of the initial token."""
    browser = scenery.signed_in("julie")
    same_sub = scenery.signed_in("ginette")
    subs = set()
    for method in ("client_secret_basic", "client_secret_post"):
        told = builder.registered(token_endpoint_auth_method=method)
        party = builder.party(told)
        secret = {"client_id": party.client_id, "client_secret": party.secret}
        by_post = method == "client_secret_post"
        answer = party.token(party.code(browser), **({"authorization": "", **secret} if by_post else {}))
        assert answer.status_code == 200, answer.text
        subs.add(party.read(answer.get_json()["id_token"])["sub"])
    told = builder.registered(token_endpoint_auth_method="private_key_jwt", jwks=keyed("x")["jwks"])
    assert told.keys().isdisjoint({"client_secret", "client_secret_expires_at"})
    party = builder.party(told)
    assert party.proven_token(party.code(browser)).status_code == 200
    native = builder.registered(
        token_endpoint_auth_method="none", application_type="native", redirect_uris=["http://127.0.0.1/cb"]
    )
    assert "client_secret" not in native
    desktop = builder.party(native, redirect_uri="http://127.0.0.1:50123/cb")
    answer = desktop.token(desktop.code(same_sub, "ginette"), authorization="", client_id=desktop.client_id)
    assert answer.status_code == 200
    assert len(subs) == 1  # pairwise by agency, not by client


def test_the_person_is_asked_each_time_and_sees_the_host(scenery: Scenery, builder: Builder) -> None:
    """ASVS 10.7.1, S-33: nobody vouches for such a client: no consent is remembered, and the page says where one goes."""
    told = builder.registered(client_name="Portail de l’AMP", redirect_uris=["https://concepteur.example/cb", CALLBACK])
    party = builder.party(told)
    browser = scenery.signed_in("julie")
    assert party.code(browser)

    again = party.authorize(browser, redirect_uri="https://concepteur.example/cb")
    page = browser.get(again.location).text

    assert again.location.startswith("/interaction/consent")
    assert "concepteur.example" in page
    silent = party.authorize(browser, prompt="none")
    assert (silent.status_code, "error=interaction_required" in silent.text) == (200, True)


def test_a_client_reads_replaces_and_removes_itself(scenery: Scenery, builder: Builder) -> None:
    """RFC 7592 §2.1 to §2.3: GET as it was; PUT replaces whole, identifier and secret stay; DELETE ends all it had."""
    told = builder.registered(client_uri="https://portal.example/")
    read = builder.manage("GET", told)
    assert (read.status_code, read.headers["Cache-Control"]) == (200, "no-store")
    assert read.get_json() == {name: value for name, value in told.items() if name != "client_secret"}

    sent = {**ABOUT, "client_id": told["client_id"], "client_secret": told["client_secret"], "client_name": "Autre nom"}
    replaced = builder.manage("PUT", told, json=sent)

    assert (replaced.status_code, replaced.get_json()["client_name"]) == (200, "Autre nom")
    assert replaced.get_json().keys().isdisjoint({"client_uri", "client_secret"})
    assert replaced.get_json()["client_id_issued_at"] == told["client_id_issued_at"]
    party, browser = builder.party(told), scenery.signed_in("julie")
    tokens = party.tokens(browser)
    assert party.userinfo(tokens["access_token"]).status_code == 200

    removed = builder.manage("DELETE", told)

    assert (removed.status_code, removed.data, removed.headers["Cache-Control"]) == (204, b"", "no-store")
    assert party.userinfo(tokens["access_token"]).status_code == 401
    assert party.authorize(browser).status_code == 400
    assert party.token("x").status_code == 401
    for method in ("GET", "PUT", "DELETE"):
        assert builder.manage(method, told, **({"json": sent} if method == "PUT" else {})).status_code == 401


def test_a_move_between_a_secret_and_a_key(builder: Builder) -> None:
    """RFC 7592 §2.2: going to a key ends the secret; coming back gives a new one, told once."""
    told = builder.registered()
    keys: dict[str, Any] = {"token_endpoint_auth_method": "private_key_jwt", "jwks": keyed("x")["jwks"]}
    moved = builder.manage("PUT", told, json={**ABOUT, "client_id": told["client_id"], **keys})
    assert moved.status_code == 200
    assert builder.party(told).token("x").status_code == 401

    back = builder.manage("PUT", told, json={**ABOUT, "client_id": told["client_id"]}).get_json()

    assert back["client_secret"] != told["client_secret"]
    assert back["client_secret_expires_at"] == 0
    assert builder.party(told).token("x").status_code == 401
    assert builder.party(back).token("x").get_json()["error"] == "invalid_grant"


def test_a_wrong_method_names_the_right_ones(scenery: Scenery, builder: Builder) -> None:
    """RFC 9110 §15.5.6."""
    told = builder.registered()
    for method in ("POST", "PATCH"):
        refused = builder.manage(method, told)
        assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, PUT, DELETE"), method
        assert refused.headers["Cache-Control"] == "no-store"
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        refused = scenery.browser().open("/register", method=method, headers=bearer(builder.token))
        assert (refused.status_code, refused.headers["Allow"]) == (405, "POST"), method
