"""docs/claims.md lists exactly what is issued."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jwt as pyjwt

from idp.oidc.claims.domain import asked_claims
from idp.oidc.domain import metadata
from idp.oidc.token.domain import tokens
from tests.oidc.scenery import ISSUER, RelyingParty, Scenery, load, registration
from tests.oidc.software import approve, load_software, software

PAGE = Path(__file__).resolve().parents[3] / "docs" / "claims.md"


def listed(section: str) -> dict[str, str]:
    """Return claim and scope of each row of a section's table."""
    text = PAGE.read_text(encoding="utf-8").split(f"\n## {section}")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", text, re.MULTILINE))


def test_the_page_and_the_tokens_agree(scenery: Scenery, rp: RelyingParty) -> None:
    """Scope by scope, in each token and at userinfo; the logout token too."""
    browser = scenery.browser()
    rp.code(browser)
    for scopes in (
        "openid",
        "openid profile",
        "openid email",
        "openid enterprise",
        "openid enterprise functional_blocks",
    ):
        told = rp.tokens(browser, scope=scopes)
        issued = {
            "ID token": set(rp.read(told["id_token"])),
            "Access token": set(rp.read(told["access_token"], "ES256", "https://portal.amp.example/")),
            "Userinfo": set(rp.userinfo(told["access_token"]).get_json()),
        }
        for section, claims in issued.items():
            expected = {claim for claim, scope in listed(section).items() if scope in scopes.split()}
            assert claims == expected, (section, scopes)
    logout = tokens.logout_token(issuer="i", client_id="c", sub="s", sid="d", now=scenery.clock.now())
    assert set(logout) == set(listed("Logout token"))


def test_the_page_and_the_token_of_a_system_user_agree(scenery: Scenery, tmp_path: Path) -> None:
    """Whatever its scopes: rights are asked by authorization_details."""
    load_software(scenery, tmp_path)
    approve(scenery)
    program = software(scenery)
    for scope in ("enterprise functional_blocks", "functional_blocks"):
        claims = program.read(program.token(scope=scope), "ES256", "https://portal.amp.example/")
        assert column("## Access token of a system user", "token") == set(claims)
    told = program.introspect(program.token())
    assert told.keys() - claims.keys() == {"active", "token_type", "functional_blocks"}


def test_the_page_names_every_member_of_the_nested_claims(scenery: Scenery, rp: RelyingParty) -> None:
    told = rp.tokens(scenery.browser())
    claims, text = rp.read(told["id_token"]), PAGE.read_text(encoding="utf-8")

    nested = {*claims["enterprise"], *claims["representation"], *told["authorization_details"][0]}
    assert [name for name in nested if f"`{name}`" not in text] == []


def column(section: str, kind: str) -> set[str]:
    """Return the first column of the rows of a section whose second column is *kind*."""
    text = PAGE.read_text(encoding="utf-8").split(f"\n{section}")[1].split("\n## ")[0]
    return set(re.findall(rf"^\| `([\w:]+)` \| `{kind}` \|", text, re.MULTILINE))


def test_the_page_and_the_claims_asked_by_name_agree(scenery: Scenery, rp: RelyingParty, tmp_path: Path) -> None:
    """What can be asked in both places, beside what every token has; and what a signed answer adds."""
    load(scenery.app, scenery.clock, tmp_path, registration("rp1", userinfo_signed_response_alg="ES256"))
    verified = {"verification": {"trust_framework": None}, "claims": {"given_name": None}}
    every: dict[str, Any] = dict.fromkeys(metadata.CLAIMS) | {"verified_claims": verified}
    told = rp.tokens(scenery.browser(), scope="openid", claims=json.dumps({"id_token": every, "userinfo": every}))

    identity = rp.read(told["id_token"]).keys()
    person = pyjwt.decode(rp.userinfo(told["access_token"]).text, options={"verify_signature": False})
    assert column("## Asked by name", "both") == person.keys() - asked_claims.OF_THE_TOKEN
    assert column("## Asked by name", "both") <= identity
    assert column("### Signed", "signed") == person.keys() & asked_claims.OF_THE_TOKEN - {"sub"}


def test_the_page_and_the_verified_claims_agree(scenery: Scenery, rp: RelyingParty) -> None:
    """Every element, kind of evidence and claim that discovery and the answers know is on the page, and no other."""
    known = metadata.document(ISSUER)
    elements = dict.fromkeys(("trust_framework", "time", "verification_process")) | {
        "evidence": [{"type": {"value": "vouch"}}]
    }
    claims: dict[str, Any] = dict.fromkeys(known["claims_in_verified_claims_supported"])
    request = {"userinfo": {"verified_claims": {"verification": elements, "claims": claims}}}
    told = rp.userinfo(rp.tokens(scenery.browser(), claims=json.dumps(request))["access_token"]).get_json()

    section = "## Verified claims"
    texts, lists = column(section, "text"), column(section, "list")
    assert texts | lists | column(section, "instant") == {
        *told["verified_claims"]["verification"],
        *told["verified_claims"]["claims"],
    }
    assert column(section, "electronic_record") == set(known["electronic_records_supported"])
    assert column(section, "document") == set(known["documents_supported"])
    assert known["trust_frameworks_supported"][0] in PAGE.read_text(encoding="utf-8")
    (authority,) = told["verified_claims"]["claims"]["authority"]
    nested = {*authority, *authority["applies_to"], *authority["granted_by"], *authority["permission"][0]}
    assert [name for name in nested if f"`{name}`" not in PAGE.read_text(encoding="utf-8")] == []


def test_a_person_in_charge_has_no_grant_and_no_date(scenery: Scenery, rp: RelyingParty) -> None:
    """Decisions §16; nothing is null or empty."""
    told = rp.tokens(scenery.browser(), "pes")

    (detail,) = told["authorization_details"]
    assert not {"grants", "not_after"} & detail.keys()
    assert "null" not in str(told)
    assert rp.read(told["id_token"])["representation"]["role"] == "pes"
