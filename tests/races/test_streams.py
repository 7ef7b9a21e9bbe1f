"""Event streams under simultaneous requests: one stream a client, one acknowledgement an event, on both databases."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from idp import audit
from idp.db import db
from idp.delegation import services as delegation
from tests.oidc.listening import Listener, path_of
from tests.oidc.scenery import RelyingParty, Scenery

pytestmark = pytest.mark.race

MANY = 8


@pytest.mark.databases
def test_one_stream_of_many_requests_and_one_confirmation_of_many_acknowledgements(
    scenery: Scenery, rp: RelyingParty
) -> None:
    """One 201, the others 409; every poll 200, the event noted once, the removal confirmed."""
    listener = Listener(scenery)
    rp.tokens(scenery.browser())
    token = listener.token()
    db.session.remove()

    def together(method: str, path: str, body: dict[str, object]) -> Counter[int]:
        barrier = threading.Barrier(MANY)

        def call(_: int) -> int:
            barrier.wait()
            return listener.call(method, path, body, token=token).status_code

        with ThreadPoolExecutor(MANY) as threads:
            return Counter(threads.map(call, range(MANY)))

    assert together("POST", "/ssf/streams", {}) == {201: 1, 409: MANY - 1}
    (stream,) = listener.call("GET", "/ssf/streams", token=token).get_json()
    scenery.keep_only(("008",))
    listener.deliver()
    (jti,) = listener.poll(stream)["sets"]
    db.session.remove()
    assert together("POST", path_of(stream), {"ack": [jti]}) == {200: MANY}
    sent = [entry for entry in audit.entries(limit=200) if entry.event == audit.Event.SIGNAL_SENT.value]
    assert len(sent) == 1
    assert delegation.removals(scenery.story)[0].sessions == 1
