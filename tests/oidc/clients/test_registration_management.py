"""RFC 7592: a registration token opens its own client and no other, and a replacement changes what a client may change."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from idp.db import db
from idp.oidc.clients import client_services
from idp.oidc.models import RelyingPartyRow
from tests.oidc.registering import ABOUT, Builder, bearer, initial_token
from tests.oidc.scenery import CALLBACK, Scenery, keyed


@pytest.fixture
def builder(scenery: Scenery) -> Builder:
    return Builder(scenery, initial_token(scenery))


def stored() -> str:
    db.session.rollback()
    return str([tuple(row) for row in db.session.execute(select(RelyingPartyRow.__table__))])


def test_the_token_of_one_client_does_nothing_to_another(scenery: Scenery, builder: Builder) -> None:
    """S-30, CVE-2026-116672: A's token on B, any other token on B, B's token elsewhere: 401, and nothing changes."""
    a, b = builder.registered(client_name="A"), builder.registered(client_name="B")
    before = stored()
    attack = {**ABOUT, "redirect_uris": ["https://evil.example/cb"]}
    tokens = [
        a["registration_access_token"],
        b["client_secret"],
        builder.token,
        b["registration_access_token"][:-1],
        b["registration_access_token"] + "=",
        b["registration_access_token"].swapcase(),
        "",
        "x",
        "é",
    ]
    for token in tokens:
        for name in (b["client_id"], "rp1", "dyn.unknown", "x" * 300, "a%00b", "%2e%2e"):
            for method in ("GET", "PUT", "DELETE"):
                answer = scenery.browser().open(
                    f"/register/{name}", method=method, headers=bearer(token), json={**attack, "client_id": name}
                )
                assert answer.status_code == 401, (token, name, method)
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")
                assert "no-store" in answer.headers["Cache-Control"]
    for name in (b["client_id"], "rp1"):
        for method in ("GET", "PUT", "DELETE"):
            address = f"/register/{name}?access_token={b['registration_access_token']}"
            assert scenery.browser().open(address, method=method).status_code == 401

    assert stored() == before
    assert builder.manage("GET", b).status_code == 200


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"client_id": None}, "invalid_client_metadata"),
        ({"client_id": "rp1"}, "invalid_client_metadata"),
        ({"client_id": ["x"]}, "invalid_client_metadata"),
        ({"client_secret": "x" * 43}, "invalid_client_metadata"),
        ({"client_secret": "é"}, "invalid_client_metadata"),
        ({"client_secret": "\ud800"}, "invalid_client_metadata"),
        ({"client_secret": 5}, "invalid_client_metadata"),
        ({"registration_access_token": "x"}, "invalid_client_metadata"),
        ({"registration_client_uri": "https://evil.example/"}, "invalid_client_metadata"),
        ({"client_secret_expires_at": 0}, "invalid_client_metadata"),
        ({"client_id_issued_at": 1}, "invalid_client_metadata"),
        ({"redirect_uris": None}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://u@evil.example/"]}, "invalid_redirect_uri"),
        ({"client_name": None}, "invalid_client_metadata"),
        ({"subject_type": "public"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "none"}, "invalid_client_metadata"),
        ({"software_statement": "a.b.c"}, "unapproved_software_statement"),
    ],
)
def test_a_wrong_replacement_changes_nothing(builder: Builder, changed: dict[str, Any], error: str) -> None:
    """RFC 7592 §2.2: what is issued is not sent back, the identifier is the same, the secret is not chosen."""
    told = builder.registered()
    before = stored()
    sent = {name: value for name, value in {**ABOUT, "client_id": told["client_id"], **changed}.items() if value}

    answer = builder.manage("PUT", told, json=sent | {k: v for k, v in changed.items() if v == 0})

    assert (answer.status_code, answer.get_json()["error"]) == (400, error)
    assert stored() == before


def test_a_body_that_is_not_json_changes_nothing(builder: Builder) -> None:
    """As at registration: one strict JSON object, of our size."""
    told = builder.registered()
    before = stored()
    for body, media_type, status in (
        (b"x", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"{}", "text/plain", 400),
        (b'{"a":1,"a":1}', "application/json", 400),
        (b'"' + b"x" * 40_000 + b'"', "application/json", 413),
    ):
        assert builder.manage("PUT", told, data=body, content_type=media_type).status_code == status

    assert stored() == before


def test_a_replacement_keeps_agency_and_consent_rule(builder: Builder) -> None:
    """The agency is that of the initial token for ever, and a client cannot vouch for itself."""
    told = builder.registered()
    sent = {**ABOUT, "client_id": told["client_id"], "agency": "bac", "requires_pkce": False, "is_dynamic": False}

    replaced = builder.manage("PUT", told, json=sent).get_json()

    found = client_services.find(told["client_id"])
    assert found is not None
    assert (replaced["agency"], found.agency_id, found.is_dynamic, found.requires_pkce) == ("amp", "amp", True, True)


def test_a_replaced_redirect_uri_is_refused_from_then_on(scenery: Scenery, builder: Builder) -> None:
    """S-11: an authorization under way stops at the next page."""
    told = builder.registered()
    party, browser = builder.party(told), scenery.signed_in("julie")
    under_way = party.authorize(browser)
    sent = {**ABOUT, "client_id": told["client_id"], "redirect_uris": ["http://127.0.0.1:9999/other"]}

    assert builder.manage("PUT", told, json=sent).status_code == 200

    assert browser.get(under_way.location).status_code == 400
    assert party.authorize(browser, redirect_uri=CALLBACK).status_code == 400


def test_a_native_client_has_no_secret_to_win(builder: Builder) -> None:
    """RFC 7591 §2.1: no secret is issued for none or private_key_jwt, on PUT neither."""
    told = builder.registered(**{"token_endpoint_auth_method": "private_key_jwt"}, jwks=keyed("x")["jwks"])
    sent = {
        **{"client_id": told["client_id"], "client_name": "N", "redirect_uris": ["http://127.0.0.1/cb"]},
        **{"token_endpoint_auth_method": "none", "application_type": "native"},
    }

    replaced = builder.manage("PUT", told, json=sent)

    assert replaced.status_code == 200
    assert replaced.get_json().keys().isdisjoint({"client_secret", "client_secret_expires_at", "jwks"})


def test_only_clients_that_registered_themselves_are_managed(scenery: Scenery) -> None:
    """A client loaded from a file has no registration token: not even an empty one."""
    before = stored()
    for token in ("None", "null", "", "x"):
        for method in ("GET", "PUT", "DELETE"):
            answer = scenery.browser().open("/register/rp1", method=method, headers=bearer(token), json=ABOUT)
            assert answer.status_code == 401

    assert stored() == before
