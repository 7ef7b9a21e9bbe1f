"""The choice of an enterprise inside a sign-in, for a person who acts for many."""

from __future__ import annotations

import re

import pytest

from idp.delegation.people.domain.finding import PAGE
from tests.delegation.test_many_enterprises import act_for
from tests.oidc.scenery import RelyingParty, Scenery


@pytest.mark.databases
def test_the_choice_inside_a_sign_in_is_searched(scenery: Scenery, rp: RelyingParty) -> None:
    """The search keeps the interaction; the enterprise found is chosen and the sign-in goes on."""
    act_for(scenery.people["julie"].person_id, 40, scenery.clock.now())
    browser = scenery.signed_in("julie")
    place = rp.authorize(browser).location
    assert place.startswith("/interaction/enterprise")

    assert len(re.findall(r'id="enterprise-\d{10}"', browser.get(place).text)) == PAGE
    page = browser.get(f"{place}&q=ERABLIERE+033").text
    assert re.findall(r'id="enterprise-(\d{10})"', page) == ["2200000033"]
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    chosen = browser.post(place, data={"csrf_token": token, "enterprise": "2200000033"})
    assert "/authorize?interaction=" in chosen.location
    assert "/interaction/consent" in browser.get(chosen.location).location
