"""A person who leaves an enterprise: what agencies hold of them for it ends, and stays ended when they come back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from idp import audit
from idp.accounts import services as accounts
from idp.db import db
from idp.delegation import services as delegation
from idp.delegation.people.domain.roles import Role
from idp.oidc.authorization import consent_services
from idp.oidc.models import ConsentRow, GrantRow
from tests.oidc.lasting import Server
from tests.oidc.scenery import FIRM, STORY, Scenery, details

Act = Callable[[Scenery], None]
HERE = details({"privileges": ["007"], "identifier": f"neq:{STORY}"})
THERE = details({"privileges": ["007"], "identifier": f"neq:{FIRM}"})


def ginette(scenery: Scenery) -> str:
    return scenery.people["ginette"].person_id


def remove(scenery: Scenery) -> None:
    by = scenery.people["pes"].person_id
    assert delegation.remove_member(scenery.story, scenery.memberships["ginette"], by=by, now=scenery.clock.now())


def engage(scenery: Scenery, role: Role = Role.USER) -> None:
    roles = delegation.roles_in(ginette(scenery), scenery.story)
    code = None if roles else accounts.issue_user_code(ginette(scenery), now=scenery.clock.now()).signs
    delegation.appoint(
        scenery.story, ginette(scenery), role, user_code=code, actor=audit.SYSTEM, now=scenery.clock.now()
    )


def suspend(scenery: Scenery) -> None:
    scenery.revoke_blocks("ginette")


def reactivate(scenery: Scenery) -> None:
    by = scenery.people["pes"].person_id
    delegation.reactivate_member(scenery.story, scenery.memberships["ginette"], by=by, now=scenery.clock.now())


def promote(scenery: Scenery) -> None:
    engage(scenery, Role.PES)


WAYS = {  # what happens, and what is left: whether tokens live on, whether the consent counts
    "removed and engaged again": ((remove, engage), False, False),
    "suspended, removed, engaged again": ((suspend, remove, engage), False, False),
    "suspended and reactivated": ((suspend, reactivate), True, True),
    "one role of two removed": ((promote, remove), True, True),
}


@pytest.mark.databases
@pytest.mark.parametrize("way", WAYS)
def test_coming_back_revives_nothing(scenery: Scenery, way: str) -> None:
    """Consents and tokens end with the last role in an enterprise, and stay ended; a suspension ends none, nor elsewhere."""
    acts, lives_on, is_remembered = WAYS[way]
    server, browser = Server(scenery), scenery.browser()
    wanted = {"scope": "openid enterprise offline_access", "prompt": "consent"}
    here = server.tokens(browser, "ginette", **wanted, authorization_details=HERE)
    there = server.tokens(browser, "ginette", **wanted, authorization_details=THERE)
    code = server.code(browser, "ginette", **wanted, authorization_details=HERE)

    for act in acts:
        act(scenery)
        db.session.commit()

    assert (server.token(code).status_code == 200) is lives_on
    assert (server.refresh(here["refresh_token"]).status_code == 200) is lives_on
    assert (server.userinfo(here["access_token"]).status_code == 200) is lives_on
    silent = server.authorize(browser, prompt="none", scope="openid enterprise", authorization_details=HERE)
    assert ("code" in server.answer(silent)) is is_remembered
    assert {each.enterprise_id for each in consent_services.of_person(ginette(scenery))} == {
        scenery.firm,
        *([scenery.story] if is_remembered else []),
    }
    assert server.refresh(there["refresh_token"]).status_code == 200
    entries = audit.entries(person_id=ginette(scenery), event=audit.Event.CONSENT_WITHDRAWN)
    assert len(entries) == (not is_remembered)


def test_the_record_of_what_ended_is_dated(scenery: Scenery) -> None:
    """Withdrawn and revoked at the instant of the removal, for that enterprise alone."""
    server, browser = Server(scenery), scenery.browser()
    for asked in (HERE, THERE):
        server.tokens(browser, "ginette", authorization_details=asked)

    remove(scenery)

    for row, end in ((ConsentRow, ConsentRow.withdrawn_at), (GrantRow, GrantRow.revoked_at)):
        wanted = select(row.enterprise_id, end).where(row.person_id == ginette(scenery))
        assert set(db.session.execute(wanted)) == {(scenery.story, scenery.clock.now()), (scenery.firm, None)}
