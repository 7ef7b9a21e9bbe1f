"""Asking for a missing block inside the sign-in: asked, granted, and on to the agency without another sign-in."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from idp.clock import local_date
from idp.delegation.requests import request_services
from tests.oidc.scenery import RelyingParty, Scenery
from tests.oidc.test_way_on import href, page

NEEDS = json.dumps(
    [
        {
            "type": "functional_blocks",
            "locations": ["https://portal.amp.example/"],
            "privileges": ["005"],
            "needs": "all",
        }
    ]
)


def request_of(scenery: Scenery) -> request_services.RequestView:
    (found,), _more = request_services.requests_of(scenery.story, is_open=True)
    return found


@pytest.mark.databases
def test_a_user_asks_waits_and_goes_on(scenery: Scenery, rp: RelyingParty) -> None:
    """The page of the missing block leads to the form and back, waits, and goes on once the block is granted."""
    browser = scenery.signed_in("julie")
    place = rp.authorize(browser, authorization_details=NEEDS).location
    shown = page(browser, place, 403)
    assert 'id="request-waiting"' not in shown
    form = href(shown, "ask-access")
    assert "blocks=005" in form

    token = page(browser, form).split('name="csrf_token" value="')[1].split('"')[0]
    last = local_date(scenery.clock.now() + timedelta(days=30))
    until = {f"until-{part}": str(getattr(last, part)) for part in ("day", "month", "year")}
    sent = browser.post(
        form.split("?")[0], data={"csrf_token": token, "blocks": "005", "reason": "Je remplace Omar", **until}
    )
    assert sent.status_code == 303
    assert "/authorize?interaction=" in sent.location
    assert 'id="request-waiting"' in page(browser, browser.get(sent.location).location, 403)

    found, pes = request_of(scenery), scenery.people["pes"].person_id
    now = scenery.clock.now()
    wanted = request_services.proposed(found, frozenset({"005"}), found.until, now)
    request_services.grant(found.id, wanted, enterprise_id=scenery.story, by=pes, seen_revision=None, now=now)

    onward = browser.get(sent.location).location
    assert "/interaction/consent" in onward or "code=" in onward


def test_a_refused_request_is_explained(scenery: Scenery, rp: RelyingParty) -> None:
    """The page shows the reason, and the form again."""
    browser = scenery.signed_in("julie")
    place = rp.authorize(browser, authorization_details=NEEDS).location
    julie, now = scenery.people["julie"].person_id, scenery.clock.now()
    until = local_date(now)
    assert request_services.ask(
        scenery.story, "amp", person_id=julie, blocks=frozenset({"005"}), until=until, reason="Omar", now=now
    )
    assert 'id="request-waiting"' in page(browser, place, 403)
    pes = scenery.people["pes"].person_id
    request_services.refuse(request_of(scenery).id, enterprise_id=scenery.story, by=pes, reason="Non merci", now=now)

    shown = page(browser, place, 403)
    assert "Non merci" in shown
    assert href(shown, "ask-access")
