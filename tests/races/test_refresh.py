"""R-2: one refresh token, sixteen uses at once, on both databases: one living descendant or none, never two."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from werkzeug.test import TestResponse

from idp.db import db
from tests.oidc.lasting import Bound, Server
from tests.oidc.scenery import Scenery
from tests.oidc.token.test_token import events

pytestmark = [pytest.mark.race, pytest.mark.databases, pytest.mark.bar("R-2")]

MANY = 16


def at_once(*acts: Callable[[], TestResponse]) -> list[tuple[int, dict[str, Any]]]:
    """Run *acts* in as many threads, begun together."""
    db.session.remove()
    together = threading.Barrier(len(acts))

    def run(act: Callable[[], TestResponse]) -> tuple[int, dict[str, Any]]:
        together.wait()
        answer = act()
        return answer.status_code, answer.get_json()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


def test_one_token_used_by_many_gives_one_answer_and_ends_the_family(scenery: Scenery) -> None:
    """Every loser is invalid_grant, none a 500; two hold the token, so the winner's is dead too; one entry in the log."""
    client = Server(scenery)
    token = client.tokens(scenery.browser())["refresh_token"]
    answers = at_once(*[lambda: client.refresh(token)] * MANY)

    won = [told for status, told in answers if status == 200]
    lost = [(status, told["error"]) for status, told in answers if status != 200]
    assert len(won) == 1
    assert lost == [(400, "invalid_grant")] * (MANY - 1)
    assert client.refresh(won[0]["refresh_token"]).status_code == 400
    assert client.userinfo(won[0]["access_token"]).status_code == 401
    assert events().count("oidc:refresh_replayed") == 1


def test_within_the_grace_all_get_the_same_successor(scenery: Scenery) -> None:
    """Problem 7 of §9: tabs that refresh together share one descendant, which lives on."""
    client = Server(scenery, "offline2")
    token = client.tokens(scenery.browser())["refresh_token"]
    answers = at_once(*[lambda: client.refresh(token)] * MANY)

    assert {status for status, _ in answers} == {200}
    (successor,) = {told["refresh_token"] for _, told in answers}
    assert client.refresh(successor).status_code == 200
    assert client.refresh(token).status_code == 400
    assert events().count("oidc:refresh_replayed") == 1


def test_a_bound_token_goes_on_for_all(scenery: Scenery) -> None:
    """FAPI 2.0: nothing rotates, so nothing is lost."""
    client = Bound(scenery)
    token = client.tokens(scenery.browser())["refresh_token"]
    answers = at_once(*[lambda: client.refresh(token)] * MANY)

    assert {status for status, _ in answers} == {200}
    assert {told["refresh_token"] for _, told in answers} == {token}


def test_a_revocation_beside_a_refresh_leaves_nothing_alive(scenery: Scenery) -> None:
    """Whichever comes first, no descendant is alive when both have been answered."""
    client = Server(scenery)
    token = client.tokens(scenery.browser())["refresh_token"]
    answers = at_once(lambda: client.refresh(token), lambda: client.revoke(token))

    assert answers[1][0] == 200
    for told in (told for status, told in answers[:1] if status == 200):
        assert client.refresh(told["refresh_token"]).status_code == 400
        assert client.introspect(told["access_token"]) == {"active": False}
