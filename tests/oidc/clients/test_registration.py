"""What a registration may not say, and who may not register (RFC 7591 §3.2.2; security-bar.md S-2, S-3, S-29 to S-33, S-97)."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from idp import audit
from idp.db import db
from idp.oidc.clients import client_services, initial_token_services
from idp.oidc.errors import ClientFileError
from idp.oidc.models import RelyingPartyRow
from tests.oidc.registering import ABOUT, Builder, Documents, bearer, hosting, initial_token
from tests.oidc.scenery import CALLBACK, ISSUER, Scenery, keyed, load, registration

KEYS = keyed("x")["jwks"]
BY_KEY = {"token_endpoint_auth_method": "private_key_jwt"}


@pytest.fixture
def builder(scenery: Scenery) -> Builder:
    return Builder(scenery, initial_token(scenery))


def clients_known() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(RelyingPartyRow)) or 0


REFUSED: list[tuple[dict[str, Any], str]] = [
    *(
        ({"redirect_uris": wrong}, "invalid_redirect_uri")
        for wrong in (
            *(None, [], "https://portal.example/", {}, 5, [5], [None], [[CALLBACK]], [""]),
            *(["https://portal.example/#x"], ["https://portal.example/#"], ["http://portal.example/cb"]),
            *(
                ["https://u@portal.example/"],
                ["https://client.test@attacker.example/cb"],
                ["http://localhost:80@evil/"],
            ),
            *(
                ["https://*.portal.example/"],
                ["https://portal.example/*"],
                ["javascript:alert(1)"],
                ["data:text/html,x"],
            ),
            *(
                ["https://portal.example\\@evil.example/"],
                ["https://portal.example/a b"],
                ["https://portal.example/\t"],
            ),
            *(["https://portal.example/../x"], ["https://portal.example/%2e%2e/x"], ["/cb"], ["//portal.example/"]),
            *(["app.example:/cb"], ["file:///etc/passwd"], ["https://portal.example/é"], ["https://[::1"]),
            *([CALLBACK, "http://portal.example/"], ["https://portal.example/" + "x" * 3000], ["urn:x"]),
        )
    ),
    *(
        ({name: wrong}, "invalid_client_metadata")
        for name in ("client_uri", "policy_uri", "tos_uri", "logo_uri", "initiate_login_uri", "backchannel_logout_uri")
        for wrong in (
            "javascript:alert(1)",
            "data:text/html,x",
            "https://u@portal.example/",
            "http://portal.example/",
            [1],
        )
    ),
    *(
        ({"redirect_uris": [CALLBACK, wrong]}, "invalid_redirect_uri")  # the page would say: you go on to this provider
        for wrong in (f"{ISSUER}/x", ISSUER, "http://LOCALHOST:8000/end-session?x=1")
    ),
    ({"post_logout_redirect_uris": ["http://portal.example/"]}, "invalid_client_metadata"),
    ({"post_logout_redirect_uris": "https://portal.example/"}, "invalid_client_metadata"),
    ({"logo_uri": "https://portal.example/logo.svg"}, "invalid_client_metadata"),
    *(
        ({"client_name": wrong}, "invalid_client_metadata")
        for wrong in (None, "", "A\u202eB", "A\u200bB", "АМР", 5, {})
    ),
    ({"client_name": "x" * 101}, "invalid_client_metadata"),
    *(({"profile": wrong}, "invalid_client_metadata") for wrong in ("none", "", [], {}, 1)),
    *(
        ({"response_types": wrong}, "invalid_client_metadata")
        for wrong in (["token"], ["code id_token"], "code", [], 1)
    ),
    *(({"grant_types": wrong}, "invalid_client_metadata") for wrong in (["implicit"], ["password"], "x", {})),
    *(({"subject_type": wrong}, "invalid_client_metadata") for wrong in ("public", "", 1, ["pairwise"])),
    *(({"id_token_signed_response_alg": wrong}, "invalid_client_metadata") for wrong in ("none", "HS256", "", [])),
    *(
        ({"token_endpoint_auth_method": wrong}, "invalid_client_metadata")
        for wrong in ("none", "client_secret_jwt", "private_key_jwt", "x", "", [], {}, 1)
    ),
    *(({"application_type": wrong}, "invalid_client_metadata") for wrong in ("native", "x", "", [], {}, 1)),
    *(({"scope": wrong}, "invalid_client_metadata") for wrong in ("root openid", "email", "", [], 1)),
    *(({"contacts": wrong}, "invalid_client_metadata") for wrong in ("x", [1], ["x"], ["a@b\x00"], [["a@b.example"]])),
    ({"backchannel_logout_session_required": "yes"}, "invalid_client_metadata"),
    *(
        ({**BY_KEY, "jwks": wrong}, "invalid_client_metadata")
        for wrong in (
            *({}, [], "x", 1, {"keys": []}, {"keys": {}}, {"keys": [1]}, {"keys": [{}]}, {"keys": [{"kty": "oct"}]}),
            *({"keys": [{**KEYS["keys"][1], "d": "AA"}]}, {"keys": [{"kty": "oct", "k": "AA"}]}),
            *({"keys": [KEYS["keys"][0], KEYS["keys"][0]]}, {"keys": [{**KEYS["keys"][1], "x": ["A"]}]}),
            *({"keys": [{**KEYS["keys"][0], "n": "AQAB"}]}, {"keys": [{**KEYS["keys"][0], "e": {}}]}),
        )
    ),
    ({**BY_KEY, "jwks": KEYS, "jwks_uri": "https://portal.example/jwks"}, "invalid_client_metadata"),
    ({**BY_KEY, "jwks_uri": "http://portal.example/jwks"}, "invalid_client_metadata"),
    ({**BY_KEY, "jwks_uri": 5}, "invalid_client_metadata"),
    ({**BY_KEY, "jwks": KEYS, "token_endpoint_auth_signing_alg": "HS256"}, "invalid_client_metadata"),
    ({**BY_KEY, "jwks": KEYS, "token_endpoint_auth_signing_alg": ["ES256"]}, "invalid_client_metadata"),
    ({"token_endpoint_auth_signing_alg": "ES256"}, "invalid_client_metadata"),
    ({"software_statement": "a.b.c"}, "unapproved_software_statement"),
    ({"software_statement": ""}, "unapproved_software_statement"),
]


def test_every_wrong_member_has_its_error(builder: Builder) -> None:
    """RFC 7591 §3.2.2, S-2, S-3, S-33: 400, JSON, no-store, a plain description; nothing is stored and no use is counted."""
    before, left = clients_known(), initial_token_services.listed()[0].uses_left
    wrong = []
    for changed, error in REFUSED:
        answer = (
            builder.post(**changed)
            if None not in changed.values()
            else builder.post({name: value for name, value in ABOUT.items() if name not in changed})
        )
        told = answer.get_json()
        plain = str(told.get("error_description", "")).isascii() and '"' not in told.get("error_description", '"')
        if (answer.status_code, told.get("error"), plain) != (400, error, True) or "no-store" not in answer.headers[
            "Cache-Control"
        ]:
            wrong.append((changed, answer.status_code, told))

    assert wrong == []
    assert (clients_known(), initial_token_services.listed()[0].uses_left) == (before, left)
    assert len(REFUSED) > 120


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"[]",
        b'"x"',
        b"null",
        b"\xff\xfe",
        b'{"a":1,"a":2}',
        b'{"client_name":"A","client_name":"B"}',
        b'{"a":NaN}',
        b'{"a":1e999}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":' * 20 + b"1" + b"}" * 20,
        b"[" * 30_000,
        b'{"a":"\\ud800"',
        b"client_name=x",
    ],
)
def test_what_is_not_one_strict_json_object_is_refused(builder: Builder, body: bytes) -> None:
    """No member twice, no depth, no number that JSON has not: 400, never a 500."""
    answer = builder.post_raw(body)

    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_client_metadata")


def test_what_is_large_or_of_another_type_is_refused(builder: Builder) -> None:
    """32 KiB, counted before the body is read; application/json and nothing else."""
    body = json.dumps(ABOUT).encode()
    large = json.dumps({**ABOUT, "surprise": "x" * 40_000}).encode()

    assert builder.post_raw(large).status_code == 413
    assert builder.post_raw(json.dumps({**ABOUT, "client_name": "x" * 1_000_000}).encode()).status_code == 413
    for media_type in ("text/plain", "application/x-www-form-urlencoded", "text/json", "application/jwt", ""):
        answer = builder.post_raw(body, media_type)
        assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_client_metadata"), media_type
    assert builder.post_raw(body, "application/json; charset=utf-8").status_code == 201


def test_nobody_registers_without_an_initial_token(scenery: Scenery, builder: Builder) -> None:
    """S-30: no token, a wrong one, one in the address or in the body: 401 and a challenge, before the body is looked at."""
    before = clients_known()
    browser, token = scenery.browser(), builder.token
    told = builder.registered()
    requests: list[dict[str, Any]] = [
        {},
        {"headers": {"Authorization": "Bearer"}},
        {"headers": {"Authorization": "Bearer "}},
        {"headers": {"Authorization": f"Basic {token}"}},
        {"headers": {"Authorization": token}},
        {"headers": bearer("x" * 43)},
        {"headers": bearer(token[:-1])},
        {"headers": bearer(token + "A")},
        {"headers": bearer(token.swapcase())},
        {"headers": bearer(told["registration_access_token"])},
        {"headers": bearer(told["client_secret"])},
        {"headers": {"Authorization": "Bearer \xe9\xff"}},
        {"query_string": {"access_token": token}},
    ]
    for request in requests:
        answer = browser.post("/register", json=ABOUT, **request)
        assert answer.status_code == 401, request
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.headers["Cache-Control"] == "no-store"
        assert "error" in answer.get_json() or "Authorization" not in request.get("headers", {})
    assert browser.post("/register", data={"access_token": token, **ABOUT}).status_code == 401
    assert browser.post("/register", data=b"x" * 100_000, content_type="text/plain").status_code == 401

    assert clients_known() == before + 1


def test_an_initial_token_is_counted_dated_and_revocable(scenery: Scenery, builder: Builder) -> None:
    """S-30: its uses are counted by registrations alone; after its last day, or once revoked, it opens nothing."""
    once = initial_token(scenery, uses=1)
    assert builder.post(token=once, redirect_uris=["x"]).status_code == 400
    assert builder.post(token=once).status_code == 201
    assert builder.post(token=once).status_code == 401
    dated = initial_token(scenery, days=2)
    scenery.clock.advance(timedelta(days=2) - timedelta(seconds=1))
    assert builder.post(token=dated).status_code == 201
    scenery.clock.advance(timedelta(seconds=1))
    assert builder.post(token=dated).status_code == 401
    revoked = initial_token(scenery)
    newest = initial_token_services.listed()[0]
    assert initial_token_services.revoke(newest.id, now=scenery.clock.now())
    assert not initial_token_services.revoke(newest.id, now=scenery.clock.now())
    assert builder.post(token=revoked).status_code == 401


def test_nothing_issued_is_stored_or_logged_in_clear(scenery: Scenery, builder: Builder) -> None:
    """Secrets and tokens are digests at rest; the log says who did what at which agency, and no more."""
    told = builder.registered()
    builder.manage("DELETE", told)

    rows = str([tuple(row) for row in db.session.execute(select(RelyingPartyRow.__table__))])
    entries = [entry for entry in audit.entries(limit=100) if entry.agency_id == "amp"]
    everything = rows + str(entries) + str(initial_token_services.listed())
    for secret in (told["client_secret"], told["registration_access_token"], builder.token):
        assert secret not in everything
    events = [entry.event for entry in entries]
    assert {"initial_token:issued", "client:registered", "client:revoked"} <= set(events)


def test_what_operators_alone_decide_is_ignored(builder: Builder) -> None:
    """Agency, identifier, secret and the switches that weaken something never come from the body, and are not echoed."""
    told = builder.registered(
        agency="bac",
        client_id="rp1",
        client_secret="x" * 40,
        requires_pkce=False,
        token_url_as_audience=True,
        allowed_origins=["https://evil.example"],
        further_origins=["https://evil.example"],
        refresh_grace_seconds=10,
        registration_access_token="x",
        **{"client_name#fr": "Autre"},
    )
    found = client_services.find_again(told["client_id"])

    assert found is not None
    assert (told["agency"], found.agency_id, found.requires_pkce) == ("amp", "amp", True)
    assert told["client_id"].startswith("dyn.")
    assert told["client_secret"] != "x" * 40
    assert (found.allowed_origins, found.further_origins, found.token_url_as_audience) == ((), (), False)
    assert found.refresh_grace == timedelta(0)
    assert told.keys().isdisjoint({"requires_pkce", "token_url_as_audience", "allowed_origins", "further_origins"})
    assert told["registration_access_token"] != "x"


def test_a_client_id_is_never_a_sub(builder: Builder) -> None:
    """S-97, RFC 9700 §4.15: a sub is base64url, which has no point."""
    assert {"." in builder.registered()["client_id"] for _ in range(3)} == {True}


def test_keys_keep_their_public_members_only(builder: Builder) -> None:
    """Certificates and addresses beside a key are neither kept nor followed (S-17)."""
    odd = {**KEYS["keys"][1], "x5u": "https://evil.example/", "x5c": ["AA"], "surprise": {"a": [1]}}

    told = builder.registered(**BY_KEY, jwks={"keys": [odd], "surprise": 1})

    assert told["jwks"] == {"keys": [KEYS["keys"][1]]}


@pytest.fixture
def documents() -> Any:
    with hosting() as found:
        yield found


def test_the_sector_document_must_name_the_redirect_uris(builder: Builder, documents: Documents) -> None:
    """OIDC Core §8.1: fetched at registration; and the sector stays the agency all the same."""
    good = documents.put("/sector", [CALLBACK, "https://elsewhere.example/"])
    assert builder.registered(sector_identifier_uri=good)["agency"] == "amp"
    for path, told in (
        ("/other", ["https://elsewhere.example/"]),
        ("/object", {"redirect_uris": [CALLBACK]}),
        ("/text", CALLBACK),
        ("/broken", b"["),
        ("/twice", b'[{"a":1,"a":2}]'),
        ("/large", [CALLBACK, "x" * 70_000]),
        ("/slash", [CALLBACK + "/"]),
    ):
        answer = builder.post(sector_identifier_uri=documents.put(path, told))
        assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_client_metadata"), path
    assert builder.post(sector_identifier_uri=documents.url("/missing")).status_code == 400
    documents.status = 302
    assert builder.post(sector_identifier_uri=good).status_code == 400


def test_a_file_is_held_to_the_same_document(scenery: Scenery, documents: Documents, tmp_path: Path) -> None:
    """``idp clients load`` calls it too, and writes nothing when it does not fit."""
    good, bad = documents.put("/sector", [CALLBACK]), documents.put("/other", [])
    load(scenery.app, scenery.clock, tmp_path, registration("sectored", sector_identifier_uri=good))
    before = clients_known()

    with pytest.raises(ClientFileError, match="fresh: sector_identifier_uri"):
        load(scenery.app, scenery.clock, tmp_path, registration("fresh", sector_identifier_uri=bad))

    assert clients_known() == before
    ears = registration("ears", grant_types=["client_credentials"], scope="ssf.read", sector_identifier_uri=bad)
    del ears["redirect_uris"]  # it only listens: there is nothing to hold
    load(scenery.app, scenery.clock, tmp_path, ears)
    assert client_services.find("ears") is not None


def test_no_address_of_a_refused_registration_is_called(
    scenery: Scenery, builder: Builder, documents: Documents
) -> None:
    """S-27: without a token, or with any other mistake, nothing is fetched; the logo never is."""
    good = documents.put("/sector", [CALLBACK])
    builder.post(token="x", sector_identifier_uri=good)
    builder.post(sector_identifier_uri=good, client_name="")
    builder.registered(logo_uri=documents.url("/logo.png"), **BY_KEY, jwks_uri=documents.url("/jwks"))

    assert documents.asked == []


def test_an_operator_may_take_a_client_over(scenery: Scenery, builder: Builder, tmp_path: Any) -> None:
    """``idp clients load`` with its identifier vouches for it: consent is remembered, and its registration token ends."""
    told = builder.registered()
    assert client_services.find(told["client_id"]).is_dynamic  # type: ignore[union-attr]

    load(scenery.app, scenery.clock, tmp_path, registration(told["client_id"]))

    assert not client_services.find(told["client_id"]).is_dynamic  # type: ignore[union-attr]
    assert builder.manage("GET", told).status_code == 401
