"""docs/claims.md lists exactly what is issued."""

from __future__ import annotations

import re
from pathlib import Path

from idp.oidc import tokens
from tests.oidc.scenery import RelyingParty, Scenery

PAGE = Path(__file__).resolve().parents[2] / "docs" / "claims.md"


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


def test_the_page_names_every_member_of_the_nested_claims(scenery: Scenery, rp: RelyingParty) -> None:
    told = rp.tokens(scenery.browser())
    claims, text = rp.read(told["id_token"]), PAGE.read_text(encoding="utf-8")

    nested = {*claims["enterprise"], *claims["representation"], *told["authorization_details"][0]}
    assert [name for name in nested if f"`{name}`" not in text] == []


def test_a_person_in_charge_has_no_grant_and_no_date(scenery: Scenery, rp: RelyingParty) -> None:
    """Decisions §16; nothing is null or empty."""
    told = rp.tokens(scenery.browser(), "pes")

    (detail,) = told["authorization_details"]
    assert not {"grants", "not_after"} & detail.keys()
    assert "null" not in str(told)
    assert rp.read(told["id_token"])["representation"]["role"] == "pes"
