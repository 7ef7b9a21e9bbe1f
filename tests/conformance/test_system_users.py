"""Software acting for an enterprise: ``client_credentials`` (RFC 6749 §4.4) with ``authorization_details`` (RFC 9396 §6)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt as pyjwt
import pytest
from sqlalchemy import event
from werkzeug.test import TestResponse

from idp import audit
from idp.audit import SYSTEM
from idp.db import db
from idp.delegation import services as delegation
from idp.delegation.rights import system_user_services
from idp.delegation.subscriptions import subscription_services
from idp.oidc.clients import client_services
from idp.oidc.clients.domain import client_metadata
from idp.oidc.clients.domain.client_metadata import Grounds
from tests.oidc.fapi import thumbprint
from tests.oidc.listening import POLL, Listener
from tests.oidc.scenery import FIRM, ISSUER, SECRET, STORY, RelyingParty, Scenery, watcher
from tests.oidc.software import Software, approve, details, load_software, registration_of, software
from tests.oidc.token.test_token import counted

PORTAL = "https://portal.amp.example/"
UNKNOWN = "1199999999"


@pytest.fixture
def ledger(scenery: Scenery, tmp_path: Path) -> Software:
    load_software(scenery, tmp_path)
    return software(scenery)


def read(ledger: Software, token: str) -> dict[str, Any]:
    return ledger.read(token, "ES256", PORTAL)


def refusal(answer: TestResponse) -> tuple[int, str]:
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, answer.get_json()["error"]


@contextmanager
def statements_about_approvals() -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_c: object, _u: object, text: str, *_: object) -> None:
        if "software_approval" in text:
            seen.append(text)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


# What it is given


def test_the_token_says_which_software_for_which_enterprise(scenery: Scenery, ledger: Software) -> None:
    """claims.md: role ``system``, ``sub`` the system user, the exact layer, bound; no person, no refresh, no ID token."""
    system_user = approve(scenery, "ledger", "001", "008")

    answer = ledger.ask()
    body = answer.get_json()
    claims = read(ledger, body["access_token"])

    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert set(body) == {"access_token", "token_type", "expires_in", "scope", "authorization_details"}
    assert (body["token_type"], body["expires_in"]) == ("DPoP", 300)
    assert pyjwt.get_unverified_header(body["access_token"])["typ"] == "at+jwt"
    (detail,) = claims["authorization_details"]
    assert body["authorization_details"] == [detail]
    assert (detail["identifier"], detail["privileges"], detail["agency"]) == (f"neq:{STORY}", ["001", "008"], "amp")
    assert (detail["basis"], detail["grants"], detail["locations"]) == ("direct", [f"s_{system_user}"], [PORTAL])
    assert claims["exp"] <= detail["not_after"]
    assert claims["representation"] == {"role": "system", "basis": "direct", "version": 1}
    assert claims["enterprise"]["neq"] == STORY
    assert claims["cnf"] == {"jkt": thumbprint(ledger.dpop_key)}
    assert (claims["client_id"], len(claims["sub"])) == ("ledger", 43)
    assert not {"acr", "amr", "auth_time", "sid", "nonce"} & claims.keys()


def test_the_sub_is_of_the_system_user_alone(scenery: Scenery, ledger: Software) -> None:
    """S-97, S-47: never the client, never a person, another for each enterprise, and never used again after a revocation."""
    first = approve(scenery)
    subs = [read(ledger, ledger.token())["sub"]]
    approve(scenery, enterprise=scenery.firm, by="ginette")
    subs.append(read(ledger, ledger.token(FIRM))["sub"])
    subs.append(read(ledger, ledger.token())["sub"])
    pes = scenery.people["pes"].person_id
    system_user_services.revoke(scenery.story, first, by=pes, now=scenery.clock.now())
    approve(scenery)
    subs.append(read(ledger, ledger.token())["sub"])

    assert subs[0] == subs[2]
    assert len(set(subs)) == 3
    assert first not in subs
    assert client_services.find(subs[0]) is None


def test_one_software_many_enterprises_one_each_token(scenery: Scenery, ledger: Software) -> None:
    """Each token speaks for exactly one enterprise, with what that one approved."""
    approve(scenery, "ledger", "008")
    approve(scenery, "ledger", "001", "024", enterprise=scenery.firm, by="ginette")

    told = {neq: read(ledger, ledger.token(neq))["authorization_details"] for neq in (STORY, FIRM)}

    assert [each["privileges"] for each in told[STORY]] == [["008"]]
    assert [each["privileges"] for each in told[FIRM]] == [["001", "024"]]
    both = f"{details(STORY)[:-1]},{details(FIRM)[1:]}"
    assert refusal(ledger.ask(authorization_details=both)) == (400, "invalid_authorization_details")


def test_it_may_ask_for_less(scenery: Scenery, ledger: Software) -> None:
    """RFC 9396 §6.1: the blocks asked and no other; the resource and the scope too."""
    approve(scenery, "ledger", "001", "008")

    claims = read(ledger, ledger.token(STORY, "008", resource=PORTAL, scope="functional_blocks"))

    assert claims["authorization_details"][0]["privileges"] == ["008"]
    assert (claims["aud"], claims["scope"]) == (PORTAL, "functional_blocks")


def test_a_token_never_outlives_the_approval(scenery: Scenery, ledger: Software) -> None:
    """``exp`` ≤ the end of the approval, to the second; after it there is none, and it shows as ended."""
    approve(scenery, days=1)
    end = system_user_services.system_users(scenery.story, "amp", now=scenery.clock.now())[0].not_after
    scenery.clock.advance(end - scenery.clock.now() - timedelta(seconds=40))

    body = ledger.ask().get_json()
    assert body["expires_in"] <= 40
    scenery.clock.advance(timedelta(seconds=41))
    assert refusal(ledger.ask()) == (400, "invalid_authorization_details")
    assert ledger.introspect(body["access_token"]) == {"active": False}
    (shown,) = system_user_services.system_users(scenery.story, "amp", now=scenery.clock.now())
    assert shown.state == "ended"


@pytest.mark.databases
def test_a_token_costs_at_most_six_statements(scenery: Scenery, ledger: Software) -> None:
    """Decisions §34: the assertion, the approval, its use and the log's entry included."""
    approve(scenery)
    ledger.token()
    with counted() as seen:
        assert ledger.ask().status_code == 200

    assert seen["statements"] <= 6


# What it is refused


def test_nothing_tells_a_stranger_which_enterprises_there_are(scenery: Scenery, ledger: Software) -> None:
    """Decisions §10: unknown, not approved, approved for another software, of another agency, revoked: one answer, one work."""
    other = approve(scenery, "ledger2")
    approve(scenery, "ledger", enterprise=scenery.firm, by="ginette")
    bac = software(scenery, "ledger-bac")
    cases = {
        "unknown": (ledger, UNKNOWN),
        "approved for another software": (ledger, STORY),
        "of another agency": (bac, STORY),
        "never heard of anywhere": (bac, UNKNOWN),
    }

    seen = {}
    for name, (who, neq) in cases.items():
        with statements_about_approvals() as work:
            answer = who.ask(neq)
        seen[name] = (answer.status_code, answer.data, work)
    pes = scenery.people["pes"].person_id
    system_user_services.revoke(scenery.story, other, by=pes, now=scenery.clock.now())
    revoked = software(scenery, "ledger2").ask()

    assert len({case[:2] for case in seen.values()} | {(revoked.status_code, revoked.data)}) == 1, seen
    assert len(seen["unknown"][2]) == 1
    assert all(work == seen["unknown"][2] for _, _, work in seen.values())
    assert revoked.get_json()["error"] == "invalid_authorization_details"


BEYOND: dict[str, dict[str, Any]] = {
    "a block that was not approved": {"authorization_details": details(STORY, "001", "024")},
    "a block that there is not": {"authorization_details": details(STORY, "999")},
    "no enterprise": {"authorization_details": details(identifier=None)},
    "an enterprise in another shape": {"authorization_details": details(identifier=STORY)},
    "no block at all": {"authorization_details": details(STORY, privileges=[])},
    "a wildcard": {"authorization_details": details(STORY, "*")},
    "another type": {"authorization_details": details(STORY, type="payment")},
    "another location": {"authorization_details": details(STORY, locations=["https://evil.example/"])},
    "an unknown member": {"authorization_details": details(STORY, actions=["read"])},
    "no list": {"authorization_details": "{}"},
    "an empty list": {"authorization_details": "[]"},
    "no JSON": {"authorization_details": "[{"},
    "too long": {"authorization_details": details(STORY, "008") + " " * 9000},
}


def test_nothing_beyond_the_approval_is_given(scenery: Scenery, ledger: Software) -> None:
    """RFC 9396 §5: more than was approved, or what cannot be understood, is invalid_authorization_details; never a 500."""
    approve(scenery, "ledger", "001", "008")

    told = {name: refusal(ledger.ask(**changed)) for name, changed in BEYOND.items()}

    assert told == dict.fromkeys(BEYOND, (400, "invalid_authorization_details"))


def test_what_stands_beside_the_details_is_judged_too(scenery: Scenery, ledger: Software, rp: RelyingParty) -> None:
    """S-32: scopes and resource within the registration; only a program that offers it; no details, no enterprise."""
    approve(scenery)

    told = {
        "openid": refusal(ledger.ask(scope="openid functional_blocks")),
        "streams": refusal(ledger.ask(scope="ssf.manage")),
        "resource": refusal(ledger.ask(resource=f"{ISSUER}/ssf")),
        "no details": refusal(ledger.ask(authorization_details=None)),
        "empty details": refusal(ledger.ask(authorization_details="")),
    }
    watching = Listener(scenery).ask_token(authorization_details=details())
    code_client = rp.token("", grant_type="client_credentials", authorization_details=details())

    assert told == {
        "openid": (400, "invalid_scope"),
        "streams": (400, "invalid_scope"),
        "resource": (400, "invalid_target"),
        "no details": (400, "invalid_request"),
        "empty details": (400, "invalid_request"),  # empty is absent (RFC 6749 §3.2)
    }
    assert refusal(watching) == refusal(code_client) == (400, "unauthorized_client")


def test_a_bearer_gets_none(scenery: Scenery, ledger: Software) -> None:
    """No proof, a used proof, a proof of another address: nothing is bound, nothing is given (RFC 9449 §5)."""
    approve(scenery)
    used = ledger.dpop("POST", f"{ISSUER}/token")
    form = {"grant_type": "client_credentials", "authorization_details": details()}
    assert ledger.post("/token", form, proof=used).status_code == 200

    assert refusal(ledger.ask(with_proof=False)) == (400, "invalid_dpop_proof")
    assert refusal(ledger.post("/token", form, proof=used)) == (400, "invalid_dpop_proof")
    elsewhere = ledger.dpop("POST", f"{ISSUER}/par")
    assert refusal(ledger.post("/token", form, proof=elsewhere)) == (400, "invalid_dpop_proof")


def test_a_stranger_with_the_name_of_a_software_gets_none(scenery: Scenery, ledger: Software) -> None:
    """RFC 7523: the key is the proof; a key of another software, or a secret, is invalid_client."""
    approve(scenery)
    forged = Software(scenery, "ledger", key=software(scenery, "ledger2").key, kid="k-ledger")

    assert refusal(forged.ask()) == (401, "invalid_client")
    by_secret = RelyingParty(scenery, "ledger", SECRET).token(
        "", grant_type="client_credentials", authorization_details=details()
    )
    assert refusal(by_secret) == (401, "invalid_client")


def test_the_fapi_profile_asks_for_its_nonce(scenery: Scenery, ledger: Software) -> None:
    """FAPI 2.0: a program of that profile is held to it here too."""
    approve(scenery, "ledger-fapi")
    strict = software(scenery, "ledger-fapi")

    assert strict.ask().status_code == 200
    assert strict.nonce is not None


# What ends it


def test_whatever_ends_the_right_ends_the_token_at_once(scenery: Scenery, ledger: Software) -> None:
    """Revoked by the PES, subscription withdrawn, enterprise suspended, client removed: introspection says so, /token too."""
    now, pes = scenery.clock.now, scenery.people["pes"].person_id
    introspecting = software(scenery, "ledger2")

    def revoke(system_user: str) -> None:
        system_user_services.revoke(scenery.story, system_user, by=pes, now=now())

    def suspend(_: str) -> None:
        delegation.suspend_enterprise(scenery.story, actor=SYSTEM, now=now())

    def reinstate() -> None:
        delegation.reinstate_enterprise(scenery.story, actor=SYSTEM, now=now())

    def withdraw(_: str) -> None:
        subscription_services.withdraw(scenery.story, "amp", by=pes, now=now())

    def remove_client(_: str) -> None:
        client_services.revoke("ledger", actor=SYSTEM, now=now())

    for end in (revoke, suspend, withdraw):
        scenery.clock.advance(timedelta(seconds=2))
        token = ledger.token() if (system_user := approve_again(scenery)) else ""
        assert introspecting.introspect(token)["active"] is True
        end(system_user)
        assert introspecting.introspect(token) == {"active": False}, end
        assert refusal(ledger.ask()) == (400, "invalid_authorization_details"), end
        if end is suspend:
            reinstate()
            assert ledger.introspect(token)["active"] is True
    scenery.clock.advance(timedelta(seconds=2))
    approve(scenery, "ledger", enterprise=scenery.firm, by="ginette")
    token = ledger.token(FIRM)
    remove_client("")
    assert introspecting.introspect(token) == {"active": False}
    assert refusal(ledger.ask(FIRM)) == (401, "invalid_client")


def approve_again(scenery: Scenery) -> str:
    """Return the live approval of the story's enterprise, made when there is none."""
    found = system_user_services.system_users(scenery.story, "amp", now=scenery.clock.now())
    live = [each.id for each in found if each.state == "active"]
    return live[0] if live else approve(scenery)


def test_introspection_tells_what_is_left(scenery: Scenery, ledger: Software) -> None:
    """RFC 7662: the token's own, the rights as they are now; nothing for another agency, nothing at userinfo."""
    approve(scenery, "ledger", "001", "008")
    token = ledger.token(STORY, "008")

    told = ledger.introspect(token)

    assert (told["active"], told["token_type"], told["client_id"]) == (True, "DPoP", "ledger")
    assert told["functional_blocks"] == ["008"]
    assert told["representation"]["role"] == "system"
    assert told["authorization_details"][0]["privileges"] == ["008"]
    assert told["cnf"] == {"jkt": thumbprint(ledger.dpop_key)}
    assert told["sub"] == read(ledger, token)["sub"]
    assert software(scenery, "ledger-bac").introspect(token) == {"active": False}
    assert ledger.userinfo(token).status_code == 401


def test_a_client_gives_up_one_token_and_no_approval(scenery: Scenery, ledger: Software) -> None:
    """RFC 7009: that token is dead, another is not, a new one is given; another client's try changes nothing."""
    approve(scenery)
    first, second = ledger.token(), ledger.token()

    assert software(scenery, "ledger2").post("/revoke", {"token": first}).status_code == 200
    assert ledger.introspect(first)["active"] is True
    for _ in range(2):
        assert ledger.post("/revoke", {"token": first}).status_code == 200
    assert ledger.introspect(first) == {"active": False}
    assert ledger.introspect(second)["active"] is True
    assert ledger.ask().status_code == 200


def test_the_agency_hears_of_a_revocation(scenery: Scenery, ledger: Software) -> None:
    """CAEP token-claims-change about the system user's ``sub``: no role, no block, a higher version; none before any token."""
    listener = Listener(scenery)
    stream = listener.call("POST", "/ssf/streams", {"delivery": {"method": POLL}}).get_json()
    pes, unused, used = scenery.people["pes"].person_id, approve(scenery, "ledger2"), approve(scenery, "ledger", "008")
    claims = read(ledger, ledger.token())

    for system_user in (unused, used):
        assert system_user_services.revoke(scenery.story, system_user, by=pes, now=scenery.clock.now())
    listener.deliver()
    (signal,) = listener.poll(stream)["sets"].values()

    told = pyjwt.decode(signal, options={"verify_signature": False})
    (content,) = told["events"].values()
    assert told["sub_id"]["sub"] == claims["sub"]
    assert content["claims"]["functional_blocks"] == []
    assert content["claims"]["representation"]["version"] > claims["representation"]["version"]


def test_the_log_names_the_system_user(scenery: Scenery, ledger: Software) -> None:
    """Approved, used, revoked: each once, about the enterprise and the system user; a second revocation is none."""
    system_user = approve(scenery)
    ledger.token()
    pes = scenery.people["pes"].person_id
    revoked = [
        system_user_services.revoke(scenery.story, system_user, by=pes, now=scenery.clock.now()) for _ in range(2)
    ]

    entries = audit.entries(enterprise_id=scenery.story, person_id=system_user)

    assert revoked == [True, False]
    assert sorted(entry.event for entry in entries) == [
        "oidc:system_token_issued",
        "system_user:approved",
        "system_user:revoked",
    ]


# Who may be such a program

_STRANGE: dict[str, dict[str, Any]] = {
    "a shared secret": {"token_endpoint_auth_method": "client_secret_basic"},
    "no grant for it": {"grant_types": ["authorization_code"], "scope": "openid functional_blocks"},
    "no scope of blocks": {"scope": "enterprise"},
    "no yes or no": {"offers_system_users": "yes"},
}


@pytest.mark.parametrize("changed", _STRANGE.values(), ids=_STRANGE)
def test_a_registration_without_keys_of_its_own_is_refused(changed: dict[str, Any]) -> None:
    """The product's promise: no shared secret; and what is offered must be usable."""
    entry = client_metadata.with_defaults({**registration_of("ledger"), **changed})

    assert list(client_metadata.mistakes(entry, Grounds(ISSUER, frozenset({"amp"}))))


def test_only_an_operator_lets_a_client_offer_it(scenery: Scenery, ledger: Software) -> None:
    """A client that registers itself cannot (nobody vouches for it), nor can a client of streams become one by its grant."""
    from idp.oidc.clients.domain import registration

    assert "offers_system_users" not in registration.TAKEN
    assert client_services.find("watcher").offers_system_users is False  # type: ignore[union-attr]
    assert client_services.find("ledger").offers_system_users is True  # type: ignore[union-attr]
    assert "client_credentials" in watcher("x")["grant_types"]


# Tokens of a client in its own name


def test_the_token_of_a_stream_is_bound_to_what_was_shown(scenery: Scenery, ledger: Software) -> None:
    """RFC 9449 §5, §7: with a proof at /token the streams ask for one too; a bearer, another key or a replay are refused."""
    watching = software(scenery)
    watching.client_id = "watcher"
    headers = {"Authorization": RelyingParty(scenery, "watcher").basic()}
    form = {"grant_type": "client_credentials"}
    proof = watching.dpop("POST", f"{ISSUER}/token")
    answer = scenery.browser().post("/token", data=form, headers={**headers, "DPoP": proof})
    body = answer.get_json()
    token, url = body["access_token"], f"{ISSUER}/ssf/streams"

    def call(scheme: str, shown: str | None) -> TestResponse:
        told = {"Authorization": f"{scheme} {token}"} | ({"DPoP": shown} if shown else {})
        return scenery.browser().get("/ssf/streams", headers=told)

    good = watching.dpop("GET", url, access_token=token)
    assert body["token_type"] == "DPoP"
    assert call("DPoP", good).status_code == 200
    refused = {
        "replayed": call("DPoP", good),
        "bearer": call("Bearer", None),
        "bearer with a proof": call("Bearer", watching.dpop("GET", url, access_token=token)),
        "no proof": call("DPoP", None),
        "another key": call("DPoP", software(scenery, "ledger2").dpop("GET", url, access_token=token)),
        "another token": call("DPoP", watching.dpop("GET", url, access_token="x")),
    }
    assert {name: each.status_code for name, each in refused.items()} == dict.fromkeys(refused, 401)


def test_a_system_user_reads_no_stream(scenery: Scenery, ledger: Software) -> None:
    """The resource is the agency's: at the streams the token is for somebody else."""
    approve(scenery)
    token = ledger.token()
    proof = ledger.dpop("GET", f"{ISSUER}/ssf/streams", access_token=token)
    headers = {"Authorization": f"DPoP {token}", "DPoP": proof}

    assert scenery.browser().get("/ssf/streams", headers=headers).status_code == 401
