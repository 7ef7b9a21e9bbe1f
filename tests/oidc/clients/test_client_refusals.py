"""A client that is refused is explained in one line of the log, and the answer has the number of the request."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.oidc.fapi import first
from tests.oidc.registering import initial_token
from tests.oidc.scenery import ASSERTION_TYPE, ISSUER, SECRET, RelyingParty, Scenery

CANARY = "canary-secret-that-is-long-and-never-in-a-log"
CODE = {"grant_type": "authorization_code", "code": CANARY, "code_verifier": CANARY * 2}
BASIC, POST = "client_secret_basic", "client_secret_post"
EITHER = f"{BASIC} or {POST}"


def basic(client_id: str, secret: str = SECRET) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


def by_key(client_id: str = "rp4", assertion: str = f"{CANARY}.a.b") -> dict[str, str]:
    return {"client_id": client_id, "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}


AUTHENTICATED = ("/token", "/par", "/introspect", "/revoke")
PROOFS: list[tuple[dict[str, str], dict[str, str], str, str | None, str, str]] = [
    # headers, form, client, registered, shown, rule
    ({}, {"client_id": "nobody"}, "nobody", None, "none", "no such client"),
    ({}, {"client_id": "rp1"}, "rp1", BASIC, "none", "the method is not one"),
    (basic("rp2"), {}, "rp2", POST, BASIC, "the method is not one"),
    (basic("rp1", CANARY), {}, "rp1", BASIC, BASIC, "the secret is not the one"),
    ({}, {"client_id": "rp2", "client_secret": CANARY}, "rp2", POST, POST, "the secret is not the one"),
    (basic("rp1"), {"client_secret": SECRET}, "rp1", BASIC, f"{BASIC} and {POST}", "one method"),
    (basic("rp1"), {"client_id": "rp2"}, "rp1", BASIC, BASIC, "another client"),
    (basic("rp3", CANARY), {}, "rp3", EITHER, BASIC, "the secret is not the one"),
    ({}, {"client_id": "rp3"}, "rp3", EITHER, "none", "the method is not one"),
    (basic("rp4"), {}, "rp4", "private_key_jwt", BASIC, "the method is not one"),
    ({}, by_key(), "rp4", "private_key_jwt", "private_key_jwt", "client assertion: "),
    ({"Authorization": f"Bearer {CANARY}"}, {}, "", None, "another scheme", "not Basic"),
    ({"Authorization": "Basic %%%"}, {}, "", None, BASIC, "base64"),
    (basic(CANARY, "rp1"), {}, "canary-s… (45 characters)", None, BASIC, "no such client"),
    (basic("a\nb \x1b[31m", CANARY), {}, "no identifier, 9 characters", None, BASIC, "no such client"),
    ({}, {"client_id": "x" * 5000}, "no identifier, 5000 characters", None, "none", "no such client"),
]


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    written = capsys.readouterr().out
    assert CANARY not in written
    assert SECRET not in written
    told = [json.loads(line) for line in written.splitlines() if line.startswith("{")]
    return [line for line in told if line["event"] == "refused"]


@pytest.mark.parametrize("path", AUTHENTICATED)
def test_a_client_that_did_not_prove_itself_is_one_line(
    scenery: Scenery, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    """Client, method registered and shown, rule and request number; no secret, no code, no token, no assertion."""
    form = {**CODE, "token": CANARY, "response_type": "code"}
    for headers, proof, client_id, registered, shown, rule in PROOFS:
        capsys.readouterr()

        answer = scenery.browser().post(path, data={**form, **proof}, headers=headers)

        (line,) = lines(capsys)
        assert (answer.status_code, line["status"]) in ((401, 401), (400, 400)), rule
        assert (line.get("client_id", ""), line.get("method_registered")) == (client_id, registered), rule
        assert (line["method_shown"], line["reason"]) == (shown, answer.get_json()["error"]), rule
        assert rule in line["rule"]
        assert (line["route"], line["request_id"]) == (path, answer.headers["X-Request-Id"]), rule
        assert len(json.dumps(line)) < 1500


REFUSED: list[tuple[str, str, dict[str, Any], int, str]] = [  # method, path, what is sent, status, rule
    ("POST", "/token", {"data": {"client_id": "rp1"}, "headers": basic("rp1")}, 400, "grant_type is missing"),
    ("POST", "/token", {"data": {"grant_type": "password"}, "headers": basic("rp1")}, 400, "unsupported_grant_type"),
    ("POST", "/token", {"data": CODE, "headers": basic("rp1")}, 400, "the code is unknown"),
    (
        "POST",
        "/token",
        {"data": {"grant_type": "refresh_token", "refresh_token": CANARY}, "headers": basic("offline1")},
        *(400, "the refresh token is unknown"),
    ),
    ("POST", "/token", {"data": {"grant_type": "client_credentials"}, "headers": basic("rp1")}, 400, "grant"),
    ("POST", "/token?client_secret=x", {"data": CODE, "headers": basic("rp1")}, 400, "parameters belong in the body"),
    ("POST", "/token", {"data": {**CODE, "x": "y" * 70_000}, "headers": basic("rp1")}, 400, "too large"),
    ("GET", "/token", {}, 405, "http_405"),
    ("POST", "/par", {"data": {"redirect_uri": "https://a.example/"}, "headers": basic("rp1")}, 400, "redirect uri"),
    ("POST", "/revoke", {"headers": basic("rp1")}, 400, "token is missing"),
    ("POST", "/introspect", {"data": {"client_id": "desktop", "token": CANARY}}, 401, "a secret or a key"),
    ("GET", "/userinfo", {}, 401, "no access token"),
    ("GET", "/userinfo", {"headers": {"Authorization": f"Bearer {CANARY}"}}, 401, "not a living access token"),
    ("POST", "/register", {"json": {}}, 401, "no token"),
    ("POST", "/register", {"json": {}, "headers": {"Authorization": f"Bearer {CANARY}"}}, 401, "opens nothing"),
    ("GET", "/register/dyn.x", {"headers": {"Authorization": f"Bearer {CANARY}"}}, 401, "opens nothing"),
    ("POST", "/ssf/streams", {"json": {}}, 401, "no access token"),
    ("POST", "/ssf/poll/x", {"json": {}, "headers": {"Authorization": f"DPoP {CANARY}"}}, 401, "not a living"),
    ("GET", "/authorize", {"query_string": {"client_id": "nobody"}}, 400, "unknown_client"),
    (
        "POST",
        "/authorize",
        {"data": {"client_id": "rp1", "redirect_uri": "https://a.example/"}},
        400,
        "invalid_redirect_uri",
    ),
    (
        "GET",
        "/end-session",
        {"query_string": {"client_id": "rp1", "post_logout_redirect_uri": "https://a.example/"}},
        *(400, "is not one that the client registered"),
    ),
    ("GET", "/authorize", {"query_string": {"client_id": "rp1", "request": CANARY}}, 400, "invalid_request_object"),
]


@pytest.mark.parametrize(("method", "path", "sent", "status", "rule"), REFUSED)
def test_every_refusal_of_an_endpoint_of_programs_is_one_line(
    scenery: Scenery,
    capsys: pytest.CaptureFixture[str],
    method: str,
    path: str,
    sent: dict[str, Any],
    status: int,
    rule: str,
) -> None:
    """Exactly one, with the rule that failed and the number that the answer has."""
    capsys.readouterr()

    answer = scenery.browser().open(path, method=method, **sent)

    (line,) = lines(capsys)
    assert (answer.status_code, line["status"]) == (status, status)
    assert rule in line["rule"]
    assert line["request_id"] == answer.headers["X-Request-Id"]


def test_a_token_of_a_known_client_names_it(scenery: Scenery, capsys: pytest.CaptureFixture[str]) -> None:
    """At userinfo and at the streams: the client, how its token is bound and how it was sent."""
    client = first(scenery)
    token = client.tokens(scenery.browser())["access_token"]
    bearer = RelyingParty(scenery).tokens(scenery.browser())["access_token"]
    capsys.readouterr()

    client.userinfo(token, scheme="Bearer")
    scenery.browser().get("/ssf/streams", headers={"Authorization": f"Bearer {bearer}"})
    client.userinfo(token, proof=client.dpop("POST", f"{ISSUER}/userinfo", access_token=token))

    written = lines(capsys)
    told = [(line["client_id"], line["method_registered"], line["method_shown"]) for line in written]
    assert told == [("fapi1", "DPoP", "Bearer"), ("rp1", "Bearer", "Bearer"), ("fapi1", "DPoP", "DPoP")]
    assert "htm or htu" in written[2]["rule"]


def test_a_registration_refused_names_its_rule(scenery: Scenery, capsys: pytest.CaptureFixture[str]) -> None:
    """RFC 7591 §3.2.2: the description is the rule; the token is in no line."""
    token = initial_token(scenery)
    capsys.readouterr()

    headers = {"Authorization": f"Bearer {token}"}
    answer = scenery.browser().post("/register", json={"redirect_uris": ["http://a.example/"]}, headers=headers)

    written = capsys.readouterr().out
    (line,) = [json.loads(each) for each in written.splitlines() if '"refused"' in each]
    assert (answer.status_code, line["rule"]) == (400, answer.get_json()["error_description"])
    assert token not in written


def test_an_answer_that_succeeds_has_its_number_and_no_line(
    scenery: Scenery, rp: RelyingParty, capsys: pytest.CaptureFixture[str]
) -> None:
    """``X-Request-Id`` is on every answer to a program."""
    code = rp.code(scenery.browser())
    capsys.readouterr()

    answer = rp.token(code)

    assert (answer.status_code, len(answer.headers["X-Request-Id"])) == (200, 12)
    assert not lines(capsys)
