"""Parameters by their sense: empty is absent, twice is an error, languages are looked up, numbers are clamped.

RFC 6749 §3.1, §3.2; RFC 4647 §3.4; OIDF ``oidcc-ui-locales``, ``oidcc-max-age-10000``, ``oidcc-server``; RFC 8414 §3.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from idp.db import db
from idp.oidc.authorization.domain.requests import language_of
from idp.oidc.clients import client_services
from idp.oidc.models import InteractionRow, RelyingPartyRow
from tests.oidc.lasting import OFFLINE_SCOPES, Bound, Program, Server
from tests.oidc.scenery import ASSERTION_TYPE, CALLBACK, ISSUER, SECRET, VERIFIER, RelyingParty, Scenery

EVERY = (
    *("acr_values", "authorization_details", "claims", "claims_locales", "client_assertion", "client_assertion_type"),
    *("client_secret", "code", "code_challenge", "code_challenge_method", "code_verifier", "display", "dpop_jkt"),
    *("id_token_hint", "login_hint", "max_age", "nonce", "post_logout_redirect_uri", "prompt", "redirect_uri"),
    *("refresh_token", "registration", "request", "request_uri", "resource", "response_mode", "scope", "state"),
    *("token", "token_type_hint", "ui_locales", "interaction", "logout_hint", "unknown"),
)


def empties(asked: dict[str, Any]) -> dict[str, Any]:
    """Return *asked* with every other parameter of OAuth and OpenID Connect sent empty."""
    return {**dict.fromkeys(EVERY, ""), **asked}


@pytest.mark.parametrize("method", ["basic", "post", "assertion", "none"])
def test_an_empty_parameter_is_as_if_absent_at_every_endpoint(scenery: Scenery, method: str) -> None:
    """RFC 6749 §3.1, §3.2: from /authorize to /revoke, whatever the client proves itself by."""
    if method == "none":
        client: RelyingParty = Program(scenery)
    elif method == "assertion":
        client = RelyingParty(scenery, "offline-keyed")
    else:
        client = Server(scenery)
        if method == "post":
            _switch(scenery, "offline1", "client_secret_post")

    def post(path: str, form: dict[str, Any]) -> Any:
        proof: dict[str, str] = {}
        if method == "post":
            proof = {"client_id": client.client_id, "client_secret": SECRET}
        elif method == "assertion":
            proof = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": client.assertion()}
        elif method == "none":
            proof = {"client_id": client.client_id}
        headers = {"Authorization": client.basic()} if method == "basic" else {}
        return scenery.browser().post(f"{path}?code=&client_id=", data=empties({**proof, **form}), headers=headers)

    browser = scenery.browser()
    asked = client.parameters(scope=OFFLINE_SCOPES)
    first = browser.get("/authorize", query_string=empties(asked))
    code = client.answer(scenery.go_on(browser, first, "julie"))["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": client.redirect_uri}
    told = post("/token", {**form, "code_verifier": VERIFIER})
    assert told.status_code == 200, told.text
    again = post("/token", {"grant_type": "refresh_token", "refresh_token": told.get_json()["refresh_token"]})
    assert again.status_code == 200, again.text
    pushed = post("/par", asked)
    assert pushed.status_code == 201, pushed.text
    token = again.get_json()["refresh_token"]
    if method != "none":
        assert post("/introspect", {"token": token}).get_json()["active"] is True
    assert post("/revoke", {"token": token}).status_code == 200
    ended = browser.get("/end-session", query_string=empties({"client_id": client.client_id}))

    assert ended.status_code in (200, 303)
    posted = scenery.browser().post("/authorize", data=empties(asked))
    assert (posted.status_code, "interaction=" in posted.location) == (303, True)
    assert (
        post("/token", {"grant_type": "refresh_token", "refresh_token": token}).get_json()["error"] == "invalid_grant"
    )


@pytest.mark.parametrize(
    ("path", "form", "missing"),
    [
        ("/token", {"grant_type": ""}, "grant_type"),
        ("/token", {"grant_type": "authorization_code", "code": ""}, "code"),
        ("/token", {"grant_type": "refresh_token", "refresh_token": ""}, "refresh_token"),
        ("/revoke", {"token": ""}, "token"),
        ("/introspect", {"token": ""}, "token"),
        ("/par", {"response_type": "", "redirect_uri": CALLBACK, "scope": "openid"}, "response_type"),
    ],
)
def test_a_required_parameter_that_is_empty_is_missing(
    scenery: Scenery, path: str, form: dict[str, str], missing: str
) -> None:
    """RFC 6749 §3.2: and nothing else is said of it."""
    answer = scenery.browser().post(path, data=form, headers={"Authorization": Server(scenery).basic()})

    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")
    assert missing in answer.get_json()["error_description"]


@pytest.mark.parametrize("path", ["/authorize", "/par", "/token", "/revoke", "/introspect", "/end-session"])
def test_a_parameter_sent_twice_stays_an_error(scenery: Scenery, path: str) -> None:
    """RFC 6749 §3.1, §3.2: ``MUST NOT be included more than once``, empty or not."""
    rp = RelyingParty(scenery)
    form: dict[str, Any] = {**rp.parameters(), "grant_type": "authorization_code", "token": "t"}
    for values in (["", ""], ["x", ""], ["", "x"], ["x", "x"]):
        sent = {**form, "login_hint": values}
        answer = scenery.browser().post(path, data=sent, headers={"Authorization": rp.basic()})

        assert answer.status_code == 400, values
        assert "invalid_request" in answer.text, values


@pytest.mark.parametrize("name", ["client_secret", "client_assertion", "refresh_token", "code"])
def test_a_credential_in_the_address_is_refused_and_an_empty_one_is_none(scenery: Scenery, name: str) -> None:
    """RFC 6749 §2.3.1: credentials belong in the body."""
    rp = RelyingParty(scenery)
    form, headers = {"token": "t"}, {"Authorization": rp.basic()}

    assert scenery.browser().post(f"/revoke?{name}=x", data=form, headers=headers).status_code == 400
    assert scenery.browser().post(f"/revoke?{name}=", data=form, headers=headers).status_code == 200


# --- languages

LOCALES = [
    *(("en", "en"), ("en-US", "en"), ("en-GB-oed", "en"), ("EN-ca", "en"), ("en_US", "en"), ("en-Latn-CA-x-y", "en")),
    *(("fr", "fr"), ("fr-FR", "fr"), ("fr-CA", "fr"), ("FR", "fr"), ("fr-Latn-CH-1694acad", "fr")),
    *(("de en-US fr", "en"), ("de fr-FR en", "fr"), ("iu-Cans-CA en", "en"), ("* en", "en"), ("x-fr en", "en")),
    *(("de", None), ("", None), ("*", None), ("enx", None), ("fra", None), ("-", None), ("i-en", None), ("x-fr", None)),
]


@pytest.mark.parametrize(("ranges", "language"), LOCALES)
def test_languages_are_looked_up(ranges: str, language: str | None) -> None:
    """RFC 4647 §3.4: in order, each shortened until it is one of ours; what is unknown leaves the default."""
    assert language_of(ranges.split()) == language


def _shown(page: str) -> str:
    return "en" if '<html lang="en' in page or ' lang="en"' in page[:400] else "fr"


@pytest.mark.parametrize(
    ("ranges", "language"), [("en-US", "en"), ("de fr-FR", "fr"), ("de-DE en-GB", "en"), ("de", "fr")]
)
def test_every_endpoint_takes_ui_locales(scenery: Scenery, ranges: str, language: str) -> None:
    """OIDC Core §3.1.2.1, RP-Initiated Logout §2: /authorize by GET and POST, /par, a refusal page, /end-session."""
    rp, bound = RelyingParty(scenery), Bound(scenery)

    def page(browser: FlaskClient, answer: Any) -> str:
        while answer.status_code == 303:
            answer = browser.get(answer.location)
        return _shown(answer.text)

    for way in ("get", "post", "par", "refused", "refused by post", "end", "end by post", "end refused"):
        browser = scenery.browser()
        asked = rp.parameters(ui_locales=ranges)
        if way == "par":
            answer = bound.visit(browser, bound.push(ui_locales=ranges).get_json()["request_uri"])
        elif way.startswith("end"):
            browser = scenery.signed_in("julie")
            wanted = {"client_id": "rp1", "ui_locales": ranges}
            if way == "end refused":
                wanted["post_logout_redirect_uri"] = "https://elsewhere.example/"
            send = browser.post if "post" in way else browser.get
            answer = send("/end-session", **{"data" if "post" in way else "query_string": wanted})
        else:
            if "refused" in way:
                asked["redirect_uri"] = "https://elsewhere.example/"
            send = browser.post if "post" in way else browser.get
            answer = send("/authorize", **{"data" if "post" in way else "query_string": asked})
        assert page(browser, answer) == language, way


def test_the_next_agency_is_answered_in_its_language(scenery: Scenery, rp: RelyingParty) -> None:
    """A wish counts until the next one: it is no choice of the person."""
    browser = scenery.browser()
    shown = []
    for wish in ("en-US", "fr-FR", "en", None):
        shown.append(_shown(browser.get(rp.authorize(browser, ui_locales=wish).location).text))
        shown.append(
            _shown(browser.get("/end-session", query_string={"ui_locales": wish or ""}, follow_redirects=True).text)
        )

    assert shown == ["en", "en", "fr", "fr", "en", "en", "en", "en"]


def test_the_choice_of_the_person_is_kept(scenery: Scenery, rp: RelyingParty) -> None:
    """``ui_locales`` is a wish: who chose a language here sees that one."""
    browser = scenery.browser()
    browser.get("/?lang=fr")

    page = browser.get(rp.authorize(browser, ui_locales="en-US").location)

    assert _shown(page.text) == "fr"


# --- numbers

AGES = [("0", 0), ("007", 7), ("10000", 10000), ("0" * 40 + "60", 60), ("9" * 30, 10**9), ("9" * 900, 10**9)]


@pytest.mark.parametrize(("age", "kept"), AGES)
def test_a_number_is_clamped_and_not_refused_for_its_length(
    scenery: Scenery, rp: RelyingParty, age: str, kept: int
) -> None:
    """``max-age-10000`` and beyond: digits are a number however many they are."""
    answer = rp.authorize(scenery.browser(), max_age=age)

    assert answer.location.startswith("/sign-in")
    stored = db.session.scalars(select(InteractionRow.request)).one()
    assert stored["max_age"] == kept


@pytest.mark.parametrize("age", ["-1", "+1", "1.5", "1e3", " 60", "x", "0x10", "١"])
def test_what_is_no_number_is_refused(scenery: Scenery, rp: RelyingParty, age: str) -> None:
    """A number of seconds (OIDC Core §3.1.2.1)."""
    assert rp.answer(rp.authorize(scenery.browser(), max_age=age))["error"] == "invalid_request"


def test_large_numbers_inside_json_are_clamped_too(scenery: Scenery, rp: RelyingParty) -> None:
    """The ``max_age`` of verified claims (IDA §6), however large, is a wish that everything meets."""
    asked = {
        "verification": {"trust_framework": None, "time": {"max_age": 10**40}},
        "claims": {"given_name": None},
    }
    tokens = rp.tokens(scenery.browser(), claims=json.dumps({"userinfo": {"verified_claims": asked}}))

    assert rp.userinfo(tokens["access_token"]).status_code == 200


# --- metadata


def test_the_metadata_is_at_the_address_of_plain_oauth_too(scenery: Scenery) -> None:
    """RFC 8414 §3: one document, the same tag, open to every origin."""
    browser = scenery.browser()
    openid, plain = (
        browser.get(f"/.well-known/{name}") for name in ("openid-configuration", "oauth-authorization-server")
    )

    assert (plain.status_code, plain.mimetype, plain.get_json()["issuer"]) == (200, "application/json", ISSUER)
    assert plain.data == openid.data
    assert plain.headers["Access-Control-Allow-Origin"] == "*"


def _switch(scenery: Scenery, client_id: str, method: str) -> None:
    """Register another method for a client."""
    row = db.session.get(RelyingPartyRow, client_id)
    assert row is not None
    row.members = {**row.members, "token_endpoint_auth_method": method}
    db.session.commit()
    client_services.forget(client_id)
