"""What decides on a code or a token is read in the transaction that writes it, under the lock of what can take it away."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, text

from idp.accounts import services as accounts
from idp.accounts.leaving import closing_services
from idp.audit import SYSTEM, Actor
from idp.db import db
from idp.delegation import services as delegation
from idp.delegation.people.domain.roles import Role
from idp.oidc.authorization import consent_services
from idp.oidc.clients import client_services
from tests.accounts.crossings import crossing
from tests.oidc.lasting import Keyed, Server
from tests.oidc.scenery import STORY, RelyingParty, Scenery, details

pytestmark = [pytest.mark.race, pytest.mark.databases]
READ = "SELECT consent"  # first to decide on the page, again where the code is written
WRITTEN = "INSERT INTO authorization_grant"
DONE = "SELECT 1 AS done"
ASKED = {
    "scope": "openid enterprise functional_blocks",
    "authorization_details": details({"privileges": ["007"], "identifier": f"neq:{STORY}"}),
}


def julie(scenery: Scenery) -> str:
    return scenery.people["julie"].person_id


def withdraw(scenery: Scenery) -> None:
    assert consent_services.withdraw(
        person_id=julie(scenery), enterprise_id=scenery.story, agency_id="amp", now=scenery.clock.now()
    )


def remove(scenery: Scenery) -> None:
    by = scenery.people["pes"].person_id
    assert delegation.remove_member(scenery.story, scenery.memberships["ginette"], by=by, now=scenery.clock.now())


def engage_again(scenery: Scenery) -> None:
    person = scenery.people["ginette"].person_id
    code = accounts.issue_user_code(person, now=scenery.clock.now())
    delegation.appoint(scenery.story, person, Role.USER, user_code=code.signs, actor=SYSTEM, now=scenery.clock.now())


def leave_the_browser(scenery: Scenery) -> None:
    accounts.end_sign_ins_of(julie(scenery), now=scenery.clock.now())


def freeze(scenery: Scenery) -> None:
    assert accounts.freeze(julie(scenery), actor=Actor.person(julie(scenery)), now=scenery.clock.now())


def thaw(scenery: Scenery) -> None:
    assert accounts.thaw(julie(scenery), actor=Actor.person(julie(scenery)), now=scenery.clock.now())


def close(scenery: Scenery) -> None:
    closing_services.close(julie(scenery), now=scenery.clock.now())


def remove_client(scenery: Scenery) -> None:
    assert client_services.revoke("rp1", actor=SYSTEM, now=scenery.clock.now())


def nothing(_: Scenery) -> None:
    """What was taken away does not come back."""


TAKEN_AWAY = {
    "consent": (withdraw, nothing),
    "membership": (remove, engage_again),
    "session": (leave_the_browser, nothing),
    "access": (freeze, thaw),
    "account": (close, nothing),
    "client": (remove_client, nothing),
}
WHO = {"membership": "ginette"}  # she belongs elsewhere too: her sign-in goes on


@pytest.mark.parametrize("what", TAKEN_AWAY)
def test_what_is_taken_away_while_a_silent_request_is_decided_gives_nothing(
    scenery: Scenery, rp: RelyingParty, what: str
) -> None:
    """The request has found everything in place; it is taken away, acknowledged, and even given back: no code works."""
    take, give_back = TAKEN_AWAY[what]
    browser = scenery.browser()
    rp.code(browser, WHO.get(what, "julie"), **ASKED)

    def take_and_say() -> None:
        take(scenery)
        db.session.execute(text(DONE))

    answer, taken = crossing(
        scenery.app, (READ, lambda: rp.authorize(browser, prompt="none", **ASKED)), (DONE, take_and_say)
    )

    assert taken is None
    give_back(scenery)
    assert not gives_tokens(rp, answer)


@pytest.mark.parametrize("what", ["consent", "membership", "client"])
def test_a_code_written_first_dies_with_what_it_rests_on(scenery: Scenery, rp: RelyingParty, what: str) -> None:
    """The request holds what it decided on; whoever takes it away waits, and then finds the new grant among those to end."""
    take, give_back = TAKEN_AWAY[what]
    browser = scenery.browser()
    rp.code(browser, WHO.get(what, "julie"), **ASKED)

    is_written = threading.Event()

    @event.listens_for(db.engine, "after_cursor_execute")
    def see(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement.startswith(WRITTEN):
            is_written.set()

    def take_and_say() -> None:
        assert is_written.wait(10)
        take(scenery)
        db.session.execute(text(DONE))

    answer, taken = crossing(
        scenery.app,
        (WRITTEN, lambda: rp.authorize(browser, prompt="none", **ASKED)),
        (DONE, take_and_say),
    )

    assert taken is None
    give_back(scenery)
    assert "code=" in str(answer.location)  # type: ignore[attr-defined]
    assert not gives_tokens(rp, answer)


@pytest.mark.parametrize("so_far", ["SELECT authorization_grant", "UPDATE authorization_grant"])
def test_a_token_that_meets_a_withdrawal_is_dead(scenery: Scenery, so_far: str) -> None:
    """A redemption, and a refresh whose token does not rotate: whichever comes first, userinfo answers nothing afterwards."""
    server, keyed, browser = Server(scenery), Keyed(scenery), scenery.browser()
    code, lasting = server.code(browser), keyed.tokens(browser, prompt="consent")
    is_refresh = so_far.startswith("SELECT")
    act: Callable[[], Any] = (
        (lambda: keyed.refresh(lasting["refresh_token"])) if is_refresh else (lambda: server.token(code))
    )

    answer, withdrawn = crossing(scenery.app, (so_far, act), ("UPDATE consent", lambda: withdraw(scenery)))

    assert withdrawn is None
    told = answer.get_json()  # type: ignore[attr-defined]
    assert "access_token" not in told or server.userinfo(told["access_token"]).status_code == 401
    assert server.token(code).status_code == 400
    assert keyed.refresh(lasting["refresh_token"]).status_code == 400


def test_a_consent_given_while_its_person_leaves_counts_for_nothing(scenery: Scenery, rp: RelyingParty) -> None:
    """The page was shown before: whoever is engaged again is asked again."""
    browser = scenery.signed_in("ginette")
    place = rp.authorize(browser, **ASKED).location

    def leave_and_say() -> None:
        remove(scenery)
        db.session.execute(text(DONE))

    crossing(
        scenery.app,
        ("SELECT enterprise", lambda: scenery.press(browser, place, answer="allow")),
        (DONE, leave_and_say),
    )

    engage_again(scenery)
    assert consent_services.of_person(scenery.people["ginette"].person_id) == ()


def gives_tokens(rp: RelyingParty, answer: Any) -> bool:
    """Tell whether an answer holds a code, and that code gives a token that works."""
    if "code=" not in (answer.location or ""):
        return False
    told = rp.token(rp.answer(answer)["code"])
    return told.status_code == 200 and rp.userinfo(told.get_json()["access_token"]).status_code == 200
