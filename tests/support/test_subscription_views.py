"""The officer's desk: the agency's own subscriptions only, decided once, with one of the agency's reasons."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask

from idp import audit
from idp.accounts import services as accounts
from idp.audit import SYSTEM, Event
from idp.clock import MovableClock
from idp.db import db
from idp.delegation import services as delegation
from idp.delegation.catalogue import catalogue_services
from idp.delegation.people.domain.roles import Role
from idp.delegation.people.domain.verification import VerificationRecord
from idp.delegation.subscriptions import change_services, subscription_services
from idp.delegation.subscriptions.domain.states import SubscriptionState
from idp.delegation.subscriptions.subscription_services import SubscriptionView

from .conftest import Staff, post, token

AGENCIES = Path(__file__).resolve().parents[2] / "agencies"
ANSWERS = {"creature": "griffon", "wingspan": "4", "opening": "2027-03-01", "insured": "yes"}
StaffFactory = Callable[..., Staff]


@pytest.fixture
def asked(app: Flask, clock: MovableClock) -> SubscriptionView:
    """Let an enterprise ask the agency that decides by hand."""
    now: datetime = clock.now()
    catalogue_services.load_agencies(AGENCIES, now=now)
    pes = accounts.create_person(
        given_name="Julie", family_name="Plumedor", email="julie@example.org", language="fr", now=now
    )
    record = VerificationRecord(
        neq="1100000455",
        name="Construction <b>Haute-Licorne</b> inc.",
        legal_form=None,
        method="online",
        verified_at=now,
        verified_by="system",
        evidence=(),
        file_id="f" * 32,
        authorized_representative=pes,
    )
    enterprise = delegation.register_enterprise(record, actor=SYSTEM, now=now)
    code = accounts.issue_user_code(pes, now=now)
    delegation.appoint(enterprise, pes, Role.PES, user_code=str(code), actor=SYSTEM, now=now)
    accounts.seed_credentials(pes, user_code=code, password="trois petits bateaux", totp_secret="A" * 32, now=now)
    return subscription_services.subscribe(enterprise, "bac", answers=ANSWERS, blocks=["101", "018"], by=pes, now=now)


def state(found: SubscriptionView) -> SubscriptionState:
    db.session.rollback()
    return subscription_services.subscription_by_id(found.id).state


def text_of(staff: Staff, path: str, status: int = 200) -> str:
    answer = staff.client.get(path)
    assert answer.status_code == status
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))).replace("\u00a0", " ")


@pytest.mark.parametrize(("role", "agency"), [("operator", None), (None, None), ("agency_officer", "amp")])
def test_only_officers_of_the_agency_see_it(
    staff: StaffFactory, asked: SubscriptionView, role: str | None, agency: str | None
) -> None:
    """Operators, people of enterprises and officers of another agency find nothing, and cannot decide."""
    other = staff(role, agency)

    if role != "agency_officer":
        text_of(other, "/desk/subscriptions", status=404)
    else:
        assert "Haute-Licorne" not in text_of(other, "/desk/subscriptions")
    text_of(other, f"/desk/subscriptions/{asked.id}", status=404)
    csrf = token(other.client, "/account")
    form = {"decision": "accept", "csrf_token": csrf}
    assert other.client.post(f"/desk/subscriptions/{asked.id}", data=form).status_code == 404
    assert state(asked) is SubscriptionState.IN_PROGRESS


def test_the_officer_reads_the_answers_in_words(staff: StaffFactory, asked: SubscriptionView) -> None:
    """Enterprise, NEQ, each answer as it was chosen, the blocks with their labels; names are text."""
    officer = staff("agency_officer", "bac")

    assert "1100 000 455" in text_of(officer, "/desk/subscriptions")
    page = text_of(officer, f"/desk/subscriptions/{asked.id}")
    for word in ("Le griffon", "1er mars 2027", "Oui", "101", "Demande de permis d’élevage", "Registre des créatures"):
        assert word in page, word
    assert "<b>Haute" not in officer.client.get(f"/desk/subscriptions/{asked.id}").get_data(as_text=True)
    assert "The griffin" in text_of(officer, f"/desk/subscriptions/{asked.id}?lang=en")


@pytest.mark.parametrize(
    ("form", "after", "event"),
    [
        ({"decision": "accept"}, SubscriptionState.ACTIVE, Event.SUBSCRIPTION_ACCEPTED),
        ({"decision": "refuse", "reason": "not_insured"}, SubscriptionState.REFUSED, Event.SUBSCRIPTION_REFUSED),
    ],
)
def test_the_officer_decides_once(
    staff: StaffFactory,
    asked: SubscriptionView,
    form: dict[str, str],
    after: SubscriptionState,
    event: Event,
) -> None:
    """Accepted or refused with a reason, in the officer's name; a second click changes nothing and says so."""
    officer = staff("agency_officer", "bac")
    path = f"/desk/subscriptions/{asked.id}"
    given = {**form, "csrf_token": token(officer.client, path)}

    assert officer.client.post(path, data=given).status_code == 303
    assert state(asked) is after
    [entry] = [entry for entry in audit.entries(enterprise_id=asked.enterprise_id) if entry.event == event.value]
    assert (entry.actor_kind, entry.actor_id) == ("agency_officer", officer.person_id)
    assert officer.client.post(path, data={**given, "decision": "accept"}).status_code == 303
    assert state(asked) is after
    assert "déjà fait l’objet" in text_of(officer, "/desk/subscriptions")


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({}, "Choisissez si l’inscription est acceptée ou refusée"),
        ({"decision": "refuse"}, "Choisissez le motif que l’entreprise lira"),
        ({"decision": "refuse", "reason": "client_number_unknown"}, "Choisissez le motif que l’entreprise lira"),
    ],
)
def test_a_refusal_needs_a_reason_of_the_agency(
    staff: StaffFactory, asked: SubscriptionView, form: dict[str, str], message: str
) -> None:
    """What is missing is said twice, in the summary and beside the field; nothing is decided."""
    answer = post(staff("agency_officer", "bac").client, f"/desk/subscriptions/{asked.id}", **form)

    assert answer.status_code == 400
    assert answer.get_data(as_text=True).count(message) == 2
    assert state(asked) is SubscriptionState.IN_PROGRESS


def test_an_empty_desk_says_so(staff: StaffFactory, app: Flask, now: datetime) -> None:
    """Nothing to decide: a sentence, no empty table."""
    catalogue_services.load_agencies(AGENCIES, now=now)

    assert "Aucune inscription n’attend" in text_of(staff("agency_officer", "bac"), "/desk/subscriptions")


def _changed(asked: SubscriptionView, now: datetime, *blocks: str) -> SubscriptionView:
    """Accept what was asked, if it still waits, then let the enterprise ask for these blocks instead."""
    there = subscription_services.subscription_by_id(asked.id)
    if there.state is SubscriptionState.IN_PROGRESS:
        there = subscription_services.decide(asked.id, accept=True, actor=SYSTEM, now=now)
    return change_services.ask(
        there.enterprise_id,
        "bac",
        answers=ANSWERS | {"opening": "2028-03-01"},
        blocks=blocks,
        extends=False,
        by=there.requested_by,
        seen_revision=there.revision,
        consent_digest=catalogue_services.agency("bac").consent.digest,
        now=now,
    )


def test_the_officer_reads_a_change_beside_what_stands(
    staff: StaffFactory, asked: SubscriptionView, now: datetime
) -> None:
    """The queue says what it is; the page shows answers and blocks before and after; accepted, it is in force."""
    changed = _changed(asked, now, "101")
    officer, path = staff("agency_officer", "bac"), f"/desk/subscriptions/{asked.id}"
    assert "Modification d’une inscription" in text_of(officer, "/desk/subscriptions")
    page = text_of(officer, path)
    for word in ("1er mars 2027", "1er mars 2028", "Bloc retiré", "Accepter la modification"):
        assert word in page, word

    answer = post(officer.client, path, decision="accept", revision=str(changed.revision))

    assert answer.status_code == 303
    assert subscription_services.active_blocks(asked.enterprise_id, "bac") == ("101",)
    assert "La modification est acceptée" in text_of(officer, "/desk/subscriptions")


def test_the_officer_decides_only_what_they_read(staff: StaffFactory, asked: SubscriptionView, now: datetime) -> None:
    """Other answers sent since the page was shown are read first: nothing is decided."""
    first, officer, path = (
        _changed(asked, now, "101"),
        staff("agency_officer", "bac"),
        f"/desk/subscriptions/{asked.id}",
    )
    change_services.withdraw(asked.enterprise_id, "bac", by=asked.requested_by, seen_revision=first.revision, now=now)
    _changed(asked, now, "018")

    answer = post(officer.client, path, decision="accept", revision=str(first.revision))

    assert answer.status_code == 303
    assert state(asked) is SubscriptionState.CHANGING
    assert "d’autres réponses" in text_of(officer, path)
