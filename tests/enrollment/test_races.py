"""Several at once: one outcome, one letter, one entry (security-bar.md R-8), on both databases."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import func, insert, select

from idp.audit.models import AuditEntry
from idp.db import db, new_id, transaction
from idp.delegation import services as delegation
from idp.enrollment import email_code_services, mailed_code_services, services
from idp.enrollment.domain.terms import TERMS_VERSION
from idp.enrollment.email_code_services import CodePurpose
from idp.enrollment.mailed_code_services import CodeAnswer
from idp.enrollment.models import Attempt, EnrolmentFile, MailedCode

from .conftest import Browser, Typed, begin, fill_in, mailed_code
from .views.test_journeys import BY_MAIL, DISAGREE, go

pytestmark = pytest.mark.race

CROWD = 6


def at_once(app: Flask, act: Callable[[int], object]) -> list[object]:
    """Run *act* in several threads, each with its own application context; return what each gave."""

    def alone(place: int) -> object:
        with app.app_context():
            try:
                return act(place)
            finally:
                db.session.remove()

    db.session.rollback()
    with ThreadPoolExecutor(CROWD) as crowd:
        return list(crowd.map(alone, range(CROWD)))


def count(event: str) -> int:
    """Return how many entries of the log tell of *event*."""
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(AuditEntry).where(AuditEntry.event == event)) or 0


@pytest.mark.databases
def test_one_submission(browser: Browser, app: Flask, now: datetime) -> None:
    """Six clicks on *Submit* submit once, check once and order one letter."""
    begin(browser)
    fill_in(browser, BY_MAIL)
    file_id = db.session.scalars(select(EnrolmentFile.id)).one()

    def click(_: int) -> bool:
        first = services.submit(file_id, terms_version=TERMS_VERSION, language="fr", now=now)
        services.check(file_id, now=now)
        return first

    assert at_once(app, click).count(True) == 1
    assert (count("file:submitted"), count("file:code_mailed")) == (1, 1)
    assert len(db.session.scalars(select(MailedCode.id)).all()) == 1


@pytest.mark.databases
def test_a_mailed_code_serves_once(browser: Browser, app: Flask, now: datetime) -> None:
    """Six browsers enter the right code: one is accepted."""
    go(browser, BY_MAIL)
    file_id = db.session.scalars(select(EnrolmentFile.id)).one()
    code = mailed_code(browser)

    answers = at_once(app, lambda _: mailed_code_services.enter(file_id, code, now=now))

    assert answers.count(CodeAnswer.ACCEPTED) == 1
    assert count("file:code_accepted") == 1


@pytest.mark.databases
def test_five_tries_are_five(browser: Browser, app: Flask, now: datetime) -> None:
    """Six wrong codes at once count five tries, and the file goes to an operator once."""
    go(browser, BY_MAIL)
    file_id = db.session.scalars(select(EnrolmentFile.id)).one()
    wrong = f"{(int(mailed_code(browser)) + 1) % 10**10:010d}"

    answers = at_once(app, lambda _: mailed_code_services.enter(file_id, wrong, now=now))

    assert answers.count(CodeAnswer.EXHAUSTED) == 1
    assert (count("file:code_refused"), count("file:under_review")) == (5, 1)


@pytest.mark.databases
def test_a_code_to_come_back_serves_once(browser: Browser, app: Flask, now: datetime) -> None:
    """Six browsers with the right code: one comes in."""
    go(browser, BY_MAIL)
    file = db.session.scalars(select(EnrolmentFile)).one()
    email_code_services.send(file.id, CodePurpose.RETURN, now=now)
    code = browser.code_by_mail()

    answers = at_once(app, lambda _: email_code_services.come_back(file.number, code, device="", now=now))

    assert sum(token is not None for token in answers) == 1


@pytest.mark.databases
def test_one_enterprise_for_two_verified_files(
    browser: Browser, other_browser: Browser, app: Flask, now: datetime
) -> None:
    """Two verified files of one NEQ register one enterprise; the other goes to an operator (security-bar.md R-8)."""
    go(browser, Typed())
    go(other_browser, BY_MAIL)
    second = db.session.scalars(select(EnrolmentFile).where(EnrolmentFile.state == "code_mailed")).one()
    second.state, second.neq, second.verified_at = "verified", "1100000018", now
    second.verification_method = second.verified_by = "online"
    db.session.commit()
    ids = list(db.session.scalars(select(EnrolmentFile.id).order_by(EnrolmentFile.created_at)))

    tokens = at_once(app, lambda place: services.open_account(ids[place % 2], now=now) if place < 2 else "")

    assert tokens.count(None) == 1
    db.session.rollback()
    states = sorted(db.session.scalars(select(EnrolmentFile.state).execution_options(populate_existing=True)))
    assert states == ["under_review", "verified"]
    assert delegation.enterprise_of_neq("1100000018") is not None
    assert count("enterprise:registered") == 1


@pytest.mark.databases
def test_many_files_of_one_enterprise_at_once_have_five_tries(browser: Browser, app: Flask, now: datetime) -> None:
    """Four tries failed; of six files checked at once, one more is judged and the others go to review (S-48)."""
    files = []
    for _ in range(CROWD):
        each = Browser(app.test_client(), browser.clock, browser.outbox)
        begin(each)
        fill_in(each, DISAGREE)
        files.append(db.session.scalars(select(EnrolmentFile.id).where(EnrolmentFile.state == "draft")).one())
        services.submit(files[-1], terms_version=TERMS_VERSION, language="fr", now=now)
    with transaction() as session:
        for _ in range(4):
            former = {"file_id": files[0], "neq": DISAGREE.neq, "kind": "numbers", "at": now}
            session.execute(insert(Attempt).values(id=new_id(), **former))

    at_once(app, lambda place: services.check(files[place], now=now))

    db.session.rollback()
    states = sorted(db.session.scalars(select(EnrolmentFile.state)))
    assert states == ["draft"] + ["under_review"] * (CROWD - 1)
