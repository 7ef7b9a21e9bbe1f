"""The OIDF Basic plan's modules, on our own names; each docstring names the module (prefix ``oidcc-``)."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qsl

import pytest

from tests.oidc.scenery import CALLBACK, ISSUER, SECRET, VERIFIER, RelyingParty, Scenery, error_code, hidden_inputs


@pytest.fixture
def plain(scenery: Scenery) -> RelyingParty:
    """A client that need not send PKCE."""
    return RelyingParty(scenery, "nopkce")


def test_a_person_signs_in_and_the_client_learns_who(scenery: Scenery, rp: RelyingParty) -> None:
    """server: happy flow; state, iss, no-store; claims, signature, kid; the same sub at userinfo."""
    browser = scenery.browser()
    response = scenery.go_on(browser, rp.authorize(browser), "julie")
    answered = rp.answer(response)
    assert (answered["state"], answered["iss"], len(answered["code"])) == ("s-1", ISSUER, 43)
    assert response.headers["Cache-Control"] == "no-store"

    answer = rp.token(answered["code"])

    told = answer.get_json()
    assert (answer.status_code, answer.headers["Cache-Control"], told["token_type"]) == (200, "no-store", "Bearer")
    assert (told["expires_in"], set(told["scope"].split())) == (
        300,
        {"openid", "profile", "email", "enterprise", "functional_blocks"},
    )
    claims = rp.read(told["id_token"])
    assert claims["nonce"] == "n-1"
    assert (claims["acr"], claims["amr"]) == ("urn:mandat:aal:2", ["pwd", "otp", "mfa"])
    assert claims["functional_blocks"] == ["001", "008"]
    assert not {"name", "email"} & claims.keys()  # scope-profile, scope-email: at userinfo only
    person = rp.userinfo(told["access_token"]).get_json()
    assert person["sub"] == claims["sub"]
    assert (person["name"], person["email"], person["email_verified"]) == (
        "Julie Pontvert",
        "julie@licorne.example",
        True,
    )


def test_a_missing_response_type_is_an_error_answer(scenery: Scenery, rp: RelyingParty) -> None:
    """response-type-missing."""
    answer = rp.answer(rp.authorize(scenery.browser(), response_type=None))

    assert (answer["error"], answer["state"], answer["iss"]) == ("invalid_request", "s-1", ISSUER)


@pytest.mark.parametrize("kind", ["token", "id_token", "code id_token", "code token", "none", "CODE"])
def test_only_the_code_flow_exists(scenery: Scenery, rp: RelyingParty, kind: str) -> None:
    """RFC 9700 §2.1.2: no implicit, no hybrid."""
    assert rp.answer(rp.authorize(scenery.browser(), response_type=kind))["error"] == "unsupported_response_type"


def test_userinfo_takes_the_header_only(scenery: Scenery, rp: RelyingParty) -> None:
    """userinfo-get, userinfo-post-header, userinfo-post-body."""
    token = rp.tokens(scenery.browser())["access_token"]
    there = scenery.browser()
    header = {"Authorization": f"bearer {token}"}

    assert there.get("/userinfo", headers=header).status_code == 200
    assert there.post("/userinfo", headers=header).status_code == 200
    for refused in (
        there.post("/userinfo", data={"access_token": token}),
        there.get(f"/userinfo?access_token={token}"),
    ):
        assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_neither_nonce_nor_pkce_is_needed_where_an_operator_says_so(scenery: Scenery, plain: RelyingParty) -> None:
    """ensure-request-without-nonce-succeeds-for-code-flow; and the module that sends neither PKCE nor nonce."""
    none = {"code_challenge": None, "code_challenge_method": None, "nonce": None}
    code = plain.code(scenery.browser(), **none)

    told = plain.token(code, code_verifier=None).get_json()

    assert "nonce" not in plain.read(told["id_token"])


def test_a_challenge_that_was_sent_binds_all_the_same(scenery: Scenery, plain: RelyingParty) -> None:
    """ensure-request-with-valid-pkce-succeeds, and its downgrade refused."""
    browser = scenery.browser()

    assert plain.token(plain.code(browser), code_verifier=None).get_json()["error"] == "invalid_grant"
    assert plain.token(plain.code(browser)).status_code == 200


def test_scopes_that_are_not_offered_are_ignored(scenery: Scenery, rp: RelyingParty) -> None:
    """scope-address, scope-phone, scope-all, refresh-token: ignored; alternate-happy-flow: any order."""
    told = rp.tokens(scenery.browser(), scope="offline_access phone address email openid")

    assert told["scope"].split() == ["openid", "email"]
    assert "refresh_token" not in told
    assert not {"address", "phone_number", "name", "enterprise"} & rp.userinfo(told["access_token"]).get_json().keys()


@pytest.mark.parametrize(
    "extra",
    [
        {"display": "page"},
        {"display": "popup"},
        {"foo": "bar"},
        {"ui_locales": "se"},
        {"claims_locales": "se"},
        {"login_hint": "julie@licorne.example"},
        {"acr_values": "urn:unknown:1 2"},
        {"claims": '{"userinfo":{"name":{"essential":true}}}'},
    ],
)
def test_what_is_voluntary_or_unknown_is_tolerated(scenery: Scenery, rp: RelyingParty, extra: dict[str, str]) -> None:
    """display-*, ensure-request-with-unknown-parameter-succeeds, ui-locales, claims-locales, login-hint, acr-values."""
    assert rp.code(scenery.browser(), **extra)


def test_what_is_essential_or_wished_is_told(scenery: Scenery, rp: RelyingParty) -> None:
    """claims-essential: name at userinfo without its scope; ensure-request-with-acr-values-succeeds: each advertised one."""
    browser = scenery.browser()
    levels = " ".join(browser.get("/.well-known/openid-configuration").get_json()["acr_values_supported"])

    told = rp.tokens(browser, scope="openid", claims='{"userinfo":{"name":{"essential":true}}}', acr_values=levels)

    assert rp.userinfo(told["access_token"]).get_json()["name"] == "Julie Pontvert"
    assert rp.read(told["id_token"])["acr"] in levels.split()


def test_prompt_login_asks_again_and_auth_time_is_newer(scenery: Scenery, rp: RelyingParty) -> None:
    """prompt-login."""
    browser = scenery.browser()
    first = rp.read(rp.tokens(browser)["id_token"])
    scenery.clock.advance(timedelta(seconds=5))
    answer = rp.authorize(browser, prompt="login")
    assert answer.location.startswith("/sign-in")

    second = rp.read(rp.token(rp.answer(scenery.go_on(browser, answer, "julie"))["code"]).get_json()["id_token"])

    assert second["auth_time"] > first["auth_time"]
    assert (second["sub"], second["sid"]) == (first["sub"], first["sid"])


def test_silence_fails_when_nobody_is_signed_in(scenery: Scenery, rp: RelyingParty) -> None:
    """prompt-none-not-logged-in."""
    answer = rp.answer(rp.authorize(scenery.browser(), prompt="none"))

    assert (answer["error"], answer["state"], answer["iss"]) == ("login_required", "s-1", ISSUER)


def test_silence_works_for_somebody_who_agreed_before(scenery: Scenery, rp: RelyingParty) -> None:
    """prompt-none-logged-in, id-token-hint: the same sub and auth_time; another person's hint is refused."""
    browser, other = scenery.browser(), scenery.browser()
    first = rp.tokens(browser)
    foreign = rp.tokens(other, "pes")
    told = rp.read(first["id_token"])

    answer = rp.answer(rp.authorize(browser, prompt="none", id_token_hint=first["id_token"]))
    again = rp.read(rp.token(answer["code"]).get_json()["id_token"])

    assert (again["sub"], again["auth_time"]) == (told["sub"], told["auth_time"])
    refused = rp.answer(rp.authorize(browser, prompt="none", id_token_hint=foreign["id_token"]))
    assert refused["error"] == "login_required"
    asked = rp.authorize(browser, id_token_hint=foreign["id_token"])
    assert asked.location.startswith("/sign-in")
    forged = rp.answer(rp.authorize(browser, id_token_hint=first["access_token"]))
    assert forged["error"] == "invalid_request"


def test_max_age_is_the_age_of_the_sign_in(scenery: Scenery, rp: RelyingParty) -> None:
    """max-age-1, max-age-10000; max_age=0 is prompt=login."""
    browser = scenery.browser()
    first = rp.read(rp.tokens(browser)["id_token"])
    scenery.clock.advance(timedelta(seconds=2))

    assert rp.authorize(browser, max_age="1").location.startswith("/sign-in")
    assert rp.authorize(browser, max_age="0").location.startswith("/sign-in")
    assert rp.answer(rp.authorize(browser, max_age="1", prompt="none"))["error"] == "login_required"
    again = rp.read(rp.tokens(browser, max_age="10000")["id_token"])
    assert again["auth_time"] == first["auth_time"]


def test_a_code_works_once_and_its_second_use_kills_the_first_tokens(scenery: Scenery, rp: RelyingParty) -> None:
    """codereuse, codereuse-30seconds: invalid_grant, and the access token is dead at userinfo."""
    code = rp.code(scenery.browser())
    told = rp.token(code).get_json()
    assert rp.userinfo(told["access_token"]).status_code == 200
    scenery.clock.advance(timedelta(seconds=30))

    again = rp.token(code)

    assert (again.status_code, again.get_json()["error"]) == (400, "invalid_grant")
    refused = rp.userinfo(told["access_token"])
    assert (refused.status_code, "invalid_token" in refused.headers["WWW-Authenticate"]) == (401, True)


def test_a_code_dies_after_a_minute(scenery: Scenery, rp: RelyingParty) -> None:
    """ASVS 10.4.3: 59 seconds yes, 60 no."""
    browser = scenery.browser()
    code = rp.code(browser)
    scenery.clock.advance(timedelta(seconds=59))
    assert rp.token(code).status_code == 200
    code = rp.code(browser)
    scenery.clock.advance(timedelta(seconds=60))

    assert rp.token(code).get_json()["error"] == "invalid_grant"


def test_post_to_authorize_arrives_without_a_cookie_and_goes_on(scenery: Scenery, rp: RelyingParty) -> None:
    """ensure-post-request-succeeds: 303 without Set-Cookie, bound by the GET that follows, to the first browser only."""
    julie = scenery.signed_in("julie")
    posted = scenery.browser().post("/authorize", data=rp.parameters())
    assert (posted.status_code, "Set-Cookie" in posted.headers) == (303, False)

    bound = julie.get(posted.location)

    stolen = scenery.signed_in("julie").get(posted.location)
    assert (stolen.status_code, error_code(stolen.text)) == (400, "interaction_over")
    assert "code" in rp.answer(scenery.go_on(julie, bound, "julie"))
    reloaded = julie.get(posted.location)
    assert (reloaded.status_code, error_code(reloaded.text)) == (400, "interaction_over")


def test_a_posted_request_waits_a_minute_for_its_browser(scenery: Scenery, rp: RelyingParty) -> None:
    """Decisions §24: 60 seconds."""
    posted = scenery.browser().post("/authorize", data=rp.parameters())
    scenery.clock.advance(timedelta(seconds=60))

    assert scenery.browser().get(posted.location).status_code == 400


def test_the_secret_may_come_in_the_body(scenery: Scenery) -> None:
    """server-client-secret-post."""
    rp2 = RelyingParty(scenery, "rp2")
    code = rp2.code(scenery.browser())

    assert rp2.token(code, authorization="", client_id="rp2", client_secret=SECRET).status_code == 200


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("request", "invalid_request_object"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "registration_not_supported"),
    ],
)
def test_request_objects_are_refused_never_ignored(scenery: Scenery, rp: RelyingParty, name: str, error: str) -> None:
    """request-uri-unsigned-supported-correctly-or-rejected-as-unsupported, and its sister."""
    assert rp.answer(rp.authorize(scenery.browser(), **{name: "http://127.0.0.1:1/x"}))["error"] == error


def test_form_post_carries_any_state_unchanged(scenery: Scenery, rp: RelyingParty) -> None:
    """Form Post plan: a 200 page whose form goes to that origin only, works without script, and is never kept."""
    state = "a b&\"<é>'"
    browser = scenery.browser()

    page = scenery.go_on(browser, rp.authorize(browser, response_mode="form_post", state=state), "julie")

    told = hidden_inputs(page.text)
    assert (told["state"], told["iss"]) == (state, ISSUER)
    assert f'action="{CALLBACK}"' in page.text
    assert "form-action http://127.0.0.1:9999;" in page.headers["Content-Security-Policy"]
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert 'id="form-post-continue"' in page.text
    assert rp.token(told["code"]).status_code == 200
    refused = rp.authorize(scenery.browser(), response_mode="form_post", prompt="none")
    assert hidden_inputs(refused.text)["error"] == "login_required"


def test_fragment_carries_the_answer_behind_the_number_sign(scenery: Scenery) -> None:
    """OAuth Multiple Response Types §2.1: nothing in the query but what the client wrote there; state and iss as anywhere."""
    rp2 = RelyingParty(scenery, "rp2", redirect_uri="http://127.0.0.1:9999/cb?dummy1=lorem&dummy2=ipsum")
    browser = scenery.browser()

    answer = scenery.go_on(browser, rp2.authorize(browser, response_mode="fragment", state="a b&é#"), "julie")

    place, _, fragment = answer.location.partition("#")
    told = dict(parse_qsl(fragment, strict_parsing=True))
    assert place == rp2.redirect_uri
    assert (set(told), told["state"], told["iss"]) == ({"code", "state", "iss"}, "a b&é#", ISSUER)
    assert rp2.token(told["code"], authorization="", client_id="rp2", client_secret=SECRET).status_code == 200
    refused = rp2.authorize(scenery.browser(), response_mode="fragment", prompt="none")
    assert refused.location.startswith(f"{rp2.redirect_uri}#error=login_required")


def test_the_relying_partys_own_query_is_kept(scenery: Scenery) -> None:
    """RFC 6749 §3.1.2: parameters are added to the query that is there."""
    rp2 = RelyingParty(scenery, "rp2", redirect_uri="http://127.0.0.1:9999/cb?dummy1=lorem&dummy2=ipsum")
    browser = scenery.browser()

    answer = scenery.go_on(browser, rp2.authorize(browser), "julie")

    assert answer.location.startswith("http://127.0.0.1:9999/cb?dummy1=lorem&dummy2=ipsum&code=")


def test_refusing_or_cancelling_is_access_denied(scenery: Scenery, rp: RelyingParty) -> None:
    """user-rejects-authentication: #consent-deny and #login-cancel both answer with state and iss; once."""
    browser = scenery.browser()
    answer = rp.authorize(browser)
    page = browser.get(answer.location)
    assert 'id="login-cancel"' in page.text
    assert "Autorité des marchés publics" in page.text
    assert "http://127.0.0.1:9999" in page.headers["Content-Security-Policy"]
    cancel = f"/interaction/cancel?{answer.location.partition('authorize%3F')[2].replace('%3D', '=')}"

    cancelled = rp.answer(browser.get(cancel))

    assert (cancelled["error"], cancelled["state"], cancelled["iss"]) == ("access_denied", "s-1", ISSUER)
    assert error_code(browser.get(cancel).text) == "interaction_over"
    julie = scenery.signed_in("julie")
    place = rp.authorize(julie, prompt="consent").location
    denied = rp.answer(scenery.press(julie, place, answer="deny"))
    assert (denied["error"], denied["state"]) == ("access_denied", "s-1")


def test_a_secret_with_any_sign_works_form_encoded_or_raw(scenery: Scenery, rp: RelyingParty) -> None:
    """Interop problem 1; bad bytes are a 401, never a 500."""
    code = rp.code(scenery.browser())
    for header in ("Basic", "Basic !!!", "Basic /////w==", "Basic YQ==", "Bearer x", "Basic OmE=", "Basic cnAxOg=="):
        refused = rp.token(code, authorization=header)
        assert (refused.status_code, refused.get_json()["error"]) == (401, "invalid_client"), header
        assert refused.headers["WWW-Authenticate"].startswith("Basic")

    assert rp.token(code, authorization=rp.basic(SECRET.replace("-", "%2D"))).status_code == 200
    assert VERIFIER
