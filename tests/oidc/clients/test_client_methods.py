"""Clients as libraries make them: by which method, in a browser, with metadata of every RFC.

RFC 6749 §2.3.1, RFC 7591 §2, RFC 9396 §10; OIDF ``oidcc-server-client-secret-post``.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from idp.clock import MovableClock
from idp.db import db
from idp.oidc.clients.domain import client_files
from idp.oidc.errors import ClientFileError
from idp.oidc.models import RelyingPartyRow
from tests.oidc.lasting import OFFLINE_SCOPES, Program
from tests.oidc.registering import Builder, initial_token
from tests.oidc.scenery import SCOPES, SECRET, STORY, RelyingParty, Scenery, details, load, registration

APP = "https://app.example"
BROWSER_CALLBACK = f"{APP}/callback"


def in_browser(client_id: str, **changed: Any) -> dict[str, Any]:
    """Return the registration of a program in a browser: no secret, an origin."""
    told = registration(
        client_id,
        token_endpoint_auth_method="none",
        redirect_uris=[BROWSER_CALLBACK],
        allowed_origins=[APP],
        grant_types=["authorization_code", "refresh_token"],
        scope=OFFLINE_SCOPES,
    )
    del told["client_secret"]
    return {**told, **changed}


METHODS = [  # what was registered, what is shown, does it pass
    *((None, "basic", True), (None, "post", True), (None, "none", False)),
    *(("client_secret_basic", "basic", True), ("client_secret_basic", "post", False)),
    *(("client_secret_post", "post", True), ("client_secret_post", "basic", False)),
]


@pytest.mark.parametrize("way", ["file", "registration"])
@pytest.mark.parametrize(("registered", "shown", "passes"), METHODS)
def test_who_named_no_method_uses_either_secret_method_who_named_one_exactly_it(
    scenery: Scenery,
    clock: MovableClock,
    tmp_path: Path,
    way: str,
    registered: str | None,
    shown: str,
    passes: bool,
) -> None:
    """At the token endpoint and at revocation, for a file and for dynamic registration."""
    named = {"token_endpoint_auth_method": registered} if registered else {}
    if way == "file":
        load(scenery.app, clock, tmp_path, registration("either", **named))
        rp = RelyingParty(scenery, "either")
    else:
        builder = Builder(scenery, initial_token(scenery))
        told = builder.registered(scope=SCOPES, **named)
        assert told["token_endpoint_auth_method"] == (registered or "client_secret_basic")  # RFC 7591 §3.2.1
        rp = builder.party(told)
    in_form = {"client_id": rp.client_id, "client_secret": rp.secret}
    proof = {"basic": {}, "post": in_form, "none": {"client_id": rp.client_id}}[shown]
    header = None if shown == "basic" else ""

    answer = rp.token(rp.code(scenery.browser()), authorization=header, **proof)
    headers = {"Authorization": rp.basic()} if shown == "basic" else {}
    revoked = scenery.browser().post("/revoke", data={"token": "x", **proof}, headers=headers)

    assert {answer.status_code, revoked.status_code} == ({200} if passes else {401})
    assert passes or answer.get_json()["error"] == "invalid_client"


def test_a_profile_may_forbid_secrets() -> None:
    """FAPI 2.0 §5.3.2.1: a client that names no method gets none of them."""
    entry = {**registration("x", profile="fapi2")}
    with pytest.raises(ClientFileError, match="token_endpoint_auth_method must be one of"):
        client_files.read(yaml.safe_dump({"clients": [entry]}), issuer=APP, agencies=frozenset({"amp"}))


def test_a_client_that_proves_itself_by_a_key_takes_no_secret(scenery: Scenery) -> None:
    """A method that was named is the only one, whatever its kind."""
    rp = RelyingParty(scenery, "rp4")

    assert rp.token("x", authorization="", client_id="rp4", client_secret=SECRET).status_code == 401


# --- in a browser


@pytest.fixture
def spa(scenery: Scenery, clock: MovableClock, tmp_path: Path) -> Program:
    load(scenery.app, clock, tmp_path, in_browser("spa"))
    return Program(scenery, client_id="spa", redirect_uri=BROWSER_CALLBACK)


def test_a_browser_client_signs_in_and_refreshes_from_its_origin(scenery: Scenery, spa: Program) -> None:
    """Code with PKCE, rotating refresh token, userinfo and revocation, each readable by the registered origin alone."""
    browser, home, away = scenery.browser(), {"Origin": APP}, {"Origin": "https://evil.example"}
    told = spa.tokens(browser, scope=OFFLINE_SCOPES, prompt="consent")
    again = spa.refreshed(told["refresh_token"])
    header = {"Authorization": f"Bearer {again['access_token']}"}
    form = {"client_id": "spa", "token": again["refresh_token"]}
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/token", {"data": {"client_id": "spa", "grant_type": "authorization_code", "code": "x"}}),
        ("GET", "/userinfo", {"headers": header}),
        ("POST", "/par", {"data": spa.parameters()}),
        ("POST", "/revoke", {"data": form}),
        *(("OPTIONS", path, {}) for path in ("/token", "/userinfo", "/par", "/revoke")),
    ]
    for method, path, sent in calls:
        headers = sent.pop("headers", {})
        here = browser.open(path, method=method, headers={**headers, **home}, **sent)
        assert here.headers["Access-Control-Allow-Origin"] == APP, path
        assert "X-Request-Id" in here.headers["Access-Control-Expose-Headers"], path
        there = browser.open(path, method=method, headers={**headers, **away}, **sent)
        assert "Access-Control-Allow-Origin" not in there.headers, path
    for path in ("/jwks", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"):
        assert browser.get(path, headers=away).headers["Access-Control-Allow-Origin"] == "*"

    assert told["refresh_token"] != again["refresh_token"]
    assert "Access-Control-Allow-Origin" not in browser.post("/introspect", headers=home, data=form).headers


def test_its_consent_is_remembered_and_pkce_is_required(scenery: Scenery, spa: Program) -> None:
    """An operator vouches for its address (RFC 8252 §8.6 is about other programs); without a challenge nothing is given."""
    browser = scenery.browser()
    spa.tokens(browser, scope=SCOPES)

    assert "code" in spa.answer(spa.authorize(browser, scope=SCOPES, prompt="none"))
    without = spa.authorize(browser, scope=SCOPES, code_challenge=None, code_challenge_method=None)
    assert spa.answer(without)["error"] == "invalid_request"


def test_an_origin_that_was_taken_away_reads_nothing_more(
    scenery: Scenery, spa: Program, clock: MovableClock, tmp_path: Path
) -> None:
    """What is kept of origins is dropped with the registration."""
    browser, home = scenery.browser(), {"Origin": APP}
    assert "Access-Control-Allow-Origin" in browser.options("/token", headers=home).headers

    load(scenery.app, clock, tmp_path, in_browser("spa", allowed_origins=["https://other.example"]))

    assert "Access-Control-Allow-Origin" not in browser.options("/token", headers=home).headers


@pytest.mark.parametrize(
    "changed",
    [
        {"allowed_origins": []},
        {"requires_pkce": False},
        {"profile": "fapi2"},
        {"client_secret": SECRET},
        {"grant_types": ["client_credentials"]},
    ],
)
def test_a_browser_client_needs_an_origin_and_pkce(changed: dict[str, Any]) -> None:
    """Public means: nothing to prove with, so an origin, PKCE, and none of what asks for a proof."""
    entry = in_browser("spa", **changed)
    with pytest.raises(ClientFileError):
        client_files.read(
            yaml.safe_dump({"clients": [entry]}), issuer="https://id.example", agencies=frozenset({"amp"})
        )


def test_a_browser_client_does_not_register_itself(scenery: Scenery) -> None:
    """Origins are for an operator to write."""
    builder = Builder(scenery, initial_token(scenery))

    answer = builder.post(token_endpoint_auth_method="none", allowed_origins=[APP])

    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_client_metadata")
    assert "allowed_origins" in answer.get_json()["error_description"]


# --- metadata of other RFCs

USED: dict[str, Any] = {
    "authorization_details_types": ["functional_blocks", "payment_initiation"],
    "default_max_age": 300,
    "require_auth_time": True,
    "default_acr_values": ["urn:mandat:aal:2"],
    "software_id": "4NRB1-0XZABZI9E6-5SM3R",
    "software_version": "2.1",
    "client_name#en": "Contract portal",
    "client_name#fr-CA": "Portail des contrats",
    "policy_uri#en": "https://portal.example/policy",
}
UNUSED: dict[str, Any] = {
    "request_uris": ["https://portal.example/request"],
    "id_token_encrypted_response_alg": "RSA-OAEP",
    "use_mtls_endpoint_aliases": True,
    "claims_redirect_uris": ["https://portal.example/claims"],
    "client_id_issued_at": 1,
    "registration_client_uri": "https://portal.example/r",
    "organization_name": "AMP",
}


def test_metadata_of_every_registry_is_taken_or_warned_about(
    scenery: Scenery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 7591 §2: a file with members that change nothing here is loaded; each is named. A slip of the pen stays one."""
    from idp.cli import clients as module

    monkeypatch.setattr(module, "create_app", lambda: scenery.app)
    file = tmp_path / "more.yaml"
    file.write_text(yaml.safe_dump({"clients": [registration("more", **USED, **UNUSED)]}), "utf-8")

    done = CliRunner().invoke(module.clients, ["load", str(file)])

    assert done.exit_code == 0, done.output
    for name in UNUSED:
        assert f"! more: {name} is known and changes nothing here" in done.output
    for name in USED:
        assert f"{name} is known" not in done.output
    row = db.session.get(RelyingPartyRow, "more")
    assert row is not None
    assert row.members.keys() & UNUSED.keys() == set()
    assert {name: row.members[name] for name in USED} == USED
    file.write_text(yaml.safe_dump({"clients": [registration("more", redirect_uri="x")]}), "utf-8")
    assert "redirect_uri is not a known member" in CliRunner().invoke(module.clients, ["load", str(file)]).output


def test_a_registration_ignores_what_it_does_not_know(scenery: Scenery) -> None:
    """RFC 7591 §2, §3.2.1: what is used is on record and told; the rest is neither."""
    builder = Builder(scenery, initial_token(scenery))
    more = {
        name: value for name, value in UNUSED.items() if name not in ("client_id_issued_at", "registration_client_uri")
    }

    told = builder.registered(**USED, **more, surprise={"deep": [1]})

    assert {name: told[name] for name in USED} == USED
    assert told.keys() & {*more, "surprise"} == set()
    assert builder.manage("GET", told).get_json()["client_name#en"] == "Contract portal"


@pytest.mark.parametrize(
    ("member", "wrong"),
    [
        ("default_max_age", -1),
        ("default_max_age", "300"),
        ("default_acr_values", "urn:mandat:aal:2"),
        ("authorization_details_types", "functional_blocks"),
        ("authorization_details_types", [1]),
        ("require_auth_time", "yes"),
        ("software_id", "x" * 201),
        ("client_name#en", "A\u202eB"),
        ("policy_uri#fr", "javascript:alert(1)"),
        ("logo_uri#fr", "https://portal.example/logo.svg"),
    ],
)
def test_what_is_used_is_judged(scenery: Scenery, member: str, wrong: Any) -> None:
    """A member that has an effect or is shown has a type, in a file and in a registration."""
    entry = registration("x", **{member: wrong})
    with pytest.raises(ClientFileError, match=member.partition("#")[0]):
        client_files.read(
            yaml.safe_dump({"clients": [entry]}), issuer="http://localhost:8000", agencies=frozenset({"amp"})
        )

    answer = Builder(scenery, initial_token(scenery)).post(**{member: wrong})

    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_client_metadata")


def test_what_was_registered_counts_where_a_request_says_nothing(
    scenery: Scenery, clock: MovableClock, tmp_path: Path
) -> None:
    """``default_max_age``, ``authorization_details_types``, and the name in the language of the page."""
    load(
        scenery.app,
        clock,
        tmp_path,
        registration("more", **{**USED, "default_max_age": 0}),
        registration("none", authorization_details_types=[]),
    )
    more, none = RelyingParty(scenery, "more"), RelyingParty(scenery, "none")
    browser = scenery.signed_in("julie")
    clock.advance(timedelta(seconds=2))
    blocks = details({"privileges": ["008"], "identifier": f"neq:{STORY}"})

    assert more.answer(more.authorize(browser, prompt="none"))["error"] == "login_required"
    assert more.authorize(browser, max_age="3600").location.startswith("/interaction/")
    refused = none.answer(none.authorize(browser, authorization_details=blocks))
    assert refused["error"] == "invalid_authorization_details"
    for language, name in (("en", "Contract portal"), ("fr", "Portail des contrats")):
        fresh = scenery.signed_in("julie")
        asked = more.authorize(fresh, max_age="3600", ui_locales=language, authorization_details=blocks)
        assert name in fresh.get(asked.location).text
