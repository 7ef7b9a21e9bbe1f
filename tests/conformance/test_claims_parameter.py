"""The ``claims`` parameter, ``acr`` and signed userinfo (OIDC Core §5.5, §5.5.1.1, §5.3.2)."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt as pyjwt
import pytest
from flask.testing import FlaskClient

from idp.oidc.domain import metadata
from tests.oidc.fapi import first
from tests.oidc.scenery import ISSUER, RelyingParty, Scenery, csrf_token, load, registration
from tests.oidc.signing import signing_clients

PERSON = {"name", "given_name", "family_name", "locale", "email", "email_verified"}
RIGHTS = {"enterprise", "representation", "functional_blocks"}
LEVEL = "urn:mandat:aal:"


def asking(**places: dict[str, Any]) -> str:
    return json.dumps(places)


def both(rp: RelyingParty, browser: FlaskClient, **changed: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the ID token and userinfo say."""
    told = rp.tokens(browser, **changed)
    return rp.read(told["id_token"]), rp.userinfo(told["access_token"]).get_json()


def test_a_claim_comes_where_it_was_asked_and_nowhere_else(scenery: Scenery, rp: RelyingParty) -> None:
    """claims-essential: name at userinfo; and the other way round, in the ID token; neither by a scope."""
    browser = scenery.browser()
    wish = {"name": {"essential": True}}

    identity, person = both(rp, browser, scope="openid", claims=asking(userinfo=wish))
    assert (person.keys(), "name" in identity) == ({"sub", "name"}, False)
    identity, person = both(rp, browser, scope="openid", claims=asking(id_token=wish))
    assert (identity["name"], person.keys()) == ("Julie Pontvert", {"sub"})


def test_every_advertised_claim_can_be_asked_in_both_places(scenery: Scenery, rp: RelyingParty) -> None:
    """test-claims-parameter-identity-claims, with the scope openid alone."""
    advertised = scenery.browser().get("/.well-known/openid-configuration").get_json()["claims_supported"]
    every: dict[str, Any] = dict.fromkeys(advertised)

    identity, person = both(rp, scenery.browser(), scope="openid", claims=asking(id_token=every, userinfo=every))

    assert set(advertised) <= identity.keys()
    assert person.keys() == {"sub", "auth_time", "sid", "acr", "amr"} | PERSON | RIGHTS
    assert {name: identity[name] for name in person} == person
    assert type(identity["email_verified"]) is bool


@pytest.mark.parametrize("kind", ["pushed", "signed"])
def test_the_fapi_profiles_ask_by_name_too(scenery: Scenery, tmp_path: Path, kind: str) -> None:
    """test-claims-parameter-identity-claims: through PAR as text, in a signed request as an object; refused there when odd."""
    client = first(scenery) if kind == "pushed" else signing_clients(scenery, tmp_path)[0]
    every: dict[str, Any] = {"id_token": dict.fromkeys(PERSON), "userinfo": dict.fromkeys(PERSON)}
    verified = {"verification": {"trust_framework": None}, "claims": {"given_name": None}}
    every["userinfo"]["verified_claims"] = verified

    def written(claims: dict[str, Any]) -> Any:
        return json.dumps(claims) if kind == "pushed" else claims

    told = client.tokens(scenery.browser(), scope="openid", claims=written(every))
    identity, person = client.read(told["id_token"], "ES256"), client.userinfo(told["access_token"]).get_json()
    assert identity.keys() & PERSON == person.keys() & PERSON == PERSON
    assert person["verified_claims"]["claims"] == {"given_name": "Julie"}
    refused = client.push(claims=written({"userinfo": {"verified_claims": {}}}))
    assert (refused.status_code, refused.get_json()["error"]) == (400, "invalid_request")


def test_without_the_parameter_the_person_stays_out_of_the_id_token(scenery: Scenery, rp: RelyingParty) -> None:
    """protocol.md §6.17: name and e-mail by scope come at userinfo only."""
    identity, person = both(rp, scenery.browser())

    assert not PERSON & identity.keys()
    assert person.keys() >= PERSON


def test_naming_a_claim_never_opens_what_the_client_may_not_know(
    scenery: Scenery, rp: RelyingParty, tmp_path: Path
) -> None:
    """S-32: claims ⊆ the client's scopes, in the request, and again at each step of the interaction."""
    load(scenery.app, scenery.clock, tmp_path, registration("narrow", scope="openid enterprise"))
    narrow = RelyingParty(scenery, "narrow")
    every: dict[str, Any] = dict.fromkeys(PERSON | RIGHTS)
    asked = asking(id_token=every, userinfo=every)

    page = scenery.signed_in("julie")
    posted = scenery.browser().post("/authorize", data=narrow.parameters(scope="openid", claims=asked))
    said = page.get(page.get(posted.location).location).text
    assert ('id="consent-told"' in said, "adresse de courriel" in said) == (True, False)
    identity, person = both(narrow, scenery.browser(), scope="openid", claims=asked)
    assert not (PERSON | {"functional_blocks"}) & (identity.keys() | person.keys())
    assert {"enterprise", "representation"} <= identity.keys() & person.keys()
    browser = scenery.signed_in("julie")
    place = rp.authorize(browser, scope="openid", claims=asked).location
    load(scenery.app, scenery.clock, tmp_path, registration("rp1", scope="openid"))
    told = rp.token(rp.answer(scenery.go_on(browser, browser.get(place), "julie"))["code"])
    identity, person = rp.read(told.json["id_token"]), rp.userinfo(told.json["access_token"]).json
    assert not (PERSON | RIGHTS) & (identity.keys() | person.keys())


def test_blocks_asked_by_name_come_with_their_enterprise(scenery: Scenery, rp: RelyingParty) -> None:
    """Blocks without the enterprise would say nothing; the access token's exact layer stays a matter of scope."""
    told = rp.tokens(scenery.browser(), scope="openid", claims=asking(id_token={"functional_blocks": None}))

    assert rp.read(told["id_token"]).keys() >= RIGHTS
    assert "authorization_details" not in told


@pytest.mark.parametrize(
    "claims",
    [
        {"userinfo": {"shoe_size": {"essential": True}, "https://x/é \"'<": None}},
        {"elsewhere": {"name": None}},
        {"userinfo": {"name": {"purpose": "because", "essential": False}}},
        {},
    ],
)
def test_what_is_not_understood_is_ignored(scenery: Scenery, rp: RelyingParty, claims: dict[str, Any]) -> None:
    """OIDC Core §5.5: "any members used that are not understood MUST be ignored"."""
    _, person = both(rp, scenery.browser(), scope="openid", claims=json.dumps(claims))

    assert person.keys() - {"name"} == {"sub"}


@pytest.mark.parametrize(
    "claims",
    [
        "name",
        "[]",
        "null",
        '"x"',
        "{",
        '{"userinfo": []}',
        '{"userinfo": null}',
        '{"id_token": "name"}',
        '{"userinfo": {"name": "x"}}',
        '{"userinfo": {"name": {"essential": "yes"}}}',
        '{"userinfo": {"name": {"essential": 1}}}',
        '{"userinfo": {"name": {"values": "x"}}}',
        '{"userinfo": {"name": {"values": []}}}',
        '{"userinfo": {"name": {"value": "x", "values": ["y"]}}}',
        '{"id_token": {"sub": {"value": 5}}}',
        '{"id_token": {"acr": {"essential": true, "values": [{"a": 1}]}}}',
        '{"userinfo": {"name": null, "name": null}}',
        '{"userinfo": {}, "userinfo": {}}',
        '{"userinfo": {"name": {"value": NaN}}}',
        '{"userinfo": {"name": {"value": 1e999}}}',
        '{"userinfo": {"name": {"value": ' + "[" * 4000 + "]" * 4000 + "}}}",
        json.dumps({"userinfo": {f"c{place}": None for place in range(101)}}),
        json.dumps({"userinfo": {"name": {"values": list(range(51))}}}),
        json.dumps({"userinfo": {"name": {"value": "x" * 8192}}}),
    ],
)
def test_what_cannot_be_read_is_an_error_answer(scenery: Scenery, rp: RelyingParty, claims: str) -> None:
    """Strict shape, each member once, real numbers, caps: invalid_request with state and iss, never a 500 (S-20)."""
    answer = rp.answer(rp.authorize(scenery.browser(), claims=claims))

    assert (answer["error"], answer["state"], answer["iss"]) == ("invalid_request", "s-1", ISSUER)


def test_a_value_that_does_not_hold_leaves_the_claim_out(scenery: Scenery, rp: RelyingParty) -> None:
    """Asked with a value: the claim with this value or no claim; a scope gives it all the same. 1 is not true."""
    browser = scenery.browser()
    wishes = {
        "email": {"value": "somebody@else.example"},
        "given_name": {"values": ["Marie", "Julie"]},
        "email_verified": {"value": 1},
        "locale": {"value": "fr-CA"},
    }

    _, person = both(rp, browser, scope="openid", claims=asking(userinfo=wishes))
    assert person.keys() == {"sub", "given_name", "locale"}
    _, person = both(rp, browser, scope="openid email", claims=asking(userinfo=wishes))
    assert person["email"] == "julie@licorne.example"


def test_a_sub_asked_by_value_is_a_hint_that_must_hold(scenery: Scenery, rp: RelyingParty) -> None:
    """OIDC Core §3.1.2.2 item 4: an answer about that person, or none."""
    julie, pes = scenery.browser(), scenery.browser()
    own = rp.read(rp.tokens(julie)["id_token"])["sub"]
    other = rp.read(rp.tokens(pes, "pes")["id_token"])["sub"]

    for place in ("id_token", "userinfo"):
        right, wrong = asking(**{place: {"sub": {"value": own}}}), asking(**{place: {"sub": {"value": other}}})
        assert "code" in rp.answer(rp.authorize(julie, prompt="none", claims=right))
        assert rp.answer(rp.authorize(julie, prompt="none", claims=wrong))["error"] == "login_required"
    asked = rp.authorize(julie, claims=wrong)
    assert asked.location.startswith("/sign-in")
    assert rp.answer(scenery.go_on(julie, asked, "julie"))["error"] == "login_required"
    hint = rp.tokens(pes, "pes")["id_token"]
    both_ways = rp.authorize(pes, prompt="none", id_token_hint=hint, claims=asking(id_token={"sub": {"value": own}}))
    assert rp.answer(both_ways)["error"] == "login_required"


@pytest.mark.databases
def test_only_a_widening_asks_for_consent_again(scenery: Scenery, rp: RelyingParty) -> None:
    """Decisions §19: scopes and claims; what an agreed scope brings is no widening; withdrawn is withdrawn."""
    browser = scenery.browser()
    email, name = asking(userinfo={"email": None}), asking(id_token={"name": None}, userinfo={"email": None})
    rp.code(browser, scope="openid")

    def silently(**changed: Any) -> str:
        answer = rp.answer(rp.authorize(browser, prompt="none", **changed))
        return answer.get("error", "given")

    assert silently(scope="openid", claims=email) == "interaction_required"
    odd = asking(userinfo={"email": {"values": ["é", None, 1.5]}})  # stored, whatever the database
    rp.code(browser, scope="openid", claims=odd)
    assert silently(scope="openid", claims=email) == "given"
    assert silently(scope="openid email") == "interaction_required"
    assert silently(scope="openid", claims=name) == "interaction_required"
    rp.code(browser, scope="openid profile")
    assert silently(scope="openid", claims=name) == "given"
    assert silently(scope="openid", claims=asking(id_token={"acr": None, "sub": None})) == "given"
    verified = {"verification": {"trust_framework": None}, "claims": {"given_name": None}}
    assert silently(scope="openid", claims=asking(userinfo={"verified_claims": verified})) == "interaction_required"


def test_the_page_says_each_claim_in_plain_words(scenery: Scenery, rp: RelyingParty) -> None:
    """In both languages, once each; the list of consents says the same."""
    verified = {
        "verification": {"trust_framework": None, "evidence": [{"type": {"value": "vouch"}}]},
        "claims": {"given_name": None, "family_name": None, "authority": None},
    }
    every: dict[str, Any] = dict.fromkeys(PERSON | RIGHTS)
    claims = asking(id_token=every, userinfo={"verified_claims": verified})
    sentences = {
        "en": ("your name in full", "your family name", "your role in the enterprise", "kinds of proof", "which role"),
        "fr": ("votre nom au complet", "votre nom de famille", "votre rôle", "genres de preuves", "dans quel rôle"),
    }
    for language, said in sentences.items():
        browser = scenery.signed_in("julie")
        place = rp.authorize(browser, scope="openid", claims=claims, ui_locales=f"{language}-CA").location
        page = browser.get(f"{place}&lang={language}").text.replace("&#39;", "’")
        told = page.partition('id="consent-told"')[2].partition("</ul>")[0]
        assert [sentence for sentence in said if sentence not in told] == []
        assert told.count("<li>") == 2 + 8 + 5 + 1  # openid; by name; verified; blocks
    again = rp.authorize(browser, scope="openid profile", claims=asking(userinfo={"name": None})).location
    told = browser.get(again).text.partition('id="consent-told"')[2].partition("</ul>")[0]
    assert told.count("<li>") == 3  # the scope says it already
    scenery.press(browser, place, answer="allow")
    assert "votre nom au complet" in browser.get("/consents").text
    assert csrf_token(browser.get("/consents").text)


@pytest.mark.parametrize(
    "changed",
    [
        {"acr_values": "urn:unknown:1 2"},
        {"acr_values": f"{LEVEL}1"},
        {"acr_values": f"{LEVEL}3 {LEVEL}2"},
        {"claims": asking(id_token={"acr": None})},
        {"claims": asking(id_token={"acr": {"essential": True}})},
        {"claims": asking(id_token={"acr": {"values": [f"{LEVEL}3"]}})},
        {"claims": asking(id_token={"acr": {"essential": False, "value": "urn:unknown:1"}})},
        {"claims": asking(id_token={"acr": {"essential": True, "value": f"{LEVEL}1"}})},
        {"claims": asking(id_token={"acr": {"essential": True, "values": ["urn:unknown:1", f"{LEVEL}2"]}})},
        {"claims": asking(id_token={"acr": {"essential": True, "values": [f"{LEVEL}3", f"{LEVEL}2"]}})},
    ],
)
def test_a_level_that_is_voluntary_or_reached_is_no_obstacle(
    scenery: Scenery, rp: RelyingParty, changed: dict[str, str]
) -> None:
    """ensure-request-with-acr-values-succeeds; step-up: two factors meet a request for one or for two."""
    identity, _ = both(rp, scenery.browser(), **changed)

    assert identity["acr"] == f"{LEVEL}2"


@pytest.mark.parametrize("wanted", [{"value": f"{LEVEL}3"}, {"values": [f"{LEVEL}3", "x"]}])
def test_an_essential_passkey_leads_to_the_page_of_passkeys(
    scenery: Scenery, rp: RelyingParty, wanted: dict[str, Any]
) -> None:
    """Step-up to urn:mandat:aal:3: the page asks for a passkey; cancelling is access_denied, a silent request login_required.

    Whoever signs in less surely all the same is refused, never given a lower acr.
    """
    claims = asking(id_token={"acr": {"essential": True, **wanted}})
    browser, signed_in = scenery.browser(), scenery.signed_in("julie")
    scenery.clock.advance(timedelta(minutes=1))

    assert rp.answer(rp.authorize(signed_in, claims=claims, prompt="none"))["error"] == "login_required"
    assert rp.authorize(signed_in, claims=claims).location.startswith("/sign-in/passkey?")
    place = rp.authorize(browser, claims=claims).location
    page = browser.get(place)
    assert place.startswith("/sign-in/passkey?next=%2Fauthorize")
    assert 'id="passkey-demanded"' in page.text
    assert "/account/security/passkey?next=%2Fauthorize" in page.text
    cancel = page.text.partition('id="login-cancel"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert rp.answer(browser.get(cancel))["error"] == "access_denied"
    again = rp.authorize(browser, claims=claims).location
    answer = scenery.sign_in(browser, "julie", again.replace("/sign-in/passkey", "/sign-in"))
    refused = rp.answer(browser.get(answer.location))
    assert (refused["error"], refused["state"]) == ("access_denied", "s-1")


@pytest.mark.parametrize("wanted", [{"value": f"{LEVEL}4"}, {"value": "urn:unknown:1"}])
def test_an_essential_level_out_of_reach_is_refused(scenery: Scenery, rp: RelyingParty, wanted: dict[str, Any]) -> None:
    """The idea of test-essential-acr-sca-claim: access_denied, signed in or not, silent or not; never a lower acr."""
    claims = asking(id_token={"acr": {"essential": True, **wanted}})

    for browser in (scenery.browser(), scenery.signed_in("julie")):
        for prompt in (None, "none", "login"):
            answer = rp.answer(rp.authorize(browser, claims=claims, prompt=prompt))
            assert (answer["error"], answer["state"]) == ("access_denied", "s-1")


@pytest.mark.parametrize("alg", metadata.USERINFO_ALGS)
def test_userinfo_is_signed_for_a_client_that_registered_so(
    scenery: Scenery, rp: RelyingParty, tmp_path: Path, alg: str
) -> None:
    """Interop problem 20: application/jwt, iss, aud, the ID token's sub; an error stays JSON; never an ID token (S-43)."""
    load(scenery.app, scenery.clock, tmp_path, registration("rp1", userinfo_signed_response_alg=alg))
    browser = scenery.browser()
    told = rp.tokens(browser)

    answer = rp.userinfo(told["access_token"])

    assert (answer.mimetype, answer.headers["Cache-Control"]) == ("application/jwt", "no-store")
    keys = scenery.browser().get("/jwks").get_json()["keys"]
    header = pyjwt.get_unverified_header(answer.text)
    key = pyjwt.PyJWK(next(each for each in keys if each["kid"] == header["kid"]))
    person = pyjwt.decode(
        answer.text, key, algorithms=[alg], audience="rp1", issuer=ISSUER, options={"verify_iat": False}
    )
    assert (header["alg"], header["typ"]) == (alg, "userinfo+jwt")
    assert (person["sub"], person["name"]) == (rp.read(told["id_token"])["sub"], "Julie Pontvert")
    refused = rp.answer(rp.authorize(browser, prompt="none", id_token_hint=answer.text))
    assert refused["error"] == "invalid_request"
    as_token = rp.userinfo(answer.text)
    assert (as_token.status_code, as_token.mimetype) == (401, "application/json")
