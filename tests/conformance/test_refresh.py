"""Refresh tokens: bound, rotating or not, narrowed and never widened; the sign-in is frozen, the rights are not.

OIDF ``oidcc-refresh-token``, ``fapi2-security-profile-final-refresh-token``; RFC 6749 §6, RFC 9700 §4.14, S-9, S-24, S-32, S-64.
"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select, text

from idp import audit
from idp.accounts.credentials.factor_services import notify_credential_change
from idp.audit import SYSTEM
from idp.audit.models import AuditEntry
from idp.clock import local_date
from idp.config import folder
from idp.db import db, transaction
from idp.delegation import services as delegation
from idp.delegation.catalogue import catalogue_services
from idp.notices.services import deliver_due
from idp.oidc.models import GrantRow
from idp.oidc.token import grant_services
from idp.oidc.token.domain import refresh_tokens
from tests.oidc.fapi import thumbprint
from tests.oidc.lasting import OFFLINE_SCOPES, Bound, Holder, Keyed, Program, Server, signed_out, unverified
from tests.oidc.scenery import (
    FIRM,
    ISSUER,
    SCOPES,
    STORY,
    VERIFIER,
    RelyingParty,
    Scenery,
    csrf_token,
    details,
    load,
    registration,
)
from tests.oidc.token.test_token import counted, events

HELD = ("iss", "sub", "aud", "auth_time", "acr", "amr", "sid")


def error(answer: Any) -> str:
    assert answer.status_code in (400, 401), answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    return str(answer.get_json()["error"])


@pytest.fixture
def server(scenery: Scenery) -> Server:
    return Server(scenery)


# --- what it is, and when it is given


def test_a_refresh_token_gives_new_tokens_of_the_same_sign_in(scenery: Scenery, server: Server) -> None:
    """``oidcc-refresh-token``: iss, sub, aud, auth_time kept (and acr, amr, sid); no nonce again; printable (OIDC Core §12.2)."""
    browser = scenery.browser()
    told = server.tokens(browser)
    signed_out(scenery, browser)
    scenery.clock.advance(timedelta(days=2))
    again = server.refreshed(told["refresh_token"])
    before, after = unverified(told["id_token"]), server.read(again["id_token"])

    assert {name: after[name] for name in HELD} == {name: before[name] for name in HELD}
    assert "nonce" in before
    assert "nonce" not in after
    assert after["iat"] > before["iat"]
    assert again["access_token"] != told["access_token"]
    assert (again["token_type"], again["expires_in"], again["scope"]) == ("Bearer", 300, told["scope"])
    assert server.userinfo(again["access_token"]).get_json()["sub"] == after["sub"]
    assert re.fullmatch(r"[\x21-\x7e]{64,512}", told["refresh_token"])


def test_without_offline_access_there_is_no_refresh_token(scenery: Scenery, server: Server) -> None:
    """Nor for a client that has no such grant type, whatever it asks; ``scope`` of the answer says so."""
    browser = scenery.browser()
    some = server.tokens(browser, scope=SCOPES)
    rp = RelyingParty(scenery)
    other = rp.tokens(browser, scope=OFFLINE_SCOPES, prompt="consent")

    for told in (some, other):
        assert "refresh_token" not in told
        assert "offline_access" not in told["scope"]
    for client in (server, Holder(scenery)):
        assert error(client.refresh("x" * 43)) == ("invalid_grant" if client is server else "unauthorized_client")


def test_offline_access_not_consented_to_now_is_dropped_in_silence(scenery: Scenery, server: Server) -> None:
    """Problem 8 of §9, OIDC Core §11: never an error, also with ``prompt=none``; ``prompt=consent`` asks and gives it."""
    browser = scenery.browser()
    server.tokens(browser, scope=SCOPES)
    for changed in ({}, {"prompt": "none"}):
        assert "refresh_token" not in server.tokens(browser, **changed), changed
    asked = server.authorize(browser, prompt="consent")
    page = browser.get(asked.location).text
    assert "30" in page
    assert "refresh_token" in server.tokens(browser, prompt="consent")

    assert "refresh_token" not in server.tokens(browser, prompt="none")  # one consent gives one family
    assert server.answer(server.authorize(scenery.browser(), prompt="none"))["error"] == "login_required"


@pytest.mark.parametrize(("language", "words"), [("fr", ("pendant 30 jours", "absence")), ("en", ("30 days", "away"))])
def test_the_consent_page_and_the_list_say_it_in_plain_words(
    scenery: Scenery, server: Server, language: str, words: tuple[str, str]
) -> None:
    """ASVS 10.7.2, 10.7.3: that the agency keeps access while the person is away, and how long."""
    browser = scenery.signed_in("julie")
    asked = server.authorize(browser, ui_locales=language)
    page = browser.get(asked.location).text
    without = browser.get(server.authorize(browser, scope=SCOPES, ui_locales=language).location).text
    server.tokens(browser)

    for word in words:
        assert word in page
        assert word not in without
        assert word in browser.get("/consents").text
    assert refresh_tokens.LIFE.days == 30  # the sentences say so


# --- rotation and reuse


@pytest.mark.parametrize("kind", [Server, Keyed, Program])
def test_a_bearer_gets_another_each_time_and_reuse_ends_the_family(scenery: Scenery, kind: type[Holder]) -> None:
    """S-64: the old one is refused, then the new one too, and every access token; one entry in the log."""
    client = kind(scenery)
    first = client.tokens(scenery.browser())
    second = client.refreshed(first["refresh_token"])
    third = client.refreshed(second["refresh_token"])
    assert len({each["refresh_token"] for each in (first, second, third)}) == 3

    assert error(client.refresh(second["refresh_token"])) == "invalid_grant"
    assert error(client.refresh(third["refresh_token"])) == "invalid_grant"
    for told in (first, second, third):
        assert client.userinfo(told["access_token"]).status_code == 401
    assert events().count("oidc:refresh_replayed") == 1


@pytest.mark.bar("S-64")
@pytest.mark.parametrize("later", [timedelta(seconds=1), timedelta(days=1), timedelta(days=29)])
def test_reuse_is_known_however_late(scenery: Scenery, server: Server, later: timedelta) -> None:
    """S-64: after a second, a day, or nearly the life of the family; the oldest generation as well as the last."""
    first = server.tokens(scenery.browser())["refresh_token"]
    second = server.refreshed(first)["refresh_token"]
    third = server.refreshed(second)["refresh_token"]
    scenery.clock.advance(later)

    assert error(server.refresh(first)) == "invalid_grant"
    assert error(server.refresh(third)) == "invalid_grant"


@pytest.mark.bar("S-64")
def test_the_grace_gives_the_same_successor_and_then_ends(scenery: Scenery) -> None:
    """§6.12: within ten seconds, while nobody used the successor; later or once it is used, the family dies."""
    client = Server(scenery, "offline2")
    first = client.tokens(scenery.browser())["refresh_token"]
    second = client.refreshed(first)["refresh_token"]
    scenery.clock.advance(timedelta(seconds=9))
    assert client.refreshed(first)["refresh_token"] == second
    third = client.refreshed(second)["refresh_token"]
    assert error(client.refresh(first)) == "invalid_grant"  # its successor is used: two hold the family
    assert error(client.refresh(third)) == "invalid_grant"

    first = client.tokens(scenery.browser(), prompt="consent")["refresh_token"]
    second = client.refreshed(first)["refresh_token"]
    scenery.clock.advance(timedelta(seconds=10))
    assert error(client.refresh(first)) == "invalid_grant"
    assert error(client.refresh(second)) == "invalid_grant"
    assert events().count("oidc:refresh_replayed") == 2


@pytest.mark.bar("S-24", "S-43")
def test_no_variant_of_a_refresh_token_passes_nor_ends_anything(scenery: Scenery, server: Server) -> None:
    """S-24: prefix, suffix, case, padding, another generation, another tag; S-43: no other value either."""
    told = server.tokens(scenery.browser())
    good = told["refresh_token"]
    family, generation, tag = good.split(".")
    variants = [
        *(good[:-1], good[1:], good + "A", good + "=", good + " ", good.upper(), good.swapcase(), good + "\n"),
        *(f"{family}.{int(generation) + 1}.{tag}", f"{family}.00.{tag}", f"{family}.-1.{tag}", f"{family}..{tag}"),
        *(f"{family}.{generation}.{'0' * 64}", f"{family}.{generation}", f"{'A' * 43}.{generation}.{tag}", family),
        *(told["access_token"], told["id_token"], "é", "\x00", "." * 3, "0" * 60_000),
    ]
    for variant in variants:
        assert error(server.refresh(variant)) == "invalid_grant", variant

    assert server.refresh(good).status_code == 200
    assert error(server.refresh(None)) == "invalid_request"
    assert error(server.refresh("")) == "invalid_request"


@pytest.mark.bar("S-8", "S-32", "CVE-2026-55672")
def test_another_client_cannot_use_it_nor_end_it(scenery: Scenery, server: Server) -> None:
    """S-32, CVE-2026-55672: bound to its client; a stranger's try with an old one revokes nothing."""
    first = server.tokens(scenery.browser())["refresh_token"]
    second = server.refreshed(first)["refresh_token"]
    for stranger in (Server(scenery, "offline2"), Server(scenery, "offline3"), Program(scenery), Keyed(scenery)):
        for stolen in (first, second):
            assert error(stranger.refresh(stolen)) == "invalid_grant", stranger.client_id
    assert error(server.refresh(second, client_id="offline2")) == "invalid_client"
    assert error(Server(scenery, secret="wrong" * 10).refresh(second)) == "invalid_client"
    assert error(Program(scenery, client_id="offline1").refresh(second)) == "invalid_client"

    assert server.refresh(second).status_code == 200


# --- the FAPI module


@pytest.mark.bar("S-64")
def test_the_fapi_refresh_module(scenery: Scenery) -> None:
    """``refresh-token``: new access token, the presented token still works, the same ID-token claims; discovery says so."""
    client = Bound(scenery)
    told = client.tokens(scenery.browser())
    scenery.clock.advance(timedelta(minutes=20))
    answers = [client.refreshed(told["refresh_token"]) for _ in range(3)]

    assert {answer["refresh_token"] for answer in answers} == {told["refresh_token"]}
    assert len({answer["access_token"] for answer in answers}) == 3
    assert {answer["token_type"] for answer in answers} == {"DPoP"}
    before, after = unverified(told["id_token"]), client.read(answers[0]["id_token"], "ES256")
    assert {name: after[name] for name in HELD} == {name: before[name] for name in HELD}
    assert client.access(answers[0]["access_token"])["cnf"] == unverified(told["access_token"])["cnf"]
    assert client.userinfo(answers[-1]["access_token"]).status_code == 200
    assert len(told["refresh_token"]) >= 43
    discovery = scenery.browser().get("/.well-known/openid-configuration").get_json()
    assert "refresh_token" in discovery["grant_types_supported"]


def test_the_fapi_refresh_token_is_of_no_use_without_its_client_and_a_proof(scenery: Scenery) -> None:
    """Without authentication, without a proof, with another client, with a proof of another request; none of that ends it."""
    client = Bound(scenery)
    good = client.tokens(scenery.browser())["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": good}
    proof = client.dpop("POST", f"{ISSUER}/token")

    assert error(scenery.browser().post("/token", data=form, headers={"DPoP": proof})) == "invalid_client"
    assert error(client.post("/token", form, with_proof=False)) == "invalid_dpop_proof"
    assert error(Keyed(scenery).refresh(good)) == "invalid_grant"
    assert error(client.refresh(good, how={"proof": client.dpop("POST", f"{ISSUER}/par")})) == "invalid_dpop_proof"

    assert client.refresh(good).status_code == 200


@pytest.mark.parametrize("times", [1, 2])
def test_a_confidential_client_may_refresh_with_another_key(scenery: Scenery, times: int) -> None:
    """``refresh-token``, RFC 9449 §5: bound to the client, so a new key is taken, and the access token is bound to it."""
    client = Bound(scenery)
    first = client.tokens(scenery.browser())
    old, told = client.dpop_key, first
    for _ in range(times):
        client.dpop_key = ec.generate_private_key(ec.SECP256R1())
        told = client.refreshed(told["refresh_token"])

    assert (told["refresh_token"], told["token_type"]) == (first["refresh_token"], "DPoP")
    for token, key in ((first["access_token"], old), (told["access_token"], client.dpop_key)):
        jkt = thumbprint(key)
        assert client.access(token)["cnf"] == {"jkt": jkt}
        assert client.introspect(token)["cnf"] == {"jkt": jkt}
        proof = client.dpop("GET", f"{ISSUER}/userinfo", access_token=token, key=key)
        assert client.userinfo(token, proof=proof).status_code == 200
        other = old if key is client.dpop_key else client.dpop_key
        proof = client.dpop("GET", f"{ISSUER}/userinfo", access_token=token, key=other)
        assert client.userinfo(token, proof=proof).status_code == 401


def test_a_bearer_that_shows_a_key_at_refresh_gets_a_bound_token(scenery: Scenery, server: Server) -> None:
    """RFC 9449 §5: the access token is bound to the proof of its own request; a public client’s family from then on too."""
    key = Bound(scenery)

    def proof() -> dict[str, Any]:
        return {"headers": {"DPoP": key.dpop("POST", f"{ISSUER}/token")}}

    for client in (server, Program(scenery)):
        bearer = client.tokens(scenery.browser())
        bound = client.refreshed(bearer["refresh_token"], how=proof())
        assert (bearer["token_type"], bound["token_type"]) == ("Bearer", "DPoP")
        assert client.access(bound["access_token"])["cnf"] == {"jkt": thumbprint(key.dpop_key)}
        without = client.refresh(bound["refresh_token"])

        if client is server:
            assert without.get_json()["token_type"] == "Bearer"
        else:
            assert error(without) == "invalid_grant"
            assert client.refresh(bound["refresh_token"], how=proof()).status_code == 200


def test_a_program_with_a_key_rotates_and_stays_bound_to_it(scenery: Scenery) -> None:
    """RFC 9449 §5: a public client's refresh token is bound to its key; who lacks the key ends nothing."""
    program, bound = Program(scenery), Bound(scenery)

    def proof() -> dict[str, str]:
        return {"DPoP": bound.dpop("POST", f"{ISSUER}/token")}

    code = program.code(scenery.browser())
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": program.redirect_uri}
    told = program.post("/token", {**form, "code_verifier": VERIFIER}, headers=proof()).get_json()
    first = told["refresh_token"]
    assert error(program.refresh(first)) == "invalid_grant"
    other = bound.dpop("POST", f"{ISSUER}/token", key=ec.generate_private_key(ec.SECP256R1()))
    assert error(program.refresh(first, how={"headers": {"DPoP": other}})) == "invalid_grant"
    second = program.refreshed(first, how={"headers": proof()})
    assert (second["token_type"], second["refresh_token"] != first) == ("DPoP", True)
    assert error(program.refresh(first)) == "invalid_grant"  # old and without the key: nobody is punished

    assert program.refresh(second["refresh_token"], how={"headers": proof()}).status_code == 200
    assert error(program.refresh(first, how={"headers": proof()})) == "invalid_grant"
    assert events().count("oidc:refresh_replayed") == 1


# --- narrower, never wider


def test_a_scope_may_be_narrowed_for_one_token(scenery: Scenery, server: Server) -> None:
    """RFC 6749 §6: a subset, else invalid_scope and nothing is burnt; the next refresh may ask for all again."""
    told = server.tokens(scenery.browser(), scope="openid enterprise offline_access")
    token = told["refresh_token"]
    for wider in ("openid profile", "openid enterprise functional_blocks", "openid root", "OPENID"):
        assert error(server.refresh(token, scope=wider)) == "invalid_scope", wider
    only = server.refreshed(token, scope="openid")
    assert only["scope"] == "openid"
    assert set(server.userinfo(only["access_token"]).get_json()) == {"sub"}
    assert "enterprise" not in server.introspect(only["access_token"])
    bare = server.refreshed(only["refresh_token"], scope="enterprise")
    assert "id_token" not in bare
    assert server.access(bare["access_token"])["scope"] == "enterprise"

    all_again = server.refreshed(bare["refresh_token"])
    assert all_again["scope"] == told["scope"]


def test_the_details_may_be_narrowed_for_one_token(scenery: Scenery, server: Server) -> None:
    """RFC 9396 §6: a subset, else invalid_authorization_details; userinfo and introspection know the narrowed token."""
    asked = details({"privileges": ["001", "008"]})
    token = server.tokens(scenery.browser(), authorization_details=asked)["refresh_token"]
    wider: list[str] = [
        details({"privileges": ["001", "018"]}),
        details({"privileges": ["008"], "identifier": f"neq:{FIRM}"}),
        details({"privileges": ["008"], "locations": ["https://elsewhere.example/"]}),
        details({"privileges": []}),
        '[{"type":"payment","privileges":["008"]}]',
        "{}",
        "[]",
        "x",
    ]
    for text_ in wider:
        assert error(server.refresh(token, authorization_details=text_)) == "invalid_authorization_details", text_
    narrow = server.refreshed(
        token, authorization_details=details({"privileges": ["008"], "identifier": f"neq:{STORY}"})
    )

    assert [each["privileges"] for each in narrow["authorization_details"]] == [["008"]]
    assert server.read(narrow["id_token"])["functional_blocks"] == ["008"]
    assert server.userinfo(narrow["access_token"]).get_json()["functional_blocks"] == ["008"]
    assert server.introspect(narrow["access_token"])["authorization_details"] == narrow["authorization_details"]
    assert server.read(server.refreshed(narrow["refresh_token"])["id_token"])["functional_blocks"] == ["001", "008"]


def test_details_need_a_grant_of_blocks(scenery: Scenery, server: Server) -> None:
    """Where no block was granted, none can be narrowed to; where no block was named, all of the person's were granted."""
    browser = scenery.browser()
    none = server.tokens(browser, scope="openid enterprise offline_access")["refresh_token"]
    asked = details({"privileges": ["008", "018"]})
    assert error(server.refresh(none, authorization_details=asked)) == "invalid_authorization_details"

    every = server.tokens(browser, prompt="consent")["refresh_token"]
    told = server.refreshed(every, authorization_details=asked)
    assert [each["privileges"] for each in told["authorization_details"]] == [["008"]]  # 018 is not hers


def test_the_resource_must_be_the_agencys(scenery: Scenery, server: Server) -> None:
    """RFC 8707 §2.2: at /token for a code and a refresh token; several are all checked; the audience is what was asked."""
    token = server.tokens(scenery.browser())["refresh_token"]
    home, away = "https://portal.amp.example/", "https://elsewhere.example/"
    for wrong in (away, [home, away], home + "x", home.upper()):
        assert error(server.refresh(token, resource=wrong)) == "invalid_target", wrong
    told = server.refreshed(token, resource=[home, home])

    assert server.access(told["access_token"])["aud"] == home
    assert (
        error(server.refresh(told["refresh_token"], grant_type=["refresh_token", "refresh_token"])) == "invalid_request"
    )


def test_a_resource_named_is_the_only_audience(scenery: Scenery, server: Server, tmp_path: Path) -> None:
    """RFC 8707 §2.2: of an agency with two resources, for a code and for a refresh token; introspection says the same."""
    home, other = "https://portal.amp.example/", "https://api.amp.example/"
    amp = (folder("agencies") / "amp.yaml").read_text(encoding="utf-8")
    (tmp_path / "amp.yaml").write_text(amp.replace(f'["{home}"]', f'["{home}", "{other}"]'), encoding="utf-8")
    catalogue_services.load_agencies(tmp_path / "amp.yaml", now=scenery.clock.now())
    code = server.code(scenery.browser())
    first = server.token(code, resource=other).get_json()
    both = server.refreshed(first["refresh_token"])
    one = server.refreshed(both["refresh_token"], resource=home)

    assert [server.introspect(told["access_token"])["aud"] for told in (first, both, one)] == [
        other,
        [home, other],
        home,
    ]
    for told, where in ((first, [other]), (both, [home, other]), (one, [home])):
        assert told["authorization_details"][0]["locations"] == where
        assert server.introspect(told["access_token"])["authorization_details"][0]["locations"] == where


# --- the rights are those of now


def test_a_right_that_is_gone_is_not_in_the_next_token(scenery: Scenery, server: Server) -> None:
    """Fewer blocks, a higher version, also where all were needed once; without any, the person still acts for the enterprise."""
    needed = details({"privileges": ["001", "008"], "needs": "all"})
    told = server.tokens(scenery.browser(), authorization_details=needed)
    before = server.read(told["id_token"])
    scenery.keep_only(("008",))
    fewer = server.refreshed(told["refresh_token"])
    after = server.read(fewer["id_token"])

    assert (before["functional_blocks"], after["functional_blocks"]) == (["001", "008"], ["008"])
    assert after["representation"]["version"] > before["representation"]["version"]
    scenery.clock.advance(timedelta(days=21))
    none = server.refreshed(fewer["refresh_token"])
    assert server.read(none["id_token"])["functional_blocks"] == []
    assert none["authorization_details"] == []


def test_a_token_never_outlives_the_right_nor_the_family(scenery: Scenery, server: Server) -> None:
    """``exp`` is the end of the first right carried, or of the thirty days."""
    scenery.keep_only(("001", "008"))  # for twenty days
    told = server.tokens(scenery.browser())
    end = told["authorization_details"][0]["not_after"]
    scenery.clock.advance(timedelta(seconds=end - scenery.clock.now().timestamp() - 60))
    short = server.refreshed(told["refresh_token"])
    assert server.access(short["access_token"])["exp"] == end
    assert short["expires_in"] == 60

    program = Server(scenery, "offline2")
    told = program.tokens(scenery.browser(), "pes")
    born = server.access(told["access_token"])["iat"]
    scenery.clock.advance(timedelta(days=30) - timedelta(seconds=60 + scenery.clock.now().timestamp() - born))
    last = program.refreshed(told["refresh_token"])
    assert program.access(last["access_token"])["exp"] <= born + timedelta(days=30).total_seconds()


def test_the_family_ends_after_thirty_days_whatever_its_use(scenery: Scenery, server: Server) -> None:
    """ASVS 10.4.8, decisions.md §21: absolute, from the grant."""
    token = server.tokens(scenery.browser(), "pes")["refresh_token"]
    for _ in range(4):
        scenery.clock.advance(timedelta(days=7))
        token = server.refreshed(token)["refresh_token"]
    scenery.clock.advance(timedelta(days=2, seconds=1))

    assert error(server.refresh(token)) == "invalid_grant"
    assert server.introspect(token) == {"active": False}


@pytest.mark.bar("S-44")
def test_who_acts_for_the_enterprise_no_more_gets_nothing_ever_again(scenery: Scenery, server: Server) -> None:
    """S-44, S-71: the person suspended: refused within the second, and the same grant does not come back to life."""
    token = server.tokens(scenery.browser())["refresh_token"]
    scenery.revoke_blocks()
    assert error(server.refresh(token)) == "invalid_grant"
    by = scenery.people["pes"].person_id
    delegation.reactivate_member(scenery.story, scenery.memberships["julie"], by=by, now=scenery.clock.now())

    assert error(server.refresh(token)) == "invalid_grant"


@pytest.mark.bar("S-44")
def test_a_suspended_enterprise_gets_nothing(scenery: Scenery, server: Server) -> None:
    """S-44: the enterprise; introspection says so as well."""
    told = server.tokens(scenery.browser())
    delegation.suspend_enterprise(scenery.story, actor=SYSTEM, now=scenery.clock.now())

    assert server.introspect(told["access_token"]) == {"active": False}
    assert server.introspect(told["refresh_token"]) == {"active": False}
    assert error(server.refresh(told["refresh_token"])) == "invalid_grant"


def test_withdrawing_the_consent_ends_the_family_at_once(scenery: Scenery, server: Server) -> None:
    """ASVS 10.4.9, 10.7.3: from the person's own list, days after they signed out."""
    browser = scenery.browser()
    token = server.tokens(browser)["refresh_token"]
    access = server.refreshed(token)
    page = browser.get("/consents").text
    form = {"csrf_token": csrf_token(page), "agency": "amp", "enterprise": scenery.story}
    browser.post("/consents", data=form)

    assert error(server.refresh(access["refresh_token"])) == "invalid_grant"
    assert server.userinfo(access["access_token"]).status_code == 401


@pytest.mark.parametrize("change", ["create", "update", "revoke", "delete"])
def test_a_changed_credential_ends_what_the_old_one_gave(
    scenery: Scenery, server: Server, change: Literal["create", "update", "revoke", "delete"]
) -> None:
    """RFC 9700 §4.14.2: once the notice is out; one more credential ends nothing, nor does what comes after the change."""
    browser = scenery.browser()
    old = server.tokens(browser)["refresh_token"]
    hers = scenery.people["julie"].person_id
    scenery.clock.advance(timedelta(minutes=1))
    with transaction():
        notify_credential_change(hers, "password", change, now=scenery.clock.now())
    scenery.clock.advance(timedelta(seconds=2))
    new, others = (server.tokens(browser, prompt="consent"), Server(scenery).tokens(scenery.browser(), "pes"))
    deliver_due(scenery.clock.now())

    assert server.refresh(old).status_code == (200 if change == "create" else 400)
    for told in (new, others):
        assert server.refresh(told["refresh_token"]).status_code == 200


@pytest.mark.bar("S-9")
def test_a_code_used_twice_ends_its_family(scenery: Scenery, server: Server) -> None:
    """S-9: every token of that code, the refresh token and its descendants too."""
    code = server.code(scenery.browser())
    token = server.refreshed(server.token(code).get_json()["refresh_token"])["refresh_token"]
    server.token(code)

    assert error(server.refresh(token)) == "invalid_grant"


def test_the_end_of_the_sign_in_ends_what_rests_on_it_and_nothing_else(scenery: Scenery, server: Server) -> None:
    """§6.21, Back-Channel Logout §2.7: the notice revokes the other grants of the sign-in; offline access stays."""
    from idp.cli.worker import run_once

    browser = scenery.browser()
    lasting = server.tokens(browser)
    bound = server.tokens(browser, scope=SCOPES)
    signed_out(scenery, browser)
    run_once(scenery.clock.now())

    assert server.userinfo(bound["access_token"]).status_code == 401
    assert server.userinfo(lasting["access_token"]).status_code == 200
    assert server.refresh(lasting["refresh_token"]).status_code == 200


def test_a_client_is_judged_by_what_it_may_do_now(scenery: Scenery, server: Server, tmp_path: Path) -> None:
    """§6.5: without the grant type, without the scope, or bound by a new policy, its old tokens give nothing."""
    told = server.tokens(scenery.browser())

    def register(**changed: Any) -> None:
        kept = {"grant_types": ["authorization_code", "refresh_token"], "scope": OFFLINE_SCOPES}
        load(scenery.app, scenery.clock, tmp_path, registration("offline1", **{**kept, **changed}))

    for changed, expected in (
        ({"grant_types": ["authorization_code"], "scope": SCOPES}, "unauthorized_client"),
        ({"scope": SCOPES}, "invalid_grant"),
        ({"dpop_bound_access_tokens": True}, "invalid_dpop_proof"),
    ):
        register(**changed)
        assert error(server.refresh(told["refresh_token"])) == expected, changed
    register(scope="openid offline_access")

    assert server.refreshed(told["refresh_token"])["scope"] == "openid offline_access"


def test_a_scope_taken_away_takes_the_claims_asked_by_name(scenery: Scenery, server: Server, tmp_path: Path) -> None:
    """S-32, §6.5: naming a claim opens no more than the scopes that the client has now, at every place that tells it."""
    asked = '{"id_token":{"email":null},"userinfo":{"email":null}}'
    told = server.tokens(scenery.browser(), scope="openid enterprise offline_access", claims=asked)
    assert {"email", "enterprise"} <= server.userinfo(told["access_token"]).get_json().keys()
    kept = {"grant_types": ["authorization_code", "refresh_token"], "scope": "openid offline_access"}
    load(scenery.app, scenery.clock, tmp_path, registration("offline1", **kept))

    again = server.refreshed(told["refresh_token"])

    known = {
        "ID token": server.read(again["id_token"]),
        "userinfo": server.userinfo(again["access_token"]).get_json(),
        "userinfo, by the token of before": server.userinfo(told["access_token"]).get_json(),
        "introspection": server.introspect(told["access_token"]),
    }
    assert {place: claims.keys() & {"email", "enterprise"} for place, claims in known.items()} == {
        place: set() for place in known
    }


# --- what it costs, and what is kept


@pytest.mark.databases
def test_a_refresh_costs_at_most_six_statements_and_one_commit(scenery: Scenery) -> None:
    """Decisions §34, the log's entry included: with a secret, with an assertion, with assertion and proof."""
    for kind in (Server, Keyed, Bound):
        client = kind(scenery)
        client.tokens(scenery.browser())
        token = client.tokens(scenery.browser(), prompt="consent")["refresh_token"]
        client.refreshed(token)
        token = client.tokens(scenery.browser(), prompt="consent")["refresh_token"]
        with counted() as seen:
            assert client.refresh(token).status_code == 200

        assert seen["statements"] <= 6, kind
        assert seen["commits"] <= 2, kind  # one of them ends the reading of the client: nothing is written there


def test_only_a_digest_is_kept_and_old_grants_are_forgotten(scenery: Scenery, server: Server) -> None:
    """I12: no text of the database holds the token or its family; the sweep waits until nothing can be alive."""
    token = server.tokens(scenery.browser())["refresh_token"]
    family = token.split(".")[0]
    for table in db.metadata.sorted_tables:
        for row in db.session.execute(text(f'SELECT * FROM "{table.name}"')):  # noqa: S608
            assert family not in str(row), table.name
    assert grant_services.forget_old(scenery.clock.now()) == 0
    scenery.clock.advance(timedelta(days=32))

    assert grant_services.forget_old(scenery.clock.now()) == 1
    assert db.session.scalar(select(GrantRow.id)) is None
    assert error(server.refresh(token)) == "invalid_grant"


def test_the_log_names_the_family_that_was_replayed(scenery: Scenery, server: Server) -> None:
    """The person and the enterprise concerned are in the entry, and no token."""
    first = server.tokens(scenery.browser())["refresh_token"]
    server.refreshed(first)
    server.refresh(first)
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.event == audit.Event.REFRESH_REPLAYED)).one()

    assert (entry.person_id, entry.enterprise_id) == (scenery.people["julie"].person_id, scenery.story)
    assert first.split(".")[0] not in str(entry.details)
    assert local_date(entry.at) == local_date(scenery.clock.now())
