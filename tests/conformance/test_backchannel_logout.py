"""The OIDF Back-Channel Logout plan (prefix ``oidcc-backchannel``), and the same token for a right that was removed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jwt as pyjwt
import pytest
from sqlalchemy import select

from idp.clock import MovableClock
from idp.db import db
from idp.delegation import services as delegation
from idp.notices.services import deliver_due
from idp.oidc.models import LogoutRow
from tests.oidc.lasting import OFFLINE_SCOPES, Server, signed_out, unverified
from tests.oidc.scenery import RelyingParty, Scenery, csrf_token, load, registration

EVENT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass
class Receiver:
    """An agency's back-channel address: a real HTTP server on loopback."""

    status: int = 200
    received: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)
    url: str = ""

    @property
    def tokens(self) -> list[str]:
        return [dict(form)["logout_token"] for _, form in self.received]


@pytest.fixture
def receiver(scenery: Scenery, clock: MovableClock, tmp_path: Path) -> Iterator[Receiver]:
    there = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            there.received.append((self.headers["Content-Type"], parse_qsl(body, strict_parsing=True)))
            self.send_response(there.status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    there.url = f"http://127.0.0.1:{server.server_port}/logout"
    load(scenery.app, clock, tmp_path, registration("rp1", backchannel_logout_uri=there.url))
    yield there
    server.shutdown()
    thread.join()
    server.server_close()


def deliver(scenery: Scenery) -> None:
    while deliver_due(scenery.clock.now()):
        pass


def test_discovery_says_so(scenery: Scenery) -> None:
    """backchannel-logout-discovery-endpoint-verification: both flags and the end_session endpoint."""
    told = scenery.browser().get("/.well-known/openid-configuration").get_json()

    assert told["backchannel_logout_supported"] is True
    assert told["backchannel_logout_session_supported"] is True
    assert told["end_session_endpoint"].endswith("/end-session")


def test_signing_out_reaches_the_client(scenery: Scenery, rp: RelyingParty, receiver: Receiver) -> None:
    """backchannel-rp-initiated-logout: the token's form, signed as the ID token, with its sub and sid, no nonce; once."""
    browser = scenery.browser()
    identity = rp.read(rp.tokens(browser)["id_token"])
    page = browser.get("/end-session")
    browser.post("/end-session/confirm", data={"csrf_token": csrf_token(page.text)})

    deliver(scenery)

    ((media_type, form),) = receiver.received
    assert media_type == "application/x-www-form-urlencoded"
    assert [name for name, _ in form] == ["logout_token"]
    (token,) = receiver.tokens
    assert pyjwt.get_unverified_header(token)["typ"] == "logout+jwt"
    claims = rp.read(token, "RS256")
    assert set(claims) == {"iss", "sub", "aud", "iat", "exp", "jti", "sid", "events"}
    assert (claims["sub"], claims["sid"], claims["aud"]) == (identity["sub"], identity["sid"], "rp1")
    assert claims["events"] == {EVENT: {}}
    assert claims["exp"] - claims["iat"] <= 120
    assert rp.answer(rp.authorize(browser, prompt="none"))["error"] == "login_required"


@pytest.mark.databases
def test_a_removed_right_reaches_the_client_and_is_confirmed(
    scenery: Scenery, rp: RelyingParty, receiver: Receiver
) -> None:
    """Decisions §18: one token per session concerned; the removal is confirmed when the last client knows."""
    first, second = scenery.browser(), scenery.browser()
    sids = {rp.read(rp.tokens(browser)["id_token"])["sid"] for browser in (first, second)}
    rp.tokens(scenery.browser(), "pes")
    scenery.keep_only(("008",))

    deliver(scenery)

    assert {rp.read(token)["sid"] for token in receiver.tokens} == sids
    (removal,) = delegation.removals(scenery.story)
    assert (removal.sessions, removal.confirmed_at) == (2, scenery.clock.now())
    fresh = rp.read(rp.tokens(first)["id_token"])
    assert fresh["functional_blocks"] == ["008"]
    assert fresh["representation"]["version"] == removal.version


def test_a_removal_without_any_session_is_confirmed_at_once(scenery: Scenery, receiver: Receiver) -> None:
    scenery.keep_only(("001",))
    deliver(scenery)

    (removal,) = delegation.removals(scenery.story)
    assert (removal.sessions, receiver.received) == (0, [])


def test_an_agency_that_fails_is_tried_again_and_confirms_nothing_meanwhile(
    scenery: Scenery, rp: RelyingParty, receiver: Receiver
) -> None:
    """At least once, with a fresh token each time."""
    receiver.status = 500
    rp.tokens(scenery.browser())
    scenery.revoke_blocks()
    deliver(scenery)
    assert delegation.removals(scenery.story)[0].confirmed_at is None
    receiver.status = 200
    scenery.clock.advance(timedelta(seconds=2))

    deliver(scenery)

    assert delegation.removals(scenery.story)[0].sessions == 1
    assert len({rp.read(token)["jti"] for token in receiver.tokens[-1:]} | {receiver.tokens[0]}) == 2


def test_a_session_is_told_once(scenery: Scenery, rp: RelyingParty, receiver: Receiver) -> None:
    """What was ended is not ended again by the next removal or by signing out; a new session is."""
    browser = scenery.browser()
    rp.tokens(browser)
    scenery.keep_only(("008",))
    deliver(scenery)
    scenery.keep_only(())
    deliver(scenery)
    assert len(receiver.tokens) == 1
    rp.tokens(browser)
    browser.post("/end-session/confirm", data={"csrf_token": csrf_token(browser.get("/end-session").text)})

    deliver(scenery)

    assert len(receiver.tokens) == 2


def test_withdrawing_a_consent_ends_the_sessions_there(scenery: Scenery, rp: RelyingParty, receiver: Receiver) -> None:
    browser = scenery.browser()
    rp.tokens(browser)
    form = {"csrf_token": csrf_token(browser.get("/consents").text), "agency": "amp", "enterprise": scenery.story}
    browser.post("/consents", data=form)

    deliver(scenery)

    assert len(receiver.tokens) == 1


def test_a_second_fan_out_of_the_same_cause_writes_nothing(
    scenery: Scenery, rp: RelyingParty, receiver: Receiver
) -> None:
    """A worker that died between sending and noting does not double the notices."""
    from idp.oidc.logout.logout_services import fan_out_sign_in_ended

    sid = rp.read(rp.tokens(scenery.browser())["id_token"])["sid"]
    for _ in range(2):
        fan_out_sign_in_ended({"sid": sid, "person_id": scenery.people["julie"].person_id}, scenery.clock.now())

    assert len(db.session.scalars(select(LogoutRow.id)).all()) == 1


def test_a_removed_right_reaches_who_holds_offline_access(scenery: Scenery, receiver: Receiver, tmp_path: Path) -> None:
    """Days after the person signed out the agency still holds their grant: it is told of each removal, until it gives it up."""
    server = Server(scenery)
    told = {"scope": OFFLINE_SCOPES, "grant_types": ["authorization_code", "refresh_token"]}
    load(scenery.app, scenery.clock, tmp_path, registration("offline1", backchannel_logout_uri=receiver.url, **told))
    browser = scenery.browser()
    held = server.tokens(browser)
    signed_out(scenery, browser)
    deliver(scenery)
    for _ in range(2):
        scenery.clock.advance(timedelta(days=1))
        receiver.received.clear()
        scenery.keep_only(("001",))
        deliver(scenery)
        (claims,) = (server.read(token) for token in receiver.tokens)
        assert claims["sid"] == unverified(held["id_token"])["sid"]
        scenery.keep_only(("001", "008"))

    server.revoke(held["refresh_token"])
    scenery.clock.advance(timedelta(seconds=1))  # what was held within the second of a removal counts as held
    receiver.received.clear()
    scenery.keep_only(("008",))
    deliver(scenery)
    assert receiver.received == []
