"""R-10: user codes are drawn from a large space, in no order, and none is given twice, however many writers draw at once."""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from statistics import correlation

import pytest
from flask import Flask
from sqlalchemy import func, select

from idp.accounts import services
from idp.accounts.models import UserCodeRow
from idp.clock import MovableClock
from idp.db import db, transaction
from idp.identifiers import USER_CODE_SIGNS, PersonId, UserCode

from ..sign_in.test_sign_in_services import at_once

WRITERS = 8
DRAWN = 20_000
SPACE = len(USER_CODE_SIGNS) ** 4 * 10**4


def number_of(code: UserCode) -> int:
    """Return the place of *code* among all that there could be."""
    place = 0
    for sign in code.signs[:4]:
        place = place * len(USER_CODE_SIGNS) + USER_CODE_SIGNS.index(sign)
    return place * 10**4 + int(code.signs[4:])


@pytest.mark.bar("R-10", "S-47")
def test_codes_fill_a_large_space_evenly_and_in_no_order() -> None:
    """More than 10⁹ codes; each sign as often at each place, and no half of a code follows from the one before."""
    codes = [UserCode.draw() for _ in range(DRAWN)]

    places = [number_of(code) for code in codes]
    assert SPACE == 8_100_000_000
    assert abs(correlation(range(DRAWN), places)) < 7 / DRAWN**0.5  # seven standard deviations
    assert abs(correlation(places[:-1], places[1:])) < 7 / DRAWN**0.5
    for half in (lambda place: place // 10**4, lambda place: place % 10**4):  # the signs, the digits
        steps = Counter(half(later) - half(former) for former, later in pairwise(places))
        assert max(steps.values()) < 30, "one step between two codes comes too often"
    for at in range(8):
        signs = USER_CODE_SIGNS if at < 4 else "0123456789"
        counted, usual = Counter(code.signs[at] for code in codes), DRAWN / len(signs)
        assert all(abs(counted[sign] - usual) < 7 * usual**0.5 for sign in signs), counted


@pytest.mark.bar("R-10")
@pytest.mark.databases
def test_writers_who_draw_the_same_codes_give_each_once(
    app: Flask, someone: Callable[..., PersonId], clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chance is made small: a thousand codes in all, eight writers at once; who draws a code that is taken draws again."""
    person, now, each = someone(), clock.now(), 25
    draws = Counter[int]()
    at_random = secrets.randbelow

    def from_few(below: int) -> int:
        draws[threading.get_ident()] += 1
        return at_random(min(below, 1000))

    monkeypatch.setattr(secrets, "choice", lambda signs: signs[0])
    monkeypatch.setattr(secrets, "randbelow", from_few)

    answers = at_once(app, WRITERS, lambda: [services.issue_user_code(person, now=now) for _ in range(each)])

    given = [code for codes in answers if isinstance(codes, list) for code in codes]
    assert len(set(given)) == len(given) == WRITERS * each, answers
    assert db.session.scalar(select(func.count()).select_from(UserCodeRow)) == len(given)
    assert sum(draws.values()) > len(given), "no code was drawn twice: this proves nothing"


@pytest.mark.bar("R-10")
@pytest.mark.databases
def test_many_codes_from_eight_writers_are_all_different(
    app: Flask, someone: Callable[..., PersonId], clock: MovableClock, pytestconfig: pytest.Config
) -> None:
    """Two thousand codes, a million with ``--deep``: as many rows, and every code another one."""
    person, now = someone(), clock.now()
    batches, size = (250, 500) if pytestconfig.getoption("--deep") else (5, 50)

    def write() -> list[UserCode]:
        given: list[UserCode] = []
        for _ in range(batches):
            with transaction():
                given += [services.issue_user_code(person, now=now) for _ in range(size)]
            db.session.remove()
        return given

    answers = at_once(app, WRITERS, write, patience=3600)

    given = [code for codes in answers if isinstance(codes, list) for code in codes]
    assert len(set(given)) == len(given) == WRITERS * batches * size, [a for a in answers if not isinstance(a, list)]
    assert db.session.scalar(select(func.count()).select_from(UserCodeRow)) == len(given)
