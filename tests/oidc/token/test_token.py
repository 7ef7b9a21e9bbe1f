"""The token endpoint and what its tokens are worth: bound, single use, short, never more than the rights of now."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from idp.audit.models import AuditEntry
from idp.db import db
from idp.oidc.keys import signing_keys
from tests.oidc.scenery import SECRET, STORY, VERIFIER, RelyingParty, Scenery, challenge, csrf_token, details


@contextmanager
def counted() -> Iterator[dict[str, int]]:
    """Count the statements and the commits of what is inside."""
    seen = {"statements": 0, "commits": 0}

    def statement(_c: object, _u: object, text: str, *_: object) -> None:
        if not text.startswith("BEGIN"):
            seen["statements"] += 1

    def commit(_c: object) -> None:
        seen["commits"] += 1

    event.listen(db.engine, "before_cursor_execute", statement)
    event.listen(db.engine, "commit", commit)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", statement)
        event.remove(db.engine, "commit", commit)


def events() -> list[str]:
    return list(db.session.scalars(select(AuditEntry.event).order_by(AuditEntry.at, AuditEntry.id)))


@pytest.mark.databases
def test_a_redemption_costs_at_most_six_statements_and_one_commit(scenery: Scenery, rp: RelyingParty) -> None:
    """Decisions §34, the log's entry included; the reading that precedes the write is the only other commit."""
    code = rp.code(scenery.browser())
    with counted() as seen:
        assert rp.token(code).status_code == 200

    assert seen["statements"] <= 6
    assert seen["commits"] <= 2  # one of them ends the reading of the client: nothing is written there


CHALLENGES: dict[str, dict[str, str | None]] = {
    "none": {"code_challenge": None, "code_challenge_method": None},
    "S256": {"code_challenge": challenge(), "code_challenge_method": "S256"},
    "plain": {"code_challenge": VERIFIER, "code_challenge_method": "plain"},
    "unknown": {"code_challenge": challenge(), "code_challenge_method": "S512"},
}
VERIFIERS: dict[str, str | None] = {"none": None, "right": VERIFIER, "wrong": "w" * 43, "short": "v" * 42}


@pytest.mark.parametrize("client_id", ["rp1", "nopkce"])
def test_pkce_succeeds_in_exactly_one_way(scenery: Scenery, client_id: str) -> None:
    """S-13: sixteen rows; a client exempted by an operator has one more, without either half."""
    client, browser, passed = RelyingParty(scenery, client_id), scenery.signed_in("julie"), []
    client.code(browser)
    for (asked, sent), (shown, verifier) in itertools.product(CHALLENGES.items(), VERIFIERS.items()):
        answered = client.answer(client.authorize(browser, **sent))
        if "code" in answered and client.token(answered["code"], code_verifier=verifier).status_code == 200:
            passed.append((asked, shown))

    assert passed == ([("S256", "right")] if client_id == "rp1" else [("none", "none"), ("S256", "right")])


def test_each_wrong_cell_is_refused_and_burns_the_code_for_its_client(scenery: Scenery, rp: RelyingParty) -> None:
    """S-8: a wrong verifier or address burns the code; another client is refused without burning it."""
    browser = scenery.signed_in("julie")
    burning: list[dict[str, Any]] = [
        {"code_verifier": "w" * 43},
        {"code_verifier": None},
        {"redirect_uri": rp.redirect_uri + "/"},
        {"redirect_uri": None},
    ]
    rp.code(browser)
    for changed in burning:
        code = rp.code(browser)
        assert rp.token(code, **changed).get_json()["error"] == "invalid_grant", changed
        assert rp.token(code).get_json()["error"] == "invalid_grant", changed
    code = rp.code(browser)
    for stranger in (RelyingParty(scenery, "nopkce"), RelyingParty(scenery, "rp3")):
        assert stranger.token(code).get_json()["error"] == "invalid_grant"
    for changed in ({"code": code + "A"}, {"code": code[:-1]}, {"code": code.swapcase()}, {"code": code + "="}):
        assert rp.token(**changed).get_json()["error"] == "invalid_grant"

    assert rp.token(code).status_code == 200


def test_a_refusal_is_in_the_log_and_so_is_a_replay(scenery: Scenery, rp: RelyingParty) -> None:
    """What a refusal decides is committed, not rolled back."""
    code = rp.code(scenery.browser())
    rp.token(code)
    rp.token(code)

    assert events().count("oidc:code_replayed") == 1
    assert events().count("oidc:token_refused") == 1


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"authorization": "", "client_id": "rp1", "client_secret": SECRET}, 401, "invalid_client"),
        ({"authorization": ""}, 401, "invalid_client"),
        ({"authorization": "", "client_id": "rp1"}, 401, "invalid_client"),
        ({"client_id": "rp2"}, 401, "invalid_client"),
        ({"client_secret": SECRET}, 400, "invalid_request"),
        ({"grant_type": None}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"code": None}, 400, "invalid_request"),
        ({"code": "é\x00"}, 400, "invalid_grant"),
        ({"code": ["a", "b"]}, 400, "invalid_request"),
        ({"padding": "x" * 66_000}, 400, "invalid_request"),
        ({"resource": "https://elsewhere.example/"}, 400, "invalid_target"),
    ],
)
def test_a_bad_request_is_json_that_nobody_keeps(
    scenery: Scenery, rp: RelyingParty, changed: dict[str, Any], status: int, error: str
) -> None:
    """RFC 6749 §5.2, §2.3: one method of authentication, one of each parameter; never a 500, never a page."""
    code = rp.code(scenery.browser()) if "resource" in changed else "x"
    answer = rp.token(**{"code": code, **changed})

    assert (answer.status_code, answer.get_json()["error"]) == (status, error)
    assert (answer.mimetype, answer.headers["Cache-Control"]) == ("application/json", "no-store")


def test_parameters_in_the_address_of_the_token_endpoint_are_refused(scenery: Scenery, rp: RelyingParty) -> None:
    code = rp.code(scenery.browser())
    headers = {"Authorization": rp.basic()}

    answer = scenery.browser().post(f"/token?code={code}", data={"grant_type": "authorization_code"}, headers=headers)

    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")
    assert scenery.browser().get("/token").status_code == 405


def test_the_access_token_is_rfc_9068_with_the_exact_layer(scenery: Scenery, rp: RelyingParty) -> None:
    """ES256, typ at+jwt, the agency's resource as audience, one homogeneous object; the same as in the answer."""
    told = rp.tokens(scenery.browser())
    claims = rp.read(told["access_token"], "ES256", "https://portal.amp.example/")

    (detail,) = claims["authorization_details"]
    assert (detail["privileges"], detail["identifier"], detail["agency"]) == (["001", "008"], f"neq:{STORY}", "amp")
    assert told["authorization_details"] == claims["authorization_details"]
    assert claims["exp"] - claims["iat"] == 300
    assert claims["sub"] == rp.read(told["id_token"])["sub"]


def test_a_request_may_narrow_what_the_token_carries(scenery: Scenery, rp: RelyingParty) -> None:
    """RFC 9396: granted is asked and held; a need that is not met gives nothing."""
    browser = scenery.browser()
    some = rp.tokens(browser, authorization_details=details({"privileges": ["008", "018"]}))

    assert rp.read(some["id_token"])["functional_blocks"] == ["008"]
    assert [each["privileges"] for each in some["authorization_details"]] == [["008"]]
    assert rp.userinfo(some["access_token"]).get_json()["functional_blocks"] == ["008"]


def test_a_need_that_is_lost_after_the_page_gives_no_token(scenery: Scenery, rp: RelyingParty) -> None:
    """claims.md: rights are read again at the token endpoint, needs with them."""
    for needed in ({"privileges": ["008"], "needs": "any"}, {"privileges": ["001", "008"], "needs": "all"}):
        code = rp.code(scenery.signed_in("julie"), authorization_details=details(needed))
        scenery.keep_only(("001",))

        assert rp.token(code).get_json()["error"] == "invalid_grant"
        scenery.keep_only(("001", "008"))


def test_without_the_scope_no_right_is_told(scenery: Scenery, rp: RelyingParty) -> None:
    """Scope by scope: openid alone says only who."""
    told = rp.tokens(scenery.browser(), scope="openid")
    claims = rp.read(told["id_token"])

    assert not {"enterprise", "representation", "functional_blocks"} & claims.keys()
    assert "authorization_details" not in told
    assert set(rp.userinfo(told["access_token"]).get_json()) == {"sub"}


def test_sub_is_pairwise_by_agency(scenery: Scenery, rp: RelyingParty) -> None:
    """Equal for two clients of one agency, different at another, different for another person."""
    browser = scenery.browser()
    here = rp.read(rp.tokens(browser)["id_token"])["sub"]
    rp2, rp3 = RelyingParty(scenery, "rp2"), RelyingParty(scenery, "rp3")
    code = rp2.code(browser)
    told = rp2.token(code, authorization="", client_id="rp2", client_secret=SECRET).get_json()

    assert rp2.read(told["id_token"])["sub"] == here
    assert rp3.read(rp3.tokens(browser)["id_token"])["sub"] != here
    assert rp.read(rp.tokens(scenery.browser(), "pes")["id_token"])["sub"] != here


def test_a_token_never_outlives_the_right(scenery: Scenery, rp: RelyingParty) -> None:
    """exp is the end of the first right carried, when that comes before five minutes."""
    browser = scenery.browser()
    end = rp.tokens(browser)["authorization_details"][0]["not_after"]
    scenery.clock.advance(timedelta(seconds=end - scenery.clock.now().timestamp() - 60 - 31))
    told = rp.tokens(browser)

    for token, alg, audience in (
        (told["id_token"], "RS256", None),
        (told["access_token"], "ES256", "https://portal.amp.example/"),
    ):
        assert rp.read(token, alg, audience)["exp"] == end
    assert told["expires_in"] < 300


def test_a_revoked_right_is_gone_at_userinfo_at_once(scenery: Scenery, rp: RelyingParty) -> None:
    """The blocks shrink and the version grows in the same token; a suspended person's token is dead."""
    told = rp.tokens(scenery.browser())
    before = rp.userinfo(told["access_token"]).get_json()
    scenery.keep_only(("008",))
    after = rp.userinfo(told["access_token"]).get_json()
    assert after["functional_blocks"] == ["008"]
    assert after["representation"]["version"] > before["representation"]["version"]

    scenery.revoke_blocks()

    assert before["functional_blocks"] == ["001", "008"]
    assert rp.userinfo(told["access_token"]).status_code == 401


def test_signing_out_kills_code_and_token_at_once(scenery: Scenery, rp: RelyingParty) -> None:
    """Neither waits for the notice to be delivered."""
    browser = scenery.browser()
    token, code = rp.tokens(browser)["access_token"], rp.code(browser)
    page = browser.get("/end-session")
    browser.post("/end-session/confirm", data={"csrf_token": csrf_token(page.text)})

    assert rp.userinfo(token).status_code == 401
    assert rp.token(code).get_json()["error"] == "invalid_grant"


def test_no_other_token_opens_userinfo(scenery: Scenery, rp: RelyingParty) -> None:
    """S-43: an ID token, a code, a secret, an expired or altered access token: 401 with the challenge of RFC 6750."""
    browser = scenery.browser()
    code = rp.code(browser)
    told = rp.token(code).get_json()
    head, body, signature = told["access_token"].split(".")
    for wrong in (told["id_token"], code, SECRET, f"{head}.{body}.", f"{head}.{body}.{signature[::-1]}", "é", "a.b.c"):
        answer = scenery.browser().get(
            "/userinfo", headers={"Authorization": f"Bearer {wrong}".encode().decode("latin-1")}
        )
        assert (answer.status_code, answer.headers["WWW-Authenticate"].split(",")[0]) == (
            401,
            'Bearer error="invalid_token"',
        ), wrong
    scenery.clock.advance(timedelta(seconds=300))
    assert rp.userinfo(told["access_token"]).status_code == 401


def test_a_failed_signature_leaves_the_code_unburnt(
    scenery: Scenery, rp: RelyingParty, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not an OAuth refusal rolls back; the client gets JSON 500 and may try again."""
    code = rp.code(scenery.browser())

    def broken(*_: object, **__: object) -> str:
        raise OSError("the key is gone")

    with monkeypatch.context() as patch:
        patch.setattr(signing_keys.KeyRing, "sign", broken)
        patch.setattr(scenery.app, "testing", False)
        answer = rp.token(code)
    assert (answer.status_code, answer.get_json(), answer.headers["Cache-Control"]) == (
        500,
        {"error": "server_error"},
        "no-store",
    )

    assert rp.token(code).status_code == 200


def test_the_logs_hold_no_code_and_no_token(
    scenery: Scenery, rp: RelyingParty, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither ours nor Authlib's, at any level that the application sets."""
    code = rp.code(scenery.browser())
    told = rp.token(code).get_json()
    rp.token(code)
    rp.userinfo(told["access_token"])
    out, err = capfd.readouterr()

    written = out + err + caplog.text
    for secret in (code, told["access_token"], told["id_token"], SECRET, VERIFIER):
        assert secret not in written


def test_registered_origins_may_call_and_no_other(scenery: Scenery, rp: RelyingParty) -> None:
    """Decisions §25: on answers, errors and preflight; none at /authorize."""
    home, away = {"Origin": "http://127.0.0.1:9999"}, {"Origin": "https://evil.example"}
    browser = scenery.browser()

    assert browser.options("/token", headers=home).headers["Access-Control-Allow-Origin"] == home["Origin"]
    assert "DPoP" in browser.options("/userinfo", headers=home).headers["Access-Control-Allow-Headers"]
    assert browser.get("/userinfo", headers=home).headers["Access-Control-Allow-Origin"] == home["Origin"]
    assert "Access-Control-Allow-Credentials" not in browser.get("/userinfo", headers=home).headers
    for path in ("/token", "/userinfo"):
        assert "Access-Control-Allow-Origin" not in browser.post(path, headers=away).headers
    assert "Access-Control-Allow-Origin" not in rp.authorize(browser).headers
