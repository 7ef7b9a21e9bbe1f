"""Requests for access: asked by users, answered by another person in charge, bounded, ended; and who is notified."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from idp.audit.models import AuditEntry
from idp.audit.services import SYSTEM
from idp.clock import local_date
from idp.db import db
from idp.delegation.people import people_services
from idp.delegation.people.domain.roles import Role
from idp.delegation.requests import request_services
from idp.delegation.requests.domain.states import (
    MOST_A_WEEK,
    MOST_OPEN,
    TRANSITIONS,
    Asking,
    AskObjection,
    RequestEvent,
    RequestState,
    answer_event,
    may_ask,
)
from idp.delegation.requests.models import AccessRequest
from idp.delegation.requests.request_services import AnsweredError, RequestView
from idp.delegation.rights.domain import rules
from idp.errors import ConflictError, NotAllowedError, NotFoundError
from idp.notices.services import deliver_due
from tests.accounts.conftest import payloads

from ..conftest import Browser, Business, Member, World

SignIn = Callable[[Member], Browser]


def ask(business: Business, world: World, by: Member, *blocks: str, days: int = 90, agency: str = "amp") -> object:
    return request_services.ask(
        business.id,
        agency,
        person_id=by.person_id,
        blocks=frozenset(blocks),
        until=local_date(world.now) + timedelta(days=days),
        reason="Je remplace Omar",
        now=world.now,
    )


def only(business: Business) -> RequestView:
    (found,), more = request_services.requests_of(business.id, is_open=True)
    assert not more
    return found


def grant(business: Business, world: World, by: Member, *blocks: str) -> RequestView:
    found = only(business)
    wanted = request_services.proposed(found, frozenset(blocks), found.until, world.now)
    return request_services.grant(
        found.id, wanted, enterprise_id=business.id, by=by.person_id, seen_revision=None, now=world.now
    )


def entries(event: str) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(AuditEntry).where(AuditEntry.event == event)) or 0


ASKING = Asking(True, frozenset({"001", "008"}), frozenset({"001"}), False, 0, 0)
TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("changes", "blocks", "objection"),
    [
        ({"is_user": False}, {"008"}, AskObjection.NOT_A_USER),
        ({"available": None}, {"008"}, AskObjection.NOT_SUBSCRIBED),
        ({}, {"018"}, AskObjection.BLOCK_NOT_OFFERED),
        ({}, set(), AskObjection.NOTHING_ASKED),
        ({}, {"001"}, AskObjection.ALREADY_HELD),
        ({"asked_here": True}, {"008"}, AskObjection.ALREADY_ASKED),
        ({"open_requests": MOST_OPEN}, {"008"}, AskObjection.TOO_MANY_OPEN),
        ({"requests_this_week": MOST_A_WEEK}, {"008"}, AskObjection.TOO_MANY_THIS_WEEK),
    ],
)
def test_each_objection_has_its_case(
    world: World, changes: dict[str, object], blocks: set[str], objection: AskObjection
) -> None:
    """Each rule alone refuses; without it, the request is taken."""
    until = local_date(world.now)
    facts = {name: getattr(ASKING, name) for name in ASKING.__slots__} | changes

    assert may_ask(Asking(**facts), frozenset(blocks), until, world.now).reasons == (objection,)
    assert may_ask(ASKING, frozenset({"008"}), until, world.now)


def test_the_end_of_a_request_is_bounded_as_that_of_a_right(world: World) -> None:
    """Yesterday, and a day beyond two years, are refused."""
    for until, objection in (
        (local_date(world.now) - timedelta(days=1), AskObjection.END_PAST),
        (rules.latest_end(world.now) + timedelta(days=1), AskObjection.END_TOO_LATE),
    ):
        assert may_ask(ASKING, frozenset({"008"}), until, world.now).reasons == (objection,)


def test_only_an_open_request_changes() -> None:
    """Every event ends an open request, each in its own state or in that of an end without an answer."""
    assert {state for state, _event in TRANSITIONS} == {RequestState.OPEN}
    assert {event for _state, event in TRANSITIONS} == set(RequestEvent)


@given(
    asked=st.frozensets(st.sampled_from(["001", "005", "008"]), min_size=1),
    held=st.frozensets(st.sampled_from(["001", "005", "008", "018"])),
)
def test_an_answer_is_named_by_what_it_gives(asked: frozenset[str], held: frozenset[str]) -> None:
    """All of it, a part, or nothing: then it is no grant."""
    event = answer_event(asked, held)

    assert (event is RequestEvent.GRANT) == (asked <= held)
    assert (event is None) == (not asked & held)


@pytest.mark.databases
def test_a_request_is_granted_in_part_with_the_rights(licorne: Business, world: World) -> None:
    """What is granted is held at once, what was held stays, the user is notified; a second answer finds it answered."""
    world.grant(licorne, licorne.julie, "001")
    assert ask(licorne, world, licorne.julie, "005", "008")

    answered = grant(licorne, world, licorne.pes, "008")

    assert answered.state is RequestState.GRANTED_IN_PART
    assert answered.granted == ("008",)
    assert world.blocks(licorne, licorne.julie) == ("001", "008")
    assert [each["person_id"] for each in payloads(request_services.ANSWERED)] == [licorne.julie.person_id]
    with pytest.raises(AnsweredError):
        request_services.refuse(
            answered.id, enterprise_id=licorne.id, by=licorne.marc.person_id, reason="Non", now=world.now
        )


def test_an_answer_that_gives_nothing_changes_nothing(licorne: Business, world: World) -> None:
    """A grant of other blocks is no answer: neither the request nor the rights change."""
    world.grant(licorne, licorne.julie, "001")
    ask(licorne, world, licorne.julie, "008")

    with pytest.raises(NotAllowedError):
        grant(licorne, world, licorne.pes, "005")

    assert only(licorne).is_open
    assert world.blocks(licorne, licorne.julie) == ("001",)


def test_nobody_answers_their_own_request(licorne: Business, world: World) -> None:
    """A user who is put in charge after having asked is answered by another person in charge."""
    ask(licorne, world, licorne.julie, "008")
    people_services.appoint(licorne.id, licorne.julie.person_id, Role.PES, user_code=None, actor=SYSTEM, now=world.now)

    with pytest.raises(NotAllowedError):
        grant(licorne, world, licorne.julie, "008")
    with pytest.raises(NotAllowedError):
        request_services.refuse(
            only(licorne).id, enterprise_id=licorne.id, by=licorne.julie.person_id, reason="Non", now=world.now
        )
    assert only(licorne).is_open


def test_who_may_answer(licorne: Business, plumedor: Business, world: World) -> None:
    """A user, the representative and a person in charge elsewhere are refused; the request stays."""
    ask(licorne, world, licorne.julie, "008")
    found = only(licorne)

    for by in (licorne.julie, licorne.ar):
        with pytest.raises(NotAllowedError):
            request_services.refuse(found.id, enterprise_id=licorne.id, by=by.person_id, reason="Non", now=world.now)
        with pytest.raises(NotAllowedError):
            grant(licorne, world, by, "008")
    with pytest.raises(NotFoundError):
        request_services.refuse(
            found.id, enterprise_id=plumedor.id, by=plumedor.pes.person_id, reason="Non", now=world.now
        )

    assert only(licorne) == found


def test_one_open_request_an_agency(licorne: Business, world: World) -> None:
    """A second one waits for the first to end; one withdrawn makes place, once."""
    assert ask(licorne, world, licorne.julie, "008")
    assert ask(licorne, world, licorne.julie, "005").reasons == (AskObjection.ALREADY_ASKED,)  # type: ignore[attr-defined]
    found = only(licorne)

    with pytest.raises(NotFoundError):
        request_services.withdraw(found.id, person_id=licorne.marc.person_id, now=world.now)
    request_services.withdraw(found.id, person_id=licorne.julie.person_id, now=world.now)
    with pytest.raises(AnsweredError):
        request_services.withdraw(found.id, person_id=licorne.julie.person_id, now=world.now)

    assert ask(licorne, world, licorne.julie, "005")


def test_requests_of_a_week_are_bounded(licorne: Business, world: World) -> None:
    """Withdrawn ones count: twenty within seven days, then again."""
    for _number in range(MOST_A_WEEK):
        assert ask(licorne, world, licorne.julie, "008")
        request_services.withdraw(only(licorne).id, person_id=licorne.julie.person_id, now=world.now)
        world.clock.advance(timedelta(minutes=7))

    assert AskObjection.TOO_MANY_THIS_WEEK in ask(licorne, world, licorne.julie, "008").reasons  # type: ignore[attr-defined]
    world.clock.advance(timedelta(days=7))
    assert ask(licorne, world, licorne.julie, "008")


def test_a_digest_gathers_requests(licorne: Business, world: World) -> None:
    """One mail to each active person in charge for all that waits, one an hour, none when it was answered before."""
    other = world.member(licorne.id, "Odile Licorne", Role.USER)
    ask(licorne, world, licorne.julie, "008")
    ask(licorne, world, other, "008")
    assert request_services.notify_waiting(world.now) == 0
    world.clock.advance(timedelta(minutes=1))

    assert request_services.notify_waiting(world.now) == 1
    assert request_services.notify_waiting(world.now) == 0
    sent = payloads(request_services.WAITING)
    assert {each["person_id"] for each in sent} == {licorne.pes.person_id, licorne.marc.person_id}
    assert len(sent) == 2


def test_requests_expire_and_end_with_the_membership(licorne: Business, world: World) -> None:
    """After thirty days, or when the user is removed; each end is in the log once; a year later the rows are gone."""
    other = world.member(licorne.id, "Odile Licorne", Role.USER)
    ask(licorne, world, licorne.julie, "008")
    ask(licorne, world, other, "008")
    people_services.remove_member(licorne.id, other.membership_id, by=licorne.pes.person_id, now=world.now)

    assert request_services.sweep(world.now) == 1
    world.clock.advance(timedelta(days=30))
    assert request_services.sweep(world.now) == 1
    assert request_services.sweep(world.now) == 0
    assert entries("request:expired") == 2
    world.clock.advance(timedelta(days=366))
    request_services.sweep(world.now)
    assert db.session.scalars(select(AccessRequest)).all() == []


def test_reasons_are_sealed(licorne: Business, world: World) -> None:
    """Neither the reason nor the answer lies in clear in the database."""
    ask(licorne, world, licorne.julie, "008")
    found = only(licorne)
    request_services.refuse(
        found.id, enterprise_id=licorne.id, by=licorne.pes.person_id, reason="Pas vous", now=world.now
    )

    row = db.session.scalars(select(AccessRequest)).one()
    assert "Omar" not in row.reason
    assert row.answer is not None
    assert "Pas vous" not in row.answer


def test_pages_of_a_request(licorne: Business, world: World, sign_in: SignIn) -> None:
    """Asked by the user, seen by the person in charge, granted over the preview; the mail of the answer leaves."""
    julie, pes = sign_in(licorne.julie), sign_in(licorne.pes)
    path = "/agencies/amp/ask"
    fields = {"blocks": "008", "until-day": "1", "until-month": "6", "until-year": "2027", "reason": "Je remplace Omar"}

    assert "Choisissez au moins un bloc" in julie.post(path, {**fields, "blocks": []}, page=path).text
    assert julie.post(path, fields, page=path).location == "/my-requests"
    assert "En attente" in julie.text("/my-requests")
    assert "/requests" in pes.text("/home")
    found = only(licorne)
    assert "Je remplace Omar" in pes.text(f"/requests/{found.id}")
    answer = pes.post(f"/requests/{found.id}/grant", {**fields}, page=f"/requests/{found.id}")
    preview = answer.location
    assert preview is not None
    assert preview.startswith("/agencies/amp/rights/preview?changes=")
    shown = pes.text(preview)
    token = re.search(r'name="changes" value="([^"]+)"', shown)
    assert token
    saved = pes.post("/agencies/amp/rights/preview", {"changes": token.group(1)}, page=preview)
    assert saved.location == "/agencies/amp/rights/saved"
    assert world.blocks(licorne, licorne.julie) == ("008",)
    assert "Accordée" in julie.text("/my-requests")
    again = pes.post("/agencies/amp/rights/preview", {"changes": token.group(1)}, page="/account")
    assert again.location == f"/requests/{found.id}"
    while deliver_due(world.now):
        pass


def test_a_refusal_needs_a_reason_and_a_fresh_factor(licorne: Business, world: World, sign_in: SignIn) -> None:
    """Without a reason the page says so; after it, the user reads it, and asks again."""
    ask(licorne, world, licorne.julie, "008")
    found, pes = only(licorne), sign_in(licorne.pes)
    page = f"/requests/{found.id}"

    assert "Indiquez le motif" in pes.post(f"{page}/refuse", {"reason": " "}, page=page).text
    assert pes.post(f"{page}/refuse", {"reason": "Demandez le bloc 005"}, page=page).location == "/requests"
    julie = sign_in(licorne.julie)
    assert "Demandez le bloc 005" in julie.text("/my-requests")
    assert "/agencies/amp/ask" in julie.text("/my-requests")


def test_a_conflict_of_the_rights_leads_back_to_the_request(licorne: Business, world: World) -> None:
    """The rights changed since the preview was shown: nothing is written, the request stays open."""
    ask(licorne, world, licorne.julie, "008")
    found = only(licorne)
    wanted = request_services.proposed(found, frozenset({"008"}), found.until, world.now)
    world.grant(licorne, licorne.julie, "001")

    with pytest.raises(ConflictError):
        request_services.grant(
            found.id, wanted, enterprise_id=licorne.id, by=licorne.pes.person_id, seen_revision=0, now=world.now
        )

    assert only(licorne).is_open
    assert world.blocks(licorne, licorne.julie) == ("001",)
