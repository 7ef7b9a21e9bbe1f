"""“I do not know who my PES is”: the message reaches those in charge, its sender learns nothing, and it is bounded."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from idp.audit.models import AuditEntry
from idp.db import db
from idp.delegation.models import QuestionRow
from idp.delegation.people import people_services, question_services
from idp.identifiers import Neq
from idp.notices.services import deliver_due
from tests.accounts.conftest import payloads

from ..conftest import Browser, Business, Member, World

UNKNOWN = "1100000018"
ASKER = question_services.Asker("Mo Nouveau", "mo@example.com", "", "Je travaille ici depuis lundi.", "fr")
FIELDS = {"name": "Mo Nouveau", "email": "mo@example.com", "phone": "", "message": "Je travaille ici depuis lundi."}
SignIn = Callable[[Member], Browser]


def told(world: World) -> list[str]:
    """Deliver what waits and return to whom a question was passed on."""
    while deliver_due(world.now):
        pass
    db.session.rollback()
    return sorted(db.session.scalars(select(AuditEntry.event).where(AuditEntry.event.startswith("question:"))))


@pytest.mark.databases
def test_a_question_reaches_those_in_charge_once(licorne: Business, world: World) -> None:
    """The representative and each active PES get it, a suspended one and users do not; twice delivered is once written."""
    people_services.suspend_member(licorne.id, licorne.marc.membership_id, by=licorne.ar.person_id, now=world.now)
    assert question_services.ask(Neq(licorne.neq), ASKER, sender="192.0.2.1", now=world.now)
    (asked,) = payloads(question_services.ASKED)

    for _again in range(2):
        question_services.pass_on(asked, world.now)

    sent = payloads(question_services.QUESTION)
    assert {each["person_id"] for each in sent} == {licorne.ar.person_id, licorne.pes.person_id}
    assert len(sent) == 2
    (view,) = question_services.questions(licorne.id)
    assert view.asker == ASKER
    row = db.session.scalars(select(QuestionRow)).one()
    assert "mo@example.com" not in row.said
    assert "lundi" not in row.said


def test_nothing_is_kept_for_an_enterprise_that_is_not_enrolled(licorne: Business, world: World) -> None:
    """The worker finds no enterprise, and forgets what was asked."""
    question_services.ask(Neq(UNKNOWN), ASKER, sender="192.0.2.1", now=world.now)

    assert told(world) == []
    assert db.session.scalars(select(QuestionRow)).all() == []


@pytest.mark.parametrize(
    ("another", "limit"),
    [
        (lambda n: (Neq("1100000455"), replace(ASKER, email=f"a{n}@example.com"), f"192.0.2.{n}"), 3),
        (lambda n: (Neq("1100000455") if n % 2 else Neq("3300000018"), ASKER, f"192.0.2.{n}"), 3),
        (lambda n: (Neq(f"11000{n:05d}"), replace(ASKER, email=f"a{n}@example.com"), "192.0.2.1"), 10),
    ],
    ids=["enterprise", "asker", "sender"],
)
def test_questions_are_bounded(
    licorne: Business,
    plumedor: Business,
    world: World,
    another: Callable[[int], tuple[Neq, question_services.Asker, str]],
    limit: int,
) -> None:
    """Per enterprise, per person and per network address, within an hour; then again."""
    for number in range(15):
        neq, asker, sender = another(number)
        question_services.ask(neq, asker, sender=sender, now=world.now)
    assert len(payloads(question_services.ASKED)) == limit

    world.clock.advance(timedelta(hours=1))
    neq, asker, sender = another(1)
    assert question_services.ask(neq, asker, sender=sender, now=world.now)
    assert len(payloads(question_services.ASKED)) == limit + 1


def test_the_page_says_the_same_whatever_exists(app: Flask, licorne: Business) -> None:
    """Enrolled, unknown, or asked too often for: the same answer; the page names nobody."""
    pages = set()
    for neq in (licorne.neq, UNKNOWN, *[licorne.neq] * 4):
        browser = Browser(app)
        answer = browser.post("/who-is-my-pes", {**FIELDS, "neq": neq}, page="/who-is-my-pes")
        assert (answer.status_code, answer.location) == (303, "/who-is-my-pes/sent")
        pages.add(re.sub(r'value="[^"]+"', "", browser.text("/who-is-my-pes/sent")))

    assert len(pages) == 1
    assert "Haute-Licorne" not in pages.pop()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"neq": "123"}, "Ce n’est pas un NEQ"),
        ({"neq": ""}, "Entrez le NEQ"),
        ({"name": ""}, "Entrez votre nom"),
        ({"name": "<b>"}, "Utilisez seulement"),
        ({"email": ""}, "Entrez une adresse courriel ou un numéro de téléphone"),
        ({"email": "a@example.com\r\nBcc: b@example.com"}, "Entrez une adresse courriel"),
        ({"email": "zoé@example.com"}, "lettres sans accent"),
        ({"email": "", "phone": "abc"}, "Entrez un numéro de téléphone"),
        ({"message": ""}, "Écrivez un message"),
        ({"message": "x" * 601}, "au plus 600"),
        ({"message": "x" * 1_000_000}, "au plus 600"),
        ({"message": "Voir https://piege.example"}, "sans adresse Web"),
        ({"message": "Voir piege.com vite"}, "sans adresse Web"),
    ],
)
def test_a_mistake_is_said_beside_its_field(app: Flask, changes: dict[str, str], said: str) -> None:
    """Nothing leaves, and what was typed stays."""
    answer = Browser(app).post("/who-is-my-pes", {**FIELDS, "neq": UNKNOWN, **changes}, page="/who-is-my-pes")

    assert answer.status_code == 200
    assert said in answer.text
    assert payloads(question_services.ASKED) == []


def test_those_in_charge_answer_once_and_others_see_nothing(
    licorne: Business, plumedor: Business, world: World, sign_in: SignIn
) -> None:
    """The list is the enterprise's; marking is noted once in the log; another enterprise's id changes nothing."""
    question_services.ask(Neq(licorne.neq), ASKER, sender="192.0.2.1", now=world.now)
    assert told(world) == ["question:asked"]
    (view,) = question_services.questions(licorne.id)
    pes, marc, julie, stranger = (sign_in(each) for each in (licorne.pes, licorne.marc, licorne.julie, plumedor.pes))

    assert "Mo Nouveau" in pes.text("/questions")
    assert "mailto:mo%40example.com" in pes.text("/questions") or "mailto:mo@example.com" in pes.text("/questions")
    assert "Mo Nouveau" not in stranger.text("/questions")
    assert julie.get("/questions").status_code == 403
    for browser in (stranger, pes, marc):
        browser.post(f"/questions/{view.id}/answered")

    assert told(world) == ["question:answered", "question:asked"]
    (view,) = question_services.questions(licorne.id)
    assert view.answered_by == licorne.pes.person_id
    assert licorne.pes.name in marc.text("/questions")


def test_questions_are_forgotten_after_thirty_days(licorne: Business, world: World) -> None:
    """A row goes with its text."""
    question_services.ask(Neq(licorne.neq), ASKER, sender="192.0.2.1", now=world.now)
    told(world)

    assert question_services.forget_old(world.now + timedelta(days=29)) == 0
    assert question_services.forget_old(world.now + timedelta(days=30)) == 1


def test_users_and_the_representative_see_how_to_reach_their_pes(licorne: Business, sign_in: SignIn) -> None:
    """Name and address of each active PES, as the enterprise knows them."""
    for member, page in ((licorne.julie, "/home"), (licorne.ar, "/roster")):
        text = sign_in(member).text(page)

        for pes in (licorne.pes, licorne.marc):
            assert pes.name in text
            assert f"{pes.name.lower().replace(' ', '.')}@example.com" in text
