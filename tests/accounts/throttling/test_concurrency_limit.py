"""A crowd at the door: some work, some wait, the others are told; the rest of the house goes on (security-bar.md S-78)."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy
from argon2 import PasswordHasher
from flask import Flask
from werkzeug.serving import make_server

from idp.accounts import services
from idp.accounts.credentials.hashing import Hasher, slots_of
from idp.accounts.errors import BusyError
from idp.accounts.throttling import concurrency_limit
from idp.accounts.throttling.concurrency_limit import ConcurrencyLimit
from idp.clock import MovableClock
from idp.db import db
from idp.http.rsgi import THREADS

from ..conftest import TOTP_SECRET, Account, Browser

MANY = 200


@dataclass
class SlowArgon:
    """Argon2 that ends when told, and counts how many run at once."""

    argon2: PasswordHasher
    go_on: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    running: int = 0
    most: int = 0

    def verify(self, stored: str, material: str) -> bool:
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            self.go_on.wait(60)
            return self.argon2.verify(stored, material)
        finally:
            with self.lock:
                self.running -= 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self.argon2, name)


@pytest.mark.bar("S-78")
def test_two_hundred_sign_ins_at_once(app: Flask, browser: Browser) -> None:
    """Over real connections: no more hashes than slots, so many wait, the rest are told when to come back.

    Meanwhile what agencies ask is answered: no thread of the door is needed for it.
    """
    hasher: Hasher = app.extensions["mandat.hasher"]
    slow = hasher._argon2 = SlowArgon(hasher._argon2)  # type: ignore[assignment]
    slots = slots_of(app.extensions["mandat.settings"].workers)
    limit: ConcurrencyLimit = app.extensions["mandat.concurrency_limit"]
    limit._patience = 120.0  # this machine may be slow: nobody who waits loses patience
    form = {"csrf_token": browser.token("/sign-in"), "username": "ZZZZ-9999", "password": "faux mot de passe"}
    headers = {"Cookie": _cookies(browser), "Content-Type": "application/x-www-form-urlencoded"}
    server = make_server("localhost", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    told, refused = threading.Semaphore(0), MANY - slots - concurrency_limit.LONGEST_QUEUE

    def ask(method: str, path: str, body: str | None = None) -> tuple[int, str | None]:
        connection = http.client.HTTPConnection("localhost", server.port, timeout=120)
        connection.request(method, path, body, headers if body else {})
        answer = connection.getresponse()
        answer.read()
        if answer.status == 503:
            told.release()
        return answer.status, answer.headers["Retry-After"]

    with ThreadPoolExecutor(MANY) as people:
        asked = [people.submit(ask, "POST", "/sign-in", urlencode(form)) for _ in range(MANY)]
        for _ in range(refused):
            assert told.acquire(timeout=60)
        assert [ask("GET", "/jwks")[0] for _ in range(5)] == [200] * 5
        slow.go_on.set()
        answers = [each.result() for each in asked]
    server.shutdown()

    assert slow.most <= slots
    assert sorted({status for status, _ in answers}) in ([200, 503], [200, 429, 503])
    assert [status for status, _ in answers].count(503) == refused
    assert all(int(after or 0) >= 2 for status, after in answers if status != 200)


def test_a_turn_is_given_back_whatever_happens(app: Flask, browser: Browser) -> None:
    """A page that fails, one that is refused and one that redirects leave their place to the next."""
    for _ in range(concurrency_limit.LONGEST_QUEUE + slots_of(2) + 5):
        browser.client.post("/sign-in")
        browser.get("/sign-in/code")

    assert browser.get("/sign-in").status_code == 200


def test_a_crowd_keeps_nobody_from_signing_out(
    app: Flask, browser: Browser, account: Callable[..., Account], clock: MovableClock
) -> None:
    """Every place at the door is taken: nobody signs in, and whoever leaves is signed out all the same."""
    browser.sign_in(account(), clock.now())
    token, limit = browser.token("/account"), app.extensions["mandat.concurrency_limit"]
    places = concurrency_limit.LONGEST_QUEUE + slots_of(app.extensions["mandat.settings"].workers)
    for _ in range(places):
        assert limit._places.acquire(blocking=False)
    assert browser.get("/sign-in").status_code == 503

    left = browser.client.post("/sign-out", data={"csrf_token": token})

    for _ in range(places):
        limit._places.release()
    assert left.status_code == 303
    assert browser.get("/account").status_code == 302


def test_who_finds_no_place_or_loses_patience_is_told() -> None:
    """Places are bounded, and so is the wait; both give nothing away for good."""
    full = ConcurrencyLimit(1, waiting=0)
    full.enter()
    with pytest.raises(BusyError):
        full.enter()
    door = ConcurrencyLimit(1, waiting=1, patience=0.01)
    door.enter()
    with pytest.raises(BusyError):
        door.enter()
    door._patience = 60
    next_one = threading.Thread(target=door.enter)  # finds the place of whoever lost patience, and waits there
    next_one.start()
    next_one.join(0.2)
    door.leave()
    next_one.join()
    door._patience = 0.01

    with pytest.raises(BusyError, match="no turn"):
        door.enter()


def test_the_server_keeps_threads_for_everybody_else() -> None:
    """However many cores there are for hashes, those at the door leave a quarter of the threads free."""
    assert slots_of(10_000) == 1
    assert concurrency_limit.LONGEST_QUEUE + 8 <= THREADS * 3 // 4


@pytest.mark.bar("S-78")
@pytest.mark.parametrize(("length", "is_hashed"), [(64, True), (1024, True), (1025, False), (60_000, False)])
def test_a_password_too_long_is_refused_before_any_hash(
    app: Flask, browser: Browser, account: Callable[..., Account], clock: MovableClock, length: int, is_hashed: bool
) -> None:
    """Sixty-four characters and more are welcome; beyond 1,024 bytes nothing is computed, and the page is the usual one."""
    julie, password = account(), "é" + "x" * (length - 2)
    if is_hashed:
        services.seed_credentials(
            julie.person_id, user_code=julie.code, password=password, totp_secret=TOTP_SECRET, now=clock.now()
        )
    before = app.extensions["mandat.hasher"].calls

    answer = browser.post("/sign-in", username=str(julie.code), password=password)

    assert app.extensions["mandat.hasher"].calls - before == int(is_hashed)
    assert (answer.location or "").endswith("/sign-in/code") == is_hashed
    assert is_hashed or "est erroné" in answer.text


def test_what_a_sign_in_costs(
    app: Flask, browser: Browser, account: Callable[..., Account], clock: MovableClock
) -> None:
    """One hash, and no more statements than today: the bench says what they are worth (bench/README.md)."""
    julie, statements = account(), list[str]()
    sqlalchemy.event.listen(db.engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    before = app.extensions["mandat.hasher"].calls

    assert browser.sign_in(julie, clock.now()).location == "/home"

    assert app.extensions["mandat.hasher"].calls - before == 1
    assert len(statements) <= 24, "\n".join(statements)


def _cookies(browser: Browser) -> str:
    return "; ".join(f"{cookie.key}={cookie.value}" for cookie in (browser.client._cookies or {}).values())
