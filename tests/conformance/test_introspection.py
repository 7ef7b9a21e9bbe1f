"""Introspection (RFC 7662) and its signed form (RFC 9701): what a token is worth now, to who may know it.

FAPI 2.0 Message Signing §5.5; claims.md invariants 1, 3 and 7; S-43, S-44, S-82.
"""

from __future__ import annotations

import random
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt as pyjwt
import pytest

from idp.clock import end_of_day, local_date
from idp.delegation import services as delegation
from idp.delegation.rights.rights_services import Right
from tests.oidc.claims.test_claims_page import listed
from tests.oidc.fapi import thumbprint
from tests.oidc.lasting import RESOURCE, Bound, Holder, Keyed, Program, Server, signed_out
from tests.oidc.scenery import FIRM, ISSUER, SCOPES, SECRET, RelyingParty, Scenery, csrf_token, load, registration
from tests.oidc.token.test_token import counted

DEAD = {"active": False}
SIGNED = "application/token-introspection+jwt"
OF_THE_TOKEN = ("iss", "sub", "aud", "client_id", "iat", "exp", "jti", "auth_time", "acr", "scope")


@pytest.fixture
def server(scenery: Scenery) -> Server:
    return Server(scenery)


def signed(client: Holder, token: str, accept: str = SIGNED) -> Any:
    return client.post("/introspect", {"token": token}, headers={"Accept": accept})


def opened(client: RelyingParty, text: str, alg: str) -> dict[str, Any]:
    """Verify a signed answer with the published keys, by another library."""
    keys = client.scenery.browser().get("/jwks").get_json()["keys"]
    header = pyjwt.get_unverified_header(text)
    assert header["typ"] == "token-introspection+jwt"
    key = next(each for each in keys if each["kid"] == header["kid"])
    claims: dict[str, Any] = pyjwt.decode(
        text, pyjwt.PyJWK(key), [alg], audience=client.client_id, issuer=ISSUER, options={"verify_iat": False}
    )
    return claims


# --- what is told


def test_it_tells_of_an_access_token_what_the_token_and_a_fresh_one_say(scenery: Scenery, server: Server) -> None:
    """RFC 7662 §2.2: its own claims, and the rights in both layers; docs/claims.md lists each."""
    told = server.tokens(scenery.browser())
    claims, identity = server.access(told["access_token"]), server.read(told["id_token"])
    body = server.introspect(told["access_token"])

    assert body["active"] is True
    assert {name: body[name] for name in OF_THE_TOKEN} == {name: claims[name] for name in OF_THE_TOKEN}
    assert body["authorization_details"] == told["authorization_details"]
    for name in ("enterprise", "representation", "functional_blocks", "sid"):
        assert body[name] == identity[name]
    assert body["token_type"] == "Bearer"
    assert set(body) == set(listed("Introspection"))
    only = server.introspect(server.tokens(scenery.browser(), scope="openid")["access_token"])
    assert set(only) == {name for name, scope in listed("Introspection").items() if scope == "openid"}


def test_it_tells_of_a_refresh_token_no_right_and_no_audience(scenery: Scenery, server: Server) -> None:
    """So that no resource takes it for an access token (RFC 7662 §4)."""
    told = server.tokens(scenery.browser())
    body = server.introspect(told["refresh_token"], token_type_hint="access_token")

    assert set(body) == {"active", "iss", "sub", "client_id", "scope", "exp"}
    born = server.access(told["access_token"])["iat"]
    assert (body["active"], body["exp"]) == (True, born + timedelta(days=30).total_seconds())
    assert server.introspect(server.refreshed(told["refresh_token"])["refresh_token"])["exp"] == body["exp"]


def test_a_bound_token_says_to_what(scenery: Scenery) -> None:
    """RFC 9449 §6.2: ``cnf`` and ``token_type``, for the resource to compare; its refresh token is bound to no key."""
    client = Bound(scenery)
    told = client.tokens(scenery.browser())
    cnf = {"jkt": thumbprint(client.dpop_key)}

    body = client.introspect(told["access_token"])
    assert (body["token_type"], body["cnf"]) == ("DPoP", cnf)
    assert "cnf" not in client.introspect(told["refresh_token"])  # RFC 9449 §5: bound to its client


def test_any_client_of_the_agency_may_ask_and_no_other(scenery: Scenery, server: Server) -> None:
    """A resource of the agency asks about what its portal holds; another agency is told nothing, nor by its own tokens' shape."""
    browser = scenery.browser()
    told = server.tokens(browser)
    elsewhere = Server(scenery, "offline3")
    theirs = elsewhere.token(elsewhere.code(browser, "ginette", FIRM)).get_json()

    assert Keyed(scenery).introspect(told["access_token"]) == server.introspect(told["access_token"])
    assert Server(scenery, "offline2").introspect(told["refresh_token"]) == DEAD  # its own client alone
    for token in (told["access_token"], told["refresh_token"]):
        assert elsewhere.introspect(token) == DEAD
    for token in (theirs["access_token"], theirs["refresh_token"]):
        assert server.introspect(token) == DEAD
        assert elsewhere.introspect(token)["active"] is True


# --- now, not then


@pytest.mark.bar("S-82", "S-44")
def test_nothing_is_remembered_between_two_calls(scenery: Scenery, server: Server) -> None:
    """S-82, S-44: a right that is gone is gone at the next call, the version grows; ``exp`` follows the right that is left."""
    token = server.tokens(scenery.browser())["access_token"]
    before = server.introspect(token)
    scenery.keep_only(("008",))
    after = server.introspect(token)

    assert (before["functional_blocks"], after["functional_blocks"]) == (["001", "008"], ["008"])
    assert [each["privileges"] for each in after["authorization_details"]] == [["008"]]
    assert after["representation"]["version"] > before["representation"]["version"]
    scenery.keep_only(("001", "008"))
    assert server.introspect(token)["functional_blocks"] == ["001", "008"]


@pytest.mark.parametrize("seed", range(4))
def test_it_says_what_a_fresh_token_would_carry(scenery: Scenery, server: Server, seed: int) -> None:
    """Invariants 1, 3 and 7 over a random history: introspection of an older token equals the claims of a new one."""
    chance = random.Random(seed)  # noqa: S311 (a test)
    told = server.tokens(scenery.browser())
    for _ in range(8):
        if chance.random() < 0.7:
            scenery.keep_only(tuple(sorted(chance.sample(("001", "007", "008", "018"), chance.randint(1, 4)))))
        scenery.clock.advance(timedelta(seconds=chance.randint(1, 290)))
        body = server.introspect(told["access_token"])
        told = server.refreshed(told["refresh_token"])
        identity, claims = server.read(told["id_token"]), server.access(told["access_token"])

        assert body["authorization_details"] == claims["authorization_details"]
        for name in ("enterprise", "representation", "functional_blocks", "sub", "acr", "auth_time"):
            assert body[name] == identity[name], name
        union = {code for each in body["authorization_details"] for code in each["privileges"]}
        assert union == set(body["functional_blocks"])
        assert all(body["exp"] <= each["not_after"] for each in body["authorization_details"])


def test_exp_comes_down_with_the_right(scenery: Scenery, server: Server) -> None:
    """Invariant 3: a right cut short after the token was made cuts what is told of the token."""
    midnight = end_of_day(local_date(scenery.clock.now()))
    scenery.clock.advance(midnight - scenery.clock.now() - timedelta(seconds=231))
    token = server.tokens(scenery.browser())["access_token"]
    assert server.access(token)["exp"] > midnight.timestamp()
    until_tonight = Right(scenery.memberships["julie"], frozenset({"001"}), local_date(scenery.clock.now()))
    by, now = scenery.people["pes"].person_id, scenery.clock.now()
    delegation.set_rights(scenery.story, "amp", (until_tonight,), granter_id=by, seen_revision=None, now=now)
    body = server.introspect(token)

    assert body["exp"] == body["authorization_details"][0]["not_after"] < server.access(token)["exp"]
    scenery.clock.advance(timedelta(seconds=210))
    assert server.introspect(token)["functional_blocks"] == []


@pytest.mark.bar("S-24", "S-43")
def test_what_gives_nothing_is_told_in_one_word(scenery: Scenery, server: Server) -> None:
    """RFC 7662 §2.2: exactly ``{"active": false}``, for a token that is over, altered, of another kind, or that never was."""
    browser = scenery.browser()
    code = server.code(browser)
    told = server.token(code).get_json()
    successor = server.refreshed(told["refresh_token"])["refresh_token"]
    head, body, signature = told["access_token"].split(".")
    answer = signed(server, told["access_token"])
    for token in (
        *(told["id_token"], told["refresh_token"], code, SECRET, "x", "é", "\x00", "a.b.c", "x" * 60_000),
        *(f"{head}.{body}.", f"{head}.{body}.{signature[::-1]}", told["access_token"] + "A", successor + "A"),
        *(successor[:-1], successor.upper(), answer.text),
    ):
        assert server.introspect(token) == DEAD, token
    scenery.clock.advance(timedelta(seconds=300))
    assert server.introspect(told["access_token"]) == DEAD

    assert server.introspect(successor)["active"] is True  # asking about an old one punished nobody


def test_the_end_of_what_a_token_rests_on_is_told_at_once(scenery: Scenery, server: Server) -> None:
    """Sign-in over, consent withdrawn, code replayed, revoked: dead at the next call."""
    browser = scenery.browser()
    bound = server.tokens(browser, scope=SCOPES)["access_token"]
    signed_out(scenery, browser)
    assert server.introspect(bound) == DEAD

    browser = scenery.browser()
    code = server.code(browser, prompt="consent")
    replayed = server.token(code).get_json()
    server.token(code)
    given_up = server.tokens(browser, prompt="consent")
    server.revoke(given_up["access_token"])
    withdrawn = server.tokens(browser, prompt="consent")
    page = browser.get("/consents").text
    browser.post("/consents", data={"csrf_token": csrf_token(page), "agency": "amp", "enterprise": scenery.story})

    for dead in (replayed, given_up, withdrawn):
        assert server.introspect(dead["access_token"]) == DEAD
        assert server.introspect(dead["refresh_token"]) == DEAD


def test_a_person_suspended_is_told_dead_and_comes_back_with_the_right(scenery: Scenery, server: Server) -> None:
    """Reading decides nothing: while nobody refreshed, the grant is as alive as the person's place in the enterprise."""
    token = server.tokens(scenery.browser())["access_token"]
    scenery.revoke_blocks()
    assert server.introspect(token) == DEAD
    by = scenery.people["pes"].person_id
    delegation.reactivate_member(scenery.story, scenery.memberships["julie"], by=by, now=scenery.clock.now())

    assert server.introspect(token)["active"] is True


# --- who may ask, and how


def test_a_caller_that_proves_nothing_is_told_nothing(scenery: Scenery, server: Server) -> None:
    """RFC 7662 §2.1, RFC 9701 §5: 401 in JSON, never signed, whatever Accept says; a program without secret included."""
    token = server.tokens(scenery.browser())["access_token"]
    for client, form in (
        (Server(scenery, secret="wrong" * 10), {}),
        (Program(scenery), {}),
        (Program(scenery, client_id="offline1"), {}),
        (server, {"client_id": "offline2"}),
        (Server(scenery, "nobody"), {}),
    ):
        answer = client.post("/introspect", {"token": token, **form}, headers={"Accept": SIGNED})
        assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client"), client.client_id
        assert (answer.mimetype, answer.headers["Cache-Control"]) == ("application/json", "no-store")

    bare = scenery.browser().post("/introspect", data={"token": token}, headers={"Authorization": f"Bearer {token}"})
    assert bare.status_code == 401


def test_a_bad_request_is_json_that_nobody_keeps(scenery: Scenery, server: Server) -> None:
    """Missing or repeated token, parameters in the address, another verb; an unknown hint is no error (RFC 7662 §2.1)."""
    token = server.tokens(scenery.browser())["access_token"]
    headers = {"Authorization": server.basic()}
    for path, form in (
        ("/introspect", {}),
        ("/introspect", {"token": [token, token]}),
        (f"/introspect?token={token}", {"token": token}),
        ("/introspect", {"token": token, "padding": "x" * 66_000}),
    ):
        answer = scenery.browser().post(path, data=form, headers=headers)
        assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request"), path
        assert answer.headers["Cache-Control"] == "no-store"

    assert scenery.browser().get("/introspect", headers=headers).status_code == 405
    for hint in ("refresh_token", "access_token", "surprise", ""):
        assert server.introspect(token, token_type_hint=hint)["active"] is True


# --- signed


def test_a_signed_answer_holds_the_same_and_names_its_reader(scenery: Scenery, server: Server) -> None:
    """RFC 9701 §5: typ, iss, aud = client, iat, and all that is told in one member; nothing that makes it another token."""
    token = server.tokens(scenery.browser())["access_token"]
    answer = signed(server, token)
    claims = opened(server, answer.text, "RS256")

    assert (answer.status_code, answer.mimetype, answer.headers["Cache-Control"]) == (200, SIGNED, "no-store")
    assert set(claims) == {"iss", "aud", "iat", "token_introspection"}
    assert claims["iat"] == int(scenery.clock.now().timestamp())
    assert claims["token_introspection"] == server.introspect(token)
    assert opened(server, signed(server, "x").text, "RS256")["token_introspection"] == DEAD
    assert server.userinfo(answer.text).status_code == 401
    reader = Keyed(scenery)
    text = scenery.browser().post(
        "/introspect",
        data={"token": token, "client_assertion": reader.assertion(), "client_assertion_type": _ASSERTION},
        headers={"Accept": SIGNED},
    )
    with pytest.raises(pyjwt.InvalidAudienceError):
        opened(server, text.text, "RS256")


_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.mark.parametrize(
    ("accept", "is_signed"),
    [
        (SIGNED, True),
        (SIGNED.upper(), True),
        (f"application/json;q=0.5, {SIGNED}", True),
        ("*/*", False),
        ("application/*", False),
        ("application/json", False),
        ("", False),
        (f"{SIGNED};q=0", False),
        ("application/jwt", False),
    ],
)
def test_only_who_names_the_signed_form_gets_it(scenery: Scenery, accept: str, is_signed: bool) -> None:
    """RFC 9701 §4: by ``Accept``; JSON otherwise."""
    answer = signed(Server(scenery), "x", accept)

    assert (answer.mimetype == SIGNED) is is_signed
    assert is_signed or answer.get_json() == DEAD


def test_the_algorithm_is_the_clients_and_every_advertised_one_works(
    scenery: Scenery, server: Server, tmp_path: Path
) -> None:
    """RFC 9701 §6: ``introspection_signed_response_alg``; without it the profile's first, which is never RS256 for FAPI."""
    algs = (
        scenery.browser()
        .get("/.well-known/openid-configuration")
        .get_json()["introspection_signing_alg_values_supported"]
    )
    for alg in algs:
        asked = registration("offline1", introspection_signed_response_alg=alg)
        load(scenery.app, scenery.clock, tmp_path, asked)
        assert opened(server, signed(server, "x").text, alg)["token_introspection"] == DEAD, alg
    client = Bound(scenery)
    proven = {"token": "x", **client.client_proof()}
    answer = scenery.browser().post("/introspect", data=proven, headers={"Accept": SIGNED})

    assert opened(client, answer.text, "ES256")["token_introspection"] == DEAD
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", answer.text)


@pytest.mark.databases
def test_an_introspection_costs_at_most_six_statements(scenery: Scenery, server: Server) -> None:
    """Decisions §34 as for /token: of an access token and of a refresh token."""
    told = server.tokens(scenery.browser())
    for token in (told["access_token"], told["refresh_token"]):
        server.introspect(token)
        with counted() as seen:
            assert server.introspect(token)["active"] is True
        assert seen["statements"] <= 6
        assert server.access(told["access_token"])["aud"] == RESOURCE
