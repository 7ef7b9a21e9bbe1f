"""Token requests per second and CPU per request, and the sign-in page, on SQLite in one process.

    .venv/bin/python bench/token.py [requests]

Each request redeems its own code: client authentication, consumption, rights, two signatures, the log's entry, one commit
(synchronous=FULL). Codes are made beforehand and not counted. The WSGI application is driven in the process: no socket.
"""

from __future__ import annotations

# ruff: noqa: E402
import os
import sys

sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # not bench: token is a module of Python too

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from idp.accounts import services as accounts
from idp.accounts.sign_ins import SignIn
from idp.app import create_app
from idp.clock import MovableClock
from idp.config import read_settings
from idp.db import db
from idp.oidc import client_services, grant_services, signing_keys
from idp.oidc.requests import AuthorizationRequest
from idp.sealing import create_key_files
from tests.oidc.scenery import CALLBACK, VERIFIER, RelyingParty, Scenery, challenge, make_scenery


def main(requests: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        create_key_files(folder)
        signing_keys.create_key_ring(folder, datetime.now(UTC))
        settings = read_settings(
            database_url=f"sqlite:///{folder}/bench.sqlite3", keys_dir=folder, outbox_dir=folder / "outbox", demo=True
        )
        clock = MovableClock(datetime.now(UTC))
        app = create_app(settings, clock=clock, testing=True)
        with app.app_context():
            db.create_all()
            scenery = make_scenery(app, clock, folder)
            rp = RelyingParty(scenery)
            rp.code(scenery.browser())
            codes = _codes(scenery, requests)
        browser, basic = app.test_client(), rp.basic()

        def redeem() -> None:
            form = {
                "grant_type": "authorization_code",
                "code": codes.pop(),
                "redirect_uri": CALLBACK,
                "code_verifier": VERIFIER,
            }
            answer = browser.post("/token", data=form, headers={"Authorization": basic})
            assert answer.status_code == 200, answer.text  # noqa: S101

        def sign_in_page() -> None:
            assert app.test_client().get("/sign-in").status_code == 200  # noqa: S101

        _measure("POST /token (code)", redeem, requests)
        _measure("GET /sign-in", sign_in_page, requests)
        _measure("GET /jwks", lambda: browser.get("/jwks"), requests)


def _codes(scenery: Scenery, count: int) -> list[str]:
    """Make codes of one signed-in person."""
    client = client_services.find("rp1")
    person = scenery.people["julie"]
    (open_one,) = accounts.open_sign_ins(person.person_id, now=scenery.clock.now())[:1]
    sign_in = SignIn(
        open_one.sid, person.person_id, person.code.signs, open_one.started_at, "urn:mandat:aal:2", ("pwd",), None
    )
    request = AuthorizationRequest(
        "rp1", CALLBACK, "query", ("enterprise", "functional_blocks", "openid"), code_challenge=challenge()
    )
    made = []
    for _ in range(count):
        code = grant_services.issue_code(
            request, client, sign_in, scenery.story, interaction_id=None, now=scenery.clock.now()
        )
        made.append(str(code))
    scenery.clock.advance(timedelta(seconds=1))
    return made


def _measure(name: str, act: Callable[[], object], times: int) -> None:
    begun, cpu = time.perf_counter(), time.process_time()
    for _ in range(times):
        act()
    elapsed, used = time.perf_counter() - begun, time.process_time() - cpu
    print(f"{name:<22}{times / elapsed:>9.0f} /s{1000 * used / times:>9.2f} ms CPU each")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
