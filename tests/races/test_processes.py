"""R-1, R-3, R-4: several worker processes, both databases, one success each."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from idp.clock import MovableClock
from idp.config import Settings
from idp.db import db
from tests.oidc import fapi
from tests.oidc.fapi import FapiRelyingParty
from tests.oidc.lasting import Server
from tests.oidc.scenery import CALLBACK, ISSUER, VERIFIER, RelyingParty, Scenery
from tests.races.served import post, served, together

pytestmark = [pytest.mark.race, pytest.mark.bar("R-1", "R-3", "R-4")]

MANY = 24


@pytest.fixture
def clock() -> MovableClock:
    """Begin a little before now: the served provider has the time of day, and people need some to sign in."""
    return MovableClock(datetime.now(UTC) - timedelta(minutes=5))


def catch_up(scenery: Scenery) -> None:
    scenery.clock.advance(datetime.now(UTC) - scenery.clock.now())
    db.session.remove()


@pytest.mark.databases
def test_what_serves_once_serves_once_in_all_processes(scenery: Scenery, settings: Settings, tmp_path: Path) -> None:
    """A code, a refresh token, an assertion, a DPoP proof, a pushed request: one winner each, every loser the right error."""
    rp, holder = RelyingParty(scenery), fapi.first(scenery)
    browser = scenery.browser()
    scenery.go_on(browser, holder.authorize(browser), "julie")  # signed in, and agreed for both clients of the agency
    catch_up(scenery)
    code = rp.code(browser)
    server = Server(scenery)
    refresh = {
        "grant_type": "refresh_token",
        "refresh_token": server.tokens(browser, prompt="consent")["refresh_token"],
    }
    db.session.remove()
    with served(settings, tmp_path / "served.log") as address:
        _learn_nonce(address, holder)
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        codes = together(MANY, lambda _: post(address, "/token", form, {"Authorization": rp.basic()}))

        refreshes = together(MANY, lambda _: post(address, "/token", refresh, {"Authorization": server.basic()}))

        pushed = {**holder.client_proof(), **holder.parameters()}
        assertions = together(MANY, lambda _: post(address, "/par", pushed))

        proof, requests = holder.dpop("POST", f"{ISSUER}/par"), [_fresh(holder) for _ in range(MANY)]
        proofs = together(MANY, lambda place: post(address, "/par", requests[place], {"DPoP": proof}))

        reference = holder.push().get_json()["request_uri"]
        db.session.remove()
        cookies = {cookie: browser.get_cookie(cookie).value for cookie in ("mandat", "mandat-page")}
        references = together(MANY, lambda _: _visit(address, holder, reference, cookies))

    assert sorted(codes) == [(200, "ok")] + [(400, "invalid_grant")] * (MANY - 1)
    assert sorted(refreshes) == [(200, "ok")] + [(400, "invalid_grant")] * (MANY - 1)
    assert sorted(assertions) == [(201, "ok")] + [(401, "invalid_client")] * (MANY - 1)
    assert sorted(proofs) == [(201, "ok")] + [(400, "invalid_dpop_proof")] * (MANY - 1)
    assert sorted(references) == ["code"] + ["refused"] * (MANY - 1)


def _fresh(holder: FapiRelyingParty) -> dict[str, str]:
    return {**holder.client_proof(), **holder.parameters()}


def _learn_nonce(address: str, holder: FapiRelyingParty) -> None:
    asked = httpx2.post(
        f"{address}/par", data=_fresh(holder), headers={"DPoP": holder.dpop("POST", f"{ISSUER}/par")}, trust_env=False
    )
    holder.nonce = asked.headers["DPoP-Nonce"]


def _visit(address: str, holder: FapiRelyingParty, reference: str, cookies: dict[str, str]) -> str:
    answer = httpx2.get(
        f"{address}/authorize",
        params={"client_id": holder.client_id, "request_uri": reference},
        headers={"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())},
        timeout=60,
        trust_env=False,
    )
    assert answer.status_code in (303, 400), answer.text
    return "code" if re.search(r"[?&]code=", answer.headers.get("Location", "")) else "refused"
