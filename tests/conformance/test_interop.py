"""Interoperability problems that other providers had with real clients (the list of twenty), each as a test."""

from __future__ import annotations

import base64
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, quote_plus

import pytest
from click.testing import CliRunner

from idp.cli.clients import clients as command
from idp.clock import MovableClock
from idp.config import Settings
from idp.delegation.catalogue import catalogue_services
from idp.notices.services import deliver_due
from idp.oidc.errors import ClientFileError
from tests.oidc.scenery import CALLBACK, ISSUER, RelyingParty, Scenery, csrf_token, keyed, load, registration

ODD_SECRET = "a+b%20c%2Bd:e&f=g/h?i#j~k!l*m'n(o)p\"q"


def _basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def test_1_a_secret_with_odd_signs_is_taken_raw_and_encoded(
    scenery: Scenery, clock: MovableClock, tmp_path: Path
) -> None:
    """node-oidc-provider #267, openid-client #134, mod_auth_openidc #549: raw, %20 or + encoded; bytes that are no text: 401."""
    load(scenery.app, clock, tmp_path, registration("odd", client_secret=ODD_SECRET))
    odd, browser = RelyingParty(scenery, "odd"), scenery.browser()
    for sent in (ODD_SECRET, quote(ODD_SECRET, safe=""), quote_plus(ODD_SECRET)):
        assert odd.token(odd.code(browser), authorization=_basic("odd", sent)).status_code == 200, sent
    for wrong in (b"odd:\xff\xfe", b"odd", b"", b"\x00:\x00", "odd:é".encode("latin-1"), "odd:é".encode()):
        header = "Basic " + base64.b64encode(wrong).decode()
        refused = odd.token("x", authorization=header)
        assert (refused.status_code, refused.get_json()["error"]) == (401, "invalid_client"), wrong


def test_2_the_issuer_is_the_same_bytes_everywhere(scenery: Scenery, clock: MovableClock, tmp_path: Path) -> None:
    """go-oidc #203, #238: discovery, answer, ID token, access token and logout token; no slash, no other case."""
    received: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            received.extend(parse_qs(body)["logout_token"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        there = f"http://127.0.0.1:{server.server_port}/logout"
        load(scenery.app, clock, tmp_path, registration("rp1", backchannel_logout_uri=there))
        rp, browser = RelyingParty(scenery), scenery.browser()
        answered = rp.answer(scenery.go_on(browser, rp.authorize(browser), "julie"))
        told = rp.token(answered["code"]).get_json()
        page = browser.get("/end-session")
        browser.post("/end-session/confirm", data={"csrf_token": csrf_token(page.text)})
        while deliver_due(clock.now()):
            pass
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

    issuers = {
        browser.get("/.well-known/openid-configuration").get_json()["issuer"],
        answered["iss"],
        rp.read(told["id_token"])["iss"],
        rp.read(told["access_token"], "ES256", "https://portal.amp.example/")["iss"],
        *(rp.read(token)["iss"] for token in received),
    }
    assert (issuers, len(received)) == ({ISSUER}, 1)


def test_6_no_instant_lies_ahead(scenery: Scenery, rp: RelyingParty) -> None:
    """openid-client #454, Spring #5839: no nbf; iat and auth_time are floored, so that a clock just behind accepts them."""
    scenery.clock.advance(timedelta(microseconds=999_999))
    told = rp.tokens(scenery.browser())
    for claims in (rp.read(told["id_token"]), rp.read(told["access_token"], "ES256", "https://portal.amp.example/")):
        assert "nbf" not in claims
        for name in ("iat", "auth_time"):
            assert type(claims[name]) is int
            assert claims[name] <= scenery.clock.now().timestamp(), name
    assert type(told["expires_in"]) is int


def test_9_iss_may_be_left_out_for_one_old_library(scenery: Scenery, clock: MovableClock, tmp_path: Path) -> None:
    """alfresco-keycloak #47: a switch of the operator's, on for everybody else, and never for fapi2."""
    load(scenery.app, clock, tmp_path, registration("old", omits_iss=True))
    old, rp = RelyingParty(scenery, "old"), RelyingParty(scenery)
    browser = scenery.browser()

    answers = [each.answer(scenery.go_on(browser, each.authorize(browser), "julie")) for each in (old, rp)]

    assert ["iss" in answer for answer in answers] == [False, True]
    assert "iss" not in old.answer(old.authorize(browser, scope="profile"))
    with pytest.raises(ClientFileError, match="omits_iss may not be true"):
        load(scenery.app, clock, tmp_path, keyed("strict", profile="fapi2", omits_iss=True))


def test_10_an_expired_hint_still_brings_the_person_back(scenery: Scenery, clock: MovableClock, tmp_path: Path) -> None:
    """Keycloak #14010, #24213: the ID token died after five minutes, the session did not."""
    bye = "http://127.0.0.1:9999/bye"
    load(scenery.app, clock, tmp_path, registration("rp1", post_logout_redirect_uris=[bye]))
    rp, browser = RelyingParty(scenery), scenery.browser()
    hint = rp.tokens(browser)["id_token"]
    scenery.clock.advance(timedelta(minutes=40))

    answer = browser.get("/end-session", query_string={"id_token_hint": hint, "post_logout_redirect_uri": bye})

    assert answer.location == bye
    again = browser.get("/end-session", query_string={"id_token_hint": hint, "post_logout_redirect_uri": bye})
    assert again.location == bye  # nobody is signed in any more: nothing to ask
    lost = browser.get("/end-session", query_string={"client_id": "rp1"})
    assert 'href="/"' in browser.get(lost.location).text  # always a way out


def test_16_no_claim_is_null_or_empty(scenery: Scenery, rp: RelyingParty) -> None:
    """oidctest #123, pyoidc #757: right JSON types; nothing absent is written as null or as an empty text."""
    told = rp.tokens(scenery.browser(), "ar")
    person = rp.userinfo(told["access_token"]).get_json()

    def faults(value: Any, where: str) -> list[str]:
        if isinstance(value, dict):
            return [fault for name, each in value.items() for fault in faults(each, f"{where}.{name}")]
        if isinstance(value, list):
            return [fault for each in value for fault in faults(each, where)]
        return [where] if value is None or value == "" else []

    assert faults([rp.read(told["id_token"]), person, told], "") == []
    assert person["email_verified"] is True
    assert rp.read(told["id_token"])["functional_blocks"] == []  # an AR holds none: said so, and not absent


def test_17_every_block_fits_in_a_cookie_and_in_a_header(scenery: Scenery, rp: RelyingParty) -> None:
    """flux #585, OpenMetadata #28723, flask-oidc #53: with every block of the agency each token stays under 2 KiB."""
    told = rp.tokens(scenery.browser(), "pes")
    held = rp.read(told["id_token"])["functional_blocks"]

    assert held == sorted(block.code for block in catalogue_services.agency("amp").blocks)
    assert max(len(told["id_token"]), len(told["access_token"])) < 2048


def test_12_silent_renewal_fails_cleanly(scenery: Scenery, rp: RelyingParty) -> None:
    """oidc-client-ts #1032: where a browser sends no cookie, login_required with the state, and no page at all."""
    for mode in ("query", "form_post"):
        answer = rp.authorize(scenery.browser(), prompt="none", response_mode=mode)

        assert (rp.answer(answer)["error"], rp.answer(answer)["state"]) == ("login_required", "s-1"), mode


def test_19_both_addresses_are_in_the_operators_log_only(
    scenery: Scenery, rp: RelyingParty, capsys: pytest.CaptureFixture[str], tmp_path: Path, settings: Settings
) -> None:
    """portier #915, diaspora #6643: ``https://x`` against ``https://x/``: the log shows both, the page neither."""
    page = rp.authorize(scenery.browser(), redirect_uri=CALLBACK + "/")
    written = "".join(capsys.readouterr())

    assert CALLBACK not in page.text
    assert written.count(CALLBACK) == 2
    assert f"{CALLBACK}/" in written


def test_19_an_address_without_a_path_is_doubted_when_it_is_loaded(
    scenery: Scenery, clock: MovableClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator is told before the first person is."""
    load(scenery.app, clock, tmp_path, registration("bare", redirect_uris=["http://127.0.0.1:9999"]))
    monkeypatch.setattr("idp.cli.clients.create_app", lambda: scenery.app)

    ran = CliRunner().invoke(command, ["load", str(tmp_path / "clients.yaml")])

    assert (ran.exit_code, "loaded bare" in ran.output) == (0, True)
    assert "register that" in ran.output


def test_20_scope_is_told_when_it_differs(scenery: Scenery, rp: RelyingParty) -> None:
    """RFC 6749 §5.1; Spring #4441: userinfo speaks of the same sub."""
    told = rp.tokens(scenery.browser(), scope="openid email address offline_access")

    assert (told["scope"], rp.userinfo(told["access_token"]).get_json()["sub"]) == (
        "openid email",
        rp.read(told["id_token"])["sub"],
    )


def test_parameters_may_come_in_any_order(scenery: Scenery, rp: RelyingParty) -> None:
    """oidcc-alternate-happy-flow: scopes and parameters reversed."""
    asked = rp.parameters(scope="functional_blocks enterprise email profile openid")
    browser = scenery.browser()

    answer = scenery.go_on(browser, browser.get("/authorize", query_string=list(reversed(asked.items()))), "julie")

    assert rp.token(rp.answer(answer)["code"]).status_code == 200
