"""S-30: an initial access token for one client, sixteen registrations at once: one client, on both databases."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from idp.db import db
from idp.oidc.clients import initial_token_services
from idp.oidc.models import RelyingPartyRow
from tests.oidc.registering import Builder, initial_token
from tests.oidc.scenery import Scenery

pytestmark = pytest.mark.race

MANY = 16


@pytest.mark.databases
def test_one_use_registers_one_client(scenery: Scenery) -> None:
    """The others are told 401, none a 500, and the count never goes below nothing."""
    builder = Builder(scenery, initial_token(scenery, uses=1))
    before = db.session.scalar(select(func.count()).select_from(RelyingPartyRow)) or 0
    db.session.remove()
    together = threading.Barrier(MANY)

    def register(_: int) -> int:
        together.wait()
        return builder.post().status_code

    with ThreadPoolExecutor(MANY) as threads:
        answers = sorted(threads.map(register, range(MANY)))

    assert answers == [201] + [401] * (MANY - 1)
    assert db.session.scalar(select(func.count()).select_from(RelyingPartyRow)) == before + 1
    assert initial_token_services.listed()[0].uses_left == 0


@pytest.mark.databases
def test_a_client_that_is_removed_while_it_is_replaced_stays_removed(scenery: Scenery) -> None:
    """RFC 7592 §2.3: whichever comes first, after a 204 nothing is left, and no replacement brings it back."""
    builder = Builder(scenery, initial_token(scenery))
    told = builder.registered()
    sent = {"client_id": told["client_id"], "client_name": "N", "redirect_uris": told["redirect_uris"]}
    db.session.remove()
    together = threading.Barrier(MANY)

    def act(number: int) -> int:
        together.wait()
        if number % 4 == 0:
            return builder.manage("DELETE", told).status_code
        return builder.manage("PUT", told, json=sent).status_code

    with ThreadPoolExecutor(MANY) as threads:
        answers = list(threads.map(act, range(MANY)))

    assert set(answers) <= {200, 204, 401}
    assert 204 in answers
    assert builder.manage("GET", told).status_code == 401
