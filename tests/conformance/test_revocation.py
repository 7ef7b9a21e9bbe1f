"""Revocation (RFC 7009): a client gives up what it holds; nobody learns or ends anything else there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from idp import audit
from idp.audit.models import AuditEntry
from idp.db import db
from tests.oidc.lasting import Bound, Holder, Keyed, Program, Server
from tests.oidc.scenery import FIRM, SCOPES, SECRET, Scenery
from tests.oidc.token.test_token import events

DEAD = {"active": False}


@pytest.fixture
def server(scenery: Scenery) -> Server:
    return Server(scenery)


def is_alive(client: Holder, refresh_token: str) -> bool:
    """Tell whether a refresh token still works; of a server or a program it is used up."""
    return client.refresh(refresh_token).status_code == 200


@pytest.mark.parametrize("kind", [Server, Keyed, Program, Bound])
@pytest.mark.parametrize("which", ["refresh_token", "access_token"])
def test_either_token_ends_the_whole_grant(scenery: Scenery, kind: type[Holder], which: str) -> None:
    """§2.1: by every method of authentication; the access token is dead at userinfo, the refresh token at /token."""
    client = kind(scenery)
    told = client.tokens(scenery.browser())
    answer = client.revoke(told[which])

    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert client.userinfo(told["access_token"]).status_code == 401
    assert not is_alive(client, told["refresh_token"])
    assert client.revoke(told[which]).status_code == 200
    assert events().count("oidc:token_revoked") == 1


def test_an_access_token_without_refresh_token_is_ended_too(scenery: Scenery, server: Server) -> None:
    """The sign-in goes on, and with it the other grants."""
    browser = scenery.browser()
    one, other = server.tokens(browser, scope=SCOPES), server.tokens(browser, scope=SCOPES)
    server.revoke(one["access_token"])

    assert server.userinfo(one["access_token"]).status_code == 401
    assert server.userinfo(other["access_token"]).status_code == 200


def test_an_older_refresh_token_gives_the_family_up_as_well(scenery: Scenery, server: Server) -> None:
    """A client that lost the successor can still end it; that is no replay."""
    first = server.tokens(scenery.browser())["refresh_token"]
    second = server.refreshed(first)["refresh_token"]
    server.revoke(first)

    assert not is_alive(server, second)
    assert events().count("oidc:refresh_replayed") == 0


def test_the_hint_changes_nothing(scenery: Scenery, server: Server) -> None:
    """§2.1: a wrong or unknown one is no reason to look less."""
    for hint in ("access_token", "refresh_token", "surprise", ""):
        told = server.tokens(scenery.browser(), prompt="consent")
        assert server.revoke(told["refresh_token"], token_type_hint=hint).status_code == 200
        assert server.introspect(told["refresh_token"]) == DEAD, hint


def test_what_is_no_living_token_of_the_client_gets_200_and_ends_nothing(scenery: Scenery, server: Server) -> None:
    """§2.2: unknown, altered, over, of another kind, of another client or agency: one answer, so that nobody learns which."""
    browser = scenery.browser()
    code = server.code(browser)
    told = server.token(code).get_json()
    other, elsewhere = Server(scenery, "offline2"), Server(scenery, "offline3")
    theirs = other.token(other.code(browser, prompt="consent")).get_json()
    away = elsewhere.token(elsewhere.code(browser, "ginette", FIRM)).get_json()
    refresh_token = told["refresh_token"]
    harmless = [
        *("x", "é", "\x00", "a.b.c", SECRET, code, told["id_token"], refresh_token + "A", refresh_token[:-1]),
        *(refresh_token.upper(), told["access_token"] + "A", "x" * 60_000),
        *(theirs["refresh_token"], theirs["access_token"], away["refresh_token"], away["access_token"]),
    ]
    answers = {(answer.status_code, answer.data) for answer in map(server.revoke, harmless)}
    scenery.clock.advance(timedelta(seconds=301))
    server.revoke(told["access_token"])  # over: it ends nothing any more

    assert len(answers) == 1
    assert events().count("oidc:token_revoked") == 0
    for client, alive in ((server, told), (other, theirs), (elsewhere, away)):
        assert is_alive(client, alive["refresh_token"]), client.client_id


def test_who_proves_nothing_revokes_nothing(scenery: Scenery, server: Server) -> None:
    """§2.1: 401; a program is known by its name, and may not speak for a client that has a secret."""
    told = server.tokens(scenery.browser())
    for client in (
        Server(scenery, secret="wrong" * 10),
        Program(scenery, client_id="offline1"),
        Program(scenery, client_id="nobody"),
        Program(scenery, client_id=""),
        Server(scenery, "offline-desktop"),
    ):
        answer = client.revoke(told["refresh_token"])
        assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client"), client.client_id
    assert server.revoke(told["refresh_token"], client_id="offline2").status_code == 401

    assert Program(scenery).revoke(told["refresh_token"]).status_code == 200
    assert is_alive(server, told["refresh_token"])


def test_a_bad_request_is_json_that_nobody_keeps(scenery: Scenery, server: Server) -> None:
    """Missing or repeated token, parameters in the address, another verb, too large."""
    headers = {"Authorization": server.basic()}
    for path, form in (
        ("/revoke", {}),
        ("/revoke", {"token": ["x", "x"]}),
        ("/revoke?token=x", {"token": "x"}),
        ("/revoke", {"token": "x", "padding": "x" * 66_000}),
        ("/revoke", {"token": "x", "client_secret": SECRET}),
    ):
        answer = scenery.browser().post(path, data=form, headers=headers)
        assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request"), path
        assert answer.headers["Cache-Control"] == "no-store"

    assert scenery.browser().get("/revoke", headers=headers).status_code == 405


def test_the_log_says_who_gave_up_what(scenery: Scenery, server: Server) -> None:
    """The person and the enterprise are in the entry, and no token."""
    told = server.tokens(scenery.browser())
    server.revoke(told["access_token"])
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.event == audit.Event.TOKEN_REVOKED)).one()

    assert (entry.person_id, entry.enterprise_id) == (scenery.people["julie"].person_id, scenery.story)
    assert told["refresh_token"].split(".")[0] not in str(entry.details)
