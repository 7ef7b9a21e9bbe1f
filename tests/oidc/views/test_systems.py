"""The pages on which a person in charge approves software and revokes it, over real HTTP with a real sign-in."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pyotp
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp import audit
from idp.audit import SYSTEM
from idp.clock import local_date
from idp.db import db
from idp.delegation.rights import system_user_services
from idp.delegation.subscriptions import subscription_services
from idp.oidc.clients import client_services
from tests.oidc.fapi import thumbprint
from tests.oidc.scenery import TOTP_SECRET, Scenery, csrf_token, hidden_inputs
from tests.oidc.software import Software, approve, load_software, software

LIST, NEW, CHECK = (f"/agencies/amp/systems{end}" for end in ("", "/new", "/check"))


@pytest.fixture
def ledger(scenery: Scenery, tmp_path: Path) -> Software:
    load_software(scenery, tmp_path)
    return software(scenery)


@pytest.fixture
def pes(scenery: Scenery, ledger: Software) -> FlaskClient:
    return scenery.signed_in("pes")


def choice(scenery: Scenery, **changed: Any) -> dict[str, Any]:
    day = local_date(scenery.clock.now()) + timedelta(days=200)
    told: dict[str, Any] = {
        **{"software": "ledger", "label": "Progiciel comptable", "blocks": ["001", "008"]},
        **{"until-day": day.day, "until-month": day.month, "until-year": day.year},
    }
    told.update(changed)
    return {name: value for name, value in told.items() if value is not None}


def post(browser: FlaskClient, path: str, fields: dict[str, Any], *, page: str = "/account") -> TestResponse:
    answer = browser.post(path, data={"csrf_token": csrf_token(browser.get(page).text), **fields})
    db.session.rollback()
    return answer


def preview(browser: FlaskClient, scenery: Scenery, **changed: Any) -> tuple[str, str]:
    """Return the address of the preview and the token it holds."""
    chosen = post(browser, NEW, choice(scenery, **changed))
    assert chosen.status_code == 303, chosen.text
    page = browser.get(chosen.location).text
    found = re.search(r'name="approval" value="([^"]+)"', page)
    assert found, page
    return chosen.location, unescape(found[1])


def confirm(browser: FlaskClient, scenery: Scenery, address: str = "/confirm") -> TestResponse:
    """Show the second factor again, as acts that matter ask after five minutes."""
    answer = post(browser, address, {"otp": pyotp.TOTP(TOTP_SECRET).at(scenery.clock.now())}, page=address)
    assert answer.status_code == 303, answer.text
    return answer


def test_a_pes_approves_software_in_three_pages(scenery: Scenery, ledger: Software, pes: FlaskClient) -> None:
    """Chosen, shown, confirmed; nothing counts before; then a token is given and the list says all of it."""
    address, token = preview(pes, scenery)
    shown = unescape(pes.get(address).text)
    assert thumbprint(ledger.key) in shown.replace(" ", "")
    assert "grandlivre.example" in shown
    assert '"role": "system"' in shown
    assert '"neq:1100000455"' in shown
    assert ledger.ask().status_code == 400

    saved = post(pes, CHECK, {"approval": token})

    assert (saved.status_code, saved.location) == (303, LIST)
    assert ledger.ask().status_code == 200
    page = unescape(pes.get(LIST).text)
    for word in ("Progiciel comptable", "Grand livre", "001", "008", "Pes Pontvert"):
        assert word in page
    assert "Jamais" not in page
    db.session.rollback()
    (made,) = system_user_services.system_users(scenery.story, "amp", now=scenery.clock.now())
    assert (made.blocks, made.client_id, made.name) == (("001", "008"), "ledger", "Progiciel comptable")


def test_what_the_preview_shows_is_what_the_token_says(scenery: Scenery, ledger: Software, pes: FlaskClient) -> None:
    """The exact layer, but for the identifier of the approval, which there is not yet."""
    address, token = preview(pes, scenery)
    found = re.search(r"<pre[^>]*>(.*?)</pre>", pes.get(address).text, re.DOTALL)
    assert found
    shown = json.loads(unescape(found[1]))
    post(pes, CHECK, {"approval": token})
    claims = ledger.read(ledger.token(), "ES256", "https://portal.amp.example/")

    for detail in (*shown["authorization_details"], *claims["authorization_details"]):
        detail.pop("grants")
    assert {name: claims[name] for name in shown} == shown


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no software": ({"software": None}, "software"),
    "software of another agency": ({"software": "ledger-bac"}, "software"),
    "a client that is no such software": ({"software": "rp1"}, "software"),
    "no name": ({"label": " "}, "label"),
    "a name without end": ({"label": "x" * 81}, "label"),
    "no block": ({"blocks": []}, "blocks"),
    "a block that there is not": ({"blocks": ["999"]}, "blocks"),
    "a wildcard": ({"blocks": ["*"]}, "blocks"),
    "no day": ({"until-day": "", "until-month": "", "until-year": ""}, "until-day"),
    "a day that there is not": ({"until-day": "31", "until-month": "2"}, "until-day"),
    "a day gone by": ({"until-year": "2020"}, "until-day"),
    "a day too far": ({"until-year": "2031"}, "until-day"),
}


def test_mistakes_stand_beside_their_fields(scenery: Scenery, ledger: Software, pes: FlaskClient) -> None:
    """422, a summary that leads to the field, what was typed kept; nothing approved."""
    for name, (changed, field) in WRONG.items():
        answer = post(pes, NEW, choice(scenery, **changed))
        assert answer.status_code == 422, name
        assert f'href="#{field}' in answer.text, name
        assert "Erreur" in answer.text.split("</title>")[0], name
    assert system_user_services.system_users(scenery.story, "amp", now=scenery.clock.now()) == ()


def test_an_approved_software_is_not_approved_twice(scenery: Scenery, ledger: Software, pes: FlaskClient) -> None:
    """Said beside the field; the second of two previews, and a double click, are refused and change nothing."""
    first, second = preview(pes, scenery)[1], preview(pes, scenery, blocks=["024"])[1]
    assert post(pes, CHECK, {"approval": first}).status_code == 303

    assert post(pes, CHECK, {"approval": first}).status_code == 409
    assert post(pes, CHECK, {"approval": second}).status_code == 409
    again = post(pes, NEW, choice(scenery))
    assert (again.status_code, "déjà autorisé" in again.text) == (422, True)
    assert len(system_user_services.system_users(scenery.story, "amp", now=scenery.clock.now())) == 1


def test_a_preview_serves_whom_it_was_shown(scenery: Scenery, ledger: Software, pes: FlaskClient) -> None:
    """Forged, old, of another agency, of another person: refused, nothing approved."""
    address, token = preview(pes, scenery)
    other = scenery.signed_in("ginette")
    post(other, "/enterprises", {"enterprise": scenery.firm}, page="/enterprises")

    assert post(other, CHECK, {"approval": token}).status_code == 404
    assert post(pes, "/agencies/bac/systems/check", {"approval": token}).status_code == 404
    assert post(pes, CHECK, {"approval": token[:-2] + "AA"}).status_code == 409
    assert post(pes, CHECK, {"approval": ""}).status_code == 409
    scenery.clock.advance(timedelta(minutes=50))
    assert pes.get(address).status_code == 200
    scenery.clock.advance(timedelta(minutes=11))
    confirm(pes, scenery)
    assert post(pes, CHECK, {"approval": token}).status_code == 409
    assert system_user_services.system_users(scenery.story, "amp", now=scenery.clock.now()) == ()


def test_a_software_removed_meanwhile_is_not_approved(scenery: Scenery, ledger: Software, pes: FlaskClient) -> None:
    """The agency takes the client away between the preview and the confirmation."""
    _, token = preview(pes, scenery)
    client_services.revoke("ledger", actor=SYSTEM, now=scenery.clock.now())

    assert post(pes, CHECK, {"approval": token}).status_code == 404
    assert post(pes, NEW, choice(scenery)).status_code == 422


def test_a_pes_revokes_at_once(scenery: Scenery, ledger: Software, pes: FlaskClient) -> None:
    """A page that says what ends, one button; the token is dead, the list and the journal tell it, by name."""
    system_user = approve(scenery)
    token = ledger.token()
    path = f"{LIST}/{system_user}/revoke"
    assert "Progiciel comptable" in pes.get(path).text
    assert ledger.introspect(token)["active"] is True

    assert post(pes, path, {}, page=path).location == LIST

    assert ledger.introspect(token) == {"active": False}
    page = unescape(pes.get(LIST).text)
    assert "Révoqué" in page
    assert f'id="revoke-{system_user}"' not in page
    journal = unescape(pes.get("/journal").text)
    assert "a autorisé le logiciel Progiciel comptable pour 001, 008" in journal
    assert "Pes Pontvert a révoqué le logiciel Progiciel comptable" in journal
    assert "s’est présenté" not in journal
    asked = unescape(pes.get(f"/journal?person={system_user}").text)
    assert "Le logiciel Progiciel comptable s’est présenté pour 001, 008" in asked
    assert post(pes, path, {}, page="/account").location == LIST


def test_nobody_else_approves_or_revokes(scenery: Scenery, ledger: Software, pes: FlaskClient) -> None:
    """S-65: the representative reads; a user sees nothing; a PES of another enterprise finds nothing (404)."""
    system_user = approve(scenery)
    _, token = preview(pes, scenery, software="ledger2")
    path = f"{LIST}/{system_user}/revoke"
    elsewhere = scenery.signed_in("ginette")
    post(elsewhere, "/enterprises", {"enterprise": scenery.firm}, page="/enterprises")
    representative, user = scenery.signed_in("ar"), scenery.signed_in("julie")

    read = representative.get(LIST)
    assert (read.status_code, "Progiciel comptable" in read.text) == (200, True)
    assert 'id="approve"' not in read.text
    assert "/revoke" not in read.text
    for browser, status in ((representative, 403), (user, 403)):
        assert {browser.get(address).status_code for address in (NEW, path)} == {status}
        assert post(browser, path, {}).status_code == status
        assert post(browser, CHECK, {"approval": token}).status_code == status
        assert post(browser, NEW, choice(scenery, software="ledger2")).status_code == status
    assert user.get(LIST).status_code == 403
    assert "Progiciel comptable" not in elsewhere.get(LIST).text
    assert elsewhere.get(path).status_code == 404
    assert elsewhere.get(f"/journal?person={system_user}").status_code == 404
    asked = f"/why?person={system_user}&agency=amp&block=008"
    assert elsewhere.get(asked).status_code == user.get(asked).status_code == 404
    assert "<strong>Oui.</strong>" in representative.get(asked).text
    assert "<strong>Non.</strong>" in representative.get(asked.replace("008", "024")).text
    assert post(elsewhere, path, {}).status_code == 404
    assert pes.get(f"/agencies/bac/systems/{system_user}/revoke").status_code == 404
    assert ledger.ask().status_code == 200


def test_approving_and_revoking_ask_again_who_one_is(scenery: Scenery, ledger: Software, pes: FlaskClient) -> None:
    """Five minutes after the sign-in each leads to the second factor; what was shown is approved after it (ASVS 7.5.3)."""
    system_user = approve(scenery)
    path = f"{LIST}/{system_user}/revoke"
    _, token = preview(pes, scenery, software="ledger2")
    scenery.clock.advance(timedelta(minutes=5))
    before = len(audit.entries(limit=1000))

    asked = [post(pes, CHECK, {"approval": token}), post(pes, path, {})]

    assert [(answer.status_code, answer.location[:14]) for answer in asked] == [(303, "/confirm?next=")] * 2
    assert len(audit.entries(limit=1000)) == before
    waiting = confirm(pes, scenery, asked[0].location).location
    assert post(pes, CHECK, hidden_inputs(pes.get(waiting).text)).location == LIST
    found = system_user_services.system_users(scenery.story, "amp", now=scenery.clock.now())
    assert {each.client_id for each in found if each.state == "active"} == {"ledger", "ledger2"}


def test_giving_up_confirming_leads_back_to_the_choice(scenery: Scenery, ledger: Software, pes: FlaskClient) -> None:
    """The page shown, asked for without what was chosen, is no error."""
    assert pes.get(CHECK).location == NEW


def test_every_change_asks_for_its_token(scenery: Scenery, ledger: Software, pes: FlaskClient) -> None:
    """CSRF: without the token of a page nothing is approved and nothing revoked."""
    system_user = approve(scenery)
    _, token = preview(pes, scenery, software="ledger2")

    for path, fields in ((CHECK, {"approval": token}), (f"{LIST}/{system_user}/revoke", {}), (NEW, choice(scenery))):
        assert pes.post(path, data=fields).status_code in (400, 403, 422), path
    (left,) = system_user_services.system_users(scenery.story, "amp", now=scenery.clock.now())
    assert left.state == "active"


def test_the_list_says_why_a_software_is_given_nothing(scenery: Scenery, ledger: Software, pes: FlaskClient) -> None:
    """Client removed, subscription withdrawn, end reached: the page says what the token endpoint does."""
    approve(scenery, days=300)
    approve(scenery, "ledger2", "008", days=1)
    client_services.revoke("ledger", actor=SYSTEM, now=scenery.clock.now())
    assert "L’organisme a retiré ce logiciel" in unescape(pes.get(LIST).text)
    scenery.clock.advance(timedelta(days=3))
    later = scenery.signed_in("pes")
    assert "Terminé" in unescape(later.get(LIST).text)

    subscription_services.withdraw(scenery.story, "amp", by=scenery.people["pes"].person_id, now=scenery.clock.now())
    db.session.rollback()
    page = unescape(later.get(LIST).text)
    assert "aucun logiciel ne peut être autorisé" in page
    assert later.get(NEW).location == LIST
