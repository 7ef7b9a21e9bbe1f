"""Where an answer may go: to the bytes that were registered, or nowhere."""

from __future__ import annotations

import time
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from idp.oidc.clients.domain import client_files
from idp.oidc.domain import uris
from idp.oidc.errors import ClientFileError
from tests.oidc import mutants
from tests.oidc.scenery import CALLBACK, ISSUER, SCOPES, RelyingParty, Scenery, error_code, query_of, registration

WITH_QUERY = "http://127.0.0.1:9999/cb?dummy1=lorem&dummy2=ipsum"
BYE = "http://127.0.0.1:9999/bye"
AT_HOME = ("/sign-in?", "/interaction/", "/authorize?interaction=")


@pytest.mark.bar("S-1", "S-6", "S-7", "CVE-2024-8883", "CVE-2023-6291", "CVE-2024-1132", "CVE-2026-41479")
@pytest.mark.parametrize("how", ["get", "post"])
@pytest.mark.parametrize(("client_id", "registered"), [("rp1", CALLBACK), ("rp2", WITH_QUERY)])
def test_no_near_miss_of_a_redirect_uri_is_ever_followed(
    scenery: Scenery, how: str, client_id: str, registered: str
) -> None:
    """S-1 at /authorize: each mutant ends on a page with its code, even when the rest is wrong too."""
    rp, browser = RelyingParty(scenery, client_id), scenery.browser()
    for mutant in mutants.of_address(registered):
        for changed in ({}, {"prompt": "none", "response_type": "token"}):
            asked = rp.parameters(redirect_uri=mutant, **changed)
            sent = {"query_string": asked} if how == "get" else {"data": asked}
            answer = browser.open("/authorize", method=how.upper(), **sent)
            assert (answer.status_code in (400, 414), answer.location) == (True, None), mutant[:80]
            assert error_code(answer.text) in ("invalid_redirect_uri", "invalid_request", "http_414"), mutant[:80]


@pytest.mark.bar("S-1", "S-8")
def test_no_near_miss_redeems_a_code(scenery: Scenery, rp: RelyingParty) -> None:
    """S-1 at /token: invalid_grant, and the code is burnt."""
    browser = scenery.browser()
    for mutant in mutants.of_address(CALLBACK):
        refused = rp.token(rp.code(browser), redirect_uri=mutant)

        assert refused.status_code in (400, 413), mutant[:80]
        assert refused.get_json()["error"] in ("invalid_grant", "invalid_request"), mutant[:80]


@pytest.mark.bar("S-1", "S-37")
def test_no_near_miss_of_a_logout_address_is_ever_followed(scenery: Scenery, rp: RelyingParty) -> None:
    """S-1 at /end-session, with a valid hint of this very sign-in: a page with its code, and nobody is signed out."""
    browser = scenery.browser()
    hint = rp.tokens(browser)["id_token"]
    for mutant in mutants.of_address(BYE):
        asked = {"id_token_hint": hint, "post_logout_redirect_uri": mutant, "state": "s"}
        answer = browser.get("/end-session", query_string=asked)

        assert (answer.status_code in (400, 414), answer.location) == (True, None), mutant[:80]
        refusals = ("invalid_post_logout_redirect_uri", "invalid_request", "http_414")
        assert error_code(answer.text) in refusals, mutant[:80]
    assert "code" in rp.answer(rp.authorize(browser, prompt="none"))


ADDRESSES = st.one_of(
    st.sampled_from(
        [CALLBACK, WITH_QUERY, BYE, *mutants.of_address(CALLBACK)[:-2], *mutants.of_address(WITH_QUERY)[:-2]]
    ),
    st.text(max_size=80),
)


@pytest.mark.bar("S-4", "CVE-2024-52289")
@given(asked=ADDRESSES, registered=ADDRESSES)
@example(asked="http://127x0.0.1:9999/callback", registered=CALLBACK)
def test_an_address_matches_itself_and_nothing_else(asked: str, registered: str) -> None:
    """S-4: match(u, r) ⇔ u == r; no pattern, no normalisation."""
    assert uris.fits(asked, registered, any_port=False) == (
        asked.encode("utf-8", "surrogatepass") == registered.encode("utf-8", "surrogatepass")
    )


@pytest.mark.bar("S-3", "CVE-2026-7504", "CVE-2026-3872")
@given(asked=ADDRESSES)
def test_a_native_address_lets_only_the_port_vary(asked: str) -> None:
    """RFC 8252 §7.3: what fits a loopback address is that address with another port."""
    registered = "http://127.0.0.1/callback"

    if uris.fits(asked, registered, any_port=True):
        head, _, tail = asked.removeprefix("http://127.0.0.1").partition("/")
        assert (tail, head == "" or (head[0] == ":" and head[1:].isascii() and head[1:].isdigit())) == (
            "callback",
            True,
        )


@pytest.mark.bar("S-7", "CVE-2022-36087")
def test_a_monstrous_address_is_judged_without_backtracking() -> None:
    """S-7: 64 KiB made to make a pattern backtrack take no more than a moment; a pattern that did would take hours."""
    for monster in (
        "http://" + "[" * 65_000,
        "http://127.0.0.1:" + "1" * 65_000,
        CALLBACK + "/." * 32_000,
        "a:" * 32_000,
    ):
        begun = time.thread_time()
        uris.fits(monster, CALLBACK, any_port=True)
        told = uris.fault(monster, issuer=ISSUER)

        assert (time.thread_time() - begun < 5, bool(told)) == (True, True), monster[:30]


BAD = (
    *("http://portal.example/x", "https://user@portal.example/x", "https://portal.example/#x", "https://*.example/x"),
    *(
        "https://portal.example/*",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://client.test@attacker/cb",
        "//x/y",
    ),
    *(
        "https://portal.example/a/../b",
        "https://portal.example/%2e%2e/b",
        "https://portal.example/ x",
        "https:///x",
        "",
    ),
    *(
        "https://portal.example;x/y",
        "https://portal.example\\x",
        "https://[::1/x",
        "https://x:99999/",
        "ftp://x.example/",
    ),
)
FIELDS = (
    *("redirect_uris", "post_logout_redirect_uris", "backchannel_logout_uri", "frontchannel_logout_uri"),
    *("client_uri", "policy_uri", "tos_uri", "logo_uri"),
)


@pytest.mark.bar("S-2", "CVE-2026-28512", "CVE-2020-10776", "CVE-2026-29192")
@pytest.mark.parametrize("name", FIELDS)
def test_no_field_takes_a_dangerous_address(name: str) -> None:
    """S-2: user names, fragments, wildcards, schemes that run or read: refused in every member that holds an address."""
    for uri in BAD:
        entry = registration("x", redirect_uris=["https://portal.example/cb"])
        entry[name] = [uri] if name.endswith("uris") else uri
        with pytest.raises(ClientFileError) as refused:
            client_files.read(
                yaml.safe_dump({"clients": [entry]}), issuer="https://id.example", agencies=frozenset({"amp"})
            )

        assert any(name in mistake for mistake in refused.value.mistakes), uri


NASTY = (
    *(
        "",
        " ",
        "\x00",
        "\r\nLocation: https://evil.example/\r\n",
        "https://evil.example/",
        "//evil.example",
        "é" * 300,
        "%",
        "%00",
    ),
    *(
        "x" * 9000,
        "[" * 5000,
        '{"a":' * 1000,
        "none login",
        "-1",
        "1e309",
        "null",
        "<script>",
        "${7*7}",
        "{{7*7}}",
        "' OR 1=1--",
    ),
)
NAMES = (
    *("response_type", "response_mode", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "prompt"),
    *(
        "max_age",
        "id_token_hint",
        "login_hint",
        "ui_locales",
        "acr_values",
        "display",
        "claims",
        "request",
        "request_uri",
    ),
    *(
        "registration",
        "resource",
        "authorization_details",
        "interaction",
        "lang",
        "web_message_uri",
        "return_to",
        "next",
    ),
)


@pytest.mark.bar("S-6", "S-76", "CVE-2026-44681", "CVE-2026-50630")
@pytest.mark.parametrize("prompt", [None, "none"])
def test_whatever_a_parameter_holds_the_answer_goes_home(
    scenery: Scenery, rp: RelyingParty, prompt: str | None
) -> None:
    """S-6, S-76: the Location is registered, or ours, or there is none; no header is built from input; never a 5xx."""
    browser = scenery.browser()
    for name in NAMES:
        for value in NASTY:
            asked = rp.parameters(**{"prompt": prompt, name: value})
            if name == "prompt" and not value:
                continue
            answer = browser.get("/authorize", query_string=asked)

            place = answer.location or ""
            assert answer.status_code in (200, 303, 400), (name, value[:30])
            assert not place or place.startswith((CALLBACK + "?", *AT_HOME)), (name, value[:30], place)
            assert not any(
                "evil.example" in told or "\n" in told for header, told in answer.headers if header != "Location"
            )
            if place.startswith(CALLBACK):
                assert query_of(answer)["iss"] == ISSUER


@pytest.mark.bar("S-5", "CVE-2026-9689")
@pytest.mark.parametrize("name", ["id_token_hint", "client_id", "post_logout_redirect_uri", "state", "foo"])
def test_a_repeated_parameter_ends_no_session(scenery: Scenery, rp: RelyingParty, name: str) -> None:
    """S-5 at /end-session: twice in the address, or once there and once in the body: a page, and still signed in."""
    browser = scenery.browser()
    asked = {"id_token_hint": rp.tokens(browser)["id_token"], "client_id": "rp1", "post_logout_redirect_uri": BYE}
    asked |= {"state": "s", "foo": "1"}
    for answer in (
        browser.get("/end-session", query_string=[*asked.items(), (name, "other")]),
        browser.post(f"/end-session?{name}=other", data=asked),
    ):
        assert (answer.status_code, answer.location, error_code(answer.text)) == (400, None, "invalid_request")
    assert "code" in rp.answer(rp.authorize(browser, prompt="none"))


@pytest.mark.bar("S-26", "CVE-2020-10770")
def test_no_address_of_a_request_is_ever_fetched(
    scenery: Scenery, rp: RelyingParty, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S-26, request-uri-unsigned-…: refused with not one look-up or socket."""
    import socket

    tried: list[Any] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *asked, **_: tried.append(asked))
    monkeypatch.setattr(socket.socket, "connect", lambda _self, address: tried.append(address))
    for changed in (
        {"request_uri": "https://evil.example/object"},
        {"request_uri": "http://127.0.0.1:1/x"},
        {"request": "https://evil.example/"},
        {"registration": '{"jwks_uri":"https://evil.example/jwks","logo_uri":"https://evil.example/logo"}'},
        {"scope": SCOPES, "claims": '{"_claim_sources":{"src":{"endpoint":"https://evil.example/"}}}'},
    ):
        rp.authorize(scenery.browser(), **changed)

    assert tried == []


def test_one_site_has_many_spellings() -> None:
    """Case, the default port and a dot at the end of the host do not make another site; scheme, host and port do."""
    home = "https://id.example"

    same = ("https://id.example/x", "https://ID.example/", "https://id.example:443/", "https://id.example./x?y")
    other = ("http://id.example/", "https://id.example:8443/", "https://id.example.org/", "https://x.id.example/")
    assert [uris.is_same_site(uri, home) for uri in (*same, *other)] == [True] * 4 + [False] * 4
