"""What is disclosed is what was consented to: one value is shown, kept and compared, and all that is issued lies within it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import jwt as pyjwt
import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from idp.db import db
from idp.oidc.authorization.domain.disclosure import EVERY_BLOCK, Disclosure
from idp.oidc.models import ConsentRow
from tests.oidc.fapi import FapiRelyingParty
from tests.oidc.lasting import Server
from tests.oidc.scenery import (
    FIRM,
    STORY,
    RelyingParty,
    Scenery,
    details,
    keyed,
    load,
    registration,
)

OF_THE_PERSON = ("name", "given_name", "family_name", "locale", "email", "email_verified")
OF_RIGHTS = ("enterprise", "representation", "functional_blocks")
EVIDENCE = [{"type": {"value": "vouch"}, "attestation": None}]
NAMED = details({"privileges": ["001"], "identifier": f"neq:{STORY}"})
BOTH = details({"privileges": ["001", "008"], "locations": ["https://portal.amp.example/"]})


def asking(**claims: Any) -> str:
    return json.dumps(claims)


def verified(*claims: str, **verification: Any) -> dict[str, Any]:
    return {
        "verified_claims": {
            "verification": {"trust_framework": None, **verification},
            "claims": dict.fromkeys(claims),
        }
    }


def silently(rp: RelyingParty, browser: FlaskClient, **asked: Any) -> str:
    """Return what a request without a page gives: a code, or the error."""
    answer = rp.answer(rp.authorize(browser, prompt="none", **asked))
    return answer.get("error", "code")


WIDER: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "details": ({}, {"authorization_details": BOTH}),
    "details of an enterprise by name": ({}, {"authorization_details": NAMED}),
    "another block": ({"authorization_details": details({"privileges": ["001"]})}, {"authorization_details": BOTH}),
    "every block after one": (
        {"scope": "openid functional_blocks", "authorization_details": details({"privileges": ["001"]})},
        {"scope": "openid functional_blocks"},
    ),
    "every block by claim after one": (
        {"authorization_details": details({"privileges": ["001"]})},
        {"claims": asking(id_token={"functional_blocks": None})},
    ),
    "blocks after the enterprise": ({"scope": "openid enterprise"}, {"authorization_details": BOTH}),
    "the enterprise by claim": ({}, {"claims": asking(userinfo={"enterprise": None})}),
    "the role by claim": ({"claims": asking(userinfo={"enterprise": None})}, {"scope": "openid enterprise"}),
    "evidence": (
        {"claims": asking(userinfo=verified("given_name"))},
        {"claims": asking(userinfo=verified("given_name", evidence=EVIDENCE))},
    ),
    "the number of the verification": (
        {"claims": asking(userinfo=verified("given_name"))},
        {"claims": asking(userinfo=verified("given_name", verification_process=None))},
    ),
    "another verified claim": (
        {"claims": asking(userinfo=verified("given_name"))},
        {"claims": asking(id_token=verified("given_name", "authority"))},
    ),
    "a verified name as a name": (
        {"claims": asking(userinfo=verified("given_name"))},
        {"claims": asking(userinfo={"given_name": None})},
    ),
}  # fmt: skip


@pytest.mark.parametrize("wider", WIDER)
def test_whatever_widens_a_request_asks_again(scenery: Scenery, rp: RelyingParty, wider: str) -> None:
    """By scope, by claim, by details or inside verified_claims, alone or narrowed before: no code without a page."""
    first, second = ({"scope": "openid", **each} for each in WIDER[wider])
    browser = scenery.browser()
    rp.code(browser, **first)
    assert silently(rp, browser, **first) == "code"

    assert silently(rp, browser, **second) == "interaction_required"

    assert rp.authorize(browser, **second).location.startswith("/interaction/consent")
    rp.code(browser, **second)
    assert silently(rp, browser, **second) == "code"
    assert silently(rp, browser, **first) == "code"


@pytest.mark.parametrize(
    ("agreed", "narrower"),
    [
        ({"scope": "openid functional_blocks"}, {"authorization_details": BOTH}),
        ({"scope": "openid functional_blocks"}, {"claims": asking(id_token={"functional_blocks": None})}),
        ({"authorization_details": BOTH}, {"authorization_details": details({"privileges": ["008"], "needs": "all"})}),
        ({"authorization_details": BOTH}, {"scope": "openid enterprise"}),
        ({"scope": "openid profile email"}, {"claims": asking(userinfo=dict.fromkeys(OF_THE_PERSON))}),
    ],
)
def test_what_the_page_said_already_asks_nothing(
    scenery: Scenery, rp: RelyingParty, agreed: dict[str, Any], narrower: dict[str, Any]
) -> None:
    """Only a widening asks again, whichever way each request says it."""
    browser = scenery.browser()
    rp.code(browser, **{"scope": "openid", **agreed})

    assert silently(rp, browser, **{"scope": "openid", **narrower}) == "code"


def test_the_page_names_what_details_alone_disclose(scenery: Scenery, rp: RelyingParty) -> None:
    """RFC 9396: the scope need not list functional_blocks for the page to say the enterprise, the role and each block."""
    browser = scenery.signed_in("julie")
    place = rp.authorize(
        browser, scope="openid", authorization_details=details({"privileges": ["001", "018"]})
    ).location
    for language, said in (
        ("en", ("its NEQ", "your role", "whether you may use these", "001 (", "018 (")),
        ("fr", ("son NEQ", "votre rôle", "si vous pouvez utiliser", "001 (", "018 (")),
    ):
        page = browser.get(f"{place}&lang={language}").text
        told = page.partition('id="consent-told"')[2].partition("</ul>")[0]
        assert [words for words in said if words not in told] == []
        held = page.partition('id="consent-blocks"')[2].partition("</ul>")[0]
        assert ("001" in held, "008" in held, "018" in held) == (True, False, False)

    scenery.press(browser, place, answer="allow")

    listed = browser.get("/consents?lang=en").text
    assert "whether you may use these of its electronic services" in listed
    assert "008" not in listed


def test_details_want_the_scope_in_the_registration(scenery: Scenery, tmp_path: Path) -> None:
    """RFC 9396 §5, docs/claims.md: refused by query, by POST and by PAR from a client whose scopes lack functional_blocks."""
    narrow = registration("narrow", scope="openid enterprise")
    pushing = keyed("narrow-fapi", profile="fapi2", scope="openid enterprise")
    load(scenery.app, scenery.clock, tmp_path, narrow, pushing)
    party, browser = RelyingParty(scenery, "narrow"), scenery.signed_in("julie")
    asked = party.parameters(scope="openid", authorization_details=BOTH)

    by_query = party.answer(browser.get("/authorize", query_string=asked))
    by_form = party.answer(browser.post("/authorize", data=asked))
    by_push = FapiRelyingParty(scenery, "narrow-fapi").push(scope="openid", authorization_details=BOTH)

    for answer in (by_query, by_form, by_push.get_json()):
        assert answer["error"] == "invalid_authorization_details", answer


def test_a_registration_that_loses_the_scope_loses_the_details(scenery: Scenery, tmp_path: Path) -> None:
    """What was granted before is held to what the client is registered for now, wherever it comes out."""
    server = Server(scenery)
    browser = scenery.signed_in("julie")
    wanted = {"scope": "openid offline_access", "authorization_details": BOTH, "prompt": "consent"}
    tokens = server.tokens(browser, **wanted)
    code = server.code(browser, **wanted)
    begun = server.authorize(browser, **wanted).location
    assert server.introspect(tokens["access_token"])["authorization_details"]
    grants = ["authorization_code", "refresh_token"]
    load(
        scenery.app,
        scenery.clock,
        tmp_path,
        registration("offline1", scope="openid offline_access", grant_types=grants),
    )

    assert browser.get(begun).status_code == 400
    redeemed = server.token(code).get_json()
    refreshed = server.refreshed(tokens["refresh_token"])
    for told in (
        redeemed,
        refreshed,
        server.access(refreshed["access_token"]),
        server.introspect(tokens["access_token"]),
    ):
        assert "authorization_details" not in told
    asked_again = server.refresh(refreshed["refresh_token"], authorization_details=BOTH)
    assert asked_again.get_json()["error"] == "invalid_authorization_details"
    assert server.userinfo(tokens["access_token"]).get_json().keys() == {"sub"}


# --- silence


def causes(party: RelyingParty) -> dict[str, dict[str, Any]]:
    """Return requests that lack something different each."""
    named = details({"privileges": ["001"], "identifier": f"neq:{FIRM}"})
    return {
        "consent": {"scope": "openid"},
        "a wider consent": {},
        "right for the enterprise": {"authorization_details": named},
        "enterprise unknown": {
            "authorization_details": details({"privileges": ["001"], "identifier": "neq:1100000018"})
        },
        "block": {"authorization_details": details({"privileges": ["018"], "needs": "all"})},
        "no block at all": {"authorization_details": details({"privileges": ["018", "019"], "needs": "any"})},
        "choice": {"scope": "openid email"},
    }


@pytest.mark.parametrize("client", ["rp1", "desktop"])
def test_a_silent_request_hears_one_error_whatever_is_missing(scenery: Scenery, client: str) -> None:
    """Same status, address, code, sentence and headers for every cause and every person; a program at any loopback port too."""
    port = "http://127.0.0.1:50999/cb"
    party = RelyingParty(scenery, client) if client == "rp1" else RelyingParty(scenery, client, redirect_uri=port)
    answers = set()
    for name, mode in product(("julie", "ginette", "ar", "nobody"), ("query", "form_post")):
        browser = scenery.signed_in(name)
        for asked in causes(party).values():
            answer = party.authorize(browser, prompt="none", response_mode=mode, **asked)
            shape = {header for header, _ in answer.headers} - {"X-Request-Id", "Content-Length", "Set-Cookie"}
            told = party.answer(answer)
            told.pop("csrf_token", None)  # of the button that signs out
            assert told.pop("state") == "s-1"
            answers.add((mode, answer.status_code, tuple(sorted(shape)), tuple(sorted(told.items()))))

    assert len(answers) == 2, answers
    assert {dict(told)["error"] for *_, told in answers} == {"interaction_required"}


# --- the rule, over random requests


def facts(*told: Mapping[str, Any]) -> tuple[set[str], set[str]]:
    """Return which claims answers carry, named as in a consent, and which blocks; a value counts wherever it stands."""
    names, blocks = set[str](), set[str]()
    for each in told:
        names |= each.keys() & {*OF_THE_PERSON, *OF_RIGHTS, "verified_claims"}
        blocks |= set(each.get("functional_blocks", ()))
        for detail in each.get("authorization_details", ()):
            names.add("functional_blocks")
            blocks |= set(detail["privileges"])
        found = each.get("verified_claims", {})
        verification = found.get("verification", {}).keys() - {"trust_framework", "time"}
        names |= {f"verified_claims.{name}" for name in {*found.get("claims", {}), *verification}}
        text = json.dumps(each, ensure_ascii=False)
        for value, name in (
            (STORY, "enterprise"),
            ("Haute-Licorne", "enterprise"),
            ("@", "email"),
            ('"user"', "representation"),
        ):
            if value in text:
                names.add(name)
        if "Julie" in text and not names & {"given_name", "name"}:
            names.add("verified_claims.given_name")
    return names, blocks


@st.composite
def requests(draw: st.DrawFn) -> dict[str, str]:
    """Return an authorization request in which everything optional is there or not."""
    scopes = draw(st.sets(st.sampled_from(["profile", "email", "enterprise", "functional_blocks"]), max_size=3))
    asked = {"scope": " ".join(["openid", *sorted(scopes)])}
    if draw(st.booleans()):
        privileges = draw(st.lists(st.sampled_from(["001", "008", "018"]), min_size=1, max_size=2, unique=True))
        asked["authorization_details"] = details({"privileges": privileges})
    claims: dict[str, Any] = {}
    for place in draw(st.sets(st.sampled_from(["id_token", "userinfo"]))):
        claims[place] = dict.fromkeys(draw(st.sets(st.sampled_from([*OF_THE_PERSON, *OF_RIGHTS]), max_size=2)))
        if draw(st.booleans()):
            named = draw(st.sets(st.sampled_from(["given_name", "family_name", "authority"]), min_size=1, max_size=2))
            more = draw(st.sampled_from([{}, {"time": None}, {"evidence": EVIDENCE}, {"verification_process": None}]))
            claims[place] |= verified(*named, **more)
    return asked | ({"claims": json.dumps(claims)} if claims else {})


def agreed_by(person_id: str) -> Disclosure:
    """Return what a person's record says, all consents together."""
    db.session.rollback()
    rows = db.session.scalars(select(ConsentRow).where(ConsentRow.person_id == person_id))
    known = Disclosure()
    for row in rows:
        known |= Disclosure.recorded(row.scopes, row.claims, row.blocks)
    return known


def test_all_that_is_issued_was_agreed_to(scenery: Scenery, rp: RelyingParty, pytestconfig: pytest.Config) -> None:
    """Random requests, silent first and by the page when it is due: tokens, userinfo and introspection stay within the record."""
    julie = scenery.people["julie"].person_id

    @settings(
        max_examples=200 if pytestconfig.getoption("--deep") else 12,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )
    @given(st.lists(requests(), min_size=1, max_size=4))
    def within(asked: list[dict[str, str]]) -> None:
        for row in db.session.scalars(select(ConsentRow)):
            db.session.delete(row)
        db.session.commit()
        browser = scenery.signed_in("julie")
        for each in asked:
            answer = rp.answer(rp.authorize(browser, prompt="none", **each))
            code = answer["code"] if "code" in answer else rp.code(browser, **each)
            body = rp.token(code).get_json()
            identity, access = (
                pyjwt.decode(body[token], options={"verify_signature": False}) for token in ("id_token", "access_token")
            )
            person = rp.userinfo(body["access_token"]).get_json()
            worth = scenery.browser().post(
                "/introspect", data={"token": body["access_token"]}, headers={"Authorization": rp.basic()}
            )
            names, blocks = facts(body, identity, access, person, worth.get_json())
            known = agreed_by(julie)
            assert names <= known.claims, (each, names - known.claims)
            assert EVERY_BLOCK in known.blocks or blocks <= known.blocks, (each, blocks, known.blocks)

    within()
