"""An agency names blocks without which it cannot go on (``needs``): the page before the consent, and what it leads to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oidc.scenery import RelyingParty, Scenery, details


@pytest.mark.parametrize(
    ("needed", "missing"),
    [
        ({"privileges": ["008", "018"], "needs": "all"}, ["018"]),
        ({"privileges": ["018", "019"], "needs": "any"}, ["018", "019"]),
        ({"privileges": ["018"], "needs": "all"}, ["018"]),
    ],
)
def test_the_page_names_what_is_missing_and_who_grants_it(
    scenery: Scenery, rp: RelyingParty, needed: dict[str, Any], missing: list[str]
) -> None:
    """claims.md: with needs unmet the page offers to ask the PES; declining returns access_denied with state and iss."""
    browser = scenery.signed_in("julie")
    answer = rp.authorize(browser, authorization_details=details(needed))
    assert answer.location.startswith("/interaction/missing-block")
    page = browser.get(answer.location)
    assert page.status_code == 403
    assert [code for code in ("001", "008", "018", "019") if f"<strong>{code}</strong>" in page.text] == missing
    assert "Pes Pontvert" in page.text
    assert "Construction Haute-Licorne" in page.text

    refused = rp.answer(browser.get(answer.location.replace("missing-block", "cancel")))

    assert (refused["error"], refused["state"]) == ("access_denied", "s-1")


@pytest.mark.parametrize(
    "asked",
    [
        {"privileges": ["008", "018"], "needs": "any"},
        {"privileges": ["001", "008"], "needs": "all"},
        {"privileges": ["018"]},
    ],
)
def test_a_need_that_is_met_or_absent_asks_nothing(scenery: Scenery, rp: RelyingParty, asked: dict[str, Any]) -> None:
    """Without ``needs`` the agency takes what there is, be it nothing."""
    browser = scenery.signed_in("julie")

    assert rp.authorize(browser, authorization_details=details(asked)).location.startswith("/interaction/consent")


def test_the_waiting_browser_goes_on_once_the_block_is_granted(scenery: Scenery, rp: RelyingParty) -> None:
    """product.md: asked for inside the sign-in; nobody signs in again."""
    browser = scenery.signed_in("julie")
    needed = details({"privileges": ["018"], "needs": "all"})
    page = rp.authorize(browser, authorization_details=needed).location
    assert browser.get(page).status_code == 403
    scenery.keep_only(("018",))

    answered = rp.answer(scenery.go_on(browser, browser.get(page), "julie"))

    assert rp.token(answered["code"]).get_json()["authorization_details"][0]["privileges"] == ["018"]


def test_without_a_page_it_is_an_error(scenery: Scenery, rp: RelyingParty) -> None:
    """prompt=none: what every other cause answers, which block is missing stays untold."""
    browser = scenery.signed_in("julie")
    needed = details({"privileges": ["018"], "needs": "all"})

    answer = rp.answer(rp.authorize(browser, prompt="none", authorization_details=needed))

    assert answer["error"] == "interaction_required"


def test_for_another_enterprise_the_need_may_be_met(scenery: Scenery, rp: RelyingParty) -> None:
    """Ginette lacks 001 at the one, and holds every block at the firm: the need is that of the enterprise chosen."""
    browser = scenery.signed_in("ginette")
    needed = details({"privileges": ["001"], "needs": "all"})
    chooser = rp.authorize(browser, authorization_details=needed).location
    assert chooser.startswith("/interaction/enterprise")
    place = browser.get(scenery.press(browser, chooser, enterprise="1100000455").location).location
    assert place.startswith("/interaction/missing-block")
    again = browser.get(place).text
    assert "/interaction/enterprise" in again

    resumed = scenery.press(browser, place.replace("missing-block", "enterprise"), enterprise="3300000018")

    assert browser.get(resumed.location).location.startswith("/interaction/consent")
