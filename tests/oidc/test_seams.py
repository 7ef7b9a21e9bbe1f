"""Where pieces meet: what each of them holds, held by all of them together."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt as pyjwt
import pytest

from idp.audit import SYSTEM
from idp.delegation import services as delegation
from idp.oidc.authorization import consent_services
from idp.oidc.clients import client_services
from tests.oidc.fapi import FapiRelyingParty, thumbprint
from tests.oidc.listening import Listener, listening_address
from tests.oidc.registering import ABOUT, Builder, bearer, initial_token
from tests.oidc.scenery import ISSUER, RelyingParty, Scenery, csrf_token, error_code, keyed, load, watcher


def test_nobody_registers_themselves_to_hear_of_an_agencys_people(scenery: Scenery) -> None:
    """ASVS 10.4.7, S-32: a stream hears of everybody whom the agency knows, so that only an operator gives one."""
    builder = Builder(scenery, initial_token(scenery))
    told = builder.registered()
    wish = {"grant_types": ["authorization_code", "client_credentials"], "scope": "openid ssf.manage ssf.read"}

    refused = (
        builder.post(**wish),
        builder.post(grant_types=["client_credentials"], scope="ssf.read", redirect_uris=None),
        builder.manage("PUT", told, json={"client_id": told["client_id"], **ABOUT, **wish}),
    )

    for answer in refused:
        assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_client_metadata")
        assert "operator" in answer.get_json()["error_description"]


def fapi_watcher(scenery: Scenery, place: Path) -> FapiRelyingParty:
    """A client of the FAPI profile that keeps an event stream."""
    told = watcher("fapi-watcher")
    wanted = {name: told[name] for name in ("grant_types", "scope")}
    load(scenery.app, scenery.clock, place, keyed("fapi-watcher", profile="fapi2", **wanted))
    return FapiRelyingParty(scenery, "fapi-watcher")


def service_token(party: FapiRelyingParty) -> dict[str, Any]:
    told: dict[str, Any] = party.post("/token", {"grant_type": "client_credentials", "scope": "ssf.read"}).get_json()
    return told


def test_a_token_that_a_client_has_in_its_own_name_is_bound_too(scenery: Scenery, tmp_path: Path) -> None:
    """FAPI 2.0 §5.3.2.1: sender-constrained tokens only, whatever the grant; no proof, no token."""
    party = fapi_watcher(scenery, tmp_path)

    bare = party.post("/token", {"grant_type": "client_credentials"}, with_proof=False)
    told = service_token(party)
    claims = pyjwt.decode(told["access_token"], options={"verify_signature": False})

    assert (bare.status_code, bare.get_json()["error"]) == (400, "invalid_dpop_proof")
    assert (told["token_type"], claims["cnf"]) == ("DPoP", {"jkt": thumbprint(party.dpop_key)})


def test_streams_ask_for_the_key_of_a_bound_token(scenery: Scenery, tmp_path: Path) -> None:
    """RFC 9449 §7.1: not as a bearer, not without proof, not with the proof of another call, and each proof once."""
    party = fapi_watcher(scenery, tmp_path)
    token = service_token(party)["access_token"]
    good = party.dpop("GET", f"{ISSUER}/ssf/streams", access_token=token)
    wrong = party.dpop("POST", f"{ISSUER}/ssf/streams", access_token=token)
    stale = party.dpop("GET", f"{ISSUER}/ssf/streams", access_token=token, nonce="x")

    answers = [
        scenery.browser().get(
            "/ssf/streams", headers={"Authorization": f"{scheme} {token}"} | ({"DPoP": proof} if proof else {})
        )
        for scheme, proof in (
            *(("Bearer", None), ("Bearer", good), ("DPoP", None), ("DPoP", wrong), ("DPoP", stale)),
            *(("DPoP", good), ("DPoP", good)),
        )
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 401, 401, 200, 401]
    assert all(answers[place].headers["DPoP-Nonce"] for place in (4, 5))
    assert answers[2].headers["WWW-Authenticate"].startswith('DPoP error="invalid_dpop_proof"')


def test_a_bearer_of_before_serves_no_client_that_must_bind_its_tokens(scenery: Scenery, tmp_path: Path) -> None:
    """protocol.md §6.5: the policy of now counts."""
    token = Listener(scenery).token()
    load(scenery.app, scenery.clock, tmp_path, watcher("watcher", dpop_bound_access_tokens=True))

    assert Listener(scenery).call("GET", "/ssf/streams", token=token).status_code == 401


@pytest.mark.databases
def test_no_odd_text_reaches_the_database(scenery: Scenery) -> None:
    """S-29: halves of signs and NUL, which PostgreSQL refuses, are refused at the door of streams, registrations, consents."""
    listener, token = Listener(scenery), Listener(scenery).token()
    named = {"stream_id": listener.create()["stream_id"]}
    person = {"format": "iss_sub", "iss": ISSUER}
    path = f"/ssf/poll/{named['stream_id']}"
    browser = scenery.signed_in("julie")

    for sign, kept in (("\x00", 204), ("\ud800", 400)):  # in JSON a NUL is kept as it was written
        for asked, body, expected in (
            (path, {"ack": [sign]}, 400),
            (path, {"setErrs": {sign: {}}}, 400),
            ("/ssf/verification", named | {"state": sign}, kept),
            ("/ssf/subjects/remove", named | {"subject": person | {"sub": sign}}, 404 if kept == 204 else 400),
            ("/ssf/status", named | {"status": "paused", "reason": sign}, 400),
        ):
            assert listener.call("POST", asked, body, token=token).status_code == expected, (asked, body)
    assert scenery.browser().get("/register/%00", headers=bearer("x")).status_code == 401
    page = browser.get("/account")
    typed = {"csrf_token": csrf_token(page.text), "enterprise": "\x00", "agency": "amp"}
    assert browser.post("/consents", data=typed).status_code == 303


@pytest.mark.parametrize(
    ("asked", "changed"),
    [
        ({"response_mode": "fragment"}, {"profile": "fapi2"}),
        ({}, {"require_pushed_authorization_requests": True}),
        ({}, {"require_signed_request_object": True}),
        ({"code_challenge": None, "code_challenge_method": None}, {"requires_pkce": True}),
    ],
)
def test_a_continuation_is_held_to_the_registration_of_now(
    scenery: Scenery, tmp_path: Path, asked: dict[str, Any], changed: dict[str, Any]
) -> None:
    """S-11, CVE-2026-7571: what the client could not ask any more is not answered, begun in the browser or pushed."""

    def register(**told: Any) -> None:
        load(scenery.app, scenery.clock, tmp_path, keyed("changing", **told))

    register(requires_pkce=False)
    party = FapiRelyingParty(scenery, "changing")
    browser = scenery.signed_in("julie")
    begun = RelyingParty.authorize(party, browser, **asked).location
    reference = party.push(**asked).get_json()["request_uri"]
    assert browser.get(begun).status_code == 200
    register(**changed)

    assert error_code(browser.get(begun).text) == "invalid_request"
    resumed = "/authorize?" + begun.partition("?")[2]
    assert error_code(browser.get(resumed).text) == "invalid_request"
    pushed_counts = "require_pushed_authorization_requests" in changed
    assert (party.visit(browser, reference).status_code == 303) is pushed_counts


def test_a_consent_withdrawn_before_its_code_gives_none(scenery: Scenery) -> None:
    """L-3: whoever comes back to an interaction in which they had consented is asked again."""
    browser = scenery.signed_in("julie")
    there = RelyingParty(scenery).authorize(browser).location
    back = scenery.press(browser, there, answer="allow").location
    withdrawn = consent_services.withdraw(
        person_id=scenery.people["julie"].person_id,
        enterprise_id=scenery.story,
        agency_id="amp",
        now=scenery.clock.now(),
    )

    assert withdrawn
    assert browser.get(back).location == there


def test_a_client_that_was_removed_hears_nothing_more(scenery: Scenery) -> None:
    """What waited for its stream is dropped, and the removal of a right is confirmed by those who are left to tell."""
    listener = Listener(scenery)
    with listening_address() as address:
        listener.create(address)
        listener.rp.tokens(scenery.signed_in("julie"))
        address.status = 500
        scenery.keep_only(("001",))
        listener.deliver()
        assert len(address.tokens) == 1
        client_services.revoke("watcher", actor=SYSTEM, now=scenery.clock.now())
        address.status = 202

        scenery.clock.advance(timedelta(hours=1))
        listener.deliver()

        assert len(address.tokens) == 1
        assert delegation.removals(scenery.story)[0].confirmed_at == scenery.clock.now()


def test_what_one_agrees_to_once_covers_no_other_client(scenery: Scenery) -> None:
    """ASVS 10.7.1: a consent to a program, or to a client that registered itself, opens nothing for the agency's others."""
    builder = Builder(scenery, initial_token(scenery))
    unproven = builder.party(builder.registered())
    program = RelyingParty(scenery, "desktop", redirect_uri="http://127.0.0.1:50123/cb")
    browser = scenery.signed_in("julie")
    unproven.code(browser)
    program.code(browser)
    person = scenery.people["julie"].person_id

    silent = RelyingParty(scenery).answer(RelyingParty(scenery).authorize(browser, prompt="none"))

    assert silent["error"] == "interaction_required"
    assert [each.agency_id for each in consent_services.of_person(person)] == ["amp"]  # listed, to be withdrawn
    RelyingParty(scenery).code(browser)
    assert "code" in RelyingParty(scenery).answer(RelyingParty(scenery).authorize(browser, prompt="none"))
