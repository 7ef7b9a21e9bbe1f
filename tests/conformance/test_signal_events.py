"""The CAEP events of a stream: every loss of a right once, as a fresh token would say it; ended sign-ins; changed credentials."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from idp import audit
from idp.accounts.credentials import factor_services
from idp.accounts.leaving import closing_services
from idp.accounts.people import name_services
from idp.audit import SYSTEM
from idp.clock import MovableClock
from idp.db import transaction
from idp.delegation import services as delegation
from idp.delegation.people.domain.roles import Role
from idp.delegation.subscriptions import subscription_services
from idp.oidc.authorization import consent_services
from tests.oidc.listening import (
    CLAIMS_CHANGE,
    CREDENTIAL_CHANGE,
    PUSH,
    SESSION_REVOKED,
    Address,
    Listener,
    kinds,
    listening_address,
)
from tests.oidc.scenery import ISSUER, RelyingParty, Scenery, csrf_token, details, load, registration, watcher


@pytest.fixture
def listener(scenery: Scenery) -> Listener:
    return Listener(scenery)


@pytest.fixture
def address() -> Iterator[Address]:
    with listening_address() as there:
        yield there


@pytest.fixture
def logout_address(scenery: Scenery, clock: MovableClock, tmp_path: Path) -> Iterator[Address]:
    """Where the first client, which has no stream, is told of ended sessions."""
    with listening_address() as there:
        there.status = 200
        load(scenery.app, clock, tmp_path, registration("rp1", backchannel_logout_uri=there.url))
        yield there


def _by(scenery: Scenery) -> str:
    return scenery.people["pes"].person_id


def _remove_block(scenery: Scenery) -> None:
    scenery.keep_only(("008",))


def _remove_every_block(scenery: Scenery) -> None:
    scenery.keep_only(())


def _suspend_user(scenery: Scenery) -> None:
    scenery.revoke_blocks()


def _remove_user(scenery: Scenery) -> None:
    delegation.remove_member(scenery.story, scenery.memberships["julie"], by=_by(scenery), now=scenery.clock.now())


def _close_account(scenery: Scenery) -> None:
    closing_services.close(scenery.people["julie"].person_id, now=scenery.clock.now())


def _suspend_enterprise(scenery: Scenery) -> None:
    delegation.suspend_enterprise(scenery.story, actor=SYSTEM, now=scenery.clock.now())


def _withdraw_subscription(scenery: Scenery) -> None:
    subscription_services.withdraw(scenery.story, "amp", by=_by(scenery), now=scenery.clock.now())


def _reach_the_end_date(scenery: Scenery) -> None:
    scenery.clock.advance(timedelta(days=31))
    delegation.sweep_dates(scenery.clock.now())


def _be_read_after_the_end_date(scenery: Scenery) -> None:
    scenery.clock.advance(timedelta(days=31))
    delegation.authority(scenery.people["julie"].person_id, scenery.story, "amp", scenery.clock.now())


PATHS: dict[str, tuple[Callable[[Scenery], None], str]] = {
    "a block": (_remove_block, "admin"),
    "every block": (_remove_every_block, "admin"),
    "a suspended user": (_suspend_user, "admin"),
    "a removed user": (_remove_user, "admin"),
    "a closed account": (_close_account, "admin"),
    "a suspended enterprise": (_suspend_enterprise, "admin"),
    "a subscription": (_withdraw_subscription, "admin"),
    "an end date, swept": (_reach_the_end_date, "policy"),
    "an end date, read": (_be_read_after_the_end_date, "policy"),
}


@pytest.mark.parametrize(
    ("asked", "claims", "blocks"),
    [
        ({"scope": "openid"}, None, None),
        ({"scope": "openid enterprise"}, {"enterprise", "representation"}, None),
        (
            {"scope": "openid", "authorization_details": details({"privileges": ["001", "018"]})},
            {"enterprise", "representation", "functional_blocks"},
            ["018"],
        ),
        (
            {"scope": "openid functional_blocks", "authorization_details": details({"privileges": ["008"]})},
            {"enterprise", "representation", "functional_blocks"},
            ["008"],
        ),
        (
            {"scope": "openid functional_blocks"},
            {"enterprise", "representation", "functional_blocks"},
            ["008", "018"],
        ),
    ],
)
def test_an_event_tells_no_more_than_the_person_agreed_to(
    listener: Listener, rp: RelyingParty, asked: dict[str, str], claims: set[str] | None, blocks: list[str] | None
) -> None:
    """The stream's client may have every scope: what it hears of a person is what that person consented to, block by block."""
    scenery, stream = listener.scenery, listener.create()
    scenery.keep_only(("001", "008", "018"))
    rp.tokens(scenery.browser(), **asked)
    listener.events(stream)

    scenery.keep_only(("008", "018"))

    told = [
        each["events"][CLAIMS_CHANGE]["claims"] for each in listener.events(stream) if kinds([each]) == [CLAIMS_CHANGE]
    ]
    if claims is None:
        assert told == []
        return
    (heard,) = told
    assert heard.keys() == claims
    assert heard.get("functional_blocks") == blocks


@pytest.mark.parametrize("path", PATHS)
def test_every_loss_of_a_right_is_told_once_as_a_fresh_token_tells_it(
    listener: Listener, rp: RelyingParty, path: str
) -> None:
    """Claims §Signals and invariant 7: one event for each change, whatever the path; and the version has grown."""
    lose, by = PATHS[path]
    scenery, stream = listener.scenery, listener.create()
    before = rp.read(rp.tokens(scenery.browser())["id_token"])
    listener.events(stream)
    lose(scenery)
    delegation.sweep_dates(scenery.clock.now())

    (event,) = (
        each for each in listener.events(stream) if kinds([each]) == [CLAIMS_CHANGE]
    )  # a sign-in may end as well

    removal = next(each for each in delegation.removals(scenery.story) if each.id == event["txn"])
    assert (removal.person_id, removal.confirmed_at) == (scenery.people["julie"].person_id, scenery.clock.now())
    content = event["events"][CLAIMS_CHANGE]
    assert event["sub_id"] == {"format": "iss_sub", "iss": ISSUER, "sub": before["sub"]}
    assert content["initiating_entity"] == by
    assert content["claims"]["representation"]["version"] > before["representation"]["version"]
    fresh = _fresh_claims(scenery, rp)
    if fresh is None:  # nothing may be issued any more: no role and no block is told
        status = "suspended" if path == "a suspended enterprise" else "active"
        assert content["claims"]["representation"].keys() == {"version"}
        assert content["claims"]["functional_blocks"] == []
        assert content["claims"]["enterprise"] == before["enterprise"] | {"status": status}
    else:
        assert content["claims"] == fresh


def _fresh_claims(scenery: Scenery, rp: RelyingParty) -> dict[str, Any] | None:
    """Sign in anew, and return what the ID token says of rights; None when no token can be had."""
    if delegation.authority(scenery.people["julie"].person_id, scenery.story, "amp", scenery.clock.now()) is None:
        return None
    claims = rp.read(rp.tokens(scenery.browser())["id_token"])
    return {name: claims[name] for name in ("enterprise", "representation", "functional_blocks")}


def test_two_losses_are_two_events_in_the_order_of_their_versions(listener: Listener, rp: RelyingParty) -> None:
    """Each is told once; what was only given is not told; a receiver that compares versions is never misled."""
    scenery, stream = listener.scenery, listener.create()
    rp.tokens(scenery.browser())
    scenery.keep_only(("008",))
    (first,) = listener.events(stream)
    scenery.keep_only(("001", "008"))
    assert listener.events(stream) == []
    scenery.keep_only(())
    (second,) = listener.events(stream)

    told = [event["events"][CLAIMS_CHANGE]["claims"] for event in (first, second)]
    assert [each["functional_blocks"] for each in told] == [["008"], []]
    assert told[0]["representation"]["version"] < told[1]["representation"]["version"]


def test_a_second_fan_out_of_a_removal_tells_nothing_new(listener: Listener, rp: RelyingParty) -> None:
    """A worker that died between writing and noting doubles nothing."""
    from idp.oidc.logout.logout_services import fan_out_rights_removed

    scenery, stream = listener.scenery, listener.create()
    rp.tokens(scenery.browser())
    _remove_block(scenery)
    listener.deliver()
    (removal,) = delegation.removals(scenery.story)
    payload = {"removal_id": removal.id, "person_id": removal.person_id, "enterprise_id": scenery.story}
    fan_out_rights_removed(payload | {"agency_id": "amp"}, scenery.clock.now())

    assert len(listener.events(stream)) == 1
    assert delegation.removals(scenery.story)[0].sessions == 1


def test_a_consent_that_ends_with_the_account_still_lets_the_agency_hear(listener: Listener, rp: RelyingParty) -> None:
    """No session is open any more, the consent ends with the right: the agency knew the person when it did."""
    scenery, stream = listener.scenery, listener.create()
    rp.tokens(scenery.browser())
    scenery.clock.advance(timedelta(hours=13))
    listener.events(stream)
    _close_account(scenery)

    told = [kind for kind in kinds(listener.events(stream)) if kind == CLAIMS_CHANGE]

    assert told == [CLAIMS_CHANGE]
    (removal,) = delegation.removals(scenery.story)
    assert removal.confirmed_at == scenery.clock.now()


def test_an_agency_does_not_hear_of_somebody_who_withdrew_before(listener: Listener, rp: RelyingParty) -> None:
    """A consent withdrawn earlier is over: the right that ends later is not told."""
    scenery, stream = listener.scenery, listener.create()
    rp.tokens(scenery.browser())
    julie = scenery.people["julie"].person_id
    consent_services.withdraw(person_id=julie, enterprise_id=scenery.story, agency_id="amp", now=scenery.clock.now())
    scenery.clock.advance(timedelta(hours=13))
    listener.events(stream)
    _close_account(scenery)

    assert CLAIMS_CHANGE not in kinds(listener.events(stream))


@pytest.mark.parametrize(
    "scope", ["openid enterprise functional_blocks profile", "openid enterprise functional_blocks"]
)
def test_a_corrected_name_is_told_to_who_may_know_it(listener: Listener, rp: RelyingParty, scope: str) -> None:
    """Beside rights as they are, at the same version: a receiver that compares versions does nothing; others never hear."""
    scenery, stream = listener.scenery, listener.create()
    before = rp.read(rp.tokens(scenery.browser(), scope=scope)["id_token"])
    listener.events(stream)
    julie, at = scenery.people["julie"].person_id, scenery.clock.now()
    name_services.change(julie, given_name="", family_name="Pontneuf", now=at)

    told = listener.events(stream)

    if "profile" not in scope:
        assert told == []
        return
    (event,) = told
    content = event["events"][CLAIMS_CHANGE]
    assert content["initiating_entity"] == "user"
    rights = {name: before[name] for name in ("enterprise", "representation", "functional_blocks")}
    assert content["claims"] == rights | {"name": "Pontneuf", "family_name": "Pontneuf"}
    told_now = rp.userinfo(rp.tokens(scenery.browser(), scope=scope)["access_token"]).get_json()
    assert told_now["name"] == told_now["family_name"] == "Pontneuf"
    assert "given_name" not in told_now


# Who hears


def test_nobody_is_told_to_an_agency_that_does_not_know_them(listener: Listener) -> None:
    """A person who never signed in there is not told of; the removal is confirmed at once: no session was open."""
    stream = listener.create()
    _remove_block(listener.scenery)

    assert listener.events(stream) == []
    (removal,) = delegation.removals(listener.scenery.story)
    assert removal.sessions == 0


def test_another_agency_hears_nothing(
    listener: Listener, rp: RelyingParty, clock: MovableClock, tmp_path: Path
) -> None:
    """A stream hears of its own agency only; and the same person has another name there."""
    scenery = listener.scenery
    load(scenery.app, clock, tmp_path, watcher("neighbour", agency="bac"))
    neighbour = Listener(scenery, "neighbour")
    ours, theirs = listener.create(), neighbour.create()
    rp.tokens(scenery.browser())
    _remove_block(scenery)

    assert kinds(listener.events(ours)) == [CLAIMS_CHANGE]
    assert neighbour.events(theirs) == []
    browser = scenery.browser()
    here, there = rp.read(rp.tokens(browser)["id_token"]), neighbour.rp.read(neighbour.rp.tokens(browser)["id_token"])
    _end_sign_in(browser)
    (ended,) = listener.events(ours)
    (ended_there,) = neighbour.events(theirs)
    assert (ended["sub_id"]["user"]["sub"], ended_there["sub_id"]["user"]["sub"]) == (here["sub"], there["sub"])
    assert here["sub"] != there["sub"]


def test_what_a_client_may_not_know_is_not_told(
    scenery: Scenery, rp: RelyingParty, clock: MovableClock, tmp_path: Path
) -> None:
    """A registration without the scopes of rights supports no event about them; with one scope, that scope's claims only."""
    load(
        scenery.app,
        clock,
        tmp_path,
        watcher("blind", grant_types=["client_credentials"], redirect_uris=[], scope="ssf.manage ssf.read"),
        watcher("half", scope="openid enterprise ssf.manage ssf.read"),
    )
    blind, half = Listener(scenery, "blind"), Listener(scenery, "half")
    told, half_stream = blind.create(events_requested=[CLAIMS_CHANGE]), half.create()
    rp.tokens(scenery.browser())
    _remove_block(scenery)

    assert CLAIMS_CHANGE not in told["events_supported"]
    assert told["events_delivered"] == []
    assert blind.events(told) == []
    (event,) = half.events(half_stream)
    assert event["events"][CLAIMS_CHANGE]["claims"].keys() == {"enterprise", "representation"}


def test_only_what_was_requested_is_delivered(listener: Listener, rp: RelyingParty) -> None:
    """events_requested narrows; a stream that does not carry the change leaves back-channel logout to do it."""
    stream = listener.create(events_requested=[SESSION_REVOKED])
    browser = listener.scenery.browser()
    rp.tokens(browser)
    _remove_block(listener.scenery)
    assert listener.events(stream) == []
    _end_sign_in(browser)

    assert kinds(listener.events(stream)) == [SESSION_REVOKED]


def test_a_removed_subject_is_not_told_until_added_again(listener: Listener, rp: RelyingParty) -> None:
    """SSF 1.0 §8.1.3: the receiver's own choice, for one person."""
    scenery, stream = listener.scenery, listener.create()
    sub = rp.read(rp.tokens(scenery.browser())["id_token"])["sub"]
    asked = {"stream_id": stream["stream_id"], "subject": {"format": "iss_sub", "iss": ISSUER, "sub": sub}}
    listener.call("POST", "/ssf/subjects/remove", asked)
    scenery.keep_only(("008",))
    assert listener.events(stream) == []
    listener.call("POST", "/ssf/subjects/add", asked)
    scenery.keep_only(())

    assert kinds(listener.events(stream)) == [CLAIMS_CHANGE]


def test_a_client_that_may_listen_no_more_hears_nothing(
    listener: Listener, rp: RelyingParty, clock: MovableClock, tmp_path: Path
) -> None:
    """Its stream is still there; nothing is written on it."""
    listener.create()
    rp.tokens(listener.scenery.browser())
    load(listener.scenery.app, clock, tmp_path, registration("watcher"))
    _remove_block(listener.scenery)
    listener.deliver()

    assert delegation.removals(listener.scenery.story)[0].sessions == 0


# A stream and back-channel logout (decisions.md §18)


def _both_ways(listener: Listener, clock: MovableClock, tmp_path: Path, logout: Address) -> None:
    """Have the client with the stream be told of ended sessions as well."""
    load(listener.scenery.app, clock, tmp_path, watcher("watcher", backchannel_logout_uri=logout.url))


def test_an_event_replaces_the_logout_of_its_own_client_only(
    listener: Listener, rp: RelyingParty, address: Address, logout_address: Address
) -> None:
    """Decisions §18: the client with the stream keeps its session; another client of the agency is told as before."""
    scenery = listener.scenery
    stream = listener.create(address)
    rp.tokens(scenery.browser())
    listener.rp.tokens(scenery.browser())
    _remove_block(scenery)
    listener.deliver()

    assert [kinds([listener.read(token)]) for token in address.tokens] == [[CLAIMS_CHANGE]]
    assert len(logout_address.received) == 1
    assert delegation.removals(scenery.story)[0].sessions == 2
    assert stream["delivery"]["method"] == PUSH


def test_a_client_with_a_stream_gets_no_logout_token_for_a_right(
    listener: Listener, address: Address, logout_address: Address, clock: MovableClock, tmp_path: Path
) -> None:
    """The session goes on with fewer rights, and ends with the sign-in: then both ways tell it."""
    _both_ways(listener, clock, tmp_path, logout_address)
    listener.create(address)
    browser = listener.scenery.browser()
    listener.rp.tokens(browser)
    _remove_block(listener.scenery)
    listener.deliver()
    assert (len(address.received), len(logout_address.received)) == (1, 0)
    _end_sign_in(browser)
    listener.deliver()

    assert (len(address.received), len(logout_address.received)) == (2, 1)


def test_the_removal_is_confirmed_when_the_receiver_has_the_event(
    listener: Listener, rp: RelyingParty, address: Address
) -> None:
    """202 is the confirmation, not the sending; a receiver that is down confirms nothing."""
    scenery = listener.scenery
    listener.create(address)
    rp.tokens(scenery.browser())
    address.status = 503
    _remove_block(scenery)
    listener.deliver()
    assert delegation.removals(scenery.story)[0].confirmed_at is None
    address.status = 202
    scenery.clock.advance(timedelta(seconds=2))
    listener.deliver()

    (removal,) = delegation.removals(scenery.story)
    assert (removal.confirmed_at, removal.sessions) == (scenery.clock.now(), 1)
    sent = [entry for entry in audit.entries(limit=50) if entry.event == audit.Event.SIGNAL_SENT.value]
    assert len(sent) == 1


def test_a_polled_removal_is_confirmed_by_the_acknowledgement(listener: Listener, rp: RelyingParty) -> None:
    """Giving an event to a poll proves nothing; acknowledging it does, once."""
    scenery, stream = listener.scenery, listener.create()
    rp.tokens(scenery.browser())
    _remove_block(scenery)
    listener.deliver()
    (jti,) = listener.poll(stream)["sets"]
    assert delegation.removals(scenery.story)[0].confirmed_at is None
    scenery.clock.advance(timedelta(seconds=1))
    acknowledged = scenery.clock.now()
    for _ in range(2):
        listener.poll(stream, ack=[jti])
        scenery.clock.advance(timedelta(seconds=1))

    listener.deliver()  # and the reader begins anew
    assert delegation.removals(scenery.story)[0].confirmed_at == acknowledged


def test_another_client_cannot_acknowledge(
    listener: Listener, rp: RelyingParty, clock: MovableClock, tmp_path: Path
) -> None:
    """An identifier of another stream is not one of mine."""
    scenery = listener.scenery
    load(scenery.app, clock, tmp_path, watcher("second"))
    second = Listener(scenery, "second")
    ours, theirs = listener.create(), second.create(events_requested=[])
    rp.tokens(scenery.browser())
    _remove_block(scenery)
    listener.deliver()
    sets = list(listener.poll(ours)["sets"])
    second.poll(theirs, ack=sets, setErrs={sets[0]: {"err": "invalid_key"}})

    assert list(listener.poll(ours)["sets"]) == sets
    assert delegation.removals(scenery.story)[0].confirmed_at is None


@pytest.mark.parametrize("way", ["paused", "disabled", "deleted", "refused", "paused before"])
def test_a_removal_that_a_stream_will_not_tell_is_told_by_logout(
    listener: Listener, logout_address: Address, clock: MovableClock, tmp_path: Path, way: str
) -> None:
    """Whatever becomes of the stream, an open session of its client hears: the event it would have had is replaced."""
    _both_ways(listener, clock, tmp_path, logout_address)
    scenery, stream = listener.scenery, listener.create()
    listener.rp.tokens(scenery.browser())
    if way == "paused before":
        listener.set_status(stream, "paused")
    _remove_block(scenery)
    listener.deliver()
    if way == "refused":
        (jti,) = listener.poll(stream)["sets"]
        listener.poll(stream, setErrs={jti: {"err": "invalid_key"}})
    elif way == "deleted":
        listener.call("DELETE", f"/ssf/streams?stream_id={stream['stream_id']}")
    elif way != "paused before":
        listener.set_status(stream, way)
    listener.deliver()

    assert len(logout_address.received) == 1
    assert delegation.removals(scenery.story)[0].sessions == 1
    if way.startswith("paused"):  # and the event is told when the pause is over
        listener.set_status(stream, "enabled")
        assert kinds(listener.events(stream)) == [CLAIMS_CHANGE]


def test_without_another_way_a_pause_confirms_nothing(listener: Listener, rp: RelyingParty) -> None:
    """The event waits, and the removal with it."""
    scenery, stream = listener.scenery, listener.create()
    rp.tokens(scenery.browser())
    _remove_block(scenery)
    listener.deliver()
    listener.set_status(stream, "paused")
    listener.deliver()
    assert delegation.removals(scenery.story)[0].confirmed_at is None
    listener.set_status(stream, "enabled")
    listener.events(stream)

    assert delegation.removals(scenery.story)[0].sessions == 1


# Sign-ins and credentials


def _end_sign_in(browser: Any) -> None:
    page = browser.get("/end-session")
    browser.post("/end-session/confirm", data={"csrf_token": csrf_token(page.text)})


def test_the_end_of_a_sign_in_is_told_with_its_session(listener: Listener, rp: RelyingParty) -> None:
    """CAEP 1.0 §3.1: the person and the sign-in, as a complex subject; once, however many clients it served."""
    scenery, stream = listener.scenery, listener.create()
    browser = scenery.browser()
    claims = rp.read(rp.tokens(browser)["id_token"])
    listener.rp.tokens(browser)
    _end_sign_in(browser)

    (event,) = listener.events(stream)

    assert event["sub_id"] == {
        "format": "complex",
        "user": {"format": "iss_sub", "iss": ISSUER, "sub": claims["sub"]},
        "session": {"format": "opaque", "id": claims["sid"]},
    }
    assert event["events"] == {SESSION_REVOKED: {"event_timestamp": int(scenery.clock.now().timestamp())}}


def test_a_sign_in_that_no_client_knew_is_not_told(listener: Listener) -> None:
    """Nobody signed in through this agency: its stream is silent."""
    stream = listener.create()
    _end_sign_in(listener.scenery.signed_in("julie"))

    assert listener.events(stream) == []


def test_a_withdrawn_consent_ends_the_session_and_then_silence(listener: Listener, rp: RelyingParty) -> None:
    """The session is told as over; afterwards the agency does not know the person any more."""
    scenery, stream = listener.scenery, listener.create()
    browser = scenery.browser()
    rp.tokens(browser)
    form = {"csrf_token": csrf_token(browser.get("/consents").text), "agency": "amp", "enterprise": scenery.story}
    browser.post("/consents", data=form)
    assert kinds(listener.events(stream)) == [SESSION_REVOKED]
    scenery.clock.advance(timedelta(hours=13))
    scenery.keep_only(("008",))

    assert listener.events(stream) == []


def test_a_changed_credential_is_told_where_the_person_is_known(listener: Listener, rp: RelyingParty) -> None:
    """CAEP 1.0 §3.3: a password and an application, by their names there; before the first sign-in nobody hears."""
    scenery, stream = listener.scenery, listener.create()
    person = scenery.people["julie"].person_id

    def change() -> None:
        with transaction():
            factor_services.notify_credential_change(person, "password", "update", now=scenery.clock.now())
            factor_services.notify_credential_change(person, "totp", "revoke", now=scenery.clock.now())

    change()
    assert listener.events(stream) == []
    sub = rp.read(rp.tokens(scenery.browser())["id_token"])["sub"]
    change()

    events = listener.events(stream)

    assert {event["sub_id"]["sub"] for event in events} == {sub}
    contents = [event["events"][CREDENTIAL_CHANGE] for event in events]
    assert sorted((each["credential_type"], each["change_type"]) for each in contents) == [
        ("app", "revoke"),
        ("password", "update"),
    ]


def test_the_mandatary_hears_for_the_enterprise_that_lost(listener: Listener, rp: RelyingParty) -> None:
    """A person of two enterprises: the event names the one concerned, and the other is not told of."""
    scenery, stream = listener.scenery, listener.create()
    claims = rp.read(rp.tokens(scenery.browser(), "ginette", "3300000018")["id_token"])
    rp.tokens(scenery.browser(), "ginette")
    scenery.keep_only((), "ginette")

    (event,) = listener.events(stream)

    told = event["events"][CLAIMS_CHANGE]["claims"]
    assert claims["enterprise"]["id"] == "neq:3300000018"
    assert (told["enterprise"]["id"], told["functional_blocks"]) == ("neq:1100000455", [])
    assert told["representation"]["role"] == Role.USER.value


@pytest.mark.databases
def test_a_removal_goes_through_on_both_databases(listener: Listener, rp: RelyingParty, address: Address) -> None:
    """From the matrix to the 202, and a poll after that: nothing is left."""
    scenery, stream = listener.scenery, listener.create(address)
    rp.tokens(scenery.browser())
    _remove_block(scenery)
    listener.deliver()
    named = {"stream_id": stream["stream_id"]}
    polled = listener.call("PUT", "/ssf/streams", named).get_json()

    assert delegation.removals(scenery.story)[0].sessions == 1
    assert listener.poll(polled)["sets"] == {}
    assert listener.call("DELETE", f"/ssf/streams?stream_id={stream['stream_id']}").status_code == 204
