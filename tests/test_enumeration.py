"""S-46, B13: nothing that a stranger is answered, and no work done for them, tells what exists.

Each surface is asked about somebody and about nobody, in turn: same status, headers and length, as many hashes, the same
statements. How long it took is looked at with ``--deep`` alone: over many pairs, by ranks (Mann-Whitney) and by medians.
"""

from __future__ import annotations

import itertools
import random
import re
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import NormalDist, median

import pytest
from flask import Flask
from sqlalchemy import event, update
from werkzeug.test import TestResponse

from idp.accounts import services as accounts
from idp.accounts.credentials.hashing import current_hasher
from idp.audit import SYSTEM
from idp.clock import MovableClock
from idp.connectors.register_import import import_register
from idp.connectors.tax_import import import_tax_file
from idp.db import db, transaction
from idp.delegation import services as delegation
from idp.delegation.models import Enterprise
from idp.delegation.people.domain.verification import VerificationRecord
from idp.enrollment import email_code_services
from idp.enrollment import services as enrolment
from idp.enrollment.email_code_services import CodePurpose
from idp.enrollment.file_services import draw_number
from idp.enrollment.models import EnrolmentFile
from idp.identifiers import InvalidIdentifierError, Neq, UserCode
from tests.accounts.conftest import PASSWORD, TOTP_SECRET, Browser
from tests.enrollment.conftest import SYNTHETIC

WRONG, WRONG_SLIP = "faux mot de passe", "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA"
NEQ, ELSEWHERE = "1100000018", "1100000455"
NUMBER, OTHER_NUMBER = "9000000008", "9000000016"  # Revenu Québec's for NEQ, and one that is not
TRIES = 6  # through the lock and beyond
BELOW = 3  # more tries that do not lock
PAIRS, DEEP_PAIRS = 5, 2000
SLOWER = 0.002  # seconds between the medians
RARE = 0.01  # the chance under which a difference is taken for one
DIFFERENT_EACH_TIME = {"Set-Cookie", "X-Request-Id", "Retry-After"}


@dataclass(frozen=True)
class Post:
    """A form to be sent: where, and with what; ``page`` holds its token when another page does."""

    path: str
    fields: dict[str, str]
    page: str | None = None


@dataclass
class Town:
    """Where somebody may be found, and nobody."""

    app: Flask
    clock: MovableClock

    def address(self) -> str:
        """Return an address nobody had before; all are equally long."""
        return f"{secrets.token_hex(8)}@example.com"

    def somebody(self, *, activated: bool = True, slip: bool = False) -> tuple[UserCode, str]:
        """Add somebody and return their user code and address."""
        now, email = self.clock.now(), self.address()
        person = accounts.create_person(given_name="Aube", family_name="Clairon", email=email, language="fr", now=now)
        code = accounts.issue_user_code(person, now=now)
        if activated:
            accounts.seed_credentials(person, user_code=code, password=PASSWORD, totp_secret=TOTP_SECRET, now=now)
        if slip:
            accounts.reveal_temporary_password(code, actor=SYSTEM, now=now)
        return code, email

    def code(self, known: bool, *, activated: bool = True) -> UserCode:
        """Return a user code that somebody has, or nobody."""
        return self.somebody(activated=activated, slip=not activated)[0] if known else UserCode.draw()

    def file(self) -> str:
        """Add a file whose representative confirmed an address, to which a code was sent; return its number."""
        now = self.clock.now()
        file_id = enrolment.start(language="fr", now=now)
        confirmed = {"email": self.address(), "email_confirmed_at": now}
        with transaction() as session:
            session.execute(update(EnrolmentFile).where(EnrolmentFile.id == file_id).values(confirmed))
        email_code_services.send(file_id, CodePurpose.RETURN, now=now)
        return enrolment.view(file_id, now=now).number

    def number(self, known: bool) -> str:
        """Return a NEQ that nobody asked about before: of the enterprise enrolled here, or of nobody."""
        drawn = ""
        while not drawn:
            try:
                drawn = Neq.parse(f"11{secrets.randbelow(10**8):08d}").digits
            except InvalidIdentifierError:
                continue
        if known:
            with transaction() as session:
                session.execute(update(Enterprise).values(neq=drawn))
        return drawn

    def enrol(self, known: bool) -> None:
        """Make NEQ that of the enterprise enrolled here, or of nobody here."""
        with transaction() as session:
            session.execute(update(Enterprise).values(neq=NEQ if known else ELSEWHERE))


SENDERS = itertools.count()
Surface = Callable[[Town, bool, Browser, int], Iterator[Post]]


def sign_in(town: Town, known: bool, _browser: Browser, tries: int) -> Iterator[Post]:
    code = town.code(known)
    for _ in range(tries):
        yield Post("/sign-in", {"username": str(code), "password": WRONG})


def sign_in_before_activation(town: Town, known: bool, _browser: Browser, tries: int) -> Iterator[Post]:
    code = town.code(known, activated=False)
    for _ in range(tries):
        yield Post("/sign-in", {"username": str(code), "password": WRONG})


def forgotten_password(town: Town, known: bool, _browser: Browser, tries: int) -> Iterator[Post]:
    code = town.code(known)
    yield Post("/recover", {"user_code": str(code)})
    for _ in range(tries):
        yield Post("/recover/code", {"email_code": "00000000"})
    yield Post("/recover/code/again", {}, page="/recover/code")


def lost_user_code(town: Town, known: bool, _browser: Browser, tries: int) -> Iterator[Post]:
    email = town.somebody()[1] if known else town.address()
    for _ in range(tries):
        yield Post("/recover/user-code", {"email": email})


def activation(town: Town, known: bool, _browser: Browser, tries: int) -> Iterator[Post]:
    code = town.code(known, activated=False)
    for _ in range(tries):
        yield Post("/activate", {"user_code": str(code), "temporary_password": WRONG_SLIP})


def activation_done(town: Town, known: bool, _browser: Browser, tries: int) -> Iterator[Post]:
    code = town.code(known)
    for _ in range(tries):
        yield Post("/activate", {"user_code": str(code), "temporary_password": WRONG_SLIP})


def freezing(town: Town, known: bool, _browser: Browser, tries: int) -> Iterator[Post]:
    code = town.code(known)
    yield Post("/freeze", {"user_code": str(code)})
    for _ in range(tries):
        yield Post("/freeze/code", {"email_code": "00000000"})


def enrolled_neq(town: Town, known: bool, browser: Browser, _tries: int) -> Iterator[Post]:
    town.enrol(known)
    browser.post("/enrol")
    yield Post("/enrol/enterprise", {"neq": NEQ})
    yield Post("/enrol/enterprise/confirm", {})


def revenu_quebec_number(_town: Town, known: bool, browser: Browser, _tries: int) -> Iterator[Post]:
    browser.post("/enrol")
    browser.post("/enrol/enterprise", neq=NEQ)
    browser.post("/enrol/enterprise/confirm")
    yield Post("/enrol/tax-number", {"answer": "number", "revenu_quebec_id": NUMBER if known else OTHER_NUMBER})


def enrolment_file(town: Town, known: bool, _browser: Browser, tries: int) -> Iterator[Post]:
    number = draw_number()
    if known:
        number = town.file()
    yield Post("/enrol/resume", {"number": number})
    for _ in range(tries):
        yield Post("/enrol/resume/code", {"code": "00000000"})
    yield Post("/enrol/resume/again", {}, page="/enrol/resume/code")


def question(town: Town, known: bool, browser: Browser, tries: int) -> Iterator[Post]:
    neq = town.number(known)
    sender = next(
        SENDERS
    )  # senders are bounded, known or not: none writes twice, or the second finds the row of the first
    browser.client.environ_base["REMOTE_ADDR"] = f"198.18.{sender // 250}.{sender % 250 + 1}"
    asked = {"neq": neq, "name": "Mo Nouveau", "message": "Qui est responsable?"}
    for _ in range(tries):
        yield Post("/who-is-my-pes", {**asked, "email": town.address()})


def opening(town: Town, known: bool, browser: Browser, _tries: int) -> Iterator[Post]:
    token = secrets.token_urlsafe(32)
    if known:
        now = town.clock.now()
        code, _ = town.somebody(activated=False)
        person = accounts.user_codes([code.signs])[code.signs].person_id
        token = accounts.open_first_credential(person, code, now=now)
        accounts.revoke_user_code(code, now=now)
    browser.get(f"/activate/start?token={token}")
    yield Post("/activate/start", {}, page="/sign-in")


SURFACES: dict[str, Surface] = {
    surface.__name__: surface
    for surface in (
        sign_in,
        sign_in_before_activation,
        forgotten_password,
        lost_user_code,
        freezing,
        activation,
        activation_done,
        enrolled_neq,
        revenu_quebec_number,
        enrolment_file,
        question,
        opening,
    )
}


@dataclass
class Work:
    """What was done meanwhile: hashes, and statements by kind."""

    hashes: int = 0
    statements: Counter[str] = field(default_factory=Counter)


def kind_of(statement: str) -> str:
    """Return the verb of a statement and the tables it names."""
    verb = statement.split(maxsplit=1)[0].upper()
    return " ".join((verb, *dict.fromkeys(re.findall(r"(?:FROM|INTO|UPDATE|JOIN) (\w+)", statement))))


@contextmanager
def noting_work() -> Iterator[Work]:
    """Note what is done in the block."""
    work, before = Work(), current_hasher().calls

    def note(*told: object) -> None:
        work.statements[kind_of(str(told[2]))] += 1

    engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield work
    finally:
        event.remove(engine, "before_cursor_execute", note)
        work.hashes = current_hasher().calls - before


@pytest.fixture
def town(app: Flask, clock: MovableClock) -> Town:
    now = clock.now()
    import_register(SYNTHETIC / "req", now)
    import_tax_file(SYNTHETIC / "revenu_quebec.csv", now)
    someone = accounts.create_person(given_name="Mi", family_name="Ré", email="mi@example.com", language="fr", now=now)
    record = VerificationRecord(
        neq=NEQ,
        name="Toitures Brumeplume inc.",
        legal_form=None,
        method="online",
        verified_at=now,
        verified_by="system",
        evidence=("register",),
        file_id="test",
        authorized_representative=someone,
    )
    delegation.register_enterprise(record, actor=SYSTEM, now=now)
    return Town(app, clock)


def seen(answer: TestResponse) -> tuple[object, ...]:
    """Return what a stranger sees of an answer: status, headers, where it leads, and how long it is."""
    headers = sorted(
        (name, "" if name in DIFFERENT_EACH_TIME else re.sub(r"(?<=~)[0-9a-f]{16}|\d{10}", "", value))
        for name, value in answer.headers
    )
    return answer.status_code, headers, len(answer.data)


@dataclass
class Stranger:
    """Somebody before a form, who asks about a person there is, or about nobody."""

    known: bool
    browser: Browser
    posts: Iterator[Post]

    def ready(self) -> Callable[[], TestResponse] | None:
        """Open the next page; return the sending of its form, or None when there is none any more."""
        post = next(self.posts, None)
        if post is None:
            return None
        form = {"csrf_token": self.browser.token(post.page or post.path), **post.fields}
        return lambda: self.browser.client.post(post.path, data=form)


def strangers(town: Town, name: str, tries: int) -> tuple[Stranger, Stranger]:
    """Return one who asks about somebody and one who asks about nobody, in any order."""
    asking = []
    for known in (True, False):
        browser = Browser(town.app)
        asking.append(Stranger(known, browser, SURFACES[name](town, known, browser, tries)))
    random.shuffle(asking)
    return asking[0], asking[1]


def asked(town: Town, name: str, tries: int) -> dict[bool, list[tuple[tuple[object, ...], Work]]]:
    """Return what was seen and done, post by post, about somebody and about nobody."""
    told: dict[bool, list[tuple[tuple[object, ...], Work]]] = {True: [], False: []}
    for stranger in strangers(town, name, tries):
        while send := stranger.ready():
            with noting_work() as work:
                answer = send()
            told[stranger.known].append((seen(answer), work))
    return told


@pytest.mark.bar("S-46", "B13")
@pytest.mark.databases
@pytest.mark.parametrize("name", SURFACES)
def test_somebody_and_nobody_are_answered_alike_with_the_same_work(town: Town, name: str) -> None:
    """Post by post: status, headers, length, hashes and statements by kind, over pairs asked in turn."""
    for _ in range(PAIRS):
        told = asked(town, name, BELOW)

        assert [answer for answer, _ in told[True]] == [answer for answer, _ in told[False]]
        assert [work for _, work in told[True]] == [work for _, work in told[False]]
        assert told[True]


@pytest.mark.bar("S-46", "B13")
@pytest.mark.parametrize("name", SURFACES)
def test_answers_stay_alike_beyond_the_lock(town: Town, name: str) -> None:
    """Six tries: status, headers, length, hashes and statements; a code nobody has is locked, logged and told like any other."""
    told = asked(town, name, TRIES)

    assert [answer for answer, _ in told[True]] == [answer for answer, _ in told[False]]
    assert [work.hashes for _, work in told[True]] == [work.hashes for _, work in told[False]]
    assert [work.statements for _, work in told[True]] == [work.statements for _, work in told[False]]


def timed(town: Town, name: str, pairs: int) -> list[dict[bool, list[float]]]:
    """Return how long each post took, in seconds, about somebody and about nobody."""
    took: list[dict[bool, list[float]]] = []
    for _ in range(pairs):
        pair = strangers(town, name, tries=1)
        for place in itertools.count():
            sends = [(stranger.known, stranger.ready()) for stranger in pair]  # all is prepared, then both are timed
            if len(took) == place:
                took.append({True: [], False: []})
            for known, send in sends:
                if send is not None:
                    began = time.perf_counter()
                    send()
                    took[place][known].append(time.perf_counter() - began)
            if None in (send for _, send in sends):
                break
    return [each for each in took if each[True]]


def rank_sum_p(one: list[float], other: list[float]) -> float:
    """Return how rare it is that two samples of one kind differ so much in rank (Mann-Whitney, two-sided, with ties)."""
    ranked, below, rank_sum, ties = sorted([(t, 0) for t in one] + [(t, 1) for t in other]), 0, 0.0, 0
    for _, group in itertools.groupby(ranked, key=lambda each: each[0]):
        of = [side for _, side in group]
        rank_sum += of.count(0) * (below + (len(of) + 1) / 2)
        below += len(of)
        ties += len(of) ** 3 - len(of)
    many, n, m = below, len(one), len(other)
    u = rank_sum - n * (n + 1) / 2
    spread = (n * m / 12 * (many + 1 - ties / (many * (many - 1)))) ** 0.5
    return 2 * (1 - NormalDist().cdf(abs(u - n * m / 2) / spread)) if spread else 1.0


def test_ranks_are_judged_as_tables_of_mann_and_whitney_do() -> None:
    """Twenty and twenty in turn do not differ; shifted by half they do; ties count half."""
    turns = [float(number) for number in range(40)]

    assert rank_sum_p(turns[::2], turns[1::2]) > 0.7
    assert rank_sum_p(turns[:20], turns[20:]) < 1e-6
    assert rank_sum_p([1.0] * 20, [1.0] * 20) == 1.0
    assert round(rank_sum_p([1, 2, 3, 4, 5, 6, 7, 8, 9, 19], [*range(10, 19), 20]), 4) == 0.0019


@pytest.mark.deep
@pytest.mark.bar("S-46", "B13")
@pytest.mark.parametrize("name", SURFACES)
def test_the_time_it_takes_tells_nothing(town: Town, name: str, record_property: Callable[[str, object], None]) -> None:
    """Two thousand pairs, in turn: ranks do not differ (p > 0.01) and medians by less than 2 ms; one fresh sample may decide."""

    def told_apart() -> list[str]:
        found = []
        for place, took in enumerate(timed(town, name, DEEP_PAIRS)):
            p = rank_sum_p(took[True], took[False])
            apart = median(took[True]) - median(took[False])
            figures = f"p {p:.3f}, medians {apart * 1e6:+.0f} µs apart of {median(took[False]) * 1e3:.2f} ms"
            record_property(f"{name} {place}", figures)
            if p <= RARE or abs(apart) >= SLOWER:
                found.append(f"post {place}: {figures}")
        return found

    first = told_apart()
    assert not first or not told_apart(), first
