"""The operator's desk: who may open it, what it shows beside what, and that nobody decides alone what needs two."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from idp import audit
from idp.audit import Event
from idp.clock import MovableClock
from idp.connectors.enterprise_register import RegisterUnavailableError
from idp.db import db, transaction
from idp.enrollment import evidence_services, review_services
from idp.enrollment import services as enrollment
from idp.enrollment.domain.documents import DocumentKind
from idp.enrollment.domain.states import State
from idp.enrollment.models import EnrolmentFile
from idp.enrollment.review_services import Approval

from .conftest import Staff, post, token

StaffFactory = Callable[..., Staff]
Submitted = Callable[..., str]


def state(file_id: str, clock: MovableClock) -> State:
    db.session.rollback()
    return enrollment.view(file_id, now=clock.now()).state


def text_of(staff: Staff, path: str, status: int = 200) -> str:
    answer = staff.client.get(path)
    assert answer.status_code == status, answer.get_data(as_text=True)[:2000]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))).replace("\u00a0", " ")


def reads(file_id: str) -> list[tuple[str, str | None]]:
    return [
        (entry.actor_kind, entry.actor_id)
        for entry in audit.entries(file_id=file_id)
        if entry.event == Event.FILE_READ.value
    ]


PAGES = ("/desk", "/desk/files/{file}", "/desk/files/{file}/documents/{evidence}")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("who", ["agency_officer", None])
def test_only_operators_open_the_desk(
    staff: StaffFactory, submitted: Submitted, clock: MovableClock, path: str, who: str | None
) -> None:
    """For an officer of an agency and for people of enterprises there is no such page, and nothing was read."""
    file_id = submitted()
    evidence = evidence_services.receive(
        file_id, kind=DocumentKind.PROCURATION, name="p.pdf", content=b"%PDF-1.7 x", now=clock.now()
    )
    other = staff(who, "bac" if who else None)

    text_of(other, path.format(file=file_id, evidence=evidence), status=404)
    assert reads(file_id) == []


def test_a_stranger_signs_in_first(app: Flask, submitted: Submitted) -> None:
    """Somebody not signed in is sent to the sign-in page and back."""
    file_id = submitted()

    answer = app.test_client().get(f"/desk/files/{file_id}")
    assert answer.status_code == 302
    assert answer.location == f"/sign-in?next=%2Fdesk%2Ffiles%2F{file_id}"


def test_the_queue_shows_the_oldest_first(staff: StaffFactory, submitted: Submitted, clock: MovableClock) -> None:
    """Files by age, those that await a document last; each with its state in words."""
    waits = submitted("mandate")
    clock.advance(timedelta(hours=1))
    first = submitted("no_number")
    with transaction() as session:
        session.execute(update(EnrolmentFile).where(EnrolmentFile.id == first).values(document_wanted=False))
    clock.advance(timedelta(days=20))
    page = text_of(staff(), "/desk")

    numbers = [enrollment.view(file_id, now=clock.now()).number for file_id in (first, waits)]
    assert page.index(numbers[0]) < page.index(numbers[1])
    for word in ("2 dossiers à l’étude", "À décider", "En attente d’un document", "En retard"):
        assert word in page


def test_an_empty_queue_says_so(staff: StaffFactory, sources: None) -> None:
    """No file, no empty table."""
    assert "Aucun dossier n’attend de décision." in text_of(staff(), "/desk")


def test_a_file_shows_declared_beside_answered(staff: StaffFactory, submitted: Submitted, clock: MovableClock) -> None:
    """Each fact beside the answer, with the comparison in words; the Revenu Québec number is nowhere; it is logged."""
    file_id = submitted("mandate")
    operator = staff()

    page = text_of(operator, f"/desk/files/{file_id}")

    for word in (
        "Inès Courantfort",
        "2 mars 1984",
        "Concorde",
        "Introuvable",
        "deuxième",
    ):
        assert word in page, word
    assert "9000000121" not in page.replace(" ", "")
    assert reads(file_id) == [("operator", operator.person_id)]


def test_a_draft_is_nobodys_to_read(staff: StaffFactory, sources: None, clock: MovableClock) -> None:
    """A file that was never submitted does not exist for operators; nor does one that is not there."""
    draft = enrollment.start(language="fr", now=clock.now())
    operator = staff()

    text_of(operator, f"/desk/files/{draft}", status=404)
    text_of(operator, f"/desk/files/{'0' * 32}", status=404)


@pytest.mark.parametrize("basis", ["mandate", "no_number"])
def test_an_approval_needs_two(staff: StaffFactory, submitted: Submitted, clock: MovableClock, basis: str) -> None:
    """By mandate or by office, the first operator proposes and cannot agree with themself; a second one approves."""
    file_id = submitted(basis)
    one, two = staff(name="Odile"), staff(name="Ovide")
    path = f"/desk/files/{file_id}"

    answer = post(one.client, path, decision="approve", note="Procuration vue")
    assert answer.status_code == 303
    assert "Un autre opérateur doit" in text_of(one, "/desk")
    assert state(file_id, clock) is State.UNDER_REVIEW
    assert 'value="approve"' not in one.client.get(path).get_data(as_text=True)
    assert post(one.client, path, decision="approve", note="encore").status_code == 400
    assert state(file_id, clock) is State.UNDER_REVIEW

    assert "Odile Guichet" in text_of(two, path)
    assert post(two.client, path, decision="approve", note="D’accord").status_code == 303
    assert state(file_id, clock) is State.VERIFIED
    assert "est approuvé" in text_of(two, "/desk")


@pytest.mark.parametrize(("basis", "first"), [("mandate", Approval.PROPOSED), ("no_number", Approval.APPROVED)])
def test_an_installation_may_leave_offices_to_one(
    app: Flask, submitted: Submitted, clock: MovableClock, basis: str, first: Approval
) -> None:
    """With the setting at one, a file by office is approved by one operator; one by mandate never is."""
    app.extensions["mandat.settings"] = app.extensions["mandat.settings"].model_copy(update={"office_operators": 1})
    file_id = submitted(basis)

    assert review_services.approve(file_id, operator_id="op1", note="", now=clock.now()) is first


def test_a_decision_is_taken_once(staff: StaffFactory, submitted: Submitted, clock: MovableClock) -> None:
    """A second click, or a colleague too late, changes nothing and says so."""
    file_id = submitted("no_number")
    one, two = staff(name="Odile"), staff(name="Ovide")
    path = f"/desk/files/{file_id}"

    late = token(two.client, path)

    assert post(one.client, path, decision="refuse", reason="not_authorized", note="Non").status_code == 303
    form = {"decision": "approve", "note": "Oui", "csrf_token": late}
    assert two.client.post(path, data=form).status_code == 303
    assert state(file_id, clock) is State.REFUSED
    assert "déjà fait l’objet d’une décision" in text_of(two, path)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({}, "Choisissez ce qu’il advient du dossier"),
        ({"decision": "burn", "note": "x"}, "Choisissez ce qu’il advient du dossier"),
        ({"decision": "refuse", "note": "x"}, "Choisissez le motif que le représentant lira"),
        ({"decision": "refuse", "note": "x", "reason": "status_not_accepted"}, "Choisissez le motif"),
        ({"decision": "approve", "note": " "}, "Dites en quelques mots"),
        ({"decision": "approve", "note": "x" * 2001}, "2 000 caractères"),
    ],
)
def test_a_decision_needs_its_reason(
    staff: StaffFactory, submitted: Submitted, clock: MovableClock, form: dict[str, str], message: str
) -> None:
    """What is missing is said beside the field and in the summary; what was typed stays; nothing is decided."""
    file_id = submitted("no_number")

    answer = post(staff().client, f"/desk/files/{file_id}", **form)

    page = answer.get_data(as_text=True).replace("\u00a0", " ")
    assert answer.status_code == 400
    assert page.count(message) == 2
    assert 'id="error-summary"' in page
    assert form.get("note", "").strip()[:100] in page
    assert state(file_id, clock) is State.UNDER_REVIEW


def test_a_file_can_go_back_or_wait_for_a_document(
    staff: StaffFactory, submitted: Submitted, clock: MovableClock
) -> None:
    """An operator asks for a document (no note needed), then sends the file back for correction."""
    file_id, operator = submitted("no_number"), staff()
    path = f"/desk/files/{file_id}"

    assert post(operator.client, path, decision="ask_document").status_code == 303
    assert "En attente d’un document" in text_of(operator, "/desk")
    assert post(operator.client, path, decision="send_back", note="Poste à corriger").status_code == 303
    assert state(file_id, clock) is State.DRAFT


def test_a_silent_source_means_waiting(
    app: Flask, staff: StaffFactory, submitted: Submitted, clock: MovableClock
) -> None:
    """While the register does not answer, the page says so and nothing can be decided, even by a forged post."""

    class Silent:
        def look_up(self, neq: object) -> None:
            raise RegisterUnavailableError

    file_id, operator = submitted("no_number"), staff()
    path = f"/desk/files/{file_id}"
    before = token(operator.client, path)
    app.extensions["mandat.register"] = Silent()

    page = text_of(operator, path)
    assert "Une source ne répond pas" in page
    assert "Consigner la décision" not in page
    form = {"decision": "approve", "note": "oui", "csrf_token": before}
    assert operator.client.post(path, data=form).status_code == 400
    assert state(file_id, clock) is State.UNDER_REVIEW


def test_a_document_is_given_to_save(staff: StaffFactory, submitted: Submitted, clock: MovableClock) -> None:
    """As an attachment without the name somebody gave it, sandboxed; the reading is logged; another file's is not found."""
    file_id, other_file, operator = submitted("mandate"), submitted("no_number"), staff()
    evidence = evidence_services.receive(
        file_id, kind=DocumentKind.PROCURATION, name='x";.html', content=b"%PDF-1.7 corps", now=clock.now()
    )

    answer = operator.client.get(f"/desk/files/{file_id}/documents/{evidence}")

    assert answer.data == b"%PDF-1.7 corps"
    assert answer.headers["Content-Disposition"] == f"attachment; filename=document-{evidence[:12]}.pdf"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert reads(file_id) == [("operator", operator.person_id)]
    text_of(operator, f"/desk/files/{other_file}/documents/{evidence}", status=404)


def test_names_are_shown_as_text(staff: StaffFactory, submitted: Submitted, clock: MovableClock) -> None:
    """Script in a name or a file name is text on the page."""
    file_id, operator = submitted("mandate"), staff()
    evil = "<script>alert(1)</script>"
    evidence_services.receive(
        file_id, kind=DocumentKind.OTHER, name=f"{evil.replace('/', '')}.pdf", content=b"%PDF-1.7", now=clock.now()
    )
    with transaction() as session:
        session.execute(update(EnrolmentFile).values(enterprise_name=evil, given_name=evil, contested_because=evil))

    for path in ("/desk", f"/desk/files/{file_id}"):
        page = operator.client.get(path).get_data(as_text=True)
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page


def test_people_of_the_desk_land_there(staff: StaffFactory) -> None:
    """After signing in, an operator and an officer are led to their own desk, not to the home of enterprises."""
    assert staff(name="Odile").client.get("/home").location == "/desk"
    assert staff("agency_officer", "bac", name="Camille").client.get("/home").location == "/desk/subscriptions"


def test_the_queue_needs_no_more_than_what_it_shows(sources: None) -> None:
    """Nothing under review: the service answers nothing."""
    assert review_services.queue() == ()
