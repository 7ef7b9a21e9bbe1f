"""Requests per second and CPU per request of the protocol's endpoints, on SQLite in one process.

    .venv/bin/python bench/protocol.py [requests]

Each redemption has its own code: client authentication, consumption, rights, two signatures, the log's entry, one commit
(synchronous=FULL). Codes, assertions and proofs are made beforehand and not counted. The WSGI application is driven in the
process: no socket, so that the figures are the provider's own.
"""

from __future__ import annotations

# ruff: noqa: E402
import os
import sys

sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask

from idp.accounts import services as accounts
from idp.accounts.sessions.domain.sign_ins import SignIn
from idp.app import create_app
from idp.clock import MovableClock
from idp.config import read_settings
from idp.crypto.sealing import create_key_files
from idp.db import db
from idp.oidc.authorization.domain.requests import AuthorizationRequest
from idp.oidc.authorization.interaction_services import Interaction
from idp.oidc.clients import client_services
from idp.oidc.keys import signing_keys
from idp.oidc.token import grant_services
from tests.oidc import fapi
from tests.oidc.scenery import (
    CALLBACK,
    ISSUER,
    VERIFIER,
    RelyingParty,
    Scenery,
    challenge,
    load,
    make_scenery,
    registration,
)

SCOPES = ("enterprise", "functional_blocks", "openid")


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
            keeps = {"grant_types": ["authorization_code", "refresh_token"]}
            scope = "openid enterprise functional_blocks offline_access"
            load(app, clock, folder, registration("keeper", scope=scope, **keeps))
            RelyingParty(scenery).code(scenery.browser())
        _run(app, scenery, requests)


def _run(app: Flask, scenery: Scenery, requests: int) -> None:
    browser, plain, holder = app.test_client(), RelyingParty(scenery), fapi.first(scenery)
    with app.app_context():
        codes, kept = _codes(scenery, "rp1", requests), _codes(scenery, "keeper", 1, (*SCOPES, "offline_access"))
        bound = _codes(scenery, "fapi1", requests)
    basic, keeper = plain.basic(), RelyingParty(scenery, "keeper")
    holder.nonce = _post(browser, "/par", {**holder.client_proof(), **holder.parameters()}, dpop=holder).headers.get(
        "DPoP-Nonce"
    )
    forms = [{**holder.client_proof(), **_redemption(code)} for code in bound]
    proofs = [holder.dpop("POST", f"{ISSUER}/token") for _ in bound]
    pushes = [{**holder.client_proof(), **holder.parameters()} for _ in bound]
    tokens: dict[str, Any] = {}

    def redeem() -> None:
        tokens.update(_told(browser.post("/token", data=_redemption(codes.pop()), headers={"Authorization": basic})))

    def redeem_bound() -> None:
        _told(browser.post("/token", data=forms.pop(), headers={"DPoP": proofs.pop()}))

    def refresh() -> None:
        form = {"grant_type": "refresh_token", "refresh_token": held["refresh_token"]}
        held.update(_told(browser.post("/token", data=form, headers={"Authorization": keeper.basic()})))

    def introspect() -> None:
        form = {"token": tokens["access_token"]}
        assert _told(browser.post("/introspect", data=form, headers={"Authorization": basic}))["active"]  # noqa: S101

    def userinfo() -> None:
        _told(browser.get("/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"}))

    held = _told(browser.post("/token", data=_redemption(kept[0]), headers={"Authorization": keeper.basic()}))
    _measure("POST /token (code, secret)", redeem, requests)
    _measure("POST /token (code, FAPI 2.0)", redeem_bound, requests)
    _measure("POST /token (refresh)", refresh, requests)
    _measure("POST /par", lambda: _told(browser.post("/par", data=pushes.pop()), 201), requests)
    _measure("POST /introspect", introspect, requests)
    _measure("GET /userinfo", userinfo, requests)
    _measure("GET discovery", lambda: browser.get("/.well-known/openid-configuration"), requests)
    _measure("GET /jwks", lambda: browser.get("/jwks"), requests)
    _measure("GET /sign-in", lambda: app.test_client().get("/sign-in"), requests)


def _redemption(code: str) -> dict[str, str]:
    return {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}


def _post(browser: Any, path: str, form: dict[str, str], *, dpop: fapi.FapiRelyingParty) -> Any:
    return browser.post(path, data=form, headers={"DPoP": dpop.dpop("POST", ISSUER + path)})


def _told(answer: Any, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text  # noqa: S101
    told: dict[str, Any] = answer.get_json()
    return told


def _codes(scenery: Scenery, client_id: str, count: int, scopes: tuple[str, ...] = SCOPES) -> list[str]:
    """Make codes of one signed-in person."""
    client, person, now = client_services.find(client_id), scenery.people["julie"], scenery.clock.now()
    assert client is not None  # noqa: S101
    (open_one,) = accounts.open_sign_ins(person.person_id, now=now)[:1]
    sign_in = SignIn(
        open_one.sid, person.person_id, person.code.signs, open_one.started_at, "urn:mandat:aal:2", ("pwd",), None
    )
    request = AuthorizationRequest(client_id, CALLBACK, "query", scopes, code_challenge=challenge())
    began = Interaction("", request, now)
    made = [grant_services.issue_code(began, client, sign_in, scenery.story, now=now) for _ in range(count)]
    scenery.clock.advance(timedelta(seconds=1))
    return [str(code) for code in made]


def _measure(name: str, act: Callable[[], object], times: int) -> None:
    begun, cpu = time.perf_counter(), time.process_time()
    for _ in range(times):
        act()
    elapsed, used = time.perf_counter() - begun, time.process_time() - cpu
    print(
        f"{name:<30}{times / elapsed:>9.0f} /s{1000 * used / times:>9.2f} ms CPU each{times / used:>9.0f} per CPU second"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
