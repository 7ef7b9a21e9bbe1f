"""A program asks while the person in charge revokes it, on both databases: a token comes before the revocation, or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from idp import audit
from idp.db import db
from idp.delegation import services as delegation
from idp.delegation.rights import system_user_services
from idp.errors import ConflictError, NotAllowedError
from tests.oidc.scenery import Scenery
from tests.oidc.software import approve, load_software, software

pytestmark = [pytest.mark.race, pytest.mark.databases]

MANY = 6


def together(*acts: Callable[[], object]) -> list[object]:
    """Run *acts* in as many threads, begun together."""
    db.session.remove()
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        barrier.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


def test_a_revocation_and_tokens(scenery: Scenery, tmp_path: Path) -> None:
    """Each answer is 200 or the one refusal; afterwards no token is alive, none is given, one revocation, one removal."""
    load_software(scenery, tmp_path)
    system_user = approve(scenery)
    programs = [software(scenery) for _ in range(MANY)]
    programs[0].token()
    pes = scenery.people["pes"].person_id

    def revoke() -> object:
        with scenery.app.app_context():
            return system_user_services.revoke(scenery.story, system_user, by=pes, now=scenery.clock.now())

    answers = together(*[program.ask for program in programs], revoke, revoke)

    asked, revoked = answers[:MANY], answers[MANY:]
    assert sorted(revoked) == [False, True]  # type: ignore[type-var]
    for program, answer in zip(programs, asked, strict=True):
        body = answer.get_json()  # type: ignore[attr-defined]
        if answer.status_code == 200:  # type: ignore[attr-defined]
            assert program.introspect(body["access_token"]) == {"active": False}
        else:
            assert body["error"] == "invalid_authorization_details"
    assert programs[0].ask().status_code == 400
    entries = audit.entries(enterprise_id=scenery.story, person_id=system_user, limit=100)
    assert [entry.event for entry in entries].count("system_user:revoked") == 1
    assert len([each for each in delegation.removals(scenery.story) if each.person_id == system_user]) == 1


def test_two_approvals_of_one_program(scenery: Scenery, tmp_path: Path) -> None:
    """Two persons in charge, or two clicks: one approval."""
    load_software(scenery, tmp_path)

    def attempt() -> object:
        with scenery.app.app_context():
            try:
                return approve(scenery)
            except (ConflictError, NotAllowedError):
                return None

    made = together(*[attempt] * MANY)

    assert len([each for each in made if each is not None]) == 1
    assert len(system_user_services.system_users(scenery.story, "amp", now=scenery.clock.now())) == 1
