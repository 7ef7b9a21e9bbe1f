"""The authorization endpoint: nothing is redirected to an unproven address; consent, choice and rights decide."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from idp.clock import MovableClock
from idp.delegation import services as delegation
from tests.oidc.scenery import (
    FIRM,
    STORY,
    RelyingParty,
    Scenery,
    actor,
    csrf_token,
    details,
    error_code,
    load,
    registration,
)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"client_id": None}, "missing_client_id"),
        ({"client_id": "unknown"}, "unknown_client"),
        ({"client_id": "RP1"}, "unknown_client"),
        ({"client_id": "x\x01"}, "unknown_client"),
        ({"client_id": "x" * 5000}, "unknown_client"),
        ({"redirect_uri": None}, "missing_redirect_uri"),
        ({"state": "a\x00b"}, "invalid_request"),
    ],
)
def test_an_unproven_request_is_a_page_with_its_code(
    scenery: Scenery, rp: RelyingParty, changed: dict[str, str | None], code: str
) -> None:
    answer = rp.authorize(scenery.browser(), **changed)

    assert (answer.status_code, answer.location, error_code(answer.text)) == (400, None, code)


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "state", "scope", "nonce", "prompt", "foo"])
def test_a_repeated_parameter_is_refused_on_a_page(scenery: Scenery, rp: RelyingParty, name: str) -> None:
    """S-5, RFC 6749 §3.1: twice in the address, or once there and once in the body."""
    asked = rp.parameters(foo="1", prompt="login")
    twice = [*asked.items(), (name, "other")]

    for answer in (
        scenery.browser().get("/authorize", query_string=twice),
        scenery.browser().post(f"/authorize?{name}=other", data=asked),
    ):
        assert (answer.status_code, answer.location, error_code(answer.text)) == (400, None, "invalid_request")


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": "=" * 43}, "invalid_request"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "١"}, "invalid_request"),
        ({"nonce": "é"}, "invalid_request"),
        ({"nonce": "n" * 513}, "invalid_request"),
        ({"scope": "openid " * 200}, "invalid_request"),
        ({"state": "a\nb"}, "invalid_request"),
        ({"resource": "https://elsewhere.example/"}, "invalid_target"),
        ({"authorization_details": "{}"}, "invalid_authorization_details"),
        ({"authorization_details": "[1]"}, "invalid_authorization_details"),
        ({"authorization_details": "[" * 5000}, "invalid_authorization_details"),
        ({"authorization_details": '[{"type":"payment"}]'}, "invalid_authorization_details"),
        ({"authorization_details": details({})}, "invalid_authorization_details"),
        ({"authorization_details": details({"privileges": ["001"], "x": 1})}, "invalid_authorization_details"),
        (
            {"authorization_details": details({"privileges": ["001"], "locations": ["https://evil.example/"]})},
            "invalid_authorization_details",
        ),
        (
            {
                "authorization_details": details(
                    {"privileges": ["001"], "identifier": f"neq:{STORY}"},
                    {"privileges": ["001"], "identifier": f"neq:{FIRM}"},
                )
            },
            "invalid_authorization_details",
        ),
    ],
)
def test_what_is_wrong_in_a_proven_request_is_answered_with_state_and_issuer(
    scenery: Scenery, rp: RelyingParty, changed: dict[str, str | None], error: str
) -> None:
    answer = rp.answer(rp.authorize(scenery.browser(), **changed))

    assert answer["error"] == error
    assert answer["iss"] == "http://localhost:8000"
    assert answer["state"] == (changed.get("state") or "s-1")
    assert answer["error_description"].isascii()
    assert not {'"', "\\"} & set(answer["error_description"])


def test_a_state_too_long_is_refused_and_never_cut(scenery: Scenery, rp: RelyingParty) -> None:
    """2 KiB pass unchanged; one more is an error without any state."""
    browser = scenery.signed_in("julie")

    assert rp.answer(rp.authorize(browser, prompt="none", state="s" * 2048))["state"] == "s" * 2048
    refused = rp.answer(rp.authorize(browser, state="s" * 2049))
    assert (refused["error"], "state" in refused) == ("invalid_request", False)


def test_consent_is_asked_once_and_again_only_for_more(scenery: Scenery, rp: RelyingParty) -> None:
    """Decisions §19: remembered; a narrower request is silent, a wider one asks; prompt=consent always asks."""
    browser = scenery.browser()
    rp.code(browser, scope="openid enterprise")

    assert "code" in rp.answer(rp.authorize(browser, scope="openid enterprise"))
    assert "code" in rp.answer(rp.authorize(browser, scope="openid", prompt="none"))
    assert rp.authorize(browser, scope="openid email enterprise").location.startswith("/interaction/consent")
    wider = rp.answer(rp.authorize(browser, scope="openid email enterprise", prompt="none"))
    assert wider["error"] == "interaction_required"
    assert rp.authorize(browser, scope="openid", prompt="consent").location.startswith("/interaction/consent")
    other = RelyingParty(scenery, "rp3")
    assert other.authorize(browser, scope="openid").location.startswith("/interaction/consent")


def test_the_consent_page_says_what_is_told_in_plain_words(scenery: Scenery, rp: RelyingParty) -> None:
    """Agency, service, enterprise, role, blocks with their labels, life; nothing is agreed by opening it."""
    browser = scenery.signed_in("julie")
    place = rp.authorize(browser).location

    page = browser.get(f"{place}&lang=en").text

    for words in (
        "Autorité des marchés publics",
        "Service rp1",
        "Construction Haute-Licorne inc.",
        "Pay invoices",
        "008",
    ):
        assert words in page, words
    assert 'id="consent-allow"' in page
    assert rp.answer(rp.authorize(browser, prompt="none"))["error"] == "interaction_required"


def test_consents_are_listed_and_can_be_withdrawn(scenery: Scenery, rp: RelyingParty) -> None:
    """ASVS 10.7.3: afterwards the token is dead at userinfo and the next sign-in asks again."""
    browser = scenery.browser()
    token = rp.tokens(browser)["access_token"]
    page = browser.get("/consents?lang=en").text
    assert "Construction Haute-Licorne inc." in page

    form = {"csrf_token": csrf_token(page), "agency": "amp", "enterprise": scenery.story}
    assert browser.post("/consents", data=form).status_code == 303

    assert rp.userinfo(token).status_code == 401
    assert rp.authorize(browser).location.startswith("/interaction/consent")
    assert "consent-withdraw-1" not in browser.get("/consents").text
    other = scenery.signed_in("pes")
    form["csrf_token"] = csrf_token(other.get("/").text)
    assert other.post("/consents", data=form).status_code == 303


def test_who_has_several_enterprises_chooses(scenery: Scenery, rp: RelyingParty) -> None:
    """Buttons #enterprise-<neq>; the token speaks for the one chosen; silence is interaction_required."""
    browser = scenery.signed_in("ginette")
    place = rp.authorize(browser).location
    page = browser.get(place).text
    assert {f'id="enterprise-{neq}"' in page for neq in (STORY, FIRM)} == {True}
    wrong = browser.post(place, data={"csrf_token": csrf_token(page), "enterprise": "1100000018"})
    assert wrong.status_code == 400

    firm = rp.read(rp.tokens(browser, "ginette", FIRM)["id_token"])
    story = rp.read(rp.tokens(browser, "ginette", STORY)["id_token"])

    assert (firm["enterprise"]["neq"], firm["representation"]["role"]) == (FIRM, "pes")
    assert (story["enterprise"]["neq"], story["representation"]["role"]) == (STORY, "user")
    assert (story["functional_blocks"], story["sub"]) == (["007"], firm["sub"])
    assert rp.answer(rp.authorize(browser, prompt="none"))["error"] == "interaction_required"
    named = details({"privileges": ["007"], "identifier": f"neq:{STORY}"})
    assert "code" in rp.answer(rp.authorize(browser, prompt="none", authorization_details=named))


def test_the_choice_can_be_reopened(scenery: Scenery, rp: RelyingParty) -> None:
    """prompt=select_account, even for one enterprise."""
    browser = scenery.browser()
    rp.code(browser)

    assert rp.authorize(browser, prompt="select_account").location.startswith("/interaction/enterprise")
    assert rp.code(browser, prompt="select_account")


def test_an_answer_given_by_somebody_else_does_not_count(scenery: Scenery, rp: RelyingParty) -> None:
    """The PES consents, then Julie signs in on the same interaction: she is asked herself (prompt=consent)."""
    browser = scenery.signed_in("pes")
    place = rp.authorize(browser, prompt="consent").location
    resumed = scenery.press(browser, place, answer="allow").location
    scenery.sign_in(browser, "julie")

    assert browser.get(resumed).location.startswith("/interaction/consent")


def test_an_interaction_belongs_to_its_browser(scenery: Scenery, rp: RelyingParty) -> None:
    """S-10: its number used elsewhere, by anybody, on any page, completes nothing."""
    julie = scenery.signed_in("julie")
    place = rp.authorize(julie).location
    number = place.partition("interaction=")[2]
    thief = scenery.signed_in("pes")
    own = rp.authorize(thief).location
    assert thief.get(own).status_code == 200  # a browser with an interaction of its own

    for path in (
        "/authorize",
        "/interaction/consent",
        "/interaction/enterprise",
        "/interaction/cancel",
        "/interaction/no-right",
    ):
        answer = thief.get(path, query_string={"interaction": number})
        assert (answer.status_code, error_code(answer.text)) == (400, "interaction_over"), path
    assert julie.get(place).status_code == 200


def test_a_client_whose_address_was_removed_gets_no_answer(
    scenery: Scenery, rp: RelyingParty, clock: MovableClock, tmp_path: Path
) -> None:
    """S-11: a continuation reloads the client's registration."""
    browser = scenery.signed_in("julie")
    place = rp.authorize(browser).location
    load(scenery.app, clock, tmp_path, registration("rp1", redirect_uris=["http://127.0.0.1:9999/new"]))

    answer = browser.get(place)

    assert (answer.status_code, error_code(answer.text)) == (400, "invalid_redirect_uri")


@pytest.mark.parametrize("name", ["nobody", "julie"])
def test_who_has_no_right_is_told_why_and_led_back(scenery: Scenery, rp: RelyingParty, name: str) -> None:
    """A page first, then access_denied; with prompt=none what every other cause answers."""
    if name == "julie":
        scenery.revoke_blocks()
    browser = scenery.signed_in(name)
    page = browser.get(rp.authorize(browser).location)
    assert page.status_code == 403
    assert ("Construction Haute-Licorne inc." in page.text) == (name == "julie")

    back = page.text.split('href="/interaction/cancel')[1].split('"')[0]

    assert rp.answer(browser.get(f"/interaction/cancel{back}"))["error"] == "access_denied"
    assert rp.answer(rp.authorize(browser, prompt="none"))["error"] == "interaction_required"


def test_the_authorized_representative_signs_in_without_blocks(scenery: Scenery, rp: RelyingParty) -> None:
    """Decisions §1: functional_blocks is [], which is not absent."""
    claims = rp.read(rp.tokens(scenery.browser(), "ar")["id_token"])

    assert (claims["representation"]["role"], claims["functional_blocks"]) == ("authorized_representative", [])


def test_a_suspended_enterprise_gives_no_token(scenery: Scenery, rp: RelyingParty) -> None:
    """Neither a new code nor the exchange of one that exists."""
    browser = scenery.browser()
    code = rp.code(browser)
    delegation.suspend_enterprise(scenery.story, actor=actor(scenery.people["ar"]), now=scenery.clock.now())

    assert rp.token(code).get_json()["error"] == "invalid_grant"
    assert rp.answer(rp.authorize(browser, prompt="none"))["error"] == "interaction_required"


def test_an_interaction_ends_after_half_an_hour(scenery: Scenery, rp: RelyingParty) -> None:
    browser = scenery.signed_in("julie")
    place = rp.authorize(browser).location
    scenery.clock.advance(timedelta(minutes=30))

    assert browser.get(place).status_code == 400


def test_a_consent_is_for_the_enterprise_that_the_page_showed(scenery: Scenery, rp: RelyingParty) -> None:
    """Another tab changed the enterprise meanwhile: agreeing to the old page gives nothing, the new one is shown."""
    browser = scenery.signed_in("ginette")
    place = scenery.press(browser, rp.authorize(browser).location, enterprise=STORY).location
    place = browser.get(place).location
    shown = browser.get(place).text
    scenery.press(browser, place.replace("/consent", "/enterprise"), enterprise=FIRM)

    shown_for = {"enterprise": hidden_input(shown, "enterprise")}
    answer = browser.post(place, data={"csrf_token": csrf_token(shown), "answer": "allow", **shown_for})

    assert shown_for == {"enterprise": STORY}
    assert browser.get(answer.location).location == place, "asked about the other enterprise"
    assert "consent-withdraw-1" not in browser.get("/consents").text


def hidden_input(page: str, name: str) -> str:
    found = re.search(rf'<input type="hidden" name="{name}" value="([^"]*)"', page)
    assert found, page
    return found.group(1)


@pytest.mark.parametrize("path", ["/authorize", "/end-session", "/sign-in", "/token", "/userinfo"])
def test_a_form_of_another_site_replaces_no_cookie(scenery: Scenery, rp: RelyingParty, path: str) -> None:
    """Such a POST comes without our cookies (SameSite): setting one would wipe the page session (decisions.md §24)."""
    answer = scenery.browser().post(f"{path}?lang=en", data=rp.parameters())

    assert "Set-Cookie" not in answer.headers


def test_what_caches_keep_sets_no_cookie(scenery: Scenery) -> None:
    """Keys and discovery are public: no cookie rides on them, whatever the address asks."""
    for path in ("/jwks", "/.well-known/openid-configuration"):
        assert "Set-Cookie" not in scenery.browser().get(f"{path}?lang=en").headers
