"""R-22: what was spent, revoked or counted stays so when the provider is stopped or killed, and started again."""

from __future__ import annotations

import secrets
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pyotp
import pytest
from flask.testing import FlaskClient

from idp.accounts import services as accounts
from idp.clock import MovableClock
from idp.config import Settings
from idp.db import db
from idp.identifiers import UserCode
from tests.oidc import fapi
from tests.oidc.fapi import FapiRelyingParty
from tests.oidc.lasting import Server
from tests.oidc.scenery import (
    CALLBACK,
    ISSUER,
    PASSWORD,
    TOTP_SECRET,
    VERIFIER,
    RelyingParty,
    Scenery,
    csrf_token,
)
from tests.races.served import post, served

RESTARTS = (signal.SIGKILL, signal.SIGTERM)  # a hundred with --deep: twenty-five rounds on each database
WRONG_TRIES = 4  # the fifth closes the door, if the four are remembered
Answer = tuple[int, str]


@pytest.fixture
def clock() -> MovableClock:
    """Begin a little before now: the served provider has the time of day, and people need some to sign in."""
    return MovableClock(datetime.now(UTC) - timedelta(minutes=5))


@dataclass
class Spent:
    """What was used up or revoked before a restart: by name, how to try it again and what must be answered."""

    again: dict[str, Callable[[str], Answer]] = field(default_factory=dict)
    refused: dict[str, Answer] = field(default_factory=dict)

    def add(self, name: str, again: Callable[[str], Answer], refused: Answer) -> None:
        """Remember *again*, which is given the provider's address, and that it has to answer *refused*."""
        self.again[name], self.refused[name] = again, refused

    def tried_again(self, address: str) -> dict[str, Answer]:
        """Try everything again, in the order in which it was spent."""
        return {name: again(address) for name, again in self.again.items()}


@pytest.mark.race
@pytest.mark.databases
@pytest.mark.bar("R-22", "R-3", "CVE-2026-9802")
def test_nothing_spent_before_a_restart_serves_after_it(scenery: Scenery, settings: Settings, tmp_path: Path) -> None:
    """Codes, tokens, assertions, proofs, steps, sign-ins, counters: after SIGKILL and after SIGTERM, 0 used twice."""
    browser = scenery.browser()
    scenery.go_on(browser, FapiRelyingParty.authorize(fapi.first(scenery), browser), "julie")
    spent = Spent()
    for end in (*RESTARTS, None):
        _catch_up(scenery)
        with served(settings, tmp_path / "served.log", end=end or signal.SIGTERM) as address:
            answers = spent.tried_again(address)
            assert answers == spent.refused
            if end is None:
                break
            spent = Spent()
            _spend_tokens(spent, address, scenery, browser)
            _spend_proofs(spent, address, scenery)
            _spend_sign_in(spent, address, scenery)
            _count_tries(spent, address, scenery)
    assert len(spent.refused) == 10


def _catch_up(scenery: Scenery) -> None:
    scenery.clock.advance(datetime.now(UTC) - scenery.clock.now())
    db.session.remove()


def _spend_tokens(spent: Spent, address: str, scenery: Scenery, browser: FlaskClient) -> None:
    """Redeem a code, rotate a refresh token, revoke another and an access token."""
    rp, server = RelyingParty(scenery), Server(scenery)
    form = {
        "grant_type": "authorization_code",
        "code": rp.code(browser),
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    used, revoked = (server.tokens(browser, prompt="consent") for _ in range(2))
    db.session.remove()
    basic, mine = {"Authorization": rp.basic()}, {"Authorization": server.basic()}

    def refresh(token: str) -> Callable[[str], Answer]:
        asked = {"grant_type": "refresh_token", "refresh_token": token}
        return lambda where: post(where, "/token", asked, mine)

    def known(where: str) -> Answer:
        answer = httpx2.post(
            f"{where}/introspect", data={"token": revoked["access_token"]}, headers=mine, timeout=60, trust_env=False
        )
        return answer.status_code, str(answer.json()["active"])

    def code(where: str) -> Answer:
        return post(where, "/token", form, basic)

    assert code(address) == (200, "ok")
    assert refresh(used["refresh_token"])(address) == (200, "ok")
    assert known(address) == (200, "True")
    assert httpx2.post(
        f"{address}/revoke", data={"token": revoked["refresh_token"]}, headers=mine, trust_env=False
    ).is_success
    spent.add("code", code, (400, "invalid_grant"))
    spent.add("refresh token used", refresh(used["refresh_token"]), (400, "invalid_grant"))
    spent.add("refresh token revoked", refresh(revoked["refresh_token"]), (400, "invalid_grant"))
    spent.add("access token revoked", known, (200, "False"))


def _spend_proofs(spent: Spent, address: str, scenery: Scenery) -> None:
    """Use a client assertion and a DPoP proof."""
    holder = fapi.first(scenery)
    asked = httpx2.post(
        f"{address}/par",
        data={**holder.client_proof(), **holder.parameters()},
        headers={"DPoP": holder.dpop("POST", f"{ISSUER}/par")},
        trust_env=False,
    )
    holder.nonce = asked.headers["DPoP-Nonce"]
    pushed, proof = {**holder.client_proof(), **holder.parameters()}, holder.dpop("POST", f"{ISSUER}/par")

    def assertion(where: str) -> Answer:
        return post(where, "/par", pushed)

    def dpop(where: str) -> Answer:
        return post(where, "/par", {**holder.client_proof(), **holder.parameters()}, {"DPoP": proof})

    assert (assertion(address), dpop(address)) == ((201, "ok"), (201, "ok"))
    spent.add("assertion", assertion, (401, "invalid_client"))
    spent.add("DPoP proof", dpop, (400, "invalid_dpop_proof"))


def _newcomer(scenery: Scenery) -> UserCode:
    """Somebody of the day: nobody's step or failures of another round count for them."""
    now = scenery.clock.now()
    person = accounts.create_person(
        given_name="Aube", family_name="Clairon", email=f"{secrets.token_hex(4)}@example.com", language="fr", now=now
    )
    code = accounts.issue_user_code(person, now=now)
    accounts.seed_credentials(person, user_code=code, password=PASSWORD, totp_secret=TOTP_SECRET, now=now)
    db.session.remove()
    return code


def _type(client: httpx2.Client, path: str, **fields: str) -> httpx2.Response:
    token = csrf_token(client.get(path).text)
    return client.post(path, data={"csrf_token": token, **fields})


def _signed_in(address: str, code: UserCode, otp: str) -> tuple[httpx2.Client, httpx2.Response]:
    client = httpx2.Client(base_url=address, timeout=60, trust_env=False)
    first = _type(client, "/sign-in", username=str(code), password=PASSWORD)
    page = first.headers.get("Location", "")
    assert page.endswith("/sign-in/code"), first.text
    return client, _type(client, page, otp=otp)


def _spend_sign_in(spent: Spent, address: str, scenery: Scenery) -> None:
    """Sign in with a one-time code, then sign out."""
    code, otp = _newcomer(scenery), pyotp.TOTP(TOTP_SECRET).now()
    client, answer = _signed_in(address, code, otp)
    assert answer.status_code == 303, answer.text
    cookies = dict(client.cookies)

    def session(where: str) -> Answer:
        header = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
        page = httpx2.get(f"{where}/account", headers=header, timeout=60, trust_env=False)
        return page.status_code, "in" if page.status_code == 200 else "out"

    def step(where: str) -> Answer:
        again, answer = _signed_in(where, code, otp)
        again.close()
        return answer.status_code, "in" if answer.status_code == 303 else "out"

    assert session(address) == (200, "in")
    page = client.get("/account")
    assert client.post("/sign-out", data={"csrf_token": csrf_token(page.text)}).status_code == 303
    client.close()
    spent.add("sign-in ended", session, (302, "out"))
    spent.add("step of the application", step, (200, "out"))


def _count_tries(spent: Spent, address: str, scenery: Scenery) -> None:
    """Mistype a password four times: the fifth, after the restart, closes the door for the right one too."""
    code = _newcomer(scenery)

    def guess(where: str, password: str) -> int:
        with httpx2.Client(base_url=where, timeout=60, trust_env=False) as client:
            return _type(client, "/sign-in", username=str(code), password=password).status_code

    assert [guess(address, "faux mot de passe") for _ in range(WRONG_TRIES)] == [200] * WRONG_TRIES
    spent.add("fifth wrong password", lambda where: (guess(where, "faux mot de passe"), ""), (429, ""))
    spent.add("right password behind the lock", lambda where: (guess(where, PASSWORD), ""), (429, ""))
